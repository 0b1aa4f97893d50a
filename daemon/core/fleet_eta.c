/* SPDX-License-Identifier: MIT */
/*
 * When will it be done?  Each drone's own work as its plan and its pace have it, and the turns that
 * it has to wait for: behind one transaction translator a given number write at a time.
 */
#include "config.h"

#include "core/fleet.h"
#include "core/fleet_parts.h"

/* What one slot still has before it. */
struct work {
	uint64_t left_us; /* to its verdict, from the moment that it has its turn */
	uint64_t turn_us; /* of it with the turn taken */
	bool waits;
};

/* Fewer are admitted than there are slots: everybody waits for everybody. */
static bool
is_narrow(const struct fleet *f)
{
	return f->options.limits.active_max > 0 && f->options.limits.active_max < f->slot_count;
}

static bool
has_plan(const struct job *j)
{
	return job_stage(j) >= JOB_FLASH && job_step(j) > STEP_PROBING;
}

/* The largest job under way, or else the last one: what a drone will need that is not looked at
 * yet. */
static uint64_t
typical_us(const struct fleet *f, uint64_t now_us)
{
	uint64_t left, total, most = 0;

	for (unsigned i = 0; i < f->slot_count; i++) {
		const struct job *j = f->slots[i].job;

		if (j == NULL || job_published(j) || !has_plan(j))
			continue;
		job_estimate(j, now_us, f->boot_us, &left, &total);
		most = total > most ? total : most;
	}
	return most > 0 ? most : f->work_us;
}

static bool
work_of(const struct fleet *f, unsigned slot, uint64_t now_us, uint64_t typical,
	struct work *ret_work)
{
	const struct job *j = f->slots[slot].job;
	struct work w = { 0 };
	uint64_t total;

	if (j == NULL || job_published(j) || job_stage(j) == JOB_ASK)
		return false;
	if (has_plan(j)) {
		job_estimate(j, now_us, f->boot_us, &w.left_us, &total);
		w.waits = sched_waits(f->sched, slot, PERMIT_WRITE);
	} else {
		if (typical == 0)
			return false;
		w.left_us = typical;
		w.waits = true;
		if (job_stage(j) < JOB_FLASH)
			w.left_us += f->boot_us; /* coming up in another mode takes much the same */
	}
	w.turn_us = w.left_us > f->boot_us ? w.left_us - f->boot_us : 0;
	if (is_narrow(f)) {
		w.waits = !sched_has(f->sched, slot, PERMIT_START);
		w.turn_us = w.left_us;
	}
	*ret_work = w;
	return true;
}

/* May one have to wait for the other? */
static bool
are_together(const struct fleet *f, unsigned a, unsigned b)
{
	const char *translator = f->slots[a].sighting.translator;

	if (a == b || is_narrow(f))
		return true;
	return translator[0] != '\0' && strcmp(translator, f->slots[b].sighting.translator) == 0;
}

/* The turn that is free first. */
static unsigned
first_free(const uint64_t *until_us, unsigned count)
{
	unsigned first = 0;

	for (unsigned i = 1; i < count; i++)
		if (until_us[i] < until_us[first])
			first = i;
	return first;
}

/*
 * Plays the turns of one group through, in the order of slots: when is slot's verdict, or that of
 * the last of the group (slot FLEET_SLOTS_MAX)?  First those that have their turn, then the others.
 */
static uint64_t
play_turns(const struct fleet *f, unsigned member, unsigned slot, uint64_t now_us, uint64_t typical)
{
	unsigned turns =
	    is_narrow(f) ? f->options.limits.active_max : f->options.limits.writers_max;
	unsigned taken = 0;
	uint64_t until_us[FLEET_SLOTS_MAX], answer = 0;
	struct work w;

	if (turns == 0 || turns > FLEET_SLOTS_MAX)
		turns = FLEET_SLOTS_MAX;
	for (unsigned i = 0; i < 2 * f->slot_count; i++) {
		unsigned at = i % f->slot_count, turn;
		uint64_t done_us;

		if (!are_together(f, member, at) || !work_of(f, at, now_us, typical, &w) ||
		    w.waits != (i >= f->slot_count))
			continue;
		turn = taken < turns ? taken : first_free(until_us, turns);
		if (turn == taken)
			until_us[taken++] = 0;
		/* WHY: without waiting, a limit that was lowered meanwhile stops nobody. */
		done_us = w.left_us + (w.waits ? until_us[turn] : 0);
		until_us[turn] = w.turn_us + (w.waits ? until_us[turn] : 0);
		if (slot == at)
			return done_us;
		answer = done_us > answer ? done_us : answer;
	}
	return answer;
}

static int
whole_seconds(uint64_t us)
{
	return (int)((us + 500000) / 1000000);
}

/* -1: there is no plan yet. */
int
fleet_eta_of(const struct fleet *f, unsigned slot, uint64_t now_us)
{
	struct work w;

	if (!work_of(f, slot, now_us, 0, &w))
		return -1;
	if (!w.waits)
		return whole_seconds(w.left_us);
	/* WHY: who has no plan yet comes later. */
	return whole_seconds(play_turns(f, slot, slot, now_us, 0));
}

int
fleet_eta_s(const struct fleet *f, uint64_t now_us)
{
	uint64_t typical = typical_us(f, now_us), last = 0;
	struct work w;
	bool any = false;

	for (unsigned i = 0; i < f->slot_count; i++) {
		unsigned first = 0;
		uint64_t done_us;

		if (!work_of(f, i, now_us, typical, &w))
			continue;
		any = true;
		while (!are_together(f, i, first) || !work_of(f, first, now_us, typical, &w))
			first++;
		if (first < i)
			continue; /* this group has been played through */
		done_us = play_turns(f, i, FLEET_SLOTS_MAX, now_us, typical);
		last = done_us > last ? done_us : last;
	}
	return any ? whole_seconds(last) : -1;
}
