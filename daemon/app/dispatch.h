/* SPDX-License-Identifier: MIT */
/*
 * Where the fleet meets the world: events of the bus, the watch and the clock go into it, its
 * commands are carried out, and what it tells goes to the listeners.
 *
 *   bus, watch, clock --> fleet --> bus (OPEN, XFER, CLOSE)
 *                          ^  |---> recorder (BEGIN, END) ---.
 *                          |  '---> listeners (EVENT), in the order of the array
 *                          '-------- what is durable --------'
 *
 * INVARIANT: fleet_next() is called here alone, and never from inside of itself.
 */
#ifndef APP_DISPATCH_H
#define APP_DISPATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "cfdfu/usb_port.h"
#include "cfdfu/watch.h"
#include "core/fleet.h"

#define DISPATCH_LISTENERS_MAX 8 /* the first without a function ends the list */

struct dispatch;
struct services;

/* A service that is told what the fleet says (REQUEST_EVENT).  It may ask the fleet, and give it
 * orders; it does not call dispatch. */
struct dispatch_listener {
	void (*tell)(void *ctx, const struct fleet_event *event);
	void *ctx;
};

/* Copied. */
struct dispatch_options {
	struct dispatch_listener listeners[DISPATCH_LISTENERS_MAX]; /* told in this order */
	/* Is this device the station's, and its slot known?  False: it is kept from the fleet. */
	bool (*admit)(void *ctx, const struct sighting *s);
	/* A device is gone.  True: it was one that was not admitted. */
	bool (*dismiss)(void *ctx, const char *port, uint64_t arrival);
	/* The bytes of a drone, to be kept (REQUEST_BACKUP).  -errno. */
	int (*backup)(void *ctx, const struct request *c);
	/* dispatch_tick() is wanted at at_us, or a little before that; what was asked for earlier
	 * still holds. */
	void (*wake)(void *ctx, uint64_t at_us);
	/* All that was to be done is done: there may be something new to see. */
	void (*ran)(void *ctx);
	void *ctx;
};

/* With the fleet, the recorder and the turns of these services. */
int dispatch_new(const struct services *sv, const struct dispatch_options *options,
		 struct dispatch **ret_d) MUST_CHECK;
void dispatch_free(struct dispatch *d); /* NULL is fine */

/* For usb_bus_new() and watch_new(), with the dispatch as their context. */
extern const struct usb_callbacks dispatch_usb;
extern const struct watch_callbacks dispatch_watch;
/* Before the first device is sighted.  Borrowed. */
void dispatch_set_bus(struct dispatch *d, struct usb_bus *bus);

/*
 * Carries out all that the fleet wants, and makes durable what it wants recorded.  After whatever
 * changed the fleet; never from a listener, nor from a handler of the control interface.  Reports
 * of bus and watch lead to all but the last: records of one turn of the loop are made durable
 * together, in the next.
 */
void dispatch_run(struct dispatch *d);

/* The clock has come to what was asked for by wake(); runs. */
void dispatch_tick(struct dispatch *d);

/* A device that was kept from the fleet may be the station's by now.  Does not run. */
void dispatch_sighted(struct dispatch *d, const struct sighting *s);

#endif
