/* SPDX-License-Identifier: MIT */
/* One character of UTF-8 (RFC 3629). */
#ifndef CFDFU_UTF8_H
#define CFDFU_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Decodes the character at s, a terminated text.  Its bytes; 0 when they are none: cut, overlong,
 * a surrogate, above U+10FFFF. */
static inline size_t
utf8_decode(const char *s, uint32_t *ret_code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)s;
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xC2 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
	uint32_t code;

	if (n == 0 || p[0] > 0xF4)
		return 0;
	code = n == 1 ? p[0] : p[0] & (0x7FU >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3F);
	}
	if (code < least[n] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
		return 0;
	*ret_code = code;
	return n;
}

#endif
