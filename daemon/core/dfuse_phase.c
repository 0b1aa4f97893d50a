/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/dfuse_phase.h"

#include <assert.h>

#include "cfdfu/dfu.h"
#include "cfdfu/util.h"

static const unsigned next_phases[DFUSE_PHASE_COUNT] = {
#define P(x) BIT(DFUSE_PHASE_##x)
	[DFUSE_PHASE_IDLE] = P(CLEAN) | P(CLEAN_FIX) | P(SELECT) | P(ADDRESS) | P(COMMAND) |
			     P(UNLOAD) | P(UPLOAD) | P(LEAVE),
	[DFUSE_PHASE_CLEAN] = P(CLEAN_FIX) | P(IDLE) | P(RECOVER) | P(FAILED),
	[DFUSE_PHASE_CLEAN_FIX] = P(CLEAN) | P(RECOVER) | P(FAILED),
	[DFUSE_PHASE_SELECT] = P(IDLE) | P(ADDRESS) | P(COMMAND) | P(UNLOAD) | P(UPLOAD) |
			       P(LEAVE) | P(RECOVER) | P(FAILED),
	[DFUSE_PHASE_ADDRESS] = P(START) | P(RECOVER) | P(FAILED),
	[DFUSE_PHASE_COMMAND] = P(START) | P(RECOVER) | P(FAILED),
	[DFUSE_PHASE_START] = P(POLL) | P(RECOVER) | P(FAILED),
	[DFUSE_PHASE_POLL] = P(IDLE) | P(COMMAND) | P(UNLOAD) | P(LEAVE) | P(RECOVER) | P(FAILED),
	[DFUSE_PHASE_UNLOAD] = P(SELECT) | P(IDLE) | P(UPLOAD) | P(ADDRESS) | P(COMMAND) |
			       P(LEAVE) | P(RECOVER) | P(FAILED),
	[DFUSE_PHASE_UPLOAD] = P(IDLE) | P(RECOVER) | P(FAILED),
	[DFUSE_PHASE_LEAVE] = P(MANIFEST) | P(IDLE) | P(RECOVER) | P(FAILED),
	[DFUSE_PHASE_MANIFEST] = P(IDLE) | P(RECOVER) | P(FAILED),
	[DFUSE_PHASE_RECOVER] = P(CLEAN_FIX) | P(SELECT) | P(ADDRESS) | P(COMMAND) | P(UNLOAD) |
				P(UPLOAD) | P(LEAVE) | P(CLEAN) | P(IDLE) | P(FAILED),
#undef P
};

void
dfuse_enter(struct dfuse *d, enum dfuse_phase next)
{
	if (d->phase != next)
		assert(next_phases[d->phase] & BIT(next));
	d->phase = next;
	d->asked_at_us = 0;
}

enum pace_op
dfuse_pace_kind(const struct dfuse *d)
{
	if (d->addressing || d->req.op == DFUSE_OP_FEATURE)
		return PACE_COMMAND;
	return d->req.op == DFUSE_OP_ERASE ? PACE_ERASE : PACE_PROGRAM;
}

/* Does block arithmetic from the current pointer reach addr?  address = pointer + (block - 2) *
 * size. */
static bool
pointer_reaches(const struct dfuse *d)
{
	uint32_t away = d->req.addr - d->place.pointer;

	if (d->req.op == DFUSE_OP_ERASE)
		return true; /* carries its own address */
	if (!d->place.pointer_known || d->req.addr < d->place.pointer)
		return false;
	if (d->req.op == DFUSE_OP_LEAVE)
		return away == 0;
	return away % d->transfer_bytes == 0 &&
	       away / d->transfer_bytes <= UINT16_MAX - DFUSE_BLOCK_DATA;
}

enum dfuse_phase
dfuse_next_phase(const struct dfuse *d)
{
	bool unloading = d->state == DFU_STATE_UPLOAD_IDLE;
	bool loading = d->state == DFU_STATE_DNLOAD_IDLE;

	if (!d->place.alt_known || d->place.alt != d->req.alt)
		return unloading || loading ? DFUSE_PHASE_UNLOAD : DFUSE_PHASE_SELECT;
	if (!pointer_reaches(d))
		return unloading ? DFUSE_PHASE_UNLOAD : DFUSE_PHASE_ADDRESS;
	if (d->req.op == DFUSE_OP_READ)
		return loading ? DFUSE_PHASE_UNLOAD : DFUSE_PHASE_UPLOAD;
	if (unloading)
		return DFUSE_PHASE_UNLOAD;
	return d->req.op == DFUSE_OP_LEAVE ? DFUSE_PHASE_LEAVE : DFUSE_PHASE_COMMAND;
}

void
dfuse_go_on(struct dfuse *d)
{
	enum dfuse_phase next = dfuse_next_phase(d);

	d->addressing = next == DFUSE_PHASE_ADDRESS;
	if (next == DFUSE_PHASE_ADDRESS || next == DFUSE_PHASE_COMMAND) {
		d->budget_us = pace_limit_us(dfuse_pace_kind(d), d->req.length);
		d->stalls_left = DFUSE_STALLS;
	}
	dfuse_enter(d, next);
}
