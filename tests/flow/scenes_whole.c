/* SPDX-License-Identifier: MIT */
/* Scenes of the life after the verdict: is the whole drone fit to fly (doc/beyond-dfu.md)? */
#include "config.h"

#include "flow/scenes.h"

#include "core/readiness.h"
#include "sim/drone.h"

#define PORT "1-1"
#define OTHER "1-2"

static void
expect_left(struct scene *x, const char *port, unsigned rests)
{
	struct slot_view v = view(x, port);

	assert_int_equal(v.readiness->rests, rests);
	assert_int_equal(v.readiness->ready, rests != 0 ? READY_NO : READY_YES);
}

/* A drone whose parts differ from those of all others. */
static void
add_with_address(struct scene *x, const char *port, uint64_t address)
{
	x->config.address = address;
	add(x, port);
}

static bool
has_passed(struct scene *x, const char *port)
{
	struct slot_view v;

	return station_view(x->s, port, &v) && v.verdict.kind == VERDICT_PASS && !v.active;
}

static void
wait_for_pass(struct scene *x, const char *port)
{
	for (unsigned i = 0; i < 60000 && !has_passed(x, port); i++)
		wait_us(x, MS);
	assert_true(has_passed(x, port));
}

SCENE(a_bare_healthy_drone_is_ready_soon_after_its_verdict)
{
	struct scene *x = *state;
	uint64_t boots;

	x->options.fleet.job.power_cycle = true;
	add(x, PORT);
	plug(x, PORT);
	wait_for_pass(x, PORT);
	assert_int_equal(view(x, PORT).readiness->ready, READY_UNKNOWN);
	boots = drone_counters(drone_at(x, PORT))->boots;
	settle(x);
	expect_good(x, PORT);
	expect_left(x, PORT, 0);
	assert_true(view(x, PORT).condition->looked);
	assert_int_equal(view(x, PORT).condition->radio.channel, 80);
	assert_int_equal(attempts(x, PORT), 1);
	assert_int_equal(drone_counters(drone_at(x, PORT))->boots, boots); /* no power cycle */
	unplug(x, PORT);
	settle(x);
	assert_int_equal(view(x, PORT).readiness->ready, READY_UNKNOWN);
}

SCENE(a_drone_is_at_rest_while_it_is_only_looked_at)
{
	struct scene *x = *state;
	bool looked = false;

	x->config.selftest_ms = 2000;
	add(x, PORT);
	plug(x, PORT);
	wait_for_pass(x, PORT);
	while (view(x, PORT).readiness->ready == READY_UNKNOWN) {
		struct slot_view v = view(x, PORT);

		if (v.verdict.kind == VERDICT_PASS && v.class == SLOT_CLASS_PASS) {
			looked = true;
			assert_false(v.active);
			assert_int_equal(v.state, SLOT_ENDED);
			assert_true(v.retry_possible);
		}
		wait_us(x, 10 * MS);
	}
	assert_true(looked);
	expect_left(x, PORT, 0);
}

SCENE(a_failed_self_test_is_left_beside_a_pass)
{
	struct scene *x = *state;

	copy_text(x->config.selftest, sizeof(x->config.selftest), "bmi088");
	add(x, PORT);
	plug(x, PORT);
	settle(x);
	expect_good(x, PORT);
	expect_left(x, PORT, BIT(REST_SELF_TEST));
}

SCENE(drones_with_one_radio_address_name_each_other)
{
	struct scene *x = *state;

	add_with_address(x, PORT, 0xE7E7E7E701);
	add_with_address(x, OTHER, 0xE7E7E7E701);
	add_with_address(x, "1-3", 0xE7E7E7E703);
	plug(x, PORT);
	settle(x);
	expect_left(x, PORT, 0);
	plug(x, OTHER);
	plug(x, "1-3");
	settle(x);
	expect_left(x, PORT, BIT(REST_ADDRESS));
	expect_left(x, OTHER, BIT(REST_ADDRESS));
	expect_left(x, "1-3", 0);
	assert_non_null(strstr(view(x, PORT).readiness->text[REST_ADDRESS], OTHER));
	assert_non_null(strstr(view(x, OTHER).readiness->text[REST_ADDRESS], PORT));
	unplug(x, OTHER);
	settle(x);
	expect_left(x, PORT, 0);
}

SCENE(a_look_gives_way_to_the_operator_at_once)
{
	struct scene *x = *state;

	x->config.selftest_ms = 5000;
	add(x, PORT);
	plug(x, PORT);
	wait_for_pass(x, PORT);
	wait_us(x, 500 * MS);
	assert_int_equal(station_retry(x->s, PORT, false), 0);
	wait_us(x, 3 * SECOND);
	assert_int_equal(view(x, PORT).verdict.kind, VERDICT_UNCHANGED);
	settle(x);
	assert_int_equal(attempts(x, PORT), 2);
	expect_left(x, PORT, 0);
}

SCENE(another_selection_does_not_wait_for_a_look)
{
	struct scene *x = *state;

	x->config.selftest_ms = 5000;
	add(x, PORT);
	plug(x, PORT);
	wait_for_pass(x, PORT);
	station_use(x->s, PLATFORM_CF2, x->old);
	settle(x);
	assert_int_equal(attempts(x, PORT), 2);
	assert_true(station_holds(x->s, PORT, x->old));
}

/* WHY paused: its supervisor says nothing before its self-test is over. */
SCENE(a_flying_drone_is_not_rebooted)
{
	struct scene *x = *state;

	x->config.supervisor = 0x021E;
	copy_text(x->config.version, sizeof(x->config.version), "2026.08");
	add(x, PORT);
	station_pause(x->s, true);
	plug(x, PORT);
	wait_us(x, 5 * SECOND);
	station_pause(x->s, false);
	settle(x);
	assert_int_equal(attempts(x, PORT), 0);
	assert_int_equal(drone_counters(drone_at(x, PORT))->reboots, 0);
	assert_non_null(strstr(view(x, PORT).message, "flies"));
	assert_true(view(x, PORT).condition->looked);
	assert_int_equal(view(x, PORT).readiness->ready, READY_UNKNOWN);
}

SCENE(a_low_battery_is_said_and_left)
{
	struct scene *x = *state;

	x->options.fleet.job.low_battery_mv = 3500;
	x->config.battery_mv = 3410;
	add(x, PORT);
	plug(x, PORT);
	settle(x);
	expect_good(x, PORT);
	expect_left(x, PORT, BIT(REST_BATTERY));
	assert_non_null(strstr(view(x, PORT).readiness->text[REST_BATTERY], "3.41 V"));
}

/* Found in DFU mode: the first question is the one that confirms its new firmware. */
SCENE(a_drone_that_crashed_when_it_was_asked_passes_and_is_not_ready)
{
	struct scene *x = *state;

	x->config.early_ms = 400;
	x->config.button_boots = true;
	add(x, PORT);
	assert_int_equal(world_button_entry(station_world(x->s), PORT), 0);
	settle(x);
	expect_good(x, PORT);
	assert_true(view(x, PORT).condition->crashed_early);
	expect_left(x, PORT, BIT(REST_SELF_TEST) | BIT(REST_POWER_CYCLE));
	assert_int_equal(drone_counters(drone_at(x, PORT))->asserts[DRONE_ASSERT_EARLY], 1);
}

SCENE(a_drone_that_crashed_before_anything_was_done_is_asked_later_next_time)
{
	struct scene *x = *state;

	x->config.early_ms = 400;
	add(x, PORT);
	plug(x, PORT);
	settle(x);
	expect_good(x, PORT);
	assert_int_equal(attempts(x, PORT), 1);
	assert_int_equal(drone_counters(drone_at(x, PORT))->asserts[DRONE_ASSERT_EARLY], 1);
	expect_left(x, PORT, 0); /* DFU mode was a start of its own */
}

SCENE(patience_spares_a_drone_the_crash)
{
	struct scene *x = *state;

	x->config.early_ms = 40;
	x->options.fleet.job.link_patience_us = 50000;
	add(x, PORT);
	plug(x, PORT);
	settle(x);
	expect_good(x, PORT);
	expect_left(x, PORT, 0);
	assert_int_equal(drone_counters(drone_at(x, PORT))->asserts[DRONE_ASSERT_EARLY], 0);
}

SCENE(a_drone_without_firmware_selected_is_looked_at_and_not_called_ready)
{
	struct scene *x = *state;

	add(x, PORT);
	policy_select(fleet_policy(station_fleet(x->s)), PLATFORM_CF2, NULL);
	plug(x, PORT);
	settle(x);
	assert_int_equal(attempts(x, PORT), 0);
	assert_true(view(x, PORT).condition->looked);
	assert_int_equal(view(x, PORT).readiness->ready, READY_UNKNOWN);
	station_use(x->s, PLATFORM_CF2, x->now);
	settle(x);
	expect_good(x, PORT);
	expect_left(x, PORT, 0);
}
