/* SPDX-License-Identifier: MIT */
/*
 * Table of devices by port.  Turns what is found on a port, in any order and number, into exactly
 * one arrival and one departure per device.  Pure: no clock, no file.
 *
 * An enumeration is a number of the kernel's; the next device on the port, or the same one again,
 * has another.
 */
#ifndef UDEV_PORT_TABLE_H
#define UDEV_PORT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfdfu/util.h"
#include "cfdfu/watch.h"

#define PORT_TABLE_MAX 2048 /* LIMIT: USB devices of one machine, hubs and mice too */

enum found {
	FOUND_NOTHING, /* the port is empty */
	FOUND_OTHER,   /* a device that is none of ours */
	FOUND_UNREADY, /* one of ours, not to be told yet */
	FOUND_OURS,
};

/* For the caller to report, in this order; 0 means no. */
struct port_change {
	uint64_t gone_arrival;
	uint64_t new_arrival;
};

struct port_table;

int port_table_new(struct port_table **ret_table) MUST_CHECK;
void port_table_free(struct port_table *t); /* NULL is fine */

/* 0; -ENOMEM or -E2BIG when a new port cannot be kept: nothing has changed then.  Times are any
 * that rise. */
int port_table_note(struct port_table *t, const char *port, enum found found, uint64_t enumeration,
		    uint64_t now_us, struct port_change *ret_change) MUST_CHECK;

/* Noted last of this enumeration; FOUND_NOTHING when it is not known.  Counts as seen in a
 * sweep. */
enum found port_table_find(struct port_table *t, const char *port, uint64_t enumeration);

/* Since when the device on this port has been unready; now_us when it is not. */
uint64_t port_table_unready_since(const struct port_table *t, const char *port, uint64_t now_us);

/* The n-th unready port; NULL after the last. */
const char *port_table_unready(const struct port_table *t, size_t n);

/* A sweep finds the ports that nothing was found on: begin, find or note what is there, take the
 * rest. */
void port_table_begin_sweep(struct port_table *t);
const char *port_table_unseen(const struct port_table *t); /* NULL: none */

/* Every FOUND_OTHER is looked at afresh: the set of ours has grown. */
void port_table_forget_others(struct port_table *t);

#endif
