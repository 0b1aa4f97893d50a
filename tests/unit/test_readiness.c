/* SPDX-License-Identifier: MIT */
/* The truth table of a drone's readiness: what is left alone and in pairs, what was not seen. */
#include "config.h"

#include "core/readiness.h"

#include <string.h>

#include "test.h"

#include "cfdfu/util.h"

struct drone {
	struct condition c;
	struct readiness_facts k;
};

/* One that has everything that its release brings, seen. */
static struct drone
fit_drone(void)
{
	struct drone d = {
		.c = { .looked = true,
		       .selftest = SELFTEST_PASS,
		       .nrf_version = "2026.08",
		       .battery_mv = 3900,
		       .can_power_cycle = true,
		       .decks_known = true,
		       .deck_count = 2,
		       .decks = { { .name = "bcFlow2", .state = DECK_PRESENT },
				  { .name = "bcLighthouse4", .state = DECK_STARTED } } },
		.k = { .verdict = VERDICT_PASS,
		       .nrf_wanted = "2026.08",
		       .deck_old = "",
		       .address_twin = "",
		       .low_battery_mv = 3500 },
	};

	return d;
}

static void
fail_self_test(struct drone *d)
{
	d->c.selftest = SELFTEST_FAIL;
	copy_text(d->c.failed_module, sizeof(d->c.failed_module), "bmi088");
}

static void
kill_deck(struct drone *d)
{
	d->c.decks[1].state = DECK_NOT_STARTED;
}

static void
age_deck(struct drone *d)
{
	d->c.decks[0].state = DECK_NEEDS_UPDATE;
}

static void
age_nrf51(struct drone *d)
{
	copy_text(d->c.nrf_version, sizeof(d->c.nrf_version), "2024.10");
}

static void
share_address(struct drone *d)
{
	d->k.address_twin = "1-4";
}

static void
drain_battery(struct drone *d)
{
	d->c.battery_mv = 3499;
}

static void (*const spoil[REST_COUNT])(struct drone *d) = {
	[REST_SELF_TEST] = fail_self_test,
	[REST_POWER_CYCLE] = kill_deck,
	[REST_DECK] = age_deck,
	[REST_NRF51] = age_nrf51,
	[REST_ADDRESS] = share_address,
	[REST_BATTERY] = drain_battery,
};

static struct readiness
judge(const struct drone *d)
{
	struct readiness r;

	memset(&r, 0xFF, sizeof(r));
	readiness_judge(&d->c, &d->k, &r);
	return r;
}

static void
assert_is_left(const struct drone *d, unsigned rests)
{
	struct readiness r = judge(d);

	assert_int_equal(r.ready, READY_NO);
	assert_int_equal(r.rests, rests);
	assert_string_equal(r.unknown, "");
	for (enum rest i = 0; i < REST_COUNT; i++) {
		size_t length = strlen(r.text[i]);

		assert_int_equal((rests & BIT(i)) != 0, length > 0);
		assert_true(length == 0 || r.text[i][length - 1] == '.');
		assert_true(length < READINESS_TEXT_MAX - 1); /* not cut */
	}
}

static void
assert_unknown(const struct drone *d, const char *word)
{
	struct readiness r = judge(d);

	assert_int_equal(r.ready, READY_UNKNOWN);
	assert_int_equal(r.rests, 0);
	assert_non_null(strstr(r.unknown, word));
}

TEST(a_drone_of_which_all_was_seen_is_ready)
{
	struct drone d = fit_drone();
	struct readiness r = judge(&d);

	assert_int_equal(r.ready, READY_YES);
	assert_int_equal(r.rests, 0);
	assert_string_equal(r.unknown, "");
	d.k.verdict = VERDICT_UNCHANGED;
	assert_int_equal(judge(&d).ready, READY_YES);
	d.k.nrf_wanted = ""; /* a release that brings none */
	d.c.nrf_version[0] = '\0';
	assert_int_equal(judge(&d).ready, READY_YES);
}

TEST(each_rest_alone_and_with_any_other_is_named)
{
	for (enum rest i = 0; i < REST_COUNT; i++)
		for (enum rest k = i; k < REST_COUNT; k++) {
			struct drone d = fit_drone();

			spoil[i](&d);
			if (k != i)
				spoil[k](&d);
			assert_is_left(&d, BIT(i) | BIT(k));
			d.k.verdict = VERDICT_NONE; /* nothing makes what is left unknown */
			d.c.looked = false;
			assert_is_left(&d, BIT(i) | BIT(k));
		}
}

TEST(nothing_is_ready_that_was_not_seen)
{
	struct drone d = fit_drone();

	d.c.looked = false;
	assert_unknown(&d, "looked at");
	d = fit_drone();
	d.c.selftest = SELFTEST_UNKNOWN;
	assert_unknown(&d, "self-test");
	d = fit_drone();
	d.c.nrf_version[0] = '\0';
	assert_unknown(&d, "nRF51");
	d = fit_drone();
	d.c.decks_known = false;
	assert_unknown(&d, "decks");
	d = fit_drone();
	d.c.decks[1].state = DECK_UNKNOWN;
	assert_unknown(&d, "decks");
	memset(&d.c, 0, sizeof(d.c));
	assert_unknown(&d, "looked at");
}

TEST(readiness_needs_a_verdict_of_this_stay)
{
	static const enum ready expected[VERDICT_COUNT] = {
		[VERDICT_NONE] = READY_UNKNOWN,	   [VERDICT_PASS] = READY_YES,
		[VERDICT_UNCHANGED] = READY_YES,   [VERDICT_NEEDS_POWER_CYCLE] = READY_NO,
		[VERDICT_NEEDS_BUTTON] = READY_NO, [VERDICT_FAIL] = READY_NO,
		[VERDICT_SKIPPED] = READY_UNKNOWN, [VERDICT_INTERRUPTED] = READY_NO,
	};

	for (enum verdict_kind v = VERDICT_NONE; v < VERDICT_COUNT; v++) {
		struct drone d = fit_drone();

		d.k.verdict = v;
		assert_int_equal(judge(&d).ready, expected[v]);
		assert_int_equal(judge(&d).rests,
				 v == VERDICT_NEEDS_POWER_CYCLE ? BIT(REST_POWER_CYCLE) : 0);
	}
}

/* WHY: the station may be about to mend what it has seen; hands would only disturb it. */
TEST(nothing_is_said_to_be_left_while_it_is_looked_at)
{
	for (enum rest i = 0; i < REST_COUNT; i++) {
		struct drone d = fit_drone();

		d.k.under_way = true;
		spoil[i](&d);
		assert_unknown(&d, "being looked at");
	}
}

TEST(a_crash_is_cured_by_a_start_and_a_broken_part_is_not)
{
	struct drone d = fit_drone();

	fail_self_test(&d);
	assert_is_left(&d, BIT(REST_SELF_TEST));
	assert_false(readiness_needs_power_cycle(&d.c, &d.k, NULL));
	d.c.crashed_early = true;
	assert_is_left(&d, BIT(REST_SELF_TEST) | BIT(REST_POWER_CYCLE));
	assert_true(readiness_needs_power_cycle(&d.c, &d.k, NULL));
	d.c.crashed_early = false;
	copy_text(d.c.failed_module, sizeof(d.c.failed_module), "cfAssertNormalStart");
	assert_is_left(&d, BIT(REST_SELF_TEST) | BIT(REST_POWER_CYCLE));
	/* Crashed, and not seen since: not ready, whatever its version says. */
	d = fit_drone();
	d.c.crashed_early = true;
	d.c.selftest = SELFTEST_UNKNOWN;
	assert_is_left(&d, BIT(REST_POWER_CYCLE));
	d.c.selftest = SELFTEST_PASS; /* started anew since */
	assert_int_equal(judge(&d).ready, READY_YES);
}

TEST(a_deck_that_new_power_does_not_start_is_the_deck_s_own_trouble)
{
	struct drone d = fit_drone();

	kill_deck(&d);
	assert_is_left(&d, BIT(REST_POWER_CYCLE));
	d.c.power_cycle = POWER_CYCLE_DONE;
	assert_is_left(&d, BIT(REST_DECK));
	assert_false(readiness_needs_power_cycle(&d.c, &d.k, NULL));
	d = fit_drone();
	d.c.decks[1].state = DECK_IN_BOOT_LOADER;
	assert_is_left(&d, BIT(REST_DECK));
}

TEST(a_deck_with_other_firmware_is_said_with_the_order_that_mends_it)
{
	struct drone d = fit_drone();
	struct readiness r;

	age_deck(&d);
	d.k.decks_left = true;
	r = judge(&d);
	assert_non_null(strstr(r.text[REST_DECK], "cfdfuctl deck update"));
	assert_non_null(strstr(r.text[REST_DECK], "bcFlow2"));
	d.k.decks_left = false;
	r = judge(&d);
	assert_null(strstr(r.text[REST_DECK], "cfdfuctl deck update"));
	d = fit_drone();
	d.k.deck_old = "bcColorLedBot:col";
	assert_is_left(&d, BIT(REST_DECK));
	r = judge(&d);
	assert_non_null(strstr(r.text[REST_DECK], "bcColorLedBot:col has older firmware"));
}

TEST(a_deck_that_was_written_waits_for_power_and_another_is_still_named)
{
	struct drone d = fit_drone();

	for (unsigned i = 0; i < 2; i++) {
		d.c.decks[i].has_section = true;
		d.c.decks[i].section = (uint8_t)(2 * i);
		d.c.decks[i].state = i == 0 ? DECK_NEEDS_UPDATE : DECK_IN_BOOT_LOADER;
	}
	d.c.deck_pending = true;
	assert_is_left(&d, BIT(REST_DECK) | BIT(REST_POWER_CYCLE));
	d.c.decks_written = BIT(0);
	assert_is_left(&d, BIT(REST_DECK) | BIT(REST_POWER_CYCLE));
	assert_non_null(strstr(judge(&d).text[REST_DECK], "bcLighthouse4"));
	d.c.decks_written |= BIT(2);
	assert_is_left(&d, BIT(REST_POWER_CYCLE));
}

TEST(a_drone_that_a_power_cycle_lost_is_not_ready)
{
	struct drone d = fit_drone();

	d.c.power_cycle = POWER_CYCLE_LOST;
	assert_is_left(&d, BIT(REST_POWER_CYCLE));
	assert_non_null(strstr(judge(&d).text[REST_POWER_CYCLE], "did not come back"));
}

TEST(a_new_radio_configuration_waits_for_the_next_start)
{
	struct drone d = fit_drone();

	d.c.radio_pending = true;
	assert_is_left(&d, BIT(REST_POWER_CYCLE));
}

TEST(the_battery_is_judged_where_it_was_measured_and_asked_for)
{
	struct drone d = fit_drone();

	d.c.battery_mv = 3500;
	assert_int_equal(judge(&d).ready, READY_YES);
	drain_battery(&d);
	assert_non_null(strstr(judge(&d).text[REST_BATTERY], "3.49 V"));
	d.k.low_battery_mv = 0;
	assert_int_equal(judge(&d).ready, READY_YES);
	d = fit_drone();
	d.c.battery_mv = 0; /* not measured */
	assert_int_equal(judge(&d).ready, READY_YES);
}

TEST(the_words_hold_the_longest_names)
{
	struct drone d = fit_drone();

	fail_self_test(&d);
	memset(d.c.failed_module, 'm', sizeof(d.c.failed_module) - 1);
	memset(d.c.nrf_version, '9', sizeof(d.c.nrf_version) - 1);
	memset(d.c.decks[0].name, 'n', sizeof(d.c.decks[0].name) - 1);
	d.c.decks[0].state = DECK_NEEDS_UPDATE;
	d.k.decks_left = true;
	assert_is_left(&d, BIT(REST_SELF_TEST) | BIT(REST_DECK) | BIT(REST_NRF51));
}

TEST(names_are_those_of_the_interface)
{
	static const char *const rests[] = { "self-test", "power-cycle", "deck",
					     "nrf51",	  "address",	 "battery" };

	for (enum rest i = 0; i < REST_COUNT; i++)
		assert_string_equal(rest_name(i), rests[i]);
	assert_string_equal(ready_name(READY_UNKNOWN), "unknown");
	assert_string_equal(ready_name(READY_NO), "no");
	assert_string_equal(ready_name(READY_YES), "yes");
	for (enum deck_state s = DECK_UNKNOWN; s <= DECK_IN_BOOT_LOADER; s++)
		assert_non_null(deck_state_name(s));
	assert_string_equal(deck_state_name(DECK_NEEDS_UPDATE), "needs-update");
}

TEST_MAIN(NULL)
