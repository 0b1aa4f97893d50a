/* SPDX-License-Identifier: MIT */
/* After the verdict: decks and the radio configuration are written, and are in force at the end. */
#include "config.h"

#include "flow/scenes.h"

#include "core/platform.h"
#include "sim/bitstream.h"

#define PORT "1-4"

enum { BITSTREAM = 600, LED = 4100 };

/* A release that brings firmware for a Lighthouse and a colour LED deck is selected. */
static void
select_release(struct scene *x)
{
	static uint8_t bytes[LED];
	struct image_part part = { .target = "bcLighthouse4",
				   .type = "fw",
				   .bytes = bytes,
				   .length = BITSTREAM,
				   .crc32 = BITSTREAM_CRC };
	struct image *image = station_image("cf2", "2026.08", 0, 44);

	bitstream_make(BITSTREAM_CRC, bytes, BITSTREAM);
	assert_int_equal(image_add_part(image, &part), 0);
	for (unsigned i = 0; i < LED; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 250);
	part.length = LED;
	copy_text(part.target, sizeof(part.target), "bcColorLedBot:col");
	copy_text(part.version, sizeof(part.version), "0.1.2");
	assert_int_equal(image_add_part(image, &part), 0);
	station_use(x->s, platform_by_name("cf2"), image);
	x->now = image;
	image_unref(image); /* the station's */
}

static void
begin_with(struct scene *x, enum drone_deck deck)
{
	x->options.fleet.job.deck_update = true;
	x->options.fleet.job.power_cycle = true;
	x->config.deck[0] = (uint8_t)deck;
	x->config.bitstream_bytes = BITSTREAM;
	begin(x);
	select_release(x);
	add(x, PORT);
}

static const struct drone_counters *
counted(struct scene *x)
{
	const struct drone_counters *n = drone_counters(drone_at(x, PORT));

	for (unsigned i = 0; i < DRONE_ASSERT_COUNT; i++)
		assert_int_equal(n->asserts[i], 0);
	return n;
}

static enum drone_deck_state
deck_state(struct scene *x)
{
	return drone_deck_state(drone_at(x, PORT), world_now_us(station_world(x->s)), 0);
}

/* The drone's flashing, and then the writing of this kind; no more. */
static void
expect_written(struct scene *x, const char *target)
{
	assert_int_equal(attempts(x, PORT), 2);
	assert_int_equal(last(x, PORT)->verdict.kind, VERDICT_PASS);
	assert_string_equal(last(x, PORT)->record.target, target);
	assert_int_equal(view(x, PORT).verdict.kind, VERDICT_PASS);
}

SCENE(a_lighthouse_of_another_bitstream_is_updated_and_started)
{
	struct scene *x = *state;

	begin_with(x, DRONE_DECK_LIGHTHOUSE_WRONG);
	plug(x, PORT);
	settle(x);
	expect_written(x, "deck:bcLighthouse4");
	assert_int_equal(deck_state(x), DRONE_DECK_RUNS);
	assert_true(station_holds(x->s, PORT, x->now));
	assert_true(counted(x)->vcc_cycles >= 1);
}

SCENE(an_old_colour_led_deck_is_updated_once)
{
	struct scene *x = *state;

	x->config.led_version_stays = true;
	begin_with(x, DRONE_DECK_LED_OLD);
	plug(x, PORT);
	settle(x);
	expect_written(x, "deck:bcColorLedBot:col");
	assert_int_equal(deck_state(x), DRONE_DECK_RUNS);
	assert_int_equal(counted(x)->vcc_cycles, 1);
}

SCENE(decks_are_only_reported_unless_the_configuration_says_so)
{
	struct scene *x = *state;

	begin_with(x, DRONE_DECK_LIGHTHOUSE_WRONG);
	x->options.fleet.job.deck_update = false;
	station_configure(x->s, &x->options.fleet);
	plug(x, PORT);
	settle(x);
	assert_int_equal(attempts(x, PORT), 1);
	assert_int_equal(counted(x)->deck_bytes, 0);
	assert_int_equal(view(x, PORT).readiness->ready, READY_NO);
	assert_true((view(x, PORT).readiness->rests & BIT(REST_DECK)) != 0);
}

SCENE(a_deck_that_is_older_than_its_release_is_left_until_it_is_written)
{
	struct job_setup order = { .kind = JOB_DECK, .deck = "bcColorLedBot:col" };
	struct scene *x = *state;

	x->config.led_version_stays = true;
	begin_with(x, DRONE_DECK_LED_OLD);
	x->options.fleet.job.deck_update = false;
	station_configure(x->s, &x->options.fleet);
	plug(x, PORT);
	settle(x);
	assert_int_equal(view(x, PORT).readiness->rests, BIT(REST_DECK));
	order.release = x->now;
	assert_int_equal(station_special(x->s, PORT, &order), 0);
	settle(x);
	expect_written(x, "deck:bcColorLedBot:col");
	assert_int_equal(view(x, PORT).readiness->ready, READY_YES);
}

SCENE(a_drone_whose_self_test_failed_keeps_its_decks_as_they_are)
{
	struct scene *x = *state;

	copy_text(x->config.selftest, sizeof(x->config.selftest), "mpu6050");
	begin_with(x, DRONE_DECK_LED_OLD);
	plug(x, PORT);
	settle(x);
	assert_int_equal(attempts(x, PORT), 1);
	assert_int_equal(counted(x)->deck_bytes, 0);
	assert_int_equal(view(x, PORT).readiness->ready, READY_NO);
}

/* By its firmware: in force since its last start. */
static unsigned
channel(struct scene *x)
{
	uint8_t channel, rate;
	uint64_t address;

	drone_radio(drone_at(x, PORT), &channel, &rate, &address);
	return channel;
}

static void
set_channel(struct scene *x, uint8_t to)
{
	struct job_setup setup = { .kind = JOB_EEPROM,
				   .radio = {
				       .channel = to, .rate = 2, .address = 0xE7E7E7E755ULL } };

	assert_int_equal(station_special(x->s, PORT, &setup), 0);
	settle(x);
	expect_written(x, "eeprom");
}

SCENE(a_radio_configuration_is_in_force_after_a_power_cycle_and_not_before)
{
	struct scene *x = *state;

	for (unsigned by_hand = 0; by_hand < 2; by_hand++) {
		begin_with(x, DRONE_DECK_NONE);
		x->options.fleet.job.power_cycle = by_hand == 0;
		station_configure(x->s, &x->options.fleet);
		plug(x, PORT);
		settle(x);
		assert_int_equal(channel(x), 80);
		assert_int_equal(counted(x)->vcc_cycles, 0);
		set_channel(x, 90);
		if (by_hand > 0) {
			assert_int_equal(view(x, PORT).readiness->rests, BIT(REST_POWER_CYCLE));
			assert_int_equal(channel(x), 80);
			unplug(x, PORT);
			settle(x);
			plug(x, PORT);
			settle(x);
		}
		assert_int_equal(channel(x), 90);
		assert_int_equal(view(x, PORT).readiness->ready, READY_YES);
		assert_int_equal(view(x, PORT).condition->radio.channel, 90);
		assert_int_equal(counted(x)->vcc_cycles, by_hand == 0);
		end(x);
	}
}

SCENE(an_update_of_a_deck_that_was_cut_off_is_done_when_the_drone_is_back)
{
	struct scene *x = *state;

	begin_with(x, DRONE_DECK_LIGHTHOUSE_WRONG);
	plug(x, PORT);
	while (attempts(x, PORT) < 2 || counted(x)->deck_bytes < 100)
		wait_us(x, MS);
	unplug(x, PORT);
	settle(x);
	assert_int_equal(last(x, PORT)->verdict.fault, FAULT_GONE);
	/* The STM32's firmware is whole: the button is of no use. */
	assert_null(strstr(last(x, PORT)->record.message, "incomplete"));
	plug(x, PORT);
	settle(x);
	assert_int_equal(last(x, PORT)->verdict.kind, VERDICT_PASS);
	assert_string_equal(last(x, PORT)->record.target, "deck:bcLighthouse4");
	assert_int_equal(deck_state(x), DRONE_DECK_RUNS);
	assert_int_equal(view(x, PORT).readiness->ready, READY_YES);
	(void)counted(x);
}

/* ---- a power cycle that does not go as it should; what is wanted meanwhile ---------------- */

static void
wait_for_power_cycle(struct scene *x)
{
	begin_with(x, DRONE_DECK_LED_OLD);
	plug(x, PORT);
	wait_for_step(x, PORT, STEP_CYCLING);
	assert_int_equal(view(x, PORT).verdict.kind, VERDICT_PASS);
	assert_string_equal(view(x, PORT).version_after, "2026.08");
}

SCENE(a_drone_that_does_not_come_back_from_a_power_cycle_is_told_of)
{
	struct scene *x = *state;
	struct slot_view v;

	wait_for_power_cycle(x);
	unplug(x, PORT);
	settle(x);
	v = view(x, PORT);
	assert_false(v.present);
	assert_int_equal(v.readiness->ready, READY_NO);
	assert_non_null(strstr(v.readiness->text[REST_POWER_CYCLE], "did not come back"));
	plug(x, PORT);
	settle(x);
	assert_int_equal(view(x, PORT).readiness->ready, READY_YES);
	(void)counted(x);
}

SCENE(a_retry_during_a_power_cycle_is_done_when_the_drone_is_back)
{
	struct scene *x = *state;
	unsigned before;

	wait_for_power_cycle(x);
	before = attempts(x, PORT);
	assert_int_equal(station_retry(x->s, PORT, false), 0);
	settle(x);
	assert_true(attempts(x, PORT) > before);
	assert_int_equal(view(x, PORT).verdict.kind, VERDICT_UNCHANGED);
	(void)counted(x);
}

SCENE(a_drone_s_light_is_no_attempt_and_changes_nothing_of_its_slot)
{
	struct scene *x = *state;
	struct job_setup setup = { .kind = JOB_IDENTIFY };
	uint64_t lights;

	begin_with(x, DRONE_DECK_NONE);
	plug(x, PORT);
	settle(x);
	lights = counted(x)->lights_good;
	assert_int_equal(station_special(x->s, PORT, &setup), 0);
	assert_int_equal(view(x, PORT).class, SLOT_CLASS_PASS);
	assert_false(view(x, PORT).active);
	settle(x);
	assert_int_equal(counted(x)->lights_good, lights + 1);
	assert_int_equal(attempts(x, PORT), 1);
	assert_int_equal(view(x, PORT).readiness->ready, READY_YES);
}

/* WHY paused: its battery is measured only after its self-test. */
SCENE(a_battery_that_was_low_before_the_update_is_in_its_record)
{
	struct scene *x = *state;

	x->options.fleet.job.low_battery_mv = 3500;
	x->config.battery_mv = 3410;
	begin_with(x, DRONE_DECK_NONE);
	station_pause(x->s, true);
	plug(x, PORT);
	wait_us(x, 5 * SECOND);
	station_pause(x->s, false);
	settle(x);
	assert_non_null(
	    strstr(last(x, PORT)->record.message, "Its battery was low when it began: 3.41 V."));
}
