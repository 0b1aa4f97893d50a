/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/fleet.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "cfdfu/util.h"
#include "core/fleet_parts.h"
#include "core/ident.h"
#include "core/outcome.h"

enum {
	RUNTIME_ENDPOINTS = 6, /* SPEC: doc/protocol.md 10, row 10 */
	DFU_ENDPOINTS = 1,
	BOOT_US = 1200000,	   /* what was measured replaces it soon */
	FLAP_WINDOW_US = 60000000, /* doc/faults.md U19 */
};

/* ---- slots and the queue -------------------------------------------------------------------- */

int
fleet_new(const struct fleet_options *options, struct fleet **ret_fleet)
{
	struct fleet *f = calloc(1, sizeof(*f));
	int r = -ENOMEM;

	if (f == NULL)
		goto out;
	f->slots = calloc(FLEET_SLOTS_MAX, sizeof(*f->slots));
	if (f->slots == NULL)
		goto out;
	f->options = *options;
	f->boot_us = BOOT_US;
	f->profile_list[f->profile_count++] = device_crazyflie();
	r = policy_new(&f->policy);
	if (r < 0)
		goto out;
	r = sched_new(&options->limits, &f->sched);
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
	for (unsigned i = 0; i < f->slot_count; i++)
		job_free(f->slots[i].job);
	free(f->slots);
	sched_free(f->sched);
	policy_free(f->policy);
	free(f);
}

struct policy *
fleet_policy(struct fleet *f)
{
	return f->policy;
}

int
fleet_find(const struct fleet *f, const char *port)
{
	for (unsigned i = 0; i < f->slot_count; i++)
		if (strcmp(f->slots[i].sighting.port, port) == 0)
			return (int)i;
	return -ENOENT;
}

int
fleet_add_slot(struct fleet *f, const char *port)
{
	int slot = fleet_find(f, port);

	if (slot >= 0)
		return slot;
	if (f->slot_count == FLEET_SLOTS_MAX)
		return -E2BIG;
	slot = (int)f->slot_count++;
	copy_text(f->slots[slot].sighting.port, PORT_TEXT_MAX, port);
	sched_place(f->sched, (unsigned)slot, "", "", 0);
	return slot;
}

/* There is something to ask this slot for: a command, a note, a new job. */
void
fleet_enqueue(struct fleet *f, unsigned slot)
{
	struct slot *s = &f->slots[slot];

	s->revision++;
	if (s->queued)
		return;
	s->queued = true;
	f->queue[(f->queue_at + f->queue_count++) % FLEET_SLOTS_MAX] = slot;
}

void
fleet_tell(struct fleet *f, unsigned slot, enum event_kind kind)
{
	f->slots[slot].events |= BIT(kind);
	fleet_enqueue(f, slot);
}

/* ---- starting jobs -------------------------------------------------------------------------- */

/* What a device in DFU mode may be: the family, and what the operator described as such. */
static void
list_profiles(const struct fleet *f, struct slot *s)
{
	s->profile_count = 0;
	for (size_t i = 0; i < f->profile_count; i++) {
		const struct device *p = f->profile_list[i];

		if (p->vid == s->sighting.vid && p->pid == s->sighting.pid &&
		    (p->family || (s->history.described_as & BIT(i)) != 0))
			s->profiles[s->profile_count++] = p;
	}
	/* WHY: a running drone is not in DFU mode yet, but will be. */
	if (ident_kind_of(&s->sighting) == IDENT_RUNTIME)
		s->profiles[s->profile_count++] = device_crazyflie();
}

bool
fleet_is_candidate(const struct slot *s)
{
	return s->profile_count > 0;
}

/* Its drone's run-time serial also while that is in DFU mode, where it is known. */
static const char *
serial_of(const struct slot *s)
{
	if (s->job != NULL && job_record(s->job)->serial[0] != '\0')
		return job_record(s->job)->serial;
	return s->sighting.serial;
}

/* Marks the attempts of drones that are here at the same time and show one serial. */
static void
mark_twins(struct fleet *f, unsigned slot)
{
	const struct slot *me = &f->slots[slot];

	for (unsigned i = 0; i < f->slot_count; i++) {
		const struct slot *s = &f->slots[i];

		if (i == slot || !s->present || !fleet_is_candidate(s) ||
		    serial_of(me)[0] == '\0' || strcmp(serial_of(s), serial_of(me)) != 0)
			continue;
		job_shares_serial(me->job);
		if (s->job != NULL)
			job_shares_serial(s->job);
	}
}

void
fleet_start_job(struct fleet *f, unsigned slot, const struct job_setup *wanted, uint64_t now_us)
{
	struct slot *s = &f->slots[slot];
	struct job_setup setup = *wanted;

	assert(s->job == NULL);
	setup.options = &f->options.job;
	setup.policy = f->policy;
	setup.profiles = s->profiles;
	setup.profile_count = s->profile_count;
	setup.toc = &f->toc;
	setup.label = s->label;
	setup.path = s->sighting.path;
	s->again = s->asked = s->forced = false;
	s->replaced = false;
	if (setup.kind == JOB_UPDATE) {
		s->foreign = false;
		s->idle_reason = NULL;
	}
	s->told_step = STEP_NONE;
	s->percent_kept = 0;
	s->wake_us = 0;
	s->hold_us = 0;
	s->cause_known = false;
	s->cause[0] = '\0';
	if (job_new(&setup, &s->sighting, &s->history, now_us, &s->job) < 0) {
		s->idle_reason =
		    "There was no memory to begin with it; it is tried again when asked for.";
		return;
	}
	mark_twins(f, slot);
	fleet_enqueue(f, slot);
}

/* Gives what is plugged in here its job, when it may have one. */
void
fleet_consider(struct fleet *f, unsigned slot, uint64_t now_us)
{
	struct slot *s = &f->slots[slot];
	struct job_setup setup = { .kind = JOB_UPDATE };

	if (!s->present || s->job != NULL || s->done || f->paused || f->stopping || s->not_ours)
		return;
	if (s->quarantined || s->drone_quarantined)
		return;
	if (!fleet_is_candidate(s)) {
		s->foreign = true;
		s->idle_reason = "Not a Crazyflie: never touched.";
		return;
	}
	setup.retry = s->asked;
	setup.force = s->forced;
	fleet_start_job(f, slot, &setup, now_us);
}

/* ---- what the bus says ---------------------------------------------------------------------- */

static bool
is_flapping(struct slot *s, uint64_t now_us)
{
	uint64_t oldest = s->arrivals_us[s->arrival_at];

	s->arrivals_us[s->arrival_at] = now_us;
	s->arrival_at = (s->arrival_at + 1) % SLOT_ARRIVALS;
	return oldest != 0 && now_us - oldest < FLAP_WINDOW_US;
}

void
fleet_forget_ending(struct slot *s)
{
	/* INVARIANT: a slot never shows the old verdict for a new device (doc/faults.md O3). */
	memset(&s->shown, 0, sizeof(s->shown));
	s->ended = false;
	s->done = false;
	s->foreign = false;
	s->idle_reason = NULL;
}

static unsigned
endpoints_of(const struct sighting *s)
{
	return ident_kind_of(s) == IDENT_RUNTIME ? RUNTIME_ENDPOINTS : DFU_ENDPOINTS;
}

static void
quarantine(struct fleet *f, unsigned slot)
{
	f->slots[slot].quarantined = true;
	fleet_tell(f, slot, EVENT_QUARANTINED);
}

/* Something new is on the slot, and no job was waiting for it. */
static void
arrived(struct fleet *f, unsigned slot, uint64_t now_us)
{
	struct slot *s = &f->slots[slot];

	if (is_flapping(s, now_us) && f->options.quarantine > 0) {
		s->flapping = true;
		if (!s->quarantined)
			quarantine(f, slot);
	}
	fleet_tell(f, slot, EVENT_SEEN);
	if (s->job != NULL) {
		s->replaced = true;
		s->again = true; /* when the old job's ending is on disk */
		return;
	}
	fleet_forget_ending(s);
	memset(s->done_sha256, 0, sizeof(s->done_sha256));
	s->asked = s->forced = false;
	fleet_consider(f, slot, now_us);
}

void
fleet_sighted(struct fleet *f, const struct sighting *sighting, const struct drone_history *history,
	      uint64_t now_us)
{
	int slot = fleet_add_slot(f, sighting->port);
	struct slot *s;

	if (slot < 0)
		return; /* LIMIT: more ports than a fleet has slots */
	s = &f->slots[slot];
	s->sighting = *sighting;
	s->history = *history;
	s->present = true;
	s->drone_quarantined = history->quarantined;
	list_profiles(f, s);
	sched_place(f->sched, (unsigned)slot, sighting->controller, sighting->translator,
		    endpoints_of(sighting));
	fleet_enqueue(f, (unsigned)slot);
	if (s->job != NULL)
		job_learn(s->job, sighting, history);
	if (!s->cause_known)
		s->cause[0] = '\0'; /* it is back: what took its neighbours has not taken it */
	if (s->job != NULL && job_sighted(s->job, sighting, now_us)) {
		mark_twins(f, (unsigned)slot);
		return;
	}
	arrived(f, (unsigned)slot, now_us);
}

/* The handle, if there is one, has to be closed; its transfer is not reported any more. */
static void
drop_device(struct slot *s)
{
	if (s->dev == 0)
		return;
	assert(s->close_count < SLOT_CLOSES_MAX);
	s->close_dev[s->close_count++] = s->dev;
	s->dev = 0;
}

void
fleet_gone(struct fleet *f, const char *port, uint64_t arrival, uint64_t now_us)
{
	int slot = fleet_find(f, port);
	struct slot *s;

	if (slot < 0 || f->slots[slot].sighting.arrival != arrival || !f->slots[slot].present)
		return;
	s = &f->slots[slot];
	s->present = false;
	s->again = false;
	s->done = false;
	s->foreign = false;
	s->idle_reason = NULL;
	drop_device(s);
	sched_place(f->sched, (unsigned)slot, NULL, NULL, 0);
	if (s->job != NULL)
		job_gone(s->job, now_us);
	fleet_tell(f, (unsigned)slot, EVENT_LEFT);
}

/* A handle's number carries its slot: number = count * slots + slot. */
static struct slot *
slot_of(struct fleet *f, uint64_t dev)
{
	struct slot *s = &f->slots[dev % FLEET_SLOTS_MAX];

	return s->dev == dev && dev != 0 ? s : NULL;
}

void
fleet_opened(struct fleet *f, uint64_t dev, int error, const uint8_t *descriptors, size_t length,
	     uint64_t now_us)
{
	struct slot *s = slot_of(f, dev);

	if (s == NULL)
		return;
	if (error < 0)
		s->dev = 0; /* the seam has forgotten it */
	if (s->job != NULL)
		job_opened(s->job, error, descriptors, length, now_us);
	fleet_enqueue(f, (unsigned)(dev % FLEET_SLOTS_MAX));
}

void
fleet_ended(struct fleet *f, uint64_t dev, enum usb_status status, const uint8_t *data,
	    size_t length, uint64_t now_us)
{
	struct slot *s = slot_of(f, dev);

	if (s == NULL)
		return;
	fleet_keep_percent(f, (unsigned)(dev % FLEET_SLOTS_MAX), now_us);
	if (s->job != NULL)
		job_ended(s->job, status, data, length, now_us);
	fleet_enqueue(f, (unsigned)(dev % FLEET_SLOTS_MAX));
}

/* ---- endings -------------------------------------------------------------------------------- */

static bool
counts_against(const struct job_record *r)
{
	const struct verdict *v = &r->verdict;
	enum fault_class c = fault_class_of(v->fault);

	return v->kind == VERDICT_FAIL && !r->common && (c == CLASS_DEVICE || c == CLASS_PORT);
}

/* Is the drone of this record the one that is plugged in now?  Its history belongs to it alone. */
static bool
is_still_here(const struct slot *s, const struct job_record *r)
{
	const char *serial = s->sighting.serial;

	if (!s->replaced)
		return true;
	if (ident_kind_of(&s->sighting) == IDENT_RUNTIME)
		return ident_runtime_runtime(r->serial, serial) == IDENT_SAME;
	return ident_dfu_dfu(r->dfu_serial, serial) == IDENT_SAME ||
	       ident_runtime_dfu(r->serial, serial) == IDENT_SAME;
}

/* Failures in a row: of the port, and of a drone that fails wherever it is plugged in. */
static void
count_failure(struct fleet *f, unsigned slot)
{
	struct slot *s = &f->slots[slot];
	unsigned limit = f->options.quarantine;

	s->failures++;
	if (limit > 0 && s->failures >= limit && !s->quarantined)
		quarantine(f, slot);
	if (limit == 0 || !is_still_here(s, job_record(s->job)))
		return;
	s->history.failures++;
	/* WHY: the store counts the ports; this failure is perhaps on a new one, which it will know
	 * next time. */
	if (s->history.failures >= limit && s->history.failed_ports >= 2 && !s->drone_quarantined) {
		s->drone_quarantined = true;
		fleet_tell(f, slot, EVENT_DRONE_QUARANTINED);
	}
}

static bool
ended_well(enum verdict_kind v)
{
	return v == VERDICT_PASS || v == VERDICT_UNCHANGED || v == VERDICT_NEEDS_POWER_CYCLE ||
	       v == VERDICT_SKIPPED || v == VERDICT_NEEDS_BUTTON;
}

/* What this attempt taught, for the next job on the same drone. */
static void
remember(struct slot *s, const struct job_record *r)
{
	struct drone_history *p = &s->history;

	p->known = true;
	p->interrupted = !ended_well(r->verdict.kind);
	p->obey = p->obey || r->obey;
	if (r->platform != PLATFORM_UNKNOWN)
		p->platform = r->platform;
	if (r->serial[0] != '\0')
		copy_text(p->serial, sizeof(p->serial), r->serial);
	if (r->dfu_serial[0] != '\0')
		copy_text(p->dfu_serial, sizeof(p->dfu_serial), r->dfu_serial);
	if (r->loader_read)
		copy_text(p->loader_sha256, sizeof(p->loader_sha256), r->loader_sha256);
}

/* A job at flashing has ended: the slot shows that, and it counts. */
static void
publish_update(struct fleet *f, unsigned slot, const struct job_record *r, uint64_t now_us)
{
	struct slot *s = &f->slots[slot];
	uint64_t boot = r->stage_us[STEP_BOOTING] + r->stage_us[STEP_CONFIRMING], left;
	const struct image *done_with;

	s->shown = *r;
	s->shown.image = NULL;
	s->ended = true;
	s->done = true;
	memset(s->done_sha256, 0, sizeof(s->done_sha256));
	done_with = r->image != NULL ? r->image : fleet_selected_for(f, s);
	if (done_with != NULL && r->verdict.fault != FAULT_SET_ASIDE)
		memcpy(s->done_sha256, image_label(done_with)->sha256, sizeof(s->done_sha256));
	if (r->verdict.kind == VERDICT_PASS) {
		f->boot_us = (f->boot_us + boot) / 2;
		job_estimate(s->job, 0, f->boot_us, &left, &f->work_us);
	}
	if (counts_against(r))
		count_failure(f, slot);
	else if (r->verdict.kind == VERDICT_PASS || r->verdict.kind == VERDICT_UNCHANGED)
		s->failures = s->history.failures = 0;
	fleet_count_harm(f, r, now_us);
}

/*
 * The verdict is durable: from now on it may be told.  That of a reading or a rescue is told, and
 * changes nothing of what the slot shows and counts.
 */
static void
publish(struct fleet *f, unsigned slot, uint64_t now_us)
{
	struct slot *s = &f->slots[slot];
	const struct job_record *r = job_record(s->job);

	if (r->kind == JOB_UPDATE) {
		publish_update(f, slot, r, now_us);
	} else {
		s->special = *r;
		s->special.image = NULL;
	}
	if (r->verdict.fault == FAULT_SUSPEND)
		s->again = true;
	if (is_still_here(s, r))
		remember(s, r);
	else if (!ended_well(r->verdict.kind))
		s->history.doubtful =
		    true; /* WHY: what does not say who it is may be the same one */
	fleet_tell(f, slot, r->kind == JOB_UPDATE ? EVENT_ENDED : EVENT_SPECIAL_ENDED);
}

void
fleet_recorded(struct fleet *f, unsigned slot, int error, int64_t id, uint64_t now_us)
{
	struct slot *s = &f->slots[slot];
	bool before;

	if (s->job == NULL)
		return;
	before = job_published(s->job);
	job_recorded(s->job, error, id, now_us);
	if (!before && job_published(s->job)) {
		/* WHY all: how long it took to boot is learned from it for the others, too. */
		for (unsigned i = 0; i < f->slot_count; i++)
			fleet_keep_percent(f, i, now_us);
		publish(f, slot, now_us);
	}
	fleet_enqueue(f, slot);
}

void
fleet_digest(struct fleet *f, unsigned slot, const char *sha256_hex, bool recognised)
{
	if (f->slots[slot].job != NULL)
		job_digest(f->slots[slot].job, sha256_hex, recognised);
	fleet_enqueue(f, slot);
}

void
fleet_backed_up(struct fleet *f, unsigned slot, int error)
{
	if (f->slots[slot].job != NULL)
		job_backed_up(f->slots[slot].job, error);
	fleet_enqueue(f, slot);
}

void
fleet_job_is_over(struct fleet *f, unsigned slot, uint64_t now_us)
{
	struct slot *s = &f->slots[slot];
	const struct job_record *r = job_record(s->job);
	bool foreign = job_foreign(s->job);

	if (!job_published(s->job) && r->kind != JOB_UPDATE) {
		s->special = *r;
		s->special.image = NULL;
		s->foreign = s->foreign || foreign;
		fleet_tell(f, slot, EVENT_SPECIAL_ENDED);
	} else if (!job_published(s->job)) {
		/* No attempt: keep what was learned, for whoever looks. */
		s->shown = *r;
		s->shown.image = NULL;
		s->foreign = foreign;
		if (!foreign && !s->replaced && r->platform != PLATFORM_UNKNOWN)
			s->history.platform = r->platform;
		fleet_tell(f, slot, foreign ? EVENT_FOREIGN : EVENT_IDLE);
	}
	job_free(s->job);
	s->job = NULL;
	s->wake_us = 0;
	drop_device(s);
	sched_release_all(f->sched, slot);
	if (s->reselected && s->done && fleet_wants_another_image(f, s))
		s->again = true;
	s->reselected = false;
	if (s->again && s->present) {
		s->again = false;
		fleet_forget_ending(s);
		fleet_consider(f, slot, now_us);
	}
	fleet_enqueue(f, slot);
}
