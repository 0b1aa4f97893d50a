/* SPDX-License-Identifier: MIT */
/* The meaning of each transfer's end in a DfuSe conversation: the next phase, another try, or the
 * end. */
#include "config.h"

#include "cfdfu/dfu.h"
#include "cfdfu/util.h"
#include "core/dfuse.h"
#include "core/dfuse_phase.h"

enum {
	CLEAN_STEP_US = 50000, /* between questions to a device that is busy when we meet it */
	BUSY_STEP_US = 1000,   /* WHY: being busy takes time, whatever it says */
	NOMEM_PAUSE_US = 100000,
};

static void
failed(struct dfuse *d, enum fault fault, uint8_t dfu_status)
{
	bool has_addr = d->req.op != DFUSE_OP_CLEAN && d->req.op != DFUSE_OP_SELECT;

	d->failure = (struct verdict){ .kind = VERDICT_FAIL,
				       .fault = fault,
				       .addr = has_addr ? d->req.addr : 0,
				       .dfu_status = dfu_status,
				       .has_addr = has_addr };
	dfuse_enter(d, DFUSE_PHASE_FAILED);
}

/* WHY: answers during the cure of the first fault are consequences of that fault. */
static enum fault
first_trouble(const struct dfuse *d, enum fault fault)
{
	return d->symptom != FAULT_NONE ? d->symptom : fault;
}

static enum fault
fault_of(enum usb_status status)
{
	switch (status) {
	case USB_STALL:
		return FAULT_STALL;
	case USB_TIMEOUT:
		return FAULT_SILENT;
	case USB_GONE:
		return FAULT_GONE;
	case USB_OVERFLOW:
		return FAULT_PROTOCOL;
	case USB_NOMEM:
		return FAULT_NO_MEMORY;
	case USB_OK:
	case USB_IO:
	case USB_STATUS_COUNT:
		break;
	}
	return FAULT_BUS;
}

/* The transfer did not end well.  One rung of the ladder down, or the end. */
static void
trouble(struct dfuse *d, enum usb_status status, uint64_t now_us)
{
	if (status == USB_NOMEM && d->nomem_left > 0) {
		d->nomem_left--;
		d->asked_at_us = 0;
		d->pause_until_us = now_us + NOMEM_PAUSE_US;
		return;
	}
	if (status != USB_GONE && status != USB_NOMEM && d->symptom == FAULT_NONE)
		d->symptom = fault_of(status);
	if (status == USB_TIMEOUT && d->unanswered < UINT8_MAX)
		d->unanswered++;
	if (status == USB_GONE || status == USB_NOMEM || d->tries_left == 0) {
		bool curing = d->phase == DFUSE_PHASE_CLEAN || d->phase == DFUSE_PHASE_CLEAN_FIX ||
			      d->phase == DFUSE_PHASE_RECOVER;

		failed(d,
		       status == USB_STALL && curing ? first_trouble(d, FAULT_STALL)
						     : fault_of(status),
		       0);
		return;
	}
	d->tries_left--;
	d->counters.recoveries++;
	d->asked_at_us = 0;
	/* WHY: the answer got lost, not the operation; asking again does not repeat it. */
	if (status != USB_STALL && (d->phase == DFUSE_PHASE_POLL || d->phase == DFUSE_PHASE_START))
		return;
	d->place.pointer_known = false;
	dfuse_enter(d, DFUSE_PHASE_RECOVER);
}

static enum fault
fault_of_dfu_status(uint8_t dfu_status)
{
	/* SPEC: read protection shows as errVENDOR (doc/protocol.md 3.3). */
	return dfu_status == DFU_STATUS_ERR_VENDOR ? FAULT_PROTECTED : FAULT_REFUSED;
}

/* Is another try pointless?  errTARGET means that the address is wrong: it will stay wrong.
 */
static bool
is_final(uint8_t dfu_status)
{
	return dfu_status == DFU_STATUS_ERR_VENDOR || dfu_status == DFU_STATUS_ERR_TARGET;
}

static void
finished(struct dfuse *d)
{
	switch (d->req.op) {
	case DFUSE_OP_ERASE:
		d->counters.erases++;
		d->place.pointer_known =
		    false; /* QUIRK: ST's library keeps the erase address in the pointer */
		break;
	case DFUSE_OP_PROGRAM:
		d->counters.blocks_written++;
		d->counters.bytes_written += d->req.length;
		break;
	case DFUSE_OP_READ:
		d->counters.bytes_read += d->in_length;
		break;
	case DFUSE_OP_NONE:
	case DFUSE_OP_CLEAN:
	case DFUSE_OP_SELECT:
	case DFUSE_OP_FEATURE:
	case DFUSE_OP_LEAVE:
		break;
	}
	dfuse_enter(d, DFUSE_PHASE_IDLE);
}

/* dfuERROR where an operation was under way: clear it and try again, or give up. */
static void
device_error(struct dfuse *d, uint8_t dfu_status)
{
	if (is_final(dfu_status) || d->tries_left == 0) {
		failed(d, fault_of_dfu_status(dfu_status), dfu_status);
		return;
	}
	d->tries_left--;
	d->counters.recoveries++;
	d->place.pointer_known = false;
	d->state = DFU_STATE_ERROR;
	dfuse_enter(d, DFUSE_PHASE_RECOVER);
	dfuse_enter(d, DFUSE_PHASE_CLEAN_FIX);
}

/* Wait a little more for an operation that is not over; false when its allowance is used up. */
static bool
wait_more(struct dfuse *d, uint32_t poll_ms, uint64_t now_us)
{
	uint32_t wait = pace_expected_us(&d->pace, dfuse_pace_kind(d), d->req.length) / 8;

	if (d->phase == DFUSE_PHASE_CLEAN || d->req.op == DFUSE_OP_CLEAN)
		wait = CLEAN_STEP_US; /* with something unknown, for an unknown time */
	if (d->pace.obey && poll_ms * 1000 > wait)
		wait = poll_ms * 1000;
	if (wait < BUSY_STEP_US)
		wait = BUSY_STEP_US;
	if (wait > d->budget_us)
		return false;
	d->budget_us -= wait;
	d->pause_until_us = now_us + wait;
	return true;
}

static void
after_clean_status(struct dfuse *d, uint64_t now_us)
{
	switch (d->state) {
	case DFU_STATE_IDLE:
		if (d->req.op == DFUSE_OP_CLEAN) {
			finished(d);
			return;
		}
		dfuse_enter(d, DFUSE_PHASE_RECOVER);
		dfuse_go_on(d);
		return;
	case DFU_STATE_DNBUSY:
		/* Still at work, for us or for an earlier host: the allowance is finite. */
		if (!wait_more(d, 0, now_us))
			failed(d, FAULT_STUCK, 0);
		d->asked_at_us = 0;
		return;
	case DFU_STATE_ERROR:
	case DFU_STATE_DNLOAD_IDLE:
	case DFU_STATE_UPLOAD_IDLE:
	case DFU_STATE_DNLOAD_SYNC:
	case DFU_STATE_MANIFEST_SYNC:
		if (d->tries_left == 0) {
			failed(d, first_trouble(d, FAULT_PROTOCOL), 0);
			return;
		}
		d->tries_left--;
		dfuse_enter(d, DFUSE_PHASE_CLEAN_FIX);
		return;
	default: /* a device's byte, not our enum */
		failed(d, first_trouble(d, FAULT_PROTOCOL), 0);
	}
}

/* DFUSE_PHASE_START: the first answer after a download must be dfuDNBUSY; it starts the operation.
 */
static void
after_start(struct dfuse *d, uint8_t dfu_status, uint32_t poll_ms, uint64_t now_us)
{
	if (d->state == DFU_STATE_ERROR) {
		device_error(d, dfu_status);
		return;
	}
	if (d->state != DFU_STATE_DNBUSY && d->state != DFU_STATE_DNLOAD_IDLE) {
		failed(d, FAULT_PROTOCOL, 0);
		return;
	}
	d->started_at_us = now_us;
	dfuse_enter(d, DFUSE_PHASE_POLL);
	if (d->state == DFU_STATE_DNBUSY)
		d->pause_until_us =
		    now_us + pace_wait_us(&d->pace, dfuse_pace_kind(d), d->req.length, poll_ms);
}

static void
operation_over(struct dfuse *d, uint64_t now_us)
{
	pace_learn(&d->pace, dfuse_pace_kind(d), d->req.length,
		   (uint32_t)(now_us - d->started_at_us), (uint32_t)(now_us - d->asked_at_us));
	if (d->addressing) {
		d->place.pointer = d->req.addr;
		d->place.pointer_known = true;
		dfuse_enter(d, dfuse_next_phase(d));
		d->addressing = false;
		d->budget_us = pace_limit_us(dfuse_pace_kind(d), d->req.length);
		return;
	}
	finished(d);
}

/* DFUSE_PHASE_POLL: is the operation over? */
static void
after_poll(struct dfuse *d, uint8_t dfu_status, uint32_t poll_ms, uint64_t now_us)
{
	if (d->state == DFU_STATE_DNLOAD_IDLE && dfu_status == DFU_STATUS_OK) {
		operation_over(d, now_us);
		return;
	}
	if (d->state == DFU_STATE_ERROR) {
		device_error(d, dfu_status);
		return;
	}
	if (d->state != DFU_STATE_DNBUSY) {
		failed(d, FAULT_PROTOCOL, dfu_status);
		return;
	}
	pace_learn_slow(&d->pace, dfuse_pace_kind(d), d->req.length);
	if (!wait_more(d, poll_ms < 5000 ? poll_ms : 5000, now_us))
		failed(d, FAULT_STUCK, 0);
	else
		d->asked_at_us = 0;
}

/* A status request that stalls while the flash works: the device does not like to be asked early.
 */
static bool
stalled_early(struct dfuse *d, uint64_t now_us)
{
	if (d->phase != DFUSE_PHASE_POLL || d->stalls_left == 0)
		return false;
	if (dfuse_pace_kind(d) == PACE_COMMAND)
		return false;
	d->stalls_left--;
	/* QUIRK: seen on other STM32 ROMs (doc/protocol.md 3.7, L4). */
	pace_stalls_early(&d->pace, true);
	d->pace.obey = true;
	pace_learn_slow(&d->pace, dfuse_pace_kind(d), d->req.length);
	d->asked_at_us = 0;
	return wait_more(d, 0, now_us);
}

static bool
is_leaving(const struct dfuse *d)
{
	return d->req.op == DFUSE_OP_LEAVE &&
	       (d->state == DFU_STATE_MANIFEST || d->state == DFU_STATE_MANIFEST_WAIT_RESET);
}

/* DFUSE_PHASE_RECOVER: where did the trouble leave the device? */
static void
after_recover_status(struct dfuse *d, uint8_t dfu_status, uint64_t now_us)
{
	if (is_leaving(d)) {
		finished(d); /* it has heard of the request after all */
		return;
	}
	if (d->state == DFU_STATE_ERROR && is_final(dfu_status) && d->req.op != DFUSE_OP_CLEAN) {
		failed(d, fault_of_dfu_status(dfu_status), dfu_status);
		return;
	}
	if (d->state == DFU_STATE_IDLE || d->state == DFU_STATE_DNBUSY) {
		after_clean_status(d, now_us);
		return;
	}
	if (d->tries_left > 0 && d->state != DFU_STATE_MANIFEST) {
		dfuse_enter(d, DFUSE_PHASE_CLEAN_FIX);
		return;
	}
	/* WHY: an error that was there before us refuses nothing; it only does not go away. */
	failed(d,
	       d->state == DFU_STATE_ERROR && d->req.op != DFUSE_OP_CLEAN
		   ? fault_of_dfu_status(dfu_status)
		   : first_trouble(d, FAULT_PROTOCOL),
	       dfu_status);
}

/*
 * DFUSE_PHASE_MANIFEST: no answer.  The device is on its way out, and silence is not an error
 * (doc/protocol.md 3.6); but it leaves only once it was asked, so a question that got lost is
 * repeated.
 */
static void
leave_unheard(struct dfuse *d)
{
	d->asked_at_us = 0;
	if (d->tries_left == 0)
		finished(d);
	else
		d->tries_left--;
}

/* DFUSE_PHASE_MANIFEST: this answer is what makes the device leave. */
static void
after_manifest(struct dfuse *d, uint8_t dfu_status, uint64_t now_us)
{
	if (d->state == DFU_STATE_ERROR)
		failed(d, FAULT_NO_LEAVE, dfu_status);
	else if (d->state == DFU_STATE_MANIFEST_SYNC || d->state == DFU_STATE_MANIFEST ||
		 d->state == DFU_STATE_MANIFEST_WAIT_RESET)
		finished(d);
	else
		trouble(d, USB_STALL, now_us); /* it has not heard of the request to leave */
}

static void
after_status(struct dfuse *d, const uint8_t *data, size_t length, uint64_t now_us)
{
	uint32_t poll_ms;

	if (length != DFU_STATUS_BYTES && d->phase == DFUSE_PHASE_MANIFEST) {
		leave_unheard(d);
		return;
	}
	if (length != DFU_STATUS_BYTES) {
		failed(d, FAULT_PROTOCOL, 0);
		return;
	}
	poll_ms = get_le32(data) >> 8;
	d->state = data[4];
	switch (d->phase) { /* NEVER: after_success() comes here from the first five only */
	case DFUSE_PHASE_CLEAN:
		after_clean_status(d, now_us);
		return;
	case DFUSE_PHASE_START:
		after_start(d, data[0], poll_ms, now_us);
		return;
	case DFUSE_PHASE_POLL:
		after_poll(d, data[0], poll_ms, now_us);
		return;
	case DFUSE_PHASE_MANIFEST:
		after_manifest(d, data[0], now_us);
		return;
	case DFUSE_PHASE_RECOVER:
		after_recover_status(d, data[0], now_us);
		return;
	case DFUSE_PHASE_IDLE:
	case DFUSE_PHASE_CLEAN_FIX:
	case DFUSE_PHASE_SELECT:
	case DFUSE_PHASE_ADDRESS:
	case DFUSE_PHASE_COMMAND:
	case DFUSE_PHASE_UNLOAD:
	case DFUSE_PHASE_UPLOAD:
	case DFUSE_PHASE_LEAVE:
	case DFUSE_PHASE_FAILED:
	case DFUSE_PHASE_COUNT:
		return;
	}
}

static void
after_upload(struct dfuse *d, const uint8_t *data, size_t length, uint64_t now_us)
{
	if (length > d->req.length) {
		failed(d, FAULT_PROTOCOL, 0);
		return;
	}
	if (length < d->req.length) {
		/* SPEC: DFU 1.1 6.2: a short frame ends the upload, the device is in dfuIDLE. */
		d->state = DFU_STATE_IDLE;
		trouble(d, USB_OVERFLOW, now_us); /* not what was asked for: a protocol fault */
		return;
	}
	d->in = data;
	d->in_length = (uint32_t)length;
	d->state = DFU_STATE_UPLOAD_IDLE;
	if (d->req.length == d->transfer_bytes && now_us - d->asked_at_us < 1000000)
		d->pace.block_us = (d->pace.block_us * 7 + (uint32_t)(now_us - d->asked_at_us)) / 8;
	finished(d);
}

static void
after_success(struct dfuse *d, const uint8_t *data, size_t length, uint64_t now_us)
{
	switch (d->phase) {
	case DFUSE_PHASE_CLEAN_FIX:
		d->state = DFU_STATE_IDLE;
		dfuse_enter(d, DFUSE_PHASE_CLEAN);
		return;
	case DFUSE_PHASE_SELECT:
		d->place.alt = d->req.alt;
		d->place.alt_known = true;
		d->place.pointer_known = false;
		if (d->req.op == DFUSE_OP_SELECT)
			finished(d);
		else
			dfuse_go_on(d);
		return;
	case DFUSE_PHASE_ADDRESS:
	case DFUSE_PHASE_COMMAND:
		d->symptom = FAULT_NONE; /* cured */
		d->state = DFU_STATE_DNLOAD_SYNC;
		dfuse_enter(d, DFUSE_PHASE_START);
		return;
	case DFUSE_PHASE_UNLOAD:
		d->state = DFU_STATE_IDLE;
		dfuse_go_on(d);
		return;
	case DFUSE_PHASE_UPLOAD:
		after_upload(d, data, length, now_us);
		return;
	case DFUSE_PHASE_LEAVE:
		dfuse_enter(d, DFUSE_PHASE_MANIFEST);
		return;
	case DFUSE_PHASE_CLEAN:
	case DFUSE_PHASE_START:
	case DFUSE_PHASE_POLL:
	case DFUSE_PHASE_MANIFEST:
	case DFUSE_PHASE_RECOVER:
		after_status(d, data, length, now_us);
		return;
	case DFUSE_PHASE_IDLE:
	case DFUSE_PHASE_FAILED:
	case DFUSE_PHASE_COUNT:
		return;
	}
}

/* Disconnecting after the request to leave, sent once or again, is success. */
static bool
was_asked_to_leave(const struct dfuse *d)
{
	return d->req.op == DFUSE_OP_LEAVE &&
	       (d->phase == DFUSE_PHASE_LEAVE || d->phase == DFUSE_PHASE_MANIFEST ||
		d->phase == DFUSE_PHASE_RECOVER);
}

void
dfuse_ended(struct dfuse *d, enum usb_status status, const uint8_t *data, size_t length,
	    uint64_t now_us)
{
	if (dfuse_over(d))
		return;
	d->counters.transfers++;
	if (status == USB_OK) {
		after_success(d, data, length, now_us);
		return;
	}
	if (status == USB_NOMEM) {
		trouble(d, status, now_us); /* the device has not heard of it */
		return;
	}
	if (status == USB_GONE && was_asked_to_leave(d)) {
		finished(d);
		return;
	}
	if (d->phase == DFUSE_PHASE_MANIFEST) {
		leave_unheard(d);
		return;
	}
	if (d->phase == DFUSE_PHASE_LEAVE && status != USB_STALL) {
		dfuse_enter(d, DFUSE_PHASE_MANIFEST); /* perhaps only the answer got lost: ask */
		return;
	}
	if (status == USB_STALL && stalled_early(d, now_us))
		return;
	trouble(d, status, now_us);
}
