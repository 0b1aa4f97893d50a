/* SPDX-License-Identifier: MIT */
/*
 * The clients' share of the loop's time: devices come first, so a stretch of clients' work is
 * short, and while drones are at work a rest follows that is many times as long.  A drone's wait
 * for clients is then, on average and for each of its transfers, (length of a stretch / 2) x (share
 * of the time): some hundredths of a millisecond.  Pure: the clock is the caller's.
 */
#ifndef CTL_SHARE_H
#define CTL_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#define SHARE_US 2000		  /* LIMIT: of clients' work before devices are looked at again */
#define SHARE_REST 39		  /* the rest is so many times as long: a 40th is the clients' */
#define SHARE_REST_MAX_US 1000000 /* LIMIT: the longest rest */

struct share {
	uint64_t from_us; /* when this stretch began */
};

void share_begin(struct share *s, uint64_t now_us);

/* The stretch is over as soon as what is under way is done. */
bool share_is_spent(const struct share *s, uint64_t now_us);

/* Microseconds until the next stretch may begin; 0: as soon as the devices have been looked at. */
uint64_t share_end(const struct share *s, uint64_t now_us, bool drones_at_work);

#endif
