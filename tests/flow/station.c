/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "flow/station.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/ident.h"
#include "core/outcome.h"
#include "flow/station_parts.h"

void
station_options_init(struct station_options *o, uint64_t seed)
{
	memset(o, 0, sizeof(*o));
	o->seed = seed;
	o->fleet.job = (struct job_options){
		.adopt = JOB_ADOPT_RECOGNISED,
		.skip = JOB_SKIP_READBACK,
		.light = true,
		.dfu_timeout_us = 10000000,
		.boot_timeout_us = 10000000,
		.attempt_timeout_us = 180000000,
	};
	o->fleet.limits = (struct sched_limits){ .switch_max = 8,
						 .writers_max = 8,
						 .endpoints_max = 96,
						 .stagger_us = 30000,
						 .leave_wait_us = 20000000 };
	o->fleet.quarantine = 3;
}

void
station_break(struct station *s, const char *fmt, ...)
{
	va_list args;

	if (s->broken[0] != '\0')
		return;
	va_start(args, fmt);
	(void)vsnprintf(s->broken, sizeof(s->broken), fmt, args);
	va_end(args);
}

void
station_mix(struct station *s, uint64_t v)
{
	s->trace = (s->trace ^ v) * 0x100000001B3ULL;
}

struct seat *
station_seat(struct station *s, const char *port)
{
	struct seat *seat;

	for (size_t i = 0; i < s->seat_count; i++)
		if (strcmp(s->seats[i].port, port) == 0)
			return &s->seats[i];
	if (s->seat_count == STATION_DRONES_MAX)
		abort();
	seat = &s->seats[s->seat_count++];
	copy_text(seat->port, sizeof(seat->port), port);
	return seat;
}

struct seat *
station_seat_of_slot(struct station *s, unsigned slot)
{
	struct seat *seat;

	if (s->seat_of_slot[slot] != 0)
		return &s->seats[s->seat_of_slot[slot] - 1];
	seat = station_seat(s, fleet_port(s->fleet, slot));
	s->seat_of_slot[slot] = (uint8_t)(1 + (seat - s->seats));
	return seat;
}

/* ---- commands ---------------------------------------------------------------------------- */

static void
on_event(struct station *s, const struct fleet_event *e)
{
	struct seat *seat = station_seat_of_slot(s, e->slot);

	if (e->kind == EVENT_QUARANTINED || e->kind == EVENT_DRONE_QUARANTINED)
		seat->aside = true;
	if (e->kind == EVENT_BRAKE)
		s->braked = true;
	if (e->kind == EVENT_DRONE_QUARANTINED)
		disk_aside(s, e->record->serial, true);
	if (s->options.verbose && e->kind != EVENT_STEP && e->kind != EVENT_ENDED) {
		static const char *const names[EVENT_COUNT] = {
			"seen",		"left",	   "step",	   "ended",
			"idle",		"foreign", "quarantined",  "drone quarantined",
			"common cause", "brake",   "special ended"
		};
		printf("%9.3f s  %-6s %s\n", (double)station_now_us(s) / 1e6, seat->port,
		       names[e->kind]);
	}
	if (e->kind != EVENT_ENDED &&
	    (e->kind != EVENT_SPECIAL_ENDED || e->record->verdict.kind == VERDICT_NONE))
		return;
	check_told(s, e);
	brake_told(s, e->record);
	station_mix(s, (uint64_t)e->record->verdict.kind * 1000 + e->record->verdict.fault);
	if (e->record->verdict.kind == VERDICT_PASS)
		s->flashes++;
	if (s->options.verbose)
		printf("%9.3f s  %-6s attempt %d %s: %s\n", (double)station_now_us(s) / 1e6,
		       e->record->port, (int)e->record->id, verdict_name(e->record->verdict.kind),
		       e->record->message);
}

static void
on_digest(struct station *s, const struct request *c)
{
	uint64_t h = 0xCBF29CE484222325ULL;
	char hex[65];

	/* WHY: any function of the bytes does for the fleet, which only compares. */
	for (uint32_t i = 0; i < c->length; i += 16)
		h = (h ^ c->data[i]) * 0x100000001B3ULL;
	(void)snprintf(hex, sizeof(hex), "%064llx", (unsigned long long)h);
	fleet_digest(s->fleet, c->slot, hex, true);
}

static void
submit(struct station *s, const struct request *c)
{
	struct seat *seat = station_seat_of_slot(s, c->slot);
	int r;

	check_xfer(s, c);
	if (s->on_submit != NULL)
		s->on_submit(s->on_submit_ctx, c);
	r = world_submit(s->world, c->dev, &c->xfer);
	if (r < 0 && r != -ENODEV)
		station_break(s, "I11: a transfer on %s is refused: %d", seat->port, r);
	seat->in_flight = r == 0;
	/* WHY: the bus may know before the watcher has said so. */
	if (r < 0)
		fleet_ended(s->fleet, c->dev, USB_GONE, NULL, 0, station_now_us(s));
}

static void
perform(struct station *s, const struct request *c)
{
	int r;

	switch (c->kind) {
	case REQUEST_NOTHING:
	case REQUEST_PAUSE:
	case REQUEST_PERMIT:
	case REQUEST_OVER:
		station_break(s, "I15: a request of kind %d leaves the core", c->kind);
		return;
	case REQUEST_OPEN:
		check_open(s, c);
		r = world_open(s->world, c->dev, world_node_arrival(c->node));
		if (r < 0)
			station_break(s, "I15: an open on slot %u is refused: %d", c->slot, r);
		return;
	case REQUEST_XFER:
		submit(s, c);
		return;
	case REQUEST_CLOSE:
		check_close(s, c);
		world_close(s->world, c->dev);
		return;
	case REQUEST_BEGIN:
		disk_begin(s, c);
		return;
	case REQUEST_END:
		disk_end(s, c);
		return;
	case REQUEST_DIGEST:
		on_digest(s, c);
		return;
	case REQUEST_BACKUP:
		fleet_backed_up(s->fleet, c->slot, 0);
		return;
	case REQUEST_EVENT:
		on_event(s, &c->event);
		return;
	}
}

void
station_pump(struct station *s)
{
	struct request c;
	size_t before;
	unsigned commands = 0;

	do {
		while (fleet_next(s->fleet, station_now_us(s), &c)) {
			perform(s, &c);
			if (++commands > 64 * FLEET_SLOTS_MAX) {
				station_break(s, "I15: more than %d commands at once",
					      64 * FLEET_SLOTS_MAX);
				return;
			}
		}
		before = s->commit_count;
		disk_commit_due(s);
	} while (before != s->commit_count);
}

/* ---- events of the world ----------------------------------------------------------------- */

/* What the records say when a drone shows itself; a running job keeps what it was told before. */
static void
learn(struct seat *seat, const struct sighting *sighting, const struct drone_history *history,
      bool active)
{
	bool tells = ident_kind_of(sighting) != IDENT_DFU ||
		     (ident_dfu_serial_valid(sighting->serial) && !history->shares_dfu_serial);

	seat->interrupted_last = history->interrupted;
	if (active) {
		seat->interrupted = seat->interrupted || (tells && history->interrupted);
		return;
	}
	seat->known = history->known && tells;
	seat->interrupted = history->interrupted;
}

static void
on_sighted(void *ctx, const struct sighting *sighting)
{
	struct station *s = ctx;
	struct drone_history history;
	struct slot_view v;

	disk_look_up(s, sighting, &history);
	learn(station_seat(s, sighting->port), sighting, &history,
	      station_view(s, sighting->port, &v) && v.active);
	fleet_sighted(s->fleet, sighting, &history, station_now_us(s));
	station_pump(s);
}

static void
on_gone(void *ctx, const char *port, uint64_t arrival)
{
	struct station *s = ctx;
	struct seat *seat = station_seat(s, port);

	if (seat->arrival == arrival)
		seat->gone = true;
	fleet_gone(s->fleet, port, arrival, station_now_us(s));
	station_pump(s);
}

static struct seat *
seat_of_dev(struct station *s, uint64_t dev)
{
	for (size_t i = 0; i < s->seat_count; i++)
		if (s->seats[i].dev == dev)
			return &s->seats[i];
	return NULL;
}

static void
on_opened(void *ctx, uint64_t id, int error, const uint8_t *descriptors, size_t length)
{
	struct station *s = ctx;
	struct seat *seat = seat_of_dev(s, id);

	if (seat != NULL) {
		seat->opened = error == 0;
		if (error < 0)
			seat->dev = 0;
	}
	fleet_opened(s->fleet, id, error, descriptors, length, station_now_us(s));
	station_pump(s);
}

static void
on_ended(void *ctx, uint64_t id, enum usb_xfer_kind kind, enum usb_status status,
	 const uint8_t *data, size_t length)
{
	struct station *s = ctx;
	struct seat *seat = seat_of_dev(s, id);

	(void)kind;
	if (seat != NULL)
		seat->in_flight = false;
	fleet_ended(s->fleet, id, status, data, length, station_now_us(s));
	station_pump(s);
}

static const struct world_callbacks callbacks = {
	.sighted = on_sighted,
	.gone = on_gone,
	.opened = on_opened,
	.ended = on_ended,
};

/* ---- life -------------------------------------------------------------------------------- */

int
station_new(const struct station_options *options, struct station **ret_station)
{
	struct station *s = calloc(1, sizeof(*s));
	int r = -ENOMEM;

	if (s == NULL)
		goto out;
	s->options = *options;
	rng_init(&s->rng, options->seed ^ 0xD15C);
	s->rows = malloc(STATION_ROWS_MAX * sizeof(*s->rows)); /* a row is cleared when it begins */
	if (s->rows == NULL)
		goto out;
	r = world_new(options->seed, &callbacks, s, &s->world);
	if (r < 0)
		goto out;
	world_enumeration(s->world, options->enumeration_us);
	r = fleet_new(&options->fleet, &s->fleet);
	if (r < 0)
		goto out;
	*ret_station = s;
	s = NULL; /* the caller's now */
out:
	station_free(s);
	return r;
}

void
station_free(struct station *s)
{
	if (s == NULL)
		return;
	fleet_free(s->fleet);
	world_free(s->world);
	for (size_t i = 0; i < s->image_count; i++)
		image_unref(s->images[i]);
	free(s->rows);
	free(s);
}

struct world *
station_world(struct station *s)
{
	return s->world;
}

struct fleet *
station_fleet(struct station *s)
{
	return s->fleet;
}

/* One event, of whichever side is due first; false when nothing is due before until_us. */
static bool
run_one(struct station *s, uint64_t until_us)
{
	uint64_t world = world_next_us(s->world);
	uint64_t tick = fleet_deadline_us(s->fleet);
	uint64_t commit = disk_due_us(s);
	uint64_t next = world < tick ? world : tick;

	next = commit < next ? commit : next;
	if (next == WORLD_NEVER || next > until_us)
		return false;
	s->events++;
	if (next == world && world <= tick && world <= commit) {
		(void)world_run_one(s->world);
	} else {
		world_advance(s->world, next);
		if (tick == next)
			fleet_tick(s->fleet, next);
		disk_commit_due(s);
		station_pump(s);
	}
	check_view(s);
	return true;
}

void
station_run(struct station *s, uint64_t until_us)
{
	while (s->broken[0] == '\0' && run_one(s, until_us))
		continue;
	if (until_us != WORLD_NEVER)
		world_advance(s->world, until_us);
}

bool
station_settle(struct station *s, uint64_t until_us)
{
	while (s->broken[0] == '\0') {
		if (!run_one(s, until_us))
			break;
	}
	if (s->broken[0] != '\0' || fleet_active(s->fleet) > 0)
		return false;
	check_quiet(s);
	return true;
}

void
station_restart(struct station *s)
{
	struct fleet *fresh;

	world_host_dies(s->world);
	disk_crash(s);
	for (size_t i = 0; i < s->seat_count; i++) {
		struct seat *seat = &s->seats[i];

		seat->dev = 0;
		memset(seat->sent_uid, 0, sizeof(seat->sent_uid));
		seat->opened = seat->in_flight = seat->gone = seat->forced = false;
		seat->view_hash = seat->view_revision = 0;
	}
	memset(s->seat_of_slot, 0, sizeof(s->seat_of_slot));
	if (fleet_new(&s->options.fleet, &fresh) < 0)
		abort();
	for (enum platform p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT; p++)
		policy_select(fleet_policy(fresh), p, policy_selected(fleet_policy(s->fleet), p));
	disk_tell_fleet(s, fresh);
	brake_restarted(s, fresh);
	fleet_free(s->fleet);
	s->fleet = fresh;
	world_cold_plug(s->world);
	station_pump(s);
}

void
station_stop(struct station *s, uint64_t grace_us)
{
	uint64_t until = station_now_us(s) + grace_us;

	fleet_stop(s->fleet, station_now_us(s));
	station_pump(s);
	while (s->broken[0] == '\0' && fleet_active(s->fleet) > 0 && run_one(s, until))
		continue;
	station_restart(s);
}

/* ---- the operator ------------------------------------------------------------------------ */

static int
order_done(struct station *s, int r)
{
	station_pump(s);
	return r;
}

int
station_retry(struct station *s, const char *port, bool force)
{
	int slot = fleet_find(s->fleet, port);
	int r;

	if (slot < 0)
		return slot;
	r = fleet_retry(s->fleet, (unsigned)slot, force, station_now_us(s));
	if (r == 0)
		station_seat(s, port)->forced = force;
	return order_done(s, r);
}

int
station_release(struct station *s, const char *port)
{
	int slot = fleet_find(s->fleet, port);
	struct slot_view v;

	if (slot < 0)
		return slot;
	station_seat(s, port)->aside = false;
	fleet_view(s->fleet, (unsigned)slot, station_now_us(s), &v);
	disk_aside(s, v.serial, false);
	(void)fleet_release(s->fleet, (unsigned)slot, station_now_us(s));
	return order_done(s, 0);
}

int
station_backup(struct station *s, const char *port)
{
	int slot = fleet_find(s->fleet, port);

	if (slot < 0)
		return slot;
	return order_done(s, fleet_special(s->fleet, (unsigned)slot,
					   &(struct job_setup){ .kind = JOB_BACKUP, .force = true },
					   station_now_us(s)));
}

void
station_pause(struct station *s, bool paused)
{
	if (paused) {
		fleet_pause(s->fleet);
	} else {
		s->braked = false;
		s->harm_from = s->commit_total;
		fleet_resume(s->fleet, station_now_us(s));
	}
	station_pump(s);
}

void
station_slept(struct station *s)
{
	fleet_slept(s->fleet, station_now_us(s));
	station_pump(s);
}

/* ---- questions --------------------------------------------------------------------------- */

bool
station_view(struct station *s, const char *port, struct slot_view *ret_view)
{
	int slot = fleet_find(s->fleet, port);

	if (slot < 0)
		return false;
	fleet_view(s->fleet, (unsigned)slot, station_now_us(s), ret_view);
	return true;
}

const char *
station_broken(const struct station *s)
{
	return s->broken[0] != '\0' ? s->broken : NULL;
}

uint64_t
station_trace(const struct station *s)
{
	return s->trace ^ world_trace(s->world);
}

uint64_t
station_flashes(const struct station *s)
{
	return s->flashes;
}

uint64_t
station_commits(const struct station *s)
{
	return s->commit_total;
}

uint64_t
station_events(const struct station *s)
{
	return s->events;
}

uint64_t
station_faults(const struct station *s)
{
	uint64_t n = 0;
	const char *port;

	for (size_t i = 0; (port = world_port(s->world, i)) != NULL; i++) {
		const struct drone *d = world_drone(s->world, port);
		const struct drone *was = world_displaced(s->world, port);

		n += d != NULL ? drone_counters(d)->fates : 0;
		n += was != NULL ? drone_counters(was)->fates : 0;
	}
	return n;
}

void
station_talk(struct station *s)
{
	s->options.verbose = true;
}

void
station_watch(struct station *s, void (*on_submit)(void *ctx, const struct request *c), void *ctx)
{
	s->on_submit = on_submit;
	s->on_submit_ctx = ctx;
}

void
station_configure(struct station *s, const struct fleet_options *options)
{
	s->options.fleet = *options;
	fleet_set_options(s->fleet, options);
}
