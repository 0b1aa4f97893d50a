/* SPDX-License-Identifier: MIT */
/* The members of a plan.  For the plan's own files alone. */
#ifndef CORE_PLAN_INTERNAL_H
#define CORE_PLAN_INTERNAL_H

#include "core/plan.h"
#include "core/plan_part.h"

/* The work of a plan as it was reckoned last (plan_estimate.c). */
struct plan_reckoning {
	uint64_t left_us, total_us;
	bool done; /* the sums below are those of this phase and part */
	enum plan_phase phase;
	size_t at;
	struct part_sum others; /* left of the parts that are not under way */
	struct part_sum total;
};

struct plan {
	struct image *image;
	struct plan_options options;
	enum plan_phase phase;
	unsigned under_way; /* TODO_: the work that the phase takes off the parts */
	struct part *parts;
	size_t count;
	size_t boot;		   /* the part that holds the first page; count = none */
	uint32_t page_addr;	   /* the first page: the block that makes the image bootable */
	uint32_t page_to, word_to; /* word_to: of its first word; page_addr: it has none */
	size_t first, end;	   /* parts of the memory under way; all of them while comparing */
	size_t round_first, round_end; /* of these the ones under way; all while comparing */
	size_t at;		       /* part under way */
	uint32_t pos;		       /* next byte in it */
	bool changed;
	bool boot_changed; /* in the memory of the first page */
	bool page_done;
	unsigned repairs;
	uint32_t wrong_addr;
	enum plan_failure failure;
	struct plan_reckoning reckoning;
};

/* It is blank on the drone, or not read back: it is still to be written. */
static inline bool
plan_page_is_due(const struct plan *p)
{
	return p->boot < p->count && p->boot_changed && !p->page_done;
}

#endif
