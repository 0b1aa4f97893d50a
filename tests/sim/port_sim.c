/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "sim/port_sim.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfdfu/usb_port.h"
#include "cfdfu/watch.h"
#include "sim/live.h"

#define ALSO_MAX 32 /* LIMIT: kinds of devices watched beside the two of our own */

struct sim {
	struct live *live;
	struct usb_bus *bus;
	struct watch *watch;
};

struct usb_bus {
	struct sim *sim;
	const struct usb_callbacks *cb;
	void *ctx;
};

struct watch {
	struct sim *sim;
	const struct watch_callbacks *cb;
	void *ctx;
	unsigned also_count, reported_count;
	uint16_t also[ALSO_MAX][2];
	uint64_t reported[WORLD_PORTS_MAX]; /* arrivals sighted and not gone */
};

/*
 * WHY a variable of the file: the seams are free functions of an event base, as on a real machine,
 * where the bus is found by looking around.  This is what there is to be found.
 */
static struct sim *found;

/* ---- events of the world ---- */

static bool
is_watched(const struct watch *w, const struct sighting *s)
{
	if (s->vid == 0x0483 && (s->pid == 0x5740 || s->pid == 0xdf11))
		return true;
	for (unsigned i = 0; i < w->also_count; i++)
		if (w->also[i][0] == s->vid && w->also[i][1] == s->pid)
			return true;
	return false;
}

static unsigned
find_reported(const struct watch *w, uint64_t arrival)
{
	unsigned i = 0;

	while (i < w->reported_count && w->reported[i] != arrival)
		i++;
	return i;
}

static void
on_sighted(void *ctx, const struct sighting *s)
{
	struct watch *w = ((struct sim *)ctx)->watch;

	if (w == NULL || !is_watched(w, s) || find_reported(w, s->arrival) < w->reported_count)
		return;
	assert(w->reported_count < WORLD_PORTS_MAX);
	w->reported[w->reported_count++] = s->arrival;
	w->cb->sighted(w->ctx, s);
}

static void
on_gone(void *ctx, const char *port, uint64_t arrival)
{
	struct watch *w = ((struct sim *)ctx)->watch;
	unsigned i = w != NULL ? find_reported(w, arrival) : 0;

	if (w == NULL || i == w->reported_count)
		return;
	w->reported[i] = w->reported[--w->reported_count];
	w->cb->gone(w->ctx, port, arrival);
}

static void
on_opened(void *ctx, uint64_t id, int error, const uint8_t *descriptors, size_t length)
{
	struct usb_bus *b = ((struct sim *)ctx)->bus;

	if (b != NULL)
		b->cb->opened(b->ctx, id, error, descriptors, length);
}

static void
on_ended(void *ctx, uint64_t id, enum usb_xfer_kind kind, enum usb_status status,
	 const uint8_t *data, size_t length)
{
	struct usb_bus *b = ((struct sim *)ctx)->bus;

	(void)kind;
	if (b != NULL)
		b->cb->ended(b->ctx, id, status, data, length);
}

static void
on_closed(void *ctx, uint64_t id)
{
	struct usb_bus *b = ((struct sim *)ctx)->bus;

	if (b != NULL)
		b->cb->closed(b->ctx, id);
}

static const struct world_callbacks world_callbacks = {
	.sighted = on_sighted,
	.gone = on_gone,
	.opened = on_opened,
	.ended = on_ended,
	.closed = on_closed,
};

/* ---- life ---- */

static unsigned
number_from(const char *name, unsigned fallback)
{
	const char *text = getenv(name);

	return text != NULL && text[0] != '\0' ? (unsigned)strtoul(text, NULL, 0) : fallback;
}

int
sim_start(struct event_base *base, struct sim **ret_sim, char *error, size_t error_size)
{
	const char *timing = getenv("CFDFU_SIM_TIMING");
	struct live_options o = {
		.seed = number_from("CFDFU_SIM_SEED", 1),
		.scale = number_from("CFDFU_SIM_SCALE", 1),
		.socket = getenv("CFDFU_SIM_SOCKET"),
		.script = getenv("CFDFU_SIM_SCRIPT"),
		.fast = timing != NULL && strcmp(timing, "fast") == 0,
		.count_standard = true,
		.quit_ends_loop = true,
	};
	struct sim *s = calloc(1, sizeof(*s));
	int r;

	assert(found == NULL);
	if (s == NULL)
		return -ENOMEM;
	r = live_new(base, &o, &world_callbacks, s, &s->live, error, error_size);
	if (r < 0) {
		free(s);
		return r;
	}
	found = s;
	*ret_sim = s;
	return 0;
}

void
sim_stop(struct sim *s)
{
	if (s == NULL)
		return;
	assert(s->bus == NULL && s->watch == NULL);
	live_free(s->live);
	free(s);
	found = NULL;
}

struct world *
sim_world(struct sim *s)
{
	return live_world(s->live);
}

void
sim_kick(struct sim *s)
{
	live_kick(s->live);
}

/* ---- usb_port.h ---- */

int
usb_bus_new(struct event_base *base, const struct usb_callbacks *cb, void *ctx,
	    struct usb_bus **ret_bus)
{
	struct usb_bus *b;

	(void)base;
	if (found == NULL || found->bus != NULL)
		return -ENODEV;
	b = calloc(1, sizeof(*b));
	if (b == NULL)
		return -ENOMEM;
	*b = (struct usb_bus){ found, cb, ctx };
	found->bus = b;
	*ret_bus = b;
	return 0;
}

void
usb_bus_free(struct usb_bus *bus)
{
	if (bus == NULL)
		return;
	world_close_all(live_world(bus->sim->live));
	live_kick(bus->sim->live);
	bus->sim->bus = NULL;
	free(bus);
}

int
usb_open(struct usb_bus *bus, uint64_t id, const char *node, const char *port)
{
	uint64_t arrival = world_node_arrival(node);
	int r;

	(void)port; /* an arrival is never given twice */
	if (arrival == 0)
		return -ENOENT;
	live_sync(bus->sim->live);
	r = world_open(live_world(bus->sim->live), id, arrival);
	live_kick(bus->sim->live);
	return r;
}

int
usb_submit(struct usb_bus *bus, uint64_t id, const struct usb_xfer *xfer)
{
	struct world *w = live_world(bus->sim->live);
	int r;

	assert(!world_in_flight(w, id) && xfer->timeout_ms > 0);
	live_sync(bus->sim->live);
	r = world_submit(w, id, xfer);
	live_kick(bus->sim->live);
	return r;
}

void
usb_close(struct usb_bus *bus, uint64_t id)
{
	live_sync(bus->sim->live);
	world_close(live_world(bus->sim->live), id);
	live_kick(bus->sim->live);
}

/* ---- watch.h ---- */

int
watch_new(struct event_base *base, const struct watch_callbacks *cb, void *ctx,
	  struct watch **ret_watch)
{
	struct watch *w;

	(void)base;
	if (found == NULL || found->watch != NULL)
		return -ENODEV;
	w = calloc(1, sizeof(*w));
	if (w == NULL)
		return -ENOMEM;
	w->sim = found;
	w->cb = cb;
	w->ctx = ctx;
	found->watch = w;
	world_cold_plug(live_world(found->live));
	live_kick(found->live);
	*ret_watch = w;
	return 0;
}

void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	w->sim->watch = NULL;
	free(w);
}

int
watch_also(struct watch *w, uint16_t vid, uint16_t pid)
{
	if (w->also_count == ALSO_MAX)
		return -ENOSPC;
	w->also[w->also_count][0] = vid;
	w->also[w->also_count][1] = pid;
	w->also_count++;
	world_cold_plug(live_world(w->sim->live));
	live_kick(w->sim->live);
	return 0;
}
