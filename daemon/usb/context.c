/* SPDX-License-Identifier: MIT */
/* libusb's context, and a table of events that follows its list of descriptors. */
#include "config.h"

#include "usb/context.h"

#include <event2/event.h>
#include <libusb.h>

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>

#if LIBUSB_API_VERSION < 0x01000109
#define LIBUSB_OPTION_NO_DEVICE_DISCOVERY LIBUSB_OPTION_WEAK_AUTHORITY /* its name in 1.0.24 */
#endif

struct watched {
	int fd;
	short events; /* as poll(2) has them */
	struct event *event;
};

struct context {
	struct event_base *base;
	libusb_context *usb;
	struct event *ready; /* a descriptor is ready: activated once for any number of them */
	void (*handled)(void *ctx);
	void *ctx;
	struct watched *watched;
	size_t count;
	atomic_bool stale; /* WHY atomic: libusb's notifiers are called in a worker when that opens
			      a node */
};

static void
on_ready(evutil_socket_t fd, short what, void *ctx)
{
	struct context *c = ctx;

	(void)fd;
	(void)what;
	event_active(c->ready, 0, 0);
}

static void
on_pollfd_added(int fd, short events, void *ctx)
{
	struct context *c = ctx;

	(void)fd;
	(void)events;
	atomic_store(&c->stale, true);
}

static void
on_pollfd_removed(int fd, void *ctx)
{
	on_pollfd_added(fd, 0, ctx);
}

static void
drop(struct context *c, size_t at)
{
	event_free(c->watched[at].event);
	c->watched[at] = c->watched[--c->count];
}

void
context_forget(struct context *c, int fd)
{
	for (size_t i = c->count; i > 0; i--)
		if (c->watched[i - 1].fd == fd)
			drop(c, i - 1);
}

static bool
add(struct context *c, const struct libusb_pollfd *wanted)
{
	struct watched *grown = realloc(c->watched, (c->count + 1) * sizeof(*grown));
	short what = EV_PERSIST;
	struct event *event;

	if (grown == NULL)
		return false;
	c->watched = grown;
	if ((wanted->events & POLLIN) != 0)
		what |= EV_READ;
	if ((wanted->events & POLLOUT) != 0)
		what |= EV_WRITE;
	event = event_new(c->base, wanted->fd, what, on_ready, c);
	if (event == NULL)
		return false;
	if (event_add(event, NULL) < 0) {
		event_free(event);
		return false;
	}
	grown[c->count++] = (struct watched){ wanted->fd, wanted->events, event };
	return true;
}

static bool
is_same(const struct watched *w, const struct libusb_pollfd *wanted)
{
	return w->fd == wanted->fd && w->events == wanted->events;
}

static bool
is_watched(const struct context *c, const struct libusb_pollfd *wanted)
{
	for (size_t i = 0; i < c->count; i++)
		if (is_same(&c->watched[i], wanted))
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

/* Without memory stale stays set: the next call tries again. */
void
context_follow(struct context *c)
{
	const struct libusb_pollfd **wanted;

	if (!atomic_exchange(&c->stale, false))
		return;
	wanted = libusb_get_pollfds(c->usb);
	if (wanted == NULL) {
		atomic_store(&c->stale, true);
		return;
	}
	for (size_t i = c->count; i > 0; i--)
		if (!is_wanted(&c->watched[i - 1], wanted))
			drop(c, i - 1);
	for (size_t i = 0; wanted[i] != NULL; i++)
		if (!is_watched(c, wanted[i]) && !add(c, wanted[i]))
			atomic_store(&c->stale, true);
	libusb_free_pollfds(wanted);
}

void
context_handle(struct context *c, unsigned wait_ms)
{
	struct timeval wait = { 0, (suseconds_t)wait_ms * 1000 };

	/* Its errors are not lost: what is ready stays ready. */
	(void)libusb_handle_events_timeout_completed(c->usb, &wait, NULL);
}

static void
on_handle_events(evutil_socket_t fd, short what, void *ctx)
{
	struct context *c = ctx;

	(void)fd;
	(void)what;
	context_handle(c, 0);
	context_follow(c);
	c->handled(c->ctx);
}

struct libusb_context *
context_usb(const struct context *c)
{
	return c->usb;
}

int
context_new(struct event_base *base, void (*handled)(void *ctx), void *ctx,
	    struct context **ret_context)
{
	struct context *c = calloc(1, sizeof(*c));
	int r = LIBUSB_ERROR_NO_MEM;

	if (c == NULL)
		return -ENOMEM;
	c->base = base;
	c->handled = handled;
	c->ctx = ctx;
	c->ready = event_new(base, -1, 0, on_handle_events, c);
	if (c->ready != NULL)
		r = libusb_set_option(NULL, LIBUSB_OPTION_NO_DEVICE_DISCOVERY);
	if (r == LIBUSB_SUCCESS)
		r = libusb_init(&c->usb);
	if (r < 0) {
		c->usb = NULL;
		context_free(c);
		return r == LIBUSB_ERROR_NO_MEM ? -ENOMEM : -ENOENT;
	}
	atomic_init(&c->stale, true);
	libusb_set_pollfd_notifiers(c->usb, on_pollfd_added, on_pollfd_removed, c);
	context_follow(c);
	*ret_context = c;
	return 0;
}

void
context_free(struct context *c)
{
	if (c == NULL)
		return;
	if (c->usb != NULL) {
		libusb_set_pollfd_notifiers(c->usb, NULL, NULL, NULL);
		while (c->count > 0)
			drop(c, c->count - 1);
		libusb_exit(c->usb);
	}
	if (c->ready != NULL)
		event_free(c->ready);
	free(c->watched);
	free(c);
}
