/* SPDX-License-Identifier: MIT */
/*
 * Carries a swarm's plan out: first anything goes, then the world heals and everyone must end
 * well.
 */
#include "config.h"

#include "flow/swarm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/outcome.h"
#include "core/platform.h"

#define MS 1000ULL
#define SECOND 1000000ULL
#define ROUNDS 8		  /* in which the operator does what the station says */
#define SETTLE_US (3600 * SECOND) /* LIMIT: of virtual time, for every drone to end */

struct run {
	const struct swarm_plan *plan;
	const struct swarm_without *without;
	struct swarm_result *ret;
	struct station *station;
	struct member members[SWARM_DRONES_MAX]; /* of the plan; ports change by moving */
	bool disturbed[SWARM_DRONES_MAX];
};

/* ---- images ------------------------------------------------------------------------------ */

static struct image *images[PLATFORM_COUNT][2 * SWARM_VARIANTS];

struct image *
swarm_image(enum platform platform, unsigned variant)
{
	static const struct {
		const char *tag;
		uint32_t bytes;
	} variants[SWARM_VARIANTS] = { { "2024.10", 9000 },
				       { "2025.02", 20000 },
				       { "2025.12", 14001 },
				       { "2026.08", 36000 } };
	struct image **image = &images[platform][variant % (2 * SWARM_VARIANTS)];
	unsigned v = variant % SWARM_VARIANTS;

	if (*image != NULL)
		return *image;
	*image = station_image(platform_name(platform), variants[v].tag, variants[v].bytes,
			       10 * (unsigned)platform + v);
	if (variant >= SWARM_VARIANTS)
		swarm_add_parts(*image);
	return *image;
}

/* As a fleet's operator selects it. */
static struct image *
release(const struct run *x, enum platform platform, unsigned variant)
{
	return swarm_image(platform,
			   variant % SWARM_VARIANTS + (x->plan->parts ? SWARM_VARIANTS : 0));
}

void
swarm_done(void)
{
	for (size_t p = 0; p < PLATFORM_COUNT; p++)
		for (size_t v = 0; v < 2 * SWARM_VARIANTS; v++) {
			image_unref(images[p][v]);
			images[p][v] = NULL;
		}
}

/* ---- setting up -------------------------------------------------------------------------- */

static struct drone *
drone_of(struct run *x, unsigned i)
{
	return world_drone(station_world(x->station), x->members[i].port);
}

static void
put_in(struct run *x, unsigned i)
{
	const struct member *m = &x->members[i];
	bool foreign = m->platform == PLATFORM_UNKNOWN;
	enum platform alien = m->platform == PLATFORM_BOLT ? PLATFORM_TAG : PLATFORM_BOLT;
	static const uint8_t damage[4] = { 0 };
	struct image *image = NULL;

	if (!foreign && m->content != CONTENT_BLANK_CHIP)
		image = swarm_image(m->content == CONTENT_ALIEN ? alien : m->platform,
				    m->content == CONTENT_OLD ? 0 : x->plan->wanted);
	station_add(x->station, m->port, &m->config, image);
	if (!foreign && m->content == CONTENT_HALF)
		drone_blank(drone_of(x, i), 0x08004000, 2048);
	if (!foreign && m->content == CONTENT_DAMAGED &&
	    drone_load(drone_of(x, i), 0x08004000 + 6000, damage, sizeof(damage)) < 0)
		abort();
}

static void
set_up(struct run *x)
{
	bool wanted[PLATFORM_COUNT] = { false };

	if (station_new(&x->plan->options, &x->station) < 0)
		abort();
	if (x->plan->in_batch)
		station_begin_batch(x->station, &x->plan->terms);
	for (unsigned i = 0; i < x->plan->count; i++) {
		put_in(x, i);
		wanted[x->members[i].platform] = true;
	}
	for (enum platform p = PLATFORM_CF2; p <= PLATFORM_TAG; p++)
		/*
		 * WHY: a platform without a selection is left alone; one that is there now and
		 * then.
		 */
		if (wanted[p] && (p == PLATFORM_CF2 || (x->plan->seed >> 3) % 4 != 0))
			station_use(x->station, p, release(x, p, x->plan->wanted));
}

/* ---- deeds ------------------------------------------------------------------------------- */

static void
plug_in(struct run *x, unsigned i)
{
	struct world *w = station_world(x->station);

	if (x->members[i].by_button)
		(void)world_button_entry(w, x->members[i].port);
	else
		(void)world_plug(w, x->members[i].port);
	x->members[i].by_button = false;
}

/* Time goes on for all drones while a hand is on one of them. */
static void
wait_ms(struct run *x, uint32_t ms)
{
	station_run(x->station, world_now_us(station_world(x->station)) + ms * MS);
}

static void
flap(struct run *x, unsigned i, unsigned times)
{
	struct world *w = station_world(x->station);

	while (times-- > 0 && station_broken(x->station) == NULL) {
		(void)world_unplug(w, x->members[i].port);
		wait_ms(x, 10);
		(void)world_plug(w, x->members[i].port);
		wait_ms(x, 60);
	}
}

static void
move(struct run *x, unsigned i)
{
	char to[PORT_TEXT_MAX];

	(void)snprintf(to, sizeof(to), "7-%u", i + 1);
	if (station_move(x->station, x->members[i].port, to) < 0)
		return;
	copy_text(x->members[i].port, sizeof(x->members[i].port), to);
	(void)world_plug(station_world(x->station), to);
}

static void
select_another(struct run *x, unsigned number)
{
	enum platform p = (enum platform)(PLATFORM_CF2 + number % 4);

	if (policy_selected(fleet_policy(station_fleet(x->station)), p) != NULL)
		station_use(x->station, p, release(x, p, number / 4));
}

static void
do_to_drone(struct run *x, const struct deed *d)
{
	struct world *w = station_world(x->station);
	const char *port = x->members[d->who].port;

	if (d->kind == DEED_UNPLUG || d->kind == DEED_REPLUG)
		(void)world_unplug(w, port);
	if (d->kind == DEED_REPLUG) {
		wait_ms(x, d->arg);
		(void)world_plug(w, port);
	}
	if (d->kind == DEED_GLITCH)
		(void)world_glitch(w, port, d->arg);
	if (d->kind == DEED_CYCLE)
		(void)world_power_cycle(w, port);
	if (d->kind == DEED_BUTTON)
		(void)world_button_entry(w, port);
	if (d->kind == DEED_MOVE)
		move(x, d->who);
	if (d->kind == DEED_FLAP)
		flap(x, d->who, d->arg);
	if (d->kind == DEED_FATE)
		station_arm(x->station, port, &d->fate);
}

/* An operator's request for one slot. */
static void
order(struct run *x, const struct deed *d)
{
	const char *port = x->members[d->who].port;

	if (d->kind == DEED_RETRY || d->kind == DEED_FORCE)
		(void)station_retry(x->station, port, d->kind == DEED_FORCE);
	if (d->kind == DEED_RELEASE)
		(void)station_release(x->station, port);
	if (d->kind == DEED_BACKUP)
		(void)station_backup(x->station, port);
	if (d->kind >= DEEDS_OF_OLD)
		swarm_order_whole(x->station, port, d);
}

static void
glitch_all(struct run *x, uint32_t ms)
{
	for (unsigned i = 0; i < x->plan->count; i++) {
		x->disturbed[i] = true;
		(void)world_glitch(station_world(x->station), x->members[i].port, ms);
	}
}

static void
do_to_all(struct run *x, const struct deed *d)
{
	struct station *s = x->station;

	if (d->kind == DEED_HUB)
		glitch_all(x, d->arg);
	if (d->kind == DEED_PAUSE || d->kind == DEED_RESUME)
		station_pause(s, d->kind == DEED_PAUSE);
	if (d->kind == DEED_SELECT)
		select_another(x, d->arg);
	if (d->kind == DEED_SLEEP)
		station_slept(s);
	if (d->kind == DEED_DISK_ERROR)
		station_disk(s, (int)d->arg);
	if (d->kind == DEED_DISK_SLOW)
		station_disk_slow(s, d->arg);
	if (d->kind == DEED_DISK_GOOD) {
		station_disk(s, 0);
		station_disk_slow(s, x->plan->options.commit_us);
	}
	x->ret->kills += d->kind == DEED_KILL || d->kind == DEED_STOP;
	if (d->kind == DEED_KILL)
		station_restart(s);
	if (d->kind == DEED_STOP)
		station_stop(s, d->arg % 8 * SECOND);
}

static bool
concerns_one(enum deed_kind kind)
{
	return (kind < DEED_PAUSE && kind != DEED_HUB) || kind >= DEEDS_OF_OLD;
}

static void
do_deed(struct run *x, const struct deed *d)
{
	if (d->kind == DEED_PLUG) {
		plug_in(x, d->who);
	} else if (concerns_one(d->kind)) {
		x->disturbed[d->who] = true;
		order(x, d);
		do_to_drone(x, d);
	} else {
		do_to_all(x, d);
	}
}

static bool
is_left_out(const struct swarm_without *without, const struct deed *d)
{
	if (without == NULL)
		return false;
	if (d->kind == DEED_FATE && (without->fates >> d->fate.kind & 1) != 0)
		return true;
	return (without->deeds >> d->kind & 1) != 0;
}

static void
live(struct run *x)
{
	const struct swarm_plan *p = x->plan;

	for (unsigned i = 0; i < p->deed_count && station_broken(x->station) == NULL; i++) {
		const struct deed *d = &p->deeds[i];

		if (is_left_out(x->without, d))
			continue;
		if (d->at_us > world_now_us(station_world(x->station)))
			station_run(x->station, d->at_us);
		x->ret->deeds += d->kind != DEED_PLUG && d->kind != DEED_FATE;
		do_deed(x, d);
	}
	station_run(x->station, p->calm_us);
}

/* ---- healing ----------------------------------------------------------------------------- */

static void
fail_drone(struct run *x, unsigned i, const char *what)
{
	struct swarm_result *r = x->ret;
	struct slot_view v = { .message = "" };

	if (r->broken != NULL)
		return;
	(void)station_view(x->station, x->members[i].port, &v);
	(void)snprintf(r->text, sizeof(r->text), "I20: %s %s: %s, %s: %s", x->members[i].port, what,
		       slot_state_name(v.state, v.step),
		       v.verdict.kind != VERDICT_NONE ? verdict_name(v.verdict.kind) : "no verdict",
		       v.message);
	r->broken = r->text;
}

static bool
settle(struct run *x)
{
	struct station *s = x->station;

	if (station_settle(s, world_now_us(station_world(s)) + SETTLE_US))
		return true;
	for (unsigned i = 0; i < x->plan->count && station_broken(s) == NULL; i++) {
		struct slot_view v;

		if (station_view(s, x->members[i].port, &v) && (v.active || v.readiness->under_way))
			fail_drone(x, i, "is still under way an hour after the world has healed");
	}
	if (station_broken(s) == NULL && x->ret->broken == NULL)
		fail_drone(x, 0, "or another job is still under way");
	return false;
}

/* On the air it is quiet, too. */
static void
heal_drone(struct drone *d)
{
	char error[128];

	drone_disarm(d);
	if (drone_set(d, "radio-packets", "0", error, sizeof(error)) < 0)
		abort();
}

static void
heal(struct run *x)
{
	struct station *s = x->station;
	struct world *w = station_world(s);
	struct fleet_options o = x->plan->options.fleet;

	for (unsigned i = 0; i < x->plan->count; i++) {
		struct drone *was = world_displaced(w, x->members[i].port);

		heal_drone(drone_of(x, i));
		if (was != NULL)
			heal_drone(was);
	}
	station_disk(s, 0);
	station_disk_slow(s, 160);
	/* The brake is off: injected faults are not the image's fault. */
	o.brake = 0;
	station_configure(s, &o);
	for (enum platform p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT; p++) {
		struct image *image = policy_selected(fleet_policy(station_fleet(s)), p);

		if (image != NULL)
			(void)station_release_image(s, image);
	}
	if (x->plan->in_batch)
		station_end_batch(s); /* else the sound ones may wait for canaries that are not */
	station_pause(s, false);
}

/* Is the drone done, as an operator would see it? */
static bool
is_good(struct run *x, unsigned i, const struct slot_view *v)
{
	const struct member *m = &x->members[i];
	struct image *image = policy_selected(fleet_policy(station_fleet(x->station)), m->platform);

	if (image == NULL)
		return true; /* nothing is wanted of it */
	if (!v->present || drone_personality(drone_of(x, i)) != DRONE_RUNTIME)
		return false;
	if (v->verdict.kind != VERDICT_PASS && v->verdict.kind != VERDICT_UNCHANGED)
		return false;
	return station_holds(x->station, m->port, image) ||
	       x->plan->options.fleet.job.skip == JOB_SKIP_VERSION;
}

/* Follows the station's messages about a foreign device in DFU mode. */
static void
follow_foreign(struct run *x, unsigned i)
{
	struct world *w = station_world(x->station);
	struct fleet_options o = x->plan->options.fleet;

	if (drone_would_boot(drone_of(x, i), world_now_us(w))) {
		(void)world_power_cycle(w, x->members[i].port);
		return;
	}
	o.job.adopt = JOB_ADOPT_PORT;
	o.brake = 0;
	station_configure(x->station, &o);
	(void)station_retry(x->station, x->members[i].port, false);
}

/* The operator follows the station's message, else tries the obvious next thing. */
static void
follow_advice(struct run *x, unsigned i, const struct slot_view *v, unsigned round)
{
	struct world *w = station_world(x->station);
	const char *port = x->members[i].port;
	struct drone *d = drone_of(x, i);

	if (v->state == SLOT_QUARANTINED)
		(void)station_release(x->station, port);
	if (v->state == SLOT_QUARANTINED && round % 2 == 0) {
		return; /* that was one try */
	} else if (drone_personality(d) == DRONE_OFF) {
		if (drone_would_boot(d, world_now_us(w)))
			(void)world_power_cycle(w, port);
		else
			(void)world_button_entry(w, port);
	} else if (v->state == SLOT_FOREIGN) {
		follow_foreign(x, i);
	} else if (v->verdict.fault == FAULT_PLATFORM_UNKNOWN) {
		if (policy_set_platform(fleet_policy(station_fleet(x->station)), port,
					x->members[i].platform) < 0)
			abort();
		(void)station_retry(x->station, port, false);
	} else if (v->verdict.kind == VERDICT_NEEDS_POWER_CYCLE) {
		(void)world_power_cycle(w, port);
	} else if (v->verdict.kind == VERDICT_NEEDS_BUTTON) {
		(void)world_button_entry(w, port);
	} else if (round % 2 == 0) {
		(void)station_retry(x->station, port, false);
	} else if (drone_would_boot(d, world_now_us(w))) {
		(void)world_power_cycle(w, port);
	} else {
		(void)world_button_entry(w, port);
	}
}

/* True when every drone that can be done is done. */
static bool
one_round(struct run *x, unsigned round)
{
	bool all = true;

	for (unsigned i = 0; i < x->plan->count; i++) {
		struct slot_view v = { .message = "" };

		if (x->members[i].platform == PLATFORM_UNKNOWN || !x->members[i].sound)
			continue;
		(void)station_view(x->station, x->members[i].port, &v);
		if (is_good(x, i, &v))
			continue;
		all = false;
		if (round == ROUNDS)
			fail_drone(x, i, "did not end well, though the operator did what was said");
		else
			follow_advice(x, i, &v, round);
	}
	return all;
}

/*
 * Rebooted by us, and then the daemon died or the machine slept: what cannot be told from others
 * is foreign now, since the operator restricted adoption (doc/promises.md 1, promise 1).
 */
static bool
may_become_foreign(const struct run *x, unsigned i, const struct slot_view *v)
{
	const struct member *m = &x->members[i];
	enum job_adopt adopt = x->plan->options.fleet.job.adopt;

	/* With any adoption allowed, it may be one that nothing identifies. */
	if (adopt == JOB_ADOPT_PORT && v->verdict.fault != FAULT_PLATFORM_UNKNOWN)
		return false;
	if (adopt != JOB_ADOPT_PORT && v->state != SLOT_FOREIGN)
		return false;
	if (adopt != JOB_ADOPT_NEVER && adopt != JOB_ADOPT_KNOWN && m->config.otp[0] != '\0')
		return false;
	/* Its attempt has no row when even the platform was to be read in DFU mode. */
	return m->config.no_type || m->config.serial == DRONE_SERIAL_MISSING ||
	       m->config.serial == DRONE_SERIAL_CONSTANT;
}

/*
 * Drones that were not touched and had no fault need no operator, whatever happened to the
 * station.
 */
static void
check_undisturbed(struct run *x)
{
	for (unsigned i = 0; i < x->plan->count; i++) {
		const struct member *m = &x->plan->members[i];
		struct slot_view v = { .message = "" };

		if (m->platform == PLATFORM_UNKNOWN || !m->sound || x->disturbed[i] || m->by_button)
			continue;
		/* Only a hand can help it; its port looks like one that flaps. */
		if (drone_counters(drone_of(x, i))->darks > 0 ||
		    drone_counters(drone_of(x, i))->asserts[DRONE_ASSERT_RADIO] > 0)
			continue;
		(void)station_view(x->station, m->port, &v);
		if (may_become_foreign(x, i, &v))
			continue;
		if (!is_good(x, i, &v))
			fail_drone(x, i, "had no trouble of its own and did not end well");
	}
}

/* Foreign devices, and drones without a selected image, must be unchanged. */
static void
check_foreign(struct run *x)
{
	for (unsigned i = 0; i < x->plan->count; i++) {
		const struct member *m = &x->members[i];
		const struct drone_counters *n = drone_counters(drone_of(x, i));
		bool wanted =
		    policy_selected(fleet_policy(station_fleet(x->station)), m->platform) != NULL;

		if (m->config.model == DRONE_OTHER_VCP && n->beyond_standard > 0)
			fail_drone(x, i, "is foreign and was sent a request");
		if (!wanted && n->erases + n->blocks_written > 0)
			fail_drone(x, i, "was changed and no firmware is selected for it");
	}
}

static void
end_well(struct run *x)
{
	heal(x);
	if (!settle(x))
		return;
	check_undisturbed(x);
	for (unsigned round = 0; round <= ROUNDS && x->ret->broken == NULL; round++) {
		if (one_round(x, round))
			break;
		if (!settle(x))
			return;
	}
	check_foreign(x);
}

/* ---- all of it --------------------------------------------------------------------------- */

static void
take_result(struct run *x)
{
	struct swarm_result *r = x->ret;
	struct station *s = x->station;

	if (r->broken == NULL && station_broken(s) != NULL) {
		copy_text(r->text, sizeof(r->text), station_broken(s));
		r->broken = r->text;
	}
	r->trace = station_trace(s);
	r->flashes = station_flashes(s);
	r->attempts = station_rows(s);
	r->faults = station_faults(s);
	r->events = station_events(s);
	r->virtual_us = world_now_us(station_world(s));
}

void
swarm_run(const struct swarm_plan *p, const struct swarm_without *without, bool verbose,
	  struct swarm_result *ret)
{
	static struct run x; /* too large for a stack under sanitizers */

	memset(&x, 0, sizeof(x));
	memset(ret, 0, sizeof(*ret));
	x.plan = p;
	x.without = without;
	x.ret = ret;
	memcpy(x.members, p->members, sizeof(x.members));
	set_up(&x);
	if (verbose)
		station_talk(x.station);
	live(&x);
	if (station_broken(x.station) == NULL)
		end_well(&x);
	take_result(&x);
	station_free(x.station);
}
