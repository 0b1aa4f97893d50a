/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/job.h"

#include <errno.h>
#include <stdlib.h>

#include "cfdfu/util.h"
#include "core/ident.h"
#include "core/checkup.h"
#include "core/job_checkup.h"
#include "core/job_decide.h"
#include "core/job_follow.h"
#include "core/job_internal.h"
#include "core/job_message.h"
#include "core/job_travel.h"

/* The session that speaks to the drone in a stage, and needs its device open. */
enum partner { PARTNER_NONE, PARTNER_RUNTIME, PARTNER_DFU };

static const enum partner partners[JOB_STAGE_COUNT] = {
	[JOB_ASK] = PARTNER_RUNTIME,	 [JOB_REQUEST] = PARTNER_RUNTIME,
	[JOB_CONFIRM] = PARTNER_RUNTIME, [JOB_LIGHT] = PARTNER_RUNTIME,
	[JOB_CHECK] = PARTNER_RUNTIME,	 [JOB_WRITE] = PARTNER_RUNTIME,
	[JOB_SHOW] = PARTNER_RUNTIME,	 [JOB_RESTART] = PARTNER_RUNTIME,
	[JOB_FLASH] = PARTNER_DFU,
};

static struct job_facts
facts(struct job *j)
{
	return (struct job_facts){ .setup = &j->setup,
				   .record = &j->attempt.record,
				   .history = &j->history,
				   .answers = runtime_session_answers(&j->runtime),
				   .found = dfu_session_found(&j->dfu),
				   .sent_by_us = j->attempt.sent_to_dfu_by_us,
				   .begun = attempt_is_begun(&j->attempt),
				   .touched = attempt_is_touched(&j->attempt),
				   .modified = dfu_session_proof(&j->dfu).modified,
				   .write = &j->write,
				   .backup_error = j->backup_error };
}

static void
begin_flash(struct job *j, const struct sighting *s)
{
	struct job_facts k = facts(j);

	follow_dfu_arrival(&k, &j->attempt, s);
}

/* ---- beginning and end ---------------------------------------------------------------------- */

void
job_learn(struct job *j, const struct sighting *s, const struct drone_history *history)
{
	history_learn(&j->history, history, s);
}

void
job_shares_serial(struct job *j)
{
	j->attempt.record.dup_serial = true;
}

static void
begin_running(struct job *j, uint64_t now_us)
{
	struct job_facts k = facts(j);

	if (job_kind_reboots(j->setup.kind)) {
		runtime_session_ask(&j->runtime, j->options.skip == JOB_SKIP_VERSION);
		return;
	}
	attempt_pin(&j->attempt, j->setup.release);
	checkup_begin(&k, &j->attempt, &j->runtime, now_us);
}

int
job_new(const struct job_setup *setup, const struct sighting *s,
	const struct drone_history *history, uint64_t now_us, struct job **ret_job)
{
	struct job *j = calloc(1, sizeof(*j));
	struct job_record *r;

	if (j == NULL)
		return -ENOMEM;
	r = &j->attempt.record;
	j->setup = *setup;
	j->options = *setup->options;
	j->setup.options = &j->options;
	j->setup.image = setup->image != NULL ? image_ref(setup->image) : NULL;
	j->setup.release = setup->release != NULL ? image_ref(setup->release) : NULL;
	if (setup->condition != NULL)
		r->condition = *setup->condition;
	if (j->options.link_patience_us < setup->patience_us)
		j->options.link_patience_us = setup->patience_us;
	j->attempt.dfu = &j->dfu;
	j->history = history_of(history, s);
	r->platform = j->history.platform;
	r->obey = j->history.obey;
	j->present = true;
	j->attempt.step_since_us = now_us;
	runtime_session_init(&j->runtime, setup->toc, &r->condition);
	runtime_session_appeared(&j->runtime, j->options.link_patience_us, now_us);
	r->kind = setup->kind;
	job_message_target(r, setup->deck);
	r->retry = setup->retry;
	copy_text(r->port, sizeof(r->port), s->port);
	if (ident_kind_of(s) == IDENT_RUNTIME) {
		copy_text(r->serial, sizeof(r->serial), s->serial);
		copy_text(r->dfu_serial, sizeof(r->dfu_serial), j->history.dfu_serial);
		begin_running(j, now_us);
	} else {
		r->adopted = true;
		copy_text(r->serial, sizeof(r->serial), j->history.serial);
		j->attempt.stage = JOB_FLASH;
		begin_flash(j, s);
	}
	j->attempt.last_step = attempt_step(&j->attempt);
	*ret_job = j;
	return 0;
}

void
job_free(struct job *j)
{
	if (j == NULL)
		return;
	dfu_session_free(&j->dfu);
	image_unref(j->attempt.record.image);
	image_unref(j->setup.image);
	image_unref(j->setup.release);
	free(j);
}

/* ---- what it requests ----------------------------------------------------------------------- */

static bool
wants_light(const struct job *j)
{
	enum verdict_kind v = j->attempt.record.verdict.kind;
	enum step last = j->attempt.last_step;

	if (!j->options.light || !j->present || j->handle.state != HANDLE_OPEN)
		return false;
	return (v == VERDICT_PASS || v == VERDICT_UNCHANGED || v == VERDICT_FAIL) &&
	       (last == STEP_CONFIRMING || last == STEP_ASKING);
}

/* Does the stage have no use for an open device? */
static bool
device_is_idle(const struct job *j)
{
	if (j->handle.state != HANDLE_OPEN || j->attempt.stage == JOB_SWITCH)
		return false;
	if (j->attempt.stage == JOB_ENDING)
		return !wants_light(j);
	return partners[j->attempt.stage] == PARTNER_NONE;
}

static void
stage_next(struct job *j, uint64_t now_us, struct request *req)
{
	struct job_facts k = facts(j);

	switch (j->attempt.stage) { /* NEVER: another value */
	case JOB_REQUEST:
		j->attempt.rebooted = true; /* WHY: it may reboot even if the request fails */
		runtime_session_next(&j->runtime, now_us, req);
		return;
	case JOB_WRITE:
	case JOB_ASK:
	case JOB_CONFIRM:
	case JOB_LIGHT:
	case JOB_CHECK:
	case JOB_SHOW:
	case JOB_RESTART:
		if (j->attempt.stage == JOB_WRITE && j->attempt.row != ROW_THERE)
			(void)attempt_begin(&j->attempt, req);
		else
			runtime_session_next(&j->runtime, now_us, req);
		return;
	case JOB_SWITCH:
		attempt_switch_next(&j->attempt, req);
		return;
	case JOB_FLASH:
		follow_dfu_next(&k, &j->attempt, now_us, req);
		return;
	case JOB_ENDING:
		/* The row, if there is none yet, then its ending; both durable before the verdict
		 * is told. */
		if (!attempt_begin(&j->attempt, req))
			(void)attempt_end(&j->attempt, req);
		return;
	case JOB_OVER:
		req->kind = REQUEST_OVER;
		return;
	case JOB_AWAIT_DFU:
	case JOB_AWAIT_RUNTIME:
	case JOB_AWAIT_RESTART:
	case JOB_STAGE_COUNT:
		return;
	}
}

/* Ended from outside in the middle of a conversation: the link goes back before the close, or the
 * drone would be deaf to its radio. */
static bool
unlinks(struct job *j)
{
	return j->attempt.stage >= JOB_ENDING && j->present && !j->unlinked &&
	       runtime_session_linked(&j->runtime);
}

static void
unlink_next(struct job *j, uint64_t now_us, struct request *req)
{
	if (!j->unlinking)
		runtime_session_unlink(&j->runtime);
	j->unlinking = true;
	runtime_session_next(&j->runtime, now_us, req);
	j->unlinked = req->kind != REQUEST_XFER;
}

/* One more try, in this stage; NOTHING with the stage changed: try again. */
static void
try_next(struct job *j, uint64_t now_us, struct request *req)
{
	if (device_is_idle(j) && unlinks(j))
		unlink_next(j, now_us, req);
	if (req->kind != REQUEST_NOTHING) {
		return;
	} else if (device_is_idle(j)) {
		j->handle.state = HANDLE_CLOSED;
		req->kind = REQUEST_CLOSE;
	} else if (partners[j->attempt.stage] != PARTNER_NONE &&
		   j->handle.state == HANDLE_OPENING) {
		return;
	} else if (attempt_is_paused(&j->attempt, now_us, req)) {
		return;
	} else if (partners[j->attempt.stage] != PARTNER_NONE && !handle_is_open(&j->handle)) {
		j->handle.state = HANDLE_OPENING;
		req->kind = REQUEST_OPEN;
	} else {
		stage_next(j, now_us, req);
	}
}

void
job_next(struct job *j, uint64_t now_us, struct request *ret_request)
{
	enum job_stage stage;

	memset(ret_request, 0, sizeof(*ret_request));
	if (job_is_busy(j))
		return;
	if (j->handle.state == HANDLE_BUSY) {
		/* Ended from outside: closing takes back what is in flight. */
		j->handle.state = HANDLE_CLOSED;
		ret_request->kind = REQUEST_CLOSE;
		return;
	}
	do {
		stage = j->attempt.stage;
		try_next(j, now_us, ret_request);
		/* WHY: a conversation that has just ended may have moved the job on. */
	} while (ret_request->kind == REQUEST_NOTHING && j->attempt.stage != stage);
	if (ret_request->kind == REQUEST_XFER)
		j->handle.state = HANDLE_BUSY;
	if (ret_request->kind == REQUEST_PERMIT && !attempt_ask_permit(&j->attempt, now_us))
		ret_request->kind = REQUEST_NOTHING;
}

/* ---- events --------------------------------------------------------------------------------- */

void
job_opened(struct job *j, int error, const uint8_t *descriptors, size_t length, uint64_t now_us)
{
	struct attempt *a = &j->attempt;
	struct job_facts k = facts(j);
	struct handle_failure failure;

	if (j->handle.state != HANDLE_OPENING)
		return;
	j->handle.state = error == 0 ? HANDLE_OPEN : HANDLE_CLOSED;
	if (a->stage >= JOB_ENDING)
		return;
	if (error == 0) {
		j->handle.open_tries = 0;
		if (a->stage == JOB_FLASH)
			dfu_session_opened(&j->dfu, descriptors, length);
		return;
	}
	if ((error == -ENODEV || error == -ENOENT) && a->stage == JOB_REQUEST && a->rebooted) {
		job_gone(j, now_us); /* on its way already; the bus will say so, too */
		return;
	}
	failure = handle_open_failed(&j->handle, error, k.touched);
	if (failure.retry_us > 0) {
		attempt_pause(a, now_us + failure.retry_us);
		return;
	}
	if (error == -ENODEV && !k.begun && !k.touched) {
		attempt_stop(a, VERDICT_FAIL, FAULT_GONE, now_us);
		return;
	}
	if (follow_host_failure(&k, a, failure.fault, now_us))
		return;
	attempt_finish(a,
		       (struct verdict){ .kind = VERDICT_FAIL,
					 .fault = failure.fault,
					 .step = attempt_step(a),
					 .sys_errno = -error },
		       NULL, now_us);
}

/* The host had none for a transfer: requested again; a DFU session counts for itself. */
static bool
waits_for_memory(struct job *j, uint64_t now_us)
{
	if (j->attempt.stage == JOB_FLASH && dfu_session_is_patient(&j->dfu))
		return false;
	return attempt_waits_for_memory(&j->attempt, now_us);
}

void
job_ended(struct job *j, enum usb_status status, const uint8_t *data, size_t length,
	  uint64_t now_us)
{
	enum partner partner = partners[j->attempt.stage];
	bool resetting = dfu_session_at(&j->dfu) == DFU_STEP_RESET;
	enum runtime_result result;
	struct job_facts k;

	if (j->handle.state != HANDLE_BUSY)
		return; /* nothing was in flight */
	j->handle.state = HANDLE_OPEN;
	if (status == USB_NOMEM && waits_for_memory(j, now_us))
		return;
	if (j->unlinking) {
		result = runtime_session_ended(&j->runtime, status, data, length, now_us);
		j->unlinked = result != RUNTIME_UNDER_WAY;
	} else if (partner == PARTNER_RUNTIME) {
		result = runtime_session_ended(&j->runtime, status, data, length, now_us);
		k = facts(j);
		if (job_kind_reboots(j->setup.kind))
			follow_runtime(&k, &j->attempt, &j->runtime, result, now_us);
		else
			checkup_follow(&k, &j->attempt, &j->runtime, result, now_us);
	} else if (partner == PARTNER_DFU) {
		dfu_session_ended(&j->dfu, status, data, length, now_us);
		k = facts(j);
		if (resetting)
			follow_dfu_over(&k, &j->attempt, now_us);
	}
	attempt_account_step(&j->attempt, now_us);
}

void
job_granted(struct job *j, enum permit permit, uint64_t now_us)
{
	struct attempt *a = &j->attempt;
	struct job_facts k = facts(j);

	attempt_granted(a, now_us);
	/* WHY: each permit but the last is before the first erase, and may have been long to wait
	 * for. */
	if (permit != PERMIT_LEAVE && job_is_barred(&k) && (a->stage == JOB_FLASH || !k.touched))
		follow_quarantine(&k, a, NULL, now_us);
	else
		follow_permit(a, permit, now_us);
	attempt_account_step(a, now_us);
}

void
job_recorded(struct job *j, int error, int64_t id, uint64_t now_us)
{
	struct attempt *a = &j->attempt;
	bool durable = attempt_recorded(a, error, id, j->options.attempt_timeout_us, now_us);

	if (!durable || a->row == ROW_THERE) {
		dfu_session_recorded(&j->dfu, durable);
	} else if (!wants_light(j)) {
		attempt_enter(a, JOB_OVER, now_us);
	} else {
		attempt_enter(a, JOB_LIGHT, now_us);
		runtime_session_light(&j->runtime, a->record.verdict.kind == VERDICT_FAIL
						       ? CRTP_LIGHT_FAIL
						       : CRTP_LIGHT_PASS);
	}
}

void
job_digest(struct job *j, const char *sha256_hex, bool recognised)
{
	attempt_note_loader(&j->attempt, sha256_hex, recognised, j->history.loader_sha256);
	dfu_session_digested(&j->dfu);
}

void
job_backed_up(struct job *j, int error)
{
	j->backup_error = error;
	dfu_session_saved(&j->dfu);
}

void
job_gone(struct job *j, uint64_t now_us)
{
	struct job_facts k = facts(j);

	j->present = false;
	j->handle.state = HANDLE_CLOSED;
	travel_departed(&k, &j->attempt, &j->runtime, now_us);
}

void
job_stop(struct job *j, enum verdict_kind kind, enum fault fault, uint64_t now_us)
{
	attempt_stop(&j->attempt, kind, fault, now_us);
}

bool
job_sighted(struct job *j, const struct sighting *s, uint64_t now_us)
{
	struct attempt *a = &j->attempt;
	struct job_facts k = facts(j);

	j->present = job_awaits(j) && travel_is_same_drone(&a->record, s);
	if (j->present && ident_kind_of(s) == IDENT_RUNTIME)
		runtime_session_appeared(
		    &j->runtime, attempt_patience_us(a, j->options.link_patience_us), now_us);
	if (j->present && a->stage == JOB_AWAIT_RESTART) {
		j->present = ident_kind_of(s) == IDENT_RUNTIME;
		checkup_returned(a, &j->runtime, j->present, now_us);
	} else if (j->present)
		travel_arrived(&k, a, &j->runtime, s, now_us);
	else if (job_awaits(j))
		attempt_fail(a, FAULT_WRONG_SERIAL, attempt_step(a), now_us);
	return j->present;
}

void
job_allow_contention(struct job *j, unsigned others)
{
	attempt_allow_contention(&j->attempt, others);
}

void
job_tick(struct job *j, uint64_t now_us)
{
	struct attempt *a = &j->attempt;

	if (attempt_is_late(a, now_us)) {
		if (a->stage == JOB_AWAIT_RESTART)
			checkup_is_late(a, now_us);
		else if (job_awaits(j))
			travel_is_late(a, &j->runtime, j->present, now_us);
		else
			job_gone(j, now_us); /* a transfer said so */
	}
	if (attempt_is_out_of_time(a, now_us))
		attempt_fail(a, FAULT_DEADLINE, attempt_step(a), now_us);
}
