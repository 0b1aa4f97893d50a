/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/dfuse.h"

#include <assert.h>

#include "cfdfu/dfu.h"
#include "cfdfu/util.h"
#include "core/dfuse_phase.h"

enum {
	TRIES = 3,		   /* per operation (doc/protocol.md 10, row 4) */
	NOMEM_TRIES = 50,	   /* 5 s for the host to find memory (doc/faults.md K6) */
	REQUEST_TIMEOUT_MS = 2000, /* a request that starts nothing on the device */
	STATUS_TIMEOUT_MIN_MS = 1000,
	LEAVE_TIMEOUT_MS = 1000,
};

void
dfuse_init(struct dfuse *d, uint32_t transfer_bytes, const struct pace *pace)
{
	assert(transfer_bytes >= 64 && transfer_bytes <= USB_TRANSFER_BYTES_MAX);
	memset(d, 0, sizeof(*d));
	d->transfer_bytes = transfer_bytes;
	d->pace = *pace;
	d->state = DFU_STATE_ERROR; /* SPEC: doc/protocol.md 3.2, right after enumeration */
}

void
dfuse_forgive(struct dfuse *d)
{
	assert(d->phase == DFUSE_PHASE_FAILED);
	d->phase = DFUSE_PHASE_IDLE; /* the one way out of FAILED, and not by a transfer */
	d->place.pointer_known = false;
}

void
dfuse_allow(struct dfuse *d, uint8_t alt, uint32_t addr, uint32_t bytes)
{
	assert(alt < ARRAY_LEN(d->allowed.addr));
	d->allowed.addr[alt] = addr;
	d->allowed.bytes[alt] = bytes;
}

void
dfuse_allow_feature(struct dfuse *d)
{
	d->allowed.feature = true;
}

static bool
inside_window(const struct dfuse *d, const struct dfuse_operation *r)
{
	uint32_t at;

	if (r->alt >= ARRAY_LEN(d->allowed.addr) || r->addr < d->allowed.addr[r->alt])
		return false;
	at = r->addr - d->allowed.addr[r->alt];
	return at < d->allowed.bytes[r->alt] && r->length <= d->allowed.bytes[r->alt] - at;
}

void
dfuse_begin(struct dfuse *d, const struct dfuse_operation *req, uint64_t now_us)
{
	(void)now_us;
	assert(d->phase == DFUSE_PHASE_IDLE);
	if (req->op == DFUSE_OP_ERASE || req->op == DFUSE_OP_PROGRAM)
		assert(inside_window(d, req));
	if (req->op == DFUSE_OP_FEATURE)
		assert(d->allowed.feature);
	if (req->op == DFUSE_OP_READ || req->op == DFUSE_OP_PROGRAM)
		assert(req->length > 0 && req->length <= d->transfer_bytes);
	d->req = *req;
	d->in = NULL;
	d->in_length = 0;
	d->tries_left = TRIES;
	d->nomem_left = NOMEM_TRIES;
	d->stalls_left = DFUSE_STALLS;
	d->addressing = false;
	d->budget_us = pace_limit_us(PACE_ERASE, 0);
	d->symptom = FAULT_NONE;
	d->unanswered = 0;
	d->failure = (struct verdict){ 0 };
	if (req->op == DFUSE_OP_CLEAN)
		dfuse_enter(d, DFUSE_PHASE_CLEAN);
	else if (d->state == DFU_STATE_ERROR)
		dfuse_enter(d,
			    DFUSE_PHASE_CLEAN_FIX); /* what an operation left that was forgiven */
	else if (req->op == DFUSE_OP_SELECT)
		dfuse_enter(d, DFUSE_PHASE_SELECT);
	else
		dfuse_go_on(d);
}

/* ---- requests ------------------------------------------------------------------------------- */

static void
want_control(struct request *w, uint8_t type, uint8_t request, uint16_t value, const uint8_t *data,
	     uint16_t length, uint32_t timeout_ms)
{
	w->kind = REQUEST_XFER;
	w->xfer = (struct usb_xfer){
		.kind = USB_CONTROL,
		.setup = { type, request, value, 0, length },
		.data = data,
		.length = length,
		.timeout_ms = timeout_ms,
	};
}

static void
want_status(const struct dfuse *d, struct request *w)
{
	uint32_t ms = d->budget_us / 1000;

	if (d->phase != DFUSE_PHASE_POLL && d->phase != DFUSE_PHASE_RECOVER)
		ms = REQUEST_TIMEOUT_MS;
	if (ms < STATUS_TIMEOUT_MIN_MS)
		ms = STATUS_TIMEOUT_MIN_MS;
	want_control(w, DFU_REQUEST_IN, DFU_GETSTATUS, 0, NULL, DFU_STATUS_BYTES, ms);
}

static uint16_t
block_number(const struct dfuse *d)
{
	return (uint16_t)(DFUSE_BLOCK_DATA + (d->req.addr - d->place.pointer) / d->transfer_bytes);
}

static void
want_command(struct dfuse *d, struct request *w)
{
	if (d->phase == DFUSE_PHASE_ADDRESS || d->req.op == DFUSE_OP_ERASE) {
		d->command[0] = d->phase == DFUSE_PHASE_ADDRESS ? DFUSE_SET_ADDRESS : DFUSE_ERASE;
		put_le32(d->command + 1, d->req.addr);
		want_control(w, DFU_REQUEST_OUT, DFU_DNLOAD, DFUSE_BLOCK_COMMAND, d->command,
			     DFUSE_COMMAND_BYTES, REQUEST_TIMEOUT_MS);
		return;
	}
	want_control(w, DFU_REQUEST_OUT, DFU_DNLOAD, block_number(d), d->req.data,
		     (uint16_t)d->req.length, REQUEST_TIMEOUT_MS);
}

static void
want_request(struct dfuse *d, struct request *w)
{
	switch (d->phase) {
	case DFUSE_PHASE_CLEAN:
	case DFUSE_PHASE_START:
	case DFUSE_PHASE_POLL:
	case DFUSE_PHASE_MANIFEST:
	case DFUSE_PHASE_RECOVER:
		want_status(d, w);
		return;
	case DFUSE_PHASE_CLEAN_FIX:
		/* SPEC: CLRSTATUS only in dfuERROR (doc/protocol.md 3.2, note a). */
		want_control(w, DFU_REQUEST_OUT,
			     d->state == DFU_STATE_ERROR ? DFU_CLRSTATUS : DFU_ABORT, 0, NULL, 0,
			     REQUEST_TIMEOUT_MS);
		return;
	case DFUSE_PHASE_SELECT:
		want_control(w, 0x01, 0x0B, d->req.alt, NULL, 0, REQUEST_TIMEOUT_MS);
		return;
	case DFUSE_PHASE_ADDRESS:
	case DFUSE_PHASE_COMMAND:
		want_command(d, w);
		return;
	case DFUSE_PHASE_UNLOAD:
		want_control(w, DFU_REQUEST_OUT, DFU_ABORT, 0, NULL, 0, REQUEST_TIMEOUT_MS);
		return;
	case DFUSE_PHASE_UPLOAD:
		want_control(w, DFU_REQUEST_IN, DFU_UPLOAD, block_number(d), NULL,
			     (uint16_t)d->req.length, REQUEST_TIMEOUT_MS);
		return;
	case DFUSE_PHASE_LEAVE:
		want_control(w, DFU_REQUEST_OUT, DFU_DNLOAD, DFUSE_BLOCK_COMMAND, NULL, 0,
			     LEAVE_TIMEOUT_MS);
		return;
	case DFUSE_PHASE_IDLE:
	case DFUSE_PHASE_FAILED:
	case DFUSE_PHASE_COUNT:
		w->kind = REQUEST_OVER;
		return;
	}
}

void
dfuse_next(struct dfuse *d, uint64_t now_us, struct request *ret_request)
{
	memset(ret_request, 0, sizeof(*ret_request));
	if (!dfuse_over(d) && now_us < d->pause_until_us) {
		ret_request->kind = REQUEST_PAUSE;
		ret_request->until_us = d->pause_until_us;
		return;
	}
	d->pause_until_us = 0;
	want_request(d, ret_request);
	if (ret_request->kind == REQUEST_XFER && d->asked_at_us == 0)
		d->asked_at_us = now_us > 0 ? now_us : 1;
}

/* ---- questions ------------------------------------------------------------------------------ */

bool
dfuse_over(const struct dfuse *d)
{
	return d->phase == DFUSE_PHASE_IDLE || d->phase == DFUSE_PHASE_FAILED;
}

bool
dfuse_failed(const struct dfuse *d)
{
	return d->phase == DFUSE_PHASE_FAILED;
}

struct verdict
dfuse_failure(const struct dfuse *d)
{
	return d->failure;
}

bool
dfuse_say_unanswered(const struct dfuse *d, char ret_text[DFUSE_WORDS_MAX])
{
	const char *what = d->req.op == DFUSE_OP_PROGRAM ? "the write"
			   : d->req.op == DFUSE_OP_ERASE ? "the erase"
			   : d->req.op == DFUSE_OP_READ	 ? "the read"
							 : NULL;

	if (d->failure.fault != FAULT_SILENT || what == NULL || d->unanswered == 0)
		return false;
	(void)snprintf(ret_text, DFUSE_WORDS_MAX, "it did not answer %s, %u time%s", what,
		       d->unanswered, d->unanswered == 1 ? "" : "s");
	return true;
}

uint64_t
dfuse_passed_us(const struct dfuse *d, uint64_t now_us)
{
	enum pace_op op = d->req.op == DFUSE_OP_ERASE ? PACE_ERASE : PACE_PROGRAM;
	uint64_t whole, passed;

	if (d->phase != DFUSE_PHASE_POLL || dfuse_pace_kind(d) == PACE_COMMAND ||
	    now_us <= d->started_at_us)
		return 0;
	whole = pace_whole_us(&d->pace, op, d->req.length);
	passed = now_us - d->started_at_us;
	return passed < whole ? passed : whole;
}

const uint8_t *
dfuse_data(const struct dfuse *d, uint32_t *ret_length)
{
	*ret_length = d->in_length;
	return d->in;
}
