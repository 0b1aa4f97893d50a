/* SPDX-License-Identifier: MIT */
/* The audit of acts: what operators asked for and what became of it, a row and a log line each. */
#ifndef APP_ACTS_H
#define APP_ACTS_H

#include <jansson.h>

#include "ctl/server.h"

struct acts;
struct clock;
struct log;
struct store;

/* All borrowed for the life of the acts.  -ENOMEM. */
int acts_new(struct store *store, struct log *log, const struct clock *clock,
	     struct acts **ret_acts) MUST_CHECK;
void acts_free(struct acts *a); /* NULL is fine */

void acts_begun(struct acts *a, struct call *call); /* its answer comes when it has ended */
/* As server_options.answered and .denied. */
void acts_answered(struct acts *a, struct call *call, const char *error, const json_t *parameters);
void acts_denied(struct acts *a, const struct peer *peer, const char *method);

#endif
