/* SPDX-License-Identifier: MIT */
/*
 * The daemon's clocks.  Everything that it decides goes by clock_now_us(); wall time is only
 * recorded.  Tests that run on a virtual clock link their own clock.c.
 */
#ifndef APP_CLOCK_H
#define APP_CLOCK_H

#include <stdint.h>

#include "cfdfu/util.h"
#include "store/store.h"

struct clock;

int clock_new(struct clock **ret_clock) MUST_CHECK; /* -ENOMEM */
void clock_free(struct clock *c);		    /* NULL is fine */

uint64_t clock_now_us(void); /* CLOCK_MONOTONIC: stands still while the machine is suspended */

/* How much longer the machine has been up than it has been awake. */
int64_t clock_suspended_ms(void);

/* A moment as the records keep it; its boot_id is good as long as the clock. */
struct store_time clock_time(const struct clock *c);

#endif
