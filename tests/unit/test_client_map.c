/* SPDX-License-Identifier: MIT */
/* The rack in text: cfdfuctl map; and which drone failed, and what to do, in the live picture. */
#include "config.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "cfdfu/proto.h"
#include "client/rack_map.h"
#include "client/screen.h"
#include "client/slots.h"
#include "client_run.h"
#include "terminal.h"

#define FLOW_MAX 65536
#define NEWS "\"full\":true"

static struct run r;

static const struct {
	unsigned rows, columns;
} sizes[] = { { 24, 60 }, { 24, 80 }, { 40, 120 }, { 50, 200 } };

static const struct {
	unsigned slots, columns;
} racks[] = { { 16, 4 }, { 49, 7 }, { 120, 15 } };

static const char button[] = "Battery off; plug it in with its button held for 5 s.";
static const char power[] = "Remove USB and battery, then plug it in again.";
static const char cable[] = "Check its cable; plug it in here again.";

/* The drone of a slot: every eighth is in trouble, of two kinds; half of the others work. */
static const char *
class_of(unsigned i)
{
	if (i % 8 == 2)
		return i % 16 == 2 ? "fail" : "needs-button";
	return i % 2 == 0 ? "active" : "pass";
}

static const char *
todo_of(unsigned i)
{
	if (strcmp(class_of(i), "needs-button") == 0)
		return button;
	return strcmp(class_of(i), "fail") != 0 ? NULL : i == 2 ? cable : power;
}

static json_t *
slot_of(unsigned i, unsigned columns, bool placed)
{
	const char *class = class_of(i);
	char port[32], label[16];
	json_t *slot;

	(void)snprintf(port, sizeof(port), "1-%u.%u", i / 7 + 1, i % 7 + 1);
	(void)snprintf(label, sizeof(label), "%c%u", 'A' + (int)(i / columns), i % columns + 1);
	slot = json_pack("{s:s, s:s, s:b, s:s, s:s, s:s?, s:s, s:i, s:s?, s:s?}", "port", port,
			 "label", label, "present", 1, "class", class, "state",
			 strcmp(class, "active") == 0 ? "writing" : "ended", "verdict",
			 strcmp(class, "active") == 0 ? NULL : class, "serial",
			 "330041000A51353432343630", "percent", (int)(i % 100), "todo", todo_of(i),
			 "fault", todo_of(i) != NULL ? "gone" : NULL);
	if (placed) {
		json_object_set_new(slot, "row", json_integer(i / columns + 1));
		json_object_set_new(slot, "column", json_integer(i % columns + 1));
	}
	return slot;
}

static json_t *
reply_of(unsigned count, unsigned columns, bool placed)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < count; i++)
		json_array_append_new(list, slot_of(i, columns, placed));
	return json_pack("{s:{s:s, s:{s:i}, s:o}, s:o, s:b}", "station", "state", "armed", "counts",
			 "present", (int)count, "rack",
			 placed ? json_pack("{s:i, s:i}", "rows", (int)(count / columns), "columns",
					    (int)columns)
				: json_null(),
			 "slots", list, "full", 1);
}

/* ---- the live picture ----------------------------------------------------------------------- */

static void
look(unsigned count, unsigned columns, bool placed, size_t size, struct terminal *t)
{
	const struct screen how = { .rows = sizes[size].rows, .columns = sizes[size].columns };
	json_t *reply = reply_of(count, columns, placed);
	struct slots *slots;
	char *text;

	assert_int_equal(slots_new(&slots), 0);
	assert_int_equal(slots_apply(slots, reply, NULL, NULL), 0);
	text = screen_draw(slots, &how);
	assert_non_null(text);
	terminal_show(t, how.rows, how.columns, text);
	assert_false(t->overflow);
	free(text);
	slots_free(slots);
	json_decref(reply);
}

/* Is the name there, and before the next word of advice the one for it? */
static bool
is_answered(const char *flow, const char *label, const char *todo)
{
	char name[32];

	for (size_t kind = 0; kind < 3; kind++) {
		const char *here = flow, *after;

		(void)snprintf(name, sizeof(name), "%s%c", label, " :,"[kind]);
		for (; (here = strstr(here, name)) != NULL; here++) {
			after = strstr(here, todo);
			if ((here == flow || here[-1] == ' ') && after != NULL)
				return true;
		}
	}
	return false;
}

/* The first question at a rack, in every size of a terminal, of every size of a rack. */
TEST(which_drone_failed_and_what_to_do_is_told_in_every_size)
{
	static struct terminal t;
	static char flow[FLOW_MAX];

	for (size_t n = 0; n < 2 * ARRAY_LEN(racks); n++)
		for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
			unsigned columns = racks[n / 2].columns;

			look(racks[n / 2].slots, columns, n % 2 == 0, s, &t);
			terminal_flow(&t, flow, sizeof(flow));
			for (unsigned i = 0; i < racks[n / 2].slots; i++) {
				char label[16];

				(void)snprintf(label, sizeof(label), "%c%u",
					       'A' + (int)(i / columns), i % columns + 1);
				if (todo_of(i) != NULL && !is_answered(flow, label, todo_of(i)))
					fail_msg("%u slots, %ux%u: %s is not answered:\n%s",
						 racks[n / 2].slots, sizes[s].columns,
						 sizes[s].rows, label, flow);
			}
		}
}

TEST(the_picture_has_the_rack_where_its_geometry_is_known)
{
	static struct terminal t;

	for (size_t n = 0; n < ARRAY_LEN(racks); n++)
		for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
			const char *c;
			int a, b;

			look(racks[n].slots, racks[n].columns, true, s, &t);
			a = terminal_row_of(&t, "A1 ");
			b = terminal_row_of(&t, "B1 ");
			assert_true(a >= 0 && b == a + 1);
			c = terminal_find(&t, "A3 ");
			assert_non_null(c);
			assert_non_null(strpbrk(c + 2 + strspn(c + 2, " "), "XF"));
			look(racks[n].slots, racks[n].columns, false, s, &t);
			assert_null(terminal_find(&t, "A1 PASS"));
		}
}

/* ---- the map -------------------------------------------------------------------------------- */

static void
map(json_t *take_parameters)
{
	char *text = json_dumps(take_parameters, 0);
	static char reply[RUN_OUTPUT_MAX];
	const char *replies[] = { reply, NULL };

	(void)snprintf(reply, sizeof(reply), "{\"parameters\":%s}", text);
	free(text);
	json_decref(take_parameters);
	client_run(&r, "map", replies, "");
	assert_int_equal(r.status, EXIT_OK);
}

TEST(the_map_has_a_cell_for_each_slot_and_what_to_do)
{
	json_t *reply = reply_of(16, 4, true);
	json_t *list = json_object_get(reply, "slots");

	json_object_set_new(json_array_get(list, 3), "name", json_string("Ada"));
	json_object_set_new(json_array_get(list, 5), "ready", json_string("no"));
	json_object_set_new(json_array_get(list, 5), "remaining",
			    json_pack("[{s:s, s:s}]", "what", "battery", "text", "It is low."));
	json_object_set_new(json_array_get(list, 7), "present", json_false());
	json_array_remove(list, 8);
	map(reply);
	if (strstr(r.out,
		   "A1 0% flashing      A2 PASS             A3 FAIL gone        A4 PASS Ada\n"
		   "B1 4% flashing      B2 PASS! battery    B3 6% flashing      B4\n") != r.out)
		fail_msg("%s", r.out);
	assert_non_null(strstr(r.out, "\n                    C2 PASS"));
	assert_non_null(strstr(r.out, "\nA3: Check its cable; plug it in here again.\n"));
	assert_non_null(strstr(r.out, "C3: Battery off; plug it in with its button held"));
	assert_non_null(strstr(r.out, "15 drones: "));
}

TEST(a_wide_rack_has_signs_and_says_what_they_mean)
{
	map(reply_of(120, 15, true));
	assert_non_null(strstr(r.out, "A1 > A2 + A3 X A4 + "));
	assert_non_null(strstr(r.out, "A15>\n"));
	assert_non_null(strstr(r.out, rack_map_signs));
}

TEST(slots_without_a_place_stand_below_and_without_any_in_a_square)
{
	json_t *reply = reply_of(16, 4, true);
	json_t *list = json_object_get(reply, "slots");

	json_object_set_new(json_array_get(list, 1), "row", json_integer(1));
	json_object_set_new(json_array_get(list, 1), "column", json_integer(1));
	json_object_del(json_array_get(list, 2), "row");
	json_object_set_new(json_array_get(list, 3), "row", json_integer(99));
	map(reply);
	assert_true(strncmp(r.out, "A1 0% flashing\nB1 4%", 20) == 0);
	assert_non_null(strstr(r.out, "\nA2 PASS             A3 FAIL gone        A4 PASS\n"));
	map(reply_of(9, 4, false));
	assert_non_null(strstr(r.out, "\nA4 PASS"));
	map(json_pack("{s:{}, s:[]}", "station", "slots"));
	assert_non_null(strstr(r.out, "0 drones"));
}

TEST(rows_that_no_label_uses_are_not_drawn)
{
	json_t *reply = reply_of(4, 4, true);
	json_t *slot;
	size_t i;

	json_array_foreach(json_object_get(reply, "slots"), i, slot)
		json_object_set_new(slot, "row", json_integer(19));
	json_object_set_new(json_object_get(reply, "station"), "rack",
			    json_pack("{s:i, s:i}", "rows", 19, "columns", 4));
	map(reply);
	assert_true(strncmp(r.out, "A1 0%", 5) == 0);
}

TEST(a_rack_beyond_the_limit_is_not_drawn)
{
	for (int n = 0; n < 2; n++) {
		json_t *reply = reply_of(4, 2, true);
		json_t *station = json_object_get(reply, "station");

		json_object_set_new(station, "rack",
				    json_pack("{s:I, s:I}", "rows",
					      (json_int_t)(n ? INT64_MAX : 1001), "columns",
					      (json_int_t)(n ? INT64_MAX : 1)));
		json_object_set_new(json_array_get(json_object_get(reply, "slots"), 0), "column",
				    json_integer(1));
		map(reply);
		assert_non_null(strstr(r.out, "wider than this terminal"));
	}
}

TEST(a_label_that_is_wider_than_the_terminal_is_no_reason_to_fail)
{
	json_t *reply = reply_of(4, 2, true);
	char wide[128];

	memset(wide, 'x', sizeof(wide) - 1);
	wide[sizeof(wide) - 1] = '\0';
	json_object_set_new(json_array_get(json_object_get(reply, "slots"), 0), "label",
			    json_string(wide));
	map(reply);
	assert_non_null(strstr(r.out, "wider than this terminal"));
	assert_non_null(strstr(r.out, "B1: Check its cable"));
}

static int
set_up(void **state)
{
	(void)state;
	return setlocale(LC_CTYPE, "C.UTF-8") != NULL ? 0 : -1;
}

TEST_MAIN(set_up)
