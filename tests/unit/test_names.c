/* SPDX-License-Identifier: MIT */
/* app/names: which drone is called how, by configuration and records. */
#include "config.h"

#include "app/names.h"

#include <stdlib.h>

#include "test.h"

#include "app/clock.h"
#include "app/services.h"
#include "app/settings_set.h"
#include "store/store.h"

#define ONE "51004F000551343036333233"
#define TWO "52004F000551343036333233"

struct bench {
	char dir[64];
	struct services sv;
	char why[SETTINGS_WHY_MAX];
};

static void
start(struct bench *b)
{
	const struct store_options options = { 0 };
	struct store_time now = clock_time(b->sv.clock);
	char why[STORE_WHY_MAX];

	assert_int_equal(store_open(b->dir, &options, &now, &b->sv.store, why), 0);
	assert_int_equal(names_new(&b->sv, &b->sv.names), 0);
	assert_int_equal(names_load(b->sv.names), 0);
}

static void
stop(struct bench *b)
{
	struct store_time now = clock_time(b->sv.clock);

	names_free(b->sv.names);
	assert_int_equal(store_commit(b->sv.store, &now), 0);
	store_close(b->sv.store, &now);
}

static int
set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	strcpy(b->dir, "/tmp/cfdfu-names-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	assert_int_equal(clock_new(&b->sv.clock), 0);
	b->sv.settings = calloc(1, sizeof(*b->sv.settings));
	assert_non_null(b->sv.settings);
	start(b);
	*state = b;
	return 0;
}

static int
tear_down(void **state)
{
	struct bench *b = *state;
	char command[96];

	stop(b);
	settings_free(b->sv.settings);
	clock_free(b->sv.clock);
	(void)snprintf(command, sizeof(command), "rm -rf %s", b->dir);
	free(b);
	return system(command);
}

#define TEST_NAMES(name) TEST_WITH(name, set_up, tear_down)

static void
name(struct bench *b, const char *serial, const char *text)
{
	if (names_set(b->sv.names, serial, text, b->why) < 0)
		fail_msg("%s = %s: %s", serial, text != NULL ? text : "none", b->why);
}

static void
configure(struct bench *b, const char *serial, const char *text)
{
	assert_int_equal(settings_set(b->sv.settings, "drones", serial, text, b->why), 0);
}

static void
expect_refused(struct bench *b, const char *serial, const char *text, const char *why)
{
	assert_int_equal(names_set(b->sv.names, serial, text, b->why), -22);
	assert_string_equal(b->why, why);
}

TEST_NAMES(a_name_holds_over_restarts_until_it_is_taken_back)
{
	struct bench *b = *state;

	assert_null(names_of(b->sv.names, ONE));
	name(b, ONE, "Ada");
	stop(b);
	start(b);
	assert_string_equal(names_of(b->sv.names, "51004f000551343036333233"), "Ada");
	assert_string_equal(names_serial(b->sv.names, "ADA"), ONE);
	name(b, "51004f000551343036333233", "Bea");
	assert_null(names_serial(b->sv.names, "Ada"));
	name(b, ONE, NULL);
	stop(b);
	start(b);
	assert_null(names_of(b->sv.names, ONE));
	name(b, ONE, NULL);
}

TEST_NAMES(a_name_is_one_drones_alone)
{
	struct bench *b = *state;

	name(b, ONE, "Ada");
	name(b, ONE, "ada");
	expect_refused(b, TWO, "ADA", "\"ADA\" is the name of drone " ONE);
	expect_refused(b, TWO, "1-4", "\"1-4\" is the name of a port");
	name(b, ONE, NULL);
	name(b, TWO, "ADA");
	assert_string_equal(names_serial(b->sv.names, "Ada"), TWO);
}

TEST_NAMES(the_configuration_counts_first)
{
	struct bench *b = *state;

	name(b, ONE, "Ada");
	name(b, TWO, "Bea");
	configure(b, ONE, "Bea");
	assert_string_equal(names_of(b->sv.names, ONE), "Bea");
	assert_string_equal(names_serial(b->sv.names, "Bea"), ONE);
	assert_null(names_of(b->sv.names, TWO)); /* its name is another drone's now */
	assert_null(names_serial(b->sv.names, "Ada"));
	expect_refused(b, ONE, "Cleo",
		       "the configuration names it \"Bea\" ([drones]), and that counts");
	expect_refused(b, TWO, "bea", "\"bea\" is the name of drone " ONE);
	configure(b, ONE, "");
	assert_string_equal(names_of(b->sv.names, ONE), "Ada");
	assert_string_equal(names_of(b->sv.names, TWO), "Bea");
}

static void
count(void *ctx, const char *serial)
{
	unsigned *n = ctx;

	(void)serial;
	++*n;
}

TEST_NAMES(each_named_drone_is_told_once)
{
	struct bench *b = *state;
	unsigned n = 0;

	name(b, ONE, "Ada");
	configure(b, ONE, "Bea");
	configure(b, TWO, "Cleo");
	names_each(b->sv.names, count, &n);
	assert_int_equal(n, 2);
	assert_null(names_of(NULL, ONE));
	assert_null(names_serial(NULL, "Ada"));
	assert_null(names_of(b->sv.names, ""));
	assert_null(names_of(b->sv.names, NULL));
}

TEST_NAMES(there_is_room_for_4096_names)
{
	struct bench *b = *state;
	char serial[16];

	for (int i = 0; i < 4096; i++) {
		(void)snprintf(serial, sizeof(serial), "%d", i);
		name(b, serial, serial);
	}
	assert_int_equal(names_set(b->sv.names, ONE, "more", b->why), -7);
	assert_string_equal(b->why, "");
	assert_null(names_of(b->sv.names, ONE));
}

TEST_MAIN(NULL)
