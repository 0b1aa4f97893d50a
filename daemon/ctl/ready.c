/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ctl/ready.h"

#include <errno.h>
#include <event2/event.h>

#include "ctl/server.h"

#define SERVED_AT_ONCE 16 /* LIMIT: of connections, however little they cost */

struct event *
ready_event(struct event_base *base, int fd, short what,
	    void (*call)(evutil_socket_t fd, short what, void *arg), void *arg)
{
	struct event *e = event_new(base, fd, what, call, arg);

	if (e != NULL)
		(void)event_priority_set(e, event_base_get_npriorities(base) -
						1); /* not yet active: cannot fail */
	return e;
}

/*
 * WHY a timer and not event_active(): what is activated in a callback runs in the same turn of the
 * loop; what is due is looked for after the devices.
 */
static void
serve_after(struct ready *r, uint64_t us)
{
	struct timeval wait = { .tv_sec = (time_t)(us / 1000000),
				.tv_usec = (suseconds_t)(us % 1000000) };

	if (event_add(r->on_due, &wait) < 0)
		event_active(r->on_due, EV_TIMEOUT, 0);
}

static uint64_t
now_us(const struct ready *r)
{
	return r->options->now_us(r->options->ctx);
}

/* Each in turn, until the share of time is used up. */
static void
on_due(evutil_socket_t fd, short what, void *arg)
{
	struct ready *r = arg;
	const struct server_options *o = r->options;
	uint64_t rest_us;

	(void)fd;
	(void)what;
	if (TAILQ_EMPTY(&r->waiting))
		return;
	r->requests = 0;
	if (o->work != NULL)
		o->work(o->work_ctx, true);
	share_begin(&r->share, now_us(r));
	for (int left = SERVED_AT_ONCE; left > 0 && !TAILQ_EMPTY(&r->waiting); left--) {
		struct ready_item *item = TAILQ_FIRST(&r->waiting);

		ready_remove(r, item);
		item->serve(item);
		if (share_is_spent(&r->share, now_us(r)))
			break;
	}
	if (r->requests > r->requests_max)
		r->requests_max = r->requests;
	if (o->work != NULL)
		o->work(o->work_ctx, false);
	rest_us = share_end(&r->share, now_us(r), o->at_work != NULL && o->at_work(o->ctx));
	r->rest_until_us = now_us(r) + rest_us;
	if (!TAILQ_EMPTY(&r->waiting))
		serve_after(r, rest_us);
}

int
ready_init(struct ready *r, struct event_base *base, const struct server_options *options)
{
	r->base = base;
	r->options = options;
	TAILQ_INIT(&r->waiting);
	r->on_due = ready_event(base, -1, 0, on_due, r);
	return r->on_due == NULL ? -ENOMEM : 0;
}

void
ready_done(struct ready *r)
{
	if (r->on_due != NULL)
		event_free(r->on_due);
}

void
ready_add(struct ready *r, struct ready_item *item)
{
	uint64_t now = now_us(r);

	if (item->waiting)
		return;
	item->waiting = true;
	TAILQ_INSERT_TAIL(&r->waiting, item, link);
	if (event_pending(r->on_due, EV_TIMEOUT, NULL) == 0)
		serve_after(r, r->rest_until_us > now ? r->rest_until_us - now : 0);
}

void
ready_remove(struct ready *r, struct ready_item *item)
{
	if (!item->waiting)
		return;
	item->waiting = false;
	TAILQ_REMOVE(&r->waiting, item, link);
}
