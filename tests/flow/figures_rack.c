/* SPDX-License-Identifier: MIT */
/* One rack of drones, flashed by the whole station, watched from outside at every event. */
#include "config.h"

#include "flow/figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/platform.h"
#include "flow/station.h"
#include "sim/drone.h"

#define SECOND 1000000ULL
#define END_US (1200 * SECOND) /* LIMIT: of virtual time, for one rack */
#define STEP_US 10000 /* WHY: what the disk has ended is an event, too, and not asked for here */
#define SAMPLE_US 100000
#define READY_US (30 * SECOND) /* LIMIT: from the last verdict on */
#define SAMPLES_MAX 4096       /* LIMIT: of one rack, all drones together, over its whole time */
#define EDITED_ADDR 0x08030001U
#define APP_ADDR 0x08004000U

/* Whole seconds are shown: half of one is no error. */
#define ROUNDING_S 0.5
/* WHY: the time of booting is random: 0.45 s more or less than the mean. */
#define ETA_FROM_S 3.0

struct watched {
	char port[PORT_TEXT_MAX];
	struct drone *drone; /* borrowed of the world */
	int slot;	     /* the fleet's number; -1 not known yet */
	uint64_t revision;
	enum step step;
	int percent;
	bool wrote, ended, ready;
	uint64_t requests_before; /* DNLOAD and GETSTATUS before the first block */
};

struct sample {
	uint64_t at_us;
	unsigned drone; /* RACK_DRONES_MAX: the rack */
	int eta_s;
};

struct rack {
	const struct rack_plan *plan;
	struct rack_seen *seen;
	struct station *station;
	struct image *image;
	struct watched drones[RACK_DRONES_MAX];
	struct sample *samples;
	size_t sample_count, sample_room;
	uint64_t sample_due_us, begun_us;
};

static void
broken(struct rack *x, const char *what)
{
	if (x->seen->broken != NULL)
		return;
	(void)snprintf(x->seen->text, sizeof(x->seen->text), "%s", what);
	x->seen->broken = x->seen->text;
}

/* ---- putting the drones in --------------------------------------------------------------- */

static void
name_port(struct rack *x, unsigned i)
{
	unsigned per_hub = x->plan->per_hub;
	char *port = x->drones[i].port;

	const struct rack_place *place = x->plan->place;

	if (place != NULL && place->root)
		(void)snprintf(port, PORT_TEXT_MAX, "%u-%u", i / per_hub + 1, i % per_hub + 1);
	else if (place != NULL)
		(void)snprintf(port, PORT_TEXT_MAX, "%u-%u.%u",
			       (uint8_t)(i / per_hub % place->controllers + 1),
			       (uint8_t)(i / per_hub / place->controllers + 1), i % per_hub + 1);
	else if (per_hub == 0)
		(void)snprintf(port, PORT_TEXT_MAX, "1-%u", i + 1);
	else
		(void)snprintf(port, PORT_TEXT_MAX, "1-%u.%u", i / per_hub + 1, i % per_hub + 1);
}

/* The times that are drawn otherwise. */
static void
steady_timing(struct drone_config *c)
{
	c->timing.gap_min_ms = c->timing.gap_max_ms = 1000;
	c->timing.boot_min_ms = c->timing.boot_max_ms = 1000;
}

static void
add_drone(struct rack *x, unsigned i, struct image *old)
{
	const struct rack_plan *plan = x->plan;
	struct drone_config c;
	uint8_t byte;

	drone_config_init(&c, 1000 + i + 1000 * plan->draw);
	c.kind = plan->kind;
	c.button_boots = plan->by_button;
	if (plan->whole)
		c.address += i; /* else their addresses are left to be changed */
	if (plan->selftest_ms > 0)
		c.selftest_ms = plan->selftest_ms;
	if (!plan->drawn)
		steady_timing(&c);
	name_port(x, i);
	station_add(x->station, x->drones[i].port, &c,
		    plan->before == RACK_SAME || plan->before == RACK_EDITED ? x->image : old);
	x->drones[i].drone = world_drone(station_world(x->station), x->drones[i].port);
	x->drones[i].slot = -1;
	if (plan->before != RACK_EDITED)
		return;
	drone_peek(x->drones[i].drone, 0, EDITED_ADDR, &byte, 1);
	byte ^= 0x5A;
	if (drone_load(x->drones[i].drone, EDITED_ADDR, &byte, 1) < 0)
		abort();
}

static uint32_t
size_of_image(const struct rack_plan *plan)
{
	return plan->image_bytes != 0 ? plan->image_bytes : RACK_IMAGE_BYTES;
}

static void
set_up(struct rack *x)
{
	const struct rack_plan *plan = x->plan;
	struct station_options o;
	struct image *old = station_image("cf2", "2025.02", size_of_image(plan), 1);

	station_options_init(&o, 7);
	o.commit_us = 4000;
	o.fleet.job.word = plan->word;
	o.fleet.job.obey = plan->obey;
	o.fleet.job.skip = plan->by_version ? JOB_SKIP_VERSION : JOB_SKIP_READBACK;
	o.fleet.limits.active_max = plan->active_max;
	o.fleet.limits.switch_max = plan->switch_max;
	o.fleet.limits.writers_max = plan->writers_max;
	o.fleet.limits.endpoints_max = plan->endpoints_max;
	if (plan->limits != NULL)
		o.fleet.limits = *plan->limits;
	if (plan->place != NULL) {
		o.kernel = plan->place->kernel;
		o.translators = plan->place->translators;
	}
	if (station_new(&o, &x->station) < 0)
		abort();
	x->image = station_image("cf2", "2025.12", size_of_image(plan), 2);
	for (unsigned i = 0; i < plan->count; i++)
		add_drone(x, i, old);
	image_unref(old);
}

static void
plug_all(struct rack *x)
{
	for (unsigned i = 0; i < x->plan->count; i++) {
		const char *port = x->drones[i].port;
		int r = x->plan->by_button ? world_button_entry(station_world(x->station), port)
					   : world_plug(station_world(x->station), port);

		if (r < 0)
			abort();
	}
}

/* ---- watching ---------------------------------------------------------------------------- */

static uint64_t
work_requests(const struct drone_counters *c)
{
	return c->dfu[1] + c->dfu[3] + c->dfu[4] + c->dfu[6]; /* DNLOAD GETSTATUS CLRSTATUS ABORT */
}

static void
keep_sample(struct rack *x, uint64_t now_us, unsigned drone, int eta_s)
{
	if (x->sample_count == x->sample_room) {
		size_t room = x->sample_room > 0 ? 2 * x->sample_room : SAMPLES_MAX;
		struct sample *samples = realloc(x->samples, room * sizeof(*samples));

		if (samples == NULL)
			abort();
		x->samples = samples;
		x->sample_room = room;
	}
	x->samples[x->sample_count++] = (struct sample){ now_us, drone, eta_s };
}

/* A drone has come to another step. */
static void
step_changed(struct rack *x, struct watched *w, enum step step, const struct drone_counters *c)
{
	bool was = w->step == STEP_WRITING || w->step == STEP_FIRST_PAGE;
	bool is = step == STEP_WRITING || step == STEP_FIRST_PAGE;

	if (is && !was)
		w->requests_before = work_requests(c);
	if (was && !is)
		x->seen->writing_requests += work_requests(c) - w->requests_before;
	w->wrote = w->wrote || step == STEP_WRITING;
	w->step = step;
}

static void
watch_drone(struct rack *x, unsigned i, bool sampling)
{
	struct watched *w = &x->drones[i];
	struct fleet *fleet = station_fleet(x->station);
	uint64_t now_us = world_now_us(station_world(x->station));
	struct slot_view v;

	if (w->slot < 0)
		w->slot = fleet_find(fleet, w->port);
	if (w->ended || w->slot < 0)
		return;
	if (w->revision == fleet_revision(fleet, (unsigned)w->slot) && !sampling)
		return;
	w->revision = fleet_revision(fleet, (unsigned)w->slot);
	fleet_view(fleet, (unsigned)w->slot, now_us, &v);
	if (v.step != w->step)
		step_changed(x, w, v.step, drone_counters(x->drones[i].drone));
	if (v.percent >= 0 && v.percent < w->percent)
		x->seen->percent_falls++;
	if (v.percent >= 0)
		w->percent = v.percent;
	if (sampling && w->wrote && v.verdict.kind == VERDICT_NONE)
		keep_sample(x, now_us, i, fleet_slot_eta_s(fleet, (unsigned)w->slot, now_us));
	/* WHY: of what was pulled the last verdict stays to be seen. */
	if (v.verdict.kind == VERDICT_NONE || !v.present)
		return;
	w->ended = true;
	if (x->plan->by_button)
		(void)world_unplug(station_world(x->station), w->port);
}

/*
 * The limits, from what the drones do rather than from what the station believes: who is between
 * two modes, who has been erased and is not through with it, what the controller has to carry.
 */
static void
watch_limits(struct rack *x)
{
	unsigned switching = 0, endpoints = 0, writing = 0;

	for (unsigned i = 0; i < x->plan->count; i++) {
		const struct watched *w = &x->drones[i];
		const struct drone *d = x->drones[i].drone;
		const struct drone_counters *c = drone_counters(d);
		enum drone_personality p = drone_personality(d);

		if (x->plan->per_hub == 0 || i % x->plan->per_hub == 0)
			writing = 0;
		writing += p == DRONE_ROM && c->erases > 0 && w->step >= STEP_ERASING &&
			   w->step <= STEP_FIRST_PAGE;
		switching += w->step == STEP_REBOOTING && c->reboots > 0 && p != DRONE_ROM;
		endpoints += p == DRONE_RUNTIME ? 6 : p == DRONE_ROM;
		if (writing > x->seen->writing)
			x->seen->writing = writing;
	}
	x->seen->switching = switching > x->seen->switching ? switching : x->seen->switching;
	x->seen->endpoints = endpoints > x->seen->endpoints ? endpoints : x->seen->endpoints;
}

/* Is it ready, and how long after it could be known? */
static void
watch_ready(struct rack *x, unsigned i)
{
	struct watched *w = &x->drones[i];
	uint64_t now_us = world_now_us(station_world(x->station)), since_us;
	struct slot_view v;

	if (!w->ended || w->ready)
		return;
	fleet_view(station_fleet(x->station), (unsigned)w->slot, now_us, &v);
	if (v.readiness->ready != READY_YES)
		return;
	w->ready = true;
	since_us = drone_selftest_us(w->drone);
	if (since_us < station_last(x->station, w->port)->ended_us)
		since_us = station_last(x->station, w->port)->ended_us;
	if (now_us - since_us > x->seen->ready_us)
		x->seen->ready_us = now_us - since_us;
	x->seen->ready++;
}

static void
watch(struct rack *x)
{
	uint64_t now_us = world_now_us(station_world(x->station));
	bool sampling = now_us >= x->sample_due_us;
	bool wrote = false;

	for (unsigned i = 0; i < x->plan->count; i++) {
		watch_drone(x, i, sampling);
		wrote = wrote || x->drones[i].wrote;
		if (x->plan->whole)
			watch_ready(x, i);
	}
	watch_limits(x);
	if (!sampling)
		return;
	if (wrote)
		keep_sample(x, now_us, RACK_DRONES_MAX,
			    fleet_eta_s(station_fleet(x->station), now_us));
	x->sample_due_us = now_us + SAMPLE_US;
}

/* ... and ready, where that is waited for. */
static bool
all_ended(const struct rack *x, bool ready)
{
	if (ready)
		return x->seen->ready == x->plan->count;
	for (unsigned i = 0; i < x->plan->count; i++)
		if (!x->drones[i].ended)
			return false;
	return true;
}

/* One event at a time until every drone has a verdict, or is ready, or until_us. */
static void
run(struct rack *x, bool ready, uint64_t until_us)
{
	struct station *s = x->station;

	while (station_broken(s) == NULL && !all_ended(x, ready)) {
		uint64_t world = world_next_us(station_world(s));
		uint64_t tick = fleet_deadline_us(station_fleet(s));
		uint64_t next = world_now_us(station_world(s)) + STEP_US;

		if (next > until_us)
			return;
		next = world < next ? world : next;
		station_run(s, tick < next ? tick : next);
		watch(x);
	}
}

/* ---- adding up --------------------------------------------------------------------------- */

static uint64_t
ended_us(const struct rack *x, unsigned drone)
{
	uint64_t last = 0;

	for (unsigned i = 0; i < x->plan->count; i++) {
		const struct station_row *row = station_last(x->station, x->drones[i].port);

		if (row != NULL && (drone == RACK_DRONES_MAX || drone == i) && row->ended_us > last)
			last = row->ended_us;
	}
	return last;
}

static void
judge_etas(struct rack *x)
{
	uint64_t rack_end = ended_us(x, RACK_DRONES_MAX), end[RACK_DRONES_MAX + 1];

	for (unsigned i = 0; i < x->plan->count; i++)
		end[i] = ended_us(x, i);
	end[RACK_DRONES_MAX] = rack_end;
	for (size_t i = 0; i < x->sample_count; i++) {
		const struct sample *e = &x->samples[i];
		double truth = ((double)end[e->drone] - (double)e->at_us) / 1e6;
		double off = truth > e->eta_s ? truth - e->eta_s : e->eta_s - truth;
		double *worst =
		    e->drone == RACK_DRONES_MAX ? &x->seen->eta_rack : &x->seen->eta_drone;

		if (truth < ETA_FROM_S)
			continue;
		off = off > ROUNDING_S ? (off - ROUNDING_S) / truth : 0;
		*worst = off > *worst ? off : *worst;
	}
}

static uint64_t
dfu_us(const struct job_record *r)
{
	uint64_t us = 0;

	for (enum step step = STEP_PROBING; step <= STEP_LEAVING; step++)
		us += r->stage_us[step];
	return us;
}

static void
add_drone_up(struct rack *x, unsigned i)
{
	const struct station_row *row = station_last(x->station, x->drones[i].port);
	const struct drone_counters *c = drone_counters(x->drones[i].drone);
	struct rack_seen *seen = x->seen;
	uint64_t translator;

	if (row == NULL || !row->told) {
		broken(x, "a drone has no verdict");
		return;
	}
	seen->pass += row->verdict.kind == VERDICT_PASS;
	seen->unchanged += row->verdict.kind == VERDICT_UNCHANGED;
	if (!station_holds(x->station, x->drones[i].port, x->image))
		broken(x, "a drone does not hold the image");
	if (dfu_us(&row->record) > seen->dfu_us)
		seen->dfu_us = dfu_us(&row->record);
	for (enum step step = STEP_NONE; step < STEP_COUNT; step++) {
		uint64_t us = row->record.stage_us[step];

		seen->stage_sum_us[step] += us;
		seen->stage_max_us[step] =
		    us > seen->stage_max_us[step] ? us : seen->stage_max_us[step];
	}
	translator = world_translator_busy_us(station_world(x->station), x->drones[i].port);
	seen->translator_us = translator > seen->translator_us ? translator : seen->translator_us;
	seen->erases += c->erases;
	seen->blocks += c->blocks_written;
	seen->requests += c->beyond_standard;
	seen->reboots += c->reboots;
	seen->stalls += c->stalls;
}

static void
add_up(struct rack *x, uint64_t events_before, uint64_t commits_before)
{
	if (station_broken(x->station) != NULL)
		broken(x, station_broken(x->station));
	for (unsigned i = 0; i < x->plan->count; i++)
		add_drone_up(x, i);
	x->seen->all_us = ended_us(x, RACK_DRONES_MAX) - x->begun_us;
	x->seen->events = station_events(x->station) - events_before;
	x->seen->commits = station_commits(x->station) - commits_before;
	judge_etas(x);
}

/* ---- the run ----------------------------------------------------------------------------- */

static void
forget_what_was_seen(struct rack *x)
{
	for (unsigned i = 0; i < x->plan->count; i++) {
		struct watched *w = &x->drones[i];

		drone_counters_reset(x->drones[i].drone);
		*w = (struct watched){ .drone = w->drone, .slot = -1 };
		name_port(x, i);
	}
	memset(x->seen, 0, sizeof(*x->seen));
	x->sample_count = 0;
}

/* The station flashes them all with a release between the two, and they are pulled. */
static void
flash_once_before(struct rack *x)
{
	(void)station_select(x->station, "cf2", "2025.07", size_of_image(x->plan), 3);
	plug_all(x);
	run(x, false, END_US);
	station_run(x->station, world_now_us(station_world(x->station)) + SECOND);
	for (unsigned i = 0; i < x->plan->count; i++)
		(void)world_unplug(station_world(x->station), x->drones[i].port);
	station_run(x->station, world_now_us(station_world(x->station)) + SECOND);
	forget_what_was_seen(x);
}

/* Half of the first drone's blocks are written when the daemon dies. */
static void
cut_off(struct rack *x)
{
	uint64_t half = size_of_image(x->plan) / 2048 / 2;

	plug_all(x);
	while (station_broken(x->station) == NULL &&
	       drone_counters(x->drones[0].drone)->blocks_written < half)
		station_run(x->station, world_now_us(station_world(x->station)) + STEP_US);
	forget_what_was_seen(x);
	x->begun_us = world_now_us(station_world(x->station));
	station_restart(x->station);
}

void
rack_run(const struct rack_plan *plan, struct rack_seen *ret)
{
	struct rack x = { .plan = plan, .seen = ret };
	uint64_t events, commits;

	memset(ret, 0, sizeof(*ret));
	set_up(&x);
	if (plan->known)
		flash_once_before(&x);
	station_use(x.station, PLATFORM_CF2, x.image);
	x.begun_us = world_now_us(station_world(x.station));
	events = station_events(x.station);
	commits = station_commits(x.station);
	if (plan->before == RACK_CUT_OFF)
		cut_off(&x);
	else
		plug_all(&x);
	run(&x, false, END_US);
	add_up(&x, events, commits);
	if (plan->whole)
		run(&x, true, world_now_us(station_world(x.station)) + READY_US);
	for (unsigned i = 0; i < plan->count; i++)
		ret->vcc_cycles += drone_counters(x.drones[i].drone)->vcc_cycles;
	station_free(x.station);
	image_unref(x.image);
	free(x.samples);
}

uint64_t
rack_floor_us(bool word, bool read_back, uint32_t bytes)
{
	struct drone_segment segment = { APP_ADDR, bytes };
	struct drone_config c;
	struct drone_floor f;

	drone_config_init(&c, 1);
	drone_floor(&c, &segment, 1, word ? 4 : 1, &f);
	return f.erase_us + f.program_us + f.send_us + (read_back ? f.read_us : 0);
}

void
rack_bound(const struct rack_plan *plan, struct bound *ret_bound)
{
	static const struct rack_place bare = { .hubs = 1, .controllers = 1, .root = true };
	const struct rack_place *place = plan->place != NULL ? plan->place : &bare;
	struct bound_hub hubs[RACK_DRONES_MAX];
	struct drone_config c;
	struct bound_rack rack = {
		.drone = &c,
		.image = { APP_ADDR, size_of_image(plan) },
		.kernel = &place->kernel,
		.translators = &place->translators,
		.hubs = hubs,
		.hub_count = place->hubs,
	};

	drone_config_init(&c, 1);
	steady_timing(&c);
	for (unsigned i = 0; i < place->hubs; i++)
		hubs[i] = (struct bound_hub){ i % place->controllers, place->root,
					      plan->count / place->hubs };
	bound_of(&rack, ret_bound);
}
