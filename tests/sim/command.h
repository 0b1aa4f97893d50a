/* SPDX-License-Identifier: MIT */
/*
 * The command language that steers a world, the same for the rack and for the daemon on simulated
 * drones.  One line is one command; the answer is any number of lines and then "ok" or
 * "error: WHY".
 *
 *     add PORT [KEY=VALUE]...     a new drone beside the port; "-" and "_" in keys are the same;
 *                                 translator=, controller= and path= place it, the rest is
 *                                 drone.h's configuration
 *     load PORT FILE ADDRESS      file into the flash
 *     blank PORT ADDRESS LENGTH   erased flash
 *     dump PORT FILE [ADDRESS LENGTH]   flash into a file (default: all of the first memory)
 *     plug PORT, unplug PORT, button PORT, power-cycle PORT, glitch PORT BACK-MS
 *     move PORT TO
 *     set PORT KEY=VALUE          changes what its firmware looks at: battery=, selftest=, ...
 *     fate PORT NAME [KEY=VALUE]...     see fate.h; "fates" lists the names
 *     mend PORT                   forgets every fate of the drone
 *     rack FILE [IMAGE]           commands of a file (racks/); IMAGE into each drone that it adds
 *     decks PORT                  WORD absent|runs|in-loader|dead, as they really are
 *     radio PORT                  CHANNEL RATE ADDRESS in force
 *     bitstream FILE [CRC LENGTH] what a Lighthouse deck takes for that of 2026.08, or for another
 *     counters PORT               one line of JSON; "reset-counters PORT"
 *     floor PORT SIZE [UNIT]      least time in us for an image, as JSON
 *     list                        PORT absent|runtime|dfu SERIAL VERSION
 *     settle [SECONDS]            answers once nothing has gone on, and nothing is about to, for
 *                                 SECONDS (1) in a row; live.h says what that is
 *     help, quit
 */
#ifndef SIM_COMMAND_H
#define SIM_COMMAND_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/world.h"

#define COMMAND_BYTES_MAX 4096 /* LIMIT: one line */

struct commander {
	struct world *world;
	struct drone_timing timing; /* for drones to come */
	uint64_t seed;		    /* of the next drone */
	bool count_standard;	    /* see struct drone_config */
	bool quit;		    /* was asked for */
	unsigned settle_s;	    /* not 0: asked for; the answer is still to be given */
};

void commander_init(struct commander *c, struct world *w, uint64_t seed);

/* Runs one line (changed while it is taken apart); writes the answer, "ok" or "error" included. */
void commander_run(struct commander *c, char *line, FILE *out);

#endif
