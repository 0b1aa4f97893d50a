/* SPDX-License-Identifier: MIT */
/*
 * A batch: a named span of updates, what is expected of it, and when it stops by itself.
 *
 *   [batch_new] --> canaries --> open
 *                      |          |
 *                      '--> stopped --[batch_resume]--> where it was
 *
 *   canaries   one drone more gets its permit as long as fewer than `canary` others have it or have
 *              ended well with it; then the others follow.  A canary that ends neither well nor
 *              badly (skipped, interrupted, pulled, dark) leaves its place to another drone.
 *              One that fails stops the batch, and after that as many are waited for again.
 *   stopped    a canary has failed, or `stop_after` different drones have since the beginning or
 *              the last batch_resume().  Drones that have their permit go on.
 *
 * A drone is told from another by its serial, else by its DFU serial; of those that have shown
 * neither there is one a port.  Different drones are counted, not attempts.
 */
#ifndef CORE_BATCH_H
#define CORE_BATCH_H

#include <stdbool.h>

#include "cfdfu/recorded.h"
#include "cfdfu/util.h"

#define BATCH_NAME_MAX 96
#define BATCH_CANARY_MAX 32    /* LIMIT: the largest number that can be asked for */
#define BATCH_DRONES_MAX 16384 /* LIMIT: different drones in one batch; others are not counted */
#define BATCH_REASON_MAX 480
#define BATCH_PLACE_MAX 104

struct batch;

/* A number is 0 where nothing is asked for. */
struct batch_terms {
	char name[BATCH_NAME_MAX];
	unsigned expect;     /* drones */
	unsigned canary;     /* drones that have to end well before others begin */
	unsigned stop_after; /* different drones that fail */
};

/* -ENOMEM, -ERANGE: more canaries than BATCH_CANARY_MAX. */
int batch_new(const struct batch_terms *terms, struct batch **ret_batch) MUST_CHECK;
void batch_free(struct batch *b); /* NULL is fine */
const struct batch_terms *batch_terms(const struct batch *b);
void batch_counts(const struct batch *b, struct batch_counts *ret_counts);
/* Why it has stopped: a sentence; "": it has not, or there is no batch. */
const char *batch_stopped(const struct batch *b);

/* May one more drone have its permit? */
bool batch_admits(const struct batch *b);
/* It has it, on this port. */
void batch_begun(struct batch *b, const char *port);
/* Ports of the canaries that are at work, borrowed; returns how many. */
unsigned batch_waits_for(const struct batch *b, const char *ret_ports[BATCH_CANARY_MAX]);
/* True: with this one it has stopped. */
bool batch_ended(struct batch *b, const struct update_ending *e);
/* The same from the records, in their order. */
bool batch_recall(struct batch *b, const struct update_ending *e);
/* It came to no ending: its place is another's.  True: it was a canary. */
bool batch_left(struct batch *b, const char *port);
/* A drone that has ended in it was judged anew; of e count serials, port and ready. */
void batch_judged(struct batch *b, const struct update_ending *e);
void batch_resume(struct batch *b);

/* "A3 (1-4)", or "1-4": how a slot is called in sentences. */
void batch_place(const char *label, const char *port, char out[BATCH_PLACE_MAX]);

#endif
