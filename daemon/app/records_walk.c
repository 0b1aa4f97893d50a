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
	SLICE_US = 2000, /* LIMIT: how long a slice holds up a drone */
	/* Until the next slice of: a walk of each hour; the first one since the start; one that was
	 * asked for, or making the database again, for which endings wait. */
	IDLE_PAUSE_US = 1000000,
	START_PAUSE_US = 18000,
	SOON_PAUSE_US = 6000,
};

#define EVERY_US UINT64_C(3600000000)

struct records_walk {
	const struct services *sv;
	void (*health)(void *ctx);
	void *ctx;
	struct event *timer;
	int error;
	bool asked;	   /* for the whole walk, soon */
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

static uint64_t
pause_us(const struct records_walk *w)
{
	struct store_walk state;

	store_walk_state(w->sv->store, &state);
	if (state.importing || w->asked)
		return SOON_PAUSE_US;
	return state.whole_ms == 0 ? START_PAUSE_US : IDLE_PAUSE_US;
}

static void
wait(struct records_walk *w, uint64_t us)
{
	struct timeval t = { .tv_sec = (time_t)(us / 1000000),
			     .tv_usec = (suseconds_t)(us % 1000000) };

	if (event_add(w->timer, &t) < 0)
		log_say(w->sv->log, LOG_ERR, NULL, "the walk through the records cannot go on");
}

static void
on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct records_walk *w = ctx;
	int r = walk_slice(w);

	(void)fd;
	(void)what;
	/* WHY: after an error the doctor says so; waiting for it would have no end */
	w->asked = w->asked && (r == 1 || r == -EAGAIN);
	if (r == 0) /* to the end; what it found is in the health */
		wait(w, EVERY_US);
	else
		wait(w, r == 1 ? pause_us(w) : IDLE_PAUSE_US);
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
	wait(w, IDLE_PAUSE_US); /* the drones that are there come first */
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
records_walk_now(struct records_walk *w)
{
	if (w->asked)
		return;
	w->asked = true;
	store_walk_again(w->sv->store);
	wait(w, 0);
}

bool
records_walk_is_running(const struct records_walk *w)
{
	return w->asked;
}

int
records_walk_error(const struct records_walk *w)
{
	return w->error;
}
