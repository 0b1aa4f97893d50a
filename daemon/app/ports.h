/* SPDX-License-Identifier: MIT */
/*
 * The ports of this station by its settings: which are its own, which are foreign, how they are
 * labelled; and the buses, whose numbers may be another controller's after a restart.
 */
#ifndef APP_PORTS_H
#define APP_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/log.h"
#include "cfdfu/util.h"
#include "cfdfu/watch.h"

struct ports;
struct services;

/* arrived: a device on a foreign port has become the station's. */
int ports_new(const struct services *sv, void (*arrived)(void *ctx, const struct sighting *s),
	      void *ctx, struct ports **ret_ports) MUST_CHECK; /* -ENOMEM */
void ports_free(struct ports *p);			       /* NULL is fine */

/* The label of a port, by its device path, too, where that is known; NULL. */
const char *ports_label(const struct ports *p, const char *port);
const char *ports_name(const struct ports *p, const char *port);       /* the label, or the port */
struct log_about ports_about(const struct ports *p, const char *port); /* borrows port */

/* Slots that have a name of their own are shown before anything was plugged in. */
void ports_show_labelled(struct ports *p);

/*
 * A device is plugged in.  True: on a port of this station, or on one whose drone is at work and is
 * finished, and its slot is known; false: on a foreign one, and remembered in case that becomes the
 * station's; or on a port for which there is no slot now, and taken when there is (ports_check()).
 */
bool ports_admit(struct ports *p, const struct sighting *s);
/* It is gone; true: it was one of those that were not admitted. */
bool ports_dismiss(struct ports *p, const char *port, uint64_t arrival);
size_t ports_refused(const struct ports *p); /* devices that wait for a slot */

/* The n-th device on a foreign port that is a drone as far as can be seen; NULL after the last. */
const struct sighting *ports_foreign_drone(const struct ports *p, size_t n);
/* Is it a foreign one's port, label or serial? */
bool ports_is_foreign(const struct ports *p, const char *text);
bool ports_has_foreign(const struct ports *p); /* any device */

/* The settings have changed: devices arrive, or become foreign, at once or when their work ends. */
void ports_settings_changed(struct ports *p);
void ports_check(struct ports *p); /* each second */

/*
 * Compares the controller of this device's bus with the one that was recorded for its number.
 * False: the controller is not known.
 */
bool ports_compare_bus(struct ports *p, const struct sighting *s);

/* A bus whose number was another controller's before. */
struct ports_bus {
	unsigned number;
	const char *controller, *before;
};

/* The n-th of them; false after the last.  Texts are good until the next sighting. */
bool ports_renumbered(const struct ports *p, size_t n, struct ports_bus *ret_bus);

#endif
