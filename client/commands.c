/* SPDX-License-Identifier: MIT */
/* The table of commands, and the one that shows it, cfdfuctl help. */
#include "config.h"

#include "client/commands.h"

#include "client/help.h"

static int
run(const struct session *s, const struct invocation *i)
{
	const struct command_desc *c;
	int words = 0;

	if (i->arg_count == 0) {
		help_print(stdout, s->commands, NULL);
		return EXIT_OK;
	}
	c = command_find(s->commands, i->arg_count, i->args, &words);
	if (c == NULL && i->arg_count == 1 && command_is_group(s->commands, i->args[0])) {
		help_print_group(stdout, s->commands, i->args[0]);
		return EXIT_OK;
	}
	if (c == NULL)
		return command_refuse(s->commands, i->arg_count, i->args);
	if (words < i->arg_count)
		return usage_error(i->command, "unexpected argument: %s", i->args[words]);
	help_print(stdout, s->commands, c);
	return EXIT_OK;
}

static const struct command_desc cmd_help = {
	.name = "help",
	.stations = STATIONS_ONE,
	.args = "[COMMAND]",
	.args_max = 2,
	.help = N_("show all commands, or one with its options"),
	.run = run,
};

#define COMMAND_LISTED(name) &cmd_##name,

const struct command_desc *const commands[] = { COMMANDS(COMMAND_LISTED) & cmd_help, NULL };
