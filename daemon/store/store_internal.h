/* SPDX-License-Identifier: MIT */
/* The parts of a store, for the files that record into it and read from it. */
#ifndef STORE_STORE_INTERNAL_H
#define STORE_STORE_INTERNAL_H

#include "store/queue.h"
#include "store/running.h"
#include "store/space.h"
#include "store/walk.h"

struct store {
	struct files files;
	struct queue queue;
	struct running running;
	struct space space;
	struct walk walk;
	uint64_t wal_alarm_bytes;
	bool wal_big;
	bool was_up;
	int64_t locked_since_ms; /* mono; -1 not */
	int64_t now_ms;		 /* mono, of the last call that brought one */
};

/* Checks the room and queues a record.  -E2BIG, -ENOMEM. */
int store_queue(struct store *s, enum record_kind kind, int64_t ref, struct body *b) MUST_CHECK;

/* 0, or -EIO and the like when the database cannot be read. */
int store_usable(const struct store *s);

/* Names are asked for as they were given, so they must be stored as they were given. */
bool store_name_is_clean(const char *name);

/* The moment of a record; most bodies begin with it. */
void body_moment(struct body *b, const struct store_time *now);
void body_begin_at(struct body *b, const struct store_time *now);

#endif
