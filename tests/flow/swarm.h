/* SPDX-License-Identifier: MIT */
/*
 * One run of a fleet, drawn from a seed: which drones, which faults and hands are on and how
 * often, how the operator configured it.  Then two lives: first anything goes and the invariants
 * must hold after every event (safety); then the world heals, the operator follows what the
 * station says, and every sound drone must end with its image (liveness).
 */
#ifndef FLOW_SWARM_H
#define FLOW_SWARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/station.h"
#include "sim/fate.h"

#define SWARM_DRONES_MAX 32
#define SWARM_DEEDS_MAX 256

/* Events beside the drones' own faults: by hand, by the operator, by the machine. */
enum deed_kind {
	DEED_PLUG,
	DEED_UNPLUG,
	DEED_REPLUG, /* out, and in again after arg ms */
	DEED_GLITCH, /* the bus alone is interrupted, for arg ms */
	DEED_HUB,    /* ... for all drones at once */
	DEED_CYCLE,  /* power */
	DEED_BUTTON,
	DEED_MOVE, /* to another, empty port */
	DEED_FLAP, /* in and out, many times */
	DEED_FATE,
	DEED_RETRY,
	DEED_FORCE,
	DEED_RELEASE,
	DEED_BACKUP,
	DEED_PAUSE,
	DEED_RESUME,
	DEED_SELECT, /* another image for a platform */
	DEED_KILL,
	DEED_STOP,
	DEED_SLEEP,
	DEED_DISK_ERROR,
	DEED_DISK_SLOW,
	DEED_DISK_GOOD,
	/* The operator's for the whole drone: drawn apart (swarm_whole.c). */
	DEED_IDENTIFY,
	DEED_DECK,  /* the release's firmware for its decks */
	DEED_RADIO, /* its own radio address */
	DEED_COUNT
};
#define DEEDS_OF_OLD DEED_IDENTIFY

struct deed {
	enum deed_kind kind;
	uint64_t at_us;
	unsigned who; /* index of the drone */
	uint32_t arg;
	struct fate fate;
};

enum content_kind {
	CONTENT_BLANK_CHIP,
	CONTENT_OLD,
	CONTENT_NEW,
	CONTENT_HALF,
	CONTENT_DAMAGED,
	CONTENT_ALIEN
};

struct member {
	char port[PORT_TEXT_MAX];
	struct drone_config config;
	enum platform platform; /* UNKNOWN: a foreign device */
	enum content_kind content;
	bool by_button; /* how it is plugged in first */
	bool sound;	/* nothing in its configuration keeps it from ending well */
};

struct swarm_plan {
	uint64_t seed;
	struct station_options options;
	unsigned count;
	struct member members[SWARM_DRONES_MAX];
	unsigned deed_count;
	struct deed deeds[SWARM_DEEDS_MAX]; /* by time */
	uint64_t calm_us;		    /* when the world heals */
	bool parts;			    /* releases bring firmware for decks and nRF51 */
	unsigned wanted;		    /* the variant that is selected first */
	bool in_batch;			    /* until the world heals: */
	struct batch_terms terms;
};

/* Kinds that a reduction takes out: bit numbers of enum fate_kind, and of enum deed_kind. */
struct swarm_without {
	uint64_t fates, deeds;
};

struct swarm_result {
	const char *broken; /* sentence, in text; NULL: all held */
	char text[320];
	uint64_t trace;
	uint64_t flashes, attempts, faults, events, deeds, kills;
	uint64_t virtual_us;
};

const char *deed_name(enum deed_kind kind);

void swarm_draw(struct swarm_plan *p, uint64_t seed);
/* Afterwards: decks, power, nRF51, self-tests and what else makes the whole drone.  WHY apart: a
 * seed that found something before there was this still means the same without it. */
void swarm_draw_whole(struct swarm_plan *p);
void swarm_print_whole(const struct swarm_plan *p);
/* Afterwards, and apart for the same reason: a batch. */
void swarm_draw_batch(struct swarm_plan *p);
/* The operator's act for the whole drone on this port. */
void swarm_order_whole(struct station *s, const char *port, const struct deed *d);
void swarm_print(const struct swarm_plan *p);
void swarm_run(const struct swarm_plan *p, const struct swarm_without *without, bool verbose,
	       struct swarm_result *ret);

/*
 * INVARIANT I14: a swarm of good drones with one that has faults, and the same swarm without
 * those: the
 * others must end alike.
 */
void swarm_isolation(uint64_t seed, bool verbose, struct swarm_result *ret);

#define SWARM_VARIANTS 4
/* Images are made once: variant 0..3 of a platform, or 4..7: the same with parts for decks and
 * nRF51.  Borrowed; swarm_done() frees them. */
struct image *swarm_image(enum platform platform, unsigned variant);
void swarm_add_parts(struct image *image); /* for its version */
void swarm_done(void);

#endif
