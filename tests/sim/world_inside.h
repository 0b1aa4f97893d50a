/* SPDX-License-Identifier: MIT */
/* Private to the files world*.c; no other file includes this. */
#ifndef SIM_WORLD_INSIDE_H
#define SIM_WORLD_INSIDE_H

#include "sim/heap.h"
#include "sim/rng.h"
#include "sim/world.h"

/* Item numbers in the heap: ports, then handles, then timers, then hubs. */
#define HANDLE_ITEM(i) ((unsigned)(WORLD_PORTS_MAX + (i)))
#define TIMER_ITEM(i) ((unsigned)(WORLD_PORTS_MAX + WORLD_HANDLES_MAX + (i)))
#define HUB_ITEM(i) TIMER_ITEM(WORLD_TIMERS_MAX + (i))

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
	int hub;	    /* -1 = not looked up yet */
	uint64_t known;	    /* the arrival that the hub's worker has enumerated; 0 = none */
	bool changed;	    /* and the worker has not come by */
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
	size_t length; /* of the control transfer's data stage */
	bool held;     /* the device has ended it, the translator has not */
	uint64_t held_us;
};

/* The answer of a control transfer that a translator holds. */
struct held {
	enum usb_status status;
	size_t length;
	uint8_t data[USB_TRANSFER_BYTES_MAX];
};

enum hub_phase {
	HUB_IDLE = 0,
	HUB_NOTICED,	/* the pass begins at due_us */
	HUB_DISCONNECT, /* a port is empty */
	HUB_DEBOUNCE,	/* a port has a new device */
	HUB_WAIT,	/* ... which another hub of the controller keeps from its address */
	HUB_ADDRESS,
	HUB_CONFIGURE,
};

/* A hub: the kernel's worker, and the translator. */
struct hub {
	char controller[PORT_TEXT_MAX], name[PORT_TEXT_MAX]; /* name: "" a root hub */
	enum hub_phase phase;
	uint64_t due_us;
	int number;	  /* of the port that it is at, or was last in this pass; -1 none */
	unsigned slot;	  /* ... */
	uint64_t arrival; /* that is being enumerated there */
	uint64_t ticket;  /* since when it waits: lowest first */
	uint64_t free_us, busy_us; /* the translator */
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
	struct world_kernel kernel;
	struct world_translators translators;
	struct held *held; /* one a handle; NULL without translators */
	uint64_t tickets;
	unsigned hubs;
	struct hub hub[WORLD_HUBS_MAX];
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

/* world_kernel.c */
static inline bool
world_has_kernel(const struct world *w)
{
	return w->kernel.root_us > 0 || w->kernel.hub_us > 0;
}

struct hub *world_hub(struct world *w, struct slot *s); /* made on first use */
/* Something came to the port or went. */
void world_port_changed(struct world *w, struct slot *s);
void world_run_hub(struct world *w, unsigned i);

/* world_translator.c */
/* True: the transfer that the device has ended just now is held until h->held_us. */
bool world_hold(struct world *w, struct slot *s, struct handle *h, const struct drone_event *ev);

#endif
