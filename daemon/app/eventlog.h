/* SPDX-License-Identifier: MIT */
/* An event of the fleet becomes a log line, with the fields that it can be found by. */
#ifndef APP_EVENTLOG_H
#define APP_EVENTLOG_H

#include "cfdfu/util.h"

struct fleet_event;
struct eventlog;
struct fleet;
struct log;
struct ports;
struct quarantine;

/* Everything here outlives the eventlog. */
struct eventlog_options {
	struct log *log;
	const struct fleet *fleet;
	const struct ports *ports;
	const struct quarantine *quarantine; /* the brake, in words */
};

int eventlog_new(const struct eventlog_options *options, struct eventlog **ret_eventlog) MUST_CHECK;
void eventlog_free(struct eventlog *e); /* NULL is fine */

/* With the eventlog as its context. */
void eventlog_tell(void *ctx, const struct fleet_event *event);

#endif
