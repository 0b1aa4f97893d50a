/* SPDX-License-Identifier: MIT */
/*
 * How far apart the devices of a controller come.  Its host brings up one after the other
 * (doc/rack.md 1, 2), so drones on their way are as far apart as those before them were.
 */
#ifndef CORE_ARRIVALS_H
#define CORE_ARRIVALS_H

#include <stdint.h>

#include "cfdfu/watch.h"

#define ARRIVALS_CONTROLLERS 32 /* LIMIT: of more, that which had none for longest is forgotten */

/* Zeroes to begin with. */
struct arrivals {
	struct {
		char controller[PORT_TEXT_MAX];
		uint64_t came_us;  /* when the last one came; 0: this entry is free */
		uint64_t apart_us; /* 0 not known */
	} of[ARRIVALS_CONTROLLERS];
};

/* A device has come; returns the number of its controller. */
unsigned arrivals_came(struct arrivals *a, const char *controller, uint64_t now_us);

#endif
