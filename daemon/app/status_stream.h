/* SPDX-License-Identifier: MIT */
/*
 * Streams of the status, for the method Watch: each watcher hears of the slots that changed, a few
 * times a second at most.
 */
#ifndef APP_STATUS_STREAM_H
#define APP_STATUS_STREAM_H

#include "cfdfu/util.h"
#include "ctl/server.h"

struct services;
struct status_stream;

int status_stream_new(const struct services *sv, struct status_stream **ret_stream) MUST_CHECK;
void status_stream_free(struct status_stream *s); /* NULL is fine */

/* Answers the call: with the whole status now, and with what changes; or that there are too many.
 * target NULL: all slots. */
void status_stream_add(struct status_stream *s, struct call *call, const char *target);
void status_stream_drop(struct status_stream *s, struct call *call);
void status_stream_drained(struct status_stream *s, struct call *call); /* it reads again */

/* All are told anew: slots may be shown differently, though nothing was done to their drones. */
void status_stream_renew(struct status_stream *s);
/* Something may be new: it is told soon.  ctx: the stream. */
void status_stream_changed(void *ctx);

#endif
