/* SPDX-License-Identifier: MIT */
/*
 * The least time for a rack, from plugging all drones in at one instant to the last one back in
 * run-time mode with the image read back: from the chip's tables, the drones' own times, and the
 * model of kernel and translators alone.  No host, however clever, is faster (doc/rack.md 4).
 */
#ifndef SIM_BOUND_H
#define SIM_BOUND_H

#include <stddef.h>
#include <stdint.h>

#include "sim/world.h"

/* Drones on one hub. */
struct bound_hub {
	unsigned controller; /* any number of it */
	bool root;	     /* a root hub: no translator */
	unsigned drones;
};

struct bound_rack {
	const struct drone_config *drone; /* all alike; of its times, the shortest count */
	struct drone_segment image;
	const struct world_kernel *kernel;
	const struct world_translators *translators;
	const struct bound_hub *hubs;
	size_t hub_count;
};

struct bound {
	uint64_t dfu_us;  /* in DFU mode: erase, program, data stages of sending and of one reading
			     back, each hub's drones alone on their wire; the slowest hub's */
	uint64_t life_us; /* one drone alone: boot, mode switch, DFU mode, boot, each enumerated */
	uint64_t last_us; /* all enumerated as early as the kernel can, then a life of its own */
	uint64_t translator_us; /* a translator's blocks one after the other, for all its drones */
	uint64_t hub_us;	/* the worker of a hub: three enumerations a drone, nothing else */
	uint64_t controller_us; /* the controller's lock: three times a drone, nothing else */
	uint64_t all_us;	/* the largest of these five: the bound */
	/*
	 * Beside all_us: before the last drone is in DFU mode each has been enumerated twice,
	 * whatever the order; then its DFU mode and one boot.
	 */
	uint64_t twice_us;
};

void bound_of(const struct bound_rack *rack, struct bound *ret_bound);

#endif
