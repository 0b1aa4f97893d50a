/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/check_hubs.h"
#include "client/out.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	CONTROLLERS_MAX = 32,	/* LIMIT: of a machine; drones on further ones are not looked at */
	CONTROLLER_DRONES = 16, /* 3 x 0.15 s each: half of the time that a drone takes */
	NAME_BYTES = 64,	/* "0000:00:14.0", "1-4.2", "usb1" */
	COMMAND_BYTES = 1000,	/* LIMIT: the client shows 1,023 bytes of a command */
	GLOBS_BYTES = 800,	/* of them */
	QUIRK_FAST_ENUM = 1 << 1,
};

struct controller {
	char name[NAME_BYTES];
	char buses[NAME_BYTES]; /* "1, 2" */
	unsigned drones;
};

struct hubs {
	const struct machine *m;
	struct dirent **names; /* of /sys/bus/usb/devices */
	int count;
	unsigned n_controllers;
	struct controller controllers[CONTROLLERS_MAX];
};

static bool
is_device(const char *name)
{
	return strchr(name, '-') != NULL && strchr(name, ':') == NULL;
}

/* ---- controllers ----------------------------------------------------------------------------- */

/* The controller of a bus: what usbN hangs on in /sys/devices.  NULL: unknown, or one too many. */
static struct controller *
controller_of_bus(struct hubs *h, unsigned bus)
{
	char path[MACHINE_PATH_MAX], target[MACHINE_PATH_MAX], *end, *name;
	ssize_t n;

	machine_path(h->m, path, "/sys/bus/usb/devices/usb%u", bus);
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return NULL;
	target[n] = '\0';
	end = strrchr(target, '/');
	if (end == NULL)
		return NULL;
	*end = '\0';
	name = strrchr(target, '/');
	name = name != NULL ? name + 1 : target;
	for (unsigned i = 0; i < h->n_controllers; i++)
		if (strcmp(h->controllers[i].name, name) == 0)
			return &h->controllers[i];
	if (h->n_controllers == CONTROLLERS_MAX)
		return NULL;
	(void)snprintf(h->controllers[h->n_controllers].name, NAME_BYTES, "%.63s", name);
	return &h->controllers[h->n_controllers++];
}

static void
count_drones(struct hubs *h)
{
	for (int i = 0; i < h->count; i++) {
		const char *name = h->names[i]->d_name;
		bool root = strncmp(name, "usb", 3) == 0;
		struct controller *c;

		if (!root && !(is_device(name) && machine_is_drone(h->m, name)))
			continue;
		c = controller_of_bus(h, (unsigned)strtoul(name + (root ? 3 : 0), NULL, 10));
		if (c == NULL)
			continue;
		c->drones += !root;
		if (root)
			text_add(c->buses, NAME_BYTES, "%s%.8s", c->buses[0] != '\0' ? ", " : "",
				 name + 3);
	}
}

/* The controllers but this one, "0000:05:00.0 (bus 3, 4) has 2"; "" none. */
static void
name_others(const struct hubs *h, const struct controller *but, char *text, size_t size)
{
	text[0] = '\0';
	for (unsigned i = 0; i < h->n_controllers; i++) {
		const struct controller *c = &h->controllers[i];

		if (c != but)
			text_add(text, size, "%s%s (bus %s) has %u", text[0] != '\0' ? ", " : "",
				 c->name, c->buses, c->drones);
	}
}

static void
check_controllers(const struct hubs *h)
{
	char others[200];

	for (unsigned i = 0; i < h->n_controllers; i++) {
		const struct controller *c = &h->controllers[i];

		if (c->drones <= CONTROLLER_DRONES)
			continue;
		name_others(h, c, others, sizeof(others));
		machine_found(h->m, (struct finding){ "controllers", "warn", "lsusb -t" },
			      "%u drones share the controller %s (bus %s): Linux brings up one "
			      "device of a controller at a time, and each drone comes up three "
			      "times, half a second in all. Spread them over controllers: %s.",
			      c->drones, c->name, c->buses,
			      others[0] != '\0' ? others : "this machine has no other");
	}
}

/* ---- FAST_ENUM ------------------------------------------------------------------------------- */

/* "1-4.2" -> "1-4" and 2, "1-4" -> "usb1" and 4. */
static unsigned
hub_of(const char *device, char hub[NAME_BYTES])
{
	const char *dot = strrchr(device, '.'), *dash = strchr(device, '-');

	if (dot != NULL)
		(void)snprintf(hub, NAME_BYTES, "%.*s", (int)(dot - device), device);
	else
		(void)snprintf(hub, NAME_BYTES, "usb%.*s", (int)(dash - device), device);
	return (unsigned)strtoul((dot != NULL ? dot : dash) + 1, NULL, 10);
}

/* Drones on this hub; 0 when it has another device, too, or is the computer's own. */
static unsigned
drones_of_hub(const struct hubs *h, const char *hub)
{
	char of[NAME_BYTES];
	unsigned n = 0;

	if (strncmp(hub, "usb", 3) == 0)
		return 0;
	for (int i = 0; i < h->count; i++) {
		const char *name = h->names[i]->d_name;

		if (!is_device(name) || (hub_of(name, of), strcmp(of, hub)) != 0)
			continue;
		if (!machine_is_drone(h->m, name))
			return 0;
		n++;
	}
	return n;
}

/* Is this a drone on a port with FAST_ENUM, or without?  A kernel without quirks has neither. */
static bool
is_drone_with(const struct hubs *h, const char *name, bool fast)
{
	char quirks[MACHINE_VALUE_MAX];

	return is_device(name) && machine_is_drone(h->m, name) &&
	       machine_attribute(h->m, name, "port/quirks", quirks) &&
	       ((strtoul(quirks, NULL, 16) & QUIRK_FAST_ENUM) != 0) == fast;
}

/* The port of a drone, or all ports of a hub that has drones alone; once. */
static void
add_glob(const struct hubs *h, const char *device, char globs[GLOBS_BYTES])
{
	char hub[NAME_BYTES], glob[2 * NAME_BYTES];
	unsigned port = hub_of(device, hub);

	if (drones_of_hub(h, hub) > 0)
		(void)snprintf(glob, sizeof(glob), " */%s-port*/quirks", hub);
	else
		(void)snprintf(glob, sizeof(glob), " */%s-port%u/quirks", hub, port);
	if (strstr(globs, glob) == NULL)
		text_add(globs, GLOBS_BYTES, "%s", glob);
}

/* The command changes one bit of each port's quirks, which are hexadecimal. */
static void
offer(const struct hubs *h, bool fast, unsigned drones, const char *globs)
{
	char command[COMMAND_BYTES];
	struct finding f = { "fast-enumeration", "ok", command };

	(void)snprintf(command, sizeof(command),
		       "sudo sh -c 'cd /sys/bus/usb/devices && "
		       "for q in%s; do echo $((0x$(cat $q) %s%d)) > $q; done'",
		       globs, fast ? "& ~" : "| ", QUIRK_FAST_ENUM);
	if (fast)
		machine_found(h->m, f,
			      "FAST_ENUM is set on the ports of %u drones: Linux waits for 10 ms "
			      "after a reset there. If a device is not recognised, take it back.",
			      drones);
	else
		machine_found(h->m, f,
			      "FAST_ENUM is not set on the ports of %u drones: Linux waits for "
			      "50 ms after a reset there, where USB asks for 10 ms. With it drones "
			      "come up a fifth faster; the risk: a device that needs longer may "
			      "not be recognised. It lasts until hub or machine restart (for good: "
			      "see cfdfud(8)); once it is set, doctor prints how to take it back.",
			      drones);
}

/* Offers to change the ports that have FAST_ENUM, or have not; false: there are none.  One command,
 * or several when the ports do not fit. */
static bool
offer_ports(const struct hubs *h, bool fast)
{
	char globs[GLOBS_BYTES] = "";
	unsigned drones = 0;
	bool any = false;

	for (int i = 0; i < h->count; i++) {
		if (!is_drone_with(h, h->names[i]->d_name, fast))
			continue;
		add_glob(h, h->names[i]->d_name, globs);
		drones++;
		any = true;
		if (strlen(globs) < GLOBS_BYTES - 2 * NAME_BYTES)
			continue;
		offer(h, fast, drones, globs);
		globs[0] = '\0';
		drones = 0;
	}
	if (drones > 0)
		offer(h, fast, drones, globs);
	return any;
}

/* WHY not for one drone: nothing waits for it. */
static void
check_enumeration(const struct hubs *h)
{
	unsigned drones = 0;

	for (unsigned i = 0; i < h->n_controllers; i++)
		drones += h->controllers[i].drones;
	if (drones > 1 && !offer_ports(h, false))
		(void)offer_ports(h, true);
}

void
check_hubs(const struct machine *m)
{
	struct hubs h = { .m = m };
	char path[MACHINE_PATH_MAX];

	machine_path(m, path, "/sys/bus/usb/devices");
	h.count = scandir(path, &h.names, NULL, versionsort);
	count_drones(&h);
	check_controllers(&h);
	check_enumeration(&h);
	for (int i = 0; i < h.count; i++)
		free(h.names[i]);
	free(h.names);
}
