/* SPDX-License-Identifier: MIT */
/*
 * The blocks on their way through one transaction translator, and how many at once it carries best,
 * learned from how long they take (doc/rack.md 3).
 *
 * With n blocks at once that take t each, n / t get through.  A translator that works through them
 * one after the other carries no less the more there are, and is not limited.  One that carries
 * measurably less beyond a number gets that many and no more, and is tried with one more from time
 * to time.  So what is learned wrongly costs little: a limit is where most got through.
 */
#ifndef CORE_TRANSLATOR_H
#define CORE_TRANSLATOR_H

#include <stdbool.h>
#include <stdint.h>

#define TRANSLATOR_DEEP 32 /* LIMIT: more blocks at once are carried, and taught nothing by */

/* Zeroes to begin with. */
struct translator {
	unsigned at_once; /* blocks on their way: its owner counts them */
	unsigned most;	  /* that may be; 0 no limit */
	/* private */
	unsigned learned; /* since the limit was last reckoned */
	unsigned calm;	  /* reckonings in which it stayed as it was */
	struct {
		uint32_t sum_us, count;
	} took[TRANSLATOR_DEEP + 1]; /* by the number of blocks at once, its own included */
};

bool translator_has_room(const struct translator *t);

/* A block has taken so long; at_once: on their way when it began, with it. */
void translator_learn(struct translator *t, unsigned at_once, uint64_t took_us);

#endif
