/* SPDX-License-Identifier: MIT */
/*
 * Attempts and drones on their way into the records, and what the records know on its way to the
 * fleet.  The fleet waits for each beginning and ending: it is answered when that is durable
 * (fleet_recorded()).
 */
#ifndef APP_RECORDER_H
#define APP_RECORDER_H

#include <stdbool.h>

#include "core/fleet.h"

struct recorder;
struct services;

struct recorder_options {
	/* The label of a port, or NULL. */
	const char *(*label)(void *ctx, const char *port);
	/* struct drone_history: which of the profiles that were added the device may be. */
	unsigned (*described_as)(void *ctx, const struct sighting *s);
	/* The records can be read: what else they say of the station is wanted now.  -errno: not
	 * yet, it is called again. */
	int (*load)(void *ctx);
	/* store_health() may have changed. */
	void (*health)(void *ctx);
	void *ctx;
};

int recorder_new(const struct services *sv, const struct recorder_options *options,
		 struct recorder **ret_recorder) MUST_CHECK;
void recorder_free(struct recorder *rc); /* NULL is fine */

/* Once, before anything is recorded: ends the attempts that the last run left open, and loads. */
void recorder_start(struct recorder *rc);
bool recorder_loaded(const struct recorder *rc);

/* The history of the drone that was sighted. */
void recorder_history(struct recorder *rc, const struct sighting *s,
		      struct drone_history *ret_history);

/* REQUEST_BEGIN and REQUEST_END. */
void recorder_begin(struct recorder *rc, unsigned slot, const struct job_record *r);
void recorder_end(struct recorder *rc, unsigned slot, const struct job_record *r);

/* Is something queued that recorder_commit() would try to make durable? */
bool recorder_wants_commit(const struct recorder *rc);
/* Makes durable what is queued, and answers the fleet.  True: answered, it may want more. */
bool recorder_commit(struct recorder *rc);

/* A listener (app/dispatch.h), with the recorder as its context: what was learned of a drone that
 * needs no attempt. */
void recorder_tell(void *ctx, const struct fleet_event *event);

/*
 * Both may answer the fleet: dispatch_run() comes after them.
 * Each second: tries again what the disk did not take.  also_whole: looks in any case, for each
 * minute.
 */
void recorder_check(struct recorder *rc, bool also_whole);
/* Before an answer rests on it: trouble of the records may be over.  ordered: by a user who may
 * change things; for the others, as often as it is cheap. */
void recorder_look(struct recorder *rc, bool ordered);

/* Of an attempt: "flash", "deck", ...; NULL: such jobs are none. */
const char *recorder_kind_name(enum job_kind kind);

#endif
