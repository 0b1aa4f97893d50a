/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/help.h"

#include <string.h>

const struct command_option global_options[] = {
	{ "json", 0, NULL, N_("print one JSON document (one a line where it streams)") },
	{ "no-color", 0, NULL, N_("no colours, as with NO_COLOR in the environment") },
	{ "no-pager", 0, NULL, N_("never show long output by a pager") },
	{ "socket", 0, "PATH", N_("control socket of the service") },
	{ "host", 'H', "[USER@]HOST|@GROUP",
	  N_("the station at another machine, through ssh; several when given again") },
	{ "help", 'h', NULL, N_("print this help") },
	{ "version", 'V', NULL, N_("print the version") },
	{ "stdio-bridge", 0, NULL,
	  N_("be the other end of -H: carry standard input to the service") },
	{ "stdio-arguments", 0, NULL,
	  N_("be the other end of -H: the words come on standard input") },
	{ NULL, 0, NULL, NULL },
};

static void
print_options(FILE *f, const struct command_option *o)
{
	for (; o->name != NULL; o++) {
		char left[64], letter[8] = "    ";

		if (o->letter != 0)
			snprintf(letter, sizeof(letter), "-%c, ", o->letter);
		snprintf(left, sizeof(left), "%s--%s%s%s", letter, o->name,
			 o->value != NULL ? " " : "", o->value != NULL ? o->value : "");
		fprintf(f, "  %-30s %s\n", left, o->help);
	}
}

static void
print_command(FILE *f, const struct command_desc *c)
{
	char left[80];

	snprintf(left, sizeof(left), "%s %s", c->name, c->args);
	if (strlen(left) > 34)
		fprintf(f, "  %s\n  %-34s %s\n", left, "", c->help);
	else
		fprintf(f, "  %-34s %s\n", left, c->help);
}

void
help_print_usage(FILE *f, const struct command_desc *c)
{
	fputs("usage: cfdfuctl ", f);
	if (c == NULL) {
		fputs(
		    "[--json] [--no-color] [--no-pager] [--socket PATH] [-H [USER@]HOST|@GROUP]... "
		    "COMMAND\n"
		    "       cfdfuctl --help shows the commands\n",
		    f);
		return;
	}
	fputs(c->name, f);
	for (size_t i = 0; c->options[i].name != NULL; i++)
		fprintf(f, " [--%s%s%s]", c->options[i].name, c->options[i].value ? " " : "",
			c->options[i].value ? c->options[i].value : "");
	fprintf(f, "%s%s\n", c->args[0] != '\0' ? " " : "", c->args);
}

void
help_print_group(FILE *f, const struct command_desc *const *commands, const char *group)
{
	size_t length = strlen(group);

	fprintf(f, "usage: cfdfuctl %s COMMAND\n\n", group);
	for (int i = 0; commands[i] != NULL; i++)
		if (strncmp(commands[i]->name, group, length) == 0 &&
		    commands[i]->name[length] == ' ')
			print_command(f, commands[i]);
}

void
help_print(FILE *f, const struct command_desc *const *commands, const struct command_desc *c)
{
	help_print_usage(f, c);
	if (c != NULL) {
		fprintf(f, "\n%s\n", c->help);
		if (c->options[0].name != NULL)
			fputc('\n', f);
		print_options(f, c->options);
	} else {
		fputs("\nShows and steers the flashing station.  Without a command: status.\n\n",
		      f);
		for (int i = 0; commands[i] != NULL; i++)
			print_command(f, commands[i]);
	}
	fputs("\nFor all commands:\n", f);
	print_options(f, global_options);
	if (c == NULL)
		fputs("\nExit status: 0 done, 1 at least one drone failed, 2 usage, 3 no daemon, "
		      "4 refused, 5 timed out, 6 nothing there.  More: man cfdfuctl\n",
		      f);
}
