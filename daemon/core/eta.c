/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/eta.h"

#include <string.h>

/* The work that one slot still has before it. */
struct work {
	uint64_t left_us;   /* to its verdict, from the moment that it has its permit */
	uint64_t permit_us; /* of it with the permit taken */
	bool waits;
};

/* Fewer are admitted than there are slots: each may have to wait for each other one. */
static bool
is_narrow(const struct eta *e)
{
	return e->limits->active_max > 0 && e->limits->active_max < e->slots->count;
}

static bool
has_plan(const struct job *j)
{
	return job_stage(j) >= JOB_FLASH && job_step(j) > STEP_PROBING;
}

/* The largest job under way, or else the last one: what a drone will need that is not looked at
 * yet. */
static uint64_t
typical_us(const struct eta *e, uint64_t now_us)
{
	uint64_t left, total, most = 0;

	for (unsigned i = 0; i < e->slots->count; i++) {
		const struct job *j = e->slots->list[i].job;

		if (j == NULL || job_published(j) || !has_plan(j))
			continue;
		job_estimate(j, now_us, e->slots->boot_us, &left, &total);
		most = total > most ? total : most;
	}
	return most > 0 ? most : e->work_us;
}

static bool
work_of(const struct eta *e, unsigned slot, uint64_t now_us, uint64_t typical,
	struct work *ret_work)
{
	const struct job *j = e->slots->list[slot].job;
	struct work w = { 0 };
	uint64_t total;

	if (j == NULL || job_published(j) || job_stage(j) == JOB_ASK)
		return false;
	if (has_plan(j)) {
		job_estimate(j, now_us, e->slots->boot_us, &w.left_us, &total);
		w.waits = sched_waits(e->slots->sched, slot, PERMIT_WRITE);
	} else {
		if (typical == 0)
			return false;
		w.left_us = typical;
		w.waits = true;
		if (job_stage(j) < JOB_FLASH)
			w.left_us +=
			    e->slots->boot_us; /* coming up in another mode takes much the same */
	}
	w.permit_us = w.left_us > e->slots->boot_us ? w.left_us - e->slots->boot_us : 0;
	if (is_narrow(e)) {
		w.waits = !sched_has(e->slots->sched, slot, PERMIT_START);
		w.permit_us = w.left_us;
	}
	*ret_work = w;
	return true;
}

/* May one have to wait for the other? */
static bool
are_together(const struct eta *e, unsigned a, unsigned b)
{
	const char *translator = e->slots->list[a].sighting.translator;

	if (a == b || is_narrow(e))
		return true;
	return translator[0] != '\0' &&
	       strcmp(translator, e->slots->list[b].sighting.translator) == 0;
}

/* Slots that share their permits, and until when each permit is taken. */
struct group {
	unsigned permits, taken;
	uint64_t until_us[SCHED_SLOTS_MAX];
	uint64_t last_us; /* when the last verdict of those played so far is there */
};

/* The permit that is free first. */
static unsigned
first_free(const struct group *g)
{
	unsigned first = 0;

	for (unsigned i = 1; i < g->permits; i++)
		if (g->until_us[i] < g->until_us[first])
			first = i;
	return first;
}

/* One drone's work; returns when its verdict is there. */
static uint64_t
play(struct group *g, const struct work *w)
{
	unsigned permit = g->taken < g->permits ? g->taken++ : first_free(g);
	/* WHY: without waiting, a limit that was lowered meanwhile delays no drone. */
	uint64_t begin_us = w->waits ? g->until_us[permit] : 0;
	uint64_t done_us = begin_us + w->left_us;

	g->until_us[permit] = begin_us + w->permit_us;
	g->last_us = done_us > g->last_us ? done_us : g->last_us;
	return done_us;
}

/*
 * Plays the permits of member's group through, in the order of slots: when is slot's verdict, or
 * that of the last of the group (slot SCHED_SLOTS_MAX)?  First those that have a permit, then those
 * that wait for one.
 */
static uint64_t
play_group(const struct eta *e, unsigned member, unsigned slot, uint64_t now_us, uint64_t typical)
{
	struct group g = { .permits =
			       is_narrow(e) ? e->limits->active_max : e->limits->writers_max };

	if (g.permits == 0 || g.permits > SCHED_SLOTS_MAX)
		g.permits = SCHED_SLOTS_MAX;
	for (unsigned waits = 0; waits <= 1; waits++)
		for (unsigned i = 0; i < e->slots->count; i++) {
			struct work w;
			uint64_t done_us;

			if (!are_together(e, member, i) || !work_of(e, i, now_us, typical, &w) ||
			    w.waits != (waits == 1))
				continue;
			done_us = play(&g, &w);
			if (i == slot)
				return done_us;
		}
	return g.last_us;
}

static int
whole_seconds(uint64_t us)
{
	return (int)((us + 500000) / 1000000);
}

int
eta_of_slot(const struct eta *e, unsigned slot, uint64_t now_us)
{
	struct work w;

	if (!work_of(e, slot, now_us, 0, &w))
		return -1;
	if (!w.waits)
		return whole_seconds(w.left_us);
	/* WHY: drones without a plan are assumed to come later in the queue. */
	return whole_seconds(play_group(e, slot, slot, now_us, 0));
}

int
eta_of_all(const struct eta *e, uint64_t now_us)
{
	uint64_t typical = typical_us(e, now_us), last = 0;
	struct work w;
	bool any = false;

	for (unsigned i = 0; i < e->slots->count; i++) {
		unsigned first = 0;
		uint64_t done_us;

		if (!work_of(e, i, now_us, typical, &w))
			continue;
		any = true;
		while (!are_together(e, i, first) || !work_of(e, first, now_us, typical, &w))
			first++;
		if (first < i)
			continue; /* this group has been played through */
		done_us = play_group(e, i, SCHED_SLOTS_MAX, now_us, typical);
		last = done_us > last ? done_us : last;
	}
	return any ? whole_seconds(last) : -1;
}
