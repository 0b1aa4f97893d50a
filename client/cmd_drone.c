/* SPDX-License-Identifier: MIT */
/* cfdfuctl drone list, set, assign: names of drones and their radio configuration. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "client/commands.h"
#include "client/confirm.h"
#include "client/conn.h"
#include "client/fields.h"
#include "client/out.h"
#include "client/slots.h"

#define CHANNEL_MAX 125
#define LEFT_CELLS 16 /* a narrower column of what is left is unreadable */

/* "bcLighthouse4, bcColorLedBot:col (needs-update)" */
static void
decks_text(const json_t *decks, char *dst, size_t size)
{
	const json_t *one;
	size_t i;

	dst[0] = '\0';
	json_array_foreach(decks, i, one) {
		struct text name = out_text(one, "name"), state = out_text(one, "state");
		bool plain = strcmp(state.s, "started") == 0 || strcmp(state.s, "present") == 0;

		text_add(dst, size, "%s%.20s%s%.16s%s", i > 0 ? ", " : "", name.s,
			 plain ? "" : " (", plain ? "" : state.s, plain ? "" : ")");
	}
}

static void
add_drone(struct table *t, const json_t *d)
{
	bool here = out_string(d, "port") != NULL;
	struct text slot = slot_label(d);
	char radio[64], decks[256], seen[48], left[160];

	format_radio(radio, sizeof(radio), json_object_get(d, "radio"));
	decks_text(json_object_get(d, "decks"), decks, sizeof(decks));
	format_time(seen, sizeof(seen), out_string(d, "last_seen"));
	slot_remaining(d, left, sizeof(left));
	table_cell(t, slot_serial(d), COLOUR_NONE);
	table_cell(t, slot.s[0] != '\0' ? slot.s : "-", COLOUR_NONE);
	table_cell(t, here ? slot_ready_word(d) : "-", slot_ready_colour(d));
	table_cell(t, radio, COLOUR_NONE);
	table_cell(t, decks, COLOUR_NONE);
	table_cell(t, here ? "now" : seen, COLOUR_NONE);
	table_cell(t, left, COLOUR_NONE);
}

static int
print_drones(const struct session *s, const json_t *reply)
{
	static const struct table_list how = {
		.none = N_("No drone is plugged in, and none is known."),
		.row = add_drone,
		.last_min = LEFT_CELLS,
		.columns = {
			{ N_("NAME"), .cut = true, .key = "name" },
			{ N_("SERIAL"), 6 },
			{ N_("SLOT") },
			{ N_("READY") },
			{ N_("VERSION"), 3, .key = "version" },
			{ N_("NRF51"), 4, .key = "nrf_version" },
			{ N_("RADIO"), 1 },
			{ N_("BATTERY"), 5, .right = true, .key = "battery_mv", FIELD_VOLTS },
			{ N_("DECKS"), 2 },
			{ N_("SEEN"), 7 },
			{ N_("LEFT") },
		},
	};
	const json_t *drones = json_object_get(reply, "drones");
	json_t *all = slots_sort(drones), *d; /* by port; the others follow */
	size_t i;
	int r;

	json_array_foreach(drones, i, d)
		if (out_string(d, "port") == NULL)
			(void)json_array_append(all, d);
	r = table_list(s, &how, all);
	json_decref(all);
	if (r == EXIT_OK && out_true(reply, "more"))
		puts("The records have more: cfdfuctl show SERIAL.");
	return r;
}

const struct command_desc cmd_drone_list = {
	.name = "drone list",
	.args = "[WHICH]",
	.args_max = 1,
	.help = N_("drones that are plugged in or known: name, radio, decks, is it ready"),
	.run = conn_run,
	.method = PROTO_METHOD("ListDrones"),
	.parameters = { { "target" } },
	.print = print_drones,
};

/* ---- changes -------------------------------------------------------------------------------- */

static bool
print_radio(FILE *out, const json_t *plan)
{
	char name[96], now[64], then[64];
	struct text drone = out_text(plan, "name");

	if (out_true(plan, "same"))
		return false;
	slot_name(plan, name, sizeof(name));
	format_radio(now, sizeof(now), json_object_get(plan, "now"));
	format_radio(then, sizeof(then), json_object_get(plan, "then"));
	if (out != NULL)
		fprintf(out, "%s %s%s%s: %s -> %s\n", name, slot_serial(plan),
			drone.s[0] != '\0' ? " " : "", drone.s, now, then);
	return true;
}

static const struct confirm radio_change = {
	.print = print_radio,
	.warning = N_("This is written into the drones, and in force at their next start."),
	.nothing = N_("Nothing to write: the radio is configured so already."),
};

static int
print_named(const struct session *s, const json_t *reply)
{
	struct text name = out_text(reply, "name");

	(void)s;
	if (name.s[0] != '\0')
		printf("Its name is %s.\n", name.s);
	else
		puts("It has no name.");
	return EXIT_OK;
}

static int
run_set(const struct session *s, const struct invocation *i)
{
	bool values = invocation_has(i, "address") || invocation_has(i, "channel") ||
		      invocation_has(i, "rate");
	bool restore = invocation_has(i, "restore");
	struct params p;

	if (restore && values)
		return usage_error(i->command, "either --restore or values, not both");
	if (!restore && !values && !invocation_has(i, "name"))
		return usage_error(i->command, "nothing to set: --name, --address, --channel, "
					       "--rate or --restore");
	if (!restore && !values) {
		p = params_of(i);
		return conn_show(s, i->command->method, &p, print_named);
	}
	return confirm_run(s, i, &radio_change);
}

const struct command_desc cmd_drone_set = {
	.name = "drone set",
	.live = true,
	.args = "WHICH",
	.args_min = 1,
	.args_max = 1,
	.help = N_("name a drone, or write its radio configuration"),
	.run = run_set,
	.method = PROTO_METHOD("SetDrone"),
	.parameters = {
		{ "target" },
		{ "name", "name" },
		{ "address", "address" },
		{ "channel", "channel", PARAMETER_NUMBER, .max = CHANNEL_MAX },
		{ "rate", "rate" },
		{ "restore", "restore", PARAMETER_SWITCH },
		{ "yes", "yes", PARAMETER_SWITCH },
	},
	.options = {
		{ "name", 'n', "N", N_("its name; \"\" takes it back") },
		{ "address", 'a', "A", N_("radio address, 10 hex digits: E7E7E7E701") },
		{ "channel", 'c', "C", N_("radio channel, 0 to 125") },
		{ "rate", 'r', "R", N_("radio rate: 250K, 1M or 2M") },
		{ "restore", 0, NULL, N_("the radio configuration that was replaced last") },
		{ "yes", 'y', NULL, N_("do not ask") },
	},
};

static int
run_assign(const struct session *s, const struct invocation *i)
{
	if (!invocation_has(i, "base"))
		return usage_error(i->command, "--base is needed: the first drone's address");
	return confirm_run(s, i, &radio_change);
}

static const char *const orders[] = { "slot", "name", NULL };

const struct command_desc cmd_drone_assign = {
	.name = "drone assign",
	.live = true,
	.args = "",
	.help = N_("give each drone that is plugged in a radio address of its own"),
	.run = run_assign,
	.method = PROTO_METHOD("AssignDrones"),
	.parameters = {
		{ "base", "base" },
		{ "by", "by", PARAMETER_WORD, .words = orders },
		{ "yes", "yes", PARAMETER_SWITCH },
	},
	.options = {
		{ "base", 'b', "A", N_("address of the first; the next gets one more") },
		{ "by", 0, "WORD", N_("in the order of slot (default) or name") },
		{ "yes", 'y', NULL, N_("do not ask") },
	},
};
