/* SPDX-License-Identifier: MIT */
/*
 * Buses are numbered as the kernel finds them, and may be numbered otherwise after the next start.
 * The device path of a port's controller lasts: the store remembers which controller a bus
 * was, and which paths are set aside.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "app/app_parts.h"

/* Names of settings: "bus 1" -> its controller; "aside PATH" -> the port that it was then. */
#define BUS "bus "
#define ASIDE "aside "

static void
remember(struct app *a, const char *name, const char *value)
{
	struct store_time now = clock_time(a->clock);
	int r = store_set(a->store, STORE_STATION, name, value, &now);

	if (r < 0)
		log_say(a->log, LOG_WARNING, NULL, "\"%s\" is not recorded: %s", name,
			strerror(-r));
}

/* ---- buses ---------------------------------------------------------------------------------- */

/* "pci-0000:00:14.0-usb-0:4.2" -> "pci-0000:00:14.0"; false when there is none. */
static bool
controller_of(const struct sighting *s, char ret_controller[PATH_TEXT_MAX])
{
	const char *usb = strstr(s->path, "-usb-0:");

	if (usb == NULL)
		return false;
	copy_text(ret_controller, (size_t)(usb - s->path) + 1, s->path);
	return true;
}

static struct bus_place *
find_bus(struct app *a, unsigned bus)
{
	for (size_t i = 0; i < a->bus_count; i++)
		if (a->buses[i].bus == bus)
			return &a->buses[i];
	return NULL;
}

/* Compares the bus's controller with that of the last run, or of earlier in this one. */
static void
compare_bus(struct app *a, struct bus_place *b, const struct sighting *s)
{
	char name[32], before[PATH_TEXT_MAX] = "";
	struct log_about about = journal_slot(a, s->port);

	(void)snprintf(name, sizeof(name), BUS "%u", b->bus);
	if (store_get(a->store, STORE_STATION, name, before, sizeof(before)) < 0)
		return; /* WHY: it cannot be read now; it is not overwritten unseen */
	if (strcmp(before, b->controller) == 0)
		return;
	remember(a, name, b->controller);
	if (before[0] == '\0')
		return;
	copy_text(b->before, sizeof(b->before), before);
	log_say(a->log, LOG_WARNING, &about,
		"bus %u is another controller than before (%s, not %s): labels, selections and "
		"quarantines by bus number may be another place's; name ports by device path, "
		"here %s",
		b->bus, b->controller, before, s->path);
}

/* Its bus, as it was compared when something was sighted on it first; NULL: not known. */
static struct bus_place *
place_bus(struct app *a, const struct sighting *s)
{
	unsigned bus = (unsigned)strtoul(s->port, NULL, 10);
	struct bus_place *b = find_bus(a, bus);
	char controller[PATH_TEXT_MAX];

	if (!controller_of(s, controller))
		return NULL;
	if (b != NULL && strcmp(b->controller, controller) == 0)
		return b;
	if (b == NULL && a->bus_count == APP_BUSES_MAX)
		return NULL;
	if (b == NULL)
		b = &a->buses[a->bus_count++];
	*b = (struct bus_place){ .bus = bus };
	copy_text(b->controller, sizeof(b->controller), controller);
	compare_bus(a, b, s);
	return b;
}

/* ---- quarantine ----------------------------------------------------------------------------- */

static void
name_aside(const char *path, char *ret_name, size_t size)
{
	(void)snprintf(ret_name, size, ASIDE "%s", path);
}

void
place_set_aside(struct app *a, const char *port, bool aside)
{
	int slot = fleet_find(a->fleet, port);
	const char *path = slot >= 0 ? fleet_path(a->fleet, (unsigned)slot) : "";
	char name[STORE_NAME_MAX + 8], value[PORT_TEXT_MAX];

	if (path[0] == '\0')
		return; /* WHY: then the record by port is all there is */
	name_aside(path, name, sizeof(name));
	if (aside || store_get(a->store, STORE_STATION, name, value, sizeof(value)) != 0)
		remember(a, name, aside ? port : NULL);
}

struct owner {
	const char *port, *path;
	bool other;
};

static void
on_setting(void *ctx, const char *name, const char *value)
{
	struct owner *o = ctx;

	if (strncmp(name, ASIDE, strlen(ASIDE)) == 0 && strcmp(value, o->port) == 0 &&
	    strcmp(name + strlen(ASIDE), o->path) != 0)
		o->other = true;
}

/* Was the port that is recorded as set aside another place then, which has its own record? */
static bool
was_another_place(struct app *a, const struct sighting *s)
{
	struct owner o = { .port = s->port, .path = s->path };

	return store_each(a->store, STORE_STATION, on_setting, &o) >= 0 && o.other;
}

/* Forgets what was recorded of a number that is another place now, be that seen yet or not. */
static void
release_number(struct app *a, const char *port)
{
	struct store_time now = clock_time(a->clock);
	int slot = fleet_find(a->fleet, port);

	if (slot >= 0)
		(void)fleet_release(a->fleet, (unsigned)slot, clock_now_us()); /* if it was */
	if (store_port_quarantine(a->store, port, NULL, &now) < 0)
		log_say(a->log, LOG_WARNING, NULL, "%s: its release is not recorded", port);
}

/* The place is set aside, and has another number than then. */
static void
follow_quarantine(struct app *a, const struct sighting *s, const char *name, const char *port)
{
	struct log_about about = journal_slot(a, s->port);
	struct store_time now = clock_time(a->clock);
	int old = fleet_find(a->fleet, port);

	about.id = LOG_ID_QUARANTINED;
	log_say(a->log, LOG_WARNING, &about,
		"set aside: it is the port that was %s, by device path %s", port, s->path);
	if (strcmp(port, s->port) != 0 && (old < 0 || !a->settled[old]))
		release_number(a, port);
	if (fleet_recall_port(a->fleet, s->port, a->settings->quarantine, true) == 0 &&
	    store_port_quarantine(a->store, s->port, "set aside by device path", &now) == 0)
		remember(a, name, s->port);
}

/* The slot's quarantine is that of its path; a record by port counts where none is by path. */
static void
settle_quarantine(struct app *a, const struct sighting *s, unsigned slot)
{
	bool by_port = fleet_port_is_quarantined(a->fleet, slot);
	struct log_about about = journal_slot(a, s->port);
	char name[STORE_NAME_MAX + 8], port[PORT_TEXT_MAX];
	int r;

	name_aside(s->path, name, sizeof(name));
	r = store_get(a->store, STORE_STATION, name, port, sizeof(port));
	if (r < 0)
		return;
	if (r > 0 && !by_port) {
		follow_quarantine(a, s, name, port);
	} else if (r == 0 && by_port && was_another_place(a, s)) {
		log_say(a->log, LOG_NOTICE, &about,
			"not set aside: the port that was had this number on another controller");
		release_number(a, s->port);
	} else if (r == 0 && by_port) {
		remember(a, name, s->port);
	}
}

void
place_sighted(struct app *a, const struct sighting *s)
{
	const struct bus_place *b = place_bus(a, s);
	int slot = fleet_find(a->fleet, s->port);

	/* WHY not each time: within a run what was set aside is known by the port that it has. */
	if (b != NULL && slot >= 0 && !a->settled[slot]) {
		a->settled[slot] = true;
		settle_quarantine(a, s, (unsigned)slot);
	}
}
