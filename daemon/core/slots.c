/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/slots.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "cfdfu/util.h"
#include "core/ident.h"

/* ---- the table and the queue ---------------------------------------------------------------- */

int
slots_find(const struct slots *ss, const char *port)
{
	for (unsigned i = 0; i < ss->count; i++)
		if (strcmp(ss->list[i].sighting.port, port) == 0)
			return (int)i;
	return -ENOENT;
}

bool
slots_is_used(const struct slots *ss, unsigned slot)
{
	return ss->list[slot].sighting.port[0] != '\0';
}

static void
give_back(struct slots *ss, unsigned slot)
{
	struct slot *s = &ss->list[slot];
	uint64_t revision = s->told.revision;

	deadlines_set(&ss->deadlines, slot, SCHED_NEVER);
	sched_forget(ss->sched, slot);
	memset(s, 0, sizeof(*s));
	s->told.revision = revision + 1;
	ss->given_back++;
	ss->used--;
	while (ss->count > 0 && !slots_is_used(ss, ss->count - 1))
		ss->count--;
}

/* The slot that is missed least; -E2BIG: all are to be kept. */
static int
least_missed(const struct slots *ss)
{
	enum slot_worth least = SLOT_WORTH_KEEPING;
	int slot = -E2BIG;

	for (unsigned i = 0; i < ss->count; i++) {
		enum slot_worth worth = slot_worth(&ss->list[i]);

		if (worth > least || worth == SLOT_WORTH_KEEPING ||
		    (worth == least && ss->list[i].left_us >= ss->list[slot].left_us))
			continue;
		least = worth;
		slot = (int)i;
	}
	return slot;
}

/* The lowest that is free. */
static int
take_free(struct slots *ss)
{
	int slot = 0;

	if (ss->used == SCHED_SLOTS_MAX) {
		slot = least_missed(ss);
		if (slot < 0)
			return slot;
		give_back(ss, (unsigned)slot);
	} else {
		while (slots_is_used(ss, (unsigned)slot))
			slot++;
	}
	if ((unsigned)slot >= ss->count)
		ss->count = (unsigned)slot + 1;
	ss->used++;
	return slot;
}

int
slots_add(struct slots *ss, const char *port)
{
	int slot = slots_find(ss, port);
	struct slot *s;

	if (slot >= 0)
		return slot;
	slot = take_free(ss);
	if (slot < 0)
		return slot;
	s = &ss->list[slot];
	copy_text(s->sighting.port, PORT_TEXT_MAX, port);
	s->stay = ++ss->stays;
	sched_place(ss->sched, (unsigned)slot, NULL, 0);
	return slot;
}

void
slots_tidy(struct slots *ss, uint64_t now_us)
{
	for (unsigned i = ss->count; i > 0; i--)
		if (slots_is_used(ss, i - 1) && slot_is_forgotten(&ss->list[i - 1], now_us))
			give_back(ss, i - 1);
}

/* ---- jobs ----------------------------------------------------------------------------------- */

void
slots_mark_twins(struct slots *ss, unsigned slot)
{
	const struct slot *me = &ss->list[slot];

	for (unsigned i = 0; i < ss->count; i++) {
		const struct slot *s = &ss->list[i];

		if (i == slot || !s->present || !slot_is_candidate(s) ||
		    slot_serial(me)[0] == '\0' || strcmp(slot_serial(s), slot_serial(me)) != 0)
			continue;
		job_shares_serial(me->job);
		if (s->job != NULL)
			job_shares_serial(s->job);
	}
}

static void
start(struct slots *ss, unsigned slot, const struct job_setup *wanted, uint64_t now_us)
{
	static const struct condition crashed = { .crashed_early = true };
	struct slot *s = &ss->list[slot];
	struct job_setup setup = *wanted;

	assert(s->job == NULL);
	setup.options = ss->jobs;
	setup.policy = ss->policy;
	setup.profiles = s->profiles;
	setup.profile_count = s->profile_count;
	setup.toc = &ss->toc;
	setup.label = s->label;
	setup.path = s->sighting.path;
	if (strcmp(s->whole.crasher, slot_serial(s)) != 0) {
		s->whole.crashes = 0;
		s->whole.crashed = false;
	}
	setup.patience_us = attempt_longer_patience_us(s->whole.crashes);
	if (!job_kind_reboots(setup.kind))
		setup.condition = &s->ending.shown.condition;
	else if (s->whole.crashed)
		setup.condition = &crashed;
	s->next.again = s->next.asked = s->next.forced = s->next.replaced = false;
	if (setup.kind == JOB_UPDATE) {
		s->ending.foreign = false;
		s->ending.idle_reason = NULL;
	}
	s->told.step = STEP_NONE;
	s->told.percent = 0;
	s->told.percent_us = 0;
	s->told.boot_us = ss->boot_us;
	s->wake_us = 0;
	s->progress = 0;
	s->in_batch = false;
	memset(&s->cause, 0, sizeof(s->cause));
	if (job_new(&setup, &s->sighting, &s->history, now_us, &s->job) < 0) {
		s->ending.idle_reason =
		    "There was no memory to begin with it; it is tried again when asked for.";
		return;
	}
	slots_mark_twins(ss, slot);
	slots_enqueue(ss, slot);
	/* INVARIANT: nothing is called ready while something of it is being changed. */
	s->whole.due = s->whole.due || (setup.kind != JOB_UPDATE && setup.kind != JOB_IDENTIFY);
	if (s->whole.due && s->ending.shown.serial[0] != '\0')
		chain_judge(ss, slot);
}

void
slots_consider(struct slots *ss, unsigned slot, uint64_t now_us)
{
	struct slot *s = &ss->list[slot];
	struct job_setup setup = { .kind = JOB_UPDATE };

	if (!s->present || s->ending.done || ss->paused || ss->stopping)
		return;
	if (s->foreign_port || slot_is_quarantined(s))
		return;
	if (s->job != NULL) {
		slots_give_way(ss, slot, now_us);
		return;
	}
	if (!slot_is_candidate(s)) {
		s->ending.foreign = true;
		s->ending.idle_reason = "Not a Crazyflie: never touched.";
		return;
	}
	setup.retry = s->next.asked;
	setup.force = s->next.forced;
	start(ss, slot, &setup, now_us);
}

void
slots_hand_back(struct slots *ss, unsigned slot, uint64_t now_us)
{
	const struct slot *s = &ss->list[slot];
	const struct job_setup setup = { .kind = JOB_CHECKUP, .hands_back = true };

	if (s->job == NULL && s->present && !ss->stopping && !s->foreign_port &&
	    slot_is_candidate(s) && ident_kind_of(&s->sighting) == IDENT_RUNTIME)
		start(ss, slot, &setup, now_us);
}

void
slots_consider_all(struct slots *ss, uint64_t now_us)
{
	for (unsigned i = 0; i < ss->count; i++) {
		ss->list[i].told.revision++;
		slots_consider(ss, i, now_us);
	}
}

void
slots_stop(struct slots *ss, unsigned slot, uint64_t now_us)
{
	job_stop(ss->list[slot].job, VERDICT_INTERRUPTED, FAULT_STOPPED, now_us);
	slots_enqueue(ss, slot);
}

void
slots_begin_anew(struct slots *ss, unsigned slot, uint64_t now_us)
{
	struct slot *s = &ss->list[slot];
	bool update = job_record(s->job)->kind == JOB_UPDATE;

	s->next.again = true;
	s->next.asked = update && job_record(s->job)->retry;
	s->next.forced = update && job_forced(s->job);
	slots_stop(ss, slot, now_us);
}

void
slots_give_way(struct slots *ss, unsigned slot, uint64_t now_us)
{
	struct slot *s = &ss->list[slot];

	if (s->job == NULL || !job_only_looks(s->job))
		return;
	s->next.again = true;
	slots_stop(ss, slot, now_us);
}

void
slots_order(struct slots *ss, unsigned slot, const struct job_setup *wanted, uint64_t now_us)
{
	struct slot *s = &ss->list[slot];

	if (s->job == NULL) {
		start(ss, slot, wanted, now_us);
		return;
	}
	slot_keep_order(s, wanted);
	if (job_only_looks(s->job))
		slots_stop(ss, slot, now_us);
}

/* The drone is not there any more. */
static void
drop_order(struct slots *ss, unsigned slot)
{
	struct slot *s = &ss->list[slot];

	if (s->whole.order.kind != JOB_UPDATE) {
		memset(&s->special, 0, sizeof(s->special));
		s->special.kind = s->whole.order.kind;
		copy_text(s->special.port, sizeof(s->special.port), s->sighting.port);
		copy_text(s->special.message, sizeof(s->special.message),
			  "Unplugged before anything was done.");
		slots_tell(ss, slot, EVENT_SPECIAL_ENDED);
	}
	slot_keep_order(s, NULL);
}

/* The next job when its last one is gone, if there is one. */
static void
start_next(struct slots *ss, unsigned slot, uint64_t now_us)
{
	struct slot *s = &ss->list[slot];
	struct job_setup order = s->whole.order;
	struct job_setup next;

	if (s->whole.ordered && (!s->present || ss->stopping)) {
		drop_order(ss, slot);
	} else if (s->whole.ordered) {
		if (order.kind == JOB_UPDATE)
			slot_forget_ending(s);
		start(ss, slot, &order, now_us);
		slot_keep_order(s, NULL);
	} else if (s->next.again && s->present) {
		s->next.again = false;
		slot_forget_ending(s);
		slots_consider(ss, slot, now_us);
	}
	if (s->job == NULL && chain_next(ss, slot, &next))
		start(ss, slot, &next, now_us);
}

/* Without a verdict what was learned is kept, to be shown. */
static void
end_without_verdict(struct slots *ss, unsigned slot)
{
	struct slot *s = &ss->list[slot];
	const struct job_record *r = job_record(s->job);
	bool foreign = job_foreign(s->job);

	if (r->kind == JOB_CHECKUP)
		return; /* told as the slot's condition */
	if (r->kind != JOB_UPDATE) {
		slot_keep_record(&s->special, r);
		s->ending.foreign = s->ending.foreign || foreign;
		slots_tell(ss, slot, EVENT_SPECIAL_ENDED);
		return;
	}
	slot_keep_record(&s->ending.shown, r);
	s->ending.foreign = foreign;
	if (!foreign && !s->next.replaced && r->platform != PLATFORM_UNKNOWN)
		s->history.platform = r->platform;
	slots_tell(ss, slot, foreign ? EVENT_FOREIGN : EVENT_IDLE);
}

void
slots_over(struct slots *ss, unsigned slot, uint64_t now_us)
{
	struct slot *s = &ss->list[slot];

	if (!job_published(s->job))
		end_without_verdict(ss, slot);
	chain_job_over(ss, slot);
	job_free(s->job);
	s->job = NULL;
	s->wake_us = 0;
	slot_drop_device(s);
	sched_release_all(ss->sched, slot);
	if (s->next.reselected && s->ending.done && slot_wants_another_image(s, ss->policy))
		s->next.again = true;
	s->next.reselected = false;
	start_next(ss, slot, now_us);
	slots_enqueue(ss, slot);
}

static void
starts_changed(struct slots *ss)
{
	sched_hold_starts(ss->sched, ss->paused || ss->stopping || ss->held);
	for (unsigned i = 0; i < ss->count; i++)
		ss->list[i].told.revision++;
}

void
slots_pause(struct slots *ss, bool paused)
{
	ss->paused = paused;
	starts_changed(ss);
}

void
slots_hold(struct slots *ss, bool held)
{
	ss->held = held;
	starts_changed(ss);
}
