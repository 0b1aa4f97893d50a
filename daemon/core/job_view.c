/* SPDX-License-Identifier: MIT */
/* Questions about a job: where it is, what it will still take. */
#include "config.h"

#include "core/job_parts.h"

enum job_stage
job_stage(const struct job *j)
{
	return j->stage;
}

enum step
job_step(const struct job *j)
{
	switch (j->stage) {
	case JOB_ASK:
		return STEP_ASKING;
	case JOB_SWITCH:
	case JOB_REQUEST:
	case JOB_AWAIT_DFU:
		return STEP_REBOOTING;
	case JOB_FLASH:
		return flash_step(&j->flash);
	case JOB_AWAIT_RUNTIME:
		return STEP_BOOTING;
	case JOB_CONFIRM:
		return STEP_CONFIRMING;
	case JOB_ENDING:
	case JOB_LIGHT:
	case JOB_OVER:
	case JOB_STAGE_COUNT:
		break;
	}
	return j->last_step;
}

const struct job_record *
job_record(const struct job *j)
{
	return &j->record;
}

bool
job_published(const struct job *j)
{
	return j->published;
}

bool
job_forced(const struct job *j)
{
	return j->setup.force;
}

bool
job_foreign(const struct job *j)
{
	return j->foreign;
}

const char *
job_idle_reason(const struct job *j)
{
	return j->stage == JOB_OVER && !j->published ? j->record.message : NULL;
}

bool
job_begun(const struct job *j)
{
	return j->begun != BEGUN_NO;
}

bool
job_touched(const struct job *j)
{
	return j->touched;
}

/* Of what coming back usually takes. */
static uint64_t
boot_left_us(const struct job *j, uint64_t now_us, uint64_t boot_us)
{
	uint64_t passed = j->record.stage_us[STEP_BOOTING] + j->record.stage_us[STEP_CONFIRMING];

	if (j->stage < JOB_AWAIT_RUNTIME)
		return boot_us;
	if (j->stage > JOB_CONFIRM)
		return 0;
	passed += now_us > j->step_since_us ? now_us - j->step_since_us : 0;
	return passed < boot_us ? boot_us - passed : 0;
}

void
job_estimate(const struct job *j, uint64_t now_us, uint64_t boot_us, uint64_t *ret_left_us,
	     uint64_t *ret_total_us)
{
	uint64_t left, total;

	flash_estimate(&j->flash, now_us, &left, &total);
	if (j->stage < JOB_FLASH || (j->stage == JOB_FLASH && total == 0))
		left = total; /* the plan is not made yet */
	if (j->stage > JOB_FLASH)
		left = 0;
	*ret_left_us = left + boot_left_us(j, now_us, boot_us);
	*ret_total_us = total + boot_us;
}
