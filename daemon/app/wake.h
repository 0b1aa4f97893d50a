/* SPDX-License-Identifier: MIT */
/*
 * One moment at which the loop calls back, to the microsecond.
 *
 * WHY a timerfd of our own instead of libevent's precise timers: those set theirs anew at every
 * turn of the loop, this one only when the moment comes nearer: once for each operation that is
 * waited for, and for none of the transfers.
 */
#ifndef APP_WAKE_H
#define APP_WAKE_H

#include <stdint.h>

#include "cfdfu/util.h"

struct wake;
struct event_base;

/* The caller owns *ret_wake.  -errno. */
int wake_new(struct event_base *base, void (*call)(void *ctx), void *ctx,
	     struct wake **ret_wake) MUST_CHECK;
void wake_free(struct wake *a); /* NULL is fine */

/*
 * Calls back once at at_us (CLOCK_MONOTONIC, microseconds; what is past: at once), or before: a
 * moment that was asked for earlier is kept.  The callback looks what is due and asks again.
 */
void wake_at(struct wake *a, uint64_t at_us);

#endif
