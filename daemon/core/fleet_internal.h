/* SPDX-License-Identifier: MIT */
/* The parts of a fleet.  For the fleet's own files alone. */
#ifndef CORE_FLEET_INTERNAL_H
#define CORE_FLEET_INTERNAL_H

#include "core/eta.h"
#include "core/fleet.h"
#include "core/slots.h"

struct fleet {
	struct fleet_options options;
	struct device profiles[SLOT_PROFILES_MAX];
	size_t profile_count;
	struct slots slots; /* its policy and scheduler are the fleet's */
	struct eta eta;
	uint64_t last_dev;
	struct brake brake;
	struct brake_run fallen;	 /* fault NONE: the brake has not fallen */
	struct batch *batch;		 /* that runs, or NULL */
	char canaries[BATCH_REASON_MAX]; /* the sentence on those that are waited for; "" none */
};

/* fleet_brake.c: the verdict of this job may be told: does it stop the station? */
/* Jobs of this image that only wait for a permit go back to their beginning; NULL: all updates. */
void fleet_call_back(struct fleet *f, const uint8_t *sha256, uint64_t now_us);

/* fleet_batch.c: an ending as brake and batch count it; borrows from both. */
struct update_ending fleet_ending(const struct slot *s, const struct job_record *r);
/* The batch is told of its drones. */
void fleet_batch_granted(struct fleet *f, unsigned slot); /* PERMIT_START */
void fleet_batch_began(struct fleet *f, unsigned slot);	  /* its row is asked for */
/* It may be told. */
void fleet_batch_ended(struct fleet *f, unsigned slot, const struct update_ending *e,
		       uint64_t now_us);
void fleet_batch_left(struct fleet *f, unsigned slot); /* its job is over */
void fleet_batch_judged(struct fleet *f, unsigned slot);
void fleet_batch_resumed(struct fleet *f);
/* Why a job that waits for its permit to start does: a sentence; NULL: not for the batch. */
const char *fleet_batch_wait(const struct fleet *f, const struct slot *s);

#endif
