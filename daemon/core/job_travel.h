/* SPDX-License-Identifier: MIT */
/*
 * A drone between its two modes: it leaves the bus, it comes back, another one comes in its place,
 * or none comes in time.
 */
#ifndef CORE_JOB_TRAVEL_H
#define CORE_JOB_TRAVEL_H

#include "core/attempt.h"
#include "core/job_decide.h"
#include "core/runtime_session.h"

/* The drone has left the bus, in whatever stage. */
void travel_departed(const struct job_facts *k, struct attempt *a,
		     const struct runtime_session *runtime, uint64_t now_us);

/* Is this the drone of the record? */
bool travel_is_same_drone(const struct job_record *r, const struct sighting *s);

/* It is, and is sighted while it is waited for. */
void travel_arrived(const struct job_facts *k, struct attempt *a, struct runtime_session *runtime,
		    const struct sighting *s, uint64_t now_us);

/* It has not come in time.  present: as far as is known it has not even left. */
void travel_is_late(struct attempt *a, struct runtime_session *runtime, bool present,
		    uint64_t now_us);

#endif
