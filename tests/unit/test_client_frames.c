/* SPDX-License-Identifier: MIT */
/* Texts in cells, and the live picture as a terminal shows it, in sizes that people have. */
#include "config.h"

#include "client/screen.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "client/cells.h"
#include "client/out.h"
#include "client/slots.h"
#include "terminal.h"

#define FAILED 4 /* drones of each picture */
#define FLOW_MAX 65536

static const char message[] = "The drone left DFU mode and did not come back (step booting). "
			      "Remove USB and, if there is one, "
			      "the battery, and plug it in again; if it stays dark, put it into "
			      "DFU mode: hold the button while "
			      "plugging in.";
static const char advice[] = "Remove USB and the battery, plug it in again.";

static const struct {
	unsigned rows, columns;
} sizes[] = { { 24, 60 }, { 24, 80 }, { 40, 120 }, { 50, 200 }, { 8, 40 } };

/* ---- cells ---------------------------------------------------------------------------------- */

TEST(a_text_is_measured_in_cells)
{
	assert_int_equal(cells_width(""), 0);
	assert_int_equal(cells_width("A1"), 2);
	assert_int_equal(cells_width("Tür"), 3);
	assert_int_equal(cells_width("Tu\u0308r"), 3); /* a combining mark */
	assert_int_equal(cells_width("机架"), 4);
	assert_int_equal(cells_width("\U0001F681"), 2);
}

TEST(a_text_is_cut_between_characters)
{
	static const struct {
		const char *text;
		size_t cells;
		const char *cut, *fit;
	} rows[] = {
		{ "A1", 4, "A1", "A1  " },
		{ "Werkbank", 5, "Werk…", "Werk…" },
		{ "机架一号", 5, "机架…", "机架…" },
		{ "机架一号", 4, "机…", "机… " },
		{ "机", 1, "…", "…" },
		{ "u\u0308u\u0308u\u0308", 2, "u\u0308…", "u\u0308…" },
		{ "x", 0, "", "" },
	};
	char text[64];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cells_cut(text, sizeof(text), rows[i].text, rows[i].cells);
		assert_string_equal(text, rows[i].cut);
		cells_fit(text, sizeof(text), rows[i].text, rows[i].cells);
		assert_string_equal(text, rows[i].fit);
	}
}

TEST(lines_are_broken_at_words)
{
	static const struct {
		const char *text;
		size_t cells;
		const char *lines[4];
	} rows[] = {
		{ "plug it in", 7, { "plug it", "in" } },
		{ "plug it in", 6, { "plug", "it in" } },
		{ "plug  it", 4, { "plug", "it" } },
		{ "supercalifragilistic", 10, { "supercalif", "ragilistic" } },
		{ "a supercalifragilistic", 10, { "a", "supercalif", "ragilistic" } },
		{ "机架 一号", 5, { "机架", "一号" } },
		{ "机", 1, { "机" } },
		{ "   ", 5, { NULL } },
		{ "one\ntwo three\n", 9, { "one", "two three" } },
		{ "\none\n\ntwo", 3, { "one", "two" } },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *text = rows[i].text;
		char line[64];
		size_t n = 0;

		for (; rows[i].lines[n] != NULL; n++) {
			assert_true(cells_line(line, sizeof(line), &text, rows[i].cells));
			assert_string_equal(line, rows[i].lines[n]);
		}
		assert_false(cells_line(line, sizeof(line), &text, rows[i].cells));
		assert_int_equal(cells_lines(rows[i].text, rows[i].cells), n);
	}
}

/* Nothing is lost and no line is too long, whatever the width. */
TEST(wrapping_loses_no_word)
{
	for (size_t cells = 15; cells < 260; cells++) {
		const char *text = message;
		char line[512], all[1024] = "";

		while (cells_line(line, sizeof(line), &text, cells)) {
			size_t used = strlen(all);

			assert_true(cells_width(line) <= cells);
			snprintf(all + used, sizeof(all) - used, "%s%s", used > 0 ? " " : "", line);
		}
		assert_string_equal(all, message);
	}
}

TEST(a_locale_without_utf8_gets_ascii)
{
	char text[64];

	assert_non_null(setlocale(LC_CTYPE, "C"));
	cells_clean(text, sizeof(text), "T\u00FCr \u673A\033[31m");
	assert_string_equal(text, "T?r ??[31m");
	cells_cut(text, sizeof(text), "Werkbank", 5);
	assert_string_equal(text, "Werk~");
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	cells_clean(text, sizeof(text), "T\u00FCr\u202E");
	assert_string_equal(text, "T\u00FCr?");
}

TEST(a_page_is_wrapped_at_words)
{
	static const struct {
		const char *text;
		size_t columns;
		const char *page;
	} rows[] = {
		{ "short\n", 20, "short\n" },
		{ "A3: plug it in again on this port\n", 20,
		  "A3: plug it in again\n  on this port\n" },
		{ "  title   a value of words\n", 20, "  title   a value of\n          words\n" },
		{ "  a long title   a value of words\n", 20,
		  "  a long title\n    a value of words\n" },
		{ "fail  the rule is not there\n", 20, "fail  the rule is\n      not there\n" },
		{ "Armed.  Nothing else to say here\n", 20,
		  "Armed.  Nothing else\n  to say here\n" },
		{ "\033[1;31mfail\033[0m  it is not there\n", 16,
		  "\033[1;31mfail\033[0m  it is not\n      there\n" },
		{ "\n\na\n", 20, "\n\na\n" },
		/* clang-format off */
		{ "机架 机架 机架 机架 机架\n", 20,
		  "机架 机架 机架 机架\n  机架\n" },
		/* clang-format on */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *page = cells_wrap(rows[i].text, rows[i].columns);

		assert_non_null(page);
		assert_string_equal(page, rows[i].page);
		free(page);
	}
}

/* ---- pictures ------------------------------------------------------------------------------- */

struct picture {
	int slots, active;
	bool wide_labels;
};

static json_t *
make_slot(const struct picture *p, int n)
{
	/* WHY spread: bad ones are to be found wherever they are plugged in */
	bool bad = n % (p->slots / FAILED) == p->slots / FAILED - 1;
	bool active = !bad && n < p->active;
	char port[16], label[32], serial[32];
	json_t *slot;

	snprintf(port, sizeof(port), "1-1.%d", n + 1);
	snprintf(label, sizeof(label), p->wide_labels ? "机架%d\U0001F681" : "R%d", n + 1);
	snprintf(serial, sizeof(serial), "002B%04X3234510C37333439", n);
	slot = json_pack("{s:s,s:s,s:b,s:s,s:s,s:i,s:i,s:b}", "port", port, "label", label,
			 "present", 1, "serial", serial, "state", active ? "writing" : "ended",
			 "percent", 100 - n % 50, "eta_s", 75, "safe_to_unplug", !active);
	if (bad)
		json_object_update_new(slot, json_pack("{s:s,s:s,s:s,s:s,s:s}", "verdict", "fail",
						       "fault", "no-boot", "step", "booting",
						       "message", message, "advice", advice));
	else if (!active)
		json_object_update_new(slot, json_pack("{s:s,s:s,s:s}", "verdict", "pass",
						       "version_before", "2025.02", "version_after",
						       "2025.12"));
	return slot;
}

static struct slots *
make_slots(const struct picture *p)
{
	json_t *list = json_array(), *reply;
	struct slots *s = NULL;

	for (int i = 0; i < p->slots; i++)
		json_array_append_new(list, make_slot(p, i));
	reply = json_pack("{s:{s:s,s:[{s:s,s:s}],s:{s:i,s:i,s:i,s:i,s:i,s:i}},s:o,s:b}", "station",
			  "state", "armed", "selected", "platform", "cf2", "name", "cf2-2025.12",
			  "counts", "present", p->slots, "active", p->active, "pass", 0,
			  "unchanged", 0, "failed", FAILED, "skipped", 0, "slots", list, "full", 1);
	assert_int_equal(slots_new(&s), 0);
	assert_int_equal(slots_apply(s, reply, NULL, NULL), 0);
	json_decref(reply);
	return s;
}

static void
show(struct terminal *t, const struct picture *p, unsigned rows, unsigned columns)
{
	struct slots *s = make_slots(p);
	struct screen how = { .rows = rows, .columns = columns, .colour = true };
	char *frame = screen_draw(s, &how);

	assert_non_null(frame);
	terminal_show(t, rows, columns, frame);
	free(frame);
	slots_free(s);
}

static void
name_of(const struct picture *p, int n, char *dst, size_t size)
{
	snprintf(dst, size, p->wide_labels ? "机架%d\U0001F681" : "R%d ", n + 1);
}

static int
count_of(const char *text, const char *part)
{
	int n = 0;

	for (; (text = strstr(text, part)) != NULL; text++)
		n++;
	return n;
}

static void
expect_failed(const struct terminal *t, const struct picture *p)
{
	char *flow = malloc(FLOW_MAX);
	int last = -1, told;

	for (int n = 0; n < p->slots; n++) {
		const char *line;
		char name[32];

		if (n % (p->slots / FAILED) != p->slots / FAILED - 1)
			continue;
		name_of(p, n, name, sizeof(name));
		line = terminal_find(t, name);
		if (line == NULL || strstr(line, "FAIL: no-boot") == NULL)
			fail_msg("%zux%zu, %d slots: %s has no row with its cause", t->columns,
				 t->rows, p->slots, name);
		last = terminal_row_of(t, name);
	}
	assert_true(last >= 0 && last < (int)t->rows);
	assert_non_null(flow);
	terminal_flow(t, flow, FLOW_MAX);
	told = count_of(flow, message) + count_of(flow, advice);
	if (told < (t->rows >= 24 ? FAILED : 1))
		fail_msg("%zux%zu, %d slots: %d instructions are whole", t->columns, t->rows,
			 p->slots, told);
	free(flow);
}

/* Each drone has its row or is counted in a line that says so; percentages have their signs. */
static void
expect_all_accounted(const struct terminal *t, const struct picture *p)
{
	int rows = 0, counted = 0;
	bool head = false;

	for (size_t i = 0; i <= t->row; i++) {
		const char *line = t->lines[i], *list;
		int n = 0;

		if (strstr(line, " active, ") != NULL) {
			head = true;
			continue;
		}
		list = strstr(line, " at work");
		if (list == NULL)
			list = strstr(line, " done");
		if (list != NULL && sscanf(line, "%d", &n) == 1)
			counted += n;
		else
			rows += strstr(line, "FAIL: no-boot") != NULL ||
				strstr(line, "flashing") != NULL ||
				strstr(line, "PASS 2025") != NULL;
	}
	assert_true(head);
	if (t->rows >= 16 && rows + counted != p->slots)
		fail_msg("%zux%zu: %d rows and %d counted of %d slots", t->columns, t->rows, rows,
			 counted, p->slots);
}

TEST(every_size_shows_the_failed_first_and_what_to_do)
{
	struct terminal *t = malloc(sizeof(*t));

	assert_non_null(t);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		for (int n = 0; n < 12; n++) {
			int slots = n % 2 == 0 ? 16 : 120;
			struct picture p = { .slots = slots,
					     .active = n / 2 % 3 * slots / 2,
					     .wide_labels = n >= 6 };

			show(t, &p, sizes[i].rows, sizes[i].columns);
			if (t->overflow)
				fail_msg("%ux%u is left", sizes[i].columns, sizes[i].rows);
			expect_failed(t, &p);
			expect_all_accounted(t, &p);
		}
	free(t);
}

/* ---- several stations ----------------------------------------------------------------------- */

static void
show_several(struct terminal *t, const struct screen_part *parts, size_t count,
	     const struct screen *how)
{
	char *frame = screen_draw_parts(parts, count, how);

	assert_non_null(frame);
	terminal_show(t, how->rows, how->columns, frame);
	assert_false(t->overflow);
	free(frame);
}

TEST(several_stations_share_the_lines_and_their_failed_drones_come_first)
{
	struct slots *few = make_slots(&(struct picture){ .slots = 4 });
	struct slots *many = make_slots(&(struct picture){ .slots = 120, .active = 60 });
	struct slots *none = NULL;
	struct terminal *t = malloc(sizeof(*t));

	assert_non_null(t);
	assert_int_equal(slots_new(&none), 0);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		const struct screen how = { .rows = sizes[i].rows, .columns = sizes[i].columns };
		const struct screen_part parts[] = { { "lab1", NULL, many },
						     { "lab2", "HAS GONE AWAY", few },
						     { "lab3", "is asked", none } };

		show_several(t, parts, ARRAY_LEN(parts), &how);
		assert_int_equal(terminal_row_of(t, "lab1: Station armed"), 0);
		assert_non_null(strstr(t->lines[1], "4 failed"));
		assert_non_null(strstr(t->lines[2], "FAIL: no-boot"));
		assert_non_null(terminal_find(t, "lab2: HAS GONE AWAY"));
		assert_int_equal(terminal_row_of(t, "lab3: is asked"), how.rows - 2);
		assert_int_equal(terminal_row_of(t, "q leaves"), how.rows - 1);
		/* The first one has the lines that the second does not need. */
		if (how.rows >= 24)
			assert_int_equal(terminal_row_of(t, "lab2: "), how.rows - 2 - 6);
	}
	free(t);
	slots_free(few);
	slots_free(many);
	slots_free(none);
}

TEST(stations_for_which_there_is_no_line_are_said_to_be_missing)
{
	struct slots *few = make_slots(&(struct picture){ .slots = 4 });
	struct terminal *t = malloc(sizeof(*t));
	struct screen_part parts[32];

	assert_non_null(t);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		parts[i] = (struct screen_part){ "lab", NULL, few };
	show_several(t, parts, ARRAY_LEN(parts), &(struct screen){ .rows = 24, .columns = 60 });
	assert_non_null(strstr(t->lines[22], "lab: "));
	assert_non_null(strstr(t->lines[22], "4 failed"));
	assert_int_equal(terminal_row_of(t, "A larger window shows all"), 23);
	show_several(t, parts, 23, &(struct screen){ .rows = 24, .columns = 60 });
	assert_null(terminal_find(t, "larger"));
	free(t);
	slots_free(few);
}

TEST(no_picture_is_larger_than_the_terminal)
{
	struct terminal *t = malloc(sizeof(*t));

	assert_non_null(t);
	for (int slots = 4; slots <= 124; slots += 40)
		for (unsigned rows = 1; rows < 60; rows += 7)
			for (unsigned columns = 2; columns < 200; columns += 33) {
				struct picture p = { slots, slots / 2, true };

				show(t, &p, rows, columns);
				assert_false(t->overflow);
			}
	free(t);
}

/* "5" for "50%" was seen at 60 columns. */
TEST(a_percentage_is_never_cut)
{
	struct terminal *t = malloc(sizeof(*t));

	assert_non_null(t);
	for (unsigned columns = 20; columns < 210; columns++) {
		struct picture p = { 8, 8, columns % 2 == 0 };

		show(t, &p, 100, columns);
		for (size_t i = 0; i <= t->row; i++)
			if (strstr(t->lines[i], "flashing") != NULL &&
			    strstr(t->lines[i], "% ") == NULL)
				fail_msg("%u columns: %s", columns, t->lines[i]);
		for (int n = 0; n < 4; n += 2) {
			char percent[8];

			snprintf(percent, sizeof(percent), " %d%%", 100 - n);
			if (terminal_find(t, percent) == NULL)
				fail_msg("%u columns:%s is not shown", columns, percent);
		}
	}
	free(t);
}

TEST(a_wide_terminal_has_all_columns)
{
	struct terminal *t = malloc(sizeof(*t));
	struct picture p = { 8, 4, false };

	assert_non_null(t);
	show(t, &p, 50, 120);
	assert_non_null(terminal_find(t, "[####################] 100%  1:15 flashing"));
	assert_non_null(terminal_find(t, "002B00003234510C37333439"));
	assert_non_null(terminal_find(t, "PASS 2025.02 -> 2025.12"));
	assert_non_null(terminal_find(t, "q leaves"));
	show(t, &p, 24, 80);
	assert_null(terminal_find(t, "002B00003234510C37333439"));
	assert_non_null(terminal_find(t, "002B0000 leave"));
	free(t);
}

TEST(a_notice_is_shown_in_the_first_line)
{
	struct terminal *t = malloc(sizeof(*t));
	struct picture p = { 4, 0, false };
	struct slots *s = make_slots(&p);
	struct screen how = { .rows = 24, .columns = 80, .notice = "The service has gone away." };
	char *frame = screen_draw(s, &how);

	assert_non_null(t);
	assert_non_null(frame);
	terminal_show(t, 24, 80, frame);
	assert_int_equal(terminal_row_of(t, "The service has gone away."), 0);
	free(frame);
	slots_free(s);
	free(t);
}

static int
take_locale(void **state)
{
	(void)state;
	return setlocale(LC_CTYPE, "C.UTF-8") != NULL ? 0 : -1;
}

TEST_MAIN(take_locale)
