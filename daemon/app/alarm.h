/* SPDX-License-Identifier: MIT */
/*
 * One moment at which the event loop is to call.  WHY not a timer of libevent's: its clock goes by
 * the kernel's ticks (4 ms), so it calls too early, is set again, and is late in the end: two and a
 * half wake-ups and 2 ms for each block of a drone (doc/rack.md 10).
 */
#ifndef APP_ALARM_H
#define APP_ALARM_H

#include <stdint.h>

#include "cfdfu/util.h"

struct alarm;
struct event_base;

int alarm_new(struct event_base *base, void (*ring)(void *ctx), void *ctx,
	      struct alarm **ret_alarm) MUST_CHECK; /* -errno */
void alarm_free(struct alarm *a);		    /* NULL is fine */

/*
 * Rings once, from the loop, at this moment of CLOCK_MONOTONIC or after it, never before; one that
 * is over is now.  An earlier moment that was set holds, and this one is forgotten.  -errno.
 */
int alarm_set(struct alarm *a, uint64_t at_us) MUST_CHECK;

#endif
