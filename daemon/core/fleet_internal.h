/* SPDX-License-Identifier: MIT */
/* The parts of a fleet.  For the fleet's own files alone. */
#ifndef CORE_FLEET_INTERNAL_H
#define CORE_FLEET_INTERNAL_H

#include "core/eta.h"
#include "core/fleet.h"
#include "core/slots.h"

struct fleet {
	struct fleet_options options;
	struct device profiles[SLOT_PROFILES_MAX];
	size_t profile_count;
	struct slots slots; /* its policy and scheduler are the fleet's */
	struct eta eta;
	uint64_t last_dev;
	struct brake brake;
	struct brake_run fallen; /* fault NONE: the brake has not fallen */
};

/* fleet_brake.c: the verdict of this job may be told: does it stop the station? */
void fleet_count_harm(struct fleet *f, const struct job_record *r, uint64_t now_us);

#endif
