/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "wire/text.h"

#include "cfdfu/utf8.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* WHY: ESC and its like steer terminals; the direction marks make "exe.nib" of "bin.exe". */
static bool
is_harmless(uint32_t code)
{
	if (code < 0x20 || (code >= 0x7F && code <= 0x9F))
		return false;
	if (code == 0x061C || (code >= 0x200B && code <= 0x200F))
		return false;
	if ((code >= 0x2028 && code <= 0x202E) || (code >= 0x2060 && code <= 0x206F))
		return false;
	return code != 0xFEFF && (code & 0xFFFE) != 0xFFFE;
}

size_t
text_clean(char *dst, size_t size, const char *src)
{
	const char *s = src != NULL ? src : "";
	size_t used = 0;

	while (*s != '\0') {
		uint32_t code = 0;
		size_t n = utf8_decode(s, &code);
		bool keep = n > 0 && is_harmless(code);
		size_t out = keep ? n : 1;

		if (out >= size - used)
			break;
		if (keep)
			memcpy(dst + used, s, n);
		else
			dst[used] = '?';
		used += out;
		s += n > 0 ? n : 1;
	}
	dst[used] = '\0';
	return used;
}

json_t *
text_json(const char *src)
{
	json_t *string;
	size_t size;
	char *clean;

	if (src == NULL)
		return json_null();
	size = strlen(src) + 1; /* cleaning never makes text longer */
	clean = malloc(size);
	if (clean == NULL)
		return NULL;
	text_clean(clean, size, src);
	string = json_string(clean);
	free(clean);
	return string;
}
