/* SPDX-License-Identifier: MIT */
/*
 * Arrivals and departures of devices, by port.  Implemented by daemon/udev/watch.c (libudev) and by
 * tests/sim/port_sim.c; one of them is linked in.
 *
 * CONTRACT
 *  - Only devices 0483:5740 and 0483:df11 (and those named by watch_also()) are reported.
 *  - sighted() once per enumeration, only when udev has initialised the device (rules applied);
 *    gone() once for each sighted() that ended, before a sighted() of the same port with a new
 *    arrival.
 *  - change, bind and unbind events never repeat a sighting (doc/faults.md K2); after an
 *    overflow of the netlink socket everything is enumerated again and differences are reported
 *    (K1).
 *  - No callback from inside a call; what is present at watch_new() is reported from the loop.
 */
#ifndef CFDFU_WATCH_H
#define CFDFU_WATCH_H

#include <stdint.h>

#include "cfdfu/util.h"

struct event_base;
struct watch;

#define PORT_TEXT_MAX 32   /* LIMIT: "bus-port.port.port..." has at most 7 tiers: 3 + 6 * 4 + NUL */
#define PATH_TEXT_MAX 96   /* LIMIT: a port's device path; a longer one counts as unknown */
#define SERIAL_TEXT_MAX 64 /* LIMIT: 31 UTF-16 units would do for all known devices */

/* Strings come from the device, are bounded and terminated, and are not to be trusted. */
struct sighting {
	char port[PORT_TEXT_MAX]; /* kernel's port path: "1-4", "3-2.1" */
	/* The port by its controller's device path, as udev's ID_PATH: "pci-0000:00:14.0-usb-0:4".
	 * The same however buses are numbered; "" unknown. */
	char path[PATH_TEXT_MAX];
	uint64_t arrival; /* unique for each enumeration, rises with time */
	uint16_t vid, pid, bcd_device;
	char manufacturer[64];
	char product[64];
	char serial[SERIAL_TEXT_MAX];	/* "" when it has none */
	char node[64];			/* "/dev/bus/usb/001/004" */
	char controller[PORT_TEXT_MAX]; /* root hub's bus: a host controller's limits are per bus */
	char translator[PORT_TEXT_MAX]; /* transaction translator, shared; "" = none */
};

struct watch_callbacks {
	void (*sighted)(void *ctx, const struct sighting *s);
	void (*gone)(void *ctx, const char *port, uint64_t arrival);
};

/* 0 or negative errno.  cb and ctx are borrowed for the life of the watch. */
int watch_new(struct event_base *base, const struct watch_callbacks *cb, void *ctx,
	      struct watch **ret_watch) MUST_CHECK;
void watch_free(struct watch *w); /* NULL is fine */

/* Reports devices of this VID:PID too, from now on (what is present is reported from the loop). */
int watch_also(struct watch *w, uint16_t vid, uint16_t pid) MUST_CHECK;

#endif
