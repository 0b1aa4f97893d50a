/* SPDX-License-Identifier: MIT */
/* The part of a job that speaks to a drone in run-time mode: asking, the reboot request,
 * confirming, the light. */
#include "config.h"

#include "core/job_parts.h"

#include "cfdfu/util.h"
#include "core/ident.h"
#include "core/release.h"

enum {
	REQUEST_TIMEOUT_MS = 1000,
	LEAVES_WITHIN_US = 2000000, /* no disconnect after this: is it still there? */
	DEVICE_DESCRIPTOR_BYTES = 18,
	REQUEST_TRIES = 3,
	LOOK_TRIES = 3,
	COME_BACK_TRIES = 3,
	CONFIRM_TRIES = 4,
	CONFIRM_PAUSE_US = 1000000, /* the firmware's services start after its USB */
};

/* ---- asking --------------------------------------------------------------------------------- */

void
talk_begin_ask(struct job *j, uint64_t now_us)
{
	(void)now_us;
	j->stage = JOB_ASK; /* only at a job's beginning, where it already is */
	crtp_ask(&j->crtp, j->setup.options->skip == JOB_SKIP_VERSION, j->setup.toc);
}

static bool
version_proves_it(const struct job *j)
{
	const struct image_label *label = image_label(j->record.image);
	const struct crtp_answers *a = &j->answers;

	if (j->setup.options->skip != JOB_SKIP_VERSION || j->setup.force)
		return false;
	/* WHY: the text is a label; only a clean build of the same commit comes near to proof. */
	return label->version[0] != '\0' && strcmp(label->version, a->version) == 0 &&
	       a->build_known && !a->modified && label->revision[0] != '\0' &&
	       strcmp(label->revision, a->revision) == 0;
}

static void
skip_with(struct job *j, enum fault fault, enum step step, const char *why, uint64_t now_us)
{
	job_finish(j, (struct verdict){ .kind = VERDICT_SKIPPED, .fault = fault, .step = step },
		   why, now_us);
}

/* The drone said who it is: is there something to do? */
static void
decide_update(struct job *j, uint64_t now_us)
{
	struct policy_drone d = { .port = j->record.port,
				  .path = j->setup.path,
				  .label = j->setup.label,
				  .runtime_serial = j->record.serial,
				  .dfu_serial = j->record.dfu_serial,
				  .crtp = j->record.platform };
	struct policy_choice choice;

	switch (policy_choose(j->setup.policy, &d, &choice)) { /* NEVER: another value */
	case POLICY_USE:
		j->record.platform = choice.platform;
		j->record.image = image_ref(choice.image);
		if (version_proves_it(j)) {
			copy_text(j->record.version_after, sizeof(j->record.version_after),
				  j->answers.version);
			job_finish(
			    j, (struct verdict){ .kind = VERDICT_UNCHANGED, .step = STEP_ASKING },
			    "by its version, without reading back", now_us);
			return;
		}
		job_enter(j, JOB_SWITCH, now_us);
		return;
	case POLICY_ASK_OTP:
		job_enter(j, JOB_SWITCH, now_us);
		return;
	case POLICY_NO_IMAGE:
		job_end_idle(j, choice.why, now_us);
		return;
	case POLICY_QUARANTINED:
		choose_leave_aside(j, choice.image, now_us);
		return;
	case POLICY_DISAGREE:
		skip_with(j, FAULT_PLATFORM, STEP_ASKING, choice.why, now_us);
		return;
	case POLICY_UNKNOWN:
		skip_with(j, FAULT_PLATFORM_UNKNOWN, STEP_ASKING, choice.why, now_us);
		return;
	}
}

static void
asked(struct job *j, uint64_t now_us)
{
	enum platform p;

	j->answers = j->crtp.answers;
	j->record.transfers += j->crtp.transfers;
	if (j->crtp.toc.known)
		*j->setup.toc = j->crtp.toc;
	copy_text(j->record.version_before, sizeof(j->record.version_before), j->answers.version);
	copy_text(j->record.type, sizeof(j->record.type), j->answers.type);
	p = platform_of_device_type(j->answers.type);
	if (p != PLATFORM_UNKNOWN)
		j->record.platform = p;
	if (crtp_gone(&j->crtp)) {
		job_await_gone(j, now_us);
		return;
	}
	if (j->setup.kind == JOB_UPDATE)
		decide_update(j, now_us);
	else
		job_enter(j, JOB_SWITCH, now_us);
}

/* ---- the mode switch ------------------------------------------------------------------------ */

/* JOB_SWITCH: a place among the active, the row on disk, then a turn to switch. */
void
talk_switch_next(struct job *j, uint64_t now_us, struct request *w)
{
	/* WHY: which image it will be is not known without the OTP; the row follows before the
	 * first erase. */
	bool row = j->begun == BEGUN_NO && j->record.image != NULL;

	if (now_us < j->pause_until_us) {
		w->kind = REQUEST_PAUSE;
		w->until_us = j->pause_until_us;
		return;
	}
	if (j->waiting_permit || j->begun == BEGUN_ASKED)
		return;
	if (row && j->started) {
		j->begun = BEGUN_ASKED;
		w->kind = REQUEST_BEGIN;
		return;
	}
	j->waiting_permit = true;
	j->permit_asked_us = now_us;
	w->kind = REQUEST_PERMIT;
	w->permit = j->started ? PERMIT_SWITCH : PERMIT_START;
}

static void
requested(struct job *j, enum usb_status status, uint64_t now_us)
{
	j->record.transfers++;
	j->touched = true;
	/* The return code says little (doc/protocol.md 2.2): the bus decides. */
	j->request_error = status != USB_OK;
	j->vanished = status == USB_GONE;
	job_enter(j, JOB_AWAIT_DFU, now_us);
	j->deadline_us =
	    now_us + (j->vanished ? j->setup.options->dfu_timeout_us : LEAVES_WITHIN_US);
}

static void
needs_button(struct job *j, uint64_t now_us)
{
	job_finish(j,
		   (struct verdict){ .kind = VERDICT_NEEDS_BUTTON,
				     .fault = FAULT_TOO_OLD,
				     .step = STEP_REBOOTING },
		   NULL, now_us);
}

/*
 * JOB_AWAIT_DFU: nothing came in time.  WHY it is asked before anything is said of it: a hub full
 * of devices on their way keeps the word of a disconnect back for seconds.
 */
void
talk_on_deadline(struct job *j, uint64_t now_us)
{
	if (j->reset_verdict.kind != VERDICT_NONE) {
		job_finish(j, j->reset_verdict, "it did not come back from a reset of the port",
			   now_us);
	} else if (j->vanished) {
		job_fail(j, FAULT_NO_DFU, STEP_REBOOTING, now_us);
	} else {
		j->look = true;
		job_enter(j, JOB_SWITCH, now_us);
	}
}

/* JOB_REQUEST, after a request that did not make it leave the bus, as far as we were told. */
static void
looked(struct job *j, enum usb_status status, uint64_t now_us)
{
	bool answers = status == USB_OK || status == USB_STALL || status == USB_OVERFLOW;
	enum release_age age;

	j->record.transfers++;
	if (!answers && status != USB_GONE && ++j->look_tries < LOOK_TRIES)
		return; /* asked again */
	j->look = false;
	j->look_tries = 0;
	if (!answers) {
		job_enter(j, JOB_AWAIT_DFU, now_us);
		j->vanished = true;
		j->deadline_us = now_us + j->setup.options->dfu_timeout_us;
		return;
	}
	/* SPEC: firmware before 2022.03 answers with success and stays (doc/protocol.md 2.2).
	 * WHY asked again unless it says to be that old: success and no reboot, once, is also what
	 * a request looks like that got lost in newer firmware. */
	age = release_age(j->answers.version, 2022, 3);
	if ((j->request_error || age != RELEASE_OLDER) && ++j->request_tries < REQUEST_TRIES)
		return; /* the request once more */
	if (j->request_error)
		job_fail(j, j->answers.answered ? FAULT_NO_DFU : FAULT_SILENT, STEP_REBOOTING,
			 now_us);
	else if (age == RELEASE_NOT_OLDER)
		job_finish(
		    j,
		    (struct verdict){
			.kind = VERDICT_FAIL, .fault = FAULT_NO_DFU, .step = STEP_REBOOTING },
		    "it accepted the request three times; its version says that it can", now_us);
	else
		needs_button(j, now_us);
}

/* JOB_AWAIT_DFU: it came back in run-time mode; the marker was lost, or the ROM not entered. */
bool
talk_sighted_again(struct job *j, const struct sighting *s, uint64_t now_us)
{
	(void)s;
	j->vanished = j->look = false;
	if (++j->come_back_tries < COME_BACK_TRIES)
		job_enter(j, JOB_SWITCH, now_us);
	else
		job_fail(j, FAULT_NO_DFU, STEP_REBOOTING, now_us);
	return true;
}

/* ---- confirming ----------------------------------------------------------------------------- */

void
talk_begin_confirm(struct job *j, uint64_t now_us)
{
	job_enter(j, JOB_CONFIRM, now_us);
	crtp_ask(&j->crtp, false, NULL);
}

static void
passed(struct job *j, uint64_t now_us)
{
	struct verdict v = { .kind = j->unchanged ? VERDICT_UNCHANGED : VERDICT_PASS,
			     .step = STEP_CONFIRMING };

	if (j->setup.kind == JOB_BACKUP)
		v = job_backup_verdict(j, STEP_CONFIRMING);
	else if (!j->verified)
		v = (struct verdict){ .kind = VERDICT_FAIL,
				      .fault = FAULT_VERIFY,
				      .step = STEP_VERIFYING };
	job_finish(j, v, NULL, now_us);
}

static void
confirmed(struct job *j, uint64_t now_us)
{
	const struct crtp_answers *a = &j->crtp.answers;
	const char *expected = j->record.image != NULL && j->setup.kind == JOB_UPDATE
				   ? image_label(j->record.image)->version
				   : "";

	j->record.transfers += j->crtp.transfers;
	if (crtp_gone(&j->crtp)) {
		job_await_gone(j, now_us);
		return;
	}
	/* WHY: an answer can be cut or garbled on its way; a wrong version is wrong every time. */
	if ((!a->answered || (expected[0] != '\0' && strcmp(a->version, expected) != 0)) &&
	    ++j->confirm_tries < CONFIRM_TRIES) {
		crtp_ask(&j->crtp, false, NULL);
		j->pause_until_us = now_us + CONFIRM_PAUSE_US;
		return;
	}
	copy_text(j->record.version_after, sizeof(j->record.version_after), a->version);
	if (a->type[0] != '\0' && j->record.type[0] == '\0')
		copy_text(j->record.type, sizeof(j->record.type), a->type);
	if (expected[0] == '\0')
		passed(j, now_us); /* the image carries no version to ask for */
	else if (a->version[0] == '\0')
		job_fail(j, FAULT_SILENT, STEP_CONFIRMING, now_us);
	else if (strcmp(a->version, expected) != 0)
		job_fail(j, FAULT_WRONG_VERSION, STEP_CONFIRMING, now_us);
	else
		passed(j, now_us);
}

/* ---- the light ------------------------------------------------------------------------------ */

void
talk_begin_light(struct job *j, uint64_t now_us)
{
	(void)now_us;
	crtp_show(&j->crtp,
		  j->record.verdict.kind == VERDICT_FAIL ? CRTP_LIGHT_FAIL : CRTP_LIGHT_PASS);
}

/* ---- transfers ------------------------------------------------------------------------------ */

static void
conversation_over(struct job *j, uint64_t now_us)
{
	switch (j->stage) { /* NEVER: another stage has a conversation */
	case JOB_ASK:
		asked(j, now_us);
		return;
	case JOB_CONFIRM:
		confirmed(j, now_us);
		return;
	case JOB_LIGHT:
		job_enter(j, JOB_OVER, now_us);
		return;
	case JOB_SWITCH:
	case JOB_REQUEST:
	case JOB_AWAIT_DFU:
	case JOB_FLASH:
	case JOB_AWAIT_RUNTIME:
	case JOB_ENDING:
	case JOB_OVER:
	case JOB_STAGE_COUNT:
		return;
	}
}

static void
want_request(struct request *w)
{
	w->kind = REQUEST_XFER;
	w->xfer = (struct usb_xfer){
		.kind = USB_CONTROL,
		/* SPEC: wIndex 2 = reboot into the ROM's DFU mode (doc/protocol.md 2.2). */
		.setup = { 0x40, 0x01, 0x0001, 2, 0 },
		.timeout_ms = REQUEST_TIMEOUT_MS,
	};
}

/* Any device answers this, whatever it is busy with. */
static void
want_look(struct request *w)
{
	w->kind = REQUEST_XFER;
	w->xfer = (struct usb_xfer){
		.kind = USB_CONTROL,
		.setup = { 0x80, 0x06, 0x0100, 0, DEVICE_DESCRIPTOR_BYTES },
		.length = DEVICE_DESCRIPTOR_BYTES,
		.timeout_ms = REQUEST_TIMEOUT_MS,
	};
}

void
talk_next(struct job *j, uint64_t now_us, struct request *w)
{
	if (now_us < j->pause_until_us) {
		w->kind = REQUEST_PAUSE;
		w->until_us = j->pause_until_us;
		return;
	}
	if (j->stage == JOB_REQUEST) {
		j->touched = true; /* WHY: whatever comes of it, it may be on its way */
		if (j->look)
			want_look(w);
		else
			want_request(w);
		return;
	}
	if (!crtp_over(&j->crtp))
		crtp_next(&j->crtp, now_us, w);
}

void
talk_ended(struct job *j, enum usb_status status, const uint8_t *data, size_t length,
	   uint64_t now_us)
{
	if (j->stage == JOB_REQUEST) {
		if (j->look)
			looked(j, status, now_us);
		else
			requested(j, status, now_us);
		return;
	}
	crtp_ended(&j->crtp, status, data, length, now_us);
	if (crtp_over(&j->crtp))
		conversation_over(j, now_us);
}
