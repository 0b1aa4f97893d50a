/* SPDX-License-Identifier: MIT */
/* The history of a drone, found in the records by what it says of itself or by its port. */
#ifndef APP_DRONE_HISTORY_H
#define APP_DRONE_HISTORY_H

#include "cfdfu/watch.h"
#include "core/job.h"

struct store;

/* Fills in the history of the device that was sighted; an unknown one leaves it as it was.  -errno
 * of the store. */
int drone_history_find(struct store *store, const struct sighting *s,
		       struct drone_history *history) MUST_CHECK;

#endif
