/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/eta.h"

#include <string.h>

/* The work that one slot still has before it. */
struct work {
	uint64_t left_us;   /* to its verdict, from the moment that it has its permit; 0 none */
	uint64_t permit_us; /* of it with the permit taken */
	uint64_t way_us;    /* before that: until it is in DFU mode, waiting or not */
	bool waits;
	bool returns; /* is still to come back to run-time mode */
	bool held;    /* its start waits for the canaries of a batch */
};

struct works {
	const struct eta *eta;
	uint64_t now_us;
	uint64_t typical_us; /* what a drone needs that is not looked at yet; 0 unknown */
	uint64_t held_us;    /* until the canaries have ended */
	struct work of[SCHED_SLOTS_MAX];
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

static bool
is_open(const struct job *j)
{
	return j != NULL && job_kind_reboots(job_record(j)->kind) && !job_published(j) &&
	       job_stage(j) != JOB_ASK;
}

/* ---- one after the other -------------------------------------------------------------------- */

/* How far apart drones of slot's controller come; 0 not known. */
static uint64_t
apart_us(const struct eta *e, unsigned slot)
{
	return e->slots->arrivals.of[e->slots->list[slot].controller].apart_us;
}

/* Drones on the same controller that are on their way to DFU mode and come before this one. */
static unsigned
before_to_dfu(const struct eta *e, unsigned slot)
{
	const struct slot *list = e->slots->list;
	unsigned controller = list[slot].controller, n = 0;

	for (unsigned i = 0; i < slot; i++)
		n += list[i].controller == controller && is_open(list[i].job) &&
		     job_stage(list[i].job) < JOB_FLASH;
	return n;
}

/* Drones on the same controller that come back before this one. */
static unsigned
before_back(const struct works *w, unsigned slot)
{
	const struct slot *list = w->eta->slots->list;
	unsigned controller = list[slot].controller, n = 0;
	uint64_t left = w->of[slot].left_us;

	for (unsigned i = 0; i < w->eta->slots->count; i++)
		n += w->of[i].returns && !w->of[i].held &&
		     (w->of[i].left_us < left || (i < slot && w->of[i].left_us == left)) &&
		     list[i].controller == controller;
	return n;
}

/* Coming up in another mode takes much the same as coming back. */
static uint64_t
way_us(const struct eta *e, unsigned slot)
{
	uint64_t queue = (before_to_dfu(e, slot) + 1) * apart_us(e, slot);

	return queue > e->slots->boot_us && !is_narrow(e) ? queue : e->slots->boot_us;
}

/* ---- the work of each slot ------------------------------------------------------------------ */

static void
work_of(struct works *all, unsigned slot)
{
	const struct eta *e = all->eta;
	const struct job *j = e->slots->list[slot].job;
	struct work *w = &all->of[slot];
	uint64_t total, boot_us = e->slots->boot_us;

	if (!is_open(j))
		return;
	if (has_plan(j)) {
		job_estimate(j, all->now_us, boot_us, &w->left_us, &total);
		w->waits = sched_waits(e->slots->sched, slot, PERMIT_WRITE);
	} else if (all->typical_us > 0) {
		w->left_us = all->typical_us;
		w->waits = true;
		if (job_stage(j) < JOB_FLASH)
			w->way_us = way_us(e, slot);
	} else {
		return;
	}
	w->returns = job_stage(j) <= JOB_AWAIT_RUNTIME;
	w->held = e->slots->held && sched_waits(e->slots->sched, slot, PERMIT_START);
	w->permit_us = w->left_us > boot_us ? w->left_us - boot_us : 0;
	if (is_narrow(e)) {
		w->waits = !sched_has(e->slots->sched, slot, PERMIT_START);
		w->left_us += w->way_us;
		w->permit_us = w->left_us;
		w->way_us = 0;
	}
	if (w->left_us == 0)
		w->left_us = 1; /* 0 would be no work */
	if (!w->held && w->left_us + w->way_us > all->held_us)
		all->held_us = w->left_us + w->way_us;
}

/* The largest job under way, or else the last one. */
static uint64_t
typical_us(const struct eta *e, uint64_t now_us)
{
	uint64_t left, total, most = 0;

	for (unsigned i = 0; i < e->slots->count; i++) {
		const struct job *j = e->slots->list[i].job;

		if (!is_open(j) || !has_plan(j))
			continue;
		job_estimate(j, now_us, e->slots->boot_us, &left, &total);
		most = total > most ? total : most;
	}
	return most > 0 ? most : e->work_us;
}

static void
look_at_all(struct works *w, const struct eta *e, uint64_t now_us, uint64_t typical)
{
	memset(w->of, 0, e->slots->count * sizeof(w->of[0]));
	w->eta = e;
	w->now_us = now_us;
	w->typical_us = typical;
	w->held_us = 0;
	for (unsigned i = 0; i < e->slots->count; i++)
		work_of(w, i);
}

/* ... until its drone is back: the host brings up those before it, and is at one when it comes. */
static uint64_t
with_queue_us(const struct works *w, unsigned slot)
{
	uint64_t apart, queue, left = w->of[slot].left_us;
	unsigned before;

	/* WHY: those that wait for permits come back as these are given. */
	if (!w->of[slot].returns || w->of[slot].waits || is_narrow(w->eta))
		return left;
	before = before_back(w, slot);
	apart = apart_us(w->eta, slot);
	queue = before * apart + apart / 2; /* one of them is under way */
	if (before > 0 && job_stage(w->eta->slots->list[slot].job) < JOB_AWAIT_RUNTIME)
		left += apart;
	return queue > left ? queue : left;
}

/* ---- permits -------------------------------------------------------------------------------- */

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
play(struct group *g, const struct works *all, unsigned slot)
{
	const struct work *w = &all->of[slot];
	unsigned permit = g->taken < g->permits ? g->taken++ : first_free(g);
	/* WHY: without waiting, a limit that was lowered meanwhile delays no drone. */
	uint64_t begin_us = w->waits ? g->until_us[permit] : 0;
	uint64_t way_us = w->way_us + (w->held ? all->held_us : 0);
	uint64_t done_us;

	if (begin_us < way_us)
		begin_us = way_us;
	done_us = begin_us + with_queue_us(all, slot);
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
play_group(const struct works *w, unsigned member, unsigned slot)
{
	const struct eta *e = w->eta;
	struct group g = { .permits =
			       is_narrow(e) ? e->limits->active_max : e->limits->writers_max };

	if (g.permits == 0 || g.permits > SCHED_SLOTS_MAX)
		g.permits = SCHED_SLOTS_MAX;
	for (unsigned waits = 0; waits <= 1; waits++)
		for (unsigned i = 0; i < e->slots->count; i++) {
			uint64_t done_us;

			if (w->of[i].left_us == 0 || w->of[i].waits != (waits == 1) ||
			    !are_together(e, member, i))
				continue;
			done_us = play(&g, w, i);
			if (i == slot)
				return done_us;
		}
	return g.last_us;
}

/* ---- questions ------------------------------------------------------------------------------ */

static int
whole_seconds(uint64_t us)
{
	return (int)((us + 500000) / 1000000);
}

int
eta_of_slot(const struct eta *e, unsigned slot, uint64_t now_us)
{
	const struct job *j = e->slots->list[slot].job;
	struct works w;

	/* It needs no permit and has no turn to wait for. */
	if (j != NULL && !job_kind_reboots(job_record(j)->kind)) {
		uint64_t left, total;

		job_estimate(j, now_us, 0, &left, &total);
		return total > 0 ? whole_seconds(left) : -1;
	}
	/* WHY: drones without a plan are assumed to come later in the queue. */
	look_at_all(&w, e, now_us, 0);
	if (w.of[slot].left_us == 0)
		return -1;
	if (!w.of[slot].waits)
		return whole_seconds(with_queue_us(&w, slot));
	return whole_seconds(play_group(&w, slot, slot));
}

int
eta_of_all(const struct eta *e, uint64_t now_us)
{
	uint64_t last = 0;
	struct works w;
	bool any = false;

	look_at_all(&w, e, now_us, typical_us(e, now_us));
	for (unsigned i = 0; i < e->slots->count; i++) {
		unsigned first = 0;
		uint64_t done_us;

		if (w.of[i].left_us == 0)
			continue;
		any = true;
		while (w.of[first].left_us == 0 || !are_together(e, i, first))
			first++;
		if (first < i)
			continue; /* this group has been played through */
		done_us = play_group(&w, i, SCHED_SLOTS_MAX);
		last = done_us > last ? done_us : last;
	}
	return any ? whole_seconds(last) : -1;
}
