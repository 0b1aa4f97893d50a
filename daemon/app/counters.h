/* SPDX-License-Identifier: MIT */
/* Counts of what has ended since the service started, for rates: as it is told, in memory alone. */
#ifndef APP_COUNTERS_H
#define APP_COUNTERS_H

#include "cfdfu/util.h"

struct counters;
struct fleet_event;
struct services;

int counters_new(const struct services *sv, struct counters **ret_counters) MUST_CHECK;
void counters_free(struct counters *c); /* NULL is fine */

/* A listener (app/dispatch.h). */
void counters_tell(void *ctx, const struct fleet_event *event);

#endif
