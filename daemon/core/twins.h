/* SPDX-License-Identifier: MIT */
/* Drones that are here at the same time with one radio address and channel. */
#ifndef CORE_TWINS_H
#define CORE_TWINS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/condition.h"
#include "core/slots.h"

#define TWINS_NAMED 3 /* LIMIT: two, and the one that is spoken to */

struct twins {
	unsigned slot[TWINS_NAMED]; /* the first of them */
	unsigned count;		    /* of all */
};

/* The slots that are present with the address of this block.  O(slots). */
void twins_find(const struct slots *ss, const struct radio_block *of, struct twins *ret_twins);

/* Those but this slot, in words: "1-4, 1-5 and others"; "" none. */
void twins_words(const struct slots *ss, const struct twins *t, unsigned slot, char *ret_words,
		 size_t size);

bool twins_match(const struct slot *s, const struct radio_block *of);

#endif
