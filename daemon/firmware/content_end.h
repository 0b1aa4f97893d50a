/* SPDX-License-Identifier: MIT */
/* Where an image should end, and what its end looks like; for content.c alone. */
#ifndef FIRMWARE_CONTENT_END_H
#define FIRMWARE_CONTENT_END_H

#include "firmware/content.h"

/* Fills data_end, marked_end, blank_bytes and hole_addr.  The vectors have been read. */
void content_find_end(const uint8_t *data, size_t size, struct content *c);

/* Fills gap_addr and gap_bytes, of pieces in any order.  The end has been found. */
void content_find_gap(const struct segment *pieces, size_t count, struct content *c);

#endif
