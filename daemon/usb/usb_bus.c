/* SPDX-License-Identifier: MIT */
/*
 * The USB seam: devices opened by their nodes through libusb, one transfer each, through usbfs.
 *
 *  OPENING --> IDLE <--> TRANSFER   [after_open, start_transfer, reap]
 *     |         | ^--> RESETTING    [start_reset, after_reset]
 *     |         v         |
 *     |      CLOSING      |         a worker closes the node        [close_step]
 *     |       |   ^       |
 *     |       v   |       |
 *     |      DONE |       |
 *     +---------> ORPHAN <+         failed, or its worker is late   [after_open, on_timeout,
 *                                                                    usb_close]
 * INVARIANT: a struct usb_dev is freed only in settle(), when no transfer, job or notice needs it.
 * INVARIANT: a transfer that a worker discards is reaped when that worker is back: the kernel finds
 * it by its address, which the next one has again.
 *
 * libusb opens a device, claims its interface, resets and closes it, in a worker (node.c).
 * Transfers go to the kernel directly (xfer.c), since one costs three system calls so, and seven
 * through libusb, one of them a poll(2) of all devices.  libusb's events are never handled: it
 * would reap our transfers.  The remains of a closed device it frees when it handles events, or
 * with its context (1.0.26 and 1.0.28, cleanup_removed_event_sources()): each device has one of its
 * own, therefore, from opening to closing.
 *
 * The kernel's side, drivers/usb/core/devio.c of Linux 6.1 (doc/rack.md 10):
 *  - What is sent is copied when a transfer is submitted, what came, status and length when it is
 *    reaped.  A transfer that is never reaped ends when its node is closed, and touches nothing.
 *  - EPOLLOUT: there is something to reap, also after the device is gone.  EPOLLHUP, EPOLLERR: the
 *    device is gone, for ever; a transfer may still be on its way then, reaping says ENODEV.  Each
 *    end of a transfer wakes the waiters, so does the end of the device.
 */
#include "config.h"

#include "cfdfu/usb_port.h"
#include "usb/node.h"
#include "usb/xfer.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

#define BUCKETS 256 /* by the low bits of the id: the caller counts them up */

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
	struct event *event; /* the node, while it is open, and the time of what is under way */
	struct xfer xfer;
};

LIST_HEAD(dev_list, usb_dev);
STAILQ_HEAD(notice_queue, usb_dev);

struct usb_bus {
	struct event_base *base;
	const struct usb_callbacks *cb;
	void *ctx;
	struct worker *worker;
	struct event *deliver; /* timer of 0: something is to be told */
	struct dev_list devs[BUCKETS];
	struct notice_queue queue;
	bool freeing;
};

static struct usb_dev *
find_dev(const struct usb_bus *bus, uint64_t id)
{
	struct usb_dev *d;

	LIST_FOREACH(d, &bus->devs[id % BUCKETS], link)
		if (d->id == id && !d->forgotten)
			return d;
	return NULL;
}

/* Something to tell from a place where the caller is on the stack. */
static void
tell_later(struct usb_dev *d, enum notice notice)
{
	static const struct timeval now = { 0, 0 };

	d->notice = notice;
	if (!d->queued)
		STAILQ_INSERT_TAIL(&d->bus->queue, d, queue_link);
	d->queued = true;
	/* WHY a timer and not event_active(): the loop looks at its other events in between. */
	if (evtimer_add(d->bus->deliver, &now) < 0)
		event_active(d->bus->deliver, EV_TIMEOUT, 0); /* needs no memory */
}

static void
free_dev(struct usb_dev *d)
{
	LIST_REMOVE(d, link);
	xfer_done(&d->xfer);
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

/* ---- closing ---- */

/* Before the node is closed. */
static void
unwatch(struct usb_dev *d)
{
	if (d->event != NULL)
		event_free(d->event);
	d->event = NULL;
}

/* The device is to be closed, and neither a transfer nor a job holds it: one step further. */
static void
close_step(struct usb_dev *d)
{
	assert(d->phase != TRANSFER && !d->node.busy);
	if (d->node.fd >= 0) {
		unwatch(d);
		d->phase = CLOSING;
		if (node_close(&d->node, d->bus->worker))
			return;
	}
	d->phase = DONE;
	if (!d->forgotten)
		tell_later(d, NOTICE_CLOSED);
}

/* ---- telling ---- */

static void
call_back(struct usb_dev *d, enum notice notice)
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

/* A transfer was discarded by usb_close(), or the caller has just heard that it is over. */
static bool
is_to_be_closed(const struct usb_dev *d)
{
	if (d->node.busy)
		return false;
	return (d->phase == IDLE && d->closing) || (d->phase == ORPHAN && d->forgotten);
}

/* From the loop, with no caller on the stack.  The device may be no more afterwards. */
static void
tell(struct usb_dev *d, enum notice notice)
{
	call_back(d, notice);
	xfer_told(&d->xfer);
	if (is_to_be_closed(d))
		close_step(d);
	settle(d);
}

/* Tells what was due when it began; what the callbacks add waits for the next round. */
static void
on_deliver(evutil_socket_t fd, short what, void *ctx)
{
	struct usb_bus *bus = ctx;
	struct notice_queue due = STAILQ_HEAD_INITIALIZER(due);
	struct usb_dev *d;

	(void)fd;
	(void)what;
	STAILQ_CONCAT(&due, &bus->queue);
	while ((d = STAILQ_FIRST(&due)) != NULL) {
		enum notice notice = d->notice;

		STAILQ_REMOVE_HEAD(&due, queue_link);
		d->notice = NOTICE_NONE;
		d->queued = false;
		tell(d, notice);
	}
}

/* ---- transfers ---- */

/* Tells the end of the transfer; false when the kernel does not have it yet.  The device may be no
 * more afterwards. */
static bool
reap(struct usb_dev *d)
{
	assert(d->phase == TRANSFER && !d->node.busy);
	if (xfer_reap(&d->xfer, d->node.fd, d->timed_out) < 0)
		return false;
	(void)event_remove_timer(d->event); /* none is fine */
	d->phase = IDLE;
	tell(d, d->closing ? NOTICE_NONE : NOTICE_ENDED);
	return true;
}

/* Its end follows, from on_node_done() or when the kernel has it. */
static void
discard(struct usb_dev *d)
{
	if (!d->node.busy)
		(void)node_discard(&d->node, d->bus->worker, &d->xfer.urb);
}

static void
on_timeout(struct usb_dev *d)
{
	d->timed_out = true;
	if (d->phase == TRANSFER) {
		discard(d);
	} else if (d->phase == RESETTING) {
		/* The worker may need seconds more; until then the device cannot be used. */
		(void)event_remove_timer(d->event); /* cannot fail */
		d->phase = ORPHAN;
		d->xfer.status = USB_TIMEOUT;
		tell(d, NOTICE_ENDED);
	}
}

/* Something to reap, the device is gone, or what is under way has taken too long. */
static void
on_event(evutil_socket_t fd, short what, void *ctx)
{
	struct usb_dev *d = ctx;

	(void)fd;
	if (d->phase == TRANSFER && !d->node.busy && reap(d))
		return;
	if ((what & EV_TIMEOUT) != 0)
		on_timeout(d);
}

static int
start_transfer(struct usb_dev *d, const struct usb_xfer *want)
{
	int r = xfer_submit(&d->xfer, want, d->node.fd);

	if (r == 0)
		d->phase = TRANSFER;
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
	if (xfer_begin(&d->xfer, xfer) < 0 || event_add(d->event, &timeout) < 0)
		return -ENOMEM;
	d->timed_out = false;
	r = xfer->kind == USB_RESET ? start_reset(d) : start_transfer(d, xfer);
	if (d->phase == IDLE)
		(void)event_remove_timer(d->event); /* it did not start */
	return r;
}

/* ---- what workers bring back ---- */

/* From now on the kernel tells when there is something to reap. */
static int
watch(struct usb_dev *d)
{
	/* WHY edges: a device that is gone is ready for ever.  None is missed: what is under way is
	 * looked at when its time is over, too. */
	d->event = event_new(d->bus->base, d->node.fd, EV_WRITE | EV_PERSIST | EV_ET, on_event, d);
	return d->event == NULL || event_add(d->event, NULL) < 0 ? -ENOMEM : 0;
}

/* WHY a failure is told at once: closing the node again is not the caller's business. */
static void
after_open(struct usb_dev *d)
{
	if (d->node.result == 0)
		d->node.result = xfer_make_room(&d->xfer, d->node.descriptors_length);
	if (d->node.result == 0)
		d->node.result = watch(d);
	d->phase = d->node.result == 0 ? IDLE : ORPHAN;
	tell(d, NOTICE_OPENED);
}

static void
after_reset(struct usb_dev *d)
{
	(void)event_remove_timer(d->event); /* none is fine */
	d->phase = IDLE;
	d->xfer.status = d->node.result == 0 ? USB_OK : USB_GONE;
	tell(d, NOTICE_ENDED);
}

static void
on_node_done(struct node *node)
{
	struct usb_dev *d = (struct usb_dev *)(void *)node;

	if (d->bus->freeing)
		return;
	switch (d->phase) {
	case OPENING:
		after_open(d);
		return;
	case RESETTING:
		after_reset(d);
		return;
	case TRANSFER: /* discarded; not when the device is about to go: later then */
		(void)reap(d);
		return;
	case CLOSING:
	case ORPHAN:
		if (d->forgotten || d->closing)
			close_step(d);
		settle(d);
		return;
	case IDLE:
	case DONE:
		break;
	}
	assert(!"no worker has it");
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
	d->node.done = on_node_done;
	copy_text(d->node.path, sizeof(d->node.path), path);
	copy_text(d->node.port, sizeof(d->node.port), port);
	if (xfer_init(&d->xfer) < 0) {
		free(d);
		return NULL;
	}
	d->node.descriptors = d->xfer.buffers; /* no transfer needs them yet */
	d->node.descriptors_max = USB_DESCRIPTOR_BYTES_MAX;
	LIST_INSERT_HEAD(&bus->devs[id % BUCKETS], d, link);
	return d;
}

int
usb_open(struct usb_bus *bus, uint64_t id, const char *node, const char *port)
{
	struct usb_dev *d;
	int r;

	assert(find_dev(bus, id) == NULL);
	if (strlen(node) >= NODE_TEXT_MAX)
		return -ENAMETOOLONG;
	d = add_dev(bus, id, node, port);
	if (d == NULL)
		return -ENOMEM;
	r = node_open(&d->node, bus->worker);
	if (r < 0)
		free_dev(d);
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
		discard(d);
		return;
	case OPENING:
	case RESETTING:
	case ORPHAN:
		/* WHY told before its worker is back: that can take seconds. */
		if (d->event != NULL)
			(void)event_remove_timer(d->event); /* none is fine */
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

static void
end_dev(struct usb_dev *d)
{
	if (d->phase == TRANSFER)
		(void)node_discard(&d->node, NULL, &d->xfer.urb);
	unwatch(d);
	if (d->node.fd >= 0)
		(void)node_close(&d->node, NULL);
	free_dev(d);
}

void
usb_bus_free(struct usb_bus *bus)
{
	struct usb_dev *d;

	if (bus == NULL)
		return;
	bus->freeing = true;
	worker_free(bus->worker);
	for (size_t i = 0; i < BUCKETS; i++)
		while ((d = LIST_FIRST(&bus->devs[i])) != NULL)
			end_dev(d);
	if (bus->deliver != NULL)
		event_free(bus->deliver);
	free(bus);
}
