/* SPDX-License-Identifier: MIT */
/* Version and revision texts in an image (doc/firmware.md 4); for content.c alone. */
#ifndef FIRMWARE_CONTENT_TEXT_H
#define FIRMWARE_CONTENT_TEXT_H

#include "firmware/content.h"

/* Fills version, revision and modified of c from the bytes. */
void content_find_version(const uint8_t *data, size_t size, struct content *c);

/* Do the last 16 bytes point, for an image linked at base, to a tag (any text) and a revision? */
bool content_trailer_fits(const uint8_t *data, size_t size, uint32_t base);

/* Do the last 16 bytes look like a trailer at all? */
bool content_has_trailer(const uint8_t *data, size_t size);

#endif
