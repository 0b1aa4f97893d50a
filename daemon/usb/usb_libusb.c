/* SPDX-License-Identifier: MIT */
/*
 * The USB seam on libusb: devices opened by their nodes, one asynchronous transfer each.
 *
 *  OPENING --> IDLE <--> TRANSFER   [after_open, start_transfer, on_transfer_ended]
 *     |         | ^--> RESETTING    [start_reset, after_reset]
 *     |         v         |
 *     |      CLOSING      |         a worker closes the node        [close_step]
 *     |       |   ^       |
 *     |       v   |       |
 *     |      DONE |       |
 *     +---------> ORPHAN <+         failed, or its worker is late   [after_open, on_timeout,
 *                                                                    usb_close]
 * INVARIANT: a struct usb_dev is freed only in settle(), when no transfer, job or notice needs it.
 * INVARIANT: a node is closed only after libusb_close(), and that is called from the loop, outside
 * of libusb.
 *
 * WHY own timers instead of libusb's: its timerfd would be set twice for each of some thousand
 * transfers a second.
 */
#include "config.h"

#include "cfdfu/usb_port.h"

#include "usb/node.h"
#include "usb/pollfds.h"
#include "usb/worker.h"
#include "usb/xfer.h"

#include <event2/event.h>
#include <libusb.h>

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#define DEVICES_MAX 256	    /* LIMIT: twice the drones of one daemon: one closing, one opening */
#define DRAIN_ROUNDS_MAX 40 /* LIMIT: usb_bus_free() waits 40 times 50 ms for its transfers */
_Static_assert(XFER_BUFFER_BYTES >= USB_DESCRIPTOR_BYTES_MAX,
	       "descriptors are read into the buffer");

#if LIBUSB_API_VERSION < 0x01000109
#define LIBUSB_OPTION_NO_DEVICE_DISCOVERY LIBUSB_OPTION_WEAK_AUTHORITY /* its name in 1.0.24 */
#endif

enum phase { OPENING, IDLE, TRANSFER, RESETTING, CLOSING, ORPHAN, DONE };

enum notice { NOTICE_NONE, NOTICE_OPENED, NOTICE_ENDED, NOTICE_CLOSED };

struct usb_dev {
	struct node node; /* the first member */
	uint64_t id;
	struct usb_bus *bus;
	struct usb_dev *next;
	enum phase phase;
	bool closing;	/* usb_close() was called */
	bool forgotten; /* the id is free; no callback any more */
	bool timed_out;
	enum notice notice; /* what is to be told, in the queue of those that have something */
	bool queued;
	struct usb_dev *next_queued;
	enum usb_status status;
	struct event *timer;
	struct libusb_transfer *transfer;
	/*
	 * WHY two, and here: a callback may submit while it still reads what came; and nothing may
	 * be missing after an erase.
	 */
	uint8_t buffers[2][XFER_BUFFER_BYTES];
	unsigned current;    /* the one last used */
	const uint8_t *data; /* in that one, or NULL */
	size_t length;
};

struct usb_bus {
	struct event_base *base;
	const struct usb_callbacks *cb;
	void *ctx;
	libusb_context *usb; /* made by the first usb_open(): a bus may appear later than we */
	struct pollfds *pollfds;
	struct worker *worker;
	struct event *pump;    /* something of libusb's is ready */
	struct event *deliver; /* timer of 0: something is to be told */
	struct usb_dev *devs;
	unsigned dev_count;
	struct usb_dev *queue_first, *queue_last;
	bool freeing;
};

static struct usb_dev *
find_dev(const struct usb_bus *bus, uint64_t id)
{
	struct usb_dev *d = bus->devs;

	while (d != NULL && (d->id != id || d->forgotten))
		d = d->next;
	return d;
}

static void
queue_dev(struct usb_dev *d)
{
	struct usb_bus *bus = d->bus;

	if (d->queued)
		return;
	d->queued = true;
	d->next_queued = NULL;
	if (bus->queue_last != NULL)
		bus->queue_last->next_queued = d;
	else
		bus->queue_first = d;
	bus->queue_last = d;
}

/* Something to tell from a place where the caller is on the stack. */
static void
tell_later(struct usb_dev *d, enum notice notice)
{
	static const struct timeval now = { 0, 0 };

	d->notice = notice;
	queue_dev(d);
	/* WHY a timer and not event_active(): the loop looks at its other events in between. */
	(void)evtimer_add(d->bus->deliver, &now); /* no memory: the next wake-up delivers */
}

/* Frees the device when nothing refers to it any more. */
static void
settle(struct usb_dev *d)
{
	struct usb_dev **at = &d->bus->devs;

	if (d->phase != DONE || d->node.busy || d->queued || !d->forgotten)
		return;
	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	d->bus->dev_count--;
	libusb_free_transfer(d->transfer);
	if (d->timer != NULL)
		event_free(d->timer);
	free(d);
}

/* ---- closing, and what workers bring back ---- */

static void
close_handle(struct usb_dev *d)
{
	if (d->node.handle == NULL)
		return;
	libusb_close(d->node.handle);
	d->node.handle = NULL;
	pollfds_forget(d->bus->pollfds, d->node.fd);
	pollfds_follow(d->bus->pollfds);
}

/* The device is to be closed, and neither a transfer nor a job holds it: one step further. */
static void
close_step(struct usb_dev *d)
{
	assert(d->phase != TRANSFER && !d->node.busy);
	close_handle(d);
	if (d->node.fd >= 0) {
		d->phase = CLOSING;
		if (node_close(&d->node, d->bus->worker) == 0)
			return;
		(void)close(d->node.fd); /* no worker to be had: then here; nothing to flush */
		d->node.fd = -1;
	}
	d->phase = DONE;
	if (!d->forgotten)
		tell_later(d, NOTICE_CLOSED);
}

/* WHY a failure is told at once: closing the node again is not the caller's business. */
static void
after_open(struct usb_dev *d)
{
	d->phase = d->node.result == 0 ? IDLE : ORPHAN;
	tell_later(d, NOTICE_OPENED);
}

static void
after_reset(struct usb_dev *d)
{
	(void)event_del(d->timer); /* not pending is fine */
	d->phase = IDLE;
	d->status = d->node.result == 0 ? USB_OK : USB_GONE;
	tell_later(d, NOTICE_ENDED);
}

static void
on_node_done(struct node *node)
{
	struct usb_dev *d = (struct usb_dev *)(void *)node;

	if (d->bus->freeing)
		return;
	pollfds_follow(d->bus->pollfds);
	switch (d->phase) {
	case OPENING:
		after_open(d);
		return;
	case RESETTING:
		after_reset(d);
		return;
	case ORPHAN:
	case CLOSING:
		if (d->forgotten || d->closing)
			close_step(d);
		settle(d);
		return;
	case IDLE:
	case TRANSFER:
	case DONE:
		break;
	}
	assert(!"no worker is at work in this phase");
}

/* ---- telling ---- */

static void
tell_opened(struct usb_dev *d)
{
	struct usb_bus *bus = d->bus;

	if (d->phase == ORPHAN) {
		d->forgotten = true;
		bus->cb->opened(bus->ctx, d->id, d->node.result, NULL, 0);
	} else {
		bus->cb->opened(bus->ctx, d->id, 0, d->node.descriptors,
				d->node.descriptors_length);
	}
}

static void
tell(struct usb_dev *d, enum notice notice)
{
	switch (notice) {
	case NOTICE_NONE:
		return;
	case NOTICE_OPENED:
		tell_opened(d);
		return;
	case NOTICE_ENDED:
		d->bus->cb->ended(d->bus->ctx, d->id, d->status, d->data, d->length);
		return;
	case NOTICE_CLOSED:
		d->forgotten = true;
		d->bus->cb->closed(d->bus->ctx, d->id);
		return;
	}
}

/* A transfer was cancelled by usb_close(), or the caller has just heard that it is over. */
static bool
is_to_be_closed(const struct usb_dev *d)
{
	if (d->node.busy)
		return false;
	return (d->phase == IDLE && d->closing) || (d->phase == ORPHAN && d->forgotten);
}

/* Tells what was due when it began; what the callbacks add waits for the next round. */
static void
deliver(struct usb_bus *bus)
{
	struct usb_dev *d = bus->queue_first, *next;
	enum notice notice;

	bus->queue_first = bus->queue_last = NULL;
	for (; d != NULL; d = next) {
		next = d->next_queued;
		notice = d->notice;
		d->notice = NOTICE_NONE;
		d->queued = false;
		tell(d, notice);
		if (is_to_be_closed(d))
			close_step(d);
		settle(d);
	}
}

static void
on_deliver(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	deliver(ctx);
}

static void
on_pump(evutil_socket_t fd, short what, void *ctx)
{
	struct usb_bus *bus = ctx;
	struct timeval zero = { 0, 0 };

	(void)fd;
	(void)what;
	/* Its errors are not lost: what is ready stays ready. */
	(void)libusb_handle_events_timeout_completed(bus->usb, &zero, NULL);
	pollfds_follow(bus->pollfds);
	deliver(bus);
}

/* ---- transfers ---- */

/* Runs inside libusb: only notes what happened; on_pump() tells it when libusb is left. */
static void LIBUSB_CALL
on_transfer_ended(struct libusb_transfer *t)
{
	struct usb_dev *d = t->user_data;

	assert(d->phase == TRANSFER);
	(void)event_del(d->timer); /* not pending is fine */
	d->phase = IDLE;
	d->status = xfer_status(t, d->timed_out);
	d->data = xfer_received(t, &d->length);
	d->notice = d->closing ? NOTICE_NONE : NOTICE_ENDED;
	queue_dev(d);
}

static void
on_timeout(evutil_socket_t fd, short what, void *ctx)
{
	struct usb_dev *d = ctx;

	(void)fd;
	(void)what;
	d->timed_out = true;
	if (d->phase == TRANSFER) {
		(void)libusb_cancel_transfer(d->transfer); /* has just ended: told as it is */
	} else if (d->phase == RESETTING) {
		/* The worker may need seconds more; until then nobody can use the device. */
		d->phase = ORPHAN;
		d->status = USB_TIMEOUT;
		tell_later(d, NOTICE_ENDED);
	}
}

static int
start_transfer(struct usb_dev *d, const struct usb_xfer *x)
{
	int r;

	xfer_fill(x, d->transfer, d->buffers[d->current]);
	d->transfer->dev_handle = d->node.handle;
	d->transfer->callback = on_transfer_ended;
	d->transfer->user_data = d;
	d->phase = TRANSFER;
	errno = 0;
	r = libusb_submit_transfer(d->transfer);
	if (r == LIBUSB_SUCCESS)
		return 0;
	d->phase = IDLE;
	if (r == LIBUSB_ERROR_NO_DEVICE)
		return -ENODEV;
	/* QUIRK: libusb 1.0.26 calls a full usbfs memory pool an I/O error; the kernel's word is
	 * still there. */
	d->status = r == LIBUSB_ERROR_NO_MEM || errno == ENOMEM ? USB_NOMEM : USB_IO;
	tell_later(d, NOTICE_ENDED);
	return 0;
}

static int
start_reset(struct usb_dev *d)
{
	if (node_reset(&d->node, d->bus->worker) < 0)
		return -ENOMEM;
	d->phase = RESETTING;
	return 0;
}

int
usb_submit(struct usb_bus *bus, uint64_t id, const struct usb_xfer *xfer)
{
	struct timeval timeout = { .tv_sec = xfer->timeout_ms / 1000,
				   .tv_usec = xfer->timeout_ms % 1000 * 1000 };
	struct usb_dev *d = find_dev(bus, id);
	int r;

	if (d == NULL || d->closing || d->phase == ORPHAN)
		return -ENODEV;
	assert(d->phase == IDLE && d->notice == NOTICE_NONE); /* one in flight, after opened() */
	if (!xfer_is_sound(xfer))
		return -EINVAL;
	if (evtimer_add(d->timer, &timeout) < 0)
		return -ENOMEM;
	d->timed_out = false;
	d->current ^= 1;
	d->data = NULL;
	d->length = 0;
	r = xfer->kind == USB_RESET ? start_reset(d) : start_transfer(d, xfer);
	if (d->phase == IDLE)
		(void)event_del(d->timer); /* it did not start */
	return r;
}

/* ---- devices ---- */

/* -ENOENT when this machine has no usbfs: then there is no node either. */
static int
ensure_libusb(struct usb_bus *bus)
{
	int r;

	if (bus->usb != NULL)
		return 0;
	r = libusb_set_option(NULL, LIBUSB_OPTION_NO_DEVICE_DISCOVERY);
	if (r == LIBUSB_SUCCESS)
		r = libusb_init(&bus->usb);
	if (r < 0) {
		bus->usb = NULL;
		return r == LIBUSB_ERROR_NO_MEM ? -ENOMEM : -ENOENT;
	}
	r = pollfds_new(bus->base, bus->usb, bus->pump, &bus->pollfds);
	if (r < 0) {
		libusb_exit(bus->usb);
		bus->usb = NULL;
	}
	return r;
}

static struct usb_dev *
add_dev(struct usb_bus *bus, uint64_t id, const char *path, const char *port)
{
	struct usb_dev *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->id = id;
	d->bus = bus;
	d->node.fd = -1;
	d->node.usb = bus->usb;
	d->node.done = on_node_done;
	d->node.descriptors = d->buffers[0];
	d->node.descriptors_max = USB_DESCRIPTOR_BYTES_MAX;
	copy_text(d->node.path, sizeof(d->node.path), path);
	copy_text(d->node.port, sizeof(d->node.port), port);
	d->transfer = libusb_alloc_transfer(0);
	d->timer = evtimer_new(bus->base, on_timeout, d);
	d->next = bus->devs;
	bus->devs = d;
	bus->dev_count++;
	return d;
}

int
usb_open(struct usb_bus *bus, uint64_t id, const char *node, const char *port)
{
	struct usb_dev *d;
	int r = ensure_libusb(bus);

	assert(find_dev(bus, id) == NULL);
	if (r < 0)
		return r;
	if (strlen(node) >= NODE_TEXT_MAX)
		return -ENAMETOOLONG;
	if (bus->dev_count == DEVICES_MAX)
		return -EMFILE;
	d = add_dev(bus, id, node, port);
	if (d == NULL)
		return -ENOMEM;
	r = -ENOMEM;
	if (d->transfer != NULL && d->timer != NULL)
		r = node_open(&d->node, bus->worker);
	if (r < 0) {
		d->phase = DONE;
		d->forgotten = true;
		settle(d);
	}
	return r;
}

void
usb_close(struct usb_bus *bus, uint64_t id)
{
	struct usb_dev *d = find_dev(bus, id);

	if (d == NULL || d->closing)
		return;
	d->closing = true;
	d->notice = NOTICE_NONE;
	switch (d->phase) {
	case TRANSFER:
		(void)libusb_cancel_transfer(d->transfer); /* has just ended: the same */
		return;
	case OPENING:
	case RESETTING:
	case ORPHAN:
		/* WHY told before its worker is back: that can take seconds. */
		(void)event_del(d->timer); /* not pending is fine */
		d->phase = ORPHAN;
		tell_later(d, NOTICE_CLOSED);
		return;
	case IDLE:
		close_step(d);
		return;
	case CLOSING:
	case DONE:
		break;
	}
	assert(!"what is being closed has no id any more, or is closing");
}

/* ---- the bus ---- */

int
usb_bus_new(struct event_base *base, const struct usb_callbacks *cb, void *ctx,
	    struct usb_bus **ret_bus)
{
	struct usb_bus *bus = calloc(1, sizeof(*bus));
	int r = -ENOMEM;

	if (bus == NULL)
		goto out;
	bus->base = base;
	bus->cb = cb;
	bus->ctx = ctx;
	bus->pump = event_new(base, -1, 0, on_pump, bus);
	bus->deliver = evtimer_new(base, on_deliver, bus);
	if (bus->pump == NULL || bus->deliver == NULL)
		goto out;
	r = worker_new(base, &bus->worker);
	if (r < 0)
		goto out;
	*ret_bus = bus;
	bus = NULL; /* the caller's now */
out:
	usb_bus_free(bus);
	return r;
}

static unsigned
count_in_flight(const struct usb_bus *bus)
{
	unsigned count = 0;

	for (const struct usb_dev *d = bus->devs; d != NULL; d = d->next)
		count += d->phase == TRANSFER ? 1 : 0;
	return count;
}

/* Cancels all transfers and waits, a bounded time, for libusb to give them back. */
static bool
drain(struct usb_bus *bus)
{
	struct timeval slice = { 0, 50000 };

	for (struct usb_dev *d = bus->devs; d != NULL; d = d->next)
		if (d->phase == TRANSFER)
			(void)libusb_cancel_transfer(d->transfer); /* has just ended */
	for (unsigned i = 0; i < DRAIN_ROUNDS_MAX && count_in_flight(bus) > 0; i++)
		(void)libusb_handle_events_timeout_completed(bus->usb, &slice, NULL); /* again */
	return count_in_flight(bus) == 0;
}

static void
free_devs(struct usb_bus *bus)
{
	struct usb_dev *next;

	for (struct usb_dev *d = bus->devs; d != NULL; d = next) {
		next = d->next;
		close_handle(d);
		if (d->node.fd >= 0)
			(void)close(d->node.fd); /* usbfs has nothing to flush */
		libusb_free_transfer(d->transfer);
		event_free(d->timer);
		free(d);
	}
}

void
usb_bus_free(struct usb_bus *bus)
{
	if (bus == NULL)
		return;
	bus->freeing = true;
	worker_free(bus->worker);
	/* WHY leak rather: the kernel still owns these buffers, and the process is about to end. */
	if (!drain(bus))
		return;
	free_devs(bus);
	pollfds_free(bus->pollfds);
	if (bus->pump != NULL)
		event_free(bus->pump);
	if (bus->deliver != NULL)
		event_free(bus->deliver);
	if (bus->usb != NULL)
		libusb_exit(bus->usb);
	free(bus);
}
