/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "sim/usbip.h"

#include <endian.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sim/live.h"

#define HEADER 48
#define CMD_SUBMIT 1U
#define CMD_UNLINK 2U
#define RET_SUBMIT 3U
#define RET_UNLINK 4U
#define READ_BYTES_MAX (USBIP_TRANSFER_MAX + HEADER)

/* Where a request waits. */
enum lane {
	LANE_CONTROL = DRONE_CONTROL,
	LANE_OUT = DRONE_OUT,
	LANE_IN = DRONE_IN,
	LANE_NEVER,
	LANES
};

struct urb {
	struct urb *next;
	uint32_t seqnum;
	bool in;
	struct usb_xfer x;
	uint8_t data[];
};

struct usbip {
	struct live *live;
	uint64_t id;
	struct bufferevent *bev;
	void (*on_broken)(void *ctx);
	void *ctx;
	struct urb *first[LANES];
	bool submitted[LANES]; /* the first of the lane is with the drone */
	unsigned count;
	bool addressed; /* the kernel has begun to enumerate it */
};

static uint32_t
get_be32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return be32toh(v);
}

static void
put_be32(uint8_t *p, uint32_t v)
{
	v = htobe32(v);
	memcpy(p, &v, sizeof(v));
}

/* ---- answers ---- */

static void
ret_submit(struct usbip *u, uint32_t seqnum, int status, const uint8_t *data, uint32_t actual)
{
	uint8_t h[HEADER] = { 0 };

	put_be32(h, RET_SUBMIT);
	put_be32(h + 4, seqnum);
	put_be32(h + 20, (uint32_t)status);
	put_be32(h + 24, actual);
	(void)bufferevent_write(u->bev, h, sizeof(h));
	if (data != NULL && actual > 0)
		(void)bufferevent_write(u->bev, data, actual);
}

static void
ret_unlink(struct usbip *u, uint32_t seqnum, int status)
{
	uint8_t h[HEADER] = { 0 };

	put_be32(h, RET_UNLINK);
	put_be32(h + 4, seqnum);
	put_be32(h + 20, (uint32_t)status);
	(void)bufferevent_write(u->bev, h, sizeof(h));
}

/* As a host controller reports it. */
static int
errno_of(enum usb_status status)
{
	switch (status) {
	case USB_OK:
		return 0;
	case USB_STALL:
		return -EPIPE;
	case USB_GONE:
		return -ESHUTDOWN;
	case USB_OVERFLOW:
		return -EOVERFLOW;
	case USB_NOMEM:
		return -ENOMEM;
	case USB_TIMEOUT:
	case USB_IO:
	case USB_STATUS_COUNT:
		break;
	}
	return -EPROTO;
}

/* ---- lanes ---- */

static struct urb *
take_first(struct usbip *u, unsigned lane)
{
	struct urb *urb = u->first[lane];

	u->first[lane] = urb->next;
	u->submitted[lane] = false;
	u->count--;
	return urb;
}

/* Gives the drone the first request of the lane; refusals are answered at once. */
static void
advance(struct usbip *u, unsigned lane)
{
	while (lane != LANE_NEVER && u->first[lane] != NULL && !u->submitted[lane]) {
		struct urb *urb = u->first[lane];
		int r;

		live_sync(u->live);
		r = world_submit(live_world(u->live), u->id, &urb->x);
		live_kick(u->live);
		if (r == 0) {
			u->submitted[lane] = true;
			return;
		}
		ret_submit(u, urb->seqnum, r == -ENODEV ? -ESHUTDOWN : r, NULL, 0);
		free(take_first(u, lane));
	}
}

void
usbip_ended(struct usbip *u, enum usb_xfer_kind kind, enum usb_status status, const uint8_t *data,
	    size_t length)
{
	unsigned lane = kind == USB_BULK_OUT  ? LANE_OUT
			: kind == USB_BULK_IN ? LANE_IN
					      : LANE_CONTROL;
	struct urb *urb;
	uint32_t actual;

	if (u->first[lane] == NULL || !u->submitted[lane])
		return;
	urb = take_first(u, lane);
	actual = urb->in ? (uint32_t)length : status == USB_OK ? urb->x.length : 0;
	ret_submit(u, urb->seqnum, errno_of(status), urb->in ? data : NULL, actual);
	free(urb);
	advance(u, lane);
}

static void
append(struct usbip *u, unsigned lane, struct urb *urb)
{
	struct urb **at = &u->first[lane];

	while (*at != NULL)
		at = &(*at)->next;
	*at = urb;
	u->count++;
}

static void
unlink_urb(struct usbip *u, uint32_t seqnum, uint32_t victim)
{
	for (unsigned lane = 0; lane < LANES; lane++)
		for (struct urb **at = &u->first[lane]; *at != NULL; at = &(*at)->next) {
			struct urb *urb = *at;

			if (urb->seqnum != victim)
				continue;
			if (at == &u->first[lane] && u->submitted[lane]) {
				live_sync(u->live);
				(void)world_cancel(live_world(u->live), u->id,
						   (enum drone_channel)lane);
				live_kick(u->live);
				u->submitted[lane] = false;
			}
			*at = urb->next;
			u->count--;
			free(urb);
			ret_unlink(u, seqnum, -ECONNRESET);
			advance(u, lane);
			return;
		}
	ret_unlink(u, seqnum, 0); /* it has been answered already */
}

/* ---- commands ---- */

static unsigned
lane_of(uint32_t endpoint, bool in)
{
	if (endpoint == 0)
		return LANE_CONTROL;
	if (endpoint == 1)
		return in ? LANE_IN : LANE_OUT;
	return LANE_NEVER;
}

static void
fill_transfer(struct urb *urb, const uint8_t *h, uint32_t endpoint, uint32_t length)
{
	const uint8_t *s = h + 40;

	urb->x.data = urb->in ? NULL : urb->data;
	urb->x.length = length < USB_TRANSFER_BYTES_MAX ? length : USB_TRANSFER_BYTES_MAX;
	if (endpoint != 0) {
		urb->x.kind = urb->in ? USB_BULK_IN : USB_BULK_OUT;
		urb->x.endpoint = (uint8_t)(endpoint | (urb->in ? 0x80 : 0));
		return;
	}
	urb->x.kind = USB_CONTROL;
	urb->x.setup.request_type = s[0];
	urb->x.setup.request = s[1];
	urb->x.setup.value = get_le16(s + 2);
	urb->x.setup.index = get_le16(s + 4);
	urb->x.setup.length = (uint16_t)urb->x.length;
}

/*
 * WHY: vhci_hcd does not report port resets.  One is recognised by Linux' first request, the device
 * descriptor in 64 bytes; programs ask for 18.
 */
static bool
follows_reset(const uint8_t *h)
{
	static const uint8_t first[8] = { 0x80, 6, 0, 1, 0, 0, 64, 0 };

	return get_be32(h + 16) == 0 && memcmp(h + 40, first, sizeof(first)) == 0;
}

/* False: an invalid or too long packet. */
static bool
submit(struct usbip *u, const uint8_t *h, const uint8_t *data, uint32_t length)
{
	uint32_t endpoint = get_be32(h + 16);
	bool in = get_be32(h + 12) == 1;
	unsigned lane = lane_of(endpoint, in);
	struct urb *urb;

	if (u->count == USBIP_URBS_MAX || endpoint > 15)
		return false;
	if (follows_reset(h)) {
		u->addressed = true;
		world_bus_reset(live_world(u->live), u->id);
	}
	/* WHY: vhci_hcd sends what a program still has for the device that was on this port before;
	 * on a real bus no device has that address any more. */
	if (!u->addressed) {
		ret_submit(u, get_be32(h + 4), -EPROTO, NULL, 0);
		return true;
	}
	if (lane == LANE_NEVER && !in) {
		ret_submit(u, get_be32(h + 4), 0, NULL, length); /* typed into the terminal */
		return true;
	}
	if (!in && length > USB_TRANSFER_BYTES_MAX) {
		ret_submit(u, get_be32(h + 4), -EMSGSIZE, NULL, 0);
		return true;
	}
	urb = calloc(1, sizeof(*urb) + (in ? 0 : length));
	if (urb == NULL)
		return false;
	urb->seqnum = get_be32(h + 4);
	urb->in = in;
	if (!in && length > 0)
		memcpy(urb->data, data, length);
	fill_transfer(urb, h, endpoint, length);
	append(u, lane, urb);
	advance(u, lane);
	return true;
}

/* One whole command, if there is one: bytes used, 0 = wait for more, -1 = invalid. */
static long
take_command(struct usbip *u, struct evbuffer *in)
{
	size_t have = evbuffer_get_length(in), whole = HEADER;
	uint8_t h[HEADER];
	uint32_t length;
	bool ok = true;

	if (have < HEADER)
		return 0;
	(void)evbuffer_copyout(in, h, HEADER);
	length = get_be32(h + 24);
	if (get_be32(h) == CMD_SUBMIT && get_be32(h + 12) == 0) {
		if (length > USBIP_TRANSFER_MAX)
			return -1;
		whole += length;
	}
	if (have < whole)
		return 0;
	if (get_be32(h) == CMD_SUBMIT)
		ok = submit(u, h, evbuffer_pullup(in, (ev_ssize_t)whole) + HEADER, length);
	else if (get_be32(h) == CMD_UNLINK)
		unlink_urb(u, get_be32(h + 4), get_be32(h + 20));
	else
		ok = false;
	if (!ok)
		return -1;
	(void)evbuffer_drain(in, whole);
	return (long)whole;
}

static void
on_read(struct bufferevent *bev, void *ctx)
{
	struct usbip *u = ctx;
	struct evbuffer *in = bufferevent_get_input(bev);
	long n;

	while ((n = take_command(u, in)) > 0)
		;
	if (n < 0)
		u->on_broken(u->ctx);
}

static void
on_event(struct bufferevent *bev, short what, void *ctx)
{
	struct usbip *u = ctx;

	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		u->on_broken(u->ctx);
}

int
usbip_new(struct event_base *base, struct live *live, uint64_t id, int fd,
	  void (*on_broken)(void *ctx), void *ctx, struct usbip **ret_usbip)
{
	struct usbip *u = calloc(1, sizeof(*u));

	if (u == NULL)
		return -ENOMEM;
	u->live = live;
	u->id = id;
	u->on_broken = on_broken;
	u->ctx = ctx;
	(void)evutil_make_socket_nonblocking(fd);
	u->bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (u->bev == NULL) {
		free(u);
		return -ENOMEM;
	}
	bufferevent_setcb(u->bev, on_read, NULL, on_event, u);
	bufferevent_setwatermark(u->bev, EV_READ, HEADER, READ_BYTES_MAX);
	(void)bufferevent_enable(u->bev, EV_READ | EV_WRITE);
	*ret_usbip = u;
	return 0;
}

void
usbip_free(struct usbip *u)
{
	if (u == NULL)
		return;
	for (unsigned lane = 0; lane < LANES; lane++)
		while (u->first[lane] != NULL)
			free(take_first(u, lane));
	bufferevent_free(u->bev);
	free(u);
}
