/* SPDX-License-Identifier: MIT */
/*
 * A whole station on a virtual clock: the product's fleet, dispatch, recorder and store, the
 * simulator's world, a disk that fails when told so, and the invariants that must hold after every
 * event (doc/faults.md A10).
 *
 *   station.c        life: the loop, deaths and restarts, the operator
 *   station_shell.c  the product's shell put together: clock, bus, log, listeners
 *   station_disk.c   the files of the store, commits that take time, fail or are cut off
 *   station_check.c  the invariants I1 to I15, against the drones themselves
 *   station_whole.c  ... of the whole drone: ready, decks, power, EEPROM, the link
 *   station_brake.c  I19, the brake
 *   station_batch.c  I21, the batch
 *   station_make.c   images and drones to put in
 */
#ifndef FLOW_STATION_H
#define FLOW_STATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/fleet.h"
#include "sim/world.h"

#define STATION_ROWS_MAX 4096
#define STATION_PORTS_MAX                                                                          \
	2560 /* WHY so many: a fleet forgets ports, what is checked here does not */

struct station;

/* One row of the attempts' table, as the database has it. */
struct station_row {
	int64_t id;
	char port[PORT_TEXT_MAX];
	char serial[SERIAL_TEXT_MAX], dfu_serial[SERIAL_TEXT_MAX];
	uint8_t sha256[IMAGE_SHA256_BYTES];
	bool has_image;
	struct image *image;	/* of the station's, by its digest; NULL unknown */
	bool flashes;		/* of kind "flash" */
	bool adopted, retry;	/* flags of its beginning */
	bool durable;		/* its beginning is */
	struct verdict verdict; /* kind NONE: running */
	bool verdict_durable;
	bool told;	  /* EVENT_ENDED was given */
	bool judged;	  /* its first ending was compared with the drone */
	unsigned endings; /* INVARIANT: at most one */
	uint64_t begun_us, ended_us;
	uint64_t order;		  /* in which endings became durable */
	struct job_record record; /* with its ending, as it was told */
};

struct station_options {
	uint64_t seed;
	struct fleet_options fleet;
	uint32_t commit_us;	    /* how long the disk takes; 0: at once */
	uint32_t enumeration_us;    /* the kernel for each device, hub by hub; 0: at once */
	struct world_kernel kernel; /* in place of that; zeroes: none */
	struct world_translators translators;
	bool verbose;
};

void station_options_init(struct station_options *o, uint64_t seed);

int station_new(const struct station_options *options, struct station **ret_station);
/* Also looks for what was left open; see station_broken() before. */
void station_free(struct station *s);

/* From now on it prints what happens. */
void station_talk(struct station *s);

/* Called before each transfer goes out. */
void station_watch(struct station *s, void (*on_submit)(void *ctx, const struct request *c),
		   void *ctx);

struct world *station_world(struct station *s);
struct fleet *station_fleet(struct station *s);

/* Generates an image of the platform; size 0: small (three sectors).  The caller's reference. */
struct image *station_image(const char *platform, const char *tag, uint32_t size, uint32_t seed);
/* Selects it; the station keeps a reference. */
void station_use(struct station *s, enum platform platform, struct image *image);
/* Both at once.  Borrowed. */
struct image *station_select(struct station *s, const char *platform, const char *tag,
			     uint32_t size, uint32_t seed);

/* Adds a drone to the world with this image in its flash (NULL: blank), unplugged. */
void station_add(struct station *s, const char *port, const struct drone_config *config,
		 const struct image *image);

/*
 * Arms a fault on the drone that is on the port; what depends on a faultless flash is not
 * checked then.
 */
void station_arm(struct station *s, const char *port, const struct fate *f);

/* Pulls the drone and puts it beside another port, unplugged; errors as world_move(). */
int station_move(struct station *s, const char *from, const char *to) MUST_CHECK;

/* Runs until nothing is due before until_us (WORLD_NEVER: until nothing happens any more). */
void station_run(struct station *s, uint64_t until_us);
/* Runs until no job is under way, at most until until_us; false on time-out. */
bool station_settle(struct station *s, uint64_t until_us);

/* The daemon dies at once (what was not durable is lost) and a new one starts. */
void station_restart(struct station *s);
/* It is asked to stop, ends what runs as interrupted within grace_us, and a new one starts. */
void station_stop(struct station *s, uint64_t grace_us);

/* The disk: from now on commits fail with this errno (0: works again), or take so long. */
void station_disk(struct station *s, int error);
/* A damaged page of the database is met now. */
void station_damage(struct station *s);
bool station_is_importing(const struct station *s); /* the database is made again */
void station_disk_slow(struct station *s, uint32_t commit_us);

/* Another configuration, now and for daemons to come. */
void station_configure(struct station *s, const struct fleet_options *options);

/* ---- the operator; errors as in fleet.h, -ENOENT: no such slot yet ----------------------- */

int station_retry(struct station *s, const char *port, bool force);
int station_release(struct station *s, const char *port);
int station_backup(struct station *s, const char *port);
int station_special(struct station *s, const char *port, const struct job_setup *setup);
void station_pause(struct station *s, bool paused);
bool station_release_image(struct station *s, const struct image *image); /* it was quarantined */
void station_slept(struct station *s);
void station_begin_batch(struct station *s, const struct batch_terms *terms); /* none runs */
void station_end_batch(struct station *s);

/* ---- questions --------------------------------------------------------------------------- */

size_t station_rows(struct station *s);
const struct station_row *station_row(const struct station *s, size_t i);
/* The last row of the port; NULL none. */
const struct station_row *station_last(struct station *s, const char *port);
/* The slot as an operator sees it; false: not known yet. */
bool station_view(struct station *s, const char *port, struct slot_view *ret_view);

/* The drone's flash holds the image bit for bit and nothing outside it was touched. */
bool station_holds(struct station *s, const char *port, const struct image *image);

/* The first invariant that was broken, as a sentence; NULL: none. */
const char *station_broken(const struct station *s);
uint64_t station_trace(const struct station *s);
uint64_t station_flashes(const struct station *s);
uint64_t station_commits(const struct station *s);
uint64_t station_events(const struct station *s);
uint64_t station_faults(const struct station *s); /* fates that struck, on all drones */

#endif
