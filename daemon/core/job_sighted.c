/* SPDX-License-Identifier: MIT */
/*
 * What a sighting on its port means for a job that waits for its drone: the same one, or another;
 * and what it means that none came.
 */
#include "config.h"

#include "core/ident.h"
#include "core/job_parts.h"

enum {
	LEAVE_TRIES = 1,
	CROWD_US = 1000000, /* one enumeration: 0.42 s in Linux 6.1, with some slack */
};

/* A sighting in DFU mode while a drone is on its way there, or on its way back. */
static bool
dfu_sighted(struct job *j, const struct sighting *s, uint64_t now_us)
{
	enum ident_match match = j->record.serial[0] != '\0'
				     ? ident_runtime_dfu(j->record.serial, s->serial)
				     : ident_dfu_dfu(j->record.dfu_serial, s->serial);

	if (match == IDENT_DIFFERENT) {
		job_fail(j, FAULT_WRONG_SERIAL, job_step(j), now_us);
		return false;
	}
	if (j->stage == JOB_AWAIT_DFU) {
		/* INVARIANT: what was found in DFU mode does not become ours by leaving the bus. */
		j->own = !j->record.adopted;
		job_enter(j, JOB_FLASH, now_us);
		visit_begin(j, s, now_us);
		return true;
	}
	if (j->parting.kind != VERDICT_NONE) {
		job_finish(j, j->parting, j->parting_why, now_us);
		return true;
	}
	/* Left, and came back to the ROM: BOOT0 is high until power is removed (doc/protocol.md
	 * 2.2). */
	job_finish(j, (struct verdict){ .kind = VERDICT_NEEDS_POWER_CYCLE, .step = STEP_BOOTING },
		   NULL, now_us);
	return true;
}

static bool
runtime_sighted(struct job *j, const struct sighting *s, uint64_t now_us)
{
	enum ident_match match = j->record.serial[0] != '\0'
				     ? ident_runtime_runtime(j->record.serial, s->serial)
				     : ident_runtime_dfu(s->serial, j->record.dfu_serial);

	if (match == IDENT_DIFFERENT) {
		job_fail(j, FAULT_WRONG_SERIAL, job_step(j), now_us);
		return false;
	}
	if (j->stage == JOB_AWAIT_DFU)
		return talk_sighted_again(j, s, now_us);
	if (j->record.serial[0] == '\0')
		copy_text(j->record.serial, sizeof(j->record.serial), s->serial);
	if (j->parting.kind != VERDICT_NONE) {
		job_finish(j, j->parting, j->parting_why, now_us);
		return true;
	}
	talk_begin_confirm(j, now_us);
	return true;
}

bool
job_sighted(struct job *j, const struct sighting *s, uint64_t now_us)
{
	bool taken = false;

	if (j->stage == JOB_AWAIT_DFU || j->stage == JOB_AWAIT_RUNTIME) {
		j->present = true;
		j->arrival = s->arrival;
		switch (ident_kind_of(s)) { /* NEVER: another value */
		case IDENT_RUNTIME:
			taken = runtime_sighted(j, s, now_us);
			break;
		case IDENT_DFU:
			taken = dfu_sighted(j, s, now_us);
			break;
		case IDENT_OTHER:
			job_fail(j, FAULT_WRONG_SERIAL, job_step(j), now_us);
			break;
		}
	}
	j->present = taken;
	return taken;
}

/* JOB_AWAIT_RUNTIME: it has not come back in time. */
void
visit_on_deadline(struct job *j, uint64_t now_us)
{
	struct verdict v = { .kind = VERDICT_NEEDS_POWER_CYCLE, .step = STEP_BOOTING };

	if (j->parting.kind != VERDICT_NONE) {
		job_finish(j, j->parting, j->parting_why, now_us);
		return;
	}
	if (!j->vanished) {
		if (j->leave_tries++ < LEAVE_TRIES && j->present) {
			/* Still there in DFU mode: once more, from the beginning of the visit. */
			job_enter(j, JOB_FLASH, now_us);
			j->only_leave = true;
			flash_again(&j->flash);
			return;
		}
		v.fault = FAULT_NO_LEAVE;
		v.step = STEP_LEAVING;
	} else if (!j->record.adopted && j->reset_verdict.kind == VERDICT_NONE) {
		/* WHY: what answers after a reset of the port may have been put into DFU mode by
		 * its button meanwhile; then it stays there until power is removed. */
		v.kind = VERDICT_FAIL;
		v.fault = FAULT_NO_BOOT;
	}
	job_finish(j, v, NULL, now_us);
}

bool
job_awaits(const struct job *j)
{
	return j->stage == JOB_AWAIT_DFU || j->stage == JOB_AWAIT_RUNTIME;
}

void
job_crowd(struct job *j, unsigned others)
{
	uint64_t crowd_us = (uint64_t)others * CROWD_US;

	/* What has perhaps not even left is asked (talk_on_deadline()). */
	if (!job_awaits(j) || (j->stage == JOB_AWAIT_DFU && !j->vanished) ||
	    crowd_us <= j->crowd_us)
		return;
	j->deadline_us += crowd_us - j->crowd_us;
	j->crowd_us = crowd_us;
}
