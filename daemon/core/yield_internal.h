/* SPDX-License-Identifier: MIT */
/* The parts of a yield, for yield.c and yield_culprit.c. */
#ifndef CORE_YIELD_INTERNAL_H
#define CORE_YIELD_INTERNAL_H

#include "core/yield.h"

#define NO_GROUP UINT32_MAX
#define YIELD_NAMES 128

/* The first two as enum yield_by. */
enum axis { AXIS_SLOT, AXIS_DRONE, AXIS_OTHER, AXIS_COUNT };

struct cell {
	uint64_t key;
	uint32_t value;
	uint32_t next; /* cell of the same head; 0: none */
};

struct failure {
	uint32_t at[AXIS_OTHER]; /* its slot and its drone; NO_GROUP: it is explained */
};

/* WHY room for all facts from the beginning: what grows takes long now and then.  Memory that is
 * not used is not there. */
struct yield {
	enum yield_by by;
	struct yield_sums sums;
	struct yield_group *groups[AXIS_COUNT];
	uint32_t counts[AXIS_COUNT], lots;
	struct cell *cells; /* the first is not used */
	uint32_t *heads, head_mask, cell_count;
	uint8_t steps[YIELD_NAMES]; /* by a sum over their name */
	struct failure failures[YIELD_FAILURES_MAX];
	size_t failure_count; /* the last ones of these are kept */
	/* concluding */
	uint32_t ranked, paced; /* groups, slots */
	unsigned mark;
	bool named; /* all that is bad */
};

/* In ms, at most 3.2 % too high. */
unsigned yield_percentile(const uint32_t *histogram, unsigned percent, unsigned *ret_count);
void yield_hub(const char *port, char ret_hub[PORT_TEXT_MAX]); /* "1-4" of "1-4.2", "1" of "1-4" */
/* Some groups more, of which the worst stay; false: there are no others. */
bool yield_rank_some(struct yield *y);

#endif
