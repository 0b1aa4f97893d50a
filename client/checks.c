/* SPDX-License-Identifier: MIT */
/* Checks of this machine: service, other programs, udev rule, nodes, power.  Records, disk and
 * clock are the service's to check. */
#include "config.h"

#include "client/checks.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cfdfu/util.h"
#include "client/refusal.h"
#include "wire/text.h"

#define PATH_TEXT_MAX 512
#define VALUE_MAX 128

struct checks {
	const char *root;
	json_t *list;
};

static void PRINTF_LIKE(5, 6) add(struct checks *c, const char *name, const char *level,
				  const char *fix, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args); /* WHY: cut is fine */
	va_end(args);
	(void)json_array_append_new(c->list,
				    json_pack("{s:s,s:s,s:o,s:o}", "name", name, "level", level,
					      "text", text_json(text), "fix", text_json(fix)));
}

/* The first line of a small file, without its end; false when there is none. */
static bool
read_line(const char *path, char value[VALUE_MAX])
{
	FILE *f = fopen(path, "re");
	bool good = f != NULL && fgets(value, VALUE_MAX, f) != NULL;

	if (f != NULL)
		(void)fclose(f);
	if (good)
		value[strcspn(value, "\n")] = '\0';
	return good;
}

static void PRINTF_LIKE(3, 4)
    make_path(const struct checks *c, char path[PATH_TEXT_MAX], const char *fmt, ...)
{
	int used = snprintf(path, PATH_TEXT_MAX, "%s", c->root);
	va_list args;

	va_start(args, fmt);
	if (used >= 0 && used < PATH_TEXT_MAX)
		(void)vsnprintf(path + used, PATH_TEXT_MAX - (size_t)used, fmt, args);
	va_end(args);
}

static bool
is_running(const struct checks *c, const char *comm)
{
	char path[PATH_TEXT_MAX], value[VALUE_MAX];
	struct dirent *e;
	bool found = false;
	DIR *d;

	make_path(c, path, "/proc");
	d = opendir(path);
	while (d != NULL && !found && (e = readdir(d)) != NULL) {
		if (e->d_name[0] < '1' || e->d_name[0] > '9')
			continue;
		make_path(c, path, "/proc/%s/comm", e->d_name);
		found = read_line(path, value) && strcmp(value, comm) == 0;
	}
	if (d != NULL)
		(void)closedir(d); /* WHY: only read from */
	return found;
}

static void
check_other_programs(struct checks *c)
{
	if (is_running(c, "fwupd"))
		add(c, "fwupd", "warn", "sudo systemctl mask --now fwupd",
		    "fwupd is running and may open drones in DFU mode");
	else
		add(c, "fwupd", "ok", NULL, "fwupd is not running");
	if (is_running(c, "ModemManager"))
		add(c, "modemmanager", "warn", "sudo systemctl mask --now ModemManager",
		    "ModemManager is running; without our udev rule it would talk to drones as if "
		    "they were modems");
	else
		add(c, "modemmanager", "ok", NULL, "ModemManager is not running");
}

/* WHY also while it runs: it would not come up again. */
static bool
check_configuration(struct checks *c)
{
	char why[REFUSAL_MAX];

	if (!refusal_of_configuration(why))
		return true;
	add(c, "configuration", "fail", "cfdfud --test-config",
	    "the configuration is refused, so that the service cannot start: %s", why);
	return false;
}

static void
check_service(struct checks *c, bool answers)
{
	bool good = check_configuration(c);

	if (answers)
		add(c, "service", "ok", NULL, "the service cfdfud answers");
	else if (is_running(c, "cfdfud"))
		add(c, "service", "fail", good ? "sudo systemctl restart cfdfud" : NULL,
		    "the service cfdfud is running, but does not answer here");
	else
		add(c, "service", "fail", good ? "sudo systemctl enable --now cfdfud" : NULL,
		    "the service cfdfud is not running");
}

static void
check_rule(struct checks *c)
{
	static const char *const dirs[] = { "/etc/udev/rules.d", "/run/udev/rules.d",
					    "/usr/local/lib/udev/rules.d", "/usr/lib/udev/rules.d",
					    "/lib/udev/rules.d" };
	char path[PATH_TEXT_MAX];
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		make_path(c, path, "%s/70-cfdfud.rules", dirs[i]);
		if (stat(path, &st) != 0)
			continue;
		/* WHY: an empty one in /etc masks the others, as udev(7) says */
		if (S_ISREG(st.st_mode) && st.st_size > 0) {
			add(c, "udev-rule", "ok", NULL, "the udev rule is installed (%s)", path);
			return;
		}
		add(c, "udev-rule", "fail", "sudo rm /etc/udev/rules.d/70-cfdfud.rules",
		    "the udev rule is masked by %s", path);
		return;
	}
	add(c, "udev-rule", "fail", "sudo make install && sudo udevadm control --reload",
	    "the udev rule 70-cfdfud.rules is not installed: drones are not given to the service");
}

static bool
read_attribute(const struct checks *c, const char *device, const char *name, char value[VALUE_MAX])
{
	char path[PATH_TEXT_MAX];

	make_path(c, path, "/sys/bus/usb/devices/%s/%s", device, name);
	return read_line(path, value);
}

static bool
is_ours(const struct checks *c, const char *device)
{
	char vid[VALUE_MAX], pid[VALUE_MAX], maker[VALUE_MAX];

	if (!read_attribute(c, device, "idVendor", vid) ||
	    !read_attribute(c, device, "idProduct", pid) || strcmp(vid, "0483") != 0)
		return false;
	if (strcmp(pid, "df11") == 0)
		return true;
	return strcmp(pid, "5740") == 0 && read_attribute(c, device, "manufacturer", maker) &&
	       strcmp(maker, "Bitcraze AB") == 0;
}

/*
 * The node's owner is the service's user (or it is open to all), and the device does not go to
 * sleep.
 */
static void
check_device(struct checks *c, const char *device)
{
	char bus[VALUE_MAX], number[VALUE_MAX], control[VALUE_MAX], path[PATH_TEXT_MAX], fix[256];
	struct stat st;

	if (!read_attribute(c, device, "busnum", bus) ||
	    !read_attribute(c, device, "devnum", number))
		return;
	make_path(c, path, "/dev/bus/usb/%03d/%03d", atoi(bus), atoi(number));
	if (stat(path, &st) != 0)
		add(c, "node", "fail", "sudo udevadm trigger --subsystem-match=usb",
		    "%s: the device on %s has no node", path, device);
	else if (st.st_uid == 0 && (st.st_mode & 0002) == 0)
		add(c, "node", "fail",
		    "sudo udevadm control --reload && sudo udevadm trigger --subsystem-match=usb",
		    "%s: the device on %s belongs to root: the udev rule was not applied", path,
		    device);
	else
		add(c, "node", "ok", NULL, "the device on %s is the service's", device);
	if (read_attribute(c, device, "power/control", control) && strcmp(control, "auto") == 0) {
		snprintf(fix, sizeof(fix),
			 "echo on | sudo tee /sys/bus/usb/devices/%.64s/power/control", device);
		add(c, "autosuspend", "warn", fix, "the device on %s may be put to sleep", device);
	}
}

static void
check_devices(struct checks *c)
{
	char path[PATH_TEXT_MAX];
	struct dirent **names = NULL;
	int count, ours = 0;

	make_path(c, path, "/sys/bus/usb/devices");
	count = scandir(path, &names, NULL, versionsort);
	for (int i = 0; i < count; i++) {
		if (strchr(names[i]->d_name, ':') == NULL && is_ours(c, names[i]->d_name)) {
			check_device(c, names[i]->d_name);
			ours++;
		}
		free(names[i]);
	}
	free(names);
	if (count < 0)
		add(c, "usb", "fail", NULL, "this machine has no USB");
	else if (ours == 0)
		add(c, "usb", "ok", NULL, "no drone is plugged in");
}

void
checks_run(const char *root, bool service_answers, json_t *list)
{
	struct checks c = { .root = root, .list = list };

	check_service(&c, service_answers);
	check_other_programs(&c);
	check_rule(&c);
	check_devices(&c);
}
