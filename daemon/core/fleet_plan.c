/* SPDX-License-Identifier: MIT */
/* The plan for each drone, and why: the fleet's own rules, asked without doing anything. */
#include "config.h"

#include "core/fleet.h"

#include "cfdfu/util.h"
#include "core/fleet_internal.h"

#define PAUSED "The station is paused: its turn comes with 'cfdfuctl resume'."

const char *
fleet_plan_name(enum plan_action action)
{
	static const char *const names[] = {
		[ACTION_NONE] = "none",	      [ACTION_FLASH] = "flash",
		[ACTION_CHECK] = "unchanged", [ACTION_LOOK] = "look",
		[ACTION_WAIT] = "wait",	      [ACTION_RUNNING] = "running",
		[ACTION_DONE] = "done",	      [ACTION_SKIPPED] = "skipped",
		[ACTION_FOREIGN] = "foreign", [ACTION_QUARANTINED] = "quarantined",
	};

	return (unsigned)action < ARRAY_LEN(names) ? names[action] : "none";
}

/* The version that it reported last. */
static const char *
version_of(const struct slot *s)
{
	const struct job_record *r = slot_record(s);

	return r->version_after[0] != '\0' ? r->version_after : r->version_before;
}

static void
set(struct fleet_plan *ret, enum plan_action action, const char *why)
{
	ret->action = action;
	ret->why = why;
}

/* The image will be written to it; why that is not begun is in the action. */
static void
set_due(struct fleet_plan *ret, enum plan_action action, const char *why)
{
	set(ret, action, why);
	ret->due = true;
}

/* Reasons that keep a drone from its turn under any selection; true when there is one. */
static bool
plan_without_image(const struct slot *s, struct fleet_plan *ret)
{
	if (!s->present && s->job == NULL)
		set(ret, ACTION_NONE, "Nothing is plugged in.");
	else if (s->foreign_port)
		set(ret, ACTION_NONE, "This station does not use the port.");
	else if (!slot_is_candidate(s))
		set(ret, ACTION_FOREIGN, "Not a Crazyflie: never touched.");
	else if (s->ending.foreign)
		set(ret, ACTION_FOREIGN,
		    s->ending.shown.message[0] != '\0' ? s->ending.shown.message
						       : "Not known to be a Crazyflie.");
	else if (slot_is_quarantined(s))
		set(ret, ACTION_QUARANTINED,
		    "Set aside after failures in a row: left alone until "
		    "'cfdfuctl port release SLOT'.");
	else
		return false;
	return true;
}

static void
plan_with_image(const struct fleet *f, const struct slot *s, struct fleet_plan *ret)
{
	const char *version = image_label(ret->image)->version;
	bool same = version[0] != '\0' && strcmp(version, ret->version_before) == 0;

	if (slot_is_done_with(s, ret->image))
		set(ret, ACTION_DONE,
		    ret->is_bad ? "It has had its ending with this firmware: 'cfdfuctl retry SLOT' "
				  "does it again."
				: "It has had its ending with this firmware.");
	else if (f->slots.stopping)
		set_due(ret, ACTION_WAIT, "The service is stopping.");
	else if (f->slots.paused)
		set_due(ret, ACTION_WAIT, PAUSED);
	else if (same && f->options.job.skip == JOB_SKIP_VERSION)
		set(ret, ACTION_CHECK, "It says it runs this version already, and is believed.");
	else if (same && f->options.job.skip == JOB_SKIP_READBACK)
		set(ret, ACTION_CHECK,
		    "It says it runs this version already: it is read back, and "
		    "written only where it differs.");
	else
		set_due(ret, ACTION_FLASH, ret->choice_why);
}

static void
plan_running(const struct slot *s, struct fleet_plan *ret)
{
	const struct job_record *r = job_record(s->job);

	if (r->image == NULL && ret->image != NULL && r->kind == JOB_UPDATE)
		set_due(ret, ACTION_FLASH, "It is being looked at; then it is flashed.");
	else if (ret->image != NULL && !image_same(r->image, ret->image) &&
		 !slot_is_done_with(s, ret->image))
		set_due(ret, ACTION_RUNNING, "It is at work; when that has ended, it is flashed.");
	else
		set(ret, ACTION_RUNNING, "It is at work.");
}

static void
plan_by_answer(const struct fleet *f, const struct slot *s, enum policy_answer answer,
	       struct fleet_plan *ret)
{
	const char *waits = fleet_batch_wait(f, s);

	if (waits != NULL) {
		set_due(ret, ACTION_WAIT, waits);
		return;
	}
	/* WHY: a job that only looks gives way to whatever is wanted. */
	if (slot_is_at_work(s)) {
		plan_running(s, ret);
		return;
	}
	switch (answer) {
	case POLICY_USE:
		plan_with_image(f, s, ret);
		return;
	case POLICY_ASK_OTP:
		if (f->slots.paused)
			set(ret, ACTION_WAIT, PAUSED);
		else
			set(ret, ACTION_LOOK, ret->choice_why);
		return;
	case POLICY_NO_IMAGE:
		set(ret, ACTION_NONE, ret->choice_why);
		return;
	case POLICY_QUARANTINED:
		set(ret, ACTION_QUARANTINED,
		    "Its firmware is set aside: 'cfdfuctl firmware list' shows it, 'cfdfuctl "
		    "firmware release NAME' lifts that.");
		return;
	case POLICY_DISAGREE:
	case POLICY_UNKNOWN:
		set(ret, ACTION_SKIPPED, ret->choice_why);
		return;
	}
}

void
fleet_plan(const struct fleet *f, unsigned slot, const struct policy *with,
	   struct fleet_plan *ret_plan)
{
	const struct slot *s = &f->slots.list[slot];
	struct policy_choice choice = { .image = NULL };
	enum policy_answer answer;

	*ret_plan = (struct fleet_plan){ .version_before = version_of(s) };
	ret_plan->is_bad = s->ending.ended && (slot_class_failed(s->ending.shown.verdict.kind) ||
					       s->ending.shown.verdict.kind == VERDICT_SKIPPED);
	answer = slot_ask_policy(s, with, &choice);
	ret_plan->image = answer == POLICY_USE ? choice.image : NULL;
	ret_plan->by = choice.by;
	ret_plan->choice_why = choice.why;
	if (!plan_without_image(s, ret_plan))
		plan_by_answer(f, s, answer, ret_plan);
}
