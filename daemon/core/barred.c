/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/barred.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "cfdfu/util.h"

/* Its place, or that of the first free one (sha256 NULL); -ENOENT. */
static int
find(const struct barred *b, const uint8_t *sha256)
{
	for (size_t i = 0; i < ARRAY_LEN(b->list); i++) {
		bool is_free = b->list[i].reason[0] == '\0';

		if (sha256 == NULL
			? is_free
			: !is_free && memcmp(b->list[i].sha256, sha256, IMAGE_SHA256_BYTES) == 0)
			return (int)i;
	}
	return -ENOENT;
}

int
barred_add(struct barred *b, const uint8_t sha256[IMAGE_SHA256_BYTES], const char *reason)
{
	int place;

	assert(reason[0] != '\0');
	if (find(b, sha256) >= 0)
		return 0;
	place = find(b, NULL);
	if (place < 0)
		return -E2BIG;
	memcpy(b->list[place].sha256, sha256, IMAGE_SHA256_BYTES);
	copy_text(b->list[place].reason, sizeof(b->list[place].reason), reason);
	return 0;
}

bool
barred_remove(struct barred *b, const uint8_t sha256[IMAGE_SHA256_BYTES])
{
	int place = find(b, sha256);

	if (place < 0)
		return false;
	b->list[place].reason[0] = '\0';
	return true;
}

const char *
barred_why(const struct barred *b, const uint8_t sha256[IMAGE_SHA256_BYTES])
{
	int place = find(b, sha256);

	return place >= 0 ? b->list[place].reason : NULL;
}
