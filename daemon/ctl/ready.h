/* SPDX-License-Identifier: MIT */
/*
 * The connections that have something to do.  They are served in the order of arrival, and after a
 * share of the loop's time (ctl/share.h) the devices are looked at before it goes on.
 */
#ifndef CTL_READY_H
#define CTL_READY_H

#include <event2/util.h>
#include <sys/queue.h>

#include "cfdfu/util.h"
#include "ctl/share.h"

struct event;
struct event_base;
struct server_options;

/* Embedded in what is served. */
struct ready_item {
	TAILQ_ENTRY(ready_item) link;
	bool waiting;
	void (*serve)(struct ready_item *item); /* may be added again, and may free itself */
};

TAILQ_HEAD(ready_list, ready_item);

struct ready {
	struct event_base *base;
	const struct server_options *options; /* borrowed: clock, at_work, work */
	struct event *on_due;
	struct ready_list waiting; /* first come, first served */
	struct share share;	   /* of the loop's time */
	uint64_t rest_until_us;	   /* a client that comes before waits */
	unsigned requests;	   /* taken before the devices are looked at again */
	unsigned requests_max;	   /* the most of those, since the start */
};

/* An event of the lowest priority that the base has: devices and their timers come first. */
struct event *ready_event(struct event_base *base, int fd, short what,
			  void (*call)(evutil_socket_t fd, short what, void *arg), void *arg);

/* 0 or -ENOMEM. */
int ready_init(struct ready *r, struct event_base *base,
	       const struct server_options *options) MUST_CHECK;
void ready_done(struct ready *r);

void ready_add(struct ready *r, struct ready_item *item); /* waiting already is fine */
void ready_remove(struct ready *r, struct ready_item *item);

#endif
