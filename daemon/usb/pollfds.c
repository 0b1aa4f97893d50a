/* SPDX-License-Identifier: MIT */
/* A table of libevent events that follows libusb's list of descriptors. */
#include "config.h"

#include "usb/pollfds.h"

#include <event2/event.h>
#include <libusb.h>

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

struct watched {
	int fd;
	short events; /* as poll(2) has them */
	struct event *event;
};

struct pollfds {
	struct event_base *base;
	libusb_context *usb;
	struct event *ready;
	struct watched *watched;
	size_t count;
	atomic_bool stale; /* WHY atomic: libusb's notifiers are called in a worker when that opens
			      a node */
};

static void
on_ready(evutil_socket_t fd, short what, void *ctx)
{
	struct pollfds *p = ctx;

	(void)fd;
	(void)what;
	event_active(p->ready, 0, 0);
}

static void
on_pollfd_added(int fd, short events, void *ctx)
{
	struct pollfds *p = ctx;

	(void)fd;
	(void)events;
	atomic_store(&p->stale, true);
}

static void
on_pollfd_removed(int fd, void *ctx)
{
	on_pollfd_added(fd, 0, ctx);
}

static void
drop(struct pollfds *p, size_t at)
{
	event_free(p->watched[at].event);
	p->watched[at] = p->watched[--p->count];
}

void
pollfds_forget(struct pollfds *p, int fd)
{
	for (size_t i = p->count; i > 0; i--)
		if (p->watched[i - 1].fd == fd)
			drop(p, i - 1);
}

static bool
add(struct pollfds *p, const struct libusb_pollfd *wanted)
{
	struct watched *grown = realloc(p->watched, (p->count + 1) * sizeof(*grown));
	short what = EV_PERSIST;
	struct event *event;

	if (grown == NULL)
		return false;
	p->watched = grown;
	if ((wanted->events & POLLIN) != 0)
		what |= EV_READ;
	if ((wanted->events & POLLOUT) != 0)
		what |= EV_WRITE;
	event = event_new(p->base, wanted->fd, what, on_ready, p);
	if (event == NULL)
		return false;
	if (event_add(event, NULL) < 0) {
		event_free(event);
		return false;
	}
	grown[p->count++] = (struct watched){ wanted->fd, wanted->events, event };
	return true;
}

static bool
is_same(const struct watched *w, const struct libusb_pollfd *wanted)
{
	return w->fd == wanted->fd && w->events == wanted->events;
}

static bool
is_watched(const struct pollfds *p, const struct libusb_pollfd *wanted)
{
	for (size_t i = 0; i < p->count; i++)
		if (is_same(&p->watched[i], wanted))
			return true;
	return false;
}

static bool
is_wanted(const struct watched *w, const struct libusb_pollfd **wanted)
{
	for (; *wanted != NULL; wanted++)
		if (is_same(w, *wanted))
			return true;
	return false;
}

/* What fails for want of memory is tried again at the next call: stale stays set. */
void
pollfds_follow(struct pollfds *p)
{
	const struct libusb_pollfd **wanted;

	if (!atomic_exchange(&p->stale, false))
		return;
	wanted = libusb_get_pollfds(p->usb);
	if (wanted == NULL) {
		atomic_store(&p->stale, true);
		return;
	}
	for (size_t i = p->count; i > 0; i--)
		if (!is_wanted(&p->watched[i - 1], wanted))
			drop(p, i - 1);
	for (size_t i = 0; wanted[i] != NULL; i++)
		if (!is_watched(p, wanted[i]) && !add(p, wanted[i]))
			atomic_store(&p->stale, true);
	libusb_free_pollfds(wanted);
}

int
pollfds_new(struct event_base *base, struct libusb_context *usb, struct event *ready,
	    struct pollfds **ret_pollfds)
{
	struct pollfds *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return -ENOMEM;
	p->base = base;
	p->usb = usb;
	p->ready = ready;
	atomic_init(&p->stale, true);
	libusb_set_pollfd_notifiers(usb, on_pollfd_added, on_pollfd_removed, p);
	pollfds_follow(p);
	*ret_pollfds = p;
	return 0;
}

void
pollfds_free(struct pollfds *p)
{
	if (p == NULL)
		return;
	libusb_set_pollfd_notifiers(p->usb, NULL, NULL, NULL);
	while (p->count > 0)
		drop(p, p->count - 1);
	free(p->watched);
	free(p);
}
