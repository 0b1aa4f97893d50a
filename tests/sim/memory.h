/* SPDX-License-Identifier: MIT */
/*
 * The content of one memory, in pages that exist only where something was written: a blank megabyte
 * costs 4 KiB.  Programming clears bits, erasing makes pages blank again; pages are kept for the
 * next write.
 */
#ifndef SIM_MEMORY_H
#define SIM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfdfu/util.h"
#include "sim/chip.h"

#define MEMORY_PAGE 2048

struct memory_page {
	struct memory_page *next; /* in the list of spare ones */
	uint8_t bytes[MEMORY_PAGE];
};

struct memory {
	const struct chip_memory *chip;
	uint32_t pages;
	struct memory_page **page; /* NULL = all 0xFF */
	struct memory_page *spare;
};

int memory_init(struct memory *m, const struct chip_memory *chip) MUST_CHECK;
void memory_done(struct memory *m);

/* Ranges are inside the memory; offsets count from its base. */
void memory_read(const struct memory *m, uint32_t offset, uint8_t *buf, size_t length);
/* Sets bytes whatever was there.  0 or -ENOMEM. */
int memory_set(struct memory *m, uint32_t offset, const uint8_t *data, size_t length) MUST_CHECK;
/* Clears bits; ret_overwrites grows by bytes that were not blank.  0 or -ENOMEM. */
int memory_program(struct memory *m, uint32_t offset, const uint8_t *data, size_t length,
		   uint64_t *ret_overwrites) MUST_CHECK;
void memory_erase(struct memory *m, uint32_t offset, size_t length);
/* Is the page at this offset known to be blank?  For quick scans. */
bool memory_page_is_blank(const struct memory *m, uint32_t offset);
/* 0 or -ENOMEM. */
int memory_copy(struct memory *to, const struct memory *from) MUST_CHECK;

#endif
