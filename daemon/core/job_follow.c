/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/job_follow.h"

#include "cfdfu/util.h"
#include "core/ident.h"
#include "core/job_message.h"
#include "core/outcome.h"

enum {
	LEAVES_WITHIN_US = 2000000, /* no disconnect after this: is it still there? */
	ASKS_AGAIN = 2,
	ASK_PAUSE_US = 1000000,
};

/* ---- decisions ------------------------------------------------------------------------------ */

/* In DFU mode a drone that we sent there starts its firmware again first. */
static void
skip(struct attempt *a, enum fault fault, const char *why, uint64_t now_us)
{
	attempt_skip(a, a->stage == JOB_FLASH && a->sent_to_dfu_by_us, fault, why, now_us);
}

void
follow_permit(struct attempt *a, enum permit permit, uint64_t now_us)
{
	a->permitted = a->permitted || permit == PERMIT_START;
	if (a->stage == JOB_SWITCH && permit == PERMIT_SWITCH)
		attempt_enter(a, JOB_REQUEST, now_us);
	else if (a->stage == JOB_FLASH)
		dfu_session_granted(a->dfu, permit);
}

void
follow_quarantine(const struct job_facts *k, struct attempt *a, const struct image *image,
		  uint64_t now_us)
{
	const struct image *pinned = a->record.image;
	char reason[JOB_MESSAGE_MAX];

	if (attempt_is_begun(a) || attempt_is_touched(a)) {
		skip(a, FAULT_IMAGE_QUARANTINED, NULL, now_us);
		return;
	}
	job_message_quarantined(k->setup->policy, pinned != NULL ? pinned : image, reason,
				sizeof(reason));
	attempt_end_idle(a, reason, now_us);
}

/* False: it has ended, or is to leave. */
static bool
carry_out(const struct job_facts *k, struct attempt *a, const struct decision *d, uint64_t now_us)
{
	struct job_record *r = &a->record;

	if (d->platform != PLATFORM_UNKNOWN)
		r->platform = d->platform;
	if (d->kind != DECIDE_QUARANTINED)
		attempt_pin(a, d->image);
	switch (d->kind) {
	case DECIDE_GO_ON:
		return true;
	case DECIDE_UNCHANGED:
		copy_text(r->version_after, sizeof(r->version_after), r->version_before);
		attempt_finish(a,
			       (struct verdict){ .kind = VERDICT_UNCHANGED, .step = STEP_ASKING },
			       "by its version, without reading back", now_us);
		break;
	case DECIDE_IDLE:
		attempt_end_idle(a, d->why, now_us);
		break;
	case DECIDE_FOREIGN:
		attempt_end_foreign(a, d->why, now_us);
		break;
	case DECIDE_QUARANTINED:
		follow_quarantine(k, a, d->image, now_us);
		break;
	case DECIDE_SKIP:
		skip(a, d->fault, d->why, now_us);
		break;
	case DECIDE_FAIL:
		attempt_fail(a, d->fault, STEP_PROBING, now_us);
		break;
	}
	return false;
}

/* All that was read back is the proof. */
static struct verdict
proven_verdict(const struct job_facts *k, const struct attempt *a, enum step step)
{
	return job_proven_verdict(k->setup->kind, dfu_session_proof(a->dfu), k->backup_error, step);
}

/* ---- run-time mode -------------------------------------------------------------------------- */

static void
asked(const struct job_facts *k, struct attempt *a, struct runtime_session *runtime, bool gone,
      uint64_t now_us)
{
	enum platform p = platform_of_device_type(k->answers->type);
	struct job_record *r = &a->record;
	struct decision d;

	copy_text(r->version_before, sizeof(r->version_before), k->answers->version);
	copy_text(r->type, sizeof(r->type), k->answers->type);
	if (p != PLATFORM_UNKNOWN)
		r->platform = p;
	if (gone) {
		attempt_await_gone(a, now_us);
		return;
	}
	if (job_is_asked_again(k) && a->asks < ASKS_AGAIN) {
		a->asks++;
		runtime_session_ask(runtime, k->setup->options->skip == JOB_SKIP_VERSION);
		attempt_pause(a, now_us + ASK_PAUSE_US);
		return;
	}
	d = job_decide_running(k);
	if (!carry_out(k, a, &d, now_us))
		return;
	if (r->condition.battery_mv < k->setup->options->low_battery_mv)
		r->low_battery_mv = r->condition.battery_mv; /* 0: unknown */
	runtime_session_reboot(runtime);
	attempt_enter(a, JOB_SWITCH, now_us);
}

const char *
follow_expected_version(const struct job_record *r)
{
	return r->image != NULL && r->kind == JOB_UPDATE ? image_label(r->image)->version : "";
}

static void
confirmed(const struct job_facts *k, struct attempt *a, uint64_t now_us)
{
	const struct crtp_answers *says = k->answers;
	struct job_record *r = &a->record;
	const char *expected = follow_expected_version(r);

	copy_text(r->version_after, sizeof(r->version_after), says->version);
	if (says->type[0] != '\0' && r->type[0] == '\0')
		copy_text(r->type, sizeof(r->type), says->type);
	if (expected[0] != '\0' && says->version[0] == '\0')
		attempt_fail(a, FAULT_SILENT, STEP_CONFIRMING, now_us);
	else if (expected[0] != '\0' && strcmp(says->version, expected) != 0)
		attempt_fail(a, FAULT_WRONG_VERSION, STEP_CONFIRMING, now_us);
	else
		attempt_finish(a, proven_verdict(k, a, STEP_CONFIRMING), NULL, now_us);
}

void
follow_runtime(const struct job_facts *k, struct attempt *a, struct runtime_session *runtime,
	       enum runtime_result result, uint64_t now_us)
{
	bool gone = result == RUNTIME_GONE;
	struct verdict v;
	const char *why;

	a->record.transfers += runtime_session_take_transfers(runtime);
	switch (result) {
	case RUNTIME_UNDER_WAY:
		return;
	case RUNTIME_ANSWERED:
	case RUNTIME_GONE:
		if (a->stage == JOB_ASK)
			asked(k, a, runtime, gone, now_us);
		else if (a->stage == JOB_LIGHT)
			attempt_enter(a, JOB_OVER, now_us);
		else if (gone)
			attempt_await_gone(a, now_us);
		else
			confirmed(k, a, now_us);
		return;
	case RUNTIME_REQUESTED:
	case RUNTIME_LEFT:
		if (result == RUNTIME_LEFT || runtime_session_left_at_once(runtime))
			attempt_await(a, JOB_AWAIT_DFU, true, k->setup->options->dfu_timeout_us,
				      now_us);
		else
			attempt_await(a, JOB_AWAIT_DFU, false, LEAVES_WITHIN_US, now_us);
		return;
	case RUNTIME_REFUSED:
		v = runtime_session_refusal(runtime, &why);
		attempt_finish(a, v, why, now_us);
		return;
	}
}

/* ---- DFU mode ------------------------------------------------------------------------------- */

void
follow_dfu_arrival(const struct job_facts *k, struct attempt *a, const struct sighting *s)
{
	const struct job_options *o = k->setup->options;
	struct job_record *r = &a->record;
	struct dfu_session_options options = {
		.probe = { .profiles = k->setup->profiles,
			   .profile_count = k->setup->profile_count,
			   .sent_by_us = a->sent_to_dfu_by_us },
		.work = { .word = o->word,
			  .compare = o->skip != JOB_SKIP_NEVER && !k->setup->force,
			  /* WHY: an erase that was cut off can leave cells that read blank and are
			     not stable. */
			  .trust_blank = !k->history->doubtful &&
					 (!k->history->known || !k->history->interrupted),
			  .loader_only = k->setup->kind == JOB_RECOVER_LOADER },
		.leave_loader = o->leave_loader,
		.obey = o->obey || r->obey,
		.stalls_early = r->obey,
	};

	attempt_account_dfu(a);
	dfu_session_begin(a->dfu, &options);
	r->no_serial = !ident_dfu_serial_valid(s->serial);
	copy_text(r->dfu_serial, sizeof(r->dfu_serial), s->serial);
	a->vanished = false;
}

/* INVARIANT: a device that could not be probed gets no attempt: a failed one would make it ours. */
bool
follow_host_failure(const struct job_facts *k, struct attempt *a, enum fault fault, uint64_t now_us)
{
	if (a->stage != JOB_FLASH || !job_is_foreign(k) || fault_class_of(fault) != CLASS_HOST)
		return false;
	attempt_end_idle(a, job_message_unopened(fault), now_us);
	return true;
}

/* DFU_STEP_DECIDE */
static void
decide(const struct job_facts *k, struct attempt *a, uint64_t now_us)
{
	struct decision d = job_decide_in_dfu(k);
	enum fault fault = FAULT_NONE;

	copy_text(a->record.board, sizeof(a->record.board), k->found->board);
	if (!carry_out(k, a, &d, now_us))
		return;
	if (d.backup)
		fault = dfu_session_prepare_backup(a->dfu);
	if (fault != FAULT_NONE)
		attempt_fail(a, fault, STEP_PROBING, now_us);
	else
		dfu_session_decided(a->dfu, k->setup->kind == JOB_BACKUP ? NULL : a->record.image,
				    a->permitted, a->row == ROW_THERE);
}

/* A loader that we brought back ourselves is no change to warn of. */
static void
note_loader(const struct job_facts *k, struct attempt *a)
{
	struct dfu_proof proof = dfu_session_proof(a->dfu);

	if (k->setup->kind == JOB_RECOVER_LOADER && proof.verified && !proof.unchanged)
		copy_text(a->record.loader_sha256, sizeof(a->record.loader_sha256),
			  k->setup->loader_sha256);
}

void
follow_dfu_left(const struct job_facts *k, struct attempt *a, uint64_t now_us)
{
	note_loader(k, a);
	attempt_account_dfu(a);
	attempt_await(a, JOB_AWAIT_RUNTIME, a->vanished, k->setup->options->boot_timeout_us,
		      now_us);
}

/* A drone that holds what it was to hold, or was not to be written, and only would not leave, has
 * not failed. */
static void
finish_failed(struct attempt *a, struct verdict v, const char *why, uint64_t now_us)
{
	if (v.step == STEP_LEAVING && attempt_is_parting(a)) {
		attempt_part_staying(a, now_us);
		return;
	}
	if (v.step == STEP_LEAVING && dfu_session_proof(a->dfu).verified) {
		v.kind = VERDICT_NEEDS_POWER_CYCLE;
		v.fault = FAULT_NO_LEAVE;
	}
	attempt_finish(a, v, why, now_us);
}

static void
failed(const struct job_facts *k, struct attempt *a, uint64_t now_us)
{
	const char *why;
	struct verdict v = dfu_session_verdict(a->dfu, &why);

	if (v.fault == FAULT_GONE) {
		attempt_await_gone(a, now_us);
		return;
	}
	/* WHY: an unknown device that fails is foreign, not a failure; it is not reset either. */
	if (follow_host_failure(k, a, v.fault, now_us))
		return;
	if (job_is_foreign(k)) {
		char reason[JOB_MESSAGE_MAX];

		job_message_foreign(why, reason, sizeof(reason));
		attempt_end_foreign(a, reason, now_us);
		return;
	}
	note_loader(k, a);
	if (!dfu_session_cure(a->dfu))
		finish_failed(a, v, why, now_us);
}

void
follow_dfu_over(const struct job_facts *k, struct attempt *a, uint64_t now_us)
{
	switch (dfu_session_result(a->dfu)) {
	case DFU_UNDER_WAY:
		return;
	case DFU_LEFT:
		follow_dfu_left(k, a, now_us);
		return;
	case DFU_STAYED: /* it has no run-time mode that we know */
		note_loader(k, a);
		attempt_finish(a, proven_verdict(k, a, STEP_LEAVING), NULL, now_us);
		return;
	case DFU_FAILED:
		failed(k, a, now_us);
		return;
	case DFU_LOST: /* it did not come back as it was: perhaps it enumerates anew */
		attempt_account_dfu(a);
		attempt_await(a, JOB_AWAIT_DFU, true, k->setup->options->dfu_timeout_us, now_us);
		return;
	}
}

void
follow_dfu_next(const struct job_facts *k, struct attempt *a, uint64_t now_us,
		struct request *ret_request)
{
	dfu_session_next(a->dfu, now_us, ret_request);
	if (ret_request->kind == REQUEST_NOTHING && dfu_session_at(a->dfu) == DFU_STEP_DECIDE) {
		decide(k, a, now_us);
		if (a->stage == JOB_FLASH)
			dfu_session_next(a->dfu, now_us, ret_request);
	}
	if (ret_request->kind == REQUEST_OVER) {
		ret_request->kind = REQUEST_NOTHING;
		follow_dfu_over(k, a, now_us);
		if (a->stage == JOB_FLASH && dfu_session_at(a->dfu) == DFU_STEP_RESET)
			dfu_session_next(a->dfu, now_us, ret_request);
	}
	if (ret_request->kind == REQUEST_BEGIN && !attempt_begin(a, ret_request))
		ret_request->kind = REQUEST_NOTHING;
}
