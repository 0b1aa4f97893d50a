/* SPDX-License-Identifier: MIT */
/* Batches in the records: named spans of attempts, one at a time, and what came of their drones. */
#ifndef STORE_BATCH_H
#define STORE_BATCH_H

#include "cfdfu/recorded.h"
#include "store/store.h"

struct store_batch {
	int64_t id;
	const char *name; /* required; used once */
	const char *started_by;
	unsigned expect, canary, stop_after; /* 0: not asked for */
	/* The rest is out only. */
	int64_t started_ms, ended_ms; /* wall clock; ended_ms 0 while it runs */
	const char *stopped;	      /* why it starts no more; NULL: it does, or it did not stop */
	const char *record_hash;      /* of the last record at its end (now, while it runs), hex */
	/* Different drones with an ending of kind "flash" in it: all, by the last one, and by the
	 * first one. */
	struct batch_counts counts;
};

/* Commits what is queued (and fails as store_commit() does), then queues its beginning.  -EEXIST:
 * the name was used; -EBUSY: one runs; -EINVAL: the name is no clean text of at most
 * STORE_NAME_MAX - 1 bytes. */
int store_batch_begin(struct store *s, const struct store_batch *b, const struct store_time *now,
		      int64_t *ret_id) MUST_CHECK;
/* Queues that it starts no more (why), or goes on and counts its failures anew (why NULL). */
int store_batch_stop(struct store *s, int64_t id, const char *why,
		     const struct store_time *now) MUST_CHECK;
int store_batch_end(struct store *s, int64_t id, const struct store_time *now) MUST_CHECK;

/* The one of this name, or (name NULL) all, the newest first, while each says so; one that runs is
 * the newest.  1: it did not want all of them; 0; or negative errno. */
int store_batch_each(struct store *s, const char *name,
		     bool (*each)(void *ctx, const struct store_batch *b), void *ctx) MUST_CHECK;

/* Of kind "flash", in their order, without labels; verdict NONE where there is none yet. */
int store_batch_drones(struct store *s, int64_t id,
		       void (*each)(void *ctx, const struct update_ending *e),
		       void *ctx) MUST_CHECK;
/* The ports on which something was flashed in it. */
int store_batch_ports(struct store *s, int64_t id, void (*each)(void *ctx, const char *port),
		      void *ctx) MUST_CHECK;

struct store_absent {
	const char *serial, *dfu_serial;
	int64_t last_ms;
	const char *port, *label; /* of its last attempt */
};

/* Drones of the records that it has not seen: those that were seen last, newest first. */
int store_batch_absent(struct store *s, int64_t id, unsigned limit,
		       void (*each)(void *ctx, const struct store_absent *a), void *ctx) MUST_CHECK;

#endif
