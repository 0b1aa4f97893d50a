/* SPDX-License-Identifier: MIT */
/* The operator's acts on a fleet: pause, retry, release, select, stop. */
#include "config.h"

#include <errno.h>

#include "cfdfu/util.h"
#include "core/fleet.h"
#include "core/fleet_internal.h"
#include "core/ident.h"

void
fleet_pause(struct fleet *f)
{
	slots_pause(&f->slots, true);
}

void
fleet_resume(struct fleet *f, uint64_t now_us)
{
	f->fallen.fault = FAULT_NONE;
	brake_forget(&f->brake);
	fleet_batch_resumed(f);
	slots_pause(&f->slots, false);
	slots_consider_all(&f->slots, now_us);
}

void
fleet_configure_slot(struct fleet *f, unsigned slot, bool ours, const char *label)
{
	struct slot *s = &f->slots.list[slot];

	s->foreign_port = !ours;
	copy_text(s->label, sizeof(s->label), label);
}

/* A job that only waits for its permit is no attempt yet: it goes by what holds now. */
static void
decide_anew(struct fleet *f, unsigned slot, uint64_t now_us)
{
	const struct slot *s = &f->slots.list[slot];

	if (slot_has_not_begun(s) && job_stage(s->job) != JOB_ASK &&
	    job_record(s->job)->kind == JOB_UPDATE)
		slots_begin_anew(&f->slots, slot, now_us);
}

void
fleet_selection_changed(struct fleet *f, uint64_t now_us)
{
	for (unsigned i = 0; i < f->slots.count; i++) {
		struct slot *s = &f->slots.list[i];

		/* WHY: a running job keeps its image; what it leaves behind is looked at then. */
		s->next.reselected = s->job != NULL;
		decide_anew(f, i, now_us);
		if (s->present && s->job == NULL && s->ending.done &&
		    slot_wants_another_image(s, f->slots.policy))
			slot_forget_ending(s);
		if (s->job != NULL && s->ending.done && !f->slots.paused &&
		    slot_wants_another_image(s, f->slots.policy))
			slots_give_way(&f->slots, i, now_us);
	}
	slots_consider_all(&f->slots, now_us);
}

bool
fleet_release_image(struct fleet *f, const uint8_t sha256[IMAGE_SHA256_BYTES], uint64_t now_us)
{
	if (!policy_release(f->slots.policy, sha256))
		return false;
	brake_forget(&f->brake);
	fleet_selection_changed(f, now_us);
	return true;
}

static int
may_start(const struct fleet *f, unsigned slot, bool force)
{
	const struct slot *s = &f->slots.list[slot];

	if (!s->present || s->foreign_port)
		return -ENODEV;
	if (s->whole.ordered || (s->job != NULL && job_kind_is_recorded(job_record(s->job)->kind)))
		return -EBUSY;
	if (!slot_is_candidate(s))
		return -EINVAL;
	if (slot_is_quarantined(s) && !force)
		return -EPERM;
	return f->slots.stopping ? -EBUSY : 0;
}

/* Its ending has been told, only the light is still on: a new request does not wait for it. */
static void
cut_light_short(struct fleet *f, unsigned slot, uint64_t now_us)
{
	struct slot *s = &f->slots.list[slot];

	if (s->job != NULL && job_published(s->job) && !s->next.again)
		slots_over(&f->slots, slot, now_us);
}

int
fleet_retry(struct fleet *f, unsigned slot, bool force, uint64_t now_us)
{
	struct slot *s = &f->slots.list[slot];
	int r;

	cut_light_short(f, slot, now_us);
	r = may_start(f, slot, force);
	if (r < 0)
		return r;
	if (s->job == NULL)
		slot_forget_ending(s);
	slots_order(&f->slots, slot,
		    &(struct job_setup){ .kind = JOB_UPDATE, .retry = true, .force = force },
		    now_us);
	return 0;
}

int
fleet_special(struct fleet *f, unsigned slot, const struct job_setup *wanted, uint64_t now_us)
{
	struct job_setup setup = *wanted;
	int r;

	cut_light_short(f, slot, now_us);
	r = may_start(f, slot, true);
	if (r < 0)
		return r;
	if (!job_kind_reboots(setup.kind) &&
	    ident_kind_of(&f->slots.list[slot].sighting) != IDENT_RUNTIME)
		return -EINVAL;
	setup.retry = true;
	slots_order(&f->slots, slot, &setup, now_us);
	return 0;
}

int
fleet_recall_port(struct fleet *f, const char *port, unsigned failures,
		  enum port_quarantine quarantined)
{
	int slot = slots_add(&f->slots, port);

	if (slot < 0)
		return slot;
	f->slots.list[slot].quarantine.failures = failures;
	f->slots.list[slot].quarantine.port = quarantined;
	return 0;
}

void
fleet_set_path(struct fleet *f, unsigned slot, const char *path)
{
	copy_text(f->slots.list[slot].sighting.path, PATH_TEXT_MAX, path);
}

enum port_quarantine
fleet_port_quarantine(const struct fleet *f, unsigned slot)
{
	return f->slots.list[slot].quarantine.port;
}

bool
fleet_release(struct fleet *f, unsigned slot, uint64_t now_us)
{
	struct slot *s = &f->slots.list[slot];

	if (!slot_release(s))
		return false;
	cut_light_short(f, slot, now_us);
	if (s->job != NULL)
		slots_give_way(&f->slots, slot, now_us);
	if (!s->present || s->job != NULL)
		return true;
	slot_forget_ending(s);
	slots_consider(&f->slots, slot, now_us);
	return true;
}

void
fleet_drain(struct fleet *f, uint64_t now_us)
{
	f->slots.stopping = true;
	sched_hold_starts(f->slots.sched, true);
	for (unsigned i = 0; i < f->slots.count; i++) {
		struct slot *s = &f->slots.list[i];

		/* WHY: its permit to start would never come; a look can be had later. */
		if (slot_has_not_begun(s) || (s->job != NULL && job_only_looks(s->job)))
			slots_stop(&f->slots, i, now_us);
		slots_enqueue(&f->slots, i);
	}
}

void
fleet_stop(struct fleet *f, uint64_t now_us)
{
	f->slots.stopping = true;
	for (unsigned i = 0; i < f->slots.count; i++) {
		struct slot *s = &f->slots.list[i];

		s->next.again = false;
		if (s->job != NULL)
			slots_stop(&f->slots, i, now_us);
	}
}
