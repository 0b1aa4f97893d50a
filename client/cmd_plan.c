/* SPDX-License-Identifier: MIT */
/* cfdfuctl plan: what would happen to each drone now, and why. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "client/commands.h"
#include "client/conn.h"
#include "client/out.h"

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
add_row(struct table *t, const json_t *plan)
{
	struct text label = out_text(plan, "label"), port = out_text(plan, "port");
	struct text action = out_text(plan, "action");
	struct text before = out_text(plan, "version_before");
	struct text wanted = out_text(plan, "version_wanted");
	char versions[2 * 64 + 8] = "";

	if (before.s[0] != '\0' || wanted.s[0] != '\0')
		(void)snprintf(versions, sizeof(versions), "%.60s -> %.60s",
			       before.s[0] != '\0' ? before.s : "?",
			       wanted.s[0] != '\0' ? wanted.s : "?");
	table_row(t);
	table_cell(t, label.s[0] != '\0' ? label.s : port.s, COLOUR_NONE);
	table_cell(t, port.s, COLOUR_FAINT);
	table_cell(t, out_string(plan, "serial"), COLOUR_NONE);
	table_cell(t, action.s, colour_of(action.s));
	table_cell(t, out_string(plan, "firmware"), COLOUR_NONE);
	table_cell(t, versions, COLOUR_NONE);
	table_cell(t, out_string(plan, "reason"), COLOUR_NONE);
}

/* "4 flash, 2 unchanged": every action that there is, in the order in which they come. */
static void
print_sum(const json_t *plans)
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
	static const struct table_column columns[] = {
		{ N_("SLOT") },
		{ N_("PORT"), 1 },
		{ N_("SERIAL"), 2 },
		{ N_("ACTION") },
		{ N_("FIRMWARE"), 3, .cut = true },
		{ N_("VERSION"), 4 },
		{ N_("WHY") },
		{ NULL },
	};
	const json_t *plans = json_object_get(reply, "plans"), *plan;
	struct table *t;
	size_t i;
	int r;

	if (json_array_size(plans) == 0) {
		puts("No drone is plugged in.");
		return EXIT_OK;
	}
	r = table_new(s, columns, WHY_CELLS, &t);
	if (r != 0)
		return r;
	json_array_foreach(plans, i, plan)
		add_row(t, plan);
	r = table_finish(t);
	if (r != EXIT_OK)
		return r;
	print_sum(plans);
	return EXIT_OK;
}

static int
run(const struct session *s, const struct invocation *i)
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
	.run = run,
	.method = PROTO_METHOD("Plan"),
	.parameters = { { "target" }, { "with", "with" }, { "platform", "platform" } },
	.print = print_plans,
	.options = {
		{ "with", 0, "NAME", N_("as if this firmware were selected") },
		{ "platform", 0, "P", N_("for this platform, as with firmware select") },
	},
};
