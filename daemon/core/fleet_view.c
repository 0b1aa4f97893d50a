/* SPDX-License-Identifier: MIT */
/* The fleet's other side: what the operator asks and orders. */
#include "config.h"

#include <errno.h>

#include "cfdfu/util.h"
#include "core/fleet.h"
#include "core/fleet_parts.h"
#include "core/ident.h"
#include "core/outcome.h"

unsigned
fleet_slots(const struct fleet *f)
{
	return f->slot_count;
}

uint64_t
fleet_revision(const struct fleet *f, unsigned slot)
{
	return f->slots[slot].revision;
}

const struct sighting *
fleet_sighting(const struct fleet *f, unsigned slot)
{
	return f->slots[slot].present ? &f->slots[slot].sighting : NULL;
}

bool
fleet_paused(const struct fleet *f)
{
	return f->paused;
}

const char *
fleet_path(const struct fleet *f, unsigned slot)
{
	return f->slots[slot].sighting.path;
}

static enum slot_mode
mode_of(const struct slot *s)
{
	if (!s->present)
		return SLOT_NONE;
	switch (ident_kind_of(&s->sighting)) {
	case IDENT_RUNTIME:
		return SLOT_RUNTIME;
	case IDENT_DFU:
		return SLOT_DFU;
	case IDENT_OTHER:
		break;
	}
	return s->sighting.pid == 0x5740 ? SLOT_RUNTIME : SLOT_DFU;
}

static bool
is_running(const struct slot *s)
{
	return s->job != NULL && !job_published(s->job);
}

static const char *
quarantine_message(const struct slot *s)
{
	if (s->flapping)
		return "This port connects and disconnects again and again: check cable and plug, "
		       "then 'cfdfuctl port release SLOT'.";
	if (s->quarantined)
		return "This port is set aside after failures in a row: check cable, plug and hub, "
		       "then 'cfdfuctl port release SLOT'.";
	return "This drone is set aside after failures on several ports: repair it, then "
	       "'cfdfuctl port release SLOT'.";
}

/* The words of the failure that set a slot aside do not say that it was, but for these two. */
static const char *
set_aside_words(const struct slot *s)
{
	enum fault fault = s->shown.verdict.fault;

	if (fault == FAULT_FLAP || fault == FAULT_QUARANTINED)
		return NULL;
	return "Set aside after failures in a row: when that is mended, "
	       "'cfdfuctl port release SLOT'.";
}

static void
view_state(const struct fleet *f, const struct slot *s, struct slot_view *v)
{
	v->message = "";
	v->set_aside = NULL;
	if (is_running(s)) {
		bool waits = job_stage(s->job) == JOB_SWITCH;

		v->state = waits ? "waiting" : step_name(v->step);
		if (v->state == NULL)
			v->state = "waiting";
	} else if (s->ended) {
		v->state = s->present ? "ended" : "absent";
		v->message = s->shown.message;
	} else if (!s->present) {
		v->state = "absent";
	} else if (s->foreign) {
		v->state = "foreign";
		v->message = s->idle_reason != NULL ? s->idle_reason : s->shown.message;
	} else {
		v->state = "idle";
		v->message = s->idle_reason != NULL	   ? s->idle_reason
			     : s->shown.message[0] != '\0' ? s->shown.message
			     : f->paused		   ? "The station is paused."
							   : "";
	}
	if ((s->quarantined || s->drone_quarantined) && s->present && !is_running(s)) {
		v->state = "quarantined";
		if (s->ended)
			v->set_aside = set_aside_words(s);
		else
			v->message = quarantine_message(s);
	}
}

/* 0 to 99; -1 while there is nothing to tell.  WHY never less than before: what is learned under
 * way changes the sum, and a bar does not go back. */
static int
percent_of(const struct fleet *f, const struct slot *s, uint64_t now_us)
{
	uint64_t left, total;
	unsigned percent;

	if (!is_running(s) || job_stage(s->job) == JOB_ASK)
		return -1;
	job_estimate(s->job, now_us, f->boot_us, &left, &total);
	percent = total > left ? (unsigned)(100 - (left * 100 + total - 1) / total) : 0;
	percent = percent < 99 ? percent : 99;
	return (int)(percent > s->percent_kept ? percent : s->percent_kept);
}

void
fleet_keep_percent(struct fleet *f, unsigned slot, uint64_t now_us)
{
	int percent = percent_of(f, &f->slots[slot], now_us);

	if (percent > 0)
		f->slots[slot].percent_kept = (unsigned)percent;
}

static void
view_progress(const struct fleet *f, unsigned slot, uint64_t now_us, struct slot_view *v)
{
	v->eta_s = -1;
	v->percent = percent_of(f, &f->slots[slot], now_us);
	if (v->percent < 0)
		return;
	v->eta_s = fleet_eta_of(f, slot, now_us);
}

static enum slot_class
class_of(const struct fleet *f, const struct slot *s)
{
	const struct slot_facts facts = {
		.present = s->present,
		.running = is_running(s),
		.again = s->again,
		.quarantined = s->quarantined || s->drone_quarantined,
		.foreign = s->foreign,
		/* WHY not where the slot is not ours, or nothing is selected but what is set
		 * aside: there is no turn to come. */
		.held = (f->paused || f->stopping) && !s->not_ours && policy_any_to_give(f->policy),
		.verdict = s->ended ? s->shown.verdict.kind : VERDICT_NONE,
	};

	return slot_class_of(&facts);
}

/* All but how far it is. */
static void
view_slot(const struct fleet *f, unsigned slot, struct slot_view *ret_view)
{
	const struct slot *s = &f->slots[slot];
	const struct job_record *r = is_running(s) ? job_record(s->job) : &s->shown;
	struct slot_view v = { .port = s->sighting.port,
			       .present = s->present,
			       .mode = mode_of(s) };

	/* WHY: between two modes it is off the bus, but nobody has pulled it. */
	if (is_running(s) && job_stage(s->job) < JOB_ENDING)
		v.present = true;
	v.serial = r->serial;
	v.dfu_serial = r->dfu_serial;
	if (s->present && v.mode == SLOT_RUNTIME && r->serial[0] == '\0')
		v.serial = s->sighting.serial;
	if (s->present && v.mode == SLOT_DFU && r->dfu_serial[0] == '\0')
		v.dfu_serial = s->sighting.serial;
	v.platform = r->platform;
	v.version_before = r->version_before;
	v.version_after = r->version_after;
	v.attempt = r->id;
	/* WHY also during a reading or a rescue: it changes nothing of how the flashing ended. */
	if (s->ended && (!is_running(s) || r->kind != JOB_UPDATE)) {
		v.verdict = s->shown.verdict;
		v.attempt = s->shown.id;
	}
	v.step = is_running(s) ? job_step(s->job) : v.verdict.step;
	v.active = is_running(s) && (job_stage(s->job) > JOB_ASK || r->id != 0);
	v.begun = is_running(s) && !fleet_has_not_begun(s);
	v.safe_to_unplug = !v.active;
	v.retry_possible = s->present && (s->job == NULL || job_published(s->job)) && !s->foreign;
	v.class = class_of(f, s);
	view_state(f, s, &v);
	*ret_view = v;
}

void
fleet_view(const struct fleet *f, unsigned slot, uint64_t now_us, struct slot_view *ret_view)
{
	view_slot(f, slot, ret_view);
	view_progress(f, slot, now_us, ret_view);
}

void
fleet_counts(const struct fleet *f, struct fleet_counts *ret_counts)
{
	struct fleet_counts c = { 0 };

	for (unsigned i = 0; i < f->slot_count; i++) {
		struct slot_view v;

		view_slot(f, i, &v);
		c.present += v.present;
		c.active += v.active;
		c.failed += slot_class_failed(v.verdict.kind);
		c.ended[v.verdict.kind]++;
		c.of[v.class]++;
	}
	*ret_counts = c;
}

unsigned
fleet_active(const struct fleet *f)
{
	unsigned n = 0;

	for (unsigned i = 0; i < f->slot_count; i++)
		n += f->slots[i].job != NULL;
	return n;
}
