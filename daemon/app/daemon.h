/* SPDX-License-Identifier: MIT */
/* What cfdfud and cfdfud-sim have in common before there is an application: options and event base.
 */
#ifndef APP_DAEMON_H
#define APP_DAEMON_H

struct app_options;
struct event_base;

/* Fills ret from the command line; -1: go on; else the status to exit with (help, reload, usage).
 */
int daemon_options(int argc, char **argv, struct app_options *ret);

/* NULL after a message. */
struct event_base *daemon_event_base(void);

#endif
