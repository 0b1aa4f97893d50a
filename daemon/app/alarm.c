/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/alarm.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <event2/event.h>

struct alarm {
	int fd;
	struct event *event;
	uint64_t at_us; /* that it is set to; 0: it is not */
	void (*ring)(void *ctx);
	void *ctx;
};

static void
on_time(evutil_socket_t fd, short what, void *ctx)
{
	struct alarm *a = ctx;

	(void)fd;
	(void)what;
	a->at_us = 0;
	a->ring(a->ctx);
}

int
alarm_new(struct event_base *base, void (*ring)(void *ctx), void *ctx, struct alarm **ret_alarm)
{
	struct alarm *a = calloc(1, sizeof(*a));
	int r = -ENOMEM;

	if (a == NULL)
		return r;
	*a = (struct alarm){ .ring = ring, .ctx = ctx };
	a->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (a->fd < 0) {
		r = -errno;
		goto out;
	}
	/* WHY edges: then how often it rang need not be read; setting it again clears that. */
	a->event = event_new(base, a->fd, EV_READ | EV_PERSIST | EV_ET, on_time, a);
	if (a->event == NULL || event_add(a->event, NULL) < 0)
		goto out;
	*ret_alarm = a;
	a = NULL; /* the caller's now */
	r = 0;
out:
	alarm_free(a);
	return r;
}

void
alarm_free(struct alarm *a)
{
	if (a == NULL)
		return;
	if (a->event != NULL)
		event_free(a->event);
	if (a->fd >= 0)
		(void)close(a->fd);
	free(a);
}

int
alarm_set(struct alarm *a, uint64_t at_us)
{
	uint64_t at = at_us != 0 ? at_us : 1; /* SPEC: timerfd_settime(2), 0 would disarm it */
	struct itimerspec when = { .it_value = { .tv_sec = (time_t)(at / 1000000),
						 .tv_nsec = (long)(at % 1000000 * 1000) } };

	if (a->at_us != 0 && a->at_us <= at)
		return 0;
	if (timerfd_settime(a->fd, TFD_TIMER_ABSTIME, &when, NULL) < 0)
		return -errno;
	a->at_us = at;
	return 0;
}
