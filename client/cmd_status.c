/* SPDX-License-Identifier: MIT */
/* cfdfuctl status: the station and one row per slot. */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "client/commands.h"
#include "client/conn.h"
#include "client/out.h"
#include "client/overview.h"

#define LINE_MAX_BYTES 8192

#define MESSAGE_MIN 40 /* characters; where there is no room for so many, messages stand below */

#define NARROW 80 /* columns; with fewer, serials are shortened */

#define COLUMN_MESSAGE 8

static const struct table_column columns[] = {
	{ N_("SLOT") },	      { N_("LABEL"), .cut = true },
	{ N_("SERIAL"), 5 },  { N_("MODE"), 2 },
	{ N_("STATE"), 4 },   { N_("DONE"), 3, .right = true },
	{ N_("VERDICT") },    { N_("UNPLUG") },
	{ N_("MESSAGE"), 1 }, { NULL },
};

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
		[SLOT_FATE_NONE] = "-",	  [SLOT_FATE_ACTIVE] = "NO",   [SLOT_FATE_WAITING] = "-",
		[SLOT_FATE_DONE] = "yes", [SLOT_FATE_ASIDE] = "aside", [SLOT_FATE_ALONE] = "-",
	};

	return words[slot_fate(slot)];
}

/* The serial's digits are cut where lines are short: as many stay as tell the drones apart. */
static void
add_row(struct table *t, const json_t *slot, size_t digits)
{
	const char *verdict = slot_verdict(slot);
	struct text serial;
	char percent[16] = "";
	bool present = out_true(slot, "present");

	if (out_is_int(slot, "percent") && slot_is_active(slot))
		snprintf(percent, sizeof(percent), "%lld%%", (long long)out_int(slot, "percent"));
	text_copy(&serial, slot_serial(slot));
	if (strlen(serial.s) > digits)
		serial.s[digits] = '\0';
	table_row(t);
	table_cell(t, out_string(slot, "port"), COLOUR_NONE);
	table_cell(t, out_string(slot, "label"), COLOUR_NONE);
	table_cell(t, serial.s, COLOUR_NONE);
	table_cell(t, present ? out_string(slot, "mode") : "-", COLOUR_NONE);
	table_cell(t, out_string(slot, "state"), slot_is_active(slot) ? COLOUR_BUSY : COLOUR_NONE);
	table_cell(t, percent, COLOUR_NONE);
	table_cell(t, verdict != NULL ? verdict : "-", colour_of_verdict(verdict));
	table_cell(t, present ? take_away(slot) : "-", COLOUR_NONE);
	table_cell(t, out_string(slot, "message"), COLOUR_NONE);
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
		char name[96];

		if (messages && strstr(message.s, advice.s) != NULL)
			continue;
		if (!messages &&
		    (message.s[0] == '\0' || colour_of_verdict(slot_verdict(slot)) == COLOUR_GOOD))
			continue;
		slot_name(slot, name, sizeof(name));
		printf("%s%s: %s\n", before, name, messages ? advice.s : message.s);
		before = "";
	}
}

static int
print_table(const struct session *s, const json_t *slots, bool *ret_messages)
{
	const json_t *slot;
	unsigned room = out_columns();
	size_t i, digits = room > 0 && room < NARROW ? slots_serial_digits(slots) : SIZE_MAX;
	struct table *t;
	int r = table_new(s, columns, MESSAGE_MIN, &t);

	if (r != 0)
		return r;
	json_array_foreach(slots, i, slot)
		add_row(t, slot, digits);
	*ret_messages = table_fit(t, COLUMN_MESSAGE);
	return table_finish(t);
}

static void
print_end(const json_t *slots, bool messages)
{
	char line[LINE_MAX_BYTES];

	print_words(slots, messages);
	overview_unplug(slots, line, sizeof(line));
	if (line[0] != '\0')
		printf("\n%s\n", line);
	overview_sum(slots, line, sizeof(line));
	printf("\n%s\n", line);
}

static int
print_status(const struct session *s, const json_t *station, json_t *slots, bool failed)
{
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
	print_end(slots, messages);
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
run(const struct session *s, const struct invocation *i)
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
	.run = run,
	.method = PROTO_METHOD("GetStatus"),
	.parameters = { { "target" } },
	.options = { { "failed", 0, NULL, N_("only drones that have failed") } },
};
