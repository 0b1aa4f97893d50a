/* SPDX-License-Identifier: MIT */
/* Shared by plan.c (building and walking) and plan_view.c (questions); nobody else includes it. */
#ifndef CORE_PLAN_PARTS_H
#define CORE_PLAN_PARTS_H

#include "core/plan.h"

/* What is still to be done with a sector. */
enum { TODO_COMPARE = 1, TODO_ERASE = 2, TODO_WRITE = 4, TODO_VERIFY = 8 };

/* What reading back said about the part that the image covers. */
enum content { CONTENT_UNKNOWN, CONTENT_EQUAL, CONTENT_BLANK, CONTENT_OTHER };

/* A sector that the image covers, wholly or in part. */
struct part {
	uint32_t addr, size;  /* the sector */
	uint32_t from, to;    /* first covered byte, last covered byte + 1 */
	size_t first_segment; /* index of the first segment that reaches into it */
	uint8_t alt;
	uint8_t todo;
	uint8_t content;
	bool all_equal, all_blank; /* so far, while it is being read */
	bool repaired;
	uint32_t old_addr;  /* the block in which it differed before anything was done to it ... */
	uint32_t old_check; /* ... and a sum of what that held; old_length 0: not known */
	uint32_t old_length;
	bool write_protected;
	bool untouched; /* that block read the same after having been erased and written */
};

struct plan {
	struct image *image;
	struct plan_options options;
	enum plan_phase phase;
	struct part *parts;
	size_t count, room;
	size_t boot;	    /* the part that holds the first page; count = none */
	uint32_t page_addr; /* the first page: the block that makes the image bootable */
	uint32_t page_to;
	size_t first, end; /* parts of the memory under way; all of them while comparing */
	size_t at;	   /* part under way */
	uint32_t pos;	   /* next byte in it */
	bool changed;
	bool boot_changed; /* in the memory of the first page */
	bool page_done;
	unsigned repairs;
	uint32_t wrong_addr;
	enum plan_failure failure;
};

static inline bool
plan_page_is_due(const struct plan *p)
{
	return p->boot < p->count && p->boot_changed && !p->page_done;
}

#endif
