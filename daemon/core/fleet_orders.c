/* SPDX-License-Identifier: MIT */
/* What the operator orders of a fleet: options, pause, retry, release, select, stop. */
#include "config.h"

#include <errno.h>

#include "cfdfu/util.h"
#include "core/fleet.h"
#include "core/fleet_parts.h"
#include "core/ident.h"

void
fleet_set_options(struct fleet *f, const struct fleet_options *options)
{
	f->options = *options;
	sched_set_limits(f->sched, &options->limits);
}

int
fleet_add_profile(struct fleet *f, const struct device *p)
{
	if (f->profile_count == FLEET_PROFILES_MAX)
		return -E2BIG;
	f->profiles[f->profile_count] = *p;
	f->profile_list[f->profile_count] = &f->profiles[f->profile_count];
	f->profile_count++;
	return 0;
}

void
fleet_pause(struct fleet *f)
{
	f->paused = true;
	sched_hold_starts(f->sched, true);
	for (unsigned i = 0; i < f->slot_count; i++)
		f->slots[i].revision++;
}

/* Whatever is plugged in and has not had its turn gets it now. */
static void
consider_all(struct fleet *f, uint64_t now_us)
{
	for (unsigned i = 0; i < f->slot_count; i++) {
		f->slots[i].revision++;
		fleet_consider(f, i, now_us);
	}
}

void
fleet_resume(struct fleet *f, uint64_t now_us)
{
	f->paused = false;
	f->fallen.fault = FAULT_NONE;
	brake_forget(&f->brake);
	sched_hold_starts(f->sched, false);
	consider_all(f, now_us);
}

static enum policy_answer
ask_policy(const struct fleet *f, const struct slot *s, struct policy_choice *ret_choice)
{
	struct policy_drone d = { .port = s->sighting.port,
				  .path = s->sighting.path,
				  .label = s->label,
				  .runtime_serial = s->shown.serial,
				  .dfu_serial = s->shown.dfu_serial,
				  .crtp = s->history.platform };

	return policy_choose(f->policy, &d, ret_choice);
}

/* The image that this slot's drone, as far as it is known, would get now, or NULL. */
const struct image *
fleet_selected_for(const struct fleet *f, const struct slot *s)
{
	struct policy_choice choice;

	return ask_policy(f, s, &choice) == POLICY_USE ? choice.image : NULL;
}

/* Would this slot's drone, as far as it is known, get another image now than the one it was done
 * with? */
bool
fleet_wants_another_image(const struct fleet *f, const struct slot *s)
{
	struct policy_choice choice;
	enum policy_answer answer = ask_policy(f, s, &choice);

	if (answer == POLICY_ASK_OTP)
		return true;
	return answer == POLICY_USE && memcmp(image_label(choice.image)->sha256, s->done_sha256,
					      sizeof(s->done_sha256)) != 0;
}

/* Nothing is or will be recorded of it, and nothing was done to the drone. */
bool
fleet_has_not_begun(const struct slot *s)
{
	return s->job != NULL && job_stage(s->job) < JOB_ENDING && !job_touched(s->job) &&
	       !job_begun(s->job);
}

void
fleet_configure_slot(struct fleet *f, unsigned slot, bool ours, const char *label)
{
	struct slot *s = &f->slots[slot];

	s->not_ours = !ours;
	copy_text(s->label, sizeof(s->label), label);
}

/* A job that has done nothing yet, from its beginning, as it was asked for. */
void
fleet_begin_anew(struct fleet *f, unsigned slot, uint64_t now_us)
{
	struct slot *s = &f->slots[slot];
	bool update = job_record(s->job)->kind == JOB_UPDATE;

	s->again = true;
	s->asked = update && job_record(s->job)->retry;
	s->forced = update && job_forced(s->job);
	job_stop(s->job, VERDICT_INTERRUPTED, FAULT_STOPPED, now_us);
	fleet_enqueue(f, slot);
}

/* A job that only waits for its turn is no attempt yet: it goes by what holds now. */
static void
decide_anew(struct fleet *f, unsigned slot, uint64_t now_us)
{
	const struct slot *s = &f->slots[slot];

	if (fleet_has_not_begun(s) && job_stage(s->job) != JOB_ASK &&
	    job_record(s->job)->kind == JOB_UPDATE)
		fleet_begin_anew(f, slot, now_us);
}

void
fleet_selection_changed(struct fleet *f, uint64_t now_us)
{
	for (unsigned i = 0; i < f->slot_count; i++) {
		struct slot *s = &f->slots[i];

		/* WHY: a running job keeps its image; what it leaves behind is looked at then. */
		s->reselected = s->job != NULL;
		decide_anew(f, i, now_us);
		if (s->present && s->job == NULL && s->done && fleet_wants_another_image(f, s))
			fleet_forget_ending(s);
	}
	consider_all(f, now_us);
}

static int
may_start(const struct fleet *f, unsigned slot, bool force)
{
	const struct slot *s = &f->slots[slot];

	if (!s->present || s->not_ours)
		return -ENODEV;
	if (s->job != NULL)
		return -EBUSY;
	if (!fleet_is_candidate(s))
		return -EINVAL;
	if ((s->quarantined || s->drone_quarantined) && !force)
		return -EPERM;
	return f->stopping ? -EBUSY : 0;
}

/* Its ending has been told, only the light is still on: whoever asks for more need not wait. */
static void
cut_light_short(struct fleet *f, unsigned slot, uint64_t now_us)
{
	struct slot *s = &f->slots[slot];

	if (s->job != NULL && job_published(s->job) && !s->again)
		fleet_job_is_over(f, slot, now_us);
}

int
fleet_retry(struct fleet *f, unsigned slot, bool force, uint64_t now_us)
{
	struct slot *s = &f->slots[slot];
	int r;

	cut_light_short(f, slot, now_us);
	r = may_start(f, slot, force);
	if (r < 0)
		return r;
	fleet_forget_ending(s);
	fleet_start_job(f, slot,
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
	setup.retry = true;
	fleet_start_job(f, slot, &setup, now_us);
	return 0;
}

int
fleet_port(struct fleet *f, const char *port, unsigned failures, bool quarantined)
{
	int slot = fleet_add_slot(f, port);

	if (slot < 0)
		return slot;
	f->slots[slot].failures = failures;
	f->slots[slot].quarantined = quarantined;
	return 0;
}

void
fleet_set_path(struct fleet *f, unsigned slot, const char *path)
{
	copy_text(f->slots[slot].sighting.path, PATH_TEXT_MAX, path);
}

bool
fleet_is_aside(const struct fleet *f, unsigned slot)
{
	return f->slots[slot].quarantined;
}

bool
fleet_release(struct fleet *f, unsigned slot, uint64_t now_us)
{
	struct slot *s = &f->slots[slot];

	/* WHY: whoever releases all does not ask for those again that are done. */
	if (!s->quarantined && !s->drone_quarantined && !s->flapping)
		return false;
	s->quarantined = s->drone_quarantined = s->flapping = false;
	s->failures = s->history.failures = s->history.failed_ports = 0;
	memset(s->arrivals_us, 0, sizeof(s->arrivals_us));
	s->revision++;
	cut_light_short(f, slot, now_us);
	if (!s->present || s->job != NULL)
		return true;
	fleet_forget_ending(s);
	fleet_consider(f, slot, now_us);
	return true;
}

void
fleet_history(struct fleet *f, unsigned slot, const struct drone_history *history, uint64_t now_us)
{
	struct slot *s = &f->slots[slot];

	s->history = *history;
	s->drone_quarantined = history->quarantined;
	s->revision++;
	if (s->job == NULL)
		fleet_consider(f, slot, now_us);
	else if (fleet_has_not_begun(s))
		fleet_begin_anew(f, slot, now_us);
}

void
fleet_drain(struct fleet *f, uint64_t now_us)
{
	f->stopping = true;
	sched_hold_starts(f->sched, true);
	for (unsigned i = 0; i < f->slot_count; i++) {
		struct slot *s = &f->slots[i];

		/* WHY: its turn to start would never come. */
		if (fleet_has_not_begun(s))
			job_stop(s->job, VERDICT_INTERRUPTED, FAULT_STOPPED, now_us);
		fleet_enqueue(f, i);
	}
}

void
fleet_stop(struct fleet *f, uint64_t now_us)
{
	f->stopping = true;
	for (unsigned i = 0; i < f->slot_count; i++) {
		struct slot *s = &f->slots[i];

		s->again = false;
		if (s->job == NULL)
			continue;
		job_stop(s->job, VERDICT_INTERRUPTED, FAULT_STOPPED, now_us);
		fleet_enqueue(f, i);
	}
}
