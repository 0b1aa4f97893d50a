/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/job.h"

#include "core/job_internal.h"
#include "core/job_message.h"

bool
job_awaits(const struct job *j)
{
	return j->attempt.stage == JOB_AWAIT_DFU || j->attempt.stage == JOB_AWAIT_RUNTIME ||
	       j->attempt.stage == JOB_AWAIT_RESTART;
}

uint64_t
job_deadline_us(const struct job *j)
{
	return attempt_deadline_us(&j->attempt);
}

enum job_stage
job_stage(const struct job *j)
{
	return j->attempt.stage;
}

enum step
job_step(const struct job *j)
{
	return j->attempt.stage == JOB_WRITE ? job_write_step(&j->write)
					     : attempt_step(&j->attempt);
}

const struct job_record *
job_record(const struct job *j)
{
	return &j->attempt.record;
}

void
job_blame(struct job *j, const char *words)
{
	job_message_blame(&j->attempt.record, words);
}

bool
job_published(const struct job *j)
{
	return j->attempt.row == ROW_PUBLISHED;
}

bool
job_is_busy(const struct job *j)
{
	/* A transfer in flight when the link is to be given back is waited for. */
	return j->handle.state == HANDLE_BUSY &&
	       ((j->attempt.stage != JOB_ENDING && j->attempt.stage != JOB_OVER) ||
		runtime_session_linked(&j->runtime));
}

bool
job_forced(const struct job *j)
{
	return j->setup.force;
}

bool
job_cut_short(const struct job *j)
{
	return j->attempt.cut_short;
}

bool
job_is_cycling(const struct job *j)
{
	return j->attempt.stage == JOB_RESTART || j->attempt.stage == JOB_AWAIT_RESTART;
}

uint32_t
job_patience_us(const struct job *j)
{
	return attempt_patience_us(&j->attempt, j->setup.patience_us);
}

unsigned
job_crashes(const struct job *j)
{
	return j->attempt.crashes;
}

bool
job_only_looks(const struct job *j)
{
	return !job_kind_is_recorded(j->setup.kind) && !job_is_cycling(j);
}

bool
job_foreign(const struct job *j)
{
	return j->attempt.foreign;
}

bool
job_begun(const struct job *j)
{
	return attempt_is_begun(&j->attempt);
}

bool
job_touched(const struct job *j)
{
	return attempt_is_touched(&j->attempt);
}

void
job_estimate(const struct job *j, uint64_t now_us, uint64_t boot_us, uint64_t *ret_left_us,
	     uint64_t *ret_total_us)
{
	enum job_stage stage = j->attempt.stage;
	uint64_t left, total;

	if (!job_kind_reboots(j->setup.kind)) {
		job_write_estimate(&j->write, now_us, ret_left_us, ret_total_us);
		return;
	}
	dfu_session_estimate(&j->dfu, now_us, &left, &total);
	if (stage < JOB_FLASH || (stage == JOB_FLASH && total == 0))
		left = total; /* the plan is not made yet */
	if (stage > JOB_FLASH)
		left = 0;
	boot_us += job_patience_us(j);
	*ret_left_us = left + attempt_boot_left_us(&j->attempt, now_us, boot_us);
	*ret_total_us = total + boot_us;
}
