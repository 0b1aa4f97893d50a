/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/fleet.h"

#include <errno.h>
#include <stdlib.h>

#include "core/fleet_internal.h"
#include "core/ident.h"

enum {
	DFU_ENDPOINTS = 1,
	BOOT_US = 1400000, /* what was measured replaces it */
	BOOTS_MAX = 16,	   /* that the mean is of, about */
};

int
fleet_new(const struct fleet_options *options, struct fleet **ret_fleet)
{
	struct fleet *f = calloc(1, sizeof(*f));
	int r = -ENOMEM;

	if (f == NULL)
		goto out;
	f->slots.list = calloc(FLEET_SLOTS_MAX, sizeof(*f->slots.list));
	if (f->slots.list == NULL)
		goto out;
	f->options = *options;
	f->slots.jobs = &f->options.job;
	f->slots.boot_us = BOOT_US;
	f->eta = (struct eta){ &f->slots, &f->options.limits, 0 };
	f->profiles[f->profile_count++] = *device_crazyflie();
	r = policy_new(&f->slots.policy);
	if (r < 0)
		goto out;
	r = sched_new(&options->limits, &f->slots.sched);
	if (r < 0)
		goto out;
	*ret_fleet = f;
	f = NULL; /* the caller's now */
out:
	fleet_free(f);
	return r;
}

void
fleet_free(struct fleet *f)
{
	if (f == NULL)
		return;
	for (unsigned i = 0; i < f->slots.count; i++) {
		job_free(f->slots.list[i].job);
		slot_keep_order(&f->slots.list[i], NULL);
	}
	free(f->slots.list);
	sched_free(f->slots.sched);
	policy_free(f->slots.policy);
	batch_free(f->batch);
	free(f);
}

void
fleet_set_options(struct fleet *f, const struct fleet_options *options)
{
	f->options = *options;
	sched_set_limits(f->slots.sched, &options->limits);
}

int
fleet_add_profile(struct fleet *f, const struct device *p)
{
	if (f->profile_count == SLOT_PROFILES_MAX)
		return -E2BIG;
	f->profiles[f->profile_count++] = *p;
	return 0;
}

struct policy *
fleet_policy(struct fleet *f)
{
	return f->slots.policy;
}

int
fleet_find(const struct fleet *f, const char *port)
{
	return slots_find(&f->slots, port);
}

/* ---- what the bus says ---------------------------------------------------------------------- */

static unsigned
endpoints_of(const struct sighting *s)
{
	return ident_kind_of(s) == IDENT_RUNTIME ? SCHED_RUNTIME_ENDPOINTS : DFU_ENDPOINTS;
}

/* Something new is on the slot, and no job was waiting for it. */
static void
arrived(struct fleet *f, unsigned slot, uint64_t now_us)
{
	struct slot *s = &f->slots.list[slot];

	if (slot_is_flapping(s, now_us) && f->options.quarantine > 0) {
		if (s->quarantine.port == PORT_QUARANTINE_NONE)
			slots_tell(&f->slots, slot, EVENT_QUARANTINED);
		s->quarantine.port = PORT_QUARANTINE_FLAPPING;
	}
	slots_tell(&f->slots, slot, EVENT_SEEN);
	if (s->job != NULL) {
		s->next.replaced = true;
		s->next.again = true; /* when the old job's ending is on disk */
		return;
	}
	slot_forget_ending(s);
	s->next.asked = s->next.forced = false;
	slots_consider(&f->slots, slot, now_us);
}

void
fleet_sighted(struct fleet *f, const struct sighting *sighting, const struct drone_history *history,
	      uint64_t now_us)
{
	int slot = slots_add(&f->slots, sighting->port);
	struct slot *s;
	bool first;

	if (slot < 0)
		return; /* LIMIT: more ports than a fleet has slots */
	s = &f->slots.list[slot];
	first = s->sighting.arrival == 0;
	if (first)
		slots_tidy(&f->slots, now_us); /* a hub that is elsewhere now leaves no ghosts */
	slot_put(s, sighting, history, f->profiles, f->profile_count);
	sched_place(f->slots.sched, (unsigned)slot, sighting, endpoints_of(sighting));
	s->controller = arrivals_came(&f->slots.arrivals, sighting->controller, now_us);
	slots_enqueue(&f->slots, (unsigned)slot);
	if (s->job != NULL && job_sighted(s->job, sighting, now_us)) {
		if ((s->whole.ordered || f->slots.stopping) && job_only_looks(s->job))
			slots_stop(&f->slots, (unsigned)slot, now_us);
		slots_mark_twins(&f->slots, (unsigned)slot);
		return;
	}
	arrived(f, (unsigned)slot, now_us);
	if (first)
		slots_hand_back(&f->slots, (unsigned)slot, now_us);
}

void
fleet_gone(struct fleet *f, const char *port, uint64_t arrival, uint64_t now_us)
{
	int slot = fleet_find(f, port);
	struct slot *s;

	if (slot < 0 || f->slots.list[slot].sighting.arrival != arrival ||
	    !f->slots.list[slot].present)
		return;
	s = &f->slots.list[slot];
	s->present = false;
	s->left_us = now_us;
	s->next.again = false;
	if (s->job == NULL || !job_is_cycling(s->job)) {
		s->ending.done = false;
		s->ending.foreign = false;
		s->ending.idle_reason = NULL;
		chain_left(&f->slots, (unsigned)slot);
	}
	slot_drop_device(s);
	sched_place(f->slots.sched, (unsigned)slot, NULL, 0);
	if (s->job != NULL)
		job_gone(s->job, now_us);
	slots_tell(&f->slots, (unsigned)slot, EVENT_LEFT);
}

void
fleet_history(struct fleet *f, unsigned slot, const struct drone_history *history, uint64_t now_us)
{
	struct slot *s = &f->slots.list[slot];

	s->history = *history;
	s->quarantine.drone = history->quarantined;
	s->told.revision++;
	if (s->job == NULL)
		slots_consider(&f->slots, slot, now_us);
	else if (slot_has_not_begun(s) && job_kind_reboots(job_record(s->job)->kind))
		slots_begin_anew(&f->slots, slot, now_us);
}

/* A handle's number carries its slot: number = count * slots + slot. */
static struct slot *
slot_of(struct fleet *f, uint64_t dev)
{
	struct slot *s = &f->slots.list[dev % FLEET_SLOTS_MAX];

	return s->handle.dev == dev && dev != 0 ? s : NULL;
}

void
fleet_opened(struct fleet *f, uint64_t dev, int error, const uint8_t *descriptors, size_t length,
	     uint64_t now_us)
{
	struct slot *s = slot_of(f, dev);

	if (s == NULL)
		return;
	if (error < 0)
		s->handle.dev = 0; /* the seam has forgotten it */
	if (s->job != NULL)
		job_opened(s->job, error, descriptors, length, now_us);
	slots_enqueue(&f->slots, (unsigned)(dev % FLEET_SLOTS_MAX));
}

void
fleet_ended(struct fleet *f, uint64_t dev, enum usb_status status, const uint8_t *data,
	    size_t length, uint64_t now_us)
{
	struct slot *s = slot_of(f, dev);

	if (s == NULL)
		return;
	sched_block_ended(f->slots.sched, (unsigned)(dev % FLEET_SLOTS_MAX), status == USB_OK,
			  now_us);
	slot_keep_percent(s, now_us);
	if (s->job != NULL)
		job_ended(s->job, status, data, length, now_us);
	slots_enqueue(&f->slots, (unsigned)(dev % FLEET_SLOTS_MAX));
}

/* ---- endings -------------------------------------------------------------------------------- */

/* How long it took to boot and confirm, and the whole work. */
static void
learn_times(struct fleet *f, const struct job *j)
{
	const struct job_record *r = job_record(j);
	uint64_t boot = r->stage_us[STEP_BOOTING] + r->stage_us[STEP_CONFIRMING], left;
	unsigned n;

	/* WHY not of one that crashed: it started twice, or was waited for longer. */
	if (r->verdict.kind != VERDICT_PASS || job_patience_us(j) > 0)
		return;
	/* WHY of many: those that end first are those that boot fast. */
	n = f->slots.boots < BOOTS_MAX ? ++f->slots.boots : BOOTS_MAX;
	f->slots.boot_us = ((n - 1) * f->slots.boot_us + boot) / n;
	job_estimate(j, 0, f->slots.boot_us, &left, &f->eta.work_us);
}

/*
 * The verdict is durable: from now on it may be told.  That of a reading or a rescue is told, and
 * changes nothing of what the slot shows and counts.
 */
static void
publish(struct fleet *f, unsigned slot, uint64_t now_us)
{
	struct slot *s = &f->slots.list[slot];
	const struct job_record *r = job_record(s->job);
	struct update_ending e = fleet_ending(s, r);

	if (r->kind == JOB_UPDATE) {
		slot_end(s, r, f->slots.policy);
		learn_times(f, s->job);
		slot_count(s, r, f->options.quarantine);
		if (r->image != NULL && !r->common)
			fleet_recall(f, &e, now_us);
		fleet_batch_ended(f, slot, &e, now_us);
		s->whole.due =
		    r->verdict.kind == VERDICT_PASS || r->verdict.kind == VERDICT_UNCHANGED;
		chain_judge(&f->slots, slot);
	} else {
		slot_keep_record(&s->special, r);
	}
	if (r->verdict.fault == FAULT_SUSPEND && job_kind_reboots(r->kind))
		s->next.again = true;
	if (job_kind_reboots(r->kind))
		slot_learn(s, r);
	slots_tell(&f->slots, slot, r->kind == JOB_UPDATE ? EVENT_ENDED : EVENT_SPECIAL_ENDED);
}

void
fleet_recorded(struct fleet *f, unsigned slot, int error, int64_t id, uint64_t now_us)
{
	struct slot *s = &f->slots.list[slot];
	bool before;

	if (s->job == NULL)
		return;
	before = job_published(s->job);
	job_recorded(s->job, error, id, now_us);
	if (!before && job_published(s->job))
		publish(f, slot, now_us);
	slots_enqueue(&f->slots, slot);
}

void
fleet_digest(struct fleet *f, unsigned slot, const char *sha256_hex, bool recognised)
{
	if (f->slots.list[slot].job != NULL)
		job_digest(f->slots.list[slot].job, sha256_hex, recognised);
	slots_enqueue(&f->slots, slot);
}

void
fleet_backed_up(struct fleet *f, unsigned slot, int error)
{
	if (f->slots.list[slot].job != NULL)
		job_backed_up(f->slots.list[slot].job, error);
	slots_enqueue(&f->slots, slot);
}

/* ---- time ----------------------------------------------------------------------------------- */

/* Other drones on this slot's controller that are between two modes. */
static unsigned
others_on_their_way(const struct fleet *f, unsigned slot)
{
	const char *controller = f->slots.list[slot].sighting.controller;
	unsigned n = 0;

	for (unsigned i = 0; i < f->slots.count; i++) {
		const struct slot *s = &f->slots.list[i];

		if (i != slot && s->job != NULL && job_awaits(s->job) &&
		    strcmp(s->sighting.controller, controller) == 0)
			n++;
	}
	return n;
}

void
fleet_tick(struct fleet *f, uint64_t now_us)
{
	unsigned i;

	while (deadlines_first(&f->slots.deadlines, &i) <= now_us) {
		struct slot *s = &f->slots.list[i];

		/* Until it is looked at, and has another one. */
		deadlines_set(&f->slots.deadlines, i, SCHED_NEVER);
		slots_enqueue(&f->slots, i);
		if (s->job == NULL)
			continue;
		if (s->wake_us != 0 && now_us >= s->wake_us)
			s->wake_us = 0;
		if (now_us >= job_deadline_us(s->job)) {
			job_allow_contention(s->job, others_on_their_way(f, i));
			job_tick(s->job, now_us);
		}
	}
}

uint64_t
fleet_deadline_us(const struct fleet *f)
{
	uint64_t permit = sched_deadline_us(f->slots.sched);
	unsigned slot;
	uint64_t at = deadlines_first(&f->slots.deadlines, &slot);

	return permit < at ? permit : at;
}

void
fleet_slept(struct fleet *f, uint64_t now_us)
{
	for (unsigned i = 0; i < f->slots.count; i++) {
		struct slot *s = &f->slots.list[i];

		if (s->job == NULL || job_stage(s->job) >= JOB_ENDING)
			continue;
		s->next.again = job_kind_reboots(job_record(s->job)->kind);
		job_stop(s->job, VERDICT_FAIL, FAULT_SUSPEND, now_us);
		slots_enqueue(&f->slots, i);
	}
}
