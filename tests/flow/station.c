/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "flow/station.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/clock.h"
#include "app/dispatch.h"
#include "flow/station_parts.h"
#include "store/store.h"

#define DEATH_US 300000 /* a death in the middle of a commit comes within this, or else at once */

/* Of the station that is driven: too large to be made anew for each, and cleared as they fill. */
static struct station_row rows[STATION_ROWS_MAX];
static struct report reports[STATION_REPORTS_MAX];

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
		.link_patience_us = 30000,
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

void
station_dispatch(struct station *s)
{
	dispatch_run(s->dispatch);
	shell_deliver(s); /* what came during a commit */
}

struct seat *
station_seat(struct station *s, const char *port)
{
	struct seat *seat;

	for (size_t i = 0; i < s->seat_count; i++)
		if (strcmp(s->seats[i].port, port) == 0)
			return &s->seats[i];
	if (s->seat_count == STATION_PORTS_MAX)
		abort();
	seat = &s->seats[s->seat_count++];
	copy_text(seat->port, sizeof(seat->port), port);
	return seat;
}

struct seat *
station_seat_of_slot(struct station *s, unsigned slot)
{
	struct seat **seat = &s->seat_of_slot[slot];

	if (*seat == NULL || strcmp((*seat)->port, fleet_port(s->fleet, slot)) != 0)
		*seat = station_seat(s, fleet_port(s->fleet, slot));
	return *seat;
}

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
	s->rows = rows;
	s->reports = reports;
	r = world_new(options->seed, &shell_world, s, &s->world);
	if (r < 0)
		goto out;
	world_enumeration(s->world, options->enumeration_us);
	world_set_kernel(s->world, &options->kernel);
	r = world_set_translators(s->world, &options->translators);
	if (r < 0)
		goto out;
	r = fleet_new(&options->fleet, &s->fleet);
	if (r < 0)
		goto out;
	shell_start(s, true);
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
	if (s->dispatch != NULL)
		shell_stop(s, DISK_LAST);
	fleet_free(s->fleet);
	world_free(s->world);
	for (size_t i = 0; i < s->image_count; i++)
		image_unref(s->images[i]);
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
	uint64_t world = world_next_us(s->world), tick = shell_due_us(s);
	uint64_t next = world < tick ? world : tick;

	if (next == WORLD_NEVER || next > until_us)
		return false;
	s->events++;
	if (world <= tick) {
		(void)world_run_one(s->world);
		shell_deliver(s);
	} else {
		if (next > station_now_us(s)) /* else a commit took longer than that */
			world_advance(s->world, next);
		shell_tick(s);
		shell_deliver(s); /* what came during a commit */
	}
	check_view(s);
	return true;
}

void
station_run(struct station *s, uint64_t until_us)
{
	while (s->broken[0] == '\0' && run_one(s, until_us))
		continue;
	if (until_us != WORLD_NEVER && until_us > station_now_us(s))
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

/* The daemon is gone, a new one begins. */
static void
begin_anew(struct station *s, enum disk_end end)
{
	struct fleet *old = s->fleet;

	world_host_dies(s->world);
	disk_look(s);
	shell_stop(s, end);
	for (size_t i = 0; i < s->seat_count; i++) {
		struct seat *seat = &s->seats[i];

		seat->dev = 0;
		memset(seat->sent_uid, 0, sizeof(seat->sent_uid));
		seat->opened = seat->in_flight = seat->gone = seat->forced = false;
		seat->goes_on = false;
		seat->view_hash = seat->view_revision = 0;
	}
	memset(s->seat_of_slot, 0, sizeof(s->seat_of_slot));
	if (fleet_new(&s->options.fleet, &s->fleet) < 0)
		abort();
	for (enum platform p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT; p++)
		policy_select(fleet_policy(s->fleet), p, policy_selected(fleet_policy(old), p));
	shell_start(s, false);
	brake_restarted(s, old);
	batch_restarted(s);
	fleet_free(old);
	world_cold_plug(s->world);
	dispatch_run(s->dispatch);
}

/* Some deaths come in the middle of a commit, at one of its writes. */
static void
die(struct station *s)
{
	uint64_t until = station_now_us(s) + DEATH_US;

	if (rng_next(&s->rng) % 2 != 0 || s->disk_error != 0)
		return;
	s->dies_after = 1 + (unsigned)(rng_next(&s->rng) % 12);
	while (!s->died && s->broken[0] == '\0' && run_one(s, until))
		continue;
}

void
station_restart(struct station *s)
{
	die(s);
	begin_anew(s, DISK_KILLED);
}

void
station_stop(struct station *s, uint64_t grace_us)
{
	uint64_t until = station_now_us(s) + grace_us;

	fleet_stop(s->fleet, station_now_us(s));
	station_dispatch(s);
	while (s->broken[0] == '\0' && fleet_active(s->fleet) > 0 && run_one(s, until))
		continue;
	begin_anew(s, fleet_active(s->fleet) == 0 ? DISK_STOPPED : DISK_KILLED);
}

/* ---- the operator ------------------------------------------------------------------------ */

static int
order_done(struct station *s, int r)
{
	station_dispatch(s);
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
	struct store_time now = clock_time(NULL);
	int slot = fleet_find(s->fleet, port);
	struct slot_view v;

	if (slot < 0)
		return slot;
	station_seat(s, port)->aside = false;
	fleet_view(s->fleet, (unsigned)slot, station_now_us(s), &v);
	(void)!store_port_quarantine(s->store, port, NULL, &now);
	if (v.serial[0] != '\0')
		(void)!store_drone_quarantine(s->store, v.serial, NULL, &now);
	(void)fleet_release(s->fleet, (unsigned)slot, station_now_us(s));
	return order_done(s, 0);
}

int
station_special(struct station *s, const char *port, const struct job_setup *setup)
{
	int slot = fleet_find(s->fleet, port);

	if (slot < 0)
		return slot;
	if (setup->kind == JOB_IDENTIFY)
		station_seat(s, port)->whole.identified = true;
	return order_done(s, fleet_special(s->fleet, (unsigned)slot, setup, station_now_us(s)));
}

int
station_backup(struct station *s, const char *port)
{
	return station_special(s, port, &(struct job_setup){ .kind = JOB_BACKUP, .force = true });
}

void
station_pause(struct station *s, bool paused)
{
	if (paused) {
		fleet_pause(s->fleet);
	} else {
		s->braked = false;
		s->harm_from = s->ending_total;
		batch_resumed(s);
		fleet_resume(s->fleet, station_now_us(s));
	}
	station_dispatch(s);
}

void
station_slept(struct station *s)
{
	fleet_slept(s->fleet, station_now_us(s));
	station_dispatch(s);
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
