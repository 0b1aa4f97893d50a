/* SPDX-License-Identifier: MIT */
/*
 * Yield: sums over many attempts, and the culprits of the failures.  Facts go in one by one, the
 * oldest first; then groups, percentiles and culprits are concluded.
 *
 * First pass: of a drone's attempts with one image (within a batch, when grouped by batches) the
 * first with another ending than skipped; good is PASS or UNCHANGED.  Intervals are Wilson's, 95 %.
 * Percentiles come from histograms with 32 steps an octave: at most 3.2 % too high.
 *
 * Culprits.  Counted is the first ending of each drone in each slot: a failure when it counts
 * against drone and port (verdict_counts_against()), nothing when it was skipped, interrupted or
 * the host's.  A slot is bad when at least two different drones failed in it, a drone when it
 * failed in at least two slots, and both beyond chance: after the failure that drew the eye, k more
 * of n others failed.  The chance of that at the rate of failures outside of all suspects, times
 * the number of slots (drones) that are looked at so, is under YIELD_CHANCE.  The least likely is
 * named first, and what it explains is not held against others.  Where none is to blame and up to
 * a tenth of all fails, one is named in fewer than one roster of forty.  A hub is bad when two of
 * its slots are, and half of those that were used.
 *
 * A slot is slow when the median of its writing is more than a quarter above that of its hub's
 * other slots, with YIELD_PACE_MIN writings on both sides.
 */
#ifndef CORE_YIELD_H
#define CORE_YIELD_H

#include <stdbool.h>

#include "cfdfu/recorded.h"
#include "cfdfu/util.h"
#include "cfdfu/watch.h"

#define YIELD_GROUPS_MAX 500	/* LIMIT: that are given back */
#define YIELD_DETAILED_MAX 512	/* LIMIT: groups with faults and percentiles; 37 kB each */
#define YIELD_FAILURES_MAX 8192 /* LIMIT: that can be explained; the last ones */
#define YIELD_CULPRITS_MAX 16
#define YIELD_CHANCE 0.05
#define YIELD_PACE_MIN 5
#define YIELD_PACE_BYTES 262144 /* what a pace is the time for */
#define YIELD_BUCKETS 608	/* of a histogram: up to 2^22 ms, 70 minutes */
#define YIELD_TEXT_MAX 256

enum yield_by { YIELD_SLOT, YIELD_DRONE, YIELD_HUB, YIELD_FAULT, YIELD_FIRMWARE, YIELD_BATCH };

struct yield_detail {
	uint32_t faults[FAULT_COUNT];
	uint32_t times[STEP_COUNT][YIELD_BUCKETS]; /* [STEP_NONE]: the pace of writing */
};

struct yield_group {
	int64_t id;		  /* row number of the drone, image or batch; or enum fault */
	char port[PORT_TEXT_MAX]; /* of a slot or hub */
	unsigned drones;	  /* different ones */
	unsigned attempts, ended[VERDICT_COUNT];
	unsigned first, first_good;
	double low, high;	/* of first_good / first; 0 and 1 where first is 0 */
	unsigned tried, failed; /* first endings of a drone in a slot, less what is explained */
	unsigned explained;	/* failures */
	unsigned mark;		/* of the walk that met it last */
	struct yield_detail *detail; /* NULL: not kept */
};

enum yield_kind { YIELD_BAD_SLOT, YIELD_BAD_DRONE, YIELD_BAD_HUB, YIELD_SLOW_SLOT };

struct yield_culprit {
	enum yield_kind kind;
	int64_t drone;
	char port[PORT_TEXT_MAX]; /* of the slot or hub */
	/* Failures; of a hub its slots; of a slow slot the median in ms, and writings. */
	unsigned bad, of;
	unsigned others_bad, others_of; /* elsewhere; in the hub's other slots */
};

struct yield_sums {
	struct yield_group total;
	/* Those with the lowest upper end of the interval first; the second half is for ranking. */
	const struct yield_group *groups[2 * YIELD_GROUPS_MAX];
	unsigned group_count;
	bool more; /* groups */
	struct yield_culprit culprits[YIELD_CULPRITS_MAX];
	unsigned culprit_count;
};

struct yield_times {
	unsigned count, p50_ms, p95_ms, p99_ms;
};

struct yield;

/* For so many facts at most.  0 or -ENOMEM. */
int yield_new(enum yield_by by, size_t facts, struct yield **ret_yield) MUST_CHECK;
void yield_free(struct yield *y);			     /* NULL is fine */
void yield_add(struct yield *y, const struct yield_fact *f); /* it has ended */
/* After the last fact: a step of less than a millisecond; false: there is no other. */
bool yield_conclude(struct yield *y);
const struct yield_sums *yield_sums(const struct yield *y); /* concluded; borrowed */

struct yield_times yield_times(const struct yield_group *g, enum step step);
void yield_wilson(unsigned good, unsigned of, double *ret_low, double *ret_high);
/* One sentence about a culprit that is called so. */
void yield_text(const struct yield_culprit *c, const char *name, char ret_text[YIELD_TEXT_MAX]);

#endif
