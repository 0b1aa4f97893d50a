/* SPDX-License-Identifier: MIT */
/*
 * Which of a fixed set of numbered items is due first: a binary heap with positions, so that an
 * item's time can be changed in O(log n).  Items due at the same instant come in an order drawn
 * from the seed.
 */
#ifndef SIM_HEAP_H
#define SIM_HEAP_H

#include <stdint.h>

#include "sim/rng.h"

#define HEAP_NEVER UINT64_MAX
#define HEAP_ITEMS_MAX 2304

struct heap_entry {
	uint64_t at, tie;
	unsigned item;
};

struct heap {
	struct rng rng;
	unsigned count;
	struct heap_entry entry[HEAP_ITEMS_MAX];
	uint16_t position[HEAP_ITEMS_MAX]; /* 1 + index into entry; 0 = not in the heap */
};

void heap_init(struct heap *h, uint64_t seed);
/* HEAP_NEVER takes the item out. */
void heap_set(struct heap *h, unsigned item, uint64_t at);
/* HEAP_NEVER: empty. */
uint64_t heap_first_us(const struct heap *h);
unsigned heap_first(const struct heap *h);

#endif
