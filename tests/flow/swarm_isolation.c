/* SPDX-License-Identifier: MIT */
/* I14: one drone's trouble is its own. */
#include "config.h"

#include "flow/swarm.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/outcome.h"
#include "core/platform.h"

#define SECOND 1000000ULL
#define TROUBLED 0 /* index of the one */
/* LIMIT: how much later another may end: turns that the troubled one holds. */
#define UNFAIR_US (60 * SECOND)

/* Where only one at a time may work, all wait for the one that takes its whole time. */
static uint64_t
unfair_us(const struct swarm_plan *p)
{
	const struct sched_limits *l = &p->options.fleet.limits;
	bool alone = l->active_max == 1 || l->writers_max == 1 || l->switch_max == 1;

	return UNFAIR_US + (alone ? p->options.fleet.job.attempt_timeout_us : 0);
}

/* How one of the others ended. */
struct fact {
	unsigned attempts;
	struct verdict verdict;
	uint64_t ended_us;
	bool holds;
};

static void
gather(struct station *s, const struct member *m, struct fact *fact)
{
	const struct station_row *last = station_last(s, m->port);

	memset(fact, 0, sizeof(*fact));
	for (size_t i = 0; i < station_rows(s); i++)
		fact->attempts += strcmp(station_row(s, i)->port, m->port) == 0;
	if (last != NULL) {
		fact->verdict = last->verdict;
		fact->ended_us = last->ended_us;
	}
	fact->holds = station_holds(s, m->port, swarm_image(PLATFORM_CF2, 1));
}

static void
run_one(const struct swarm_plan *p, bool trouble, bool verbose, struct fact *facts,
	struct swarm_result *ret)
{
	struct station *s;

	if (station_new(&p->options, &s) < 0)
		abort();
	if (verbose)
		station_talk(s);
	station_use(s, PLATFORM_CF2, swarm_image(PLATFORM_CF2, 1));
	for (unsigned i = 0; i < p->count; i++) {
		station_add(s, p->members[i].port, &p->members[i].config,
			    swarm_image(PLATFORM_CF2, 0));
		(void)world_plug(station_world(s), p->members[i].port);
	}
	for (unsigned i = 0; i < p->deed_count; i++)
		if (trouble && p->deeds[i].kind == DEED_FATE && p->deeds[i].who == TROUBLED)
			station_arm(s, p->members[TROUBLED].port, &p->deeds[i].fate);
	if (!station_settle(s, 3600 * SECOND) && station_broken(s) == NULL) {
		copy_text(ret->text, sizeof(ret->text),
			  "I20: a job is still under way after an hour");
		ret->broken = ret->text;
	}
	for (unsigned i = 0; i < p->count; i++)
		gather(s, &p->members[i], &facts[i]);
	if (ret->broken == NULL && station_broken(s) != NULL) {
		copy_text(ret->text, sizeof(ret->text), station_broken(s));
		ret->broken = ret->text;
	}
	ret->flashes += station_flashes(s);
	ret->attempts += station_rows(s);
	ret->faults += station_faults(s);
	ret->events += station_events(s);
	ret->virtual_us += world_now_us(station_world(s));
	station_free(s);
}

/*
 * Good drones only, with their habits; the options as drawn, without what gives a slot away for
 * long.
 */
static void
tame(struct swarm_plan *p)
{
	for (unsigned i = 0; i < p->count; i++) {
		struct drone_config *c = &p->members[i].config;

		c->model = DRONE_CRAZYFLIE;
		c->read_protected = c->no_dfu_request = c->silent = false;
		c->write_protected = 0;
		c->version[0] = '\0'; /* one that fails for ever may be the brake's last straw */
		copy_text(c->otp, sizeof(c->otp), "0;CF21");
	}
}

void
swarm_isolation(uint64_t seed, bool verbose, struct swarm_result *ret)
{
	static struct swarm_plan plan;
	static struct fact with[SWARM_DRONES_MAX], without[SWARM_DRONES_MAX];

	memset(ret, 0, sizeof(*ret));
	swarm_draw(&plan, seed);
	tame(&plan);
	if (verbose)
		swarm_print(&plan);
	run_one(&plan, true, verbose, with, ret);
	run_one(&plan, false, false, without, ret);
	for (unsigned i = 0; i < plan.count && ret->broken == NULL; i++) {
		bool alike = with[i].attempts == without[i].attempts &&
			     with[i].holds == without[i].holds &&
			     with[i].verdict.kind == without[i].verdict.kind &&
			     with[i].verdict.fault == without[i].verdict.fault;

		if (i == TROUBLED ||
		    (alike && with[i].ended_us < without[i].ended_us + unfair_us(&plan)))
			continue;
		(void)snprintf(ret->text, sizeof(ret->text),
			       "I14: %s ended with %s after %.1f s beside a troubled drone, and "
			       "with %s after %.1f s "
			       "without it",
			       plan.members[i].port, verdict_name(with[i].verdict.kind),
			       (double)with[i].ended_us / 1e6,
			       verdict_name(without[i].verdict.kind),
			       (double)without[i].ended_us / 1e6);
		ret->broken = ret->text;
	}
}
