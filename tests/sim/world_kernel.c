/* SPDX-License-Identifier: MIT */
/*
 * The kernel's side of a hub: one worker each, that goes round the ports, and the lock of the
 * controller (doc/rack.md 1, 2).
 *
 *   IDLE --change--> NOTICED --> next port of the pass --empty--> DISCONNECT --> next port
 *                                        |
 *                                        | new device
 *                                        v
 *          next port <-- CONFIGURE <-- ADDRESS <-- (WAIT) <-- DEBOUNCE
 *
 * A pass without a next port is over; the next one begins at once if a port has changed meanwhile.
 */
#include "config.h"

#include "sim/world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/world_inside.h"

#define NOTICE_US 100 /* from a change to the pass: what changes in one instant is found together */

/* Measured and inferred: doc/rack.md 1, 2. */
#define ROOT_US 430000
#define HUB_US 280000
#define DISCONNECT_US 140000
#define ADDRESS_US 150000
#define FAST_ENUM_US 100000 /* less, of what the lock is held for */

void
world_kernel_init(struct world_kernel *k, bool fast)
{
	uint32_t less = fast ? FAST_ENUM_US : 0;

	*k = (struct world_kernel){ .root_us = ROOT_US - less,
				    .hub_us = HUB_US - less,
				    .disconnect_us = DISCONNECT_US,
				    .address_us = ADDRESS_US - less,
				    .told_each = true };
}

void
world_set_kernel(struct world *w, const struct world_kernel *k)
{
	assert(w->arrivals == 0);
	w->kernel = *k;
}

struct hub *
world_hub(struct world *w, struct slot *s)
{
	unsigned i = 0;

	if (s->hub >= 0)
		return &w->hub[s->hub];
	while (i < w->hubs && (strcmp(w->hub[i].controller, s->controller) != 0 ||
			       strcmp(w->hub[i].name, s->translator) != 0))
		i++;
	if (i == w->hubs) {
		struct hub *h = &w->hub[w->hubs++];

		assert(w->hubs <= WORLD_HUBS_MAX);
		*h = (struct hub){ .due_us = WORLD_NEVER, .number = -1 };
		copy_text(h->controller, sizeof(h->controller), s->controller);
		copy_text(h->name, sizeof(h->name), s->translator);
	}
	s->hub = (int)i;
	return &w->hub[i];
}

static void
set_phase(struct world *w, struct hub *h, enum hub_phase phase, uint32_t us)
{
	h->phase = phase;
	h->due_us = phase == HUB_IDLE || phase == HUB_WAIT ? WORLD_NEVER : w->now_us + (uint64_t)us;
	heap_set(&w->heap, HUB_ITEM(h - w->hub), h->due_us);
}

void
world_port_changed(struct world *w, struct slot *s)
{
	struct hub *h = world_hub(w, s);

	s->changed = true;
	if (h->phase == HUB_IDLE)
		set_phase(w, h, HUB_NOTICED, NOTICE_US);
}

/* ---- what the host hears ---- */

static void
tell(struct world *w, struct slot *s)
{
	s->report_us = w->now_us;
	world_refresh_slot(w, (unsigned)(s - w->slot));
}

/* The hub's lock is free for a moment: all that waited for it is told. */
static void
end_pass(struct world *w, struct hub *h)
{
	h->number = -1;
	for (unsigned i = 0; i < w->slots && !w->kernel.told_each; i++)
		if (world_hub(w, &w->slot[i]) == h && w->slot[i].told != w->slot[i].known)
			tell(w, &w->slot[i]);
}

/* ---- the pass ---- */

/* The last number of "1-4.2". */
static int
port_number(const struct slot *s)
{
	const char *at = strrchr(s->port, '.');

	if (at == NULL)
		at = strrchr(s->port, '-');
	return at != NULL ? (int)strtol(at + 1, NULL, 10) : 0;
}

static struct slot *
next_port(struct world *w, const struct hub *h)
{
	struct slot *next = NULL;

	for (unsigned i = 0; i < w->slots; i++) {
		struct slot *s = &w->slot[i];

		if (s->changed && world_hub(w, s) == h && port_number(s) > h->number &&
		    (next == NULL || port_number(s) < port_number(next)))
			next = s;
	}
	return next;
}

static uint32_t
whole_us(const struct world *w, const struct hub *h)
{
	return h->name[0] == '\0' ? w->kernel.root_us : w->kernel.hub_us;
}

/* The worker waits for the port to be steady, as it does when a device has left. */
static uint32_t
debounce_us(const struct world *w, const struct hub *h)
{
	uint32_t rest = whole_us(w, h) - w->kernel.address_us;

	return w->kernel.disconnect_us < rest ? w->kernel.disconnect_us : rest;
}

static void
visit(struct world *w, struct hub *h, struct slot *s)
{
	h->number = port_number(s);
	h->slot = (unsigned)(s - w->slot);
	h->arrival = s->arrival;
	s->changed = false;
	if (s->known != 0 && s->known != s->arrival) {
		s->known = 0;
		if (w->kernel.told_each)
			tell(w, s);
	}
	if (s->arrival == 0)
		set_phase(w, h, HUB_DISCONNECT, w->kernel.disconnect_us);
	else
		set_phase(w, h, HUB_DEBOUNCE, debounce_us(w, h));
}

static void
go_on(struct world *w, struct hub *h)
{
	struct slot *s = next_port(w, h);

	if (s == NULL) {
		end_pass(w, h);
		s = next_port(w, h);
	}
	if (s != NULL)
		visit(w, h, s);
	else
		set_phase(w, h, HUB_IDLE, 0);
}

/* ---- the controller's lock ---- */

static bool
is_locked(const struct world *w, const struct hub *by)
{
	for (unsigned i = 0; i < w->hubs; i++)
		if (w->hub[i].phase == HUB_ADDRESS &&
		    strcmp(w->hub[i].controller, by->controller) == 0)
			return true;
	return false;
}

static void
lock(struct world *w, struct hub *h)
{
	h->ticket = ++w->tickets;
	if (w->kernel.address_us > 0 && is_locked(w, h))
		set_phase(w, h, HUB_WAIT, 0);
	else
		set_phase(w, h, HUB_ADDRESS, w->kernel.address_us);
}

static void
unlock(struct world *w, struct hub *h)
{
	struct hub *next = NULL;

	set_phase(w, h, HUB_CONFIGURE, whole_us(w, h) - debounce_us(w, h) - w->kernel.address_us);
	for (unsigned i = 0; i < w->hubs; i++)
		if (w->hub[i].phase == HUB_WAIT &&
		    strcmp(w->hub[i].controller, h->controller) == 0 &&
		    (next == NULL || w->hub[i].ticket < next->ticket))
			next = &w->hub[i];
	if (next != NULL)
		set_phase(w, next, HUB_ADDRESS, w->kernel.address_us);
}

/* It is there, unless it has left meanwhile. */
static void
configured(struct world *w, struct hub *h)
{
	struct slot *s = &w->slot[h->slot];

	if (s->arrival == h->arrival) {
		s->known = h->arrival;
		if (w->kernel.told_each)
			tell(w, s);
	}
	go_on(w, h);
}

void
world_run_hub(struct world *w, unsigned i)
{
	struct hub *h = &w->hub[i];

	switch (h->phase) {
	case HUB_NOTICED:
	case HUB_DISCONNECT:
		go_on(w, h);
		break;
	case HUB_DEBOUNCE:
		lock(w, h);
		break;
	case HUB_ADDRESS:
		unlock(w, h);
		break;
	case HUB_CONFIGURE:
		configured(w, h);
		break;
	case HUB_IDLE:
	case HUB_WAIT:
		set_phase(w, h, h->phase, 0);
		break;
	}
}
