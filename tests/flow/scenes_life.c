/* SPDX-License-Identifier: MIT */
/* Rows D, F and S: the disk, the image, and a daemon that dies at any moment. */
#include "config.h"

#include "flow/scenes.h"

#include "flow/memory_vfs.h"

#include <errno.h>
#include <malloc.h>
#include <sqlite3.h>

#define PORT "1-4"

/*
 * The daemon dies after the n-th request of an update; the drone is left to its own devices.
 * False: there are not so many until the ending is told.
 */
static bool
kill_after(struct scene *x, uint64_t n)
{
	unsigned interrupted = 0;
	bool under_way = true;

	while (under_way && drone_counters(drone_at(x, PORT))->requests < n) {
		const struct station_row *row = station_last(x->s, PORT);

		under_way = row == NULL || row->verdict.kind == VERDICT_NONE;
		wait_us(x, 20);
	}
	station_restart(x->s);
	settle(x);
	for (size_t i = 0; i < station_rows(x->s); i++) {
		assert_int_equal(station_row(x->s, i)->endings, 1);
		interrupted += station_row(x->s, i)->verdict.kind == VERDICT_INTERRUPTED;
	}
	assert_true(interrupted <= 1);
	/* The drone is finished without an operator. */
	expect_good(x, PORT);
	return under_way;
}

SCENE(killed_at_every_request_every_attempt_ends_once_and_the_drone_is_finished)
{
	struct scene *x = *state;
	uint64_t n = 0;
	bool hit;

	do {
		add(x, PORT);
		plug(x, PORT);
		while (world_arrival(station_world(x->s), PORT) == 0)
			wait_us(x, 100);
		wait_us(x, 1);
		hit = kill_after(x, ++n);
		assert_null(station_broken(x->s));
		end(x);
	} while (hit);
	assert_true(n > 60);
}

SCENE(a_power_cut_at_every_step_is_survived)
{
	struct scene *x = *state;

	for (enum step step = STEP_PROBING; step <= STEP_LEAVING; step++) {
		add(x, PORT);
		plug(x, PORT);
		wait_for_step(x, PORT, step == STEP_LEAVING ? STEP_FIRST_PAGE : step);
		unplug(x, PORT); /* station and drone lose power together */
		station_restart(x->s);
		wait_us(x, SECOND);
		if (drone_would_boot(drone_at(x, PORT), world_now_us(station_world(x->s))))
			plug(x, PORT);
		else
			assert_int_equal(world_button_entry(station_world(x->s), PORT), 0);
		settle(x);
		assert_true(station_holds(x->s, PORT, x->now));
		assert_null(station_broken(x->s));
		end(x);
	}
}

SCENE(a_stopping_service_interrupts_attempts_that_do_not_end_in_time)
{
	struct scene *x = *state;

	add(x, PORT);
	plug(x, PORT);
	wait_for_step(x, PORT, STEP_WRITING);
	station_stop(x->s, 5 * SECOND);
	assert_int_equal(station_row(x->s, 0)->verdict.kind, VERDICT_INTERRUPTED);
	settle(x);
	expect_good(x, PORT);
}

SCENE(a_disk_that_takes_5_seconds_delays_the_pass_and_nothing_else)
{
	struct scene *x = *state;

	x->options.commit_us = 5000000;
	add(x, PORT);
	plug(x, PORT);
	settle(x);
	expect_good(x, PORT);
	/* INVARIANT: the light waits for the disk; station_check.c watches. */
	assert_true(world_now_us(station_world(x->s)) - last(x, PORT)->ended_us >= 5 * SECOND);
	assert_int_equal(drone_counters(drone_at(x, PORT))->lights_good, 1);
}

SCENE(without_a_writable_disk_nothing_is_erased)
{
	struct scene *x = *state;

	add(x, PORT);
	station_disk(x->s, ENOSPC);
	plug(x, PORT);
	wait_us(x, 60 * SECOND);
	assert_int_equal(drone_counters(drone_at(x, PORT))->erases, 0);
	assert_int_equal(view(x, PORT).verdict.kind, VERDICT_NONE);
	station_disk(x->s, 0);
	settle(x);
	expect_good(x, PORT);
}

SCENE(a_verdict_that_the_disk_refuses_is_not_shown_until_it_is_there)
{
	struct scene *x = *state;

	add(x, PORT);
	plug(x, PORT);
	wait_for_step(x, PORT, STEP_VERIFYING);
	station_disk(x->s, EIO);
	wait_us(x, 60 * SECOND);
	assert_int_equal(view(x, PORT).verdict.kind, VERDICT_NONE);
	station_disk(x->s, 0);
	settle(x);
	expect_good(x, PORT);
	assert_int_equal(station_rows(x->s), 1);
}

/* So many records that the database is not made again at once. */
static void
make_history(struct scene *x)
{
	add(x, "1-7");
	plug(x, "1-7");
	settle(x);
	for (unsigned i = 0; i < 60; i++) {
		assert_int_equal(station_retry(x->s, "1-7", false), 0);
		settle(x);
	}
}

SCENE(damage_found_at_any_step_delays_the_ending_and_nothing_else)
{
	struct scene *x = *state;

	for (enum step step = STEP_PROBING; step <= STEP_LEAVING; step++) {
		bool killed = step % 2 != 0; /* while the database is made again */
		const struct station_row *row;

		make_history(x);
		add(x, PORT);
		plug(x, PORT);
		wait_for_step(x, PORT, step == STEP_LEAVING ? STEP_FIRST_PAGE : step);
		station_damage(x->s);
		wait_us(x, 3 * SECOND);
		assert_true(station_is_importing(x->s));
		assert_int_equal(view(x, PORT).verdict.kind, VERDICT_NONE);
		if (killed)
			station_restart(x->s);
		settle(x);
		expect_good(x, PORT);
		assert_false(station_is_importing(x->s));
		for (size_t i = 0; i < station_rows(x->s); i++)
			assert_int_equal(station_row(x->s, i)->endings, 1);
		row = station_last(x->s, PORT);
		assert_true(killed || row->verdict.kind == VERDICT_PASS);
		assert_null(station_broken(x->s));
		end(x);
	}
}

SCENE(another_selection_during_a_job_changes_the_next_one_and_not_this)
{
	struct scene *x = *state;
	struct image *first;

	add(x, PORT);
	first = x->now;
	plug(x, PORT);
	wait_for_step(x, PORT, STEP_WRITING);
	x->now = station_select(x->s, "cf2", "2026.09", 20000, 9);
	settle(x);
	assert_memory_equal(station_row(x->s, 0)->sha256, image_label(first)->sha256, 32);
	assert_int_equal(station_row(x->s, 0)->verdict.kind, VERDICT_PASS);
	assert_int_equal(station_rows(x->s), 2);
	expect_good(x, PORT);
}

SCENE(without_an_image_nothing_is_touched)
{
	struct scene *x = *state;

	add(x, PORT);
	policy_select(fleet_policy(station_fleet(x->s)), PLATFORM_CF2, NULL);
	plug(x, PORT);
	settle(x);
	assert_int_equal(view(x, PORT).state, SLOT_IDLE);
	assert_int_equal(station_rows(x->s), 0);
	assert_int_equal(drone_counters(drone_at(x, PORT))->writing, 0);
}

/* WHY without SQLite's: its cache grows with the database, up to its limit.  Nor the disk's. */
static size_t
memory_in_use(void)
{
	return mallinfo2().uordblks - (size_t)sqlite3_memory_used() - memory_vfs_room();
}

SCENE(a_thousand_attempts_leave_no_memory_behind)
{
	struct scene *x = *state;
	size_t before = 0;

	add(x, PORT);
	plug(x, PORT);
	settle(x);
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(station_retry(x->s, PORT, false), 0);
		settle(x);
		assert_int_equal(view(x, PORT).verdict.kind, VERDICT_UNCHANGED);
		if (i == 600)
			before = memory_in_use(); /* the test's own rows have their room */
	}
	assert_true(memory_in_use() <= before + 4096);
}
