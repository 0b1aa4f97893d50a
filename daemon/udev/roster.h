/* SPDX-License-Identifier: MIT */
/*
 * Who is plugged in where: turns what is found on a port, however often and in whatever order, into
 * arrivals and departures, each told once.  Pure: no clock, no file.
 *
 * A stamp names one enumeration of a device; the next device on the port, or the same one again,
 * has another.
 */
#ifndef UDEV_ROSTER_H
#define UDEV_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfdfu/util.h"
#include "cfdfu/watch.h"

#define ROSTER_PORTS_MAX 2048 /* LIMIT: USB devices of one machine, hubs and mice too */

enum found {
	FOUND_NOTHING, /* the port is empty */
	FOUND_OTHER,   /* a device that is none of ours */
	FOUND_UNREADY, /* one of ours, not to be told yet */
	FOUND_OURS,
};

/* What the caller has to report, in this order; 0 means no. */
struct roster_change {
	uint64_t gone_arrival;
	uint64_t new_arrival;
};

struct roster;

int roster_new(struct roster **ret_roster) MUST_CHECK;
void roster_free(struct roster *r); /* NULL is fine */

/* 0; -ENOMEM or -E2BIG when a new port cannot be kept: nothing has changed then.  Times are any
 * that rise. */
int roster_note(struct roster *r, const char *port, enum found found, uint64_t stamp,
		uint64_t now_us, struct roster_change *ret_change) MUST_CHECK;

/* What was noted last of this enumeration; FOUND_NOTHING when it is not known.  Counts as seen in a
 * sweep. */
enum found roster_find(struct roster *r, const char *port, uint64_t stamp);

/* Since when the device on this port has been unready; now_us when it is not. */
uint64_t roster_unready_since(const struct roster *r, const char *port, uint64_t now_us);

/* The n-th unready port; NULL after the last. */
const char *roster_unready(const struct roster *r, size_t n);

/* A sweep finds the ports that nothing was found on: begin, find or note what is there, take the
 * rest. */
void roster_begin_sweep(struct roster *r);
const char *roster_unseen(const struct roster *r); /* NULL: none */

/* Every FOUND_OTHER is looked at afresh: the set of ours has grown. */
void roster_forget_others(struct roster *r);

#endif
