/* SPDX-License-Identifier: MIT */
/*
 * The life of the service around its event loop: signals, settings put into force, each second's
 * work, the service manager, stopping, leaving when idle, and the machine's sleep.
 *
 *   RUNNING --> DRAINING     SIGTERM, SIGINT: no drone begins, running ones end       [stop]
 *   RUNNING --> RESTARTING   Restart: the same without a limit, clients are answered  [restart]
 *   RESTARTING -> DRAINING   SIGTERM, SIGINT                                          [stop]
 *   DRAINING -> INTERRUPTED  again, or after DRAIN_MS: running ones end at once       [interrupt]
 *   any     --> (left)       no drone is active, idle, or after RECORD_MS             [leave_loop]
 */
#ifndef APP_LIFECYCLE_H
#define APP_LIFECYCLE_H

#include "cfdfu/util.h"

struct dispatch;
struct lifecycle;
struct services;

/* Puts the settings into force, and reads the records. */
int lifecycle_new(const struct services *sv, struct dispatch *dispatch,
		  struct lifecycle **ret_lifecycle) MUST_CHECK; /* -ENOMEM */
void lifecycle_free(struct lifecycle *l);			/* NULL is fine */

/* Runs the event loop until the service is to end.  1: start it again; -EIO: the loop failed. */
int lifecycle_run(struct lifecycle *l) MUST_CHECK;

#endif
