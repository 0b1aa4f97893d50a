/* SPDX-License-Identifier: MIT */
/* The world's ports, clock and event loop; the host's handles are in world_host.c. */
#include "config.h"

#include "sim/world.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/world_inside.h"

#define COLD_PLUG_US 5000
#define HUB_PORTS 15

int
world_new(uint64_t seed, const struct world_callbacks *cb, void *ctx, struct world **ret_world)
{
	struct world *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return -ENOMEM;
	rng_init(&w->rng, seed);
	heap_init(&w->heap, rng_next(&w->rng));
	w->cb = cb;
	w->ctx = ctx;
	w->trace = seed;
	*ret_world = w;
	return 0;
}

void
world_free(struct world *w)
{
	if (w == NULL)
		return;
	for (unsigned i = 0; i < w->slots; i++) {
		drone_free(w->slot[i].drone);
		drone_free(w->slot[i].displaced);
	}
	free(w->held);
	free(w);
}

void
world_mix(struct world *w, uint64_t value)
{
	w->trace = (w->trace ^ value ^ w->now_us) * UINT64_C(0x9E3779B97F4A7C15);
	w->trace ^= w->trace >> 29;
}

void
world_refresh_slot(struct world *w, unsigned i)
{
	struct slot *s = &w->slot[i];
	uint64_t at = s->drone != NULL ? drone_next_us(s->drone) : WORLD_NEVER;

	if (s->report_us < at)
		at = s->report_us;
	heap_set(&w->heap, i, at != WORLD_NEVER && at < w->now_us ? w->now_us : at);
}

/* ---- ports ---- */

struct slot *
world_slot(struct world *w, const char *port)
{
	for (unsigned i = 0; i < w->slots; i++)
		if (strcmp(w->slot[i].port, port) == 0)
			return &w->slot[i];
	return NULL;
}

/* "1-4.2" hangs on bus 1, and shares the translator of hub 1-4. */
static void
derive_place(struct slot *s, const char *port)
{
	const char *dot = strrchr(port, '.');
	size_t bus = strcspn(port, "-");

	copy_text(s->port, sizeof(s->port), port);
	copy_text(s->controller, sizeof(s->controller), "usb");
	copy_text(s->controller + 3, bus + 1 < sizeof(s->controller) - 3 ? bus + 1 : 8, port);
	if (dot != NULL)
		copy_text(s->translator, (size_t)(dot - port) + 1, port);
	if (port[bus] == '-')
		(void)snprintf(s->path, sizeof(s->path), "platform-sim_hcd.%.8s-usb-0:%.31s",
			       s->controller + 3, port + bus + 1);
}

void
world_set_path(struct world *w, const char *port, const char *path)
{
	struct slot *s = world_slot(w, port);

	if (s != NULL)
		copy_text(s->path, sizeof(s->path), path);
}

/* One whose drone was moved away, which the host has been told; NULL: none. */
static struct slot *
find_deserted(struct world *w)
{
	for (unsigned i = 0; i < w->slots && !world_has_kernel(w); i++) {
		struct slot *s = &w->slot[i];

		if (s->drone == NULL && s->displaced == NULL && s->arrival == 0 && s->told == 0 &&
		    s->owner < 0 && s->report_us == WORLD_NEVER)
			return s;
	}
	return NULL;
}

static int
make_slot(struct world *w, const char *port, struct slot **ret)
{
	struct slot *s = w->slots < WORLD_PORTS_MAX ? &w->slot[w->slots] : find_deserted(w);

	if (port[0] == '\0' || strlen(port) >= PORT_TEXT_MAX)
		return -EINVAL;
	if (s == NULL)
		return -ENOSPC;
	memset(s, 0, sizeof(*s));
	s->owner = s->hub = -1;
	s->report_us = WORLD_NEVER;
	derive_place(s, port);
	if (w->slots < WORLD_PORTS_MAX)
		w->slots++;
	*ret = s;
	return 0;
}

int
world_add(struct world *w, const char *port, const char *controller, const char *translator,
	  const struct drone_config *config)
{
	struct slot *s = world_slot(w, port);
	struct drone *d;
	int r;

	if (s != NULL && s->drone != NULL)
		return -EEXIST;
	r = drone_new(config, &d);
	if (r < 0)
		return r;
	r = s != NULL ? 0 : make_slot(w, port, &s);
	if (r < 0) {
		drone_free(d);
		return r;
	}
	s->drone = d;
	s->hub = -1;
	if (controller != NULL)
		copy_text(s->controller, sizeof(s->controller), controller);
	if (translator != NULL)
		copy_text(s->translator, sizeof(s->translator), translator);
	return 0;
}

struct drone *
world_drone(struct world *w, const char *port)
{
	struct slot *s = world_slot(w, port);

	return s != NULL ? s->drone : NULL;
}

struct drone *
world_displaced(struct world *w, const char *port)
{
	struct slot *s = world_slot(w, port);

	return s != NULL ? s->displaced : NULL;
}

const char *
world_port(const struct world *w, size_t index)
{
	return index < w->slots ? w->slot[index].port : NULL;
}

uint64_t
world_arrival(const struct world *w, const char *port)
{
	for (unsigned i = 0; i < w->slots; i++)
		if (strcmp(w->slot[i].port, port) == 0)
			return w->slot[i].arrival;
	return 0;
}

static void
tell_sighted(struct world *w, struct slot *s)
{
	struct sighting seen;

	s->told = s->arrival;
	if (w->cb->sighted == NULL)
		return;
	memset(&seen, 0, sizeof(seen));
	copy_text(seen.port, sizeof(seen.port), s->port);
	copy_text(seen.path, sizeof(seen.path), s->path);
	copy_text(seen.controller, sizeof(seen.controller), s->controller);
	copy_text(seen.translator, sizeof(seen.translator), s->translator);
	seen.arrival = s->arrival;
	(void)snprintf(seen.node, sizeof(seen.node), "/sim/%" PRIu64, s->arrival);
	drone_describe(s->drone, &seen);
	world_mix(w, 's' + s->arrival);
	w->cb->sighted(w->ctx, &seen);
}

/*
 * The host hears what has become of the port, one thing at a time.  Of a device that has left
 * again by then it does not hear.
 */
static void
report(struct world *w, struct slot *s)
{
	uint64_t gone = s->told, here = world_has_kernel(w) ? s->known : s->arrival;

	s->report_us = WORLD_NEVER;
	if (w->host_dead || s->told == here)
		return;
	if (gone == 0) {
		if (here == s->arrival)
			tell_sighted(w, s);
		return;
	}
	s->told = 0;
	if (here != 0)
		s->report_us = w->now_us;
	world_mix(w, 'g' + gone);
	if (w->cb->gone != NULL)
		w->cb->gone(w->ctx, s->port, gone);
}

static bool
share_a_hub(const struct slot *a, const struct slot *b)
{
	return strcmp(a->controller, b->controller) == 0 &&
	       strcmp(a->translator, b->translator) == 0;
}

/* When the kernel is through with everything on this port's hub. */
static uint64_t
hub_idle_us(const struct world *w, const struct slot *s)
{
	uint64_t at = w->now_us;

	for (unsigned i = 0; i < w->slots; i++)
		if (share_a_hub(&w->slot[i], s) && w->slot[i].ready_us > at)
			at = w->slot[i].ready_us;
	return at;
}

static void
report_when_idle(struct world *w, struct slot *s)
{
	uint64_t at = hub_idle_us(w, s);

	if (s->report_us == WORLD_NEVER)
		s->owed_us = w->now_us;
	if (at == w->now_us)
		report(w, s);
	else if (s->told != s->arrival)
		s->report_us = at;
	else
		s->report_us = WORLD_NEVER; /* came and went before it was reported */
}

/* Word that waits for this hub waits for one more; but a pass over a hub's ports comes to its end.
 */
static void
hold_up(struct world *w, const struct slot *by)
{
	uint64_t longest = (uint64_t)w->enumeration_us * HUB_PORTS;

	for (unsigned i = 0; i < w->slots; i++) {
		struct slot *s = &w->slot[i];

		if (s == by || s->report_us <= w->now_us || s->report_us == WORLD_NEVER ||
		    !share_a_hub(s, by) || by->ready_us > s->owed_us + longest)
			continue;
		s->report_us = by->ready_us;
		world_refresh_slot(w, i);
	}
}

static void
enumerate(struct world *w, struct slot *s)
{
	s->arrival = ++w->arrivals;
	s->owner = -1;
	if (world_has_kernel(w)) {
		world_port_changed(w, s);
		return;
	}
	if (w->enumeration_us > 0) {
		s->ready_us = hub_idle_us(w, s) + w->enumeration_us;
		hold_up(w, s);
	}
	report_when_idle(w, s);
}

static void
vanish(struct world *w, struct slot *s)
{
	s->arrival = 0;
	s->ready_us = 0;
	if (world_has_kernel(w))
		world_port_changed(w, s);
	else
		report_when_idle(w, s);
}

void
world_enumeration(struct world *w, uint32_t us)
{
	w->enumeration_us = us;
}

uint64_t
world_node_arrival(const char *node)
{
	char *end;
	unsigned long long v;

	if (strncmp(node, "/sim/", 5) != 0)
		return 0;
	v = strtoull(node + 5, &end, 10);
	return *end == '\0' ? v : 0;
}

int
world_move(struct world *w, const char *from, const char *to)
{
	struct slot *a = world_slot(w, from), *b = world_slot(w, to);
	struct drone *d;
	int r;

	if (a == NULL || a->drone == NULL)
		return -ENOENT;
	if (b != NULL && b->drone != NULL)
		return -EEXIST;
	r = b != NULL ? 0 : make_slot(w, to, &b);
	if (r < 0)
		return r;
	world_drop_owner(w, a);
	d = a->drone;
	drone_unplug(d, w->now_us);
	for (;;) { /* INVARIANT: nothing is in flight, so the unplug alone is left to happen */
		struct drone_event ev;

		drone_step(d, w->now_us, &ev);
		if (drone_personality(d) == DRONE_OFF)
			break;
	}
	a->drone = NULL;
	b->drone = d;
	world_refresh_slot(w, (unsigned)(b - w->slot));
	vanish(w, a);
	world_refresh_slot(w, (unsigned)(a - w->slot));
	return 0;
}

/* ---- hands ---- */

enum hand { HAND_PLUG, HAND_UNPLUG, HAND_BUTTON, HAND_CYCLE, HAND_GLITCH };

static int
handle_drone(struct world *w, const char *port, enum hand what, uint32_t back_ms)
{
	struct slot *s = world_slot(w, port);

	if (s == NULL || s->drone == NULL)
		return -ENOENT;
	switch (what) {
	case HAND_PLUG:
		drone_plug(s->drone, w->now_us);
		break;
	case HAND_UNPLUG:
		drone_unplug(s->drone, w->now_us);
		break;
	case HAND_BUTTON:
		drone_button(s->drone, w->now_us);
		break;
	case HAND_CYCLE:
		drone_power_cycle(s->drone, w->now_us);
		break;
	case HAND_GLITCH:
		drone_glitch(s->drone, w->now_us, back_ms);
		break;
	}
	world_refresh_slot(w, (unsigned)(s - w->slot));
	return 0;
}

int
world_plug(struct world *w, const char *port)
{
	return handle_drone(w, port, HAND_PLUG, 0);
}

int
world_unplug(struct world *w, const char *port)
{
	return handle_drone(w, port, HAND_UNPLUG, 0);
}

int
world_button_entry(struct world *w, const char *port)
{
	return handle_drone(w, port, HAND_BUTTON, 0);
}

int
world_power_cycle(struct world *w, const char *port)
{
	return handle_drone(w, port, HAND_CYCLE, 0);
}

int
world_glitch(struct world *w, const char *port, uint32_t back_ms)
{
	return handle_drone(w, port, HAND_GLITCH, back_ms);
}

int
world_arm(struct world *w, const char *port, const struct fate *f)
{
	struct slot *s = world_slot(w, port);

	return s != NULL && s->drone != NULL ? drone_arm(s->drone, f) : -ENOENT;
}

/* ---- the event loop ---- */

static void
swap_drone(struct world *w, struct slot *s)
{
	struct drone_config c = *drone_config(s->drone);
	enum drone_personality as;
	struct drone *other;
	uint32_t back_ms;

	c.seed = rng_next(&w->rng);
	for (unsigned i = 0; i < sizeof(c.uid); i++)
		c.uid[i] = (uint8_t)(c.uid[i] ^ rng_between(&w->rng, 1, 7));
	if (drone_new(&c, &other) < 0)
		return; /* then the port just stays empty */
	if (drone_copy_flash(other, s->drone) < 0) {
		drone_free(other);
		return;
	}
	drone_replacement(s->drone, &as, &back_ms);
	drone_appear(other, w->now_us, as, back_ms);
	drone_free(s->displaced);
	s->displaced = s->drone;
	s->drone = other;
}

static void
run_slot(struct world *w, unsigned i)
{
	struct slot *s = &w->slot[i];
	struct drone_event ev = { .kind = DRONE_QUIET };

	if (s->report_us <= w->now_us) {
		report(w, s);
	} else if (s->drone != NULL) {
		drone_step(s->drone, w->now_us, &ev);
	}
	switch (ev.kind) {
	case DRONE_QUIET:
		break;
	case DRONE_ENDED:
		world_refresh_slot(w, i);
		world_transfer_ended(w, s, &ev);
		break;
	case DRONE_ATTACHED:
		enumerate(w, s);
		break;
	case DRONE_DETACHED:
		vanish(w, s);
		break;
	case DRONE_SWAPPED:
		swap_drone(w, s);
		break;
	}
	world_refresh_slot(w, i);
}

static void
run_timer(struct world *w, unsigned i)
{
	struct timer t = w->timer[i];

	heap_set(&w->heap, TIMER_ITEM(i), WORLD_NEVER);
	w->timer[i].fn = NULL;
	world_mix(w, 't' + t.arg);
	t.fn(t.ctx, t.arg);
}

bool
world_run_one(struct world *w)
{
	uint64_t at = heap_first_us(&w->heap);
	unsigned item;

	if (at == WORLD_NEVER)
		return false;
	item = heap_first(&w->heap);
	if (at > w->now_us)
		w->now_us = at;
	w->events++;
	if (item < WORLD_PORTS_MAX)
		run_slot(w, item);
	else if (item < TIMER_ITEM(0))
		world_run_handle(w, item - HANDLE_ITEM(0));
	else if (item < HUB_ITEM(0))
		run_timer(w, item - TIMER_ITEM(0));
	else
		world_run_hub(w, item - HUB_ITEM(0));
	return true;
}

uint64_t
world_now_us(const struct world *w)
{
	return w->now_us;
}

uint64_t
world_next_us(const struct world *w)
{
	return heap_first_us(&w->heap);
}

void
world_advance(struct world *w, uint64_t now_us)
{
	uint64_t next = heap_first_us(&w->heap);

	if (now_us > next)
		now_us = next;
	if (now_us > w->now_us)
		w->now_us = now_us;
}

int
world_call_at(struct world *w, uint64_t at_us, void (*fn)(void *ctx, uint64_t arg), void *ctx,
	      uint64_t arg)
{
	for (unsigned i = 0; i < WORLD_TIMERS_MAX; i++) {
		if (w->timer[i].fn != NULL)
			continue;
		w->timer[i] = (struct timer){ fn, ctx, arg };
		heap_set(&w->heap, TIMER_ITEM(i), at_us > w->now_us ? at_us : w->now_us);
		return 0;
	}
	return -ENOSPC;
}

void
world_cold_plug(struct world *w)
{
	w->host_dead = false;
	for (unsigned i = 0; i < w->slots; i++) {
		struct slot *s = &w->slot[i];

		s->told = 0;
		if (s->arrival == 0)
			continue;
		s->report_us = w->now_us + rng_next(&w->rng) % COLD_PLUG_US;
		world_refresh_slot(w, i);
	}
}

uint64_t
world_trace(const struct world *w)
{
	return w->trace;
}

uint64_t
world_events(const struct world *w)
{
	return w->events;
}
