/* SPDX-License-Identifier: MIT */
/*
 * Getting storage up: lock, audit file, database, and both made equal.
 *
 * WHY so little is read: a station with a million attempts looks at its first drone a second after
 * a kill.  Looked at is what the next decision and the next record rest on:
 *
 *   the lock; the header, size and free pages of the database       [db_open]
 *   its small tables, whole: drones, ports, settings, firmware      [db_open]
 *   the last line of the audit file, and a torn end behind it       [audit_open]
 *   the last record of both, one hash for all before it             [reconcile_files]
 *   the newest records, line by line, with their indices            [check_newest]
 *
 * The rest is compared while the station works (walk.h).  Until that has come to its end a row that
 * was damaged may be shown; none can make an ending untrue: what is announced was written to the
 * audit file first, and the database is made anew from it.
 */
#ifndef STORE_RECOVER_H
#define STORE_RECOVER_H

#include "store/files.h"

#define LOOP_WAIT_MS 20 /* LIMIT: how long a lock of another program may hold up the event loop */

/*
 * DOWN -> UP, or 1: IMPORTING.  Negative errno and down_why: then parts of it may be open, for
 * files_fail_stop().  in_loop: the event loop waits, so it does nothing that takes long.
 */
int recover_files(struct files *f, const struct store_time *now, bool in_loop) MUST_CHECK;

/* IMPORTING -> UP when it returns 0.  1: there is more, go_on says how much at a time; negative
 * errno as above. */
int recover_go_on(struct files *f, bool (*go_on)(void *ctx), void *ctx) MUST_CHECK;

#endif
