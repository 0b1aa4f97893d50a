/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/status_stream.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "app/api.h"
#include "app/clock.h"
#include "app/rack.h"
#include "app/status.h"
#include "app/turns.h"
#include "cfdfu/proto.h"
#include "ctl/share.h"

enum {
	/* WHY: during flashing every slot changes often; sending each change would cost more of the
	 * processor than flashing. */
	TELL_EVERY_MS = 300,
	/* WHY: a database that is made again shows what one that could not be read did not. */
	READ_EVERY_US = 5000000,
	WATCHERS_MAX = 80, /* LIMIT: more than the server has clients */
};

struct watcher {
	struct call *call;		/* NULL: free */
	char target[TARGET_TEXT_MAX];	/* "": all */
	uint64_t told[FLEET_SLOTS_MAX]; /* revision + 1 that this watcher has seen; 0 none */
	uint64_t station;		/* revision of the station that this watcher has seen */
	uint64_t given_back;		/* slots, when it was told last */
	unsigned rack;			/* rack_revision() then */
	bool full, lost, blocked;
};

struct status_stream {
	const struct services *sv;
	struct event *timer;
	bool armed;
	struct watcher watchers[WATCHERS_MAX];
	size_t count;	 /* of them */
	size_t left;	 /* of this round, the last first */
	json_t *station; /* as it was told last */
	uint64_t station_revision;
	uint64_t durable;      /* store_durable() then */
	uint64_t read_next_us; /* the settings in it are good until then */
};

/* A row that this watcher was shown and that is another drone's now: it gets all rows anew. */
static bool
has_lost_a_row(struct status_stream *s, const struct watcher *w, const struct target *t)
{
	for (unsigned i = 0; i < fleet_slots(s->sv->fleet); i++)
		if (w->told[i] != 0 && !t->slots[i])
			return true;
	return false;
}

/* The slots that this watcher has not seen as they are; a running job counts as always new. */
static json_t *
news(struct status_stream *s, struct watcher *w, const struct target *t, bool *ret_any)
{
	json_t *list = json_array();

	*ret_any = false;
	for (unsigned i = 0; i < fleet_slots(s->sv->fleet); i++) {
		uint64_t revision = fleet_revision(s->sv->fleet, i) + 1;

		if (!w->full && w->told[i] == revision)
			continue;
		w->told[i] = 0;
		if (!fleet_is_used(s->sv->fleet, i))
			continue;
		if (w->target[0] != '\0' && !t->slots[i])
			continue;
		w->told[i] = revision;
		*ret_any = true;
		if (json_array_append_new(list, status_slot(s->sv, i)) < 0)
			break;
	}
	return list;
}

static void
tell(struct status_stream *s, struct watcher *w)
{
	struct target t;
	bool any;
	json_t *slots;
	int r;

	target_begin(&t, w->target, NULL);
	if (w->target[0] != '\0')
		api_find(s->sv, w->target, false, &t);
	if (w->target[0] != '\0' && has_lost_a_row(s, w, &t))
		w->full = true;
	/* WHY all rows: that is how a watcher learns of one that is not there any more, or has
	 * moved. */
	w->full |= w->given_back != fleet_given_back(s->sv->fleet);
	w->full |= w->rack != rack_revision(s->sv);
	w->given_back = fleet_given_back(s->sv->fleet);
	w->rack = rack_revision(s->sv);
	slots = news(s, w, &t, &any);
	if (!any && !w->full && w->station == s->station_revision) {
		json_decref(slots);
		return;
	}
	w->station = s->station_revision;
	r = call_continue(w->call, json_pack("{s:O, s:o, s:b, s:b}", "station", s->station, "slots",
					     slots, "full", w->full, "lost", w->lost));
	if (r < 0) {
		/* It does not read: what it missed comes as a whole once it does. */
		w->blocked = r == -EAGAIN;
		w->full = w->lost = true;
		return;
	}
	w->full = w->lost = false;
}

/* The members of the whole station are made once for all watchers. */
static void
look_at_station(struct status_stream *s)
{
	uint64_t durable = store_durable(s->sv->store), now_us = clock_now_us();
	bool known = durable == s->durable && now_us < s->read_next_us;
	json_t *now = status_station(s->sv, known ? s->station : NULL);

	if (!known) {
		s->durable = durable;
		s->read_next_us = now_us + READ_EVERY_US;
	}
	if (s->station != NULL && now != NULL && json_equal(s->station, now)) {
		json_decref(now);
		return;
	}
	/* WHY: it shows in the rows of drones that wait. */
	for (size_t i = 0; i < WATCHERS_MAX; i++)
		s->watchers[i].full |= !json_equal(json_object_get(s->station, "health"),
						   json_object_get(now, "health"));
	json_decref(s->station);
	s->station = now;
	s->station_revision++;
}

static bool
arm(struct status_stream *s, uint64_t us)
{
	struct timeval tv = { .tv_sec = (time_t)(us / 1000000),
			      .tv_usec = (suseconds_t)(us % 1000000) };

	return evtimer_add(s->timer, &tv) == 0;
}

/* All are told, one after the other, within the share of time that clients have. */
static void
on_watch_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct status_stream *s = ctx;
	enum loop_work before = turns_begin(s->sv->turns, LOOP_CLIENT);
	struct share share;

	(void)fd;
	(void)what;
	share_begin(&share, clock_now_us());
	if (s->left == 0) {
		look_at_station(s);
		s->left = WATCHERS_MAX;
	}
	while (s->left > 0 && !share_is_spent(&share, clock_now_us())) {
		struct watcher *w = &s->watchers[--s->left];

		if (w->call != NULL && !w->blocked)
			tell(s, w);
	}
	s->armed = s->left > 0 &&
		   arm(s, share_end(&share, clock_now_us(), fleet_active(s->sv->fleet) > 0));
	turns_end(s->sv->turns, before);
}

void
status_stream_renew(struct status_stream *s)
{
	for (size_t i = 0; s != NULL && i < WATCHERS_MAX; i++)
		s->watchers[i].full = true;
	if (s != NULL)
		status_stream_changed(s);
}

void
status_stream_changed(void *ctx)
{
	struct status_stream *s = ctx;

	if (s->count == 0 || s->armed)
		return;
	s->armed = arm(s, (uint64_t)TELL_EVERY_MS * 1000);
}

void
status_stream_add(struct status_stream *s, struct call *call, const char *target)
{
	for (size_t i = 0; i < WATCHERS_MAX; i++) {
		struct watcher *w = &s->watchers[i];

		if (w->call != NULL)
			continue;
		memset(w, 0, sizeof(*w));
		w->call = call;
		w->full = true;
		s->count++;
		copy_text(w->target, sizeof(w->target), target);
		look_at_station(s);
		tell(s, w);
		return;
	}
	call_refuse(call, PROTO_ERROR("Busy"), "%d watch already; no more can.", WATCHERS_MAX);
}

void
status_stream_drop(struct status_stream *s, struct call *call)
{
	for (size_t i = 0; i < WATCHERS_MAX; i++)
		if (s->watchers[i].call == call) {
			s->watchers[i].call = NULL;
			s->count--;
		}
}

void
status_stream_drained(struct status_stream *s, struct call *call)
{
	for (size_t i = 0; i < WATCHERS_MAX; i++)
		if (s->watchers[i].call == call)
			s->watchers[i].blocked = false;
	status_stream_changed(s);
}

int
status_stream_new(const struct services *sv, struct status_stream **ret_stream)
{
	struct status_stream *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return -ENOMEM;
	s->sv = sv;
	s->timer = evtimer_new(sv->base, on_watch_timer, s);
	if (s->timer == NULL) {
		free(s);
		return -ENOMEM;
	}
	/* Of the lowest priority, as all that is done for clients; not active: cannot fail. */
	(void)event_priority_set(s->timer, event_base_get_npriorities(sv->base) - 1);
	*ret_stream = s;
	return 0;
}

void
status_stream_free(struct status_stream *s)
{
	if (s == NULL)
		return;
	event_free(s->timer);
	json_decref(s->station);
	free(s);
}
