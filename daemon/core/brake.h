/* SPDX-License-Identifier: MIT */
/*
 * Counts drones in a row that one image has harmed (doc/promises.md 1, promise 13).
 *
 * Counted: an update that ends in one of the ways an image can bring about - the drone does not
 * start, says another version, says nothing any more, or does not hold what was written.  Each of
 * these kinds is counted for itself, for each image, over DIFFERENT drones: one drone that fails
 * three times is its own trouble, which the quarantine of ports and drones is for.
 * The count restarts with a drone that passes with the image, or already holds it.
 * Not looked at: all other endings (unplugged, held by another program, interrupted, skipped):
 * they say nothing about the image.
 */
#ifndef CORE_BRAKE_H
#define CORE_BRAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "cfdfu/recorded.h"
#include "cfdfu/watch.h"
#include "core/image.h"
#include "core/policy.h"

#define BRAKE_DRONES_MAX 32 /* LIMIT: the largest number that can be configured */
#define BRAKE_RUNS_MAX 16   /* LIMIT: images and kinds counted at one time */

/* Endings of one kind with one image, in a row.  A plain value. */
struct brake_run {
	uint8_t sha256[IMAGE_SHA256_BYTES];
	char firmware[IMAGE_TEXT_MAX];
	enum fault fault; /* NONE: free */
	uint64_t order;	  /* of its last ending */
	unsigned count;
	struct brake_drone {
		char serial[SERIAL_TEXT_MAX], dfu_serial[SERIAL_TEXT_MAX]; /* "" not known */
		char port[PORT_TEXT_MAX];
	} drones[BRAKE_DRONES_MAX]; /* the first count of them */
};

struct brake {
	struct brake_run runs[BRAKE_RUNS_MAX];
	uint64_t order;
};

/*
 * Endings in their order.  Returns the run that this one has brought to limit different drones, or
 * NULL; the run is good until the next call.  limit 0: never.
 */
const struct brake_run *brake_ended(struct brake *b, unsigned limit, const struct update_ending *e);

struct brake_drone brake_drone(const struct update_ending *e);
/* By what both are known by; a drone that says nothing of itself is known by its port. */
bool brake_is_same_drone(const struct brake_drone *a, const struct brake_drone *b);

/* Restarts the count, for all images. */
void brake_forget(struct brake *b);

/* "did not start": what stands behind the drones; NULL: such an ending does not count. */
const char *brake_deed(enum fault fault);

/* "3 drones in a row did not start with it", of POLICY_REASON_MAX bytes. */
void brake_reason(const struct brake_run *run, char out[POLICY_REASON_MAX]);

#endif
