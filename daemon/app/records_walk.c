/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/records_walk.h"

#include <errno.h>
#include <stdlib.h>

#include <event2/event.h>

#include "app/clock.h"
#include "app/log.h"
#include "app/services.h"
#include "app/turns.h"
#include "store/store.h"

enum {
	SLICE_US = 2000, /* LIMIT: how long the walk through the records holds up a drone */
	EVERY_S = 3600,
	PAUSE_US = 6000, /* between two slices of one that was asked for */
};

struct records_walk {
	const struct services *sv;
	void (*health)(void *ctx);
	void *ctx;
	struct event *timer; /* of a walk that was asked for */
	int error;
	uint64_t due_us;   /* the walk of each hour does not begin anew before */
	uint64_t slice_us; /* when the slice under way began */
};

static bool
slice_goes_on(void *ctx)
{
	const struct records_walk *w = ctx;

	return clock_now_us() - w->slice_us < SLICE_US;
}

static int
walk_slice(struct records_walk *w)
{
	struct store_time now = clock_time(w->sv->clock);
	enum loop_work before = turns_begin(w->sv->turns, LOOP_STORE);
	int r;

	w->slice_us = clock_now_us();
	r = store_walk(w->sv->store, &now, slice_goes_on, w);
	w->error = r < 0 && r != -EAGAIN ? r : 0;
	turns_end(w->sv->turns, before);
	w->health(w->ctx);
	return r;
}

static void
on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct timeval pause = { .tv_usec = PAUSE_US }, later = { .tv_sec = 1 };
	struct records_walk *w = ctx;
	int r = walk_slice(w);

	(void)fd;
	(void)what;
	if (r < 0 && r != -EAGAIN)
		return; /* WHY: the doctor says so; waiting for it would have no end */
	if (r != 0 && event_add(w->timer, r == 1 ? &pause : &later) < 0)
		log_say(w->sv->log, LOG_ERR, NULL, "the walk through the records cannot go on");
}

int
records_walk_new(const struct services *sv, void (*health)(void *ctx), void *ctx,
		 struct records_walk **ret_walk)
{
	struct records_walk *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return -ENOMEM;
	*w = (struct records_walk){ .sv = sv, .health = health, .ctx = ctx };
	w->timer = evtimer_new(sv->base, on_timer, w);
	if (w->timer == NULL) {
		records_walk_free(w);
		return -ENOMEM;
	}
	/* After devices and clients. */
	(void)event_priority_set(w->timer, event_base_get_npriorities(sv->base) - 1);
	*ret_walk = w;
	return 0;
}

void
records_walk_free(struct records_walk *w)
{
	if (w != NULL && w->timer != NULL)
		event_free(w->timer);
	free(w);
}

void
records_walk_on(struct records_walk *w)
{
	uint64_t now_us = clock_now_us();

	if (records_walk_is_running(w) || now_us < w->due_us)
		return;
	if (walk_slice(w) == 0) /* to the end; what it found is in the health */
		w->due_us = now_us + (uint64_t)EVERY_S * 1000000;
}

int
records_walk_now(struct records_walk *w)
{
	struct timeval now = { 0 };

	if (records_walk_is_running(w))
		return 0;
	store_walk_again(w->sv->store);
	return event_add(w->timer, &now) < 0 ? -ENOMEM : 0;
}

bool
records_walk_is_running(const struct records_walk *w)
{
	return event_pending(w->timer, EV_TIMEOUT, NULL) != 0;
}

int
records_walk_error(const struct records_walk *w)
{
	return w->error;
}
