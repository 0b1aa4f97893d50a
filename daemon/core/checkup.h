/* SPDX-License-Identifier: MIT */
/*
 * The decisions of a check-up: does the drone need its power switched off and on, may it be, can
 * it, and how long is that given?  Pure functions of what was seen (doc/beyond-dfu.md 6).
 */
#ifndef CORE_CHECKUP_H
#define CORE_CHECKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/condition.h"
#include "core/job.h"

/* Once for each need, never on a healthy drone, never on one that flies. */
bool checkup_wants_power_cycle(const struct condition *c, const struct job_options *options);

/* From its leaving the bus to its return. */
uint32_t checkup_return_us(const struct condition *c);

/* It starts anew: what was seen of its last run is not known any more.  by_power: decks, too. */
void checkup_started_anew(struct condition *c, bool by_power);

#endif
