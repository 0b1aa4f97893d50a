/* SPDX-License-Identifier: MIT */
/* The audit of acts: what operators asked for and what became of it, a row and a log line each. */
#ifndef APP_ACTS_H
#define APP_ACTS_H

#include <jansson.h>

#include "ctl/server.h"

struct services;

void acts_begun(struct services *sv, struct call *call); /* its answer comes when it has ended */
/* As server_options.answered and .denied, with the services as their context. */
void acts_answered(void *ctx, struct call *call, const char *error, const json_t *parameters);
void acts_denied(void *ctx, const struct peer *peer, const char *method);

#endif
