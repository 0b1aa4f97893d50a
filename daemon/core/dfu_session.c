/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/dfu_session.h"

#include <assert.h>
#include <errno.h>

#include "cfdfu/util.h"

enum {
	RESETS = 1,
	LEAVES = 1, /* once more */
	RESET_TIMEOUT_MS = 5000,
};

static const struct {
	unsigned next;
	enum step step;		   /* for the record and the operator */
	enum request_kind request; /* the step's one request, answered by a call; NOTHING: none */
	enum permit permit;
} steps[DFU_STEP_COUNT] = {
#define S(x) BIT(DFU_STEP_##x)
#define DECIDED S(RECORD) | S(BACKUP_READ) | S(WORK) | S(LEAVE_PERMIT) | S(OVER)
	[DFU_STEP_PROBE] = { S(DIGEST) | S(DECIDE) | S(LEAVE_PERMIT) | S(OVER), STEP_PROBING },
	[DFU_STEP_DIGEST] = { S(DECIDE), STEP_PROBING, REQUEST_DIGEST },
	[DFU_STEP_DECIDE] = { S(PERMIT) | DECIDED, STEP_PROBING },
	[DFU_STEP_PERMIT] = { DECIDED, STEP_PROBING, REQUEST_PERMIT, PERMIT_START },
	[DFU_STEP_RECORD] = { DECIDED, STEP_PROBING, REQUEST_BEGIN },
	[DFU_STEP_BACKUP_READ] = { S(BACKUP_SAVE) | S(OVER), STEP_BACKING_UP },
	[DFU_STEP_BACKUP_SAVE] = { DECIDED, STEP_PROBING, REQUEST_BACKUP },
	[DFU_STEP_WORK] = { S(WRITE_PERMIT) | S(LEAVE_PERMIT) | S(OVER) },
	[DFU_STEP_WRITE_PERMIT] = { S(WORK) | S(LEAVE_PERMIT), 0, REQUEST_PERMIT, PERMIT_WRITE },
	[DFU_STEP_LEAVE_PERMIT] = { S(LEAVE) | S(OVER), STEP_LEAVING, REQUEST_PERMIT,
				    PERMIT_LEAVE },
	[DFU_STEP_LEAVE] = { S(OVER), STEP_LEAVING },
	[DFU_STEP_RESET] = { S(OVER), STEP_LEAVING },
	[DFU_STEP_OVER] = { S(RESET), STEP_LEAVING },
#undef DECIDED
#undef S
};

/* The only place where the step changes, but for a new beginning. */
static void
enter(struct dfu_session *s, enum dfu_step step)
{
	assert((steps[s->step].next & BIT(step)) != 0);
	s->step = step;
	s->under_way = s->asked = false;
}

static void
give_up(struct dfu_session *s, struct verdict v, const char *why)
{
	s->verdict = v;
	s->why = why;
	enter(s, DFU_STEP_OVER);
}

static void
fail(struct dfu_session *s, enum fault fault, const char *why)
{
	enum step step = dfu_session_step(s);

	give_up(s, (struct verdict){ .kind = VERDICT_FAIL, .fault = fault, .step = step }, why);
}

/* ---- beginning ------------------------------------------------------------------------------ */

/* INVARIANT: nothing that was decided or half done before counts now; half a copy is none. */
static void
start_over(struct dfu_session *s)
{
	dfu_work_end(&s->work);
	s->verdict = (struct verdict){ 0 };
	s->why = NULL;
	s->image = NULL;
	s->may_write = s->lost = false;
	s->backup.at = 0;
	s->step = DFU_STEP_PROBE;
	s->under_way = s->asked = false;
}

/* A new conversation with the same device; its pace and what was counted stay. */
static void
start_dfuse(struct dfu_session *s)
{
	struct pace pace = s->dfuse.pace;
	struct dfuse_counters counters = s->dfuse.counters;

	dfuse_init(&s->dfuse, s->probe.descr.transfer_bytes, &pace);
	s->dfuse.counters = counters;
}

static void
again(struct dfu_session *s)
{
	start_over(s);
	start_dfuse(s);
	dfu_probe_again(&s->probe);
}

void
dfu_session_begin(struct dfu_session *s, const struct dfu_session_options *options)
{
	start_over(s);
	s->options = *options;
	memset(&s->dfuse, 0, sizeof(s->dfuse));
	pace_init(&s->dfuse.pace, options->obey);
	pace_stalls_early(&s->dfuse.pace, options->stalls_early);
	s->work.word_refused = false;
	dfu_probe_init(&s->probe, &options->probe);
}

void
dfu_session_free(struct dfu_session *s)
{
	dfu_work_end(&s->work);
	dfu_probe_forget(&s->probe);
	dfu_backup_free(&s->backup);
}

bool
dfu_session_leave_again(struct dfu_session *s)
{
	if (s->leaves == LEAVES)
		return false;
	s->leaves++;
	s->only_leave = true;
	again(s);
	return true;
}

void
dfu_session_opened(struct dfu_session *s, const uint8_t *descriptors, size_t length)
{
	dfu_probe_opened(&s->probe, descriptors, length);
	if (s->probe.stage == DFU_PROBE_FAILED)
		fail(s, s->probe.fault, s->probe.why);
	else
		start_dfuse(s);
}

/* ---- from step to step ---------------------------------------------------------------------- */

static void
after_probe(struct dfu_session *s)
{
	if (s->probe.stage == DFU_PROBE_FAILED)
		fail(s, s->probe.fault, s->probe.why);
	else if (s->only_leave)
		enter(s, DFU_STEP_LEAVE_PERMIT);
	else
		enter(s, s->probe.profile->family && !s->digest_known ? DFU_STEP_DIGEST
								      : DFU_STEP_DECIDE);
}

static void
begin_work(struct dfu_session *s)
{
	const char *why = NULL;
	int r = dfu_work_begin(&s->work, &s->probe, s->image, &s->options.work, &why);

	if (r < 0) {
		fail(s, r == -ENOMEM ? FAULT_NO_MEMORY : FAULT_IMAGE, why);
		return;
	}
	plan_reckon(s->work.plan, &s->dfuse.pace);
	dfu_work_allow(&s->work, &s->probe, s->options.work.loader_only, &s->dfuse);
	enter(s, DFU_STEP_WORK);
}

/* The next thing that has to be there before the first change; then the work. */
static void
after_decision(struct dfu_session *s)
{
	if (s->only_leave)
		enter(s, DFU_STEP_LEAVE_PERMIT);
	else if (!s->permitted)
		enter(s, DFU_STEP_PERMIT);
	else if (!s->recorded)
		enter(s, DFU_STEP_RECORD);
	else if (s->backup.data != NULL && !s->backup.saved)
		enter(s, DFU_STEP_BACKUP_READ);
	else if (s->image != NULL)
		begin_work(s);
	else
		enter(s, DFU_STEP_LEAVE_PERMIT);
}

/* INVARIANT: the only place that says that every byte of the image was read back equal. */
static void
work_is_over(struct dfu_session *s)
{
	const char *why = NULL;
	struct verdict v = dfu_work_verdict(&s->work, &why);

	if (v.kind != VERDICT_NONE) {
		give_up(s, v, why);
		return;
	}
	s->proof.verified = true;
	/* WHY: after a port reset the plan restarts and skips sectors already written. */
	s->proof.unchanged = plan_unchanged(s->work.plan) && !s->proof.modified;
	enter(s, DFU_STEP_LEAVE_PERMIT);
}

/* ---- what is requested ---------------------------------------------------------------------- */

/* Begins the operation that the step needs now, if it needs one. */
static void
next_operation(struct dfu_session *s, uint64_t now_us)
{
	const struct device *p = s->probe.profile;
	struct dfuse_operation op = { .op = DFUSE_OP_NONE };

	if (s->step == DFU_STEP_PROBE) {
		if (!dfu_probe_next(&s->probe, &op))
			return;
	} else if (s->step == DFU_STEP_BACKUP_READ) {
		op = dfu_backup_next(&s->backup, s->probe.descr.transfer_bytes);
	} else if (s->step == DFU_STEP_WORK) {
		if (!dfu_work_next(&s->work, &op)) {
			work_is_over(s);
			return;
		}
		if (!s->may_write && (op.op == DFUSE_OP_ERASE || op.op == DFUSE_OP_PROGRAM)) {
			enter(s, DFU_STEP_WRITE_PERMIT);
			return;
		}
	} else if (s->step == DFU_STEP_LEAVE) {
		op.op = DFUSE_OP_LEAVE;
		op.addr = s->options.leave_loader && p->family ? p->loader_addr : p->app_addr;
	} else {
		return;
	}
	dfuse_begin(&s->dfuse, &op, now_us);
	s->under_way = true;
}

/* The step's one request. */
static struct request
step_request(const struct dfu_session *s)
{
	if (s->step == DFU_STEP_BACKUP_SAVE)
		return dfu_backup_request(&s->backup, s->probe.profile->app_addr);
	if (s->step == DFU_STEP_DIGEST)
		return (struct request){ .kind = REQUEST_DIGEST,
					 .data = s->probe.loader,
					 .addr = s->probe.profile->loader_addr,
					 .length = DFU_LOADER_BYTES };
	return (struct request){ .kind = steps[s->step].request, .permit = steps[s->step].permit };
}

static void
step_next(struct dfu_session *s, uint64_t now_us, struct request *req)
{
	if (s->step == DFU_STEP_OVER) {
		req->kind = REQUEST_OVER;
		return;
	}
	if (s->step == DFU_STEP_RESET) {
		req->kind = REQUEST_XFER;
		req->xfer = (struct usb_xfer){ .kind = USB_RESET, .timeout_ms = RESET_TIMEOUT_MS };
		return;
	}
	if (s->step == DFU_STEP_PROBE && s->probe.stage == DFU_PROBE_LAYOUT) {
		dfu_probe_layout_next(&s->probe, req);
		if (req->kind != REQUEST_NOTHING)
			return;
		s->dfuse.counters.transfers += s->probe.maps.transfers;
		if (s->probe.stage == DFU_PROBE_FAILED)
			after_probe(s);
	}
	if (!s->under_way)
		next_operation(s, now_us);
	if (s->under_way) {
		dfuse_next(&s->dfuse, now_us, req);
	} else if (!s->asked) {
		*req = step_request(s);
		s->asked = req->kind != REQUEST_NOTHING;
	}
}

void
dfu_session_next(struct dfu_session *s, uint64_t now_us, struct request *ret_request)
{
	enum dfu_step step;

	memset(ret_request, 0, sizeof(*ret_request));
	do {
		step = s->step;
		step_next(s, now_us, ret_request);
	} while (ret_request->kind == REQUEST_NOTHING && s->step != step);
}

/* ---- how it ended --------------------------------------------------------------------------- */

static void
operation_done(struct dfu_session *s)
{
	uint32_t length;
	const uint8_t *data = dfuse_data(&s->dfuse, &length);

	if (s->step == DFU_STEP_PROBE) {
		dfu_probe_took(&s->probe, data, length);
		if (s->probe.stage == DFU_PROBE_DONE)
			after_probe(s);
	} else if (s->step == DFU_STEP_BACKUP_READ) {
		if (dfu_backup_took(&s->backup, data, length))
			enter(s, DFU_STEP_BACKUP_SAVE);
	} else if (s->step == DFU_STEP_WORK) {
		dfu_work_took(&s->work, &s->dfuse);
	} else {
		enter(s, DFU_STEP_OVER); /* LEAVE */
	}
}

static void
operation_failed(struct dfu_session *s)
{
	struct verdict v = dfuse_failure(&s->dfuse);

	if ((s->step == DFU_STEP_PROBE && dfu_probe_forgives(&s->probe, v.fault)) ||
	    (s->step == DFU_STEP_WORK && dfu_work_forgives(&s->work, v.fault))) {
		dfuse_forgive(&s->dfuse);
		return;
	}
	v.step = dfu_session_step(s);
	give_up(s, v, dfuse_say_unanswered(&s->dfuse, s->why_text) ? s->why_text : NULL);
}

static void
reset_ended(struct dfu_session *s, enum usb_status status)
{
	if (status == USB_OK) {
		again(s);
		return;
	}
	s->lost = status == USB_GONE;
	s->why = "a reset of the port did not help";
	enter(s, DFU_STEP_OVER);
}

void
dfu_session_ended(struct dfu_session *s, enum usb_status status, const uint8_t *data, size_t length,
		  uint64_t now_us)
{
	if (s->step == DFU_STEP_RESET) {
		reset_ended(s, status);
		return;
	}
	if (s->step == DFU_STEP_PROBE && s->probe.stage == DFU_PROBE_LAYOUT) {
		dfu_probe_layout_ended(&s->probe, status, data, length);
		return;
	}
	if (!s->under_way)
		return;
	dfuse_ended(&s->dfuse, status, data, length, now_us);
	if (!dfuse_over(&s->dfuse))
		return;
	s->under_way = false;
	s->proof.modified = s->proof.modified || s->dfuse.counters.erases > 0 ||
			    s->dfuse.counters.blocks_written > 0;
	if (dfuse_failed(&s->dfuse))
		operation_failed(s);
	else
		operation_done(s);
}

/* ---- answers and decisions ------------------------------------------------------------------ */

void
dfu_session_digested(struct dfu_session *s)
{
	s->digest_known = true;
	dfu_probe_forget(&s->probe);
	if (s->step == DFU_STEP_DIGEST)
		enter(s, DFU_STEP_DECIDE);
}

void
dfu_session_granted(struct dfu_session *s, enum permit permit)
{
	if (s->step == DFU_STEP_PERMIT && permit == PERMIT_START) {
		s->permitted = true;
		after_decision(s);
	} else if (s->step == DFU_STEP_WRITE_PERMIT && permit == PERMIT_WRITE) {
		s->may_write = true;
		enter(s, DFU_STEP_WORK);
	} else if (s->step == DFU_STEP_LEAVE_PERMIT && permit == PERMIT_LEAVE) {
		enter(s, s->probe.profile->leave ? DFU_STEP_LEAVE : DFU_STEP_OVER);
	}
}

void
dfu_session_recorded(struct dfu_session *s, bool durable)
{
	if (s->step != DFU_STEP_RECORD)
		return;
	s->recorded = durable;
	s->asked = false;
	if (durable)
		after_decision(s);
}

void
dfu_session_saved(struct dfu_session *s)
{
	s->backup.saved = true;
	if (s->step == DFU_STEP_BACKUP_SAVE)
		after_decision(s);
}

void
dfu_session_decided(struct dfu_session *s, struct image *image, bool permitted, bool recorded)
{
	assert(s->step == DFU_STEP_DECIDE);
	s->image = image;
	s->permitted = permitted;
	s->recorded = recorded;
	after_decision(s);
}

void
dfu_session_only_leave(struct dfu_session *s)
{
	s->only_leave = true;
	if (s->step == DFU_STEP_DECIDE || s->step == DFU_STEP_PERMIT ||
	    s->step == DFU_STEP_WRITE_PERMIT)
		enter(s, DFU_STEP_LEAVE_PERMIT);
}

bool
dfu_session_cure(struct dfu_session *s)
{
	enum fault fault = s->verdict.fault;

	if (fault != FAULT_SILENT && fault != FAULT_STALL && fault != FAULT_STUCK &&
	    fault != FAULT_PROTOCOL && fault != FAULT_BUS)
		return false;
	if (s->resets == RESETS)
		return false;
	s->resets++;
	s->uncured = s->verdict;
	enter(s, DFU_STEP_RESET);
	return true;
}

/* ---- questions ------------------------------------------------------------------------------ */

enum dfu_result
dfu_session_result(const struct dfu_session *s)
{
	if (s->step != DFU_STEP_OVER)
		return DFU_UNDER_WAY;
	if (s->lost || s->verdict.kind != VERDICT_NONE)
		return s->lost ? DFU_LOST : DFU_FAILED;
	return s->probe.profile->family ? DFU_LEFT : DFU_STAYED;
}

enum step
dfu_session_step(const struct dfu_session *s)
{
	if (s->step == DFU_STEP_WORK || s->step == DFU_STEP_WRITE_PERMIT)
		return dfu_work_step(&s->work);
	if (s->step >= DFU_STEP_RESET && s->verdict.kind != VERDICT_NONE)
		return s->verdict.step;
	return steps[s->step].step;
}

void
dfu_session_take_account(struct dfu_session *s, struct dfu_account *ret_account)
{
	struct dfuse_counters *c = &s->dfuse.counters;

	*ret_account = (struct dfu_account){
		.bytes_written = c->bytes_written,
		.sectors_erased = c->erases,
		.transfers = c->transfers,
		.has_plan = s->work.plan != NULL,
		.repairs = s->work.plan != NULL ? plan_repairs(s->work.plan) : 0,
		.stalls_early = s->dfuse.pace.stalls_early,
		.word_refused = s->work.word_refused,
	};
	memset(c, 0, sizeof(*c));
}

void
dfu_session_estimate(const struct dfu_session *s, uint64_t now_us, uint64_t *ret_left_us,
		     uint64_t *ret_total_us)
{
	uint64_t passed = dfuse_passed_us(&s->dfuse, now_us);

	*ret_left_us = *ret_total_us = 0;
	if (s->work.plan != NULL)
		plan_estimate(s->work.plan, ret_left_us, ret_total_us);
	/* The operation under way is partly over; an erase takes seconds. */
	*ret_left_us -= passed < *ret_left_us ? passed : *ret_left_us;
}
