/* SPDX-License-Identifier: MIT */
/* The host's side: handles, transfers with their time limits, opening and closing as phases. */
#include "config.h"

#include "sim/world.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "sim/world_inside.h"

#define OPEN_US 300
#define CLOSE_US 100
#define DESCRIPTORS_MAX USB_DESCRIPTOR_BYTES_MAX

static struct handle *
find(struct world *w, uint64_t id)
{
	for (unsigned i = 0; i < w->handles; i++)
		if (w->handle[i].state != HANDLE_FREE && w->handle[i].id == id)
			return &w->handle[i];
	return NULL;
}

static void
refresh(struct world *w, const struct handle *h)
{
	uint64_t at = h->due_us;

	for (unsigned ch = 0; ch < DRONE_CHANNELS; ch++)
		if (h->in_flight[ch] && h->limit_us[ch] < at)
			at = h->limit_us[ch];
	if (h->held && h->held_us < at)
		at = h->held_us;
	if (h->state == HANDLE_FREE)
		at = WORLD_NEVER;
	heap_set(&w->heap, HANDLE_ITEM(h - w->handle), at);
}

static void
forget(struct world *w, struct handle *h)
{
	struct slot *s = &w->slot[h->slot];

	if (s->owner == (int)(h - w->handle))
		s->owner = -1;
	h->state = HANDLE_FREE;
	h->due_us = WORLD_NEVER;
	refresh(w, h);
}

static bool
is_owner(const struct world *w, const struct handle *h)
{
	return w->slot[h->slot].owner == (int)(h - w->handle);
}

int
world_open(struct world *w, uint64_t id, uint64_t arrival)
{
	struct handle *h = w->handle;

	if (find(w, id) != NULL)
		return -EEXIST;
	while (h < w->handle + WORLD_HANDLES_MAX && h->state != HANDLE_FREE)
		h++;
	if (h == w->handle + WORLD_HANDLES_MAX)
		return -EMFILE;
	memset(h, 0, sizeof(*h));
	h->state = HANDLE_OPENING;
	h->id = id;
	h->arrival = arrival;
	h->due_us = w->now_us + OPEN_US;
	if ((unsigned)(h - w->handle) >= w->handles)
		w->handles = (unsigned)(h - w->handle) + 1;
	refresh(w, h);
	return 0;
}

static int
try_open(struct world *w, struct handle *h)
{
	for (unsigned i = 0; i < w->slots; i++) {
		struct slot *s = &w->slot[i];
		int r;

		if (s->arrival != h->arrival || h->arrival == 0)
			continue;
		if (s->owner >= 0)
			return -EBUSY;
		r = drone_open_error(s->drone);
		if (r < 0)
			return r;
		h->slot = i;
		s->owner = (int)(h - w->handle);
		return 0;
	}
	/* WHY: the node goes when the kernel is told, the device is past talking to before that. */
	return (w->enumeration_us > 0 || world_has_kernel(w)) && rng_next(&w->rng) % 2 == 0
		   ? -ENOENT
		   : -ENODEV;
}

static void
finish_open(struct world *w, struct handle *h)
{
	uint8_t buf[DESCRIPTORS_MAX];
	uint64_t id = h->id;
	size_t n = 0;
	int r = try_open(w, h);

	if (r == 0) {
		h->state = HANDLE_OPEN;
		h->due_us = WORLD_NEVER;
		refresh(w, h);
		n = drone_descriptors(w->slot[h->slot].drone, buf, sizeof(buf));
	} else {
		h->slot = 0;
		h->state = HANDLE_FREE;
		refresh(w, h);
	}
	world_mix(w, 'o' + id + (uint64_t)-r);
	if (w->cb->opened != NULL)
		w->cb->opened(w->ctx, id, r, r == 0 ? buf : NULL, n);
}

int
world_submit(struct world *w, uint64_t id, const struct usb_xfer *xfer)
{
	struct handle *h = find(w, id);
	enum drone_channel ch = drone_channel_of(xfer);
	struct slot *s;
	int r;

	if (h == NULL || h->state != HANDLE_OPEN)
		return -ENODEV;
	s = &w->slot[h->slot];
	if (s->arrival != h->arrival || !is_owner(w, h))
		return -ENODEV;
	if (h->in_flight[ch])
		return -EBUSY;
	r = drone_submit(s->drone, w->now_us, xfer);
	if (r < 0)
		return r;
	h->in_flight[ch] = true;
	h->kind[ch] = xfer->kind;
	h->length = ch == DRONE_CONTROL ? xfer->length : h->length;
	h->limit_us[ch] =
	    xfer->timeout_ms > 0 ? w->now_us + (uint64_t)xfer->timeout_ms * 1000 : WORLD_NEVER;
	refresh(w, h);
	world_refresh_slot(w, h->slot);
	return 0;
}

static void
take_back(struct world *w, struct handle *h, enum drone_channel ch)
{
	if (!h->in_flight[ch])
		return;
	h->in_flight[ch] = false;
	h->held = h->held && ch != DRONE_CONTROL;
	if (is_owner(w, h)) {
		drone_cancel(w->slot[h->slot].drone, w->now_us, ch);
		world_refresh_slot(w, h->slot);
	}
}

bool
world_cancel(struct world *w, uint64_t id, enum drone_channel ch)
{
	struct handle *h = find(w, id);

	if (h == NULL || !h->in_flight[ch])
		return false;
	take_back(w, h, ch);
	refresh(w, h);
	return true;
}

void
world_bus_reset(struct world *w, uint64_t id)
{
	struct handle *h = find(w, id);

	if (h == NULL || h->state != HANDLE_OPEN || !is_owner(w, h) ||
	    w->slot[h->slot].arrival != h->arrival)
		return;
	drone_bus_reset(w->slot[h->slot].drone, w->now_us);
	world_refresh_slot(w, h->slot);
}

void
world_close(struct world *w, uint64_t id)
{
	struct handle *h = find(w, id);

	if (h == NULL || h->state == HANDLE_CLOSING)
		return;
	for (unsigned ch = 0; ch < DRONE_CHANNELS; ch++)
		take_back(w, h, (enum drone_channel)ch);
	h->state = HANDLE_CLOSING;
	h->due_us = w->now_us + CLOSE_US;
	refresh(w, h);
}

void
world_drop_owner(struct world *w, struct slot *s)
{
	if (s->owner < 0)
		return;
	for (unsigned ch = 0; ch < DRONE_CHANNELS; ch++)
		take_back(w, &w->handle[s->owner], (enum drone_channel)ch);
	refresh(w, &w->handle[s->owner]);
	s->owner = -1;
}

bool
world_in_flight(struct world *w, uint64_t id)
{
	const struct handle *h = find(w, id);

	for (unsigned ch = 0; h != NULL && ch < DRONE_CHANNELS; ch++)
		if (h->in_flight[ch])
			return true;
	return false;
}

bool
world_is_idle(const struct world *w)
{
	for (unsigned i = 0; i < w->handles; i++) {
		const struct handle *h = &w->handle[i];

		if (h->state == HANDLE_OPENING || h->state == HANDLE_CLOSING)
			return false;
		for (unsigned ch = 0; ch < DRONE_CHANNELS; ch++)
			if (h->in_flight[ch])
				return false;
	}
	return true;
}

void
world_close_all(struct world *w)
{
	for (unsigned i = 0; i < w->handles; i++) {
		struct handle *h = &w->handle[i];

		if (h->state == HANDLE_FREE)
			continue;
		for (unsigned ch = 0; ch < DRONE_CHANNELS; ch++)
			take_back(w, h, (enum drone_channel)ch);
		forget(w, h);
	}
}

void
world_host_dies(struct world *w)
{
	world_close_all(w);
	for (unsigned i = 0; i < w->slots; i++) {
		w->slot[i].report_us = WORLD_NEVER;
		w->slot[i].told = 0;
		world_refresh_slot(w, i);
	}
	w->host_dead = true;
}

/* ---- events ---- */

static void
deliver(struct world *w, struct handle *h, enum drone_channel ch, const struct drone_event *ev)
{
	h->in_flight[ch] = false;
	refresh(w, h);
	world_mix(w, 'e' + h->id + ((uint64_t)ev->status << 32) + ev->length);
	if (w->cb->ended != NULL)
		w->cb->ended(w->ctx, h->id, h->kind[ch], ev->status, ev->data, ev->length);
}

void
world_transfer_ended(struct world *w, struct slot *s, const struct drone_event *ev)
{
	struct handle *h = s->owner >= 0 ? &w->handle[s->owner] : NULL;

	if (h == NULL || !h->in_flight[ev->channel])
		return;
	if (world_hold(w, s, h, ev))
		refresh(w, h);
	else
		deliver(w, h, ev->channel, ev);
}

/* The translator is through with it. */
static void
let_go(struct world *w, struct handle *h)
{
	const struct held *held = &w->held[h - w->handle];
	struct drone_event ev = { DRONE_ENDED, DRONE_CONTROL, held->status, held->data,
				  held->length };

	h->held = false;
	deliver(w, h, DRONE_CONTROL, &ev);
}

static void
run_limits(struct world *w, struct handle *h)
{
	static const struct drone_event timed_out = { .kind = DRONE_ENDED, .status = USB_TIMEOUT };

	for (unsigned ch = 0; ch < DRONE_CHANNELS; ch++) {
		if (!h->in_flight[ch] || h->limit_us[ch] > w->now_us)
			continue;
		take_back(w, h, (enum drone_channel)ch);
		deliver(w, h, (enum drone_channel)ch, &timed_out);
		return;
	}
}

void
world_run_handle(struct world *w, unsigned i)
{
	struct handle *h = &w->handle[i];
	uint64_t id = h->id;

	if (h->held && h->held_us <= w->now_us) {
		let_go(w, h);
	} else if (h->due_us > w->now_us) {
		run_limits(w, h);
	} else if (h->state == HANDLE_OPENING) {
		finish_open(w, h);
	} else if (h->state == HANDLE_CLOSING) {
		forget(w, h);
		world_mix(w, 'c' + id);
		if (w->cb->closed != NULL)
			w->cb->closed(w->ctx, id);
	} else {
		h->due_us = WORLD_NEVER;
		refresh(w, h);
	}
}
