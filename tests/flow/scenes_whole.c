/* SPDX-License-Identifier: MIT */
/* Scenes of the life after the verdict: is the whole drone fit to fly (doc/beyond-dfu.md)? */
#include "config.h"

#include "flow/scenes.h"

#include "core/readiness.h"
#include "sim/bitstream.h"
#include "sim/drone.h"

#define PORT "1-1"
#define OTHER "1-2"

enum { BITSTREAM = 4096 };

static void
expect_left(struct scene *x, const char *port, unsigned rests)
{
	struct slot_view v = view(x, port);

	for (enum rest i = 0; i < REST_COUNT; i++)
		if ((v.readiness->rests & ~rests & BIT(i)) != 0)
			print_error("%s: %s\n", port, v.readiness->text[i]);
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
			assert_non_null(strstr(v.whole_words, "Leave it plugged in"));
			looked = true;
			assert_false(v.active);
			assert_int_equal(v.state, SLOT_ENDED);
			assert_true(v.retry_possible);
		}
		wait_us(x, 10 * MS);
	}
	assert_true(looked);
	expect_left(x, PORT, 0);
	assert_non_null(strstr(view(x, PORT).whole_words, "take it away"));
	assert_null(strstr(last(x, PORT)->record.message, "unplug"));
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

/* SPEC: a configuration that is damaged is replaced with the default one at each start
 * (doc/beyond-dfu.md 3), which is what the drone answers to. */
SCENE(drones_without_a_radio_configuration_share_the_default_one)
{
	struct scene *x = *state;

	add_with_address(x, PORT, 0xE7E7E7E7E7);
	x->config.eeprom = DRONE_EEPROM_BAD_SUM;
	add_with_address(x, OTHER, 0xE7E7E7E702);
	plug(x, OTHER);
	settle(x);
	expect_left(x, OTHER, 0);
	plug(x, PORT);
	settle(x);
	expect_left(x, PORT, BIT(REST_ADDRESS));
	expect_left(x, OTHER, BIT(REST_ADDRESS));
	unplug(x, PORT);
	settle(x);
	expect_left(x, OTHER, 0);
}

/* A drone has passed, and its self-test goes on for seconds. */
static void
begin_long_look(struct scene *x)
{
	x->config.selftest_ms = 5000;
	add(x, PORT);
	plug(x, PORT);
	wait_for_pass(x, PORT);
}

SCENE(a_look_gives_way_to_the_operator_at_once)
{
	struct scene *x = *state;

	begin_long_look(x);
	wait_us(x, 500 * MS);
	assert_int_equal(station_retry(x->s, PORT, false), 0);
	wait_us(x, 3 * SECOND);
	assert_int_equal(view(x, PORT).verdict.kind, VERDICT_UNCHANGED);
	settle(x);
	assert_int_equal(attempts(x, PORT), 2);
	expect_left(x, PORT, 0);
}

static struct fleet_plan
plan(struct scene *x, const char *port)
{
	struct fleet *f = station_fleet(x->s);
	struct fleet_plan p;

	fleet_plan(f, (unsigned)fleet_find(f, port), fleet_policy(f), &p);
	return p;
}

SCENE(a_plan_looks_through_a_look)
{
	struct scene *x = *state;

	x->config.selftest_ms = 5000;
	add(x, PORT);
	policy_select(fleet_policy(station_fleet(x->s)), PLATFORM_CF2, NULL);
	plug(x, PORT);
	wait_us(x, 3 * SECOND);
	assert_true(fleet_active(station_fleet(x->s)) > 0); /* it is looked at */
	assert_int_equal(plan(x, PORT).action, ACTION_NONE);
	policy_select(fleet_policy(station_fleet(x->s)), PLATFORM_CF2, x->now);
	assert_int_equal(plan(x, PORT).action, ACTION_FLASH);
	assert_true(plan(x, PORT).due);
	station_use(x->s, PLATFORM_CF2, x->now);
	wait_for_pass(x, PORT);
	assert_int_equal(plan(x, PORT).action, ACTION_DONE);
	assert_false(plan(x, PORT).due);
}

SCENE(a_service_that_is_to_stop_does_not_wait_for_a_look)
{
	struct scene *x = *state;

	x->config.selftest_ms = 9000;
	add(x, PORT);
	plug(x, PORT);
	wait_for_pass(x, PORT);
	wait_us(x, SECOND);
	fleet_drain(station_fleet(x->s), world_now_us(station_world(x->s)));
	wait_us(x, SECOND);
	assert_int_equal(fleet_active(station_fleet(x->s)), 0);
	assert_false(drone_is_linked(drone_at(x, PORT)));
}

static void
wait_for_link(struct scene *x, const char *port)
{
	while (!drone_is_linked(drone_at(x, port)))
		wait_us(x, MS);
}

SCENE(a_look_that_is_cut_short_gives_the_link_back)
{
	struct scene *x = *state;

	begin_long_look(x);
	wait_us(x, SECOND);
	wait_for_link(x, PORT);
	station_stop(x->s, 500 * MS);
	station_pause(x->s, true);
	assert_false(drone_is_linked(drone_at(x, PORT)));
}

/* Killed in the midst of a conversation; the next service is paused, or has it quarantined. */
SCENE(a_drone_that_a_killed_service_left_deaf_hears_its_radio_again)
{
	struct scene *x = *state;
	uint64_t vendor;

	begin_long_look(x);
	wait_us(x, SECOND);
	wait_for_link(x, PORT);
	station_restart(x->s);
	station_pause(x->s, true);
	assert_true(drone_is_linked(drone_at(x, PORT)));
	settle(x);
	assert_false(drone_is_linked(drone_at(x, PORT)));
	vendor = drone_counters(drone_at(x, PORT))->vendor;
	wait_us(x, 60 * SECOND);
	assert_int_equal(drone_counters(drone_at(x, PORT))->vendor, vendor);
	unplug(x, PORT);
	settle(x);
	vendor = drone_counters(drone_at(x, PORT))->vendor;
	plug(x, PORT); /* it comes with its link on the radio */
	settle(x);
	assert_int_equal(drone_counters(drone_at(x, PORT))->vendor, vendor);
	station_pause(x->s, false);
	settle(x);
	expect_left(x, PORT, 0);
}

SCENE(another_selection_does_not_wait_for_a_look)
{
	struct scene *x = *state;

	begin_long_look(x);
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

/* Its window is open for longer than a second crash's patience. */
SCENE(a_drone_is_asked_later_after_each_crash_in_a_row)
{
	struct scene *x = *state;

	x->options.fleet.quarantine = 0;
	x->config.early_ms = 2900;
	add(x, PORT);
	plug(x, PORT);
	settle(x);
	expect_good(x, PORT);
	assert_int_equal(drone_counters(drone_at(x, PORT))->asserts[DRONE_ASSERT_EARLY], 2);
}

/* WHY by its power: the cure of its crash is a start, at which it could crash again. */
SCENE(a_drone_that_crashed_once_is_asked_later_after_its_new_power_too)
{
	struct scene *x = *state;

	x->options.fleet.job.power_cycle = true;
	x->config.early_ms = 50;
	add(x, PORT);
	station_use(x->s, PLATFORM_CF2, x->old);
	plug(x, PORT);
	settle(x);
	assert_int_equal(view(x, PORT).verdict.kind, VERDICT_UNCHANGED);
	expect_left(x, PORT, 0);
	assert_int_equal(attempts(x, PORT), 1);
	assert_int_equal(drone_counters(drone_at(x, PORT))->asserts[DRONE_ASSERT_EARLY], 1);
}

SCENE(a_drone_is_not_ready_while_its_radio_configuration_is_written)
{
	struct job_setup order = { .kind = JOB_EEPROM };
	struct scene *x = *state;

	x->options.fleet.job.power_cycle = true;
	add(x, PORT);
	plug(x, PORT);
	settle(x);
	expect_left(x, PORT, 0);
	order.radio = (struct radio_block){ .valid = true, .channel = 40, .address = 0xE7E7E7E7A0 };
	assert_int_equal(station_special(x->s, PORT, &order), 0);
	assert_int_equal(view(x, PORT).readiness->ready, READY_UNKNOWN);
	settle(x);
	expect_left(x, PORT, 0);
	assert_int_equal(view(x, PORT).condition->radio.channel, 40);
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

/* ---- decks, power and the nRF51 ---------------------------------------------------------- */

static void
add_with_deck(struct scene *x, const char *port, enum drone_deck deck)
{
	x->config.deck[0] = deck;
	add(x, port);
}

/* A release that requires the bitstream which the drone's firmware before it did. */
static void
begin_with_same_bitstream(struct scene *x)
{
	begin(x);
	x->now = station_select(x->s, "cf2", "2025.12", 20000, 4);
}

/* Plugged in for some time before it is flashed: its deck runs then, and is dead after a reset. */
static void
plug_running(struct scene *x, const char *port)
{
	station_pause(x->s, true);
	plug(x, port);
	wait_us(x, 5 * SECOND);
	station_pause(x->s, false);
	settle(x);
}

SCENE(a_lighthouse_deck_gets_new_power_once_and_starts)
{
	struct scene *x = *state;

	x->options.fleet.job.power_cycle = true;
	begin_with_same_bitstream(x);
	add_with_deck(x, PORT, DRONE_DECK_LIGHTHOUSE);
	plug_running(x, PORT);
	expect_good(x, PORT);
	expect_left(x, PORT, 0);
	assert_int_equal(drone_deck_state(drone_at(x, PORT), world_now_us(station_world(x->s)), 0),
			 DRONE_DECK_RUNS);
	assert_int_equal(view(x, PORT).condition->power_cycle, POWER_CYCLE_DONE);
	assert_int_equal(attempts(x, PORT), 1);
	assert_true(view(x, PORT).present);
}

SCENE(without_power_cycles_the_words_say_what_is_left)
{
	struct scene *x = *state;

	begin_with_same_bitstream(x);
	add_with_deck(x, PORT, DRONE_DECK_LIGHTHOUSE);
	plug_running(x, PORT);
	expect_good(x, PORT);
	expect_left(x, PORT, BIT(REST_POWER_CYCLE));
	assert_non_null(strstr(view(x, PORT).readiness->text[REST_POWER_CYCLE], "off and on"));
}

SCENE(an_old_nrf51_that_ignores_the_power_cycle_leaves_the_words)
{
	struct scene *x = *state;

	x->options.fleet.job.power_cycle = true;
	copy_text(x->config.nrf, sizeof(x->config.nrf), "2024.10");
	begin_with_same_bitstream(x);
	add_with_deck(x, PORT, DRONE_DECK_LIGHTHOUSE);
	plug_running(x, PORT);
	expect_good(x, PORT);
	expect_left(x, PORT, BIT(REST_POWER_CYCLE));
	assert_int_equal(view(x, PORT).condition->power_cycle, POWER_CYCLE_IGNORED);
}

SCENE(a_crash_at_the_first_question_is_cured_by_new_power)
{
	struct scene *x = *state;

	x->options.fleet.job.power_cycle = true;
	x->config.early_ms = 400;
	x->config.button_boots = true;
	add(x, PORT);
	assert_int_equal(world_button_entry(station_world(x->s), PORT), 0);
	settle(x);
	expect_good(x, PORT);
	assert_int_equal(drone_counters(drone_at(x, PORT))->asserts[DRONE_ASSERT_EARLY], 1);
	expect_left(x, PORT, 0);
}

SCENE(a_dark_switch_is_named_not_counted_and_done_when_plugged_in_again)
{
	struct scene *x = *state;

	x->config.dark_permille = 1000;
	add(x, PORT);
	plug(x, PORT);
	settle(x);
	expect_fault(x, PORT, FAULT_DARK);
	for (unsigned i = 0; i < 4; i++) {
		unplug(x, PORT);
		plug(x, PORT);
		settle(x);
	}
	assert_int_not_equal(view(x, PORT).class, SLOT_CLASS_QUARANTINED);
	assert_int_equal(attempts(x, PORT), 5);
}

static struct image *
release_with(const char *target, const char *version, const uint8_t *bytes, uint32_t length)
{
	struct image *image = station_image("cf2", "2026.08", 20000, 4);
	struct image_part part = {
		.type = "fw", .bytes = bytes, .length = length, .crc32 = BITSTREAM_CRC
	};

	copy_text(part.target, sizeof(part.target), target);
	copy_text(part.version, sizeof(part.version), version);
	assert_int_equal(image_add_part(image, &part), 0);
	return image;
}

SCENE(another_nrf51_than_the_release_brings_is_left)
{
	struct scene *x = *state;
	struct image *release = release_with("nrf51", "2026.08", NULL, 0);

	copy_text(x->config.nrf, sizeof(x->config.nrf), "2024.10");
	begin(x);
	station_use(x->s, PLATFORM_CF2, release);
	add(x, PORT);
	plug(x, PORT);
	settle(x);
	expect_left(x, PORT, BIT(REST_NRF51));
	assert_non_null(strstr(view(x, PORT).readiness->text[REST_NRF51], "2024.10"));
	assert_int_equal(station_backup(x->s, PORT), 0); /* leaves the bus for that, and returns */
	settle(x);
	expect_left(x, PORT, BIT(REST_NRF51));
	image_unref(release);
}

/* The whole chain: update, look, new power, look, deck, look, new power, look. */
SCENE(a_lighthouse_deck_that_wants_the_release_s_bitstream_gets_it_by_itself)
{
	static uint8_t bitstream[BITSTREAM];
	struct scene *x = *state;
	struct image *release;

	bitstream_make(BITSTREAM_CRC, bitstream, sizeof(bitstream));
	release = release_with("bcLighthouse4", "V6", bitstream, sizeof(bitstream));
	x->options.fleet.job.power_cycle = x->options.fleet.job.deck_update = true;
	begin(x);
	station_use(x->s, PLATFORM_CF2, release);
	x->now = release;
	x->config.bitstream_bytes = sizeof(bitstream);
	add_with_deck(x, PORT, DRONE_DECK_LIGHTHOUSE_WRONG);
	plug_running(x, PORT);
	assert_true(station_holds(x->s, PORT, release));
	expect_left(x, PORT, 0);
	assert_int_equal(drone_deck_state(drone_at(x, PORT), world_now_us(station_world(x->s)), 0),
			 DRONE_DECK_RUNS);
	assert_int_equal(attempts(x, PORT), 2);
	assert_int_equal(view(x, PORT).verdict.kind, VERDICT_PASS);
	assert_int_equal(drone_counters(drone_at(x, PORT))->asserts[DRONE_ASSERT_REQUEST], 0);
	image_unref(release);
}
