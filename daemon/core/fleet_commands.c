/* SPDX-License-Identifier: MIT */
/* What the fleet wants done next: jobs' wants, notes and handles to close become commands, one at a
 * time. */
#include "config.h"

#include <assert.h>

#include "cfdfu/util.h"
#include "core/fleet.h"
#include "core/fleet_parts.h"

/* ---- commands ------------------------------------------------------------------------------- */

/* Turns that the job has grown out of go back to the scheduler. */
static void
return_turns(struct fleet *f, unsigned slot)
{
	const struct job *j = f->slots[slot].job;
	enum job_stage stage = job_stage(j);

	if (stage != JOB_SWITCH && stage != JOB_REQUEST && stage != JOB_AWAIT_DFU)
		sched_release(f->sched, slot, TURN_SWITCH);
	if (stage != JOB_FLASH || job_step(j) == STEP_LEAVING)
		sched_release(f->sched, slot, TURN_WRITE);
	if (stage != JOB_FLASH && stage != JOB_AWAIT_RUNTIME)
		sched_release(f->sched, slot, TURN_LEAVE);
	if (stage >= JOB_ENDING)
		sched_release_all(f->sched, slot);
}

static void
fill_command(struct fleet *f, unsigned slot, const struct job_want *w, struct command *c)
{
	struct slot *s = &f->slots[slot];

	memset(c, 0, sizeof(*c));
	c->slot = slot;
	c->record = job_record(s->job);
	c->data = w->data;
	c->length = w->length;
	c->addr = w->addr;
	c->app_addr = w->app_addr;
	c->node = s->sighting.node;
	c->xfer = w->xfer;
}

/* What the job wants becomes a command; false when it is nothing for the shell. */
static bool
carry_out(struct fleet *f, unsigned slot, const struct job_want *w, uint64_t now_us,
	  struct command *c)
{
	struct slot *s = &f->slots[slot];

	fill_command(f, slot, w, c);
	switch (w->kind) {
	case JOB_WANT_NOTHING:
		return false;
	case JOB_WANT_PAUSE:
		s->wake_us = w->until_us;
		return false;
	case JOB_WANT_OPEN:
		s->dev = ++f->last_dev * FLEET_SLOTS_MAX + slot;
		c->kind = COMMAND_OPEN;
		break;
	case JOB_WANT_XFER:
		assert(s->dev != 0);
		c->kind = COMMAND_XFER;
		break;
	case JOB_WANT_CLOSE:
		if (s->dev == 0)
			return false;
		c->kind = COMMAND_CLOSE;
		c->dev = s->dev;
		s->dev = 0;
		return true;
	case JOB_WANT_TURN:
		/* WHY: a turn is for one passage; the second one queues up again. */
		sched_release(f->sched, slot, w->turn);
		sched_ask(f->sched, slot, w->turn, now_us);
		return false;
	case JOB_WANT_BEGIN:
		c->kind = COMMAND_BEGIN;
		break;
	case JOB_WANT_END:
		c->kind = COMMAND_END;
		break;
	case JOB_WANT_DIGEST:
		c->kind = COMMAND_DIGEST;
		break;
	case JOB_WANT_BACKUP:
		c->kind = COMMAND_BACKUP;
		break;
	case JOB_WANT_OVER:
		fleet_job_is_over(f, slot, now_us);
		return false;
	}
	c->dev = s->dev;
	return true;
}

static bool
next_note(struct fleet *f, unsigned slot, struct command *c)
{
	struct slot *s = &f->slots[slot];

	if (s->job != NULL && job_step(s->job) != s->told_step) {
		s->told_step = job_step(s->job);
		s->notes |= BIT(NOTE_STEP);
	}
	for (enum note_kind n = 0; n < NOTE_COUNT; n++) {
		if ((s->notes & BIT(n)) == 0)
			continue;
		s->notes &= ~BIT(n);
		*c = (struct command){ .kind = COMMAND_NOTE,
				       .slot = slot,
				       .note = n,
				       .node = s->sighting.node,
				       .record = n == NOTE_SPECIAL_ENDED ? &s->special
						 : n == NOTE_STEP && s->job != NULL
						     ? job_record(s->job)
						     : &s->shown };
		return true;
	}
	return false;
}

/* One command of this slot; false when it has none for now. */
static bool
slot_next(struct fleet *f, unsigned slot, uint64_t now_us, struct command *c)
{
	struct slot *s = &f->slots[slot];
	struct job_want w;

	if (s->close_count > 0) {
		*c = (struct command){ .kind = COMMAND_CLOSE,
				       .slot = slot,
				       .dev = s->close_dev[--s->close_count] };
		return true;
	}
	if (next_note(f, slot, c))
		return true;
	while (s->job != NULL) {
		return_turns(f, slot);
		fleet_keep_percent(f, slot, now_us);
		if (fleet_waits_for_others(f, slot, now_us))
			return false;
		job_next(s->job, now_us, &w);
		if (carry_out(f, slot, &w, now_us, c))
			return true;
		/* WHY: only an ending leaves something that was not there before: a close, a note,
		 * a new job.  The close goes first: a node is not opened twice. */
		if ((w.kind != JOB_WANT_OVER && w.kind != JOB_WANT_CLOSE) || s->close_count > 0)
			break;
	}
	if (s->close_count > 0)
		return slot_next(f, slot, now_us, c); /* at most once more per handle */
	return next_note(f, slot, c);
}

static bool
next_grant(struct fleet *f, uint64_t now_us)
{
	enum turn turn;
	unsigned slot;

	if (!sched_next(f->sched, now_us, &slot, &turn))
		return false;
	if (f->slots[slot].job != NULL)
		job_granted(f->slots[slot].job, turn, now_us);
	fleet_enqueue(f, slot);
	return true;
}

bool
fleet_next(struct fleet *f, uint64_t now_us, struct command *ret_command)
{
	do {
		while (f->queue_count > 0) {
			unsigned slot = f->queue[f->queue_at];

			if (slot_next(f, slot, now_us, ret_command))
				return true;
			f->slots[slot].queued = false;
			f->queue_at = (f->queue_at + 1) % FLEET_SLOTS_MAX;
			f->queue_count--;
		}
	} while (next_grant(f, now_us));
	return false;
}
