/* SPDX-License-Identifier: MIT */
/* Checks of this machine: service, other programs, udev rule, nodes, power.  Records, disk and
 * clock are the service's to check. */
#include "config.h"

#include "client/checks.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cfdfu/util.h"
#include "client/check_hubs.h"
#include "client/machine.h"
#include "client/refusal.h"

/* The rules for what is plugged in; the same after udev has read them again. */
static const char trigger[] = "sudo udevadm trigger --subsystem-match=usb";
static const char apply_rules[] =
    "sudo udevadm control --reload && sudo udevadm trigger --subsystem-match=usb";

static bool
is_running(const struct machine *m, const char *comm)
{
	char path[MACHINE_PATH_MAX], value[MACHINE_VALUE_MAX];
	struct dirent *e;
	bool found = false;
	DIR *d;

	machine_path(m, path, "/proc");
	d = opendir(path);
	while (d != NULL && !found && (e = readdir(d)) != NULL) {
		if (e->d_name[0] < '1' || e->d_name[0] > '9')
			continue;
		machine_path(m, path, "/proc/%s/comm", e->d_name);
		found = machine_line(path, value) && strcmp(value, comm) == 0;
	}
	if (d != NULL)
		(void)closedir(d); /* WHY: only read from */
	return found;
}

static void
check_other_programs(struct machine *m)
{
	if (is_running(m, "fwupd"))
		machine_found(
		    m, (struct finding){ "fwupd", "warn", "sudo systemctl mask --now fwupd" },
		    "fwupd is running and may open drones in DFU mode");
	else
		machine_found(m, (struct finding){ "fwupd", "ok", NULL }, "fwupd is not running");
	if (is_running(m, "ModemManager"))
		machine_found(
		    m,
		    (struct finding){ "modemmanager", "warn",
				      "sudo systemctl mask --now ModemManager" },
		    "ModemManager is running; without our udev rule it would talk to drones as if "
		    "they were modems");
	else
		machine_found(m, (struct finding){ "modemmanager", "ok", NULL },
			      "ModemManager is not running");
}

/* WHY also while it runs: it would not come up again. */
static bool
check_configuration(struct machine *m)
{
	char why[REFUSAL_MAX];

	if (!refusal_of_configuration(why))
		return true;
	machine_found(m, (struct finding){ "configuration", "fail", "cfdfud --test-config" },
		      "the configuration is refused, so that the service cannot start: %s", why);
	return false;
}

static void
check_service(struct machine *m, bool answers)
{
	bool good = check_configuration(m);

	if (answers)
		machine_found(m, (struct finding){ "service", "ok", NULL },
			      "the service cfdfud answers");
	else if (is_running(m, "cfdfud"))
		machine_found(m,
			      (struct finding){ "service", "fail",
						good ? "sudo systemctl restart cfdfud" : NULL },
			      "the service cfdfud is running, but does not answer here");
	else
		machine_found(
		    m,
		    (struct finding){ "service", "fail",
				      good ? "sudo systemctl enable --now cfdfud" : NULL },
		    "the service cfdfud is not running");
}

/* Does a line of this file begin or, with part, contain the text?  Comments are left out. */
static bool
has_line(const char *path, const char *text, bool part)
{
	FILE *f = fopen(path, "re");
	char line[MACHINE_PATH_MAX];
	bool found = false;

	while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL)
		found = part ? line[0] != '#' && strstr(line, text) != NULL
			     : strncmp(line, text, strlen(text)) == 0;
	if (f != NULL)
		(void)fclose(f);
	return found;
}

/*
 * The rule in force, which is the first of its name in these directories (udev(7)): ours, with the
 * line that lets no drone wait for its hub (doc/rack.md 5).
 */
static void
check_rule(const struct machine *m)
{
	static const char *const dirs[] = { "/etc/udev/rules.d", "/run/udev/rules.d",
					    "/usr/local/lib/udev/rules.d", "/usr/lib/udev/rules.d",
					    "/lib/udev/rules.d" };
	static const char install[] = "sudo make install && sudo udevadm control --reload";
	char path[MACHINE_PATH_MAX], away[160];
	struct stat st;
	size_t i = 0;

	for (; i < ARRAY_LEN(dirs); i++) {
		machine_path(m, path, "%s/70-cfdfud.rules", dirs[i]);
		if (stat(path, &st) == 0)
			break;
	}
	if (i == ARRAY_LEN(dirs)) {
		machine_found(m, (struct finding){ "udev-rule", "fail", install },
			      "the udev rule 70-cfdfud.rules is not installed: drones are not "
			      "given to the service");
		return;
	}
	/* WHY moved: it may hold what an administrator wrote; udev reads names in .rules alone */
	snprintf(away, sizeof(away),
		 "sudo mv %s/70-cfdfud.rules %s/70-cfdfud.off && sudo udevadm control --reload",
		 dirs[i], dirs[i]);
	/* WHY: an empty one in /etc masks the others, as udev(7) says */
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		machine_found(m, (struct finding){ "udev-rule", "fail", away },
			      "the udev rule is masked by %s", path);
	else if (!has_line(path, "ENV{ID_SEAT}=\"", true))
		machine_found(m, (struct finding){ "udev-rule", "warn", i < 2 ? away : install },
			      "the udev rule in force (%s) is not the one of this version: "
			      "without its line for ID_SEAT no drone of a full hub begins before "
			      "the kernel has brought up the last",
			      path);
	else
		machine_found(m, (struct finding){ "udev-rule", "ok", NULL },
			      "the udev rule is installed (%s)", path);
}

/* A drone that udev looked at before the rule was there, or with another rule in between.  WHY not
 * where hubs belong to other seats: its hub's seat is the drone's, and may be none. */
static void
check_seat(const struct machine *m, const char *device)
{
	char number[MACHINE_VALUE_MAX], path[MACHINE_PATH_MAX];

	machine_path(m, path, "/run/udev/tags/cfdfud-seat");
	if (access(path, F_OK) == 0 || !machine_attribute(m, device, "dev", number))
		return;
	machine_path(m, path, "/run/udev/data/c%s", number);
	if (access(path, R_OK) == 0 && !has_line(path, "E:ID_SEAT=", false))
		machine_found(
		    m, (struct finding){ "seat", "warn", apply_rules },
		    "udev gave the device on %s no seat: our rule did not act on it, so that "
		    "it begins only when its whole hub is brought up",
		    device);
}

/*
 * The node's owner is the service's user (or it is open to all), and the device does not go to
 * sleep.
 */
static void
check_device(struct machine *m, const char *device)
{
	char bus[MACHINE_VALUE_MAX], number[MACHINE_VALUE_MAX], control[MACHINE_VALUE_MAX],
	    path[MACHINE_PATH_MAX], fix[256];
	struct stat st;

	if (!machine_attribute(m, device, "busnum", bus) ||
	    !machine_attribute(m, device, "devnum", number))
		return;
	machine_path(m, path, "/dev/bus/usb/%03d/%03d", atoi(bus), atoi(number));
	if (stat(path, &st) != 0)
		machine_found(m, (struct finding){ "node", "fail", trigger },
			      "%s: the device on %s has no node", path, device);
	else if (st.st_uid == 0 && (st.st_mode & 0002) == 0)
		machine_found(m, (struct finding){ "node", "fail", apply_rules },
			      "%s: the device on %s belongs to root: the udev rule was not applied",
			      path, device);
	else
		machine_found(m, (struct finding){ "node", "ok", NULL },
			      "the device on %s is the service's", device);
	check_seat(m, device);
	if (machine_attribute(m, device, "power/control", control) &&
	    strcmp(control, "auto") == 0) {
		snprintf(fix, sizeof(fix),
			 "echo on | sudo tee /sys/bus/usb/devices/%.64s/power/control", device);
		machine_found(m, (struct finding){ "autosuspend", "warn", fix },
			      "the device on %s may be put to sleep", device);
	}
}

static void
check_devices(struct machine *m)
{
	char path[MACHINE_PATH_MAX];
	struct dirent **names = NULL;
	int count, ours = 0;

	machine_path(m, path, "/sys/bus/usb/devices");
	count = scandir(path, &names, NULL, versionsort);
	for (int i = 0; i < count; i++) {
		if (strchr(names[i]->d_name, ':') == NULL &&
		    machine_is_drone(m, names[i]->d_name)) {
			check_device(m, names[i]->d_name);
			ours++;
		}
		free(names[i]);
	}
	free(names);
	if (count < 0)
		machine_found(m, (struct finding){ "usb", "fail", NULL },
			      "this machine has no USB");
	else if (ours == 0)
		machine_found(m, (struct finding){ "usb", "ok", NULL }, "no drone is plugged in");
}

void
checks_run(const char *root, bool service_answers, json_t *list)
{
	struct machine m = { .root = root, .list = list };

	check_service(&m, service_answers);
	check_other_programs(&m);
	check_rule(&m);
	check_devices(&m);
	check_hubs(&m);
}
