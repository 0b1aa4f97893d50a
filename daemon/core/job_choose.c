/* SPDX-License-Identifier: MIT */
/*
 * Which image a job writes, and whether it still may: the policy's answer for the drone in DFU
 * mode, and images that are set aside while the job is under way.
 */
#include "config.h"

#include "core/job_parts.h"

#include "cfdfu/util.h"

void
choose_use(struct job *j, struct image *image)
{
	if (j->record.image != NULL)
		return; /* pinned when the job began (doc/promises.md 3) */
	j->record.image = image_ref(image);
}

bool
choose_has_written(const struct job *j)
{
	const struct dfuse_counters *c = &j->flash.dfuse.counters;

	return j->record.bytes_written + c->bytes_written > 0 ||
	       j->record.sectors_erased + c->erases > 0;
}

void
choose_skip(struct job *j, enum fault fault, const char *why, uint64_t now_us)
{
	struct verdict v = { .kind = VERDICT_SKIPPED, .fault = fault, .step = job_step(j) };

	if (v.step == STEP_ERASING)
		v.step = STEP_COMPARING; /* it only waits for its turn to erase */
	if (j->stage != JOB_FLASH || !j->own) {
		job_finish(j, v, why, now_us);
		return;
	}
	/* A drone that we sent here starts its firmware again first. */
	j->parting = v;
	j->parting_why = why;
	j->only_leave = true;
	if (flash_stage(&j->flash) == FLASH_WRITE_TURN)
		flash_only_leave(&j->flash);
}

/* ---- images that are set aside -------------------------------------------------------------- */

bool
choose_barred(const struct job *j)
{
	return j->setup.kind == JOB_UPDATE && j->record.image != NULL && !choose_has_written(j) &&
	       policy_quarantined(j->setup.policy, image_label(j->record.image)->sha256) != NULL;
}

void
choose_leave_aside(struct job *j, const struct image *image, uint64_t now_us)
{
	const struct image_label *label =
	    image_label(j->record.image != NULL ? j->record.image : image);
	char reason[JOB_MESSAGE_MAX];

	if (j->begun != BEGUN_NO || j->touched) {
		choose_skip(j, FAULT_IMAGE_QUARANTINED, NULL, now_us);
		return;
	}
	(void)snprintf(reason, sizeof(reason),
		       "Its firmware %s is set aside: %s. Select another, or lift that with "
		       "'cfdfuctl firmware release %s'.",
		       label->name, policy_quarantined(j->setup.policy, label->sha256),
		       label->name);
	job_end_idle(j, reason, now_us);
}

/* ---- deciding in DFU mode ------------------------------------------------------------------- */

/*
 * INVARIANT: the pinned image is held against the OTP itself, for the policy judges what is
 * selected now, which may be another image or none.
 */
static bool
pinned_image_fits(const struct job *j, const struct policy_drone *d, enum platform taken_for)
{
	unsigned fits = image_label(j->record.image)->platforms;

	if (d->board != 0 && d->crtp != PLATFORM_UNKNOWN && (d->board & BIT(d->crtp)) == 0)
		return false;
	if (fits == 0)
		return true;
	return (d->board == 0 || (fits & d->board) != 0) &&
	       (taken_for == PLATFORM_UNKNOWN || (fits & BIT(taken_for)) != 0);
}

bool
choose_image(struct job *j, uint64_t now_us)
{
	const struct flash *f = &j->flash;
	struct policy_drone d = {
		.port = j->record.port,
		.path = j->setup.path,
		.label = j->setup.label,
		.runtime_serial = j->record.serial,
		.dfu_serial = j->record.dfu_serial,
		.crtp = f->profile->family ? j->record.platform : PLATFORM_OTHER,
		.board_read = f->otp == FLASH_OTP_TYPE ||
			      (f->otp == FLASH_OTP_BLANK && (j->own || j->history.known)),
	};
	struct policy_choice choice;
	enum policy_answer answer;

	if (f->otp == FLASH_OTP_TYPE)
		d.board = platforms_of_board(f->board);
	else if (d.board_read)
		d.board = platforms_of_board(
		    "CF20"); /* SPEC: what the firmware assumes (doc/protocol.md 9.4) */
	answer = policy_choose(j->setup.policy, &d, &choice);
	if (j->record.image != NULL && !pinned_image_fits(j, &d, choice.platform)) {
		choose_skip(
		    j, FAULT_PLATFORM,
		    "the firmware that this attempt began with is for another platform than the "
		    "drone's OTP says",
		    now_us);
		return false;
	}
	if (answer == POLICY_NO_IMAGE && j->record.image == NULL) {
		if (!j->touched) /* no image, no row: it has not begun */
			job_end_idle(j, choice.why, now_us);
		else
			choose_skip(j, FAULT_PLATFORM, choice.why, now_us);
		return false;
	}
	if (choose_barred(j) || (answer == POLICY_QUARANTINED && j->record.image == NULL)) {
		choose_leave_aside(j, choice.image, now_us);
		return false;
	}
	if (answer == POLICY_USE || answer == POLICY_NO_IMAGE || answer == POLICY_QUARANTINED) {
		/* INVARIANT: a selection that changes under way does not change a running job. */
		if (choice.platform != PLATFORM_UNKNOWN)
			j->record.platform = choice.platform;
		if (answer == POLICY_USE)
			choose_use(j, choice.image);
		return true;
	}
	choose_skip(j, answer == POLICY_DISAGREE ? FAULT_PLATFORM : FAULT_PLATFORM_UNKNOWN,
		    choice.why, now_us);
	return false;
}
