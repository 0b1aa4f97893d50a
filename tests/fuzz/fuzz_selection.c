/* SPDX-License-Identifier: MIT */
/* Any bytes as a selection: refused with words, or paths that stay inside and names that are fine.
 */
#include "config.h"

#include "firmware/selection_file.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[SELECTION_WHY_MAX] = "";
	struct selection_file s;

	if (selection_file_read((const char *)data, size, &s, why) < 0) {
		assert(why[0] != '\0' && memchr(why, '\0', sizeof(why)) != NULL);
		return 0;
	}
	assert(s.serial > 0 && size <= SELECTION_BYTES_MAX);
	assert(strlen(s.valid_from) == 20 && strlen(s.valid_until) == 20);
	for (unsigned i = 0; i < PLATFORM_COUNT; i++) {
		const struct selected_file *f = &s.files[i];

		if (f->name[0] == '\0')
			continue;
		assert(i != PLATFORM_UNKNOWN && image_name_is_fine(f->name));
		assert(strlen(f->sha256) == DIGEST_TEXT_MAX - 1);
		assert(f->path[0] != '/' && strstr(f->path, "..") != f->path &&
		       strstr(f->path, "/..") == NULL);
	}
	return 0;
}
