/* SPDX-License-Identifier: MIT */
/* Slots of a fleet: found by port, given back, given to others, refused when all are in use. */
#include "config.h"

#include "core/fleet.h"

#include <errno.h>
#include <stdio.h>

#include "unit/test.h"

#define MINUTE 60000000ULL

struct bench {
	struct fleet *fleet;
	uint64_t now_us;
	unsigned events[EVENT_COUNT];
};

static int
set_up(void **state)
{
	static struct bench b;
	const struct fleet_options options = { .quarantine = 3 };

	memset(&b, 0, sizeof(b));
	b.now_us = 1000;
	assert_int_equal(fleet_new(&options, &b.fleet), 0);
	*state = &b;
	return 0;
}

static int
tear_down(void **state)
{
	fleet_free(((struct bench *)*state)->fleet);
	return 0;
}

static void
drain(struct bench *b)
{
	struct request c;

	while (fleet_next(b->fleet, b->now_us, &c))
		if (c.kind == REQUEST_EVENT)
			b->events[c.event.kind]++;
}

/* A device that is no drone: nothing is asked of it, and it takes a slot all the same. */
static void
plug(struct bench *b, const char *port)
{
	const struct drone_history none = { .known = false };
	struct sighting s = { .vid = 0x1234, .pid = 1, .arrival = 7 };

	copy_text(s.port, sizeof(s.port), port);
	fleet_sighted(b->fleet, &s, &none, b->now_us);
	drain(b);
}

static void
unplug(struct bench *b, const char *port)
{
	fleet_gone(b->fleet, port, 7, b->now_us);
	drain(b);
}

static const char *
name(unsigned n)
{
	static char port[PORT_TEXT_MAX];

	(void)snprintf(port, sizeof(port), "3-%u.%u", 1 + n / 10, 1 + n % 10);
	return port;
}

TEST_WITH(an_empty_slot_without_history_is_given_to_the_next_port, set_up, tear_down)
{
	struct bench *b = *state;
	uint64_t stay, revision;

	plug(b, "1-1");
	stay = fleet_stay(b->fleet, 0);
	unplug(b, "1-1");
	assert_true(fleet_is_used(b->fleet, 0));
	b->now_us += MINUTE;
	revision = fleet_revision(b->fleet, 0);
	plug(b, "1-2"); /* finds it empty for a minute */
	assert_int_equal(fleet_find(b->fleet, "1-1"), -ENOENT);
	assert_int_equal(fleet_given_back(b->fleet), 1);
	assert_false(fleet_is_used(b->fleet, 0));
	plug(b, "1-3");
	assert_int_equal(fleet_find(b->fleet, "1-3"), 0);
	assert_true(fleet_stay(b->fleet, 0) != stay);
	assert_true(fleet_revision(b->fleet, 0) != revision);
	assert_int_equal(fleet_slots(b->fleet), 2);
}

TEST_WITH(a_slot_that_was_left_a_moment_ago_is_kept, set_up, tear_down)
{
	struct bench *b = *state;

	plug(b, "1-1");
	unplug(b, "1-1");
	b->now_us += MINUTE - 1;
	plug(b, "1-2");
	assert_int_equal(fleet_find(b->fleet, "1-1"), 0);
}

TEST_WITH(a_port_that_comes_and_goes_is_told_as_flapping_though_others_come, set_up, tear_down)
{
	struct bench *b = *state;

	for (unsigned i = 0; i < 13; i++) {
		plug(b, "1-1");
		unplug(b, "1-1");
		plug(b, name(i));
		b->now_us += MINUTE / 20;
	}
	assert_int_equal(b->events[EVENT_QUARANTINED], 1);
	assert_int_equal(fleet_port_quarantine(b->fleet, 0), PORT_QUARANTINE_FLAPPING);
}

TEST_WITH(a_slot_with_a_label_a_failure_or_a_quarantine_is_kept, set_up, tear_down)
{
	struct bench *b = *state;

	assert_int_equal(fleet_recall_port(b->fleet, "1-1", 3, PORT_QUARANTINE_FAILURES), 0);
	assert_int_equal(fleet_recall_port(b->fleet, "1-2", 1, PORT_QUARANTINE_NONE), 0);
	for (unsigned i = 1; i <= 4; i++) {
		plug(b, name(i));
		unplug(b, name(i));
	}
	plug(b, "1-1");
	unplug(b, "1-1");
	plug(b, "1-2");
	unplug(b, "1-2");
	fleet_configure_slot(b->fleet, (unsigned)fleet_find(b->fleet, name(3)), true, "A3");
	b->now_us += MINUTE;
	plug(b, "1-9");
	assert_true(fleet_find(b->fleet, "1-1") >= 0);
	assert_true(fleet_find(b->fleet, "1-2") >= 0);
	assert_true(fleet_find(b->fleet, name(3)) >= 0);
	assert_int_equal(fleet_find(b->fleet, name(4)), -ENOENT);
	assert_int_equal(fleet_given_back(b->fleet), 3);
}

/* All of them, each plugged in a microsecond after the last. */
static void
fill(struct bench *b)
{
	for (unsigned i = 0; i < FLEET_SLOTS_MAX; i++) {
		b->now_us++;
		plug(b, name(i));
	}
	assert_int_equal(fleet_slots(b->fleet), FLEET_SLOTS_MAX);
}

TEST_WITH(one_more_than_there_are_slots_is_refused_until_one_is_empty, set_up, tear_down)
{
	struct bench *b = *state;

	fill(b);
	assert_int_equal(fleet_recall_port(b->fleet, "9-1", 0, PORT_QUARANTINE_NONE), -E2BIG);
	plug(b, "9-1"); /* changes nothing */
	assert_int_equal(fleet_find(b->fleet, "9-1"), -ENOENT);
	unplug(b, name(77));
	assert_int_equal(fleet_recall_port(b->fleet, "9-1", 0, PORT_QUARANTINE_NONE), 0);
	assert_int_equal(fleet_find(b->fleet, "9-1"), 77);
	assert_int_equal(fleet_find(b->fleet, name(77)), -ENOENT);
}

TEST_WITH(of_a_full_table_the_slot_that_is_missed_least_is_given_back, set_up, tear_down)
{
	struct bench *b = *state;
	static const char *const order[] = { "3-1.6", "3-1.4", "3-1.3", "3-1.2" };

	assert_int_equal(fleet_recall_port(b->fleet, "3-1.1", 0, PORT_QUARANTINE_CRASHES), 0);
	fill(b);
	fleet_configure_slot(b->fleet, (unsigned)fleet_find(b->fleet, "3-1.2"), true, "A2");
	assert_int_equal(fleet_recall_port(b->fleet, "3-1.3", 2, PORT_QUARANTINE_NONE), 0);
	/* Empty: one that is quarantined, one with a label, one with failures, two others. */
	b->now_us += MINUTE;
	unplug(b, "3-1.1");
	unplug(b, "3-1.2");
	unplug(b, "3-1.3");
	unplug(b, "3-1.6");
	b->now_us++;
	unplug(b, "3-1.4");
	for (unsigned i = 0; i < ARRAY_LEN(order); i++) {
		char port[PORT_TEXT_MAX];

		(void)snprintf(port, sizeof(port), "9-%u", i + 1);
		assert_true(fleet_find(b->fleet, order[i]) >= 0);
		plug(b, port);
		assert_int_equal(fleet_find(b->fleet, order[i]), -ENOENT);
	}
	plug(b, "9-9");
	assert_int_equal(fleet_find(b->fleet, "9-9"), -ENOENT);
	assert_true(fleet_find(b->fleet, "3-1.1") >= 0);
}

TEST_WITH(each_port_is_found_while_two_thousand_come_and_go, set_up, tear_down)
{
	struct bench *b = *state;

	for (unsigned i = 0; i < 2000; i++) {
		plug(b, name(i));
		b->now_us += MINUTE / 50;
		for (unsigned k = i >= 40 ? i - 39 : 0; k <= i; k++) {
			int slot = fleet_find(b->fleet, name(k));

			assert_true(slot >= 0);
			assert_string_equal(fleet_port(b->fleet, (unsigned)slot), name(k));
		}
		if (i >= 39)
			unplug(b, name(i - 39));
	}
	assert_true(fleet_slots(b->fleet) < 120);
}

TEST_MAIN(NULL)
