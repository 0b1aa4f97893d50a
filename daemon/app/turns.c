/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/turns.h"

#include <string.h>

#include <event2/event.h>

#include "app/clock.h"

const char *
loop_work_name(enum loop_work work)
{
	switch (work) {
	case LOOP_CLIENT:
		return "client";
	case LOOP_STORE:
		return "store";
	case LOOP_DEVICE:
		return "device";
	case LOOP_IDLE:
	case LOOP_WORK_COUNT:
		break;
	}
	return "none";
}

/*
 * WHY: libevent 2.1 tells nothing of its turns, but the time that it keeps is that of its last
 * look. It is exact to a tick of the kernel's: short turns within one tick are taken for one.
 */
static void
look_for_new_turn(struct turns *t)
{
	struct timeval id = { 0 };

	if (event_base_gettimeofday_cached(t->base, &id) == 0 && id.tv_sec == t->id.tv_sec &&
	    id.tv_usec == t->id.tv_usec)
		return;
	t->id = id;
	memset(t->spent_us, 0, sizeof(t->spent_us));
}

static void
look_for_longest(struct turns *t)
{
	uint64_t sum_us = 0;

	for (int w = LOOP_CLIENT; w < LOOP_WORK_COUNT; w++)
		sum_us += t->spent_us[w];
	if (sum_us <= t->longest_us)
		return;
	t->longest_us = sum_us;
	t->cause = LOOP_CLIENT;
	for (enum loop_work w = LOOP_CLIENT; w < LOOP_WORK_COUNT; w++)
		if (t->spent_us[w] > t->spent_us[t->cause])
			t->cause = w;
}

enum loop_work
turns_begin(struct turns *t, enum loop_work work)
{
	enum loop_work before = t->work;
	uint64_t now_us = clock_now_us();

	if (before == LOOP_IDLE)
		look_for_new_turn(t);
	else
		t->spent_us[before] += now_us - t->since_us;
	t->work = work;
	t->since_us = now_us;
	return before;
}

void
turns_end(struct turns *t, enum loop_work before)
{
	uint64_t now_us = clock_now_us();

	t->spent_us[t->work] += now_us - t->since_us;
	t->work = before;
	t->since_us = now_us;
	if (before == LOOP_IDLE)
		look_for_longest(t);
}
