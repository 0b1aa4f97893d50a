/* SPDX-License-Identifier: MIT */
/*
 * bench_core DRONES [BYTES]: the fleet alone over simulated drones, for counting what the core
 * costs: a rack of hubs with ten drones each, on four controllers, with other firmware on them,
 * plugged in at once and flashed with an image of BYTES.  Records are durable at once.
 *
 * All calls into the core are made by functions named counted_*: a profiler that looks at these
 * alone sees the core and not the simulator (bench_core.sh).  Exit status 1: not all passed.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/settings.h"
#include "core/fleet.h"
#include "flow/station.h"
#include "sim/world.h"

#define UNTIL_US 3600000000ULL /* LIMIT: of virtual time */
#define COUNTED __attribute__((noinline))

enum {
	IMAGE_BYTES = 243176, /* a release of early 2025 (doc/firmware.md 2) */
	HUB_PORTS = 10,
	CONTROLLERS = 4,
	DRONES_MAX = 512,
};

struct answer {
	unsigned slot;
	int64_t id;
};

struct bench {
	struct world *world;
	struct fleet *fleet;
	struct answer answers[2 * DRONES_MAX];
	size_t answer_count;
	int64_t attempts;
	unsigned passed, ended;
	unsigned long calls; /* WHY: what stands behind a call makes it none in tail position */
};

/* ---- the core ---- */

COUNTED static void
counted_sighted(struct bench *b, const struct sighting *s)
{
	static const struct drone_history none;

	fleet_sighted(b->fleet, s, &none, world_now_us(b->world));
	b->calls++;
}

COUNTED static void
counted_gone(struct bench *b, const char *port, uint64_t arrival)
{
	fleet_gone(b->fleet, port, arrival, world_now_us(b->world));
	b->calls++;
}

COUNTED static void
counted_opened(struct bench *b, uint64_t dev, int error, const uint8_t *data, size_t length)
{
	fleet_opened(b->fleet, dev, error, data, length, world_now_us(b->world));
	b->calls++;
}

COUNTED static void
counted_ended(struct bench *b, uint64_t dev, enum usb_status status, const uint8_t *data,
	      size_t length)
{
	fleet_ended(b->fleet, dev, status, data, length, world_now_us(b->world));
	b->calls++;
}

COUNTED static void
counted_recorded(struct bench *b, const struct answer *a)
{
	fleet_recorded(b->fleet, a->slot, 0, a->id, world_now_us(b->world));
	b->calls++;
}

COUNTED static void
counted_digest(struct bench *b, unsigned slot)
{
	fleet_digest(b->fleet, slot, "0000", true);
	b->calls++;
}

COUNTED static void
counted_tick(struct bench *b)
{
	fleet_tick(b->fleet, world_now_us(b->world));
	b->calls++;
}

COUNTED static bool
counted_next(struct bench *b, struct request *ret_request)
{
	bool any = fleet_next(b->fleet, world_now_us(b->world), ret_request);

	b->calls++;
	return any;
}

COUNTED static uint64_t
counted_deadline(struct bench *b)
{
	uint64_t at = fleet_deadline_us(b->fleet);

	b->calls++;
	return at;
}

/* ---- the shell ---- */

static void
count_ending(struct bench *b, const struct job_record *r)
{
	b->ended++;
	if (r->verdict.kind == VERDICT_PASS)
		b->passed++;
	else
		printf("%s: %s\n", r->port, r->message);
}

static void
perform(struct bench *b, const struct request *c)
{
	int r = 0;

	switch (c->kind) {
	case REQUEST_OPEN:
		r = world_open(b->world, c->dev, world_node_arrival(c->node));
		break;
	case REQUEST_XFER:
		r = world_submit(b->world, c->dev, &c->xfer);
		if (r == -ENODEV) {
			counted_ended(b, c->dev, USB_GONE, NULL, 0);
			r = 0;
		}
		break;
	case REQUEST_CLOSE:
		world_close(b->world, c->dev);
		break;
	case REQUEST_BEGIN:
		b->answers[b->answer_count++] = (struct answer){ c->slot, ++b->attempts };
		break;
	case REQUEST_END:
		b->answers[b->answer_count++] = (struct answer){ c->slot, c->record->id };
		break;
	case REQUEST_EVENT:
		if (c->event.kind == EVENT_ENDED)
			count_ending(b, c->event.record);
		break;
	case REQUEST_DIGEST:
		counted_digest(b, c->slot);
		break;
	case REQUEST_BACKUP:
	case REQUEST_NOTHING:
	case REQUEST_PAUSE:
	case REQUEST_PERMIT:
	case REQUEST_OVER:
		break;
	}
	if (r < 0)
		abort();
}

static void
drain(struct bench *b)
{
	struct request c;
	size_t count;

	do {
		while (counted_next(b, &c))
			perform(b, &c);
		count = b->answer_count;
		b->answer_count = 0;
		for (size_t i = 0; i < count; i++)
			counted_recorded(b, &b->answers[i]);
	} while (count > 0);
}

static void
on_sighted(void *ctx, const struct sighting *s)
{
	counted_sighted(ctx, s);
	drain(ctx);
}

static void
on_gone(void *ctx, const char *port, uint64_t arrival)
{
	counted_gone(ctx, port, arrival);
	drain(ctx);
}

static void
on_opened(void *ctx, uint64_t id, int error, const uint8_t *descriptors, size_t length)
{
	counted_opened(ctx, id, error, descriptors, length);
	drain(ctx);
}

static void
on_ended(void *ctx, uint64_t id, enum usb_xfer_kind kind, enum usb_status status,
	 const uint8_t *data, size_t length)
{
	(void)kind;
	counted_ended(ctx, id, status, data, length);
	drain(ctx);
}

static const struct world_callbacks callbacks = {
	.sighted = on_sighted, .gone = on_gone, .opened = on_opened, .ended = on_ended
};

/* ---- the rack ---- */

static void
add_drone(struct bench *b, unsigned i, const struct image *old)
{
	const struct segment *s = image_segment(old, 0);
	unsigned hub = i / HUB_PORTS;
	struct drone_config c;
	char port[PORT_TEXT_MAX];

	drone_config_init(&c, 1000 + i);
	(void)snprintf(port, sizeof(port), "%u-%u.%u", 1 + hub % CONTROLLERS, 1 + hub / CONTROLLERS,
		       1 + i % HUB_PORTS);
	if (world_add(b->world, port, NULL, NULL, &c) < 0 ||
	    drone_load(world_drone(b->world, port), s->addr, s->data, s->size) < 0 ||
	    world_plug(b->world, port) < 0)
		abort();
}

static void
run(struct bench *b, unsigned count)
{
	while (b->ended < count || fleet_active(b->fleet) > 0) {
		uint64_t due = counted_deadline(b), next = world_next_us(b->world);

		if ((due < next ? due : next) > UNTIL_US)
			return;
		if (next <= due) {
			(void)world_run_one(b->world);
			continue;
		}
		if (due > world_now_us(b->world))
			world_advance(b->world, due);
		counted_tick(b);
		drain(b);
	}
}

int
main(int argc, char **argv)
{
	static struct bench b;
	unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
	uint32_t bytes = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : IMAGE_BYTES;
	static const char *const no_dirs[] = { NULL };
	struct settings *settings;
	char why[SETTINGS_ERROR_MAX];
	struct fleet_options options;
	struct image *old, *new;

	if (count == 0 || count > DRONES_MAX || bytes < 1024) {
		(void)fprintf(stderr, "usage: bench_core DRONES [BYTES], up to %d\n", DRONES_MAX);
		return 2;
	}
	if (settings_load(NULL, no_dirs, &settings, why) < 0)
		abort();
	options = settings_fleet_options(settings);
	old = station_image("cf2", "2025.02", bytes, 1);
	new = station_image("cf2", "2025.12", bytes, 2);
	if (fleet_new(&options, &b.fleet) < 0 || world_new(7, &callbacks, &b, &b.world) < 0)
		abort();
	policy_select(fleet_policy(b.fleet), PLATFORM_CF2, new);
	for (unsigned i = 0; i < count; i++)
		add_drone(&b, i, old);
	run(&b, count);
	printf("%u drones, %u passed, %lu calls into the core, %.1f s on the drones' clock\n",
	       count, b.passed, b.calls, (double)world_now_us(b.world) / 1e6);
	fleet_free(b.fleet);
	world_free(b.world);
	image_unref(old);
	image_unref(new);
	settings_free(settings);
	return b.passed == count ? 0 : 1;
}
