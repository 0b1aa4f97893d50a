/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/deadlines.h"

#include <stdbool.h>

static bool
is_before(const struct deadlines *d, unsigned a, unsigned b)
{
	return d->at_us[a] != d->at_us[b] ? d->at_us[a] < d->at_us[b] : a < b;
}

static void
put(struct deadlines *d, unsigned at, unsigned slot)
{
	d->heap[at] = (uint16_t)slot;
	d->place[slot] = (uint16_t)(at + 1);
}

/* Slot belongs at this place, or above or below it. */
static void
settle(struct deadlines *d, unsigned at, unsigned slot)
{
	unsigned child;

	for (; at > 0 && is_before(d, slot, d->heap[(at - 1) / 2]); at = (at - 1) / 2)
		put(d, at, d->heap[(at - 1) / 2]);
	while ((child = 2 * at + 1) < d->count) {
		if (child + 1 < d->count && is_before(d, d->heap[child + 1], d->heap[child]))
			child++;
		if (!is_before(d, d->heap[child], slot))
			break;
		put(d, at, d->heap[child]);
		at = child;
	}
	put(d, at, slot);
}

void
deadlines_set(struct deadlines *d, unsigned slot, uint64_t at_us)
{
	unsigned place = d->place[slot];

	if (at_us == SCHED_NEVER) {
		if (place == 0)
			return;
		d->place[slot] = 0;
		if (place - 1 < --d->count)
			settle(d, place - 1, d->heap[d->count]);
	} else if (place == 0) {
		d->at_us[slot] = at_us;
		settle(d, d->count++, slot);
	} else if (d->at_us[slot] != at_us) {
		d->at_us[slot] = at_us;
		settle(d, place - 1, slot);
	}
}

uint64_t
deadlines_first(const struct deadlines *d, unsigned *ret_slot)
{
	if (d->count == 0)
		return SCHED_NEVER;
	*ret_slot = d->heap[0];
	return d->at_us[d->heap[0]];
}
