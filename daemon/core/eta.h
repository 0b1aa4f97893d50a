/* SPDX-License-Identifier: MIT */
/*
 * When will it be done?  Each drone's own work as its plan and its pace have it, the permits that
 * it has to wait for, and the drones of its controller that come up before it, as far apart as they
 * came so far (arrivals.h; doc/rack.md 12).
 */
#ifndef CORE_ETA_H
#define CORE_ETA_H

#include <stdint.h>

#include "core/sched.h"
#include "core/slots.h"

struct eta {
	const struct slots *slots; /* borrowed, as the limits */
	const struct sched_limits *limits;
	uint64_t work_us; /* the whole work on the last drone that passed; 0 none yet */
};

/* Whole seconds; -1 unknown: there is no plan yet, or nothing to do. */
int eta_of_slot(const struct eta *e, unsigned slot, uint64_t now_us);
int eta_of_all(const struct eta *e, uint64_t now_us); /* until the last one is done */

#endif
