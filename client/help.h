/* SPDX-License-Identifier: MIT */
/* Help texts from the table of commands. */
#ifndef CLIENT_HELP_H
#define CLIENT_HELP_H

#include "client/command.h"

/* The options that every command has, in the order of the table. */
enum global_option {
	GLOBAL_JSON,
	GLOBAL_NO_COLOR,
	GLOBAL_NO_PAGER,
	GLOBAL_SOCKET,
	GLOBAL_HOST,
	GLOBAL_HELP,
	GLOBAL_VERSION,
	GLOBAL_BRIDGE,
	GLOBAL_ARGUMENTS
};
extern const struct command_option global_options[];

/* All about a command; NULL: the overview. */
void help_print(FILE *f, const struct command_desc *const *commands, const struct command_desc *c);

/* The usage line alone; NULL: of the program. */
void help_print_usage(FILE *f, const struct command_desc *c);

/* The commands of a group such as "firmware". */
void help_print_group(FILE *f, const struct command_desc *const *commands, const char *group);

#endif
