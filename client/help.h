/* SPDX-License-Identifier: MIT */
/* Help texts from the table of commands. */
#ifndef CLIENT_HELP_H
#define CLIENT_HELP_H

#include <stdio.h>

struct command_desc;

/* All about a command; NULL: the overview. */
void help_print(FILE *f, const struct command_desc *c);

/* The usage line alone; NULL: of the program. */
void help_print_usage(FILE *f, const struct command_desc *c);

/* The commands of a group such as "firmware". */
void help_print_group(FILE *f, const char *group);

#endif
