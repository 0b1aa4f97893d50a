/* SPDX-License-Identifier: MIT */
/* app/turns: the longest gap between two looks at the devices, and whose work it was. */
#include "config.h"

#include "app/turns.h"

#include "test.h"
#include <event2/event.h>

#include "app/clock.h"

static uint64_t clock_us; /* what the work costs, and nothing else */

uint64_t
clock_now_us(void)
{
	return clock_us;
}

static void
work(struct turns *t, enum loop_work what, uint64_t cost_us)
{
	enum loop_work before = turns_begin(t, what);

	clock_us += cost_us;
	turns_end(t, before);
}

static void
on_client(evutil_socket_t fd, short what, void *ctx)
{
	struct turns *t = ctx;
	enum loop_work before = turns_begin(t, LOOP_CLIENT);

	(void)fd;
	(void)what;
	clock_us += 5000;
	work(t, LOOP_STORE, 20000); /* what it asked for is made durable */
	clock_us += 1000;
	turns_end(t, before);
}

static void
on_device(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	work(ctx, LOOP_DEVICE, 9000);
}

/*
 * In a turn of its own: the loop's time has gone on since the last one.  With 0 ms, both are called
 * in one and the same turn, as libevent activates them at once.
 */
static void
run_after(struct turns *t, int ms, event_callback_fn call, event_callback_fn and)
{
	struct timeval wait = { .tv_usec = ms * 1000 };

	assert_int_equal(event_base_once(t->base, -1, EV_TIMEOUT, call, t, &wait), 0);
	if (and != NULL)
		assert_int_equal(event_base_once(t->base, -1, EV_TIMEOUT, and, t, &wait), 0);
	assert_true(event_base_dispatch(t->base) >= 0);
}

TEST(the_cause_of_a_long_turn_is_its_longest_work)
{
	struct turns t = { .base = event_base_new() };

	run_after(&t, 0, on_client, NULL);
	assert_int_equal(t.longest_us, 26000);
	assert_int_equal(t.cause, LOOP_STORE); /* the client waited for it, but it is the disk */
	assert_string_equal(loop_work_name(t.cause), "store");
	run_after(&t, 30, on_device, NULL); /* shorter */
	assert_int_equal(t.longest_us, 26000);
	assert_int_equal(t.cause, LOOP_STORE);
	event_base_free(t.base);
}

TEST(work_within_one_turn_is_added_up)
{
	struct turns t = { .base = event_base_new() };

	run_after(&t, 0, on_device, on_device);
	assert_int_equal(t.longest_us, 18000);
	assert_int_equal(t.cause, LOOP_DEVICE);
	run_after(&t, 30, on_device, NULL); /* another turn: not added */
	assert_int_equal(t.longest_us, 18000);
	event_base_free(t.base);
}

TEST_MAIN(NULL)
