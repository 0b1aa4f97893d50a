/* SPDX-License-Identifier: MIT */
/* The slots of a fleet as they are shown, one by one and counted. */
#include "config.h"

#include <string.h>

#include "cfdfu/dfu.h"
#include "cfdfu/util.h"
#include "core/fleet.h"
#include "core/fleet_internal.h"
#include "core/outcome.h"

unsigned
fleet_slots(const struct fleet *f)
{
	return f->slots.count;
}

bool
fleet_is_used(const struct fleet *f, unsigned slot)
{
	return slots_is_used(&f->slots, slot);
}

uint64_t
fleet_stay(const struct fleet *f, unsigned slot)
{
	return f->slots.list[slot].stay;
}

uint64_t
fleet_given_back(const struct fleet *f)
{
	return f->slots.given_back;
}

uint64_t
fleet_revision(const struct fleet *f, unsigned slot)
{
	return f->slots.list[slot].told.revision;
}

const struct sighting *
fleet_sighting(const struct fleet *f, unsigned slot)
{
	return f->slots.list[slot].present ? &f->slots.list[slot].sighting : NULL;
}

const char *
fleet_port(const struct fleet *f, unsigned slot)
{
	return f->slots.list[slot].sighting.port;
}

bool
fleet_paused(const struct fleet *f)
{
	return f->slots.paused;
}

const char *
fleet_path(const struct fleet *f, unsigned slot)
{
	return f->slots.list[slot].sighting.path;
}

static enum slot_mode
mode_of(const struct slot *s)
{
	if (!s->present)
		return SLOT_NONE;
	return s->sighting.pid == ST_VCP_PID ? SLOT_RUNTIME : SLOT_DFU;
}

static const char *const quarantine_reasons[] = {
	[PORT_QUARANTINE_NONE] = "",
	[PORT_QUARANTINE_FAILURES] = "failures in a row",
	[PORT_QUARANTINE_FLAPPING] = "connects and disconnects again and again",
	[PORT_QUARANTINE_CRASHES] = "active in three crashes of the service in a row",
};

const char *
fleet_quarantine_reason(enum port_quarantine why)
{
	return quarantine_reasons[why];
}

enum port_quarantine
fleet_quarantine_by_reason(const char *reason)
{
	for (unsigned i = PORT_QUARANTINE_CRASHES; i > PORT_QUARANTINE_FAILURES; i--)
		if (reason != NULL && strstr(reason, quarantine_reasons[i]) != NULL)
			return (enum port_quarantine)i;
	return PORT_QUARANTINE_FAILURES;
}

static const char *
quarantine_message(const struct slot *s)
{
	switch (s->quarantine.port) {
	case PORT_QUARANTINE_FLAPPING:
		return "This port connects and disconnects again and again: check cable and plug, "
		       "then 'cfdfuctl port release SLOT'.";
	case PORT_QUARANTINE_CRASHES:
		return "This port was at work in crashes of the service: read the journal, then "
		       "'cfdfuctl port release SLOT'.";
	case PORT_QUARANTINE_FAILURES:
		return "This port is set aside after failures in a row: check cable, plug and hub, "
		       "then 'cfdfuctl port release SLOT'.";
	case PORT_QUARANTINE_NONE:
		break;
	}
	return "This drone is set aside after failures on several ports: repair it, then "
	       "'cfdfuctl port release SLOT'.";
}

const char *
slot_state_name(enum slot_state state, enum step step)
{
	static const char *const names[] = {
		[SLOT_ABSENT] = "absent",   [SLOT_IDLE] = "idle",
		[SLOT_FOREIGN] = "foreign", [SLOT_QUARANTINED] = "quarantined",
		[SLOT_WAITING] = "waiting", [SLOT_ENDED] = "ended",
	};

	return state == SLOT_WORKING ? step_name(step) : names[state];
}

static enum slot_state
state_of(const struct slot *s)
{
	if (slot_is_at_work(s))
		return job_stage(s->job) == JOB_SWITCH || job_step(s->job) == STEP_NONE
			   ? SLOT_WAITING
			   : SLOT_WORKING;
	if (!s->present)
		return SLOT_ABSENT;
	if (slot_is_quarantined(s))
		return SLOT_QUARANTINED;
	if (s->ending.ended)
		return SLOT_ENDED;
	return s->ending.foreign ? SLOT_FOREIGN : SLOT_IDLE;
}

static const char *
message_of(const struct fleet *f, const struct slot *s, enum slot_state state)
{
	const struct slot_ending *e = &s->ending;
	const char *waits = fleet_batch_wait(f, s);

	if (slot_is_at_work(s))
		return waits != NULL ? waits : "";
	if (e->ended)
		return e->shown.message;
	if (state == SLOT_ABSENT)
		return "";
	if (state == SLOT_QUARANTINED)
		return quarantine_message(s);
	if (e->idle_reason != NULL)
		return e->idle_reason;
	if (state == SLOT_FOREIGN || e->shown.message[0] != '\0')
		return e->shown.message;
	if (f->slots.paused && batch_stopped(f->batch)[0] != '\0')
		return batch_stopped(f->batch);
	return f->slots.paused ? "The station is paused." : "";
}

static enum slot_class
class_of(const struct fleet *f, const struct slot *s)
{
	const struct slot_facts facts = {
		.present = s->present,
		.running = slot_is_at_work(s),
		.again = s->next.again ||
			 (s->whole.ordered && job_kind_is_recorded(s->whole.order.kind)),
		.quarantined = slot_is_quarantined(s),
		.foreign = s->ending.foreign,
		/* WHY not for a foreign slot, in a batch that has stopped, or when all selected
		 * images are quarantined: no start will come. */
		.held = (f->slots.paused || f->slots.stopping) && !s->foreign_port &&
			batch_stopped(f->batch)[0] == '\0' && policy_any_to_give(f->slots.policy),
		.verdict = s->ending.ended ? s->ending.shown.verdict.kind : VERDICT_NONE,
	};

	return slot_class_of(&facts);
}

/* Words for a drone whose bytes are right: to take it away means that it is ready
 * (doc/promises.md 1, promise 9). */
static const char *
whole_words(const struct slot *s, const struct slot_view *v)
{
	const struct readiness *r = &s->ending.shown.readiness;
	bool good = v->verdict.kind == VERDICT_PASS || v->verdict.kind == VERDICT_UNCHANGED;

	if (!good || !v->present || v->mode == SLOT_DFU || v->platform == PLATFORM_OTHER)
		return NULL;
	if (r->under_way)
		return "Leave it plugged in: it is being looked at as a whole.";
	if (slot_is_at_work(s))
		return verdict_advice(VERDICT_NONE);
	if (r->ready == READY_YES)
		return "It is ready: take it away.";
	for (enum rest i = 0; i < REST_COUNT; i++)
		if ((r->rests & BIT(i)) != 0)
			return r->text[i];
	return r->unknown[0] != '\0' ? r->unknown : NULL;
}

/* All but how far it is. */
static void
view_slot(const struct fleet *f, unsigned slot, struct slot_view *ret_view)
{
	const struct slot *s = &f->slots.list[slot];
	const struct job_record *r = slot_is_at_work(s) ? job_record(s->job) : &s->ending.shown;
	/* WHY: one that speaks to the running drone only learns nothing of its STM32. */
	const struct job_record *stm32 = job_kind_reboots(r->kind) ? r : &s->ending.shown;
	struct slot_view v = { .port = s->sighting.port,
			       .present = s->present,
			       .mode = mode_of(s),
			       .platform = stm32->platform,
			       .serial = stm32->serial,
			       .dfu_serial = stm32->dfu_serial,
			       .version_before = stm32->version_before,
			       .version_after = stm32->version_after,
			       .attempt = r->id,
			       .in_batch = s->in_batch };

	/* WHY: between two modes it is off the bus, but was not pulled. */
	if (slot_is_running(s) && job_stage(s->job) < JOB_ENDING)
		v.present = true;
	if (s->present && v.mode == SLOT_RUNTIME && v.serial[0] == '\0')
		v.serial = s->sighting.serial;
	if (s->present && v.mode == SLOT_DFU && v.dfu_serial[0] == '\0')
		v.dfu_serial = s->sighting.serial;
	/* WHY also during a reading or a rescue: it changes nothing of how the flashing ended. */
	if (s->ending.ended && (!slot_is_at_work(s) || r->kind != JOB_UPDATE)) {
		v.verdict = s->ending.shown.verdict;
		v.attempt = s->ending.shown.id;
		v.in_batch = s->ending.in_batch;
	}
	v.step = slot_is_at_work(s) ? job_step(s->job) : v.verdict.step;
	v.active = slot_is_at_work(s) && (job_stage(s->job) > JOB_ASK || r->id != 0);
	v.begun = slot_is_at_work(s) && !slot_has_not_begun(s);
	v.retry_possible =
	    s->present && !slot_is_at_work(s) && !s->ending.foreign && !s->whole.ordered;
	v.class = class_of(f, s);
	v.state = state_of(s);
	v.message = message_of(f, s, v.state);
	if (v.state == SLOT_QUARANTINED && s->ending.ended)
		v.quarantine_words = "Set aside after failures in a row: when that is mended, "
				     "'cfdfuctl port release SLOT'.";
	v.whole_words = whole_words(s, &v);
	*ret_view = v;
}

/* Until an update has ended, what was seen by it; then what holds for the slot. */
static const struct job_record *
slot_whole(const struct slot *s)
{
	return slot_is_running(s) && job_kind_reboots(job_record(s->job)->kind) ? job_record(s->job)
										: &s->ending.shown;
}

void
fleet_view(const struct fleet *f, unsigned slot, uint64_t now_us, struct slot_view *ret_view)
{
	view_slot(f, slot, ret_view);
	ret_view->percent = slot_percent(&f->slots.list[slot], now_us);
	ret_view->condition = &slot_whole(&f->slots.list[slot])->condition;
	ret_view->readiness = &slot_whole(&f->slots.list[slot])->readiness;
}

int
fleet_slot_eta_s(const struct fleet *f, unsigned slot, uint64_t now_us)
{
	return eta_of_slot(&f->eta, slot, now_us);
}

int
fleet_eta_s(const struct fleet *f, uint64_t now_us)
{
	return eta_of_all(&f->eta, now_us);
}

void
fleet_counts(const struct fleet *f, struct fleet_counts *ret_counts)
{
	struct fleet_counts c = { 0 };

	for (unsigned i = 0; i < f->slots.count; i++) {
		struct slot_view v;

		if (!fleet_is_used(f, i))
			continue;
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

	for (unsigned i = 0; i < f->slots.count; i++)
		n += f->slots.list[i].job != NULL;
	return n;
}

const char *
fleet_common_cause(const struct fleet *f, unsigned slot)
{
	const struct slot *s = &f->slots.list[slot];
	bool common =
	    s->job != NULL ? job_record(s->job)->common : s->ending.ended && s->ending.shown.common;

	return common ? s->cause.text : NULL;
}
