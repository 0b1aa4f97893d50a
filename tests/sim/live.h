/* SPDX-License-Identifier: MIT */
/*
 * A world in real time: its events run on libevent when they are due (simulated seconds may pass
 * scale times faster), and command lines (command.h) are taken from a unix socket.  The rack and
 * port_sim build on it.
 *
 * "settle" looks once a second, after all else that the loop has to do.  A look is quiet when
 * nothing has happened in the world since the look before, no transfer is in flight, and nothing is
 * due soon in the world or in the loop, but for timers that recur.  Between two quiet looks every
 * timer that recurs once a second has run and begun nothing: what did not happen by then is not
 * going to, until something new does.
 */
#ifndef SIM_LIVE_H
#define SIM_LIVE_H

#include <stdint.h>

#include "cfdfu/util.h"
#include "sim/command.h"

struct event_base;
struct live;

struct live_options {
	uint64_t seed;
	unsigned scale;	    /* 0 and 1: real time */
	const char *socket; /* NULL: none; an old one is replaced */
	const char *script; /* file of commands to begin with; NULL: none */
	bool fast;	    /* drones get fast timing unless they say otherwise */
	bool count_standard;
	bool quit_ends_loop;	    /* "quit" breaks the event loop */
	void (*on_quit)(void *ctx); /* or calls this; NULL: nothing */
};

/* cb and ctx as in world_new().  0 or negative errno, with a sentence in error. */
int live_new(struct event_base *base, const struct live_options *o,
	     const struct world_callbacks *cb, void *ctx, struct live **ret_live, char *error,
	     size_t error_size) MUST_CHECK;
void live_free(struct live *l);

struct world *live_world(struct live *l);
struct commander *live_commander(struct live *l);
/* Brings the world's clock up to now: call before a submit, open, close or hand on the world ... */
void live_sync(struct live *l);
/* ... and arms the timer for what comes next: call after. */
void live_kick(struct live *l);

/* The other end: sends one command to a socket, prints the answer; 0, or 1 after "error". */
int live_client(const char *socket_path, const char *command);

#endif
