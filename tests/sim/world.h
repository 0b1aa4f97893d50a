/* SPDX-License-Identifier: MIT */
/*
 * The world: drones on ports, a virtual clock, and the host's side of the bus.
 *
 * DESIGN
 *  - Time is virtual, in microseconds from 0.  Nothing happens by itself: world_next_us() says when
 *    the next event is due, world_run_one() moves the clock there and delivers it, at most one
 *    callback per call.  Between events the owner may move the clock with world_advance(), never
 *    past the next event.  A loop over a sans-IO fleet is therefore
 *
 *        for (;;) {
 *            uint64_t next = world_next_us(w), tick = fleet deadline in us;
 *            if (next == WORLD_NEVER && tick == WORLD_NEVER) break;
 *            if (tick < next) { world_advance(w, tick); fleet_tick(...); }
 *            else (void)world_run_one(w);
 *            drain the fleet's commands into world_open(), world_submit(), world_close()
 *        }
 *
 *  - Callbacks follow the contracts of usb_port.h and watch.h: none from inside a call, one
 *    opened() per open, one ended() per accepted submit, after close no ended() but one closed(),
 *    gone() before the port's next sighted().  Arrivals are numbered upwards.  Callbacks may call
 *    into the world.
 *  - Events due at the same instant come in an order drawn from the seed, as on a real host: an
 *    unplug may be seen by the transfer first or by the watcher first.
 *  - Host-side time limits live here: a transfer that is not over after timeout_ms is cancelled
 *    and ends with USB_TIMEOUT.  timeout_ms 0 means no limit (for the kernel's own requests).
 *  - Up to three transfers per device may be in flight, one per channel of drone.h; usb_port.h's
 *    "one per device" is the business of the front (port_sim).
 *  - No allocation per event or transfer.  The heap holds ports, handles and timers by number.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfdfu/usb_port.h"
#include "cfdfu/util.h"
#include "cfdfu/watch.h"
#include "sim/drone.h"
#include "sim/fate.h"

struct world;

#define WORLD_NEVER UINT64_MAX
#define WORLD_PORTS_MAX 640    /* LIMIT: a station has 512; more to push the limits of others */
#define WORLD_HANDLES_MAX 1280 /* LIMIT: an old and a new handle on each port */
#define WORLD_TIMERS_MAX 64
#define WORLD_HUBS_MAX 128 /* LIMIT: those of a world with a kernel or translators */

struct world_callbacks {
	void (*sighted)(void *ctx, const struct sighting *s);
	void (*gone)(void *ctx, const char *port, uint64_t arrival);
	void (*opened)(void *ctx, uint64_t id, int error, const uint8_t *descriptors,
		       size_t length);
	void (*ended)(void *ctx, uint64_t id, enum usb_xfer_kind kind, enum usb_status status,
		      const uint8_t *data, size_t length);
	void (*closed)(void *ctx, uint64_t id);
};

/* cb and ctx are borrowed for the life of the world; NULL members are skipped.  0 or -ENOMEM. */
int world_new(uint64_t seed, const struct world_callbacks *cb, void *ctx,
	      struct world **ret_world) MUST_CHECK;
void world_free(struct world *w);

/* ---- ports and drones ---- */

/*
 * Puts a new drone beside port (unplugged).  controller, translator: as in struct sighting, NULL =
 * derived from the port ("usb1", ""), or on a hub ("1-4.2") the hub.  A port has one drone;
 * -EEXIST.  -ENOMEM, -ENOSPC, -EINVAL (port text too long or empty).
 */
int world_add(struct world *w, const char *port, const char *controller, const char *translator,
	      const struct drone_config *config) MUST_CHECK;
/* The device path of a port that there is, in place of one derived from its bus. */
void world_set_path(struct world *w, const char *port, const char *path);
/* The drone now on the port (after a swap: the other one), or NULL.  Borrowed. */
struct drone *world_drone(struct world *w, const char *port);
/* The drone that was taken away by a swap, or NULL.  Borrowed. */
struct drone *world_displaced(struct world *w, const char *port);
/* Ports in the order they were added; NULL behind the last. */
const char *world_port(const struct world *w, size_t index);
/* The number of the enumeration that is on the port now; 0 = nothing. */
uint64_t world_arrival(const struct world *w, const char *port);
/* Moves the drone (unplugged first) to a port that has none; -ENOENT, -EEXIST, -ENOSPC. */
int world_move(struct world *w, const char *from, const char *to) MUST_CHECK;

/* Unknown port: -ENOENT. */
int world_plug(struct world *w, const char *port);
int world_unplug(struct world *w, const char *port);
int world_button_entry(struct world *w, const char *port);
int world_power_cycle(struct world *w, const char *port);
int world_glitch(struct world *w, const char *port, uint32_t back_ms);
int world_arm(struct world *w, const char *port, const struct fate *f) MUST_CHECK;

/* ---- the host's side ---- */

/*
 * How long the kernel takes for each device that appears on a hub.  It takes them one at a time,
 * and as with a udev rule that gives no seat (doc/rack.md 1) nothing is told of a hub's devices,
 * neither who came nor who went, before the last one is there.  0, as in a new world: at once.
 */
void world_enumeration(struct world *w, uint32_t us);

/*
 * A hub's worker as Linux has it (doc/rack.md 1): it goes round the hub's ports in passes, each in
 * ascending order; a port that changes behind it has to wait for the next pass.  All in
 * microseconds.
 */
struct world_kernel {
	uint32_t root_us;	/* for each device that appears on a root hub; 0: at once */
	uint32_t hub_us;	/* ... on another hub: the one that world_add() calls translator */
	uint32_t disconnect_us; /* for a port that is found empty; a part of the others, too */
	uint32_t address_us;	/* of the others, alone on the whole controller; 0: nothing */
	bool told_each; /* the host hears of each at once, and not of all when the pass is over */
};

/* A stock kernel of a machine whose rule file has the ID_SEAT line; fast: with FAST_ENUM. */
void world_kernel_init(struct world_kernel *k, bool fast);
/* In place of world_enumeration(), before anything is plugged in; at most WORLD_HUBS_MAX hubs. */
void world_set_kernel(struct world *w, const struct world_kernel *k);

enum world_translating {
	WORLD_WIRE_LIMITED, /* transactions of several devices overlap: the wire limits */
	WORLD_SERIAL,	    /* the host handles one block at a time */
	WORLD_THRASHING,    /* as SERIAL, and each device above some that waits costs all of them */
};

/* Control transfers of devices behind one translator, first come, first served (doc/rack.md 3). */
struct world_translators {
	uint32_t block_us;     /* 2048 bytes alone, the overhead of a transfer included */
	uint32_t exclusive_us; /* ... of it, when no other block gets through; 0: no translators */
	unsigned crowd;	       /* more devices with a transfer in flight are too many; 0: never */
	uint32_t crowd_permille; /* exclusive_us grows by this for each that is too many */
};

void world_translators_init(struct world_translators *t, enum world_translating kind);
/* Before anything is plugged in.  0 or -ENOMEM. */
int world_set_translators(struct world *w, const struct world_translators *t) MUST_CHECK;
/* How long the translator of this port has been at work with blocks; 0: it has none. */
uint64_t world_translator_busy_us(struct world *w, const char *port);

/*
 * Opens the enumeration numbered arrival.  Always answered by opened(): -ENODEV when it is gone,
 * -EBUSY when it is open already, or by fate.  0, -EMFILE (limit), -EEXIST (id in use).
 */
int world_open(struct world *w, uint64_t id, uint64_t arrival) MUST_CHECK;
/* The arrival a sighting's node stands for; 0 = not one of ours. */
uint64_t world_node_arrival(const char *node);
/* 0; -ENODEV gone or unknown id; -EBUSY the channel is in flight; -EINVAL. */
int world_submit(struct world *w, uint64_t id, const struct usb_xfer *xfer) MUST_CHECK;
/* Takes back what is in flight on one channel, without ended().  True if there was something. */
bool world_cancel(struct world *w, uint64_t id, enum drone_channel ch);
/* The host's controller resets the port under the open device; unknown id: ignored. */
void world_bus_reset(struct world *w, uint64_t id);
/* Unknown id: ignored. */
void world_close(struct world *w, uint64_t id);
/* Is anything of this handle in flight? */
bool world_in_flight(struct world *w, uint64_t id);
/* Is nothing of any handle in flight, being opened or being closed? */
bool world_is_idle(const struct world *w);
/* Forgets every handle without callbacks. */
void world_close_all(struct world *w);
/* ... and reports nothing more until world_cold_plug(): the host program was killed. */
void world_host_dies(struct world *w);
/* Reports everything present again, through sighted() events (a restarted host program). */
void world_cold_plug(struct world *w);

/* ---- time ---- */

uint64_t world_now_us(const struct world *w);
uint64_t world_next_us(const struct world *w);
/* Runs the event due next.  False: nothing left to happen. */
bool world_run_one(struct world *w);
/* Moves the clock forward, at most to the next event. */
void world_advance(struct world *w, uint64_t now_us);
/* fn(ctx, arg) at a time to come, among the other events.  0 or -ENOSPC. */
int world_call_at(struct world *w, uint64_t at_us, void (*fn)(void *ctx, uint64_t arg), void *ctx,
		  uint64_t arg) MUST_CHECK;
/* A number that depends on everything delivered so far: two runs of a seed must agree. */
uint64_t world_trace(const struct world *w);
uint64_t world_events(const struct world *w);

#endif
