/* SPDX-License-Identifier: MIT */
/*
 * The state of `wait`: slots as last reported, how each drone ended meanwhile, and the exit status
 * that follows.  The truth table is in the manual page; tests/e2e/12-wait.sh runs its rows.
 *
 * INVARIANT: nothing is good that was not seen to be good: 0 needs at least one drone that ended as
 * pass or unchanged, and nothing else in sight.
 */
#ifndef CLIENT_WAITING_H
#define CLIENT_WAITING_H

#include <jansson.h>
#include <stdbool.h>

#include "cfdfu/util.h"

struct waiting;

/* Called for each ending as it is reported: a slot. */
typedef void waiting_ended(void *ctx, const json_t *slot);

/*
 * count: until so many drones have ended; 0: all that are plugged in.  patient: where nothing is
 * plugged in, wait for the first one.  ready: one that is not seen to be ready is not good.
 */
struct waiting_options {
	uint64_t count;
	bool patient, ready;
};
int waiting_new(const struct waiting_options *options, struct waiting **ret_waiting) MUST_CHECK;
void waiting_free(struct waiting *w); /* NULL is fine */

/* One reply of Watch.  0 or -ENOMEM. */
int waiting_apply(struct waiting *w, const json_t *reply, waiting_ended *ended,
		  void *ctx) MUST_CHECK;

/*
 * Endings that Watch did not tell, because the connection was lost or too slow: attempts from
 * waiting_since() on, newest first as GetHistory has them.  0 or -ENOMEM.
 */
int waiting_missed(struct waiting *w, const json_t *attempts) MUST_CHECK;
json_int_t waiting_since(const struct waiting *w);

const json_t *waiting_station(const struct waiting *w); /* NULL before the first reply */
bool waiting_is_over(const struct waiting *w);

/*
 * Type WaitReport of the manual: lists of drones ended, failed, quarantined, foreign, unserved,
 * skipped, needs_power_cycle, not_ready and missing, the number of further drones expected, and the
 * exit status.  NULL when memory ran out.
 */
json_t *waiting_report(const struct waiting *w, bool timed_out);

#endif
