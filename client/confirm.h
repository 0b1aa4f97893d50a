/* SPDX-License-Identifier: MIT */
/*
 * Changes of drones that are shown before they are made: the service is asked what it would do, and
 * does it only with the word "yes", typed on a terminal or said by --yes.
 */
#ifndef CLIENT_CONFIRM_H
#define CLIENT_CONFIRM_H

#include <stdio.h>

#include "client/command.h"

struct confirm {
	/* One of the reply's plans as a line; false: there is nothing to be done for it. */
	bool (*print)(FILE *out, const json_t *plan);
	const char *warning; /* a sentence below the plans */
	const char *nothing; /* where there is nothing to be done; NULL: nothing is said */
};

/* The whole command; its descriptor has a parameter "yes".  0 all good, 1 a drone failed. */
int confirm_run(const struct session *s, const struct invocation *i,
		const struct confirm *c) MUST_CHECK;

#endif
