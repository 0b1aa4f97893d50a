/* SPDX-License-Identifier: MIT */
/* The command line of cfdfud and cfdfud-sim. */
#ifndef APP_ARGUMENTS_H
#define APP_ARGUMENTS_H

struct daemon_options;

/* Fills ret; -1: go on; else the status to exit with (help, check, reload, usage). */
int arguments_read(int argc, char **argv, struct daemon_options *ret);

#endif
