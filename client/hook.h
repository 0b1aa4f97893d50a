/* SPDX-License-Identifier: MIT */
/*
 * Runs a program for events at the station, with the event in its environment (CFDFU_EVENT and the
 * rest, cfdfuctl(1)), one program at a time in the order of the events.
 */
#ifndef CLIENT_HOOK_H
#define CLIENT_HOOK_H

#include <jansson.h>

#include "client/command.h"

#define HOOK_QUEUE_MAX 1024 /* LIMIT: events that wait; later ones are dropped */

struct hook;

/*
 * The program, with the events that [hooks] of the station limits it to.  silent: its output and
 * our notes would spoil a screen.  0 or an exit status, said.
 */
int hook_new(const struct session *s, const char *program, bool silent,
	     struct hook **ret_hook) MUST_CHECK;
void hook_free(struct hook *h); /* NULL is fine; a program that runs goes on */

/* A change of the station, or of a slot with the station as it is now.  before NULL: not known. */
void hook_on_station(struct hook *h, const json_t *before, const json_t *after);
void hook_on_slot(struct hook *h, const json_t *station, const json_t *before, const json_t *after);

/* A descriptor that is readable when hook_turn() has something to do; -1: none. */
int hook_fd(const struct hook *h);
void hook_turn(struct hook *h);

#endif
