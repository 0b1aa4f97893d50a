/* SPDX-License-Identifier: MIT */
/* Contract of app/settings on the whole drone: names, and what the fleet is told. */
#include "config.h"

#include "app/settings.h"
#include "app/settings_set.h"
#include "core/fleet.h"

#include <stdlib.h>

#include "test.h"

#define SERIAL "51004F000551343036333233"

static int
set_up(void **state)
{
	*state = calloc(1, sizeof(struct settings));
	return *state == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	free(*state);
	return 0;
}

static void
set(struct settings *c, const char *section, const char *key, const char *value)
{
	char why[SETTINGS_WHY_MAX] = "";

	if (settings_set(c, section, key, value, why) < 0)
		fail_msg("[%s] %s = %s: %s", section, key, value, why);
}

#define TEST_SET_UP(name) TEST_WITH(name, set_up, tear_down)

TEST_SET_UP(the_fleet_is_told_of_the_whole_drone)
{
	struct settings *c = *state;
	struct job_options o;
	const char *section, *key, *value;

	for (size_t i = 0; settings_default(i, &section, &key, &value); i++)
		set(c, section, key, value);
	o = settings_fleet_options(c).job;
	assert_true(o.power_cycle);
	assert_false(o.deck_update);
	assert_int_equal(o.link_patience_us, 30000);
	assert_int_equal(o.low_battery_mv, 3500);
	set(c, "flash", "power-cycle", "never");
	set(c, "flash", "link-patience", "50");
	set(c, "decks", "update", "yes");
	set(c, "station", "low-battery", "0");
	o = settings_fleet_options(c).job;
	assert_false(o.power_cycle);
	assert_true(o.deck_update);
	assert_int_equal(o.link_patience_us, 50000);
	assert_int_equal(o.low_battery_mv, 0);
}

TEST_SET_UP(a_drone_is_named_by_its_serial_in_any_letters)
{
	struct settings *c = *state;

	assert_null(settings_drone_name(c, SERIAL));
	set(c, "drones", SERIAL, "Ada");
	set(c, "drones", "52AA", "Stra\xC3\x9F 3");
	set(c, "drones", "53AA", "gone");
	set(c, "drones", "54AA", "one");
	set(c, "drones", "53aa", "");
	set(c, "drones", "54aa", "two");
	set(c, "drones", "55AA", "one");
	assert_string_equal(settings_drone_name(c, "51004f000551343036333233"), "Ada");
	assert_string_equal(settings_drone_name(c, "52AA"), "Stra\xC3\x9F 3");
	assert_null(settings_drone_name(c, "53AA"));
	assert_string_equal(settings_drone_name(c, "54AA"), "two");
	assert_string_equal(settings_drone_name(c, "55AA"), "one");
}

TEST_SET_UP(a_hook_is_limited_to_events_that_there_are)
{
	struct settings *c = *state;
	char why[SETTINGS_WHY_MAX];

	set(c, "hooks", "lamp", " ended  idle ");
	set(c, "hooks", "any name", "");
	set(c, "stations", "hall", "lab1 operator@lab2");
	assert_int_equal(settings_set(c, "hooks", "lamp", "ended end", why), -22);
	assert_non_null(strstr(why, "\"end\" is no event; there are plugged started "));
	assert_int_equal(settings_set(c, "hooks", "lamp", "ended idle plugged started gone x", why),
			 -22);
}

TEST_SET_UP(no_two_drones_have_one_name)
{
	struct settings *c = *state;
	char why[SETTINGS_WHY_MAX];

	set(c, "drones", "51AA", "Ada");
	set(c, "drones", "52AA", "Bea");
	assert_int_equal(settings_check_drones(c, why), 0);
	set(c, "drones", "53AA", "ADA");
	assert_int_equal(settings_check_drones(c, why), -22);
	assert_string_equal(why, "\"ADA\" is the name of two drones, 51AA and 53AA");
}

static const struct {
	const char *section, *key, *value, *why;
} wrong_keys[] = {
	{ "flash", "link-patience", "5001", "\"5001\" is too large" },
	{ "flash", "link-patience", "1 h", "\"1 h\" has an unknown unit" },
	{ "flash", "power-cycle", "yes", "\"yes\" is none of: never, auto" },
	{ "decks", "update", "auto", "\"auto\" is none of: no, report, yes" },
	{ "decks", "power-cycle", "auto", "there is no key \"power-cycle\" in [decks]" },
	{ "station", "low-battery", "3.5 V", "\"3.5 V\" has an unknown unit" },
	{ "station", "low-battery", "4201", "\"4201\" is too large" },
};

TEST_SET_UP(values_that_cannot_be_are_refused)
{
	struct settings *c = *state;
	char why[SETTINGS_WHY_MAX];

	for (size_t i = 0; i < ARRAY_LEN(wrong_keys); i++) {
		assert_int_equal(settings_set(c, wrong_keys[i].section, wrong_keys[i].key,
					      wrong_keys[i].value, why),
				 -22);
		assert_string_equal(why, wrong_keys[i].why);
	}
	set(c, "station", "low-battery", "3600 mV");
	set(c, "flash", "link-patience", "1s");
	assert_int_equal(c->low_battery_mv, 3600);
	assert_int_equal(c->link_patience_ms, 1000);
}

static const struct {
	const char *serial, *name, *why;
} wrong[] = {
	{ "", "Ada", "a serial is 1 to 63 characters long" },
	{ "1-4", "Ada", "\"1-4\" is not a serial" },
	{ "51AA", "1-4", "\"1-4\" is the name of a port" },
	{ "51AA", "--yes", "a drone's name begins with neither - nor a blank, nor ends with one" },
	{ "51AA", "\xC3(", "a drone's name is not valid UTF-8" },
	{ "51AA", "a\xC2\x9B", "a drone's name has a control character" },
	{ "51AA", "a\xE2\x80\xAE", "a drone's name has a control character" },
	{ "51AA", "a\tb", "a drone's name has a control character" },
	{ "51AA", "0123456789012345678901234567890123456789012345678901234567890123",
	  "a drone's name is 1 to 63 bytes long" },
};

TEST_SET_UP(names_that_cannot_be_told_apart_from_others_are_refused)
{
	struct settings *c = *state;
	char why[SETTINGS_WHY_MAX];

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_int_equal(settings_set(c, "drones", wrong[i].serial, wrong[i].name, why),
				 -22);
		assert_string_equal(why, wrong[i].why);
	}
	assert_int_equal(c->drone_count, 0);
}

TEST_SET_UP(there_are_names_for_512_drones)
{
	struct settings *c = *state;
	char serial[16], why[SETTINGS_WHY_MAX];

	for (int i = 0; i < SETTINGS_DRONES_MAX; i++) {
		(void)snprintf(serial, sizeof(serial), "%d", i);
		set(c, "drones", serial, serial);
	}
	assert_int_equal(settings_set(c, "drones", "one", "more", why), -22);
	assert_string_equal(why, "more than 512 drones");
	set(c, "drones", "7", "");
	set(c, "drones", "one", "more");
	assert_string_equal(settings_drone_name(c, "8"), "8");
}

TEST_MAIN(NULL)
