/* SPDX-License-Identifier: MIT */
/*
 * Writing through the running drone: which engine of core/memory_op.h a job needs, on which memory,
 * and how it ended.
 */
#ifndef CORE_JOB_WRITE_H
#define CORE_JOB_WRITE_H

#include "core/deck_update.h"
#include "core/job.h"
#include "core/radio_write.h"

/* Embedded in its owner.  All zero: nothing to write. */
struct job_write {
	struct memory_engine engine; /* of one of these */
	enum job_kind kind;
	struct deck_update deck;
	struct radio_write radio;
};

/* By the kind of the job and what was seen.  NULL, or a static sentence: it cannot be done. */
const char *job_write_init(struct job_write *w, const struct job_setup *setup,
			   const struct condition *c);

/* When the conversation is over; what was written is noted in the condition.  ret_why: static, or
 * NULL. */
struct verdict job_write_verdict(const struct job_write *w, struct condition *c,
				 const char **ret_why);
uint64_t job_write_bytes(const struct job_write *w);
enum step job_write_step(const struct job_write *w);
/* Work left and in all; 0, 0: not known. */
void job_write_estimate(const struct job_write *w, uint64_t now_us, uint64_t *ret_left_us,
			uint64_t *ret_total_us);

#endif
