/* SPDX-License-Identifier: MIT */
/* Streams of the status: each watcher hears of the slots that changed, a few times a second at
 * most. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "app/app_parts.h"
#include "app/find.h"
#include "app/status.h"
#include "cfdfu/proto.h"
#include "ctl/share.h"

/* WHY: a rack at work changes all the time, and to tell it costs more than to flash it. */
enum { TELL_EVERY_MS = 300 };

/* A row that this watcher was shown and that is another drone's now: it gets all rows anew. */
static bool
has_lost_a_row(struct app *a, const struct watcher *w, const struct target *t)
{
	for (unsigned i = 0; i < fleet_slots(a->fleet); i++)
		if (w->told[i] != 0 && !t->slots[i])
			return true;
	return false;
}

/* The slots that this watcher has not seen as they are; a running job counts as always new. */
static json_t *
news(struct app *a, struct watcher *w, const struct target *t, bool *ret_any)
{
	json_t *list = json_array();

	*ret_any = false;
	for (unsigned i = 0; i < fleet_slots(a->fleet); i++) {
		uint64_t revision = fleet_revision(a->fleet, i) + 1;

		if (!w->full && w->told[i] == revision)
			continue;
		w->told[i] = 0;
		if (w->target[0] != '\0' && !t->slots[i])
			continue;
		w->told[i] = revision;
		*ret_any = true;
		if (json_array_append_new(list, status_slot(&a->api, i)) < 0)
			break;
	}
	return list;
}

static void
tell(struct app *a, struct watcher *w)
{
	struct target t;
	bool any;
	json_t *slots;
	int r;

	target_begin(&t, w->target);
	if (w->target[0] != '\0')
		find_target(&a->api, w->target, false, &t);
	if (w->target[0] != '\0' && has_lost_a_row(a, w, &t))
		w->full = true;
	slots = news(a, w, &t, &any);
	if (!any && !w->full && w->station == a->station_revision) {
		json_decref(slots);
		return;
	}
	w->station = a->station_revision;
	r = call_continue(w->call, json_pack("{s:O, s:o, s:b, s:b}", "station", a->station, "slots",
					     slots, "full", w->full, "lost", w->lost));
	if (r < 0) {
		/* It does not read: what it missed comes as a whole once it does. */
		w->blocked = r == -EAGAIN;
		w->full = w->lost = true;
		return;
	}
	w->full = w->lost = false;
}

/* What holds for the whole station, made once for all who watch. */
static void
look_at_station(struct app *a)
{
	json_t *now = status_station(&a->api);

	if (a->station != NULL && now != NULL && json_equal(a->station, now)) {
		json_decref(now);
		return;
	}
	/* WHY: it shows in the rows of drones that wait. */
	for (size_t i = 0; i < APP_WATCHERS_MAX; i++)
		a->watchers[i].full |= !json_equal(json_object_get(a->station, "health"),
						   json_object_get(now, "health"));
	json_decref(a->station);
	a->station = now;
	a->station_revision++;
}

static bool
arm(struct app *a, uint64_t us)
{
	struct timeval tv = { .tv_sec = (time_t)(us / 1000000),
			      .tv_usec = (suseconds_t)(us % 1000000) };

	return a->watch_timer != NULL && evtimer_add(a->watch_timer, &tv) == 0;
}

/* All are told, one after the other, within the share of time that clients have. */
static void
on_watch_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct app *a = ctx;
	enum loop_work before = turns_begin(&a->turns, LOOP_CLIENT);
	struct share share;

	(void)fd;
	(void)what;
	share_begin(&share, clock_now_us());
	if (a->watchers_left == 0) {
		look_at_station(a);
		a->watchers_left = APP_WATCHERS_MAX;
	}
	while (a->watchers_left > 0 && !share_is_spent(&share, clock_now_us())) {
		struct watcher *w = &a->watchers[--a->watchers_left];

		if (w->call != NULL && !w->blocked)
			tell(a, w);
	}
	a->watch_armed = a->watchers_left > 0 &&
			 arm(a, share_end(&share, clock_now_us(), fleet_active(a->fleet) > 0));
	turns_end(&a->turns, before);
}

/* Of the lowest priority, as all that is done for clients. */
static struct event *
watch_timer(struct app *a)
{
	struct event *e = evtimer_new(a->base, on_watch_timer, a);

	if (e != NULL)
		(void)event_priority_set(e, event_base_get_npriorities(a->base) -
						1); /* not active: cannot fail */
	return e;
}

void
watchers_changed(void *ctx)
{
	struct app *a = ctx;
	bool any = false;

	for (size_t i = 0; i < APP_WATCHERS_MAX && !any; i++)
		any = a->watchers[i].call != NULL;
	if (!any || a->watch_armed)
		return;
	if (a->watch_timer == NULL)
		a->watch_timer = watch_timer(a);
	a->watch_armed = arm(a, (uint64_t)TELL_EVERY_MS * 1000);
}

void
watchers_add(struct app *a, struct call *call, const char *target)
{
	for (size_t i = 0; i < APP_WATCHERS_MAX; i++) {
		struct watcher *w = &a->watchers[i];

		if (w->call != NULL)
			continue;
		memset(w, 0, sizeof(*w));
		w->call = call;
		w->full = true;
		copy_text(w->target, sizeof(w->target), target);
		look_at_station(a);
		tell(a, w);
		return;
	}
	call_refuse(call, PROTO_ERROR("Busy"), "%d watch already; no more can.", APP_WATCHERS_MAX);
}

void
watchers_drop(struct app *a, struct call *call)
{
	for (size_t i = 0; i < APP_WATCHERS_MAX; i++)
		if (a->watchers[i].call == call)
			a->watchers[i].call = NULL;
}

void
watchers_drained(struct app *a, struct call *call)
{
	for (size_t i = 0; i < APP_WATCHERS_MAX; i++)
		if (a->watchers[i].call == call)
			a->watchers[i].blocked = false;
	watchers_changed(a);
}
