/* SPDX-License-Identifier: MIT */
/*
 * One job and one simulated drone, without a fleet: the shell's part is played here, and an
 * intervention can be made at any step of it.
 */
#ifndef TESTS_JOB_ALONE_H
#define TESTS_JOB_ALONE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/job.h"
#include "sim/world.h"

#define ALONE_PORT "1-4"

struct alone;

struct alone {
	/* set before alone_begin() */
	struct drone_config drone;
	struct job_options options;
	struct job_setup setup;
	struct drone_history history;
	struct device profiles[2];
	bool in_dfu;	 /* found in DFU mode rather than running */
	bool recognised; /* the digest of its loader is known */
	int begin_error, end_error, backup_error;
	int open_error;	    /* opens fail with it */
	unsigned meddle_at; /* before this step; 0: before each */
	void (*meddle)(struct alone *a);
	uint64_t queue_us; /* how long it stands in a queue for each permit */
	/* the play */
	struct world *world;
	struct policy *policy;
	struct image *image, *before, *loader;
	struct crtp_tocs toc;
	const struct device *list[3];
	struct job *job;
	struct sighting sighting;
	uint64_t dev;
	unsigned steps, begins, ends, opens, backups;
	unsigned kept_bytes; /* of the last copy */
	bool sighted, disowned, meddled;
	bool in_flight, came_back; /* came_back: it has waited for its drone to run again */
	uint64_t wake_us;
};

/* A Crazyflie 2.1 that runs something else than what is selected. */
void alone_init(struct alone *a);
void alone_free(struct alone *a);

/* Arms a fault, as a text. */
void alone_arm(struct alone *a, const char *fate);

/* Plugs it in and makes the job. */
void alone_begin(struct alone *a);

/* Plays until the job is over; false when it does not end. */
bool alone_play(struct alone *a);

/* Both, and how it ended; kind NONE: without an attempt. */
struct verdict alone_ending(struct alone *a);

/* Its text for the operator: its message, or why it is over without an attempt. */
const char *alone_words(const struct alone *a);

/* Fails with both and the message when it has ended, or ends, in another way. */
void alone_expect_ended(const struct alone *a, enum verdict_kind kind, enum fault fault);
void alone_expect_ending(struct alone *a, enum verdict_kind kind, enum fault fault);

#endif
