/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "sim/heap.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

void
heap_init(struct heap *h, uint64_t seed)
{
	memset(h, 0, sizeof(*h));
	rng_init(&h->rng, seed);
}

static bool
is_before(const struct heap_entry *a, const struct heap_entry *b)
{
	return a->at != b->at ? a->at < b->at : a->tie < b->tie;
}

static void
put(struct heap *h, unsigned i, const struct heap_entry *e)
{
	h->entry[i] = *e;
	h->position[e->item] = (uint16_t)(i + 1);
}

static void
sift_up(struct heap *h, unsigned i)
{
	struct heap_entry e = h->entry[i];

	while (i > 0 && is_before(&e, &h->entry[(i - 1) / 2])) {
		put(h, i, &h->entry[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	put(h, i, &e);
}

static void
sift_down(struct heap *h, unsigned i)
{
	struct heap_entry e = h->entry[i];

	for (;;) {
		unsigned child = 2 * i + 1;

		if (child >= h->count)
			break;
		if (child + 1 < h->count && is_before(&h->entry[child + 1], &h->entry[child]))
			child++;
		if (!is_before(&h->entry[child], &e))
			break;
		put(h, i, &h->entry[child]);
		i = child;
	}
	put(h, i, &e);
}

static void
take_out(struct heap *h, unsigned i)
{
	struct heap_entry last = h->entry[--h->count];

	h->position[h->entry[i].item] = 0;
	if (i == h->count)
		return;
	put(h, i, &last);
	sift_up(h, i);
	sift_down(h, h->position[last.item] - 1U);
}

void
heap_set(struct heap *h, unsigned item, uint64_t at)
{
	unsigned i = h->position[item];

	assert(item < HEAP_ITEMS_MAX);
	if (at == HEAP_NEVER) {
		if (i > 0)
			take_out(h, i - 1);
		return;
	}
	if (i > 0 && h->entry[i - 1].at == at)
		return;
	if (i == 0)
		i = ++h->count;
	put(h, i - 1, &(struct heap_entry){ at, rng_next(&h->rng), item });
	sift_up(h, i - 1);
	sift_down(h, h->position[item] - 1U);
}

uint64_t
heap_first_us(const struct heap *h)
{
	return h->count > 0 ? h->entry[0].at : HEAP_NEVER;
}

unsigned
heap_first(const struct heap *h)
{
	assert(h->count > 0);
	return h->entry[0].item;
}
