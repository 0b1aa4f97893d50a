/* SPDX-License-Identifier: MIT */
/*
 * A job's handle of its device: opened with patience, one transfer at a time, closed.
 *
 *   CLOSED --> OPENING --> OPEN <--> BUSY        a transfer is in flight
 *      ^          |          |
 *      +----------+----------+                    [handle_open_failed], or closed by its owner
 */
#ifndef CORE_HANDLE_H
#define CORE_HANDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "cfdfu/outcome.h"

enum handle_state { HANDLE_CLOSED, HANDLE_OPENING, HANDLE_OPEN, HANDLE_BUSY };

/* Embedded in its owner; private. */
struct handle {
	enum handle_state state;
	uint8_t open_tries;
};

/* An open has failed. */
struct handle_failure {
	enum fault fault;
	uint32_t retry_us; /* once more after so long; 0: it has failed for good */
};

bool handle_is_open(const struct handle *h); /* open, with or without a transfer in flight */

/* Counts a failed open.  error: negative errno; spoken: a node of it has answered before. */
struct handle_failure handle_open_failed(struct handle *h, int error, bool spoken);

#endif
