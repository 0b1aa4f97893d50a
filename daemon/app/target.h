/* SPDX-License-Identifier: MIT */
/*
 * Which slots and which drone an operator means: the one place where a text becomes a target.
 *
 *   target_begin() the text; target_offer_slot() and target_offer_drone() all that it may name, in
 *   any order; target_end() decides
 * [rank_of_slot]  a port is meant before a label, a label before a device path, then whole serials,
 *                 a drone's name, a label in other letters, and last the beginning of a serial
 */
#ifndef APP_TARGET_H
#define APP_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "cfdfu/util.h"
#include "cfdfu/watch.h"
#include "core/fleet.h"

#define TARGET_TEXT_MAX 128	/* LIMIT: longer than any device path of USB's seven tiers */
#define TARGET_PREFIX_MIN 4	/* fewer characters of a serial name nothing */
#define TARGET_CANDIDATES_MAX 8 /* LIMIT: drones named in a refusal */

enum target_by {
	TARGET_NOTHING, /* names nothing that is known */
	TARGET_PREFIX,	/* only inside: at the end it is the serial that begins so */
	TARGET_LABEL_NEARLY,
	TARGET_NAME, /* only inside, too: at the end it is the serial of the drone with this name */
	TARGET_SERIAL,
	TARGET_PATH,
	TARGET_LABEL,
	TARGET_PORT,
	TARGET_AMBIGUOUS, /* the beginning of several serials: candidates */
};

/* The names of a slot; NULL or "" those that it has not.  Borrowed for the call. */
struct target_slot {
	const char *port, *path, *label, *serial, *dfu_serial;
	bool present;
};

struct target_drone {
	char serial[SERIAL_TEXT_MAX], dfu_serial[SERIAL_TEXT_MAX]; /* "" unknown */
};

struct target {
	const char *text;  /* as it was typed; borrowed */
	const char *named; /* run-time serial of the drone with that name; borrowed; NULL: none */
	enum target_by by;
	char key[TARGET_TEXT_MAX]; /* the port, label, path, or whole serial that is meant */
	bool slots[FLEET_SLOTS_MAX];
	unsigned slot_count;
	struct target_drone drones[TARGET_CANDIDATES_MAX]; /* by serial: the one, or candidates */
	size_t drone_count;
	bool only_present; /* a drone is where it is, not also where it was */
};

/* named: the run-time serial of the drone that the text is the name of, or NULL. */
void target_begin(struct target *t, const char *text, const char *named);
void target_offer_slot(struct target *t, unsigned slot, const struct target_slot *s);
/* A drone of the records.  Either may be NULL. */
void target_offer_drone(struct target *t, const char *serial, const char *dfu_serial);
void target_end(struct target *t);

/* The name of a candidate: its run-time serial, or its DFU serial where that is all. */
const char *target_drone_name(const struct target_drone *d);

#endif
