/* SPDX-License-Identifier: MIT */
/* Rows U, K and O: plugs, ports, hubs, and the people at them. */
#include "config.h"

#include "flow/scenes.h"

#include <stdio.h>

#define PORT "1-4"

SCENE(a_drone_pulled_before_its_node_is_open_leaves_no_attempt)
{
	struct scene *x = *state;

	add(x, PORT);
	plug(x, PORT);
	while (world_arrival(station_world(x->s), PORT) == 0)
		wait_us(x, 10);
	unplug(x, PORT); /* the open is under way */
	settle(x);
	assert_int_equal(station_rows(x->s), 0);
	assert_int_equal(view(x, PORT).state, SLOT_ABSENT);
}

SCENE(a_drone_pulled_while_it_is_asked_leaves_no_attempt)
{
	struct scene *x = *state;

	add(x, PORT);
	plug(x, PORT);
	while (drone_counters(drone_at(x, PORT))->bulk_out == 0)
		wait_us(x, 10);
	unplug(x, PORT);
	settle(x);
	assert_int_equal(station_rows(x->s), 0);
}

static void
pull_at(struct scene *x, enum step step)
{
	uint64_t pulled;

	add(x, PORT);
	plug(x, PORT);
	wait_for_step(x, PORT, step);
	while (step == STEP_ERASING && drone_counters(drone_at(x, PORT))->erases == 0)
		wait_us(x, 10);
	unplug(x, PORT);
	pulled = world_now_us(station_world(x->s));
	settle(x);
	expect_fault(x, PORT, FAULT_GONE);
	assert_int_equal(last(x, PORT)->verdict.step, step);
	assert_true(last(x, PORT)->ended_us < pulled + SECOND);
	assert_false(view(x, PORT).active);
}

SCENE(a_drone_pulled_during_an_erase_is_gone_and_its_firmware_incomplete)
{
	struct scene *x = *state;

	pull_at(x, STEP_ERASING);
	assert_non_null(strstr(last(x, PORT)->record.message, "incomplete"));
	assert_false(drone_would_boot(drone_at(x, PORT), world_now_us(station_world(x->s))));
}

SCENE(a_drone_pulled_during_verification_never_passes)
{
	pull_at(*state, STEP_VERIFYING);
}

SCENE(a_drone_that_leaves_the_bus_when_told_to_is_no_error)
{
	struct scene *x = *state;

	add(x, PORT);
	arm(x, PORT, "power-loss on=leave back=300"); /* pulled and plugged in that instant */
	plug(x, PORT);
	settle(x);
	expect_good(x, PORT);
	assert_int_equal(station_rows(x->s), 1);
}

static void
replug_after(struct scene *x, uint32_t ms)
{
	add(x, PORT);
	plug(x, PORT);
	wait_for_step(x, PORT, STEP_WRITING);
	unplug(x, PORT);
	wait_us(x, ms * MS);
	assert_int_equal(world_button_entry(station_world(x->s), PORT), 0);
	settle(x);
	/* INVARIANT: the old ending is on disk before the new beginning; station.c watches. */
	assert_int_equal(station_rows(x->s), 2);
	assert_int_equal(station_row(x->s, 0)->verdict.fault, FAULT_GONE);
	assert_int_equal(last(x, PORT)->verdict.kind, VERDICT_NEEDS_POWER_CYCLE);
	assert_true(station_holds(x->s, PORT, x->now));
}

SCENE(a_drone_plugged_in_again_after_50_ms_has_an_attempt_of_its_own)
{
	struct scene *x = *state;

	x->options.commit_us = 300000; /* the disk is slower than the hand */
	replug_after(x, 50);
}

SCENE(a_drone_plugged_in_again_after_500_ms_has_an_attempt_of_its_own)
{
	replug_after(*state, 500);
}

SCENE(a_drone_plugged_in_again_after_5000_ms_has_an_attempt_of_its_own)
{
	replug_after(*state, 5000);
}

SCENE(a_drone_that_enumerates_anew_in_mid_flash_is_begun_from_the_erase)
{
	struct scene *x = *state;
	uint64_t erases;

	add(x, PORT);
	plug(x, PORT);
	wait_for_step(x, PORT, STEP_WRITING);
	erases = drone_counters(drone_at(x, PORT))->erases;
	assert_int_equal(world_glitch(station_world(x->s), PORT, 100), 0);
	settle(x);
	assert_int_equal(station_rows(x->s), 2);
	assert_int_equal(station_row(x->s, 0)->verdict.fault, FAULT_GONE);
	expect_good(x, PORT);
	assert_true(drone_counters(drone_at(x, PORT))->erases >= 2 * erases);
}

SCENE(a_hub_reset_ends_every_attempt_and_begins_each_anew)
{
	struct scene *x = *state;
	char port[16];
	unsigned before[8], working = 0;

	for (unsigned i = 1; i <= 7; i++) {
		(void)snprintf(port, sizeof(port), "1-1.%u", i);
		x->config.timing.flash_permille = 1000; /* all are at work at the same time */
		add(x, port);
		plug(x, port);
	}
	wait_for_step(x, "1-1.7", STEP_WRITING);
	for (unsigned i = 1; i <= 7; i++) {
		(void)snprintf(port, sizeof(port), "1-1.%u", i);
		before[i] = attempts(x, port);
		working += view(x, port).active;
		assert_int_equal(world_glitch(station_world(x->s), port, 200), 0);
	}
	assert_int_equal(working, 7);
	settle(x);
	for (unsigned i = 1; i <= 7; i++) {
		(void)snprintf(port, sizeof(port), "1-1.%u", i);
		assert_int_equal(before[i], 1);
		assert_int_equal(attempts(x, port), 2);
		expect_good(x, port);
	}
}

/* As Linux with a udev rule that gives no seat (doc/rack.md 1): each device takes 0.42 s; none is
 * reported before the hub's last one is there. */
SCENE(a_full_hub_that_switches_at_once_is_given_the_time_it_needs)
{
	struct scene *x = *state;
	char port[16];

	x->options.enumeration_us = 420 * MS;
	x->options.fleet.limits.switch_max = 16;
	for (unsigned i = 1; i <= 15; i++) {
		(void)snprintf(port, sizeof(port), "1-%u", i);
		x->config.reboot = (enum drone_reboot)(i % DRONE_REBOOT_COUNT);
		add(x, port);
		plug(x, port);
	}
	settle(x);
	for (unsigned i = 1; i <= 15; i++) {
		(void)snprintf(port, sizeof(port), "1-%u", i);
		expect_good(x, port);
		assert_int_equal(attempts(x, port), 1);
	}
}

SCENE(a_controller_that_dies_takes_each_drone_with_a_record_and_gives_it_back)
{
	struct scene *x = *state;
	static const char *const ports[] = { "1-1", "1-2", "2-1" };

	for (size_t i = 0; i < 3; i++) {
		add(x, ports[i]);
		plug(x, ports[i]);
	}
	wait_for_step(x, "1-2", STEP_WRITING);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(world_glitch(station_world(x->s), ports[i], 60000), 0);
	wait_us(x, 30 * SECOND);
	expect_fault(x, "1-1", FAULT_GONE);
	expect_fault(x, "1-2", FAULT_GONE);
	expect_good(x, "2-1");
	settle(x);
	for (size_t i = 0; i < 3; i++)
		expect_good(x, ports[i]);
}

/* One UID, on 1-1 and 1-2. */
static void
add_twins(struct scene *x)
{
	uint8_t uid[12];

	memcpy(uid, x->config.uid, sizeof(uid));
	add(x, "1-1");
	memcpy(x->config.uid, uid, sizeof(uid));
	add(x, "1-2");
}

SCENE(two_drones_with_one_serial_are_both_flashed_and_marked)
{
	struct scene *x = *state;

	add_twins(x);
	plug(x, "1-1");
	plug(x, "1-2");
	settle(x);
	expect_good(x, "1-1");
	expect_good(x, "1-2");
	assert_true(last(x, "1-1")->record.dup_serial);
	assert_true(last(x, "1-2")->record.dup_serial);
}

SCENE(a_running_drone_is_marked_too_when_its_double_comes)
{
	struct scene *x = *state;

	add_twins(x);
	plug(x, "1-1");
	wait_for_step(x, "1-1", STEP_WRITING);
	plug(x, "1-2");
	settle(x);
	assert_true(last(x, "1-1")->record.dup_serial);
	assert_true(last(x, "1-2")->record.dup_serial);
	expect_good(x, "1-1");
	expect_good(x, "1-2");
}

SCENE(a_drone_without_a_serial_is_known_by_its_port_and_marked)
{
	struct scene *x = *state;

	x->config.serial = DRONE_SERIAL_MISSING;
	add(x, PORT);
	plug(x, PORT);
	settle(x);
	expect_good(x, PORT);
	assert_true(last(x, PORT)->record.no_serial);
}

SCENE(drones_plugged_in_before_the_start_are_flashed_after_recovery)
{
	struct scene *x = *state;

	add(x, "1-1");
	add(x, "1-2");
	plug(x, "1-1");
	wait_for_step(x, "1-1", STEP_WRITING);
	world_host_dies(station_world(x->s));
	plug(x, "1-2"); /* no daemon is running */
	station_restart(x->s);
	assert_int_equal(last(x, "1-1")->verdict.kind, VERDICT_INTERRUPTED);
	settle(x);
	expect_good(x, "1-1");
	expect_good(x, "1-2");
}

/* A contact that is closed for so long, then open for so long. */
static void
flap(struct scene *x, unsigned times, unsigned closed_ms, unsigned open_ms)
{
	add(x, PORT);
	for (unsigned i = 0; i < times; i++) {
		plug(x, PORT);
		while (world_arrival(station_world(x->s), PORT) == 0)
			wait_us(x, 100);
		wait_us(x, closed_ms * MS);
		unplug(x, PORT);
		wait_us(x, open_ms * MS);
	}
	plug(x, PORT);
}

SCENE(a_loose_contact_is_named_after_any_earlier_fault)
{
	struct scene *x = *state;

	flap(x, 40, 20, 5); /* long enough for attempts to begin, and to fail */
	settle(x);
	assert_int_equal(view(x, PORT).state, SLOT_QUARANTINED);
	assert_non_null(strstr(view(x, PORT).message, "again and again"));
	assert_int_equal(drone_counters(drone_at(x, PORT))->erases, 0);
}

SCENE(a_flapping_port_is_quarantined_once_and_released_by_the_operator)
{
	struct scene *x = *state;

	flap(x, 50, 0, 1);
	settle(x);
	assert_int_equal(view(x, PORT).state, SLOT_QUARANTINED);
	assert_non_null(strstr(view(x, PORT).message, "again and again"));
	assert_int_equal(station_rows(x->s), 0);
	assert_int_equal(drone_counters(drone_at(x, PORT))->erases, 0);
	assert_int_equal(station_release(x->s, PORT), 0);
	settle(x);
	expect_good(x, PORT);
}

SCENE(a_drone_that_passed_and_comes_back_with_the_button_is_not_written_again)
{
	struct scene *x = *state;
	uint64_t erases;

	add(x, PORT);
	plug(x, PORT);
	settle(x);
	expect_good(x, PORT);
	erases = drone_counters(drone_at(x, PORT))->erases;
	assert_int_equal(world_button_entry(station_world(x->s), PORT), 0);
	settle(x);
	assert_int_equal(drone_counters(drone_at(x, PORT))->erases, erases);
	assert_true(station_holds(x->s, PORT, x->now));
}

SCENE(a_drone_never_shows_the_verdict_of_another_on_its_port)
{
	struct scene *x = *state;

	add(x, PORT);
	plug(x, PORT);
	settle(x);
	expect_good(x, PORT);
	arm(x, PORT, "swap-now at=1 in=runtime on=any back=20");
	assert_int_equal(station_retry(x->s, PORT, false), 0);
	while (world_displaced(station_world(x->s), PORT) == NULL)
		wait_us(x, MS);
	while (!view(x, PORT).present)
		wait_us(x, MS);
	assert_int_not_equal(view(x, PORT).verdict.kind, VERDICT_PASS);
	settle(x);
	expect_good(x, PORT);
	assert_string_not_equal(station_row(x->s, 0)->serial, last(x, PORT)->serial);
}

SCENE(devices_beyond_the_limit_are_not_started_and_disturb_no_other)
{
	struct scene *x = *state;
	struct sighting seen = { .vid = 0x0483,
				 .pid = 0x5740,
				 .serial = "00112233445566778899AABB" };
	struct drone_history history = { .known = false };
	struct fleet_counts counts;

	begin(x);
	copy_text(seen.manufacturer, sizeof(seen.manufacturer), "Bitcraze AB");
	fleet_pause(station_fleet(x->s));
	for (unsigned i = 1; i <= FLEET_SLOTS_MAX + 50; i++) {
		(void)snprintf(seen.port, sizeof(seen.port), "9-%u", i);
		seen.arrival = 100000 + i;
		fleet_sighted(station_fleet(x->s), &seen, &history, i);
	}
	assert_int_equal(fleet_slots(station_fleet(x->s)), FLEET_SLOTS_MAX);
	(void)snprintf(seen.port, sizeof(seen.port), "9-%u", FLEET_SLOTS_MAX + 1);
	assert_int_equal(fleet_find(station_fleet(x->s), seen.port), -2); /* -ENOENT */
	fleet_counts(station_fleet(x->s), &counts);
	assert_int_equal(counts.active, 0);
}

static const char *const crowd[] = { "1-1.1", "1-1.2", "1-1.3", "1-1.4",
				     "1-1.5", "1-1.6", "1-1.7", "1-1.8" };

/* Behind a translator that thrashes from the second block on, until most blocks wait. */
static void
begin_crowd(struct scene *x)
{
	x->options.fleet.limits.writers_max = 0;
	x->options.fleet.limits.blocks_learned = true;
	world_translators_init(&x->options.translators, WORLD_THRASHING);
	x->options.translators.crowd = 1;
	x->options.translators.crowd_permille = 1000;
	begin(x);
	x->now = station_select(x->s, "cf2", "2026.10", 240000, 5);
	for (size_t i = 0; i < ARRAY_LEN(crowd); i++)
		add(x, crowd[i]);
}

/* The first ones show what a block takes alone. */
static void
plug_next(struct scene *x, const char *port)
{
	plug(x, port);
	wait_us(x, 250 * MS);
}

SCENE(drones_pulled_while_their_block_waits_delay_no_other)
{
	struct scene *x = *state;

	begin_crowd(x);
	for (size_t i = 0; i < ARRAY_LEN(crowd); i++)
		plug_next(x, crowd[i]);
	wait_for_step(x, crowd[7], STEP_WRITING);
	/* With the first ones gone the others have shown what fewer take, and their blocks wait. */
	for (size_t i = 0; i < 6; i++) {
		unplug(x, crowd[i]);
		wait_us(x, 1207 * MS); /* each has a cause of its own */
	}
	settle(x);
	for (size_t i = 0; i < 6; i++)
		expect_fault(x, crowd[i], FAULT_GONE);
	expect_good(x, crowd[6]);
	expect_good(x, crowd[7]);
}

SCENE(attempts_behind_a_translator_that_thrashes_end_and_begin_anew)
{
	struct scene *x = *state;

	begin_crowd(x);
	for (size_t i = 0; i < ARRAY_LEN(crowd); i++) {
		arm(x, crowd[i], i % 2 == 0 ? "stall at=60 in=dfu" : "stall at=71 on=data in=dfu");
		plug_next(x, crowd[i]);
	}
	wait_for_step(x, crowd[7], STEP_WRITING);
	for (unsigned n = 0; n < 5; n++) {
		station_slept(x->s);
		wait_us(x, 17 * SECOND);
	}
	station_run(x->s, 140 * SECOND);
	for (size_t i = 0; i < 4; i++) {
		unplug(x, crowd[i]);
		wait_us(x, 1207 * MS);
	}
	settle(x);
	for (size_t i = 4; i < ARRAY_LEN(crowd); i++)
		expect_good(x, crowd[i]);
}

SCENE(running_attempts_are_restarted_after_a_suspend)
{
	struct scene *x = *state;

	add(x, PORT);
	plug(x, PORT);
	wait_for_step(x, PORT, STEP_WRITING);
	station_slept(x->s);
	settle(x);
	assert_int_equal(station_row(x->s, 0)->verdict.fault, FAULT_SUSPEND);
	assert_true(station_holds(x->s, PORT, x->now));
	assert_int_equal(attempts(x, PORT), 2);
}
