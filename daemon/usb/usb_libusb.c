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
#include "usb/context.h"
#include "usb/node.h"
#include "usb/xfer.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <unistd.h>

#define DEVICES_MAX 256	    /* LIMIT: twice the drones of one daemon: one closing, one opening */
#define DRAIN_ROUNDS_MAX 40 /* LIMIT: usb_bus_free() waits 40 times 50 ms for its transfers */
#define DRAIN_MS 50
_Static_assert(XFER_BUFFER_BYTES >= USB_DESCRIPTOR_BYTES_MAX, "node.descriptors is a buffer");

enum phase { OPENING, IDLE, TRANSFER, RESETTING, CLOSING, ORPHAN, DONE };

enum notice { NOTICE_NONE, NOTICE_OPENED, NOTICE_ENDED, NOTICE_CLOSED };

struct usb_dev {
	struct node node; /* the first member */
	uint64_t id;
	struct usb_bus *bus;
	LIST_ENTRY(usb_dev) link;
	enum phase phase;
	bool closing;	/* usb_close() was called */
	bool forgotten; /* the id is free; no callback any more */
	bool timed_out;
	enum notice notice; /* to be told; then it is in the queue */
	bool queued;
	STAILQ_ENTRY(usb_dev) queue_link;
	struct event *timer;
	struct xfer xfer;
};

STAILQ_HEAD(notice_queue, usb_dev);

struct usb_bus {
	struct event_base *base;
	const struct usb_callbacks *cb;
	void *ctx;
	struct context *context; /* made by the first usb_open(): a bus may appear later than we */
	struct worker *worker;
	struct event *deliver; /* timer of 0: something is to be told */
	LIST_HEAD(usb_dev_list, usb_dev) devs;
	unsigned dev_count;
	struct notice_queue queue;
	bool freeing;
};

static struct usb_dev *
find_dev(const struct usb_bus *bus, uint64_t id)
{
	struct usb_dev *d;

	LIST_FOREACH(d, &bus->devs, link)
		if (d->id == id && !d->forgotten)
			return d;
	return NULL;
}

static void
queue_dev(struct usb_dev *d)
{
	if (d->queued)
		return;
	d->queued = true;
	STAILQ_INSERT_TAIL(&d->bus->queue, d, queue_link);
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

static void
free_dev(struct usb_dev *d)
{
	LIST_REMOVE(d, link);
	d->bus->dev_count--;
	xfer_done(&d->xfer);
	if (d->timer != NULL)
		event_free(d->timer);
	free(d);
}

/* Frees the device when nothing refers to it any more. */
static void
settle(struct usb_dev *d)
{
	if (d->phase != DONE || d->node.busy || d->queued || !d->forgotten)
		return;
	free_dev(d);
}

/* ---- closing, and what workers bring back ---- */

static void
close_handle(struct usb_dev *d)
{
	if (d->node.handle == NULL)
		return;
	libusb_close(d->node.handle);
	d->node.handle = NULL;
	context_forget(d->bus->context, d->node.fd);
	context_follow(d->bus->context);
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
	d->xfer.status = d->node.result == 0 ? USB_OK : USB_GONE;
	tell_later(d, NOTICE_ENDED);
}

static void
on_node_done(struct node *node)
{
	struct usb_dev *d = (struct usb_dev *)(void *)node;

	if (d->bus->freeing)
		return;
	context_follow(d->bus->context);
	if (d->phase == OPENING) {
		after_open(d);
	} else if (d->phase == RESETTING) {
		after_reset(d);
	} else {
		assert(d->phase == ORPHAN || d->phase == CLOSING);
		if (d->forgotten || d->closing)
			close_step(d);
		settle(d);
	}
}

/* ---- telling ---- */

static void
tell(struct usb_dev *d, enum notice notice)
{
	const struct usb_callbacks *cb = d->bus->cb;
	bool is_open = d->phase != ORPHAN;

	switch (notice) {
	case NOTICE_NONE:
		return;
	case NOTICE_OPENED:
		d->forgotten = !is_open;
		cb->opened(d->bus->ctx, d->id, d->node.result, is_open ? d->node.descriptors : NULL,
			   is_open ? d->node.descriptors_length : 0);
		return;
	case NOTICE_ENDED:
		cb->ended(d->bus->ctx, d->id, d->xfer.status, d->xfer.data, d->xfer.length);
		return;
	case NOTICE_CLOSED:
		d->forgotten = true;
		cb->closed(d->bus->ctx, d->id);
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
deliver(void *ctx)
{
	struct usb_bus *bus = ctx;
	struct notice_queue due = STAILQ_HEAD_INITIALIZER(due);
	struct usb_dev *d;

	STAILQ_CONCAT(&due, &bus->queue);
	while ((d = STAILQ_FIRST(&due)) != NULL) {
		enum notice notice = d->notice;

		STAILQ_REMOVE_HEAD(&due, queue_link);
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

/* ---- transfers ---- */

/* Runs inside libusb: only notes what happened; deliver() tells it when libusb is left. */
static void LIBUSB_CALL
on_transfer_ended(struct libusb_transfer *t)
{
	struct usb_dev *d = t->user_data;

	assert(d->phase == TRANSFER);
	(void)event_del(d->timer); /* not pending is fine */
	d->phase = IDLE;
	xfer_take_result(&d->xfer, d->timed_out);
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
		(void)libusb_cancel_transfer(d->xfer.transfer); /* has just ended: told as it is */
	} else if (d->phase == RESETTING) {
		/* The worker may need seconds more; until then the device cannot be used. */
		d->phase = ORPHAN;
		d->xfer.status = USB_TIMEOUT;
		tell_later(d, NOTICE_ENDED);
	}
}

static int
start_transfer(struct usb_dev *d, const struct usb_xfer *want)
{
	int r;

	d->phase = TRANSFER;
	r = xfer_submit(&d->xfer, want, d->node.handle);
	if (r < 0)
		d->phase = IDLE;
	if (r == -EIO)
		tell_later(d, NOTICE_ENDED);
	return r == -EIO ? 0 : r;
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
	xfer_begin(&d->xfer);
	r = xfer->kind == USB_RESET ? start_reset(d) : start_transfer(d, xfer);
	if (d->phase == IDLE)
		(void)event_del(d->timer); /* it did not start */
	return r;
}

/* ---- devices ---- */

static struct usb_dev *
add_dev(struct usb_bus *bus, uint64_t id, const char *path, const char *port)
{
	struct usb_dev *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->id = id;
	d->bus = bus;
	d->node.fd = -1;
	d->node.usb = context_usb(bus->context);
	d->node.done = on_node_done;
	d->node.descriptors = d->xfer.buffers[0];
	d->node.descriptors_max = USB_DESCRIPTOR_BYTES_MAX;
	copy_text(d->node.path, sizeof(d->node.path), path);
	copy_text(d->node.port, sizeof(d->node.port), port);
	d->timer = evtimer_new(bus->base, on_timeout, d);
	LIST_INSERT_HEAD(&bus->devs, d, link);
	bus->dev_count++;
	if (xfer_init(&d->xfer, on_transfer_ended, d) == 0 && d->timer != NULL)
		return d;
	free_dev(d);
	return NULL;
}

int
usb_open(struct usb_bus *bus, uint64_t id, const char *node, const char *port)
{
	struct usb_dev *d;
	int r = bus->context != NULL ? 0 : context_new(bus->base, deliver, bus, &bus->context);

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
		(void)libusb_cancel_transfer(d->xfer.transfer); /* has just ended: the same */
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
		return r;
	bus->base = base;
	bus->cb = cb;
	bus->ctx = ctx;
	LIST_INIT(&bus->devs);
	STAILQ_INIT(&bus->queue);
	bus->deliver = evtimer_new(base, on_deliver, bus);
	if (bus->deliver != NULL)
		r = worker_new(base, &bus->worker);
	if (r == 0)
		*ret_bus = bus;
	else
		usb_bus_free(bus);
	return r;
}

/* Cancels all transfers and waits, a bounded time, for libusb to give them back. */
static bool
drain(struct usb_bus *bus)
{
	struct usb_dev *d;

	LIST_FOREACH(d, &bus->devs, link)
		if (d->phase == TRANSFER)
			(void)libusb_cancel_transfer(d->xfer.transfer); /* has just ended */
	for (unsigned left = DRAIN_ROUNDS_MAX;; left--) {
		bool in_flight = false;

		LIST_FOREACH(d, &bus->devs, link)
			in_flight = in_flight || d->phase == TRANSFER;
		if (!in_flight || left == 0)
			return !in_flight;
		context_handle(bus->context, DRAIN_MS);
	}
}

static void
free_devs(struct usb_bus *bus)
{
	struct usb_dev *d;

	while ((d = LIST_FIRST(&bus->devs)) != NULL) {
		close_handle(d);
		if (d->node.fd >= 0)
			(void)close(d->node.fd);
		free_dev(d);
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
	context_free(bus->context);
	if (bus->deliver != NULL)
		event_free(bus->deliver);
	free(bus);
}
