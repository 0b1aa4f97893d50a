/* SPDX-License-Identifier: MIT */
/*
 * A small application image for tests: vectors, default handler, table of supported devices, tag
 * and revision as doc/firmware.md 2 to 4 found them in real ones, the rest noise from the seed.
 * Linked at 0x08004000.
 */
#ifndef SIM_TINY_H
#define SIM_TINY_H

#include <stddef.h>
#include <stdint.h>

#define TINY_ADDR 0x08004000U
#define TINY_BYTES_MIN 2048U

struct tiny {
	const char *types;    /* "CF20,CF21"; "" = no table */
	const char *tag;      /* "2025.12"; "" = none */
	const char *revision; /* 12 hex digits */
	int modified;
	uint64_t seed;
};

/* Fills buf with an image of exactly size bytes: a multiple of 4, TINY_BYTES_MIN or more. */
void tiny_make(const struct tiny *t, uint8_t *buf, size_t size);

#endif
