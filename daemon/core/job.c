/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/job.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "cfdfu/util.h"
#include "core/ident.h"
#include "core/job_parts.h"
#include "core/outcome.h"

enum {
	OPEN_TRIES = 10,
	OPEN_RETRY_US =
	    200000, /* EACCES right after arrival: udev is at work (doc/protocol.md 10, row 9) */
	BUSY_RETRY_US = 500000, /* another program has it (doc/faults.md U17) */
	BUSY_COST = 3,		/* ... which is worth three of the ten tries */
	STORAGE_RETRY_US = 1000000,
	NOMEM_TRIES = 50, /* 5 s for the host to find memory (doc/faults.md K6) */
	NOMEM_PAUSE_US = 100000,
	GONE_WITHIN_US = 500000, /* the bus confirms within this what a transfer said */
};

static const struct {
	const char *name;
	unsigned next;
	bool device; /* needs the device open */
} stages[JOB_STAGE_COUNT] = {
#define S(x) BIT(JOB_##x)
	[JOB_ASK] = { "ask", S(SWITCH) | S(ENDING) | S(OVER), true },
	[JOB_SWITCH] = { "switch", S(REQUEST) | S(AWAIT_DFU) | S(ENDING) | S(OVER), false },
	[JOB_REQUEST] = { "request", S(AWAIT_DFU) | S(ENDING) | S(OVER), true },
	[JOB_AWAIT_DFU] = { "await-dfu", S(SWITCH) | S(FLASH) | S(ENDING) | S(OVER), false },
	[JOB_FLASH] = { "flash", S(FLASH) | S(AWAIT_RUNTIME) | S(AWAIT_DFU) | S(ENDING) | S(OVER),
			true },
	[JOB_AWAIT_RUNTIME] = { "await-runtime", S(CONFIRM) | S(FLASH) | S(ENDING), false },
	[JOB_CONFIRM] = { "confirm", S(CONFIRM) | S(ENDING), true },
	[JOB_ENDING] = { "ending", S(LIGHT) | S(OVER), false },
	[JOB_LIGHT] = { "light", S(OVER), true },
	[JOB_OVER] = { "over", 0, false },
#undef S
};

static void
account_step(struct job *j, uint64_t now_us)
{
	enum step step = job_step(j);

	j->record.stage_us[j->last_step] += now_us - j->step_since_us;
	j->step_since_us = now_us;
	j->last_step = step;
}

/* The only place where the stage changes. */
void
job_enter(struct job *j, enum job_stage stage, uint64_t now_us)
{
	assert((stages[j->stage].next & BIT(stage)) != 0);
	j->stage = stage;
	j->pause_until_us = 0;
	j->deadline_us = 0;
	j->crowd_us = 0;
	j->waiting_permit = false;
	j->nomem_tries = 0;
	account_step(j, now_us);
}

/* A DFU serial is about this drone only if no other drone shows the same one (notes 1.3). */
static bool
history_tells(const struct drone_history *history, const struct sighting *s)
{
	return ident_kind_of(s) == IDENT_RUNTIME ||
	       (ident_dfu_serial_valid(s->serial) && !history->shares_dfu_serial);
}

/* WHY: "interrupted" and doubt are said of the port where the serial says nothing. */
static void
take_history(struct job *j, const struct drone_history *history, const struct sighting *s)
{
	j->history.known = j->history.interrupted = history->interrupted;
	j->history.doubtful = history->doubtful;
	j->history.shares_dfu_serial = history->shares_dfu_serial;
	j->history.described_as = history->described_as;
	if (history_tells(history, s))
		j->history = *history;
	j->record.platform = j->history.platform;
	j->record.obey = j->history.obey;
}

void
job_learn(struct job *j, const struct sighting *s, const struct drone_history *history)
{
	/* WHY: its run-time serial may be new to the records, and its DFU serial not. */
	if (history->known && history->interrupted && history_tells(history, s))
		j->history.doubtful = true;
}

void
job_shares_serial(struct job *j)
{
	j->record.dup_serial = true;
}

int
job_new(const struct job_setup *setup, const struct sighting *s,
	const struct drone_history *history, uint64_t now_us, struct job **ret_job)
{
	struct job *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return -ENOMEM;
	j->setup = *setup;
	j->options = *setup->options;
	j->setup.options = &j->options;
	j->setup.image = setup->image != NULL ? image_ref(setup->image) : NULL;
	take_history(j, history, s);
	j->present = true;
	j->arrival = s->arrival;
	j->step_since_us = now_us;
	j->record.kind = setup->kind;
	j->record.retry = setup->retry;
	copy_text(j->record.port, sizeof(j->record.port), s->port);
	if (ident_kind_of(s) == IDENT_RUNTIME) {
		copy_text(j->record.serial, sizeof(j->record.serial), s->serial);
		copy_text(j->record.dfu_serial, sizeof(j->record.dfu_serial),
			  j->history.dfu_serial);
		talk_begin_ask(j, now_us);
	} else {
		j->record.adopted = true;
		copy_text(j->record.serial, sizeof(j->record.serial), j->history.serial);
		j->stage = JOB_FLASH;
		visit_begin(j, s, now_us);
	}
	j->last_step = job_step(j);
	*ret_job = j;
	return 0;
}

void
job_free(struct job *j)
{
	if (j == NULL)
		return;
	flash_done(&j->flash);
	image_unref(j->record.image);
	image_unref(j->setup.image);
	free(j->backup);
	free(j);
}

/* ---- endings -------------------------------------------------------------------------------- */

void
job_finish(struct job *j, struct verdict v, const char *why, uint64_t now_us)
{
	if (j->stage >= JOB_ENDING)
		return; /* the first ending counts */
	visit_account(j);
	j->record.verdict = v;
	job_compose_message(j, why);
	job_enter(j, JOB_ENDING, now_us);
	j->attempt_deadline_us = 0;
}

void
job_fail(struct job *j, enum fault fault, enum step step, uint64_t now_us)
{
	job_finish(j, (struct verdict){ .kind = VERDICT_FAIL, .fault = fault, .step = step }, NULL,
		   now_us);
}

/* Over without an attempt: there is nothing to do for this drone now. */
void
job_end_idle(struct job *j, const char *reason, uint64_t now_us)
{
	assert(j->begun == BEGUN_NO);
	copy_text(j->record.message, sizeof(j->record.message), reason);
	job_enter(j, JOB_OVER, now_us);
}

void
job_stop(struct job *j, enum verdict_kind kind, enum fault fault, uint64_t now_us)
{
	if (j->stage >= JOB_ENDING)
		return;
	if (j->begun == BEGUN_NO && !j->touched)
		job_end_idle(j, "Stopped before anything was done.", now_us);
	else
		job_finish(j, (struct verdict){ .kind = kind, .fault = fault, .step = job_step(j) },
			   NULL, now_us);
}

/* ---- what it wants -------------------------------------------------------------------------- */

static bool
wants_light(const struct job *j)
{
	enum verdict_kind v = j->record.verdict.kind;

	if (!j->setup.options->light || !j->present || j->device != DEVICE_OPEN || j->in_flight)
		return false;
	return (v == VERDICT_PASS || v == VERDICT_UNCHANGED || v == VERDICT_FAIL) &&
	       (j->last_step == STEP_CONFIRMING || j->last_step == STEP_ASKING);
}

/* JOB_ENDING: the row, if there is none yet, then its ending; both durable before the verdict is
 * told. */
static void
ending_next(struct job *j, uint64_t now_us, struct request *w)
{
	if (now_us < j->pause_until_us) {
		w->kind = REQUEST_PAUSE;
		w->until_us = j->pause_until_us;
	} else if (j->begun == BEGUN_NO) {
		j->begun = BEGUN_ASKED;
		w->kind = REQUEST_BEGIN;
	} else if (j->begun == BEGUN_YES && !j->ended_wanted) {
		j->ended_wanted = true;
		w->kind = REQUEST_END;
	}
}

static void
want_open(struct job *j, uint64_t now_us, struct request *w)
{
	if (now_us < j->pause_until_us) {
		w->kind = REQUEST_PAUSE;
		w->until_us = j->pause_until_us;
		return;
	}
	j->device = DEVICE_OPENING;
	w->kind = REQUEST_OPEN;
}

static void
stage_next(struct job *j, uint64_t now_us, struct request *w)
{
	switch (j->stage) { /* NEVER: another value */
	case JOB_ASK:
	case JOB_REQUEST:
	case JOB_CONFIRM:
	case JOB_LIGHT:
		talk_next(j, now_us, w);
		return;
	case JOB_SWITCH:
		talk_switch_next(j, now_us, w);
		return;
	case JOB_FLASH:
		visit_next(j, now_us, w);
		return;
	case JOB_ENDING:
		ending_next(j, now_us, w);
		return;
	case JOB_OVER:
		w->kind = REQUEST_OVER;
		return;
	case JOB_AWAIT_DFU:
	case JOB_AWAIT_RUNTIME:
	case JOB_STAGE_COUNT:
		return;
	}
}

/* Does the stage have no use for an open device? */
static bool
device_is_idle(const struct job *j)
{
	if (j->device != DEVICE_OPEN)
		return false;
	if (j->stage == JOB_ENDING)
		return !wants_light(j);
	return j->stage == JOB_AWAIT_DFU || j->stage == JOB_AWAIT_RUNTIME || j->stage == JOB_OVER;
}

void
job_next(struct job *j, uint64_t now_us, struct request *ret_request)
{
	enum job_stage stage;

	memset(ret_request, 0, sizeof(*ret_request));
	if (j->in_flight && j->stage != JOB_ENDING && j->stage != JOB_OVER)
		return;
	if (j->in_flight) {
		/* Ended from outside: closing takes back what is in flight. */
		j->in_flight = false;
		j->device = DEVICE_CLOSED;
		ret_request->kind = REQUEST_CLOSE;
		return;
	}
	do {
		stage = j->stage;
		if (device_is_idle(j)) {
			j->device = DEVICE_CLOSED;
			ret_request->kind = REQUEST_CLOSE;
			return;
		}
		if (stages[stage].device && j->device != DEVICE_OPEN) {
			if (j->device == DEVICE_CLOSED)
				want_open(j, now_us, ret_request);
			return;
		}
		stage_next(j, now_us, ret_request);
		/* WHY: a conversation that has just ended may have moved the job on. */
	} while (ret_request->kind == REQUEST_NOTHING && j->stage != stage);
	j->in_flight = ret_request->kind == REQUEST_XFER;
}

/* ---- events --------------------------------------------------------------------------------- */

static enum fault
open_fault(const struct job *j, int error)
{
	switch (error) {
	case -EACCES:
	case -EPERM:
		return FAULT_PERMISSION;
	case -EBUSY:
		return FAULT_BUSY;
	case -ENODEV:
		return FAULT_GONE;
	case -ENOENT:
		/* WHY: what was spoken to had a node; it went, and the word of it is late. */
		return j->touched ? FAULT_GONE : FAULT_OPEN;
	case -ENOMEM:
		return FAULT_NO_MEMORY;
	default:
		return FAULT_OPEN;
	}
}

void
job_opened(struct job *j, int error, const uint8_t *descriptors, size_t length, uint64_t now_us)
{
	unsigned cost = error == -EBUSY ? BUSY_COST : 1;

	if (j->device != DEVICE_OPENING)
		return;
	j->device = error == 0 ? DEVICE_OPEN : DEVICE_CLOSED;
	if (j->stage >= JOB_ENDING)
		return;
	if (error == 0) {
		j->open_tries = 0;
		if (j->stage == JOB_FLASH)
			visit_opened(j, descriptors, length, now_us);
		return;
	}
	if ((error == -ENODEV || error == -ENOENT) && j->stage == JOB_REQUEST && j->touched) {
		job_gone(j, now_us); /* on its way already; the bus will say so, too */
		return;
	}
	j->open_tries = (uint8_t)(j->open_tries + cost);
	if (error != -ENODEV && j->open_tries < OPEN_TRIES) {
		j->pause_until_us = now_us + (error == -EBUSY ? BUSY_RETRY_US : OPEN_RETRY_US);
		return;
	}
	if (error == -ENODEV && j->begun == BEGUN_NO && !j->touched) {
		job_end_idle(j, "Unplugged before anything was done.", now_us);
		return;
	}
	if (visit_host_failed(j, open_fault(j, error), now_us))
		return;
	job_finish(j,
		   (struct verdict){ .kind = VERDICT_FAIL,
				     .fault = open_fault(j, error),
				     .step = job_step(j),
				     .sys_errno = -error },
		   NULL, now_us);
}

/* The device has not heard of a transfer that the host had no memory for: wanted again, for some
 * time. */
static bool
is_patient(struct job *j)
{
	/* WHY: the DFU conversation counts for itself, an operation at a time. */
	if (j->stage == JOB_FLASH && flash_stage(&j->flash) != FLASH_MAPS && !j->want_reset)
		return false;
	return j->nomem_tries++ < NOMEM_TRIES;
}

void
job_ended(struct job *j, enum usb_status status, const uint8_t *data, size_t length,
	  uint64_t now_us)
{
	j->in_flight = false;
	if (status == USB_NOMEM && is_patient(j)) {
		j->pause_until_us = now_us + NOMEM_PAUSE_US;
		return;
	}
	switch (j->stage) {
	case JOB_ASK:
	case JOB_REQUEST:
	case JOB_CONFIRM:
	case JOB_LIGHT:
		talk_ended(j, status, data, length, now_us);
		break;
	case JOB_FLASH:
		visit_ended(j, status, data, length, now_us);
		break;
	case JOB_SWITCH:
	case JOB_AWAIT_DFU:
	case JOB_AWAIT_RUNTIME:
	case JOB_ENDING:
	case JOB_OVER:
	case JOB_STAGE_COUNT:
		break;
	}
	account_step(j, now_us);
}

void
job_granted(struct job *j, enum permit permit, uint64_t now_us)
{
	j->waiting_permit = false;
	/* WHY: standing in a queue is not the drone's fault. */
	if (j->attempt_deadline_us != 0)
		j->attempt_deadline_us += now_us - j->permit_asked_us;
	/* WHY: each turn but the last is before the first erase, and may have been long to wait. */
	if (permit != PERMIT_LEAVE && choose_barred(j) && (j->stage == JOB_FLASH || !j->touched))
		choose_leave_aside(j, NULL, now_us);
	else if (permit == PERMIT_START)
		j->started = true;
	else if (j->stage == JOB_SWITCH && permit == PERMIT_SWITCH)
		job_enter(j, JOB_REQUEST, now_us);
	else if (j->stage == JOB_FLASH && (permit == PERMIT_WRITE || permit == PERMIT_LEAVE))
		flash_granted(&j->flash);
	account_step(j, now_us);
}

void
job_recorded(struct job *j, int error, int64_t id, uint64_t now_us)
{
	if (error < 0) {
		/* The disk does not take it: wait and ask again; nothing is told, nothing goes on.
		 */
		j->pause_until_us = now_us + STORAGE_RETRY_US;
		if (j->begun == BEGUN_ASKED)
			j->begun = BEGUN_NO;
		j->ended_wanted = false;
		return;
	}
	if (j->begun == BEGUN_ASKED) {
		j->begun = BEGUN_YES;
		j->record.id = id;
		if (j->stage < JOB_ENDING)
			j->attempt_deadline_us = now_us + j->setup.options->attempt_timeout_us;
		return;
	}
	if (j->stage != JOB_ENDING || !j->ended_wanted)
		return;
	j->published = true;
	if (wants_light(j)) {
		job_enter(j, JOB_LIGHT, now_us);
		talk_begin_light(j, now_us);
	} else {
		job_enter(j, JOB_OVER, now_us);
	}
}

void
job_digest(struct job *j, const char *sha256_hex, bool recognised)
{
	copy_text(j->record.loader_sha256, sizeof(j->record.loader_sha256), sha256_hex);
	j->record.loader_read = true;
	j->record.loader_blank = j->flash.loader_blank;
	j->record.loader_recognised = recognised;
	j->record.loader_changed = j->history.loader_sha256[0] != '\0' &&
				   strcmp(j->history.loader_sha256, sha256_hex) != 0;
	j->digest_done = true;
}

void
job_backed_up(struct job *j, int error)
{
	j->backup_done = true;
	j->backup_error = error;
}

/* What there is to say of a job that was to read and nothing else. */
struct verdict
job_backup_verdict(const struct job *j, enum step step)
{
	if (j->backup_error < 0)
		return (struct verdict){ .kind = VERDICT_FAIL,
					 .fault = FAULT_STORAGE,
					 .step = STEP_BACKING_UP,
					 .sys_errno = -j->backup_error };
	return (struct verdict){ .kind = VERDICT_UNCHANGED, .step = step };
}

void
job_gone(struct job *j, uint64_t now_us)
{
	j->present = false;
	j->in_flight = false;
	j->device = DEVICE_CLOSED;
	j->arrival = 0;
	switch (j->stage) { /* NEVER: another value */
	case JOB_SWITCH:
	case JOB_REQUEST:
		/* WHY: asked before and slow to go; that it goes now is what was asked for. */
		if (!j->touched)
			break;
		job_enter(j, JOB_AWAIT_DFU, now_us);
		j->vanished = true;
		j->deadline_us = now_us + j->setup.options->dfu_timeout_us;
		return;
	case JOB_AWAIT_DFU:
		j->vanished = true;
		j->deadline_us = now_us + j->setup.options->dfu_timeout_us;
		return;
	case JOB_AWAIT_RUNTIME:
		j->vanished = true;
		j->deadline_us = now_us + j->setup.options->boot_timeout_us;
		return;
	case JOB_LIGHT:
		job_enter(j, JOB_OVER, now_us);
		return;
	case JOB_FLASH:
		if (flash_stage(&j->flash) == FLASH_LEAVE) {
			/* Left before the answer came: the bus has decided (doc/protocol.md 3.6).
			 * */
			visit_left(j, now_us);
			j->vanished = true;
			return;
		}
		break;
	case JOB_ASK:
	case JOB_CONFIRM:
		break;
	case JOB_ENDING:
	case JOB_OVER:
	case JOB_STAGE_COUNT:
		return;
	}
	if (j->begun == BEGUN_NO && !j->touched)
		job_end_idle(j, "Unplugged before anything was done.", now_us);
	else
		job_fail(j, FAULT_GONE, job_step(j), now_us);
}

void
job_await_gone(struct job *j, uint64_t now_us)
{
	if (j->deadline_us == 0)
		j->deadline_us = now_us + GONE_WITHIN_US;
}

/* ---- time ----------------------------------------------------------------------------------- */

static void
on_deadline(struct job *j, uint64_t now_us)
{
	j->deadline_us = 0;
	switch (j->stage) {
	case JOB_AWAIT_DFU:
		talk_on_deadline(j, now_us);
		return;
	case JOB_AWAIT_RUNTIME:
		visit_on_deadline(j, now_us);
		return;
	case JOB_ASK:
	case JOB_FLASH:
	case JOB_CONFIRM:
		job_gone(j, now_us);
		return;
	case JOB_SWITCH:
	case JOB_REQUEST:
	case JOB_ENDING:
	case JOB_LIGHT:
	case JOB_OVER:
	case JOB_STAGE_COUNT:
		return;
	}
}

void
job_tick(struct job *j, uint64_t now_us)
{
	if (j->deadline_us != 0 && now_us >= j->deadline_us)
		on_deadline(j, now_us);
	if (j->attempt_deadline_us != 0 && now_us >= j->attempt_deadline_us && !j->waiting_permit)
		job_fail(j, FAULT_DEADLINE, job_step(j), now_us);
}

uint64_t
job_deadline_us(const struct job *j)
{
	uint64_t at = UINT64_MAX;

	if (j->deadline_us != 0)
		at = j->deadline_us;
	if (j->attempt_deadline_us != 0 && j->attempt_deadline_us < at && !j->waiting_permit)
		at = j->attempt_deadline_us;
	return at;
}
