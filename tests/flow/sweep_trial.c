/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "flow/sweep.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/outcome.h"
#include "flow/station.h"

#define PORT "1-4"
#define MS 1000ULL
#define SECOND 1000000ULL
#define HOUR_US (3600 * SECOND)
#define ROUNDS 6	   /* of an operator who pulls, plugs and holds the button */
#define RESUME_REQUESTS 75 /* at which the daemon dies: in the middle of writing */

struct trial {
	struct station *station;
	struct image *now;
	struct sweep_outcome *ret;
	size_t first; /* row of the attempt that is looked at */
};

static void
break_trial(struct trial *x, const char *what)
{
	if (x->ret->broken)
		return;
	x->ret->broken = true;
	copy_text(x->ret->text, sizeof(x->ret->text), what);
}

static struct drone *
the_drone(struct trial *x)
{
	return world_drone(station_world(x->station), PORT);
}

static void
on_submit(void *ctx, const struct request *c)
{
	struct trial *x = ctx;
	struct sweep_outcome *r = x->ret;
	struct slot_view v;

	if (station_rows(x->station) > x->first + 1 || r->requests == SWEEP_REQUESTS_MAX)
		return;
	fleet_view(station_fleet(x->station), c->slot, 0, &v);
	/* An attempt that is announced already: only the light is left. */
	r->step[r->requests++] = (uint8_t)(v.verdict.kind == VERDICT_NONE ? v.step : SWEEP_LIGHT);
}

/* ---- the beginning ----------------------------------------------------------------------- */

static void
set_up(struct trial *x, const struct sweep_trial *t, struct image *old)
{
	struct station_options o;
	struct drone_config c;

	station_options_init(&o, 7);
	o.fleet.quarantine = 0; /* WHY: the trials would count as failures in a row of one port */
	o.verbose = t->verbose;
	if (station_new(&o, &x->station) < 0)
		abort();
	station_use(x->station, PLATFORM_CF2, x->now);
	drone_config_init(&c, 7);
	drone_timing_fast(&c.timing);
	c.chatter = 0;
	c.button_boots = t->start == SWEEP_ADOPTED;
	station_add(x->station, PORT, &c, old);
}

/* A drone of which the first half was written when the daemon died. */
static void
interrupt(struct trial *x)
{
	struct station *s = x->station;
	uint64_t now = 0;

	(void)world_plug(station_world(s), PORT);
	while (drone_counters(the_drone(x))->requests < RESUME_REQUESTS &&
	       station_broken(s) == NULL) {
		uint64_t next = world_next_us(station_world(s));
		uint64_t tick = fleet_deadline_us(station_fleet(s));

		now = next < tick ? next : tick;
		station_run(s, now);
	}
	station_restart(s);
}

static void
begin(struct trial *x, const struct sweep_trial *t)
{
	struct world *w = station_world(x->station);

	if (t->start == SWEEP_RESUMED)
		interrupt(x);
	x->first = station_rows(x->station);
	for (unsigned i = 0; i < t->count; i++)
		station_arm(x->station, PORT, &t->fates[i]);
	station_watch(x->station, on_submit, x);
	if (t->start == SWEEP_RUNTIME)
		(void)world_plug(w, PORT);
	if (t->start == SWEEP_ADOPTED)
		(void)world_button_entry(w, PORT);
}

/* ---- the ending -------------------------------------------------------------------------- */

/* An attempt that failed: END_NOTHING and a broken trial where the fault has no entry. */
static enum sweep_end
end_of_failure(struct trial *x, enum fault fault)
{
	static const uint8_t ends[FAULT_COUNT] = {
		[FAULT_SILENT] = END_SILENT,
		[FAULT_STALL] = END_STALL,
		[FAULT_STUCK] = END_STUCK,
		[FAULT_PROTOCOL] = END_ODD,
		[FAULT_REFUSED] = END_REFUSED,
		[FAULT_VERIFY] = END_VERIFY,
		[FAULT_PROTECTED] = END_REFUSED,
		[FAULT_WRONG_CHIP] = END_STRANGE,
		[FAULT_DESCRIPTOR] = END_STRANGE,
		[FAULT_LOADER_BLANK] = END_STRANGE,
		[FAULT_NO_DFU] = END_NO_DFU,
		[FAULT_DARK] = END_DARK,
		[FAULT_NO_BOOT] = END_NO_BOOT,
		[FAULT_WRONG_VERSION] = END_VERSION,
		[FAULT_WRONG_SERIAL] = END_OTHER,
		[FAULT_NO_LEAVE] = END_CYCLE,
		[FAULT_DEADLINE] = END_STUCK,
		[FAULT_GONE] = END_GONE,
		[FAULT_BUS] = END_BUS,
		[FAULT_OPEN] = END_HOST,
		[FAULT_PERMISSION] = END_HOST,
		[FAULT_BUSY] = END_HOST,
		[FAULT_NO_MEMORY] = END_HOST,
		[FAULT_STORAGE] = END_HOST,
		[FAULT_SUSPEND] = END_HOST,
	};

	if (ends[fault] == END_NOTHING)
		break_trial(x, "its fault has no entry in end_of_failure()");
	return (enum sweep_end)ends[fault];
}

static enum sweep_end
end_of(struct trial *x, const struct station_row *row)
{
	switch (row->verdict.kind) {
	case VERDICT_PASS:
	case VERDICT_UNCHANGED:
		return END_PASS;
	case VERDICT_NEEDS_POWER_CYCLE:
		return END_CYCLE;
	case VERDICT_NEEDS_BUTTON:
		return END_BUTTON;
	case VERDICT_FAIL:
		return end_of_failure(x, row->verdict.fault);
	case VERDICT_SKIPPED:
		return END_SKIPPED;
	case VERDICT_NONE:
	case VERDICT_INTERRUPTED:
	case VERDICT_COUNT:
		break;
	}
	return END_NOTHING;
}

static bool
is_settled(struct trial *x, const char *otherwise)
{
	struct station *s = x->station;

	if (station_settle(s, world_now_us(station_world(s)) + HOUR_US))
		return true;
	break_trial(x, station_broken(s) != NULL ? station_broken(s) : otherwise);
	return false;
}

static void
judge(struct trial *x)
{
	struct station *s = x->station;
	x->ret->struck = drone_counters(the_drone(x))->fates > 0;
	x->ret->end = END_NOTHING;
	if (station_rows(s) > x->first)
		x->ret->end = end_of(x, station_row(s, x->first));
	for (size_t i = 0; i < station_rows(s); i++)
		if (station_row(s, i)->endings != 1)
			break_trial(x, "an attempt has not exactly one ending");
}

/* ---- the recovery ------------------------------------------------------------------------ */

static bool
is_good(struct trial *x)
{
	struct slot_view v;

	if (!station_view(x->station, PORT, &v) || !v.present ||
	    drone_personality(the_drone(x)) != DRONE_RUNTIME)
		return false;
	return (v.verdict.kind == VERDICT_PASS || v.verdict.kind == VERDICT_UNCHANGED) &&
	       station_holds(x->station, PORT, x->now);
}

/* The fault is over: in any state, help by hand brings the drone to its image. */
static void
recover(struct trial *x)
{
	struct world *w = station_world(x->station);
	struct drone *was = world_displaced(w, PORT);

	drone_disarm(the_drone(x));
	if (was != NULL)
		drone_disarm(was);
	for (unsigned i = 0; i < ROUNDS && !is_good(x); i++) {
		if (drone_would_boot(the_drone(x), world_now_us(w)))
			(void)world_power_cycle(w, PORT);
		else
			(void)world_button_entry(w, PORT);
		if (!is_settled(x, "its recovery did not end within an hour"))
			return;
	}
	if (!is_good(x))
		break_trial(x, "it did not recover");
}

void
sweep_try(const struct sweep_trial *t, struct image *old, struct image *now,
	  struct sweep_outcome *ret)
{
	struct trial x = { .now = now, .ret = ret };

	memset(ret, 0, sizeof(*ret));
	set_up(&x, t, old);
	begin(&x, t);
	if (is_settled(&x, "it did not end within an hour")) {
		judge(&x);
		recover(&x);
	}
	station_free(x.station);
}
