/* SPDX-License-Identifier: MIT */
/*
 * The daemon's two seams, usb_port.h and watch.h, over simulated drones in this process.  Linked in
 * place of usb_bus and watch for the program cfdfud-sim.
 *
 * sim_start() comes before usb_bus_new() and watch_new(), on the same event base; sim_stop() after
 * both are freed.  Settings come from the environment:
 *
 *     CFDFU_SIM_SOCKET   unix socket for commands (command.h), for "rack --socket PATH --do ..."
 *     CFDFU_SIM_SCRIPT   file of commands to begin with
 *     CFDFU_SIM_SCALE    simulated seconds in a real one; default 1
 *     CFDFU_SIM_TIMING   "typical" (default) or "fast"
 *     CFDFU_SIM_SEED     a number; default 1
 */
#ifndef SIM_PORT_SIM_H
#define SIM_PORT_SIM_H

#include <stddef.h>

#include "cfdfu/util.h"

struct event_base;
struct sim;
struct world;

/* error receives a sentence.  The command "quit" ends the event loop.  0 or negative errno. */
int sim_start(struct event_base *base, struct sim **ret_sim, char *error,
	      size_t error_size) MUST_CHECK;
void sim_stop(struct sim *s); /* NULL is fine */

/* For tests in the same process. */
struct world *sim_world(struct sim *s);
/* After changing the world by hand: arms the timer again. */
void sim_kick(struct sim *s);

#endif
