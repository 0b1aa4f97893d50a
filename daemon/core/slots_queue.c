/* SPDX-License-Identifier: MIT */
/* The queue of slots that have something to say, and what they tell. */
#include "config.h"

#include "cfdfu/util.h"
#include "core/slots.h"

void
slots_enqueue(struct slots *ss, unsigned slot)
{
	struct slot *s = &ss->list[slot];

	s->told.revision++;
	if (s->queued)
		return;
	s->queued = true;
	ss->queue[(ss->queue_at + ss->queue_count++) % SCHED_SLOTS_MAX] = slot;
}

/* When time alone gives this slot something to do. */
static uint64_t
deadline_of(const struct slot *s)
{
	uint64_t at;

	if (s->job == NULL)
		return SCHED_NEVER;
	at = job_deadline_us(s->job);
	return s->wake_us != 0 && s->wake_us < at ? s->wake_us : at;
}

void
slots_dequeue(struct slots *ss)
{
	unsigned slot = ss->queue[ss->queue_at];

	deadlines_set(&ss->deadlines, slot, deadline_of(&ss->list[slot]));
	ss->list[slot].queued = false;
	ss->queue_at = (ss->queue_at + 1) % SCHED_SLOTS_MAX;
	ss->queue_count--;
}

void
slots_tell(struct slots *ss, unsigned slot, enum event_kind kind)
{
	ss->list[slot].told.events |= BIT(kind);
	slots_enqueue(ss, slot);
}
