/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/attempt.h"

#include <assert.h>

#include "cfdfu/util.h"
#include "core/job_message.h"
#include "core/outcome.h"

enum {
	STORAGE_RETRY_US = 1000000,
	GONE_WITHIN_US = 500000,
	NOMEM_TRIES = 50, /* 5 s for the host to find memory (doc/faults.md K6) */
	NOMEM_PAUSE_US = 100000,
	PATIENCE_US = 500000,
	LONG_PATIENCE_US = 3000000,
	ENUMERATION_US = 1000000, /* one takes 0.42 s in Linux 6.1, with some slack */
};

static const struct {
	unsigned next;
	enum step step; /* FLASH: as the session says; from ENDING on: as it was last */
} stages[JOB_STAGE_COUNT] = {
#define S(x) BIT(JOB_##x)
	[JOB_ASK] = { S(SWITCH) | S(CHECK) | S(WRITE) | S(SHOW) | S(ENDING) | S(OVER),
		      STEP_ASKING },
	[JOB_SWITCH] = { S(REQUEST) | S(AWAIT_DFU) | S(ENDING) | S(OVER), STEP_REBOOTING },
	[JOB_REQUEST] = { S(AWAIT_DFU) | S(ENDING) | S(OVER), STEP_REBOOTING },
	[JOB_AWAIT_DFU] = { S(SWITCH) | S(FLASH) | S(ENDING) | S(OVER), STEP_REBOOTING },
	[JOB_FLASH] = { S(FLASH) | S(AWAIT_RUNTIME) | S(AWAIT_DFU) | S(ENDING) | S(OVER) },
	[JOB_AWAIT_RUNTIME] = { S(CONFIRM) | S(FLASH) | S(ENDING), STEP_BOOTING },
	[JOB_CONFIRM] = { S(CONFIRM) | S(AWAIT_RUNTIME) | S(ENDING), STEP_CONFIRMING },
	[JOB_CHECK] = { S(RESTART) | S(WRITE) | S(ENDING) | S(OVER), STEP_CHECKING },
	[JOB_WRITE] = { S(ENDING) | S(OVER), STEP_WRITING },
	[JOB_SHOW] = { S(OVER), STEP_ASKING },
	[JOB_RESTART] = { S(AWAIT_RESTART) | S(OVER), STEP_CYCLING },
	[JOB_AWAIT_RESTART] = { S(CHECK) | S(OVER), STEP_CYCLING },
	[JOB_ENDING] = { S(LIGHT) | S(OVER) },
	[JOB_LIGHT] = { S(OVER) },
	[JOB_OVER] = { 0 },
#undef S
};

bool
job_kind_is_recorded(enum job_kind kind)
{
	return kind != JOB_CHECKUP && kind != JOB_IDENTIFY;
}

/* ---- stages --------------------------------------------------------------------------------- */

void
attempt_enter(struct attempt *a, enum job_stage stage, uint64_t now_us)
{
	assert((stages[a->stage].next & BIT(stage)) != 0);
	a->stage = stage;
	a->pause_until_us = 0;
	a->deadline_us = 0;
	a->contention_us = 0;
	a->waiting_permit = false;
	a->nomem_tries = 0;
	attempt_account_step(a, now_us);
}

void
attempt_await(struct attempt *a, enum job_stage stage, bool vanished, uint32_t within_us,
	      uint64_t now_us)
{
	attempt_enter(a, stage, now_us);
	a->vanished = vanished;
	a->deadline_us = now_us + within_us;
}

void
attempt_has_vanished(struct attempt *a, uint32_t within_us, uint64_t now_us)
{
	a->vanished = true;
	a->deadline_us = now_us + within_us;
	a->contention_us = 0;
}

void
attempt_await_gone(struct attempt *a, uint64_t now_us)
{
	if (a->deadline_us == 0)
		a->deadline_us = now_us + GONE_WITHIN_US;
}

void
attempt_allow_contention(struct attempt *a, unsigned others)
{
	uint64_t contention_us = (uint64_t)others * ENUMERATION_US;

	/* A drone that has perhaps not even left is asked whether it is still there. */
	if (!a->vanished ? a->stage != JOB_AWAIT_RUNTIME && a->stage != JOB_AWAIT_RESTART
			 : a->stage != JOB_AWAIT_DFU && a->stage != JOB_AWAIT_RUNTIME &&
			       a->stage != JOB_AWAIT_RESTART)
		return;
	if (contention_us <= a->contention_us)
		return;
	a->deadline_us += contention_us - a->contention_us;
	a->contention_us = contention_us;
}

/* ---- endings -------------------------------------------------------------------------------- */

void
attempt_finish(struct attempt *a, struct verdict v, const char *why, uint64_t now_us)
{
	if (a->stage >= JOB_ENDING)
		return; /* the first ending counts */
	if (!job_kind_is_recorded(a->record.kind)) {
		attempt_end_idle(a, why != NULL ? why : fault_sentence(v.fault), now_us);
		return;
	}
	attempt_account_dfu(a);
	a->record.verdict = v;
	job_message_compose(&a->record, a->dfu, why);
	attempt_enter(a, JOB_ENDING, now_us);
	a->whole_deadline_us = 0;
}

void
attempt_fail(struct attempt *a, enum fault fault, enum step step, uint64_t now_us)
{
	struct verdict v = { .kind = VERDICT_FAIL, .fault = fault, .step = step };

	attempt_finish(a, v, NULL, now_us);
}

void
attempt_end_idle(struct attempt *a, const char *reason, uint64_t now_us)
{
	assert(a->row == ROW_NONE);
	copy_text(a->record.message, sizeof(a->record.message), reason);
	attempt_enter(a, JOB_OVER, now_us);
}

void
attempt_end_foreign(struct attempt *a, const char *reason, uint64_t now_us)
{
	attempt_account_dfu(a);
	a->foreign = true;
	attempt_end_idle(a, reason, now_us);
}

void
attempt_stop(struct attempt *a, enum verdict_kind kind, enum fault fault, uint64_t now_us)
{
	struct verdict v = { .kind = kind, .fault = fault, .step = attempt_step(a) };

	if (a->stage >= JOB_ENDING)
		return;
	a->cut_short = fault != FAULT_GONE;
	if (!job_kind_is_recorded(a->record.kind) || (a->row == ROW_NONE && !attempt_is_touched(a)))
		attempt_end_idle(a,
				 fault == FAULT_GONE ? "Unplugged before anything was done."
						     : "Stopped before anything was done.",
				 now_us);
	else
		attempt_finish(a, v, NULL, now_us);
}

void
attempt_skip(struct attempt *a, bool starts_again, enum fault fault, const char *why,
	     uint64_t now_us)
{
	struct verdict v = { .kind = VERDICT_SKIPPED, .fault = fault, .step = attempt_step(a) };

	if (v.step == STEP_ERASING)
		v.step = STEP_COMPARING; /* it only waits for its permit to erase */
	if (!starts_again) {
		attempt_finish(a, v, why, now_us);
		return;
	}
	a->parting = v;
	a->parting_why = why;
	dfu_session_only_leave(a->dfu);
}

bool
attempt_is_parting(const struct attempt *a)
{
	return a->parting.kind != VERDICT_NONE;
}

bool
attempt_part(struct attempt *a, uint64_t now_us)
{
	if (!attempt_is_parting(a))
		return false;
	attempt_finish(a, a->parting, a->parting_why, now_us);
	return true;
}

void
attempt_part_staying(struct attempt *a, uint64_t now_us)
{
	attempt_finish(a, a->parting,
		       "it would not leave DFU mode: remove USB and, if there is one, the battery, "
		       "then plug it in again",
		       now_us);
}

/* ---- the disk ------------------------------------------------------------------------------- */

bool
attempt_begin(struct attempt *a, struct request *ret_request)
{
	if (a->row != ROW_NONE)
		return false;
	a->row = ROW_ASKED;
	ret_request->kind = REQUEST_BEGIN;
	return true;
}

bool
attempt_end(struct attempt *a, struct request *ret_request)
{
	if (a->row != ROW_THERE)
		return false;
	a->row = ROW_ENDING;
	ret_request->kind = REQUEST_END;
	return true;
}

bool
attempt_recorded(struct attempt *a, int error, int64_t id, uint64_t whole_us, uint64_t now_us)
{
	bool begins = a->row == ROW_ASKED;

	if (error < 0) /* nothing is told, nothing goes on */
		a->pause_until_us = now_us + STORAGE_RETRY_US;
	if (!begins && a->row != ROW_ENDING)
		return false;
	if (error < 0) {
		a->row = begins ? ROW_NONE : ROW_THERE;
		return false;
	}
	a->row = begins ? ROW_THERE : ROW_PUBLISHED;
	if (begins) {
		a->record.id = id;
		if (a->stage < JOB_ENDING)
			a->whole_deadline_us = now_us + whole_us;
	}
	return true;
}

void
attempt_switch_next(struct attempt *a, struct request *ret_request)
{
	/* WHY: which image it will be is not known without the OTP; the row follows before the
	 * first erase. */
	if (a->permitted && a->record.image != NULL && a->row != ROW_THERE) {
		(void)attempt_begin(a, ret_request); /* false: it is asked for already */
		return;
	}
	ret_request->kind = REQUEST_PERMIT;
	ret_request->permit = a->permitted ? PERMIT_SWITCH : PERMIT_START;
}

/* ---- permits and time ----------------------------------------------------------------------- */

bool
attempt_ask_permit(struct attempt *a, uint64_t now_us)
{
	if (a->waiting_permit)
		return false;
	a->waiting_permit = true;
	a->permit_asked_us = now_us;
	return true;
}

void
attempt_granted(struct attempt *a, uint64_t now_us)
{
	a->waiting_permit = false;
	/* WHY: standing in a queue is not the drone's fault. */
	if (a->whole_deadline_us != 0)
		a->whole_deadline_us += now_us - a->permit_asked_us;
}

uint32_t
attempt_longer_patience_us(unsigned crashes)
{
	/* While it tidies its store the firmware needs up to 3 s (doc/beyond-dfu.md 11.1). */
	return crashes == 0 ? 0 : crashes == 1 ? PATIENCE_US : LONG_PATIENCE_US;
}

uint32_t
attempt_patience_us(const struct attempt *a, uint32_t usual_us)
{
	uint32_t longer_us = attempt_longer_patience_us(a->crashes);

	return longer_us > usual_us ? longer_us : usual_us;
}

void
attempt_pause(struct attempt *a, uint64_t until_us)
{
	a->pause_until_us = until_us;
}

bool
attempt_waits_for_memory(struct attempt *a, uint64_t now_us)
{
	if (a->nomem_tries++ >= NOMEM_TRIES)
		return false;
	a->pause_until_us = now_us + NOMEM_PAUSE_US;
	return true;
}

bool
attempt_is_paused(const struct attempt *a, uint64_t now_us, struct request *ret_request)
{
	if (now_us >= a->pause_until_us)
		return false;
	ret_request->kind = REQUEST_PAUSE;
	ret_request->until_us = a->pause_until_us;
	return true;
}

bool
attempt_is_late(struct attempt *a, uint64_t now_us)
{
	if (a->deadline_us == 0 || now_us < a->deadline_us)
		return false;
	a->deadline_us = 0;
	return true;
}

bool
attempt_is_out_of_time(const struct attempt *a, uint64_t now_us)
{
	return a->whole_deadline_us != 0 && now_us >= a->whole_deadline_us && !a->waiting_permit;
}

uint64_t
attempt_deadline_us(const struct attempt *a)
{
	uint64_t at = a->deadline_us != 0 ? a->deadline_us : UINT64_MAX;

	if (a->whole_deadline_us != 0 && a->whole_deadline_us < at && !a->waiting_permit)
		at = a->whole_deadline_us;
	return at;
}

/* ---- the record ----------------------------------------------------------------------------- */

void
attempt_account_step(struct attempt *a, uint64_t now_us)
{
	enum step step = attempt_step(a);

	a->record.stage_us[a->last_step] += now_us - a->step_since_us;
	a->step_since_us = now_us;
	a->last_step = step;
}

void
attempt_account_dfu(struct attempt *a)
{
	struct job_record *r = &a->record;
	struct dfu_account done;

	dfu_session_take_account(a->dfu, &done);
	r->bytes_written += done.bytes_written;
	r->sectors_erased += done.sectors_erased;
	r->transfers += done.transfers;
	r->obey = r->obey || done.stalls_early;
	r->word_refused = r->word_refused || done.word_refused;
	if (done.has_plan)
		r->repairs = done.repairs;
}

void
attempt_note_loader(struct attempt *a, const char *sha256_hex, bool recognised, const char *known)
{
	struct job_record *r = &a->record;

	copy_text(r->loader_sha256, sizeof(r->loader_sha256), sha256_hex);
	r->loader_read = true;
	r->loader_blank = dfu_session_found(a->dfu)->loader_blank;
	r->loader_recognised = recognised;
	r->loader_changed = known[0] != '\0' && strcmp(known, sha256_hex) != 0;
}

void
attempt_pin(struct attempt *a, struct image *image)
{
	if (a->record.image != NULL || image == NULL)
		return;
	a->record.image = image_ref(image);
}

enum step
attempt_step(const struct attempt *a)
{
	if (a->stage == JOB_FLASH)
		return dfu_session_step(a->dfu);
	return a->stage < JOB_ENDING ? stages[a->stage].step : a->last_step;
}

bool
attempt_is_begun(const struct attempt *a)
{
	return a->row != ROW_NONE;
}

bool
attempt_is_touched(const struct attempt *a)
{
	return a->rebooted || dfu_session_proof(a->dfu).modified;
}

uint64_t
attempt_boot_left_us(const struct attempt *a, uint64_t now_us, uint64_t boot_us)
{
	const uint64_t *spent = a->record.stage_us;
	uint64_t passed = spent[STEP_BOOTING] + spent[STEP_CONFIRMING];

	if (a->stage < JOB_AWAIT_RUNTIME)
		return boot_us;
	if (a->stage > JOB_CONFIRM)
		return 0;
	passed += now_us > a->step_since_us ? now_us - a->step_since_us : 0;
	return passed < boot_us ? boot_us - passed : 0;
}
