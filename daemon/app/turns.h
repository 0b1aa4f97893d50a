/* SPDX-License-Identifier: MIT */
/*
 * How long the event loop was away from its descriptors and timers, and because of whom.  A turn is
 * what is done between two looks at them; the longest gap between two looks is the longest turn.
 * Work outside of turns_begin() and turns_end() is not seen; it costs microseconds.
 */
#ifndef APP_TURNS_H
#define APP_TURNS_H

#include <stdint.h>
#include <sys/time.h>

struct event_base;

/* For whom something is done. */
enum loop_work { LOOP_IDLE, LOOP_CLIENT, LOOP_STORE, LOOP_DEVICE, LOOP_WORK_COUNT };

struct turns {
	struct event_base *base;
	struct timeval id; /* the loop's own time of this turn: it stands still within one */
	enum loop_work work;
	uint64_t since_us; /* of this work */
	uint64_t spent_us[LOOP_WORK_COUNT];
	uint64_t longest_us;
	enum loop_work cause; /* that took most of the longest turn */
};

const char *loop_work_name(enum loop_work work); /* "none", "client", "store", "device" */

/* Returns what was under way, for turns_end(): work may be within work, and is counted apart. */
enum loop_work turns_begin(struct turns *t, enum loop_work work);
void turns_end(struct turns *t, enum loop_work before);

#endif
