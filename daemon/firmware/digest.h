/* SPDX-License-Identifier: MIT */
/*
 * SHA-256 of files and images.
 *
 * image_label.sha256: an image of exactly one segment has the digest of that segment's bytes, so
 * that `sha256sum cf2.bin` shows the same; any other has the digest of the DfuSe file that
 * fw_make_from_image() makes of it.  The place is not part of the digest of one segment:
 * image_same() compares it beside.
 */
#ifndef FIRMWARE_DIGEST_H
#define FIRMWARE_DIGEST_H

#include "core/image.h"

#define DIGEST_BYTES IMAGE_SHA256_BYTES
#define DIGEST_TEXT_MAX (2 * DIGEST_BYTES + 1)

void digest_bytes(const uint8_t *data, size_t size, uint8_t ret_sha256[DIGEST_BYTES]);

/* By the rule above.  Segments sorted as image_segment() gives them.  -EINVAL without a segment. */
int digest_segments(const struct segment *segments, size_t count,
		    uint8_t ret_sha256[DIGEST_BYTES]) MUST_CHECK;

/* 64 lower-case hex digits. */
void digest_format(const uint8_t sha256[DIGEST_BYTES], char ret_text[DIGEST_TEXT_MAX]);

/* Exactly 64 hex digits of any case, terminated. */
bool digest_parse(const char *text, uint8_t ret_sha256[DIGEST_BYTES]);

#endif
