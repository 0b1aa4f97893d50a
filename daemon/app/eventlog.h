/* SPDX-License-Identifier: MIT */
/* An event of the fleet becomes a log line, with the fields that it can be found by. */
#ifndef APP_EVENTLOG_H
#define APP_EVENTLOG_H

struct fleet;
struct fleet_event;
struct log;
struct ports;
struct quarantine;

/* All of it is borrowed. */
struct eventlog {
	struct log *log;
	const struct fleet *fleet;
	const struct ports *ports;
	const struct quarantine *quarantine; /* the brake, in words */
};

/* With the eventlog as its context. */
void eventlog_tell(void *ctx, const struct fleet_event *event);

#endif
