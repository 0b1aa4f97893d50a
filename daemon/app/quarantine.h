/* SPDX-License-Identifier: MIT */
/*
 * The quarantine of ports, drones and images as the records keep it.  The fleet decides that one
 * begins (core/fleet.c after failures in a row, core/brake.c after drones that one image harmed)
 * and says so with an event; here it is saved, told to the fleet after a restart, and lifted.
 *
 * On disk: quarantined ports and drones in their own rows; a port also by its device path, since
 * its bus may be numbered otherwise after a restart ("aside PATH" -> the port that it was).  Of the
 * brake: the station is paused, why ("brake", type Brake of the interface), which images are
 * quarantined (scope STORE_QUARANTINED), from which attempt on endings count ("brake-since").
 */
#ifndef APP_QUARANTINE_H
#define APP_QUARANTINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cfdfu/util.h"
#include "cfdfu/watch.h"

struct fleet_event;
struct quarantine;
struct services;

int quarantine_new(const struct services *sv, struct quarantine **ret_quarantine) MUST_CHECK;
void quarantine_free(struct quarantine *q); /* NULL is fine */

/* After the start: what the records say goes to the fleet.  A port that was active in three crashes
 * of the service in a row is quarantined (doc/faults.md S2).  Negative errno: to be tried again. */
int quarantine_load(struct quarantine *q) MUST_CHECK;
/* Endings before the start count for the brake; when the selection is loaded. */
void quarantine_recall(struct quarantine *q);

/* An event of the fleet, with the quarantine as its context: saves what it has quarantined. */
void quarantine_tell(void *ctx, const struct fleet_event *event);

/* A device has come to a known slot: where the controller of its bus is known, the quarantine of
 * the slot is that of its device path. */
void quarantine_follow_path(struct quarantine *q, const struct sighting *s);

/* Why the station has paused itself (type Brake); NULL: it has not.  Borrowed. */
json_t *quarantine_brake(const struct quarantine *q);
/* The station goes on.  Returns what it was paused for, the caller's; NULL: for nothing. */
json_t *quarantine_resumed(struct quarantine *q);

/* Lifts the quarantine of the slot's port and drone.  False: there was none. */
bool quarantine_release_slot(struct quarantine *q, unsigned slot);
/* Lifts an image's.  -ENOENT it has none, else the error of recording it. */
int quarantine_release_image(struct quarantine *q, const uint8_t *sha256) MUST_CHECK;

#endif
