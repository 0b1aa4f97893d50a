/* SPDX-License-Identifier: MIT */
/*
 * From the reports of a job's sessions to its attempt: the decision that is due is taken
 * (core/job_decide.h) and carried out.  Holds nothing itself.
 */
#ifndef CORE_JOB_FOLLOW_H
#define CORE_JOB_FOLLOW_H

#include "core/attempt.h"
#include "core/job_decide.h"
#include "core/runtime_session.h"

/* The run-time session has come so far. */
void follow_runtime(const struct job_facts *k, struct attempt *a, struct runtime_session *runtime,
		    enum runtime_result result, uint64_t now_us);

/* A drone is in DFU mode, now or again. */
void follow_dfu_arrival(const struct job_facts *k, struct attempt *a, const struct sighting *s);
/* JOB_FLASH: its next request; with REQUEST_NOTHING the stage may have changed. */
void follow_dfu_next(const struct job_facts *k, struct attempt *a, uint64_t now_us,
		     struct request *ret_request);
/* The session is over. */
void follow_dfu_over(const struct job_facts *k, struct attempt *a, uint64_t now_us);
/* It was asked to leave, and is on its way. */
void follow_dfu_left(const struct job_facts *k, struct attempt *a, uint64_t now_us);
/* A fault of the host keeps a foreign device from being probed: true, over without an attempt. */
bool follow_host_failure(const struct job_facts *k, struct attempt *a, enum fault fault,
			 uint64_t now_us);

/* A permit that the stage waits for; another one changes nothing. */
void follow_permit(struct attempt *a, enum permit permit, uint64_t now_us);

/* Its image is quarantined: the drone is left as it is.  image: unless one is pinned. */
void follow_quarantine(const struct job_facts *k, struct attempt *a, const struct image *image,
		       uint64_t now_us);

/* The version that the drone is to say it runs; "": the image carries none to ask for. */
const char *follow_expected_version(const struct job_record *r);

#endif
