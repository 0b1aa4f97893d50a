/* SPDX-License-Identifier: MIT */
/*
 * The station as a program: owns configuration, store, bus, fleet and control socket, and carries
 * events and commands between them.  One thread, one event base; which bus it is was decided when
 * linking.
 */
#ifndef APP_APP_H
#define APP_APP_H

#include "cfdfu/util.h"

struct event_base;
struct app;

struct app_options {
	const char *config_file; /* this file alone; NULL: where an installed station looks */
	const char *state_dir;
	const char *socket_path; /* ignored when the service manager passed a socket */
};

/* 0, or a negative errno after having said why on standard error. */
int app_new(struct event_base *base, const struct app_options *options,
	    struct app **ret_app) MUST_CHECK;

/* Until it is told to stop.  Returns the exit status. */
int app_run(struct app *a);

void app_free(struct app *a); /* NULL is fine */

#endif
