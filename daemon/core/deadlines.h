/* SPDX-License-Identifier: MIT */
/* The next deadline of each slot, and which of them is the first: a binary heap of slot numbers. */
#ifndef CORE_DEADLINES_H
#define CORE_DEADLINES_H

#include <stdint.h>

#include "core/sched.h"

/* All zero is an empty one. */
struct deadlines {
	unsigned count;
	uint16_t heap[SCHED_SLOTS_MAX];	 /* the first count: slots, the earliest on top */
	uint16_t place[SCHED_SLOTS_MAX]; /* of a slot in the heap, plus 1; 0 it has no deadline */
	uint64_t at_us[SCHED_SLOTS_MAX];
};

/* In place of the slot's last one; SCHED_NEVER: it has none.  O(log slots). */
void deadlines_set(struct deadlines *d, unsigned slot, uint64_t at_us);
/* SCHED_NEVER, and ret_slot is not written, when there is none.  Of equal ones the lowest slot
 * is the first. */
uint64_t deadlines_first(const struct deadlines *d, unsigned *ret_slot);

#endif
