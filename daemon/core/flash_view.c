/* SPDX-License-Identifier: MIT */
/* Questions about a visit: where it is, what it has done, how much is left. */
#include "config.h"

#include "core/flash.h"

enum flash_stage
flash_stage(const struct flash *f)
{
	return f->stage;
}

static enum step
work_step(const struct flash *f)
{
	switch (plan_phase(f->plan)) {
	case PLAN_COMPARE:
		return STEP_COMPARING;
	case PLAN_ERASE:
		return STEP_ERASING;
	case PLAN_WRITE:
		return STEP_WRITING;
	case PLAN_VERIFY:
	case PLAN_FAILED:
		return STEP_VERIFYING;
	case PLAN_PAGE:
	case PLAN_PAGE_CHECK:
		return STEP_FIRST_PAGE;
	case PLAN_DONE:
	case PLAN_PHASE_COUNT:
		break;
	}
	return STEP_LEAVING;
}

enum step
flash_step(const struct flash *f)
{
	switch (f->stage) {
	case FLASH_MAPS:
	case FLASH_CLEAN:
	case FLASH_OTP:
	case FLASH_OPTIONS:
	case FLASH_LOADER:
	case FLASH_PROBED:
	case FLASH_FEATURE:
	case FLASH_CHECK_FEATURE:
		return STEP_PROBING;
	case FLASH_BACKUP:
		return STEP_BACKING_UP;
	case FLASH_WORK:
	case FLASH_WRITE_TURN:
		return work_step(f);
	case FLASH_OVER:
		if (f->verdict.kind != VERDICT_NONE)
			return f->verdict.step;
		break;
	case FLASH_LEAVE_TURN:
	case FLASH_LEAVE:
	case FLASH_STAGE_COUNT:
		break;
	}
	return STEP_LEAVING;
}

bool
flash_unchanged(const struct flash *f)
{
	return f->plan != NULL && plan_unchanged(f->plan);
}

void
flash_estimate(const struct flash *f, uint64_t now_us, uint64_t *ret_left_us,
	       uint64_t *ret_total_us)
{
	const struct dfuse *d = &f->dfuse;
	enum pace_op op = d->req.op == DFUSE_OP_ERASE ? PACE_ERASE : PACE_PROGRAM;
	uint64_t passed = dfuse_passed_us(d, now_us);
	uint64_t whole = pace_whole_us(&d->pace, op, d->req.length);

	*ret_left_us = *ret_total_us = 0;
	if (f->plan == NULL)
		return;
	plan_estimate(f->plan, &d->pace, ret_left_us, ret_total_us);
	/* The operation under way is partly over; an erase takes seconds. */
	passed = passed < whole ? passed : whole;
	*ret_left_us -= passed < *ret_left_us ? passed : *ret_left_us;
}
