/* SPDX-License-Identifier: MIT */
/* What time does to a fleet: deadlines that come, and a machine that slept. */
#include "config.h"

#include <string.h>

#include "core/fleet.h"
#include "core/fleet_parts.h"

/* Other drones on this slot's controller that are between two modes. */
static unsigned
others_on_their_way(const struct fleet *f, unsigned slot)
{
	const char *controller = f->slots[slot].sighting.controller;
	unsigned n = 0;

	for (unsigned i = 0; i < f->slot_count; i++) {
		const struct slot *s = &f->slots[i];

		if (i != slot && s->job != NULL && job_awaits(s->job) &&
		    strcmp(s->sighting.controller, controller) == 0)
			n++;
	}
	return n;
}

void
fleet_tick(struct fleet *f, uint64_t now_us)
{
	for (unsigned i = 0; i < f->slot_count; i++) {
		struct slot *s = &f->slots[i];

		if (s->job == NULL)
			continue;
		if (s->wake_us != 0 && now_us >= s->wake_us) {
			s->wake_us = 0;
			fleet_enqueue(f, i);
		}
		if (now_us >= job_deadline_us(s->job)) {
			job_crowd(s->job, others_on_their_way(f, i));
			job_tick(s->job, now_us);
			fleet_enqueue(f, i);
		}
	}
}

uint64_t
fleet_deadline_us(const struct fleet *f)
{
	uint64_t at = sched_deadline_us(f->sched);

	for (unsigned i = 0; i < f->slot_count; i++) {
		const struct slot *s = &f->slots[i];
		uint64_t deadline;

		if (s->job == NULL)
			continue;
		if (s->wake_us != 0 && s->wake_us < at)
			at = s->wake_us;
		deadline = job_deadline_us(s->job);
		if (deadline < at)
			at = deadline;
	}
	return at;
}

void
fleet_slept(struct fleet *f, uint64_t now_us)
{
	for (unsigned i = 0; i < f->slot_count; i++) {
		struct slot *s = &f->slots[i];

		if (s->job == NULL || job_stage(s->job) >= JOB_ENDING)
			continue;
		s->again = true;
		job_stop(s->job, VERDICT_FAIL, FAULT_SUSPEND, now_us);
		fleet_enqueue(f, i);
	}
}
