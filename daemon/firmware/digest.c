/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "firmware/digest.h"

#include <sodium.h>

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

void
digest_format(const uint8_t sha256[DIGEST_BYTES], char ret_text[DIGEST_TEXT_MAX])
{
	(void)sodium_bin2hex(ret_text, DIGEST_TEXT_MAX, sha256, DIGEST_BYTES); /* it fits */
}

bool
digest_parse(const char *text, uint8_t ret_sha256[DIGEST_BYTES])
{
	uint8_t parsed[DIGEST_BYTES];
	size_t bytes;

	if (strlen(text) != DIGEST_TEXT_MAX - 1 ||
	    sodium_hex2bin(parsed, sizeof(parsed), text, DIGEST_TEXT_MAX - 1, NULL, &bytes, NULL) <
		0)
		return false;
	memcpy(ret_sha256, parsed, sizeof(parsed));
	return true;
}
