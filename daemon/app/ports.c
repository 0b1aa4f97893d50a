/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/ports.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "app/clock.h"
#include "app/services.h"
#include "app/settings.h"
#include "core/fleet.h"
#include "core/ident.h"
#include "store/store.h"

#define REFUSED_MAX 128 /* LIMIT: devices that wait for a slot; more are told of in the log alone */
#define BUSES_MAX 64	/* LIMIT: buses that are compared with what they were before */

/* A bus that a device was seen on in this run. */
struct bus {
	unsigned number;
	char controller[PATH_TEXT_MAX];
	char before[PATH_TEXT_MAX]; /* "" the same as ever */
};

struct ports {
	const struct services *sv;
	void (*arrived)(void *ctx, const struct sighting *s);
	void *ctx;
	struct sighting foreign[FLEET_SLOTS_MAX];
	size_t foreign_count;
	struct sighting refused[REFUSED_MAX]; /* ours, and no slot is free for them */
	size_t refused_count;
	bool changed; /* a slot that was taken from the station has perhaps a drone at work */
	struct bus buses[BUSES_MAX];
	size_t bus_count;
};

int
ports_new(const struct services *sv, void (*arrived)(void *ctx, const struct sighting *s),
	  void *ctx, struct ports **ret_ports)
{
	struct ports *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return -ENOMEM;
	*p = (struct ports){ .sv = sv, .arrived = arrived, .ctx = ctx };
	*ret_ports = p;
	return 0;
}

void
ports_free(struct ports *p)
{
	free(p);
}

/* ---- labels and slots ----------------------------------------------------------------------- */

/* The device path of a port that a device was seen on; NULL. */
static const char *
path_of(const struct ports *p, const char *port)
{
	int slot = fleet_find(p->sv->fleet, port);

	if (slot >= 0 && fleet_path(p->sv->fleet, (unsigned)slot)[0] != '\0')
		return fleet_path(p->sv->fleet, (unsigned)slot);
	for (size_t i = 0; i < p->foreign_count; i++)
		if (strcmp(p->foreign[i].port, port) == 0)
			return p->foreign[i].path;
	return NULL;
}

const char *
ports_label(const struct ports *p, const char *port)
{
	return settings_label(p->sv->settings, port, path_of(p, port));
}

const char *
ports_name(const struct ports *p, const char *port)
{
	const char *label = ports_label(p, port);

	return label != NULL ? label : port;
}

struct log_about
ports_about(const struct ports *p, const char *port)
{
	return (struct log_about){ .port = port, .label = ports_label(p, port) };
}

static bool
is_ours(const struct ports *p, const char *port, const char *path)
{
	return settings_ports_match(&p->sv->settings->ports, port, path);
}

static bool
is_our_slot(const struct ports *p, unsigned slot)
{
	return is_ours(p, fleet_port(p->sv->fleet, slot), fleet_path(p->sv->fleet, slot));
}

static void
configure_slot(struct ports *p, unsigned slot)
{
	fleet_configure_slot(p->sv->fleet, slot, is_our_slot(p, slot),
			     ports_label(p, fleet_port(p->sv->fleet, slot)));
}

/* With what the settings say of it.  path: its device path, NULL: not known now.  -E2BIG. */
static int
add_slot(struct ports *p, const char *port, const char *path)
{
	struct fleet *f = p->sv->fleet;
	int r = fleet_find(f, port) < 0 ? fleet_recall_port(f, port, 0, PORT_QUARANTINE_NONE) : 0;
	unsigned slot;

	if (r < 0)
		return r;
	slot = (unsigned)fleet_find(f, port);
	if (path != NULL)
		fleet_set_path(f, slot, path);
	configure_slot(p, slot);
	return 0;
}

void
ports_show_labelled(struct ports *p)
{
	const struct settings *s = p->sv->settings;

	for (size_t i = 0; i < s->label_count; i++) {
		const char *port = s->labels[i].glob;

		if (strpbrk(port, "*?[") != NULL || fleet_find(p->sv->fleet, port) >= 0 ||
		    strstr(port, "-usb") != NULL || !is_ours(p, port, NULL))
			continue;
		if (add_slot(p, port, NULL) < 0)
			log_say(p->sv->log, LOG_ERR, NULL, "[slots] %s: too many slots", port);
	}
}

/* ---- foreign ports -------------------------------------------------------------------------- */

static bool
is_drone(const struct sighting *s)
{
	return ident_kind_of(s) != IDENT_OTHER;
}

static void
add_foreign(struct ports *p, const struct sighting *s)
{
	struct log_about about = ports_about(p, s->port);

	about.serial = s->serial;
	if (is_drone(s))
		log_say(p->sv->log, LOG_NOTICE, &about,
			"a drone on a port that this station does not use ('ports' in its "
			"configuration): ignored");
	/* LIMIT: drones beyond the list stay foreign until they are plugged in again. */
	if (p->foreign_count < ARRAY_LEN(p->foreign))
		p->foreign[p->foreign_count++] = *s;
}

static bool
is_at_work(const struct ports *p, const char *port)
{
	int slot = fleet_find(p->sv->fleet, port);
	struct slot_view v;

	if (slot < 0)
		return false;
	fleet_view(p->sv->fleet, (unsigned)slot, clock_now_us(), &v);
	return v.begun;
}

static void
refuse(struct ports *p, const struct sighting *s)
{
	struct log_about about = ports_about(p, s->port);

	log_say(p->sv->log, LOG_ERR, &about,
		"not looked at: all %d slots are in use or quarantined", FLEET_SLOTS_MAX);
	if (p->refused_count < ARRAY_LEN(p->refused))
		p->refused[p->refused_count++] = *s;
}

bool
ports_admit(struct ports *p, const struct sighting *s)
{
	/* WHY at work: a drone whose port is taken from the station is finished, also across its
	 * re-enumerations. */
	if (!is_ours(p, s->port, s->path) && !is_at_work(p, s->port)) {
		add_foreign(p, s);
		return false;
	}
	if (add_slot(p, s->port, s->path) == 0)
		return true;
	refuse(p, s);
	return false;
}

static bool
take_out(struct sighting *list, size_t *count, const char *port, uint64_t arrival)
{
	for (size_t i = 0; i < *count; i++) {
		if (list[i].arrival != arrival || strcmp(list[i].port, port) != 0)
			continue;
		list[i] = list[--*count];
		return true;
	}
	return false;
}

bool
ports_dismiss(struct ports *p, const char *port, uint64_t arrival)
{
	return take_out(p->foreign, &p->foreign_count, port, arrival) ||
	       take_out(p->refused, &p->refused_count, port, arrival);
}

size_t
ports_refused(const struct ports *p)
{
	return p->refused_count;
}

/* Those for which there is a slot by now, or which are not ours any more. */
static void
admit_refused(struct ports *p)
{
	while (p->refused_count > 0) {
		struct sighting s = p->refused[0];

		if (is_ours(p, s.port, s.path) && add_slot(p, s.port, s.path) < 0)
			return;
		p->refused[0] = p->refused[--p->refused_count];
		p->arrived(p->ctx, &s);
	}
}

const struct sighting *
ports_foreign_drone(const struct ports *p, size_t n)
{
	for (size_t i = 0; i < p->foreign_count; i++)
		if (is_drone(&p->foreign[i]) && n-- == 0)
			return &p->foreign[i];
	return NULL;
}

bool
ports_is_foreign(const struct ports *p, const char *text)
{
	for (size_t i = 0; i < p->foreign_count; i++) {
		const struct sighting *s = &p->foreign[i];
		const char *label = ports_label(p, s->port);

		if (strcmp(s->port, text) == 0 || strcasecmp(s->serial, text) == 0 ||
		    (label != NULL && strcmp(label, text) == 0))
			return true;
	}
	return false;
}

bool
ports_has_foreign(const struct ports *p)
{
	return p->foreign_count > 0;
}

/* The device on this slot becomes foreign, unless its drone is at work. */
static void
give_away(struct ports *p, unsigned slot)
{
	const struct sighting *s = fleet_sighting(p->sv->fleet, slot);
	struct sighting copy;
	struct slot_view v;

	fleet_view(p->sv->fleet, slot, clock_now_us(), &v);
	if (v.begun) { /* WHY: also while it is between two enumerations, seen nowhere */
		p->changed = true;
	} else if (s != NULL) {
		copy = *s;
		add_foreign(p, &copy);
		fleet_gone(p->sv->fleet, copy.port, copy.arrival, clock_now_us());
	}
}

void
ports_check(struct ports *p)
{
	admit_refused(p);
	if (!p->changed)
		return;
	p->changed = false;
	for (unsigned i = 0; i < fleet_slots(p->sv->fleet); i++)
		if (!is_our_slot(p, i))
			give_away(p, i);
}

void
ports_settings_changed(struct ports *p)
{
	/* WHY first: a drone that ends meanwhile may not begin again on a foreign port. */
	for (unsigned i = 0; i < fleet_slots(p->sv->fleet); i++)
		configure_slot(p, i);
	for (size_t i = 0; i < p->foreign_count;) {
		struct sighting s = p->foreign[i];

		if (!is_ours(p, s.port, s.path)) {
			i++;
			continue;
		}
		p->foreign[i] = p->foreign[--p->foreign_count];
		p->arrived(p->ctx, &s);
	}
	p->changed = true;
	ports_check(p);
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

/* With the controller that was recorded, in the last run or earlier in this one. */
static void
compare(struct ports *p, struct bus *b, const struct sighting *s)
{
	char name[32], before[PATH_TEXT_MAX] = "";
	struct log_about about = ports_about(p, s->port);
	struct store_time now = clock_time(p->sv->clock);
	int r;

	(void)snprintf(name, sizeof(name), "bus %u", b->number);
	if (store_get(p->sv->store, STORE_STATION, name, before, sizeof(before)) < 0)
		return; /* WHY: it cannot be read now; it is not overwritten unseen */
	if (strcmp(before, b->controller) == 0)
		return;
	r = store_set(p->sv->store, STORE_STATION, name, b->controller, &now);
	if (r < 0)
		log_say(p->sv->log, LOG_WARNING, NULL, "\"%s\" is not recorded: %s", name,
			strerror(-r));
	if (before[0] == '\0')
		return;
	copy_text(b->before, sizeof(b->before), before);
	log_say(p->sv->log, LOG_WARNING, &about,
		"bus %u is another controller than before (%s, not %s): labels, selections and "
		"quarantines by bus number may be another place's; name ports by device path, "
		"here %s",
		b->number, b->controller, before, s->path);
}

bool
ports_compare_bus(struct ports *p, const struct sighting *s)
{
	unsigned number = (unsigned)strtoul(s->port, NULL, 10);
	char controller[PATH_TEXT_MAX];
	struct bus *b = p->buses;

	if (!controller_of(s, controller))
		return false;
	while (b < p->buses + p->bus_count && b->number != number)
		b++;
	if (b == p->buses + BUSES_MAX)
		return false;
	if (b == p->buses + p->bus_count)
		p->bus_count++;
	else if (strcmp(b->controller, controller) == 0)
		return true;
	*b = (struct bus){ .number = number };
	copy_text(b->controller, sizeof(b->controller), controller);
	compare(p, b, s);
	return true;
}

bool
ports_renumbered(const struct ports *p, size_t n, struct ports_bus *ret_bus)
{
	for (size_t i = 0; i < p->bus_count; i++) {
		const struct bus *b = &p->buses[i];

		if (b->before[0] == '\0' || n-- > 0)
			continue;
		*ret_bus = (struct ports_bus){ b->number, b->controller, b->before };
		return true;
	}
	return false;
}
