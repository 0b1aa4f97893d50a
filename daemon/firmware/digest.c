/* SPDX-License-Identifier: MIT */
/* SHA-256 through libsodium; the rule for images is in the header. */
#include "config.h"

#include "firmware/digest.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "firmware/fw_make.h"

_Static_assert(crypto_hash_sha256_BYTES == DIGEST_BYTES, "libsodium's SHA-256 is SHA-256");

void
digest_bytes(const uint8_t *data, size_t size, uint8_t ret_sha256[DIGEST_BYTES])
{
	(void)crypto_hash_sha256(ret_sha256, data, size); /* always 0: documented so */
}

static int
on_piece(void *ctx, const uint8_t *data, size_t size)
{
	(void)crypto_hash_sha256_update(ctx, data, size); /* always 0: documented so */
	return 0;
}

int
digest_segments(const struct segment *segments, size_t count, uint8_t ret_sha256[DIGEST_BYTES])
{
	crypto_hash_sha256_state state;
	int r;

	if (count == 1) {
		digest_bytes(segments[0].data, segments[0].size, ret_sha256);
		return 0;
	}
	(void)crypto_hash_sha256_init(&state); /* always 0, like the others */
	r = fw_make_stream_segments(segments, count, on_piece, &state);
	if (r == 0)
		(void)crypto_hash_sha256_final(&state, ret_sha256);
	return r;
}

int
digest_image(const struct image *image, uint8_t ret_sha256[DIGEST_BYTES])
{
	struct segment segments[IMAGE_SEGMENTS_MAX];
	size_t count = image_segment_count(image);

	if (count > IMAGE_SEGMENTS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < count; i++)
		segments[i] = *image_segment(image, i);
	return digest_segments(segments, count, ret_sha256);
}

void
digest_format(const uint8_t sha256[DIGEST_BYTES], char ret_text[DIGEST_TEXT_MAX])
{
	for (size_t i = 0; i < DIGEST_BYTES; i++)
		snprintf(ret_text + 2 * i, 3, "%02x", sha256[i]);
}

static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool
digest_parse(const char *text, uint8_t ret_sha256[DIGEST_BYTES])
{
	uint8_t parsed[DIGEST_BYTES];

	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		int high = digit_value(text[2 * i]);
		int low = high >= 0 ? digit_value(text[2 * i + 1]) : -1;

		if (low < 0)
			return false;
		parsed[i] = (uint8_t)(high << 4 | low);
	}
	if (text[2 * DIGEST_BYTES] != '\0')
		return false;
	memcpy(ret_sha256, parsed, sizeof(parsed));
	return true;
}
