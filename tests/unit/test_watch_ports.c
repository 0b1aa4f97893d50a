/* SPDX-License-Identifier: MIT */
/* Contract of udev/port_table: each arrival and each departure is told once, whatever the events
 * are. */
#include "config.h"

#include "udev/port_table.h"

#include <errno.h>
#include <stdlib.h>

#include "test.h"

static int
set_up(void **state)
{
	struct port_table *r = NULL;

	if (port_table_new(&r) < 0)
		return -1;
	*state = r;
	return 0;
}

static int
tear_down(void **state)
{
	port_table_free(*state);
	return 0;
}

/* Notes, and expects these arrivals to go and to come (0: none). */
static void
expect(struct port_table *r, const char *port, enum found found, uint64_t enumeration, uint64_t now,
       uint64_t gone, uint64_t new)
{
	struct port_change change;

	assert_int_equal(port_table_note(r, port, found, enumeration, now, &change), 0);
	assert_true(change.gone_arrival == gone);
	assert_true(change.new_arrival == new);
}

#define TEST_SET_UP(name) TEST_WITH(name, set_up, tear_down)

TEST_SET_UP(an_arrival_is_told_once_however_often_it_is_seen)
{
	struct port_table *r = *state;

	expect(r, "1-4", FOUND_OURS, 7, 100, 0, 100);
	expect(r, "1-4", FOUND_OURS, 7, 200, 0, 0);
	expect(r, "1-4", FOUND_UNREADY, 7, 300, 0, 0);
	expect(r, "1-4", FOUND_OTHER, 7, 300, 0, 0);
	expect(r, "1-4", FOUND_OURS, 7, 400, 0, 0);
	assert_int_equal(port_table_find(r, "1-4", 7), FOUND_OURS);
	assert_int_equal(port_table_find(r, "1-4", 8), FOUND_NOTHING);
}

TEST_SET_UP(a_departure_is_told_once)
{
	struct port_table *r = *state;

	expect(r, "1-4", FOUND_OURS, 7, 100, 0, 100);
	expect(r, "1-4", FOUND_NOTHING, 0, 200, 100, 0);
	expect(r, "1-4", FOUND_NOTHING, 0, 300, 0, 0);
	expect(r, "9-9", FOUND_NOTHING, 0, 300, 0, 0);
}

TEST_SET_UP(another_enumeration_on_the_port_is_a_departure_and_an_arrival)
{
	struct port_table *r = *state;

	expect(r, "1-4", FOUND_OURS, 7, 100, 0, 100);
	expect(r, "1-4", FOUND_OURS, 8, 200, 100, 200);
	expect(r, "1-4", FOUND_UNREADY, 9, 300, 200, 0);
	expect(r, "1-4", FOUND_OURS, 9, 400, 0, 400);
	expect(r, "1-4", FOUND_OTHER, 10, 500, 400, 0);
	expect(r, "1-4", FOUND_OTHER, 10, 600, 0, 0);
}

TEST_SET_UP(arrivals_rise_even_when_the_clock_does_not)
{
	struct port_table *r = *state;

	expect(r, "1-1", FOUND_OURS, 1, 100, 0, 100);
	expect(r, "1-2", FOUND_OURS, 2, 100, 0, 101);
	expect(r, "1-3", FOUND_OURS, 3, 50, 0, 102);
	expect(r, "1-1", FOUND_OURS, 4, 500, 100, 500);
}

TEST_SET_UP(an_unready_device_is_listed_until_it_is_ready_or_gone)
{
	struct port_table *r = *state;

	assert_true(port_table_unready_since(r, "1-1", 42) == 42);
	expect(r, "1-1", FOUND_UNREADY, 1, 100, 0, 0);
	expect(r, "1-2", FOUND_UNREADY, 2, 110, 0, 0);
	expect(r, "1-1", FOUND_UNREADY, 1, 150, 0, 0);
	assert_true(port_table_unready_since(r, "1-1", 200) == 100);
	assert_string_equal(port_table_unready(r, 0), "1-1");
	assert_string_equal(port_table_unready(r, 1), "1-2");
	assert_null(port_table_unready(r, 2));
	expect(r, "1-1", FOUND_OURS, 1, 300, 0, 300);
	expect(r, "1-2", FOUND_NOTHING, 0, 300, 0, 0);
	assert_null(port_table_unready(r, 0));
}

TEST_SET_UP(a_sweep_finds_what_was_pulled_without_an_event)
{
	struct port_table *r = *state;

	expect(r, "1-1", FOUND_OURS, 1, 100, 0, 100);
	expect(r, "1-2", FOUND_OURS, 2, 110, 0, 110);
	expect(r, "1-3", FOUND_OTHER, 3, 120, 0, 0);
	port_table_begin_sweep(r);
	assert_int_equal(port_table_find(r, "1-1", 1), FOUND_OURS);
	assert_int_equal(port_table_find(r, "1-3", 4), FOUND_NOTHING); /* another one by now */
	expect(r, "1-3", FOUND_OTHER, 4, 130, 0, 0);
	assert_string_equal(port_table_unseen(r), "1-2");
	expect(r, "1-2", FOUND_NOTHING, 0, 200, 110, 0);
	assert_null(port_table_unseen(r));
}

TEST_SET_UP(foreign_devices_can_become_ours)
{
	struct port_table *r = *state;

	expect(r, "1-1", FOUND_OURS, 1, 100, 0, 100);
	expect(r, "1-2", FOUND_OTHER, 2, 100, 0, 0);
	expect(r, "1-3", FOUND_OTHER, 3, 100, 0, 0);
	port_table_forget_others(r);
	assert_int_equal(port_table_find(r, "1-2", 2), FOUND_NOTHING);
	assert_int_equal(port_table_find(r, "1-1", 1), FOUND_OURS);
	expect(r, "1-2", FOUND_OURS, 2, 200, 0, 200);
}

TEST_SET_UP(the_number_of_ports_is_limited_and_known_ones_go_on)
{
	struct port_table *r = *state;
	struct port_change change;
	char port[PORT_TEXT_MAX];

	for (unsigned i = 0; i < PORT_TABLE_MAX; i++) {
		(void)snprintf(port, sizeof(port), "1-%u", i);
		expect(r, port, FOUND_OURS, i, i + 1, 0, i + 1);
	}
	assert_int_equal(port_table_note(r, "2-1", FOUND_OURS, 1, 1, &change), -E2BIG);
	expect(r, "1-5", FOUND_OURS, 9999, 9999, 6, 9999);
	expect(r, "1-6", FOUND_NOTHING, 0, 0, 7, 0);
	expect(r, "2-1", FOUND_OURS, 1, 10000, 0, 10000);
}

/* For scan results in any order: arrivals and departures of a port alternate, and match. */
TEST_SET_UP(any_order_of_events_alternates_arrival_and_departure)
{
	struct port_table *r = *state;
	uint64_t here[4] = { 0 };

	srand(1);
	for (unsigned i = 0; i < 20000; i++) {
		unsigned p = (unsigned)rand() % 4;
		char port[] = { '1', '-', (char)('1' + p), '\0' };
		struct port_change change;

		if (rand() % 50 == 0)
			port_table_forget_others(r);
		assert_int_equal(port_table_note(r, port, (enum found)(rand() % 4),
						 (uint64_t)rand() % 3, i + 1, &change),
				 0);
		if (change.gone_arrival != 0) {
			assert_true(change.gone_arrival == here[p]);
			here[p] = 0;
		}
		if (change.new_arrival != 0) {
			assert_true(here[p] == 0);
			here[p] = change.new_arrival;
		}
	}
}

TEST_MAIN(NULL)
