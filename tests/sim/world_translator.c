/* SPDX-License-Identifier: MIT */
/*
 * A hub's transaction translator (doc/rack.md 3).  A device ends a transfer as if it were alone on
 * a wire of its own; the host hears of it once the translator, too, has found the time.
 */
#include "config.h"

#include "sim/world.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/world_inside.h"

#define BLOCK_BYTES 2048
#define BLOCK_US 5000
#define WIRE_US 1750
#define SERIAL_US 4200
#define CROWD 8
#define CROWD_PERMILLE 250

void
world_translators_init(struct world_translators *t, enum world_translating kind)
{
	*t = (struct world_translators){
		.block_us = BLOCK_US,
		.exclusive_us = kind == WORLD_WIRE_LIMITED ? WIRE_US : SERIAL_US,
		.crowd = kind == WORLD_THRASHING ? CROWD : 0,
		.crowd_permille = CROWD_PERMILLE,
	};
}

int
world_set_translators(struct world *w, const struct world_translators *t)
{
	assert(w->arrivals == 0);
	w->translators = *t;
	if (t->exclusive_us == 0 || w->held != NULL)
		return 0;
	w->held = calloc(WORLD_HANDLES_MAX, sizeof(*w->held));
	return w->held != NULL ? 0 : -ENOMEM;
}

uint64_t
world_translator_busy_us(struct world *w, const char *port)
{
	struct slot *s = world_slot(w, port);

	return s != NULL && s->translator[0] != '\0' ? world_hub(w, s)->busy_us : 0;
}

/* Devices of the hub with a control transfer in flight. */
static unsigned
crowd(struct world *w, const struct hub *hub)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w->handles; i++)
		n += w->handle[i].state == HANDLE_OPEN && w->handle[i].in_flight[DRONE_CONTROL] &&
		     world_hub(w, &w->slot[w->handle[i].slot]) == hub;
	return n;
}

static uint64_t
exclusive_us(struct world *w, const struct hub *hub, size_t length)
{
	const struct world_translators *t = &w->translators;
	uint64_t us = (uint64_t)t->exclusive_us * length / BLOCK_BYTES;
	unsigned n = t->crowd > 0 ? crowd(w, hub) : 0;

	if (n > t->crowd)
		us += us * t->crowd_permille * (n - t->crowd) / 1000;
	return us;
}

bool
world_hold(struct world *w, struct slot *s, struct handle *h, const struct drone_event *ev)
{
	const struct drone_timing *timing = &drone_config(s->drone)->timing;
	uint64_t cost = timing->control_us + (uint64_t)h->length * timing->byte_ns / 1000;
	struct held *held;
	struct hub *hub;
	uint64_t begin, alone;

	if (w->held == NULL || s->translator[0] == '\0' || ev->channel != DRONE_CONTROL ||
	    ev->status != USB_OK || h->length == 0)
		return false;
	hub = world_hub(w, s);
	begin = w->now_us > cost ? w->now_us - cost : 0;
	begin = begin > hub->free_us ? begin : hub->free_us;
	alone = timing->control_us +
		(uint64_t)(w->translators.block_us - timing->control_us) * h->length / BLOCK_BYTES;
	hub->free_us = begin + exclusive_us(w, hub, h->length);
	hub->busy_us += hub->free_us - begin;
	if (alone < hub->free_us - begin)
		alone = hub->free_us - begin;
	h->held_us = begin + alone;
	if (h->held_us <= w->now_us)
		return false;
	held = &w->held[h - w->handle];
	held->status = ev->status;
	held->length = ev->length;
	if (ev->length > 0)
		memcpy(held->data, ev->data, ev->length);
	h->held = true;
	return true;
}
