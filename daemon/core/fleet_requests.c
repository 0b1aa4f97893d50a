/* SPDX-License-Identifier: MIT */
/* The next thing to do for a fleet: the requests of its jobs, events to tell and handles to close,
 * one at a time. */
#include "config.h"

#include <assert.h>

#include "cfdfu/util.h"
#include "core/dip.h"
#include "core/fleet.h"
#include "core/fleet_internal.h"

#define BLOCK_BYTES_MIN 1024 /* shorter transfers are mostly overhead, and pass at any time */

/* ---- commands ------------------------------------------------------------------------------- */

/* Permits that the job has grown out of go back to the scheduler, where it has come further. */
static void
return_permits(struct fleet *f, unsigned slot)
{
	struct slot *s = &f->slots.list[slot];
	const struct job *j = s->job;
	enum job_stage stage = job_stage(j);
	/* The step as it was told: that is compared before each of these rounds. */
	unsigned progress = 1 + (unsigned)stage * STEP_COUNT + (unsigned)s->told.step;

	if (progress == s->progress)
		return;
	s->progress = progress;
	if (stage != JOB_SWITCH && stage != JOB_REQUEST && stage != JOB_AWAIT_DFU)
		sched_release(f->slots.sched, slot, PERMIT_SWITCH);
	if (stage != JOB_FLASH || job_step(j) == STEP_LEAVING)
		sched_release(f->slots.sched, slot, PERMIT_WRITE);
	if (stage != JOB_FLASH && stage != JOB_AWAIT_RUNTIME)
		sched_release(f->slots.sched, slot, PERMIT_LEAVE);
	if (stage >= JOB_ENDING)
		sched_release_all(f->slots.sched, slot);
}

/* A block that its translator has no room for is held back in the slot until there is. */
static bool
may_go(struct fleet *f, unsigned slot, uint64_t now_us, const struct request *req)
{
	struct slot *s = &f->slots.list[slot];
	const struct usb_xfer *x = &req->xfer;

	if (x->length < BLOCK_BYTES_MIN ||
	    sched_block(f->slots.sched, slot, x->data != NULL, now_us))
		return true;
	s->held.xfer = *x;
	s->held.dev = req->dev;
	return false;
}

/* The block that was held back, now that there is room for it. */
static bool
next_held(struct fleet *f, unsigned slot, struct request *req)
{
	struct slot *s = &f->slots.list[slot];
	uint64_t dev = s->held.dev;

	if (dev == 0 || (dev == s->handle.dev && sched_waits(f->slots.sched, slot, PERMIT_BLOCK)))
		return false;
	s->held.dev = 0;
	*req = (struct request){ .kind = REQUEST_XFER,
				 .slot = slot,
				 .dev = dev,
				 .xfer = s->held.xfer,
				 .node = s->sighting.node,
				 .record = s->job != NULL ? job_record(s->job) : NULL };
	/* Closed meanwhile, or not wanted any more, is its end. */
	return dev == s->handle.dev && sched_has(f->slots.sched, slot, PERMIT_BLOCK);
}

/* Adds what only the fleet knows to a job's request; false when it is none for the shell. */
static bool
complete(struct fleet *f, unsigned slot, uint64_t now_us, struct request *req)
{
	struct slot *s = &f->slots.list[slot];

	req->slot = slot;
	req->record = job_record(s->job);
	req->node = s->sighting.node;
	switch (req->kind) { /* NEVER: events are the fleet's own */
	case REQUEST_NOTHING:
	case REQUEST_EVENT:
		return false;
	case REQUEST_PAUSE:
		s->wake_us = req->until_us;
		return false;
	case REQUEST_PERMIT:
		/* WHY: a permit is for one passage; the second one queues up again. */
		sched_release(f->slots.sched, slot, req->permit);
		sched_ask(f->slots.sched, slot, req->permit, now_us);
		return false;
	case REQUEST_OVER:
		fleet_batch_left(f, slot);
		slots_over(&f->slots, slot, now_us);
		return false;
	case REQUEST_OPEN:
		s->handle.dev = ++f->last_dev * FLEET_SLOTS_MAX + slot;
		break;
	case REQUEST_CLOSE:
		req->dev = s->handle.dev;
		s->handle.dev = 0;
		return req->dev != 0;
	case REQUEST_XFER:
		assert(s->handle.dev != 0);
		break;
	case REQUEST_BEGIN:
		fleet_batch_began(f, slot);
		break;
	case REQUEST_END:
	case REQUEST_DIGEST:
	case REQUEST_BACKUP:
		break;
	}
	req->dev = s->handle.dev;
	return req->kind != REQUEST_XFER || may_go(f, slot, now_us, req);
}

static bool
next_event(struct fleet *f, unsigned slot, struct request *req)
{
	struct slot *s = &f->slots.list[slot];

	if (s->job != NULL && job_step(s->job) != s->told.step) {
		s->told.step = job_step(s->job);
		s->told.events |= BIT(EVENT_STEP);
	}
	for (enum event_kind n = 0; s->told.events != 0 && n < EVENT_COUNT; n++) {
		if ((s->told.events & BIT(n)) == 0)
			continue;
		s->told.events &= ~BIT(n);
		*req = (struct request){ .kind = REQUEST_EVENT,
					 .slot = slot,
					 .event = { n, slot, &s->ending.shown } };
		if (n == EVENT_SPECIAL_ENDED)
			req->event.record = &s->special;
		else if (n == EVENT_STEP && s->job != NULL)
			req->event.record = job_record(s->job);
		else if (n == EVENT_CONDITION)
			fleet_batch_judged(f, slot);
		return true;
	}
	return false;
}

/* One request of this slot; false when it has none at this moment. */
static bool
slot_next(struct fleet *f, unsigned slot, uint64_t now_us, struct request *req)
{
	struct slot *s = &f->slots.list[slot];

	if (s->handle.closing_count > 0) {
		*req = (struct request){ .kind = REQUEST_CLOSE,
					 .slot = slot,
					 .dev = s->handle.closing[--s->handle.closing_count] };
		return true;
	}
	if (next_held(f, slot, req) || next_event(f, slot, req))
		return true;
	while (s->job != NULL) {
		return_permits(f, slot);
		if (job_is_busy(s->job))
			return false;
		slot_keep_percent(s, now_us);
		if (job_stage(s->job) == JOB_ENDING && dip_waits(&f->slots, slot, now_us))
			return false;
		job_next(s->job, now_us, req);
		if (complete(f, slot, now_us, req))
			return true;
		/* WHY: only an ending leaves something that was not there before: a close, a note,
		 * a new job.  The close goes first: a node is not opened twice. */
		if ((req->kind != REQUEST_OVER && req->kind != REQUEST_CLOSE) ||
		    s->handle.closing_count > 0)
			break;
	}
	if (s->handle.closing_count > 0)
		return slot_next(f, slot, now_us, req); /* at most once more per handle */
	return next_event(f, slot, req);
}

static bool
next_grant(struct fleet *f, uint64_t now_us)
{
	enum permit permit;
	unsigned slot;

	if (!sched_next(f->slots.sched, now_us, &slot, &permit))
		return false;
	if (f->slots.list[slot].job != NULL && permit != PERMIT_BLOCK)
		job_granted(f->slots.list[slot].job, permit, now_us);
	if (permit == PERMIT_START)
		fleet_batch_granted(f, slot);
	slots_enqueue(&f->slots, slot);
	return true;
}

bool
fleet_next(struct fleet *f, uint64_t now_us, struct request *ret_request)
{
	do {
		while (f->slots.queue_count > 0) {
			if (slot_next(f, f->slots.queue[f->slots.queue_at], now_us, ret_request))
				return true;
			slots_dequeue(&f->slots);
		}
	} while (next_grant(f, now_us));
	return false;
}
