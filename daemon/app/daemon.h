/* SPDX-License-Identifier: MIT */
/*
 * The station as a program: builds its services in the order in which one needs the other, runs the
 * event loop, and frees them in reverse.  One thread, one event base; which bus it is was decided
 * when linking.
 */
#ifndef APP_DAEMON_H
#define APP_DAEMON_H

#include "cfdfu/util.h"

struct daemon;
struct event_base;

struct daemon_options {
	const char *config_file; /* this file alone; NULL: where an installed station looks */
	const char *state_dir;
	const char *socket_path; /* ignored when the service manager passed a socket */
};

/* 0, or a negative errno after having said why on standard error. */
int daemon_new(struct event_base *base, const struct daemon_options *options,
	       struct daemon **ret_daemon) MUST_CHECK;

/* Until it is told to stop.  Returns the exit status; EX_TEMPFAIL: start it again. */
int daemon_run(struct daemon *d);

void daemon_free(struct daemon *d); /* NULL is fine */

#endif
