/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/wake.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <event2/event.h>

struct wake {
	int fd;
	struct event *event;
	uint64_t at_us; /* what the timer is set to; 0: it is not */
	void (*call)(void *ctx);
	void *ctx;
};

static void
on_wake(evutil_socket_t fd, short what, void *ctx)
{
	struct wake *a = ctx;

	(void)fd;
	(void)what;
	a->at_us = 0;
	a->call(a->ctx);
}

int
wake_new(struct event_base *base, void (*call)(void *ctx), void *ctx, struct wake **ret_wake)
{
	struct wake *a = calloc(1, sizeof(*a));
	int r = -ENOMEM;

	if (a == NULL)
		return -ENOMEM;
	a->call = call;
	a->ctx = ctx;
	a->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (a->fd < 0) {
		r = -errno;
		goto out;
	}
	/* WHY edge-triggered: setting the timer again forgets that it was due; nothing is read. */
	a->event = event_new(base, a->fd, EV_READ | EV_PERSIST | EV_ET, on_wake, a);
	if (a->event == NULL || event_add(a->event, NULL) < 0)
		goto out;
	*ret_wake = a;
	return 0;
out:
	wake_free(a);
	return r;
}

void
wake_free(struct wake *a)
{
	if (a == NULL)
		return;
	if (a->event != NULL)
		event_free(a->event);
	if (a->fd >= 0)
		(void)close(a->fd);
	free(a);
}

void
wake_at(struct wake *a, uint64_t at_us)
{
	struct itimerspec when = { .it_value = { .tv_sec = (time_t)(at_us / 1000000),
						 .tv_nsec = (long)(at_us % 1000000) * 1000 } };

	if (a->at_us != 0 && a->at_us <= at_us)
		return;
	if (at_us == 0)
		when.it_value.tv_nsec = 1; /* SPEC: timerfd_settime(2): zero would disarm it */
	if (timerfd_settime(a->fd, TFD_TIMER_ABSTIME, &when, NULL) == 0)
		a->at_us = at_us != 0 ? at_us : 1;
}
