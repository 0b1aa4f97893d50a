/* SPDX-License-Identifier: MIT */
/* The kernel's USB as seen from /sys, /dev and /run. */
#include "config.h"

#include "usb/usbfs.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

/* LIMIT: doc/faults.md K6; each of 120 drones may have one transfer of 4 KiB in flight. */
#define MEMORY_MB_MIN 4

static bool
exists(const char *root, const char *path)
{
	char full[PATH_MAX];

	(void)snprintf(full, sizeof(full), "%s%s", root, path);
	return access(full, F_OK) == 0;
}

static long
read_long(const char *root, const char *path, long missing)
{
	char full[PATH_MAX], text[32];
	long n = missing;
	FILE *f;

	(void)snprintf(full, sizeof(full), "%s%s", root, path);
	f = fopen(full, "re");
	if (f == NULL)
		return missing;
	if (fgets(text, sizeof(text), f) != NULL)
		n = strtol(text, NULL, 10);
	(void)fclose(f); /* only read */
	return n;
}

static unsigned
count_buses(const char *root)
{
	char full[PATH_MAX];
	struct dirent *entry;
	unsigned count = 0;
	DIR *d;

	(void)snprintf(full, sizeof(full), "%s/sys/bus/usb/devices", root);
	d = opendir(full);
	if (d == NULL)
		return 0;
	while ((entry = readdir(d)) != NULL)
		count += strncmp(entry->d_name, "usb", 3) == 0 ? 1 : 0;
	(void)closedir(d); /* only read */
	return count;
}

void
usbfs_look(const char *root, struct usbfs_report *ret_report)
{
	ret_report->buses = count_buses(root);
	ret_report->has_nodes = exists(root, "/dev/bus/usb");
	ret_report->has_udev = exists(root, "/run/udev/control");
	ret_report->memory_mb =
	    read_long(root, "/sys/module/usbcore/parameters/usbfs_memory_mb", USBFS_UNKNOWN);
	ret_report->autosuspend = read_long(root, "/sys/module/usbcore/parameters/autosuspend", -1);
}

const char *
usbfs_trouble(const struct usbfs_report *report, const char **ret_mend)
{
	*ret_mend = NULL;
	if (report->buses == 0)
		return "This machine has no USB bus: no controller, no driver, or a container "
		       "without it.";
	if (!report->has_nodes)
		return "There is no /dev/bus/usb: devices cannot be opened (a container needs it "
		       "passed in).";
	if (!report->has_udev) {
		*ret_mend = "systemctl start systemd-udevd";
		return "udev does not run: nobody gives the nodes of drones to the station.";
	}
	if (report->memory_mb > 0 && report->memory_mb < MEMORY_MB_MIN) {
		*ret_mend = "echo 16 > /sys/module/usbcore/parameters/usbfs_memory_mb";
		return "The kernel allows too little memory for USB transfers.";
	}
	return NULL;
}
