/* SPDX-License-Identifier: MIT */
/*
 * DfuSe memory-layout strings -> sectors (UM0424 section 4.3.2; doc/protocol.md 8).
 * "@Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg".  Length-bounded, no sscanf; hostile
 * input.
 */
#ifndef CFDFU_LAYOUT_H
#define CFDFU_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfdfu/util.h"

#define LAYOUT_RUNS_MAX 16 /* LIMIT: doc/faults.md H2 */
#define LAYOUT_NAME_MAX 48
#define LAYOUT_TEXT_MAX 256	 /* LIMIT: a string descriptor holds 126 characters */
#define LAYOUT_SECTORS_MAX 65536 /* LIMIT: sectors of one memory, all runs together */

enum layout_access { LAYOUT_READABLE = 1, LAYOUT_ERASABLE = 2, LAYOUT_WRITABLE = 4 };

/* count sectors of sector_bytes each, one after the other, from addr. */
struct layout_run {
	uint32_t addr;
	uint32_t count;
	uint32_t sector_bytes;
	unsigned access; /* enum layout_access bits */
};

/* A plain value.  Runs ascend and do not overlap; none wraps past 2^32. */
struct layout {
	char name[LAYOUT_NAME_MAX]; /* "Internal Flash": trimmed, printable ASCII */
	struct layout_run runs[LAYOUT_RUNS_MAX];
	size_t run_count;
};

struct sector {
	uint32_t addr;
	uint32_t size;
	unsigned access;
	uint32_t index; /* counted over all runs of the layout */
};

/*
 * Parses length bytes of text (need not be terminated).  0, or -EINVAL with ret_why (a static
 * sentence) and ret_at (offset of the trouble); both may be NULL.  Tolerates what real devices send
 * (doc/protocol.md 8: blank as multiplier, missing multiplier, no leading '@', trailing NUL
 * or spaces).
 */
int layout_parse(const char *text, size_t length, struct layout *ret_layout, const char **ret_why,
		 size_t *ret_at) MUST_CHECK;

/* The sector that holds addr; false when none does. */
bool layout_sector_at(const struct layout *l, uint32_t addr, struct sector *ret_sector);

/* The sector after s in address order of the layout, adjacent or not; false at the end. */
bool layout_next_sector(const struct layout *l, const struct sector *s, struct sector *ret_sector);

/* True when every byte of [addr, addr + length) lies in sectors that have all the access bits. */
bool layout_covers(const struct layout *l, uint32_t addr, uint32_t length, unsigned access);

/* Same sectors with the same access, whatever the names. */
bool layout_same(const struct layout *a, const struct layout *b);

#endif
