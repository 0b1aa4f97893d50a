/* SPDX-License-Identifier: MIT */
/* app/alarm: one call for a moment, and never before it. */
#include "config.h"

#include "app/alarm.h"

#include <stdlib.h>

#include "test.h"
#include <event2/event.h>

#include "cfdfu/system.h"

struct world {
	struct event_base *base;
	struct alarm *alarm;
	uint64_t due_us; /* it may not ring before */
	unsigned rung;
	unsigned again; /* so often it sets itself when it rings */
};

static uint64_t
now_us(void)
{
	return (uint64_t)clock_us(CLOCK_MONOTONIC);
}

static void
set(struct world *w, uint64_t at_us)
{
	assert_int_equal(alarm_set(w->alarm, at_us), 0);
}

static void
on_ring(void *ctx)
{
	struct world *w = ctx;

	w->rung++;
	assert_true(now_us() >= w->due_us);
	if (w->again == 0)
		return;
	w->again--;
	w->due_us = now_us() + 3100 + 700 * (w->again % 5);
	set(w, w->due_us);
}

static struct world *
make_world(void)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->base = event_base_new();
	assert_non_null(w->base);
	assert_int_equal(alarm_new(w->base, on_ring, w, &w->alarm), 0);
	return w;
}

static void
free_world(struct world *w)
{
	alarm_free(w->alarm);
	event_base_free(w->base);
	free(w);
}

/* Until the loop has called something, once. */
static void
turn(struct world *w)
{
	assert_int_equal(event_base_loop(w->base, EVLOOP_ONCE), 0);
}

TEST(every_turn_of_the_loop_rings_and_no_ring_is_early)
{
	struct world *w = make_world();

	w->again = 40;
	w->due_us = now_us() + 5300;
	set(w, w->due_us);
	for (unsigned i = 1; i <= 41; i++) {
		turn(w);
		assert_int_equal(w->rung, i);
	}
	assert_int_equal(event_base_loop(w->base, EVLOOP_NONBLOCK), 0);
	assert_int_equal(w->rung, 41);
	free_world(w);
}

TEST(of_two_moments_the_earlier_one_holds)
{
	const uint64_t day_us = UINT64_C(86400000000);
	struct world *w = make_world();
	uint64_t soon_us = now_us() + 10000;

	set(w, now_us() + day_us);
	set(w, soon_us);
	set(w, now_us() + day_us);
	w->due_us = soon_us;
	turn(w);
	assert_int_equal(w->rung, 1);
	assert_int_equal(event_base_loop(w->base, EVLOOP_NONBLOCK), 0);
	assert_int_equal(w->rung, 1); /* what was later is forgotten */
	free_world(w);
}

TEST(a_moment_that_is_over_is_now_but_not_within_the_call)
{
	static const uint64_t over[] = { 0, 1, 999999 };
	struct world *w = make_world();

	for (unsigned i = 0; i < ARRAY_LEN(over); i++) {
		set(w, over[i]);
		assert_int_equal(w->rung, i);
		turn(w);
		assert_int_equal(w->rung, i + 1);
	}
	free_world(w);
}

TEST_MAIN(NULL)
