/* SPDX-License-Identifier: MIT */
/* cfdfuctl deck list, deck update: decks and their firmware.  identify: a drone's light. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "client/commands.h"
#include "client/confirm.h"
#include "client/conn.h"
#include "client/out.h"
#include "client/slots.h"

#define STATE_CELLS 12

static void
add_deck(struct table *t, const json_t *d)
{
	struct text name = out_text(d, "name"), state = out_text(d, "state");
	bool wants = out_true(d, "due") || strcmp(state.s, "not-started") == 0;
	char slot[96];

	slot_name(d, slot, sizeof(slot));
	table_cell(t, slot, COLOUR_NONE);
	table_cell(t, name.s[0] != '\0' ? name.s : slot_serial(d), COLOUR_NONE);
	table_cell(t, state.s, wants ? COLOUR_ATTENTION : COLOUR_NONE);
}

static int
print_decks(const struct session *s, const json_t *reply)
{
	static const struct table_list how = {
		.none = N_("No deck was seen on the drones that are plugged in."),
		.row = add_deck,
		.last_min = STATE_CELLS,
		.columns = {
			{ N_("SLOT") },
			{ N_("DRONE"), 1, .cut = true },
			{ N_("DECK"), .key = "deck" },
			{ N_("VERSION"), 2, .key = "version" },
			{ N_("RELEASE"), 3, .key = "wanted" },
			{ N_("STATE") },
		},
	};
	json_t *decks = slots_sort(json_object_get(reply, "decks"));
	const json_t *d;
	size_t i, due = 0;
	int r = table_list(s, &how, decks);

	json_array_foreach(decks, i, d)
		due += out_true(d, "due");
	json_decref(decks);
	if (r == EXIT_OK && due > 0)
		printf("%zu can be updated: cfdfuctl deck update\n", due);
	return r;
}

const struct command_desc cmd_deck_list = {
	.name = "deck list",
	.args = "[WHICH]",
	.args_max = 1,
	.help = N_("decks, their state and firmware"),
	.run = conn_run,
	.method = PROTO_METHOD("ListDecks"),
	.parameters = { { "target" } },
	.print = print_decks,
};

static bool
print_deck(FILE *out, const json_t *plan)
{
	struct text deck = out_text(plan, "deck"), wanted = out_text(plan, "wanted");
	struct text state = out_text(plan, "state");
	char name[96];

	slot_name(plan, name, sizeof(name));
	if (out != NULL)
		fprintf(out, "%s: %s (%s) gets its firmware %s\n", name, deck.s, state.s, wanted.s);
	return true;
}

static int
run_update(const struct session *s, const struct invocation *i)
{
	static const struct confirm change = {
		.print = print_deck,
		.warning = N_("Do not unplug these drones until it has ended."),
		.nothing = N_("No deck wants a firmware that the release has."),
	};

	return confirm_run(s, i, &change);
}

const struct command_desc cmd_deck_update = {
	.name = "deck update",
	.live = true,
	.args = "[WHICH...]",
	.args_max = COMMAND_ARGS_ANY,
	.help = N_("write the firmware of the release onto decks that want it"),
	.run = run_update,
	.method = PROTO_METHOD("UpdateDeck"),
	.parameters = { { "targets", NULL, PARAMETER_TEXTS }, { "yes", "yes", PARAMETER_SWITCH } },
	.options = { { "yes", 'y', NULL, N_("do not ask") } },
};

static int
print_lights(const struct session *s, const json_t *reply)
{
	(void)s;
	if (json_array_size(json_object_get(reply, "slots")) > 0)
		out_names("Light:", reply, "slots");
	return EXIT_OK;
}

const struct command_desc cmd_identify = {
	.name = "identify",
	.args = "SLOT|SERIAL...",
	.args_min = 1,
	.args_max = COMMAND_ARGS_ANY,
	.help = N_("show a light on these drones"),
	.run = conn_run,
	.method = PROTO_METHOD("Identify"),
	.parameters = { { "targets", NULL, PARAMETER_TEXTS } },
	.print = print_lights,
};
