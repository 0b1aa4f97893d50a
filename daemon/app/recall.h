/* SPDX-License-Identifier: MIT */
/* The records as the fleet is told of them: a drone's history, and endings before the start. */
#ifndef APP_RECALL_H
#define APP_RECALL_H

#include <stdint.h>

#include "cfdfu/watch.h"
#include "core/job.h"

struct fleet;
struct store;

/* The history of the device that was sighted, found by what it says of itself or by its port; an
 * unknown one leaves it as it was.  -errno of the store. */
int recall_drone(struct store *store, const struct sighting *s,
		 struct drone_history *history) MUST_CHECK;

/* Endings of flashings after this attempt, in their order, for the brake's count.  Without memory,
 * or records that can be read, none is recalled: the count begins with the next ending. */
void recall_endings(struct store *store, struct fleet *fleet, int64_t after);

#endif
