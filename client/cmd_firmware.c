/* SPDX-License-Identifier: MIT */
/* cfdfuctl firmware list, select, deselect, remove, release: the catalogue and its selections. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "client/commands.h"
#include "client/conn.h"
#include "client/out.h"

#define ADDED_CELLS 19 /* of a time: not to be wrapped */

/* "cf2, bolt" of a list of texts. */
static void
join(const json_t *list, char *dst, size_t size)
{
	dst[0] = '\0';
	for (size_t i = 0; i < json_array_size(list); i++)
		text_add(dst, size, "%s%.60s", i > 0 ? ", " : "", out_item(list, i).s);
}

/* "nrf51, bcLighthouse4": each target once. */
static void
join_targets(const json_t *parts, char *dst, size_t size)
{
	const json_t *p;
	size_t i;

	dst[0] = '\0';
	json_array_foreach(parts, i, p) {
		struct text target = out_text(p, "target");

		if (strstr(dst, target.s) == NULL)
			text_add(dst, size, "%s%.23s", i > 0 ? ", " : "", target.s);
	}
}

static void
add_row(struct table *t, const json_t *f)
{
	char platforms[256], selected[512], own[256], targets[420];
	struct text sum = out_sum(f, "sha256");
	char version[96];
	bool incomplete = json_is_true(json_object_get(f, "incomplete"));

	snprintf(version, sizeof(version), "%.64s%s", out_text(f, "version").s,
		 incomplete ? " (incomplete)" : "");
	join(json_object_get(f, "platforms"), platforms, sizeof(platforms));
	join(json_object_get(f, "selected_for"), selected, sizeof(selected));
	join(json_object_get(f, "own"), own, sizeof(own));
	if (own[0] != '\0')
		text_add(selected, sizeof(selected), "%s%s", selected[0] != '\0' ? ", " : "", own);
	if (out_true(f, "quarantined"))
		text_add(selected, sizeof(selected), "%sSET ASIDE",
			 selected[0] != '\0' ? ", " : "");
	join_targets(json_object_get(f, "parts"), targets, sizeof(targets));
	table_cell(t, version, COLOUR_NONE);
	table_cell(t, platforms, COLOUR_NONE);
	table_cell(t, sum.s, COLOUR_NONE);
	table_cell(t, selected[0] != '\0' ? selected : "-",
		   out_true(f, "quarantined") ? COLOUR_BAD
		   : selected[0] != '\0'      ? COLOUR_GOOD
					      : COLOUR_NONE);
	table_cell(t, targets[0] != '\0' ? targets : "-", COLOUR_NONE);
}

/* Below the table: no column is wide enough for what to do about it. */
static void
print_problem(const json_t *f)
{
	struct text name = out_text(f, "name"), problem = out_text(f, "problem");
	const json_t *parts = json_object_get(f, "parts"), *p;
	size_t i;

	if (problem.s[0] != '\0')
		printf("%s: %s\n", name.s, problem.s);
	json_array_foreach(parts, i, p) {
		problem = out_text(p, "problem");
		if (problem.s[0] != '\0')
			printf("%s: %s: %s\n", name.s, out_text(p, "target").s, problem.s);
	}
}

static int
print_list(const struct session *s, const json_t *reply)
{
	static const struct table_list how = {
		.none = N_("No firmware yet: cfdfuctl firmware add FILE"),
		.row = add_row,
		.last_min = ADDED_CELLS,
		.columns = {
			{ N_("NAME"), .cut = true, .key = "name" },
			{ N_("VERSION"), 5 },
			{ N_("PLATFORM") },
			{ N_("BYTES"), 4, .right = true, .key = "bytes", FIELD_NUMBER },
			{ N_("SHA-256"), 1 },
			{ N_("SELECTED FOR") },
			{ N_("PARTS"), 2, .spare = true },
			{ N_("ADDED"), 3, .key = "added_at", FIELD_TIME },
		},
	};
	const json_t *list = json_object_get(reply, "firmware"), *f;
	int r = table_list(s, &how, list);
	size_t i;

	json_array_foreach(list, i, f)
		print_problem(f);
	return r;
}

static void
print_selected(const json_t *reply)
{
	const json_t *list = json_object_get(reply, "selected"), *one;
	size_t i;

	if (json_array_size(list) == 0)
		puts("Nothing is selected for a platform.");
	json_array_foreach(list, i, one) {
		struct text platform = out_text(one, "platform"), name = out_text(one, "name");
		struct text version = out_text(one, "version"), sum = out_sum(one, "sha256");

		printf("%s: %s%s%s [%s]\n", platform.s, name.s,
		       version.s[0] != '\0' ? ", version " : "", version.s, sum.s);
	}
}

/*
 * platform: as it is given, by an option or an argument.  notes of the reply: which firmware was
 * replaced, what stays selected, which drones are flashed.
 */
static int
change_selection(const struct session *s, const struct invocation *i, const char *platform)
{
	const char *target = invocation_value(i, "for");
	json_t *reply = NULL;
	struct params p;
	int r;

	if (platform != NULL && target != NULL)
		return usage_error(i->command,
				   "either a platform or --for, not both: what a drone is, is "
				   "said with \"cfdfuctl platform set\"");
	r = params_check_platform(i, platform, false);
	if (r != 0)
		return r;
	p = params_of(i);
	r = conn_ask(s, i->command->method, &p, &reply);
	if (r == 0 && s->json) {
		out_json(reply);
	} else if (r == 0) {
		if (target == NULL)
			print_selected(reply);
		else if (i->arg_count > 0)
			printf("%s is the firmware for %s.\n", i->args[0], target);
		out_lines(json_object_get(reply, "notes"));
	}
	json_decref(reply);
	return r;
}

static int
run_select(const struct session *s, const struct invocation *i)
{
	return change_selection(s, i, invocation_value(i, "platform"));
}

static int
run_deselect(const struct session *s, const struct invocation *i)
{
	return change_selection(s, i, i->arg_count > 0 ? i->args[0] : NULL);
}

static int
print_removed(const struct session *s, const json_t *reply)
{
	(void)s;
	(void)reply;
	puts("Removed.");
	return EXIT_OK;
}

static int
print_released(const struct session *s, const json_t *reply)
{
	(void)s;
	if (out_true(reply, "paused"))
		puts("Released: where it is selected, drones are flashed with it again, after "
		     "'cfdfuctl resume'.");
	else
		puts("Released: where it is selected, drones are flashed with it again.");
	return EXIT_OK;
}

const struct command_desc cmd_firmware_list = {
	.name = "firmware list",
	.args = "",
	.help = N_("the catalogue, and what is selected"),
	.run = conn_run,
	.method = PROTO_METHOD("ListFirmware"),
	.print = print_list,
};

const struct command_desc cmd_firmware_select = {
	.name = "firmware select",
	.args = "NAME",
	.args_min = 1,
	.args_max = 1,
	.help = N_("flash this onto the drones of its platform"),
	.run = run_select,
	.method = PROTO_METHOD("SelectFirmware"),
	.parameters = { { "name" }, { "platform", "platform" }, { "target", "for" } },
	.options = {
		{ "platform", 0, "P", N_("for this platform only") },
		{ "for", 0, "SLOT|SERIAL", N_("for one slot or one drone only") },
	},
};

const struct command_desc cmd_firmware_deselect = {
	.name = "firmware deselect",
	.args = "[PLATFORM]",
	.args_max = 1,
	.help = N_("flash nothing onto the drones of a platform (of all of them)"),
	.run = run_deselect,
	.method = PROTO_METHOD("DeselectFirmware"),
	.parameters = { { "platform" }, { "target", "for" } },
	.options = { { "for", 0, "SLOT|SERIAL", N_("take back what was selected for it alone") } },
};

const struct command_desc cmd_firmware_remove = {
	.name = "firmware remove",
	.args = "NAME",
	.args_min = 1,
	.args_max = 1,
	.help = N_("remove firmware from the catalogue"),
	.run = conn_run,
	.method = PROTO_METHOD("RemoveFirmware"),
	.parameters = { { "name" } },
	.print = print_removed,
};

const struct command_desc cmd_firmware_release = {
	.name = "firmware release",
	.args = "NAME",
	.args_min = 1,
	.args_max = 1,
	.help = N_("give drones a firmware again that the station has set aside"),
	.run = conn_run,
	.method = PROTO_METHOD("ReleaseFirmware"),
	.parameters = { { "name" } },
	.print = print_released,
};
