/* SPDX-License-Identifier: MIT */
/*
 * cfdfuctl status: the station and one row per slot.  map: the rack as it stands.  plan: what would
 * happen to each drone now, and why.
 */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "client/commands.h"
#include "client/conn.h"
#include "client/out.h"
#include "client/overview.h"
#include "client/rack_map.h"

#define LINE_MAX_BYTES 8192

#define MESSAGE_MIN 40 /* characters; where there is no room for so many, messages stand below */

#define NARROW 80 /* columns; with fewer, serials are shortened */

static const struct table_column status_columns[] = {
	{ N_("SLOT"), .key = "port" },
	{ N_("LABEL"), .cut = true, .key = "label" },
	{ N_("NAME"), 6, .cut = true, .spare = true, .key = "name" },
	{ N_("SERIAL"), 7 },
	{ N_("MODE"), 3 },
	{ N_("STATE"), 5 },
	{ N_("DONE"), 4, .right = true },
	{ N_("BATTERY"), 2, .right = true, .spare = true, .key = "battery_mv", FIELD_VOLTS },
	{ N_("READY"), .spare = true },
	{ N_("VERDICT") },
	{ N_("UNPLUG") },
	{ N_("MESSAGE"), 1, .key = "message" },
	{ NULL },
};
#define COLUMN_MESSAGE 11

static void
print_header(const json_t *station)
{
	char line[LINE_MAX_BYTES];

	overview_station(station, line, sizeof(line));
	puts(line);
	overview_firmware(station, line, sizeof(line));
	puts(line);
	overview_counts(station, line, sizeof(line));
	puts(line);
	out_lines(json_object_get(station, "notes"));
}

/* Whether to take it away; what is not good is never called safe. */
static const char *
take_away(const json_t *slot)
{
	static const char *const words[] = {
		[SLOT_FATE_NONE] = "-",	       [SLOT_FATE_ACTIVE] = "NO",
		[SLOT_FATE_WAITING] = "-",     [SLOT_FATE_DONE] = "yes",
		[SLOT_FATE_ASIDE] = "aside",   [SLOT_FATE_ALONE] = "-",
		[SLOT_FATE_UNSURE] = "unsure",
	};

	return words[slot_place(slot)];
}

/* "READY", "NO: deck, power-cycle", "checking"; "-" where its bytes are not known to be right. */
static void
ready_cell(const json_t *slot, char *dst, size_t size)
{
	char left[128];

	slot_remaining(slot, left, sizeof(left));
	if (slot_fate(slot) != SLOT_FATE_DONE)
		(void)snprintf(dst, size, "-");
	else
		(void)snprintf(dst, size, "%s%s%s",
			       out_is(slot, "ready", "no") && !slot_is_checking(slot)
				   ? "NO"
				   : slot_ready_word(slot),
			       left[0] != '\0' ? ": " : "", left);
}

static void
add_slot(struct table *t, const json_t *slot, size_t digits)
{
	const char *verdict = slot_verdict(slot);
	char percent[16] = "", ready[160];
	bool present = out_true(slot, "present"), active = slot_is_active(slot);

	if (out_is_int(slot, "percent") && active)
		snprintf(percent, sizeof(percent), "%lld%%", (long long)out_int(slot, "percent"));
	ready_cell(slot, ready, sizeof(ready));
	table_row(t, slot);
	table_cell(t, slot_short_serial(slot, digits).s, COLOUR_NONE);
	table_cell(t, present ? out_string(slot, "mode") : "-", COLOUR_NONE);
	table_cell(t, out_string(slot, "state"), active ? COLOUR_BUSY : COLOUR_NONE);
	table_cell(t, percent, COLOUR_NONE);
	table_cell(t, ready, ready[0] != '-' ? slot_ready_colour(slot) : COLOUR_NONE);
	table_cell(t, verdict != NULL ? verdict : "-", colour_of_verdict(verdict));
	table_cell(t, present ? take_away(slot) : "-", COLOUR_NONE);
}

/*
 * Below the table, one line per slot: the advice to the operator, where the message in the table
 * does not have it already; or, where the table had no room for messages, those that are not plain
 * from the verdict.
 */
static void
print_words(const json_t *slots, bool messages)
{
	const char *before = "\n";
	const json_t *slot;
	size_t i;

	json_array_foreach(slots, i, slot) {
		struct text advice = out_text(slot, "advice"), message = out_text(slot, "message");
		struct text text = slot_ready_text(slot);
		bool good = colour_of_verdict(slot_verdict(slot)) == COLOUR_GOOD;
		char name[96];

		if (slot_is_checking(slot) || text.s[0] == '\0') {
			if (messages ? strstr(message.s, advice.s) != NULL : good)
				continue;
			text = messages ? advice : message;
		}
		if (text.s[0] == '\0')
			continue;
		slot_name(slot, name, sizeof(name));
		printf("%s%s: %s\n", before, name, text.s);
		before = "";
	}
}

static int
print_table(const struct session *s, const json_t *slots, bool *ret_messages)
{
	const json_t *slot;
	bool narrow = out_columns() > 0 && out_columns() < NARROW;
	size_t i, digits = narrow ? slots_serial_digits(slots) : SIZE_MAX;
	struct table *t;
	int r = table_new(s, status_columns, MESSAGE_MIN, &t);

	if (r != 0)
		return r;
	json_array_foreach(slots, i, slot)
		add_slot(t, slot, digits);
	*ret_messages = table_fit(t, COLUMN_MESSAGE);
	return table_finish(t);
}

/* The things to do, and the sum. */
static void
print_end(const json_t *slots)
{
	char text[LINE_MAX_BYTES];

	overview_todo(slots, text, sizeof(text));
	if (text[0] != '\0')
		printf("\nTo do:\n%s\n", text);
	overview_sum(slots, text, sizeof(text));
	printf("\n%s\n", text);
}

static int
print_status(const struct session *s, const json_t *station, json_t *slots, bool failed)
{
	char line[LINE_MAX_BYTES];
	bool messages = true;
	int r;

	print_header(station);
	if (json_array_size(slots) == 0) {
		puts(failed ? "\nNo drone has failed." : "\nNothing is plugged in.");
		return EXIT_OK;
	}
	if (slots_put_bad_first(slots) < 0)
		return say_no_memory();
	putchar('\n');
	r = print_table(s, slots, &messages);
	print_words(slots, messages);
	overview_unplug(slots, line, sizeof(line));
	if (line[0] != '\0')
		printf("\n%s\n", line);
	print_end(slots);
	return r;
}

/* Leaves those alone that failed. */
static void
keep_failed(json_t *slots)
{
	for (size_t i = json_array_size(slots); i-- > 0;)
		if (!slot_has_failed(json_array_get(slots, i)))
			(void)json_array_remove(slots, i); /* WHY: it was just found */
}

static int
run_status(const struct session *s, const struct invocation *i)
{
	struct params p = params_of(i);
	json_t *reply = NULL, *slots;
	bool failed = invocation_has(i, "failed");
	int r = conn_ask(s, i->command->method, &p, &reply);

	if (r != 0)
		return r;
	if (failed)
		keep_failed(json_object_get(reply, "slots"));
	slots = slots_sort(json_object_get(reply, "slots"));
	if (s->json)
		out_json(reply);
	else
		r = print_status(s, json_object_get(reply, "station"), slots, failed);
	json_decref(slots);
	json_decref(reply);
	return r;
}

const struct command_desc cmd_status = {
	.name = "status",
	.args = "[SLOT|SERIAL]",
	.args_max = 1,
	.help = N_("the station, the selected firmware, and one row per slot"),
	.run = run_status,
	.method = PROTO_METHOD("GetStatus"),
	.parameters = { { "target" } },
	.options = { { "failed", 0, NULL, N_("only drones that have failed") } },
};

static int
print_map(const struct session *s, const json_t *reply)
{
	const json_t *station = json_object_get(reply, "station");
	json_t *slots = slots_sort(json_object_get(reply, "slots"));
	size_t columns = out_columns() > 0 ? out_columns() : NARROW;
	char text[LINE_MAX_BYTES];
	struct rack_map m;

	if (rack_map_lay(station, slots, columns, &m)) {
		for (size_t row = 0; row < m.rows; row++) {
			rack_map_row(&m, row, out_has_colour(s), text);
			puts(text);
		}
		if (!m.words)
			puts(rack_map_signs);
		rack_map_done(&m);
	} else {
		puts("The rack is wider than this terminal.");
	}
	if (slots_put_bad_first(slots) < 0)
		return say_no_memory();
	print_end(slots);
	json_decref(slots);
	return EXIT_OK;
}

const struct command_desc cmd_map = {
	.name = "map",
	.args = "",
	.help = N_("the rack as it stands, and what to do"),
	.run = conn_run,
	.method = PROTO_METHOD("GetStatus"),
	.print = print_map,
};

#define WHY_CELLS 30 /* a narrower column of reasons is unreadable */

static enum colour
colour_of(const char *action)
{
	static const struct {
		const char *action;
		enum colour colour;
	} colours[] = {
		{ "flash", COLOUR_BUSY },      { "running", COLOUR_BUSY },
		{ "unchanged", COLOUR_GOOD },  { "done", COLOUR_GOOD },
		{ "wait", COLOUR_ATTENTION },  { "look", COLOUR_ATTENTION },
		{ "skipped", COLOUR_BAD },     { "foreign", COLOUR_BAD },
		{ "quarantined", COLOUR_BAD },
	};

	for (size_t i = 0; i < ARRAY_LEN(colours); i++)
		if (strcmp(action, colours[i].action) == 0)
			return colours[i].colour;
	return COLOUR_NONE;
}

static void
add_plan(struct table *t, const json_t *plan)
{
	struct text action = out_text(plan, "action");
	struct text before = out_text(plan, "version_before");
	struct text wanted = out_text(plan, "version_wanted");
	char versions[2 * 64 + 8] = "";

	if (before.s[0] != '\0' || wanted.s[0] != '\0')
		(void)snprintf(versions, sizeof(versions), "%.60s -> %.60s",
			       before.s[0] != '\0' ? before.s : "?",
			       wanted.s[0] != '\0' ? wanted.s : "?");
	table_cell(t, slot_label(plan).s, COLOUR_NONE);
	table_cell(t, out_string(plan, "port"), COLOUR_FAINT);
	table_cell(t, action.s, colour_of(action.s));
	table_cell(t, versions, COLOUR_NONE);
}

/* "4 flash, 2 unchanged": every action that there is, in the order in which they come. */
static void
print_plan_sum(const json_t *plans)
{
	json_t *counts = json_object(), *n;
	const json_t *plan;
	const char *action;
	bool first = true;
	size_t i;

	json_array_foreach(plans, i, plan) {
		action = out_text(plan, "action").s[0] != '\0' ? out_string(plan, "action") : "?";
		n = json_object_get(counts, action);
		(void)json_object_set_new(counts, action, json_integer(json_integer_value(n) + 1));
	}
	json_object_foreach(counts, action, n) {
		struct text t;

		text_copy(&t, action);
		printf("%s%lld %s", first ? "" : ", ", (long long)json_integer_value(n), t.s);
		first = false;
	}
	putchar('\n');
	json_decref(counts);
}

static int
print_plans(const struct session *s, const json_t *reply)
{
	static const struct table_list how = {
		.none = N_("No drone is plugged in."),
		.row = add_plan,
		.last_min = WHY_CELLS,
		.columns = {
			{ N_("SLOT") },
			{ N_("PORT"), 1 },
			{ N_("SERIAL"), 2, .key = "serial" },
			{ N_("ACTION") },
			{ N_("FIRMWARE"), 3, .cut = true, .key = "firmware" },
			{ N_("VERSION"), 4 },
			{ N_("WHY"), .key = "reason" },
		},
	};
	const json_t *plans = json_object_get(reply, "plans");
	int r = table_list(s, &how, plans);

	if (r == EXIT_OK && json_array_size(plans) > 0)
		print_plan_sum(plans);
	return r;
}

static int
run_plan(const struct session *s, const struct invocation *i)
{
	const char *platform = invocation_value(i, "platform");
	int r = params_check_platform(i, platform, false);

	if (r == 0 && platform != NULL && !invocation_has(i, "with"))
		r = usage_error(i->command, "--platform says what --with is for; give both");
	return r == 0 ? conn_run(s, i) : r;
}

const struct command_desc cmd_plan = {
	.name = "plan",
	.args = "[SLOT|SERIAL]",
	.args_max = 1,
	.help = N_("what would happen to each drone now, and why; touches nothing"),
	.run = run_plan,
	.method = PROTO_METHOD("Plan"),
	.parameters = { { "target" }, { "with", "with" }, { "platform", "platform" } },
	.print = print_plans,
	.options = {
		{ "with", 0, "NAME", N_("as if this firmware were selected") },
		{ "platform", 0, "P", N_("for this platform, as with firmware select") },
	},
};
