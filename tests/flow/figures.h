/* SPDX-License-Identifier: MIT */
/*
 * Measures the station's speed: one rack of drones of the data sheet's typical timing is flashed
 * once by the whole station on the virtual clock and watched from outside at every event.
 *
 *   figures.c         the table: every figure beside its bar
 *   figures_place.c   whole racks, with kernel and translators, beside their bounds
 *   figures_writers.c what is learned of translators
 *   figures_rack.c    one rack: plugging, watching, adding up
 */
#ifndef FLOW_FIGURES_H
#define FLOW_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/fleet.h"
#include "sim/bound.h"

#define RACK_IMAGE_BYTES 289784	      /* 2025.12, sectors 1 to 6 (doc/firmware.md 2) */
#define RACK_SMALL_IMAGE_BYTES 243176 /* sectors 1 to 5 alone */
#define RACK_DRONES_MAX 120

/* The place of the drones: hubs are dealt out to the controllers in turn. */
struct rack_place {
	unsigned hubs, controllers;
	bool root; /* the ports of root hubs: a controller each */
	struct world_kernel kernel;
	struct world_translators translators;
};

/* Content of the drones' flash beforehand. */
enum rack_before {
	RACK_OLD,     /* another release: every sector differs */
	RACK_SAME,    /* the image itself */
	RACK_EDITED,  /* ... but for one byte in sector 5 */
	RACK_CUT_OFF, /* an update that the daemon's death interrupted half way */
};

struct rack_plan {
	unsigned count;
	unsigned per_hub; /* drones behind one translator; 0: each on a port of the controller */
	const struct rack_place *place;	   /* of its hubs x per_hub drones; NULL: without costs */
	uint32_t image_bytes;		   /* 0: RACK_IMAGE_BYTES */
	const struct sched_limits *limits; /* in place of those below; NULL: none */
	enum rack_before before;
	enum drone_kind kind;
	bool word, obey, by_version;
	unsigned draw;	      /* drones of other seeds */
	uint32_t selftest_ms; /* 0: as usual */
	bool whole;	      /* watched on until each is ready */
	bool drawn;	      /* the times of booting differ between drones */
	bool known; /* each was flashed once by the same station before: what it taught counts */
	unsigned active_max, writers_max, switch_max, endpoints_max; /* 0: no limit */
	bool by_button; /* put in in DFU mode, pulled as soon as it is done */
};

struct rack_seen {
	const char *broken; /* static or in text; NULL: everything held */
	char text[320];
	unsigned pass, unchanged;
	uint64_t all_us; /* first one plugged in -> last verdict */
	uint64_t dfu_us; /* in DFU mode, seen -> verified and told to leave: the slowest */
	uint64_t erases, blocks, requests, reboots, stalls, events;
	uint64_t writing_requests; /* erase and verify apart: data, status, addresses */
	uint64_t commits;
	unsigned ready;	     /* whole: drones said to be ready */
	uint64_t ready_us;   /* ... behind their verdict and self-test: the slowest */
	uint64_t vcc_cycles; /* ... power cycles over USB */
	uint64_t stage_sum_us[STEP_COUNT], stage_max_us[STEP_COUNT]; /* of all drones */
	uint64_t translator_us;	    /* the busiest one was at work with blocks */
	double eta_drone, eta_rack; /* worst error from the first write on, of what was left */
	unsigned percent_falls;	    /* times that a drone's percent went back */
	unsigned switching, writing,
	    endpoints; /* most at one instant; of one hub, of the station */
};

/* Runs it to the end; ret->broken says what went wrong. */
void rack_run(const struct rack_plan *plan, struct rack_seen *ret);
void rack_bound(const struct rack_plan *plan, struct bound *ret_bound);

/* erase + program + data stages of writing, and of reading back once, in microseconds. */
uint64_t rack_floor_us(bool word, bool read_back, uint32_t image_bytes);

/* The table of figures; defined in figures.c. */
enum relation { AT_MOST, AT_LEAST, EXACTLY, TOLD };
struct table;
/* One line of the table.  TOLD has no bar. */
void figure(struct table *t, const char *name, double value, enum relation relation, double bar);
/* Runs a rack in which each drone has to end this way; anything else is a figure that is missed. */
void figure_run(struct table *t, const char *name, const struct rack_plan *plan,
		struct rack_seen *seen);

/* figures_place.c */
void place_figures(struct table *t);
/* One placement by its name, in detail, with "key=value" settings.  False: no such thing. */
bool place_alone(struct table *t, const char *name, char *const *settings);
void place_names(void); /* prints them */

void writers_figures(struct table *t); /* figures_writers.c */

#endif
