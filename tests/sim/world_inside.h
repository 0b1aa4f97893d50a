/* SPDX-License-Identifier: MIT */
/* Private to world.c and world_host.c; no other file includes this. */
#ifndef SIM_WORLD_INSIDE_H
#define SIM_WORLD_INSIDE_H

#include "sim/heap.h"
#include "sim/rng.h"
#include "sim/world.h"

/* Item numbers in the heap: ports, then handles, then timers. */
#define HANDLE_ITEM(i) ((unsigned)(WORLD_PORTS_MAX + (i)))
#define TIMER_ITEM(i) ((unsigned)(WORLD_PORTS_MAX + WORLD_HANDLES_MAX + (i)))

struct slot {
	char port[PORT_TEXT_MAX], controller[PORT_TEXT_MAX], translator[PORT_TEXT_MAX];
	char path[PATH_TEXT_MAX];
	struct drone *drone, *displaced;
	uint64_t arrival;   /* 0 = nothing on the bus */
	uint64_t told;	    /* the arrival the host believes in; 0 = none */
	uint64_t report_us; /* when it gets the next event */
	uint64_t owed_us;   /* since when it does not */
	uint64_t ready_us;  /* when the kernel is through with the newest arrival */
	int owner;	    /* the handle that has it open, -1 = none */
};

enum handle_state { HANDLE_FREE = 0, HANDLE_OPENING, HANDLE_OPEN, HANDLE_CLOSING };

struct handle {
	enum handle_state state;
	uint64_t id, arrival;
	unsigned slot;
	uint64_t due_us; /* opened() or closed() */
	bool in_flight[DRONE_CHANNELS];
	enum usb_xfer_kind kind[DRONE_CHANNELS];
	uint64_t limit_us[DRONE_CHANNELS];
};

struct timer {
	void (*fn)(void *ctx, uint64_t arg);
	void *ctx;
	uint64_t arg;
};

struct world {
	const struct world_callbacks *cb;
	void *ctx;
	struct rng rng;
	uint64_t now_us, arrivals, trace, events;
	bool host_dead;
	uint32_t enumeration_us; /* 0: a hub delays no device */
	unsigned slots, handles; /* handles: high-water mark */
	struct slot slot[WORLD_PORTS_MAX];
	struct handle handle[WORLD_HANDLES_MAX];
	struct timer timer[WORLD_TIMERS_MAX];
	struct heap heap;
};

/* world.c */
void world_mix(struct world *w, uint64_t value);
void world_refresh_slot(struct world *w, unsigned i);
struct slot *world_slot(struct world *w, const char *port);

/* world_host.c */
void world_transfer_ended(struct world *w, struct slot *s, const struct drone_event *ev);
void world_run_handle(struct world *w, unsigned i);
/* Ends what the port's open handle has in flight, silently: the drone is taken off the port. */
void world_drop_owner(struct world *w, struct slot *s);

#endif
