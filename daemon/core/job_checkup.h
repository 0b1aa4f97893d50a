/* SPDX-License-Identifier: MIT */
/*
 * The follow-up jobs of a running drone: it is looked at as a whole and its power switched off and
 * on where something needs that, or a deck's firmware or the radio configuration is written, or its
 * light shown.  From the reports of the run-time session to the attempt, as core/job_follow.h.
 */
#ifndef CORE_JOB_CHECKUP_H
#define CORE_JOB_CHECKUP_H

#include "core/attempt.h"
#include "core/job_decide.h"
#include "core/job_write.h"
#include "core/runtime_session.h"

/* A job of such a kind begins; the attempt is at JOB_ASK, nothing was requested yet. */
void checkup_begin(const struct job_facts *k, struct attempt *a, struct runtime_session *runtime,
		   uint64_t now_us);

/* JOB_CHECK, JOB_WRITE, JOB_SHOW, JOB_RESTART: the session has come so far. */
void checkup_follow(const struct job_facts *k, struct attempt *a, struct runtime_session *runtime,
		    enum runtime_result result, uint64_t now_us);

/* JOB_AWAIT_RESTART: it is back, running or in another mode; or it did not go, or not come back, in
 * time. */
void checkup_returned(struct attempt *a, struct runtime_session *runtime, bool runs,
		      uint64_t now_us);
void checkup_is_late(struct attempt *a, uint64_t now_us);

#endif
