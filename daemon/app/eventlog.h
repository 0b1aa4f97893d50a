/* SPDX-License-Identifier: MIT */
/* An event of the fleet becomes a log line, with the fields that it can be found by. */
#ifndef APP_EVENTLOG_H
#define APP_EVENTLOG_H

struct fleet_event;

/* A listener (app/dispatch.h), with the services as its context. */
void eventlog_tell(void *ctx, const struct fleet_event *event);

#endif
