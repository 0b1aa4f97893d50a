/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/job_travel.h"

#include "cfdfu/util.h"
#include "core/checkup.h"
#include "core/ident.h"
#include "core/job_follow.h"

enum {
	CRASHES = 2,		     /* that are borne at the first question of one job */
	RETURNS_WITHIN_US = 3000000, /* from a crash: it starts at once, in 1.4 s */
};

/* The meaning of the drone's leaving the bus. */
static const enum {
	DEPARTURE_ENDS,	    /* it was pulled */
	DEPARTURE_REBOOTS,  /* ... unless it was asked to reboot, and was slow to go */
	DEPARTURE_LEAVES,   /* ... unless it was asked to leave DFU mode */
	DEPARTURE_EXPECTED, /* it is on its way from one mode to the other */
	DEPARTURE_CRASHES,  /* ... unless it was asked too early, and resets itself */
	DEPARTURE_CYCLES,   /* its power is switched off and on */
	DEPARTURE_DARK,	    /* only the light was still to be shown */
	DEPARTURE_NOTHING,
} departures[JOB_STAGE_COUNT] = {
	[JOB_ASK] = DEPARTURE_ENDS,	   [JOB_SWITCH] = DEPARTURE_REBOOTS,
	[JOB_REQUEST] = DEPARTURE_REBOOTS, [JOB_AWAIT_DFU] = DEPARTURE_EXPECTED,
	[JOB_FLASH] = DEPARTURE_LEAVES,	   [JOB_AWAIT_RUNTIME] = DEPARTURE_EXPECTED,
	[JOB_CONFIRM] = DEPARTURE_CRASHES, [JOB_CHECK] = DEPARTURE_ENDS,
	[JOB_WRITE] = DEPARTURE_ENDS,	   [JOB_SHOW] = DEPARTURE_ENDS,
	[JOB_RESTART] = DEPARTURE_CYCLES,  [JOB_AWAIT_RESTART] = DEPARTURE_CYCLES,
	[JOB_ENDING] = DEPARTURE_NOTHING,  [JOB_LIGHT] = DEPARTURE_DARK,
	[JOB_OVER] = DEPARTURE_NOTHING,
};

void
travel_departed(const struct job_facts *k, struct attempt *a, const struct runtime_session *runtime,
		uint64_t now_us)
{
	switch (departures[a->stage]) {
	case DEPARTURE_NOTHING:
		return;
	case DEPARTURE_DARK:
		attempt_enter(a, JOB_OVER, now_us);
		return;
	case DEPARTURE_EXPECTED:
		attempt_has_vanished(a,
				     a->stage == JOB_AWAIT_DFU ? k->setup->options->dfu_timeout_us
							       : k->setup->options->boot_timeout_us,
				     now_us);
		return;
	case DEPARTURE_REBOOTS:
		if (!k->touched)
			break;
		/* WHY: asked before and slow to go; that it goes now is what was asked for. */
		attempt_await(a, JOB_AWAIT_DFU, true, k->setup->options->dfu_timeout_us, now_us);
		return;
	case DEPARTURE_LEAVES:
		if (dfu_session_at(a->dfu) != DFU_STEP_LEAVE)
			break;
		/* Left before the answer came: the bus has decided (doc/protocol.md 3.6). */
		a->vanished = true;
		follow_dfu_left(k, a, now_us);
		return;
	case DEPARTURE_CYCLES:
		if (a->stage == JOB_RESTART)
			attempt_await(a, JOB_AWAIT_RESTART, true, 0, now_us);
		attempt_has_vanished(a, checkup_return_us(&a->record.condition), now_us);
		return;
	case DEPARTURE_CRASHES:
		if (!runtime_session_crashed(runtime) || ++a->crashes > CRASHES)
			break;
		attempt_await(a, JOB_AWAIT_RUNTIME, true, RETURNS_WITHIN_US, now_us);
		return;
	case DEPARTURE_ENDS:
		a->crashes += runtime_session_crashed(runtime);
		break;
	}
	attempt_stop(a, VERDICT_FAIL, FAULT_GONE, now_us);
}

bool
travel_is_same_drone(const struct job_record *r, const struct sighting *s)
{
	enum ident_match match = IDENT_DIFFERENT;
	bool named = r->serial[0] != '\0'; /* its run-time serial is known */

	switch (ident_kind_of(s)) {
	case IDENT_RUNTIME:
		match = named ? ident_runtime_runtime(r->serial, s->serial)
			      : ident_runtime_dfu(s->serial, r->dfu_serial);
		break;
	case IDENT_DFU:
		match = named ? ident_runtime_dfu(r->serial, s->serial)
			      : ident_dfu_dfu(r->dfu_serial, s->serial);
		break;
	case IDENT_OTHER:
		return false;
	}
	return match != IDENT_DIFFERENT;
}

/* In DFU mode while it is on its way there, or on its way back. */
static void
dfu_sighted(const struct job_facts *k, struct attempt *a, const struct sighting *s, uint64_t now_us)
{
	static const struct verdict stays = { .kind = VERDICT_NEEDS_POWER_CYCLE,
					      .step = STEP_BOOTING };

	if (a->stage == JOB_AWAIT_DFU) {
		/* INVARIANT: a device found in DFU mode does not become ours by leaving the bus. */
		a->sent_to_dfu_by_us = !a->record.adopted;
		attempt_enter(a, JOB_FLASH, now_us);
		follow_dfu_arrival(k, a, s);
	} else if (!attempt_part(a, now_us)) {
		/* Left, and came back to the ROM: BOOT0 is high until power is removed
		 * (doc/protocol.md 2.2). */
		attempt_finish(a, stays, NULL, now_us);
	}
}

static void
runtime_sighted(struct attempt *a, struct runtime_session *runtime, const struct sighting *s,
		uint64_t now_us)
{
	struct job_record *r = &a->record;

	if (a->stage == JOB_AWAIT_DFU) {
		/* The marker was lost, or the ROM not entered. */
		a->vanished = false;
		if (!runtime_session_may_ask_again(runtime)) {
			attempt_fail(a, FAULT_NO_DFU, STEP_REBOOTING, now_us);
			return;
		}
		runtime_session_reboot(runtime);
		attempt_enter(a, JOB_SWITCH, now_us);
		return;
	}
	if (r->serial[0] == '\0')
		copy_text(r->serial, sizeof(r->serial), s->serial);
	if (attempt_part(a, now_us))
		return;
	checkup_started_anew(&r->condition, false);
	r->condition.crashed_early = a->crashes > 0;
	attempt_enter(a, JOB_CONFIRM, now_us);
	runtime_session_confirm(runtime, follow_expected_version(r));
}

void
travel_arrived(const struct job_facts *k, struct attempt *a, struct runtime_session *runtime,
	       const struct sighting *s, uint64_t now_us)
{
	if (ident_kind_of(s) == IDENT_RUNTIME)
		runtime_sighted(a, runtime, s, now_us);
	else
		dfu_sighted(k, a, s, now_us);
}

/*
 * JOB_AWAIT_DFU: nothing came in time.  WHY it is asked before anything is said of it: a hub full
 * of devices on their way keeps the word of a disconnect back for seconds.
 */
static void
dfu_is_late(struct attempt *a, struct runtime_session *runtime, bool present, uint64_t now_us)
{
	struct verdict uncured = dfu_session_uncured(a->dfu);

	if (uncured.kind != VERDICT_NONE) {
		attempt_finish(a, uncured, "it did not come back from a reset of the port", now_us);
	} else if (a->vanished) {
		/* WHY: only the bus's word tells a dark one from one that does not answer. */
		attempt_fail(a, present ? FAULT_NO_DFU : FAULT_DARK, STEP_REBOOTING, now_us);
	} else {
		runtime_session_ping(runtime);
		attempt_enter(a, JOB_SWITCH, now_us);
	}
}

/* JOB_AWAIT_RUNTIME: it has not come back in time. */
static void
runtime_is_late(struct attempt *a, bool present, uint64_t now_us)
{
	struct verdict v = { .kind = VERDICT_NEEDS_POWER_CYCLE, .step = STEP_BOOTING };

	if (attempt_part(a, now_us))
		return;
	if (a->crashes > 0) { /* it was no crash: it was pulled, and is not back */
		attempt_fail(a, FAULT_GONE, STEP_CONFIRMING, now_us);
		return;
	}
	if (!a->vanished) {
		/* Still there in DFU mode: once more, from the beginning. */
		if (present && dfu_session_leave_again(a->dfu)) {
			attempt_enter(a, JOB_FLASH, now_us);
			return;
		}
		v.fault = FAULT_NO_LEAVE;
		v.step = STEP_LEAVING;
	} else if (!a->record.adopted && dfu_session_uncured(a->dfu).kind == VERDICT_NONE) {
		/* WHY: a drone that answers after a reset of the port may have been put into DFU
		 * mode by its button meanwhile; then it stays there until power is removed. */
		v.kind = VERDICT_FAIL;
		v.fault = FAULT_NO_BOOT;
	}
	attempt_finish(a, v, NULL, now_us);
}

void
travel_is_late(struct attempt *a, struct runtime_session *runtime, bool present, uint64_t now_us)
{
	if (a->stage == JOB_AWAIT_DFU)
		dfu_is_late(a, runtime, present, now_us);
	else
		runtime_is_late(a, present, now_us);
}
