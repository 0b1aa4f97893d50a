/* SPDX-License-Identifier: MIT */
/* The place of a port that does not change with the numbers of buses, as udev's ID_PATH has it. */
#ifndef UDEV_PATH_H
#define UDEV_PATH_H

#include <stdbool.h>

#include "cfdfu/watch.h"

#define PATH_PARENTS_MAX 32 /* LIMIT: seven tiers of USB, and bridges of PCI above them */

/* A device of sysfs.  Either may be NULL. */
struct path_parent {
	const char *subsystem, *sysname;
};

/*
 * SPEC: systemd, src/udev/udev-builtin-path_id.c: builtin_path_id(), handle_usb() and
 * skip_subsystem().  Of devices in a row that belong to one subsystem the lowest counts; of USB the
 * port without its bus ("usb-0:4.2"); before it what carries it: pci, platform, acpi, xen.  Newer
 * versions set ID_PATH so, too, and ID_PATH_WITH_USB_REVISION with "usbv2" in place of "usb".
 *
 * parents: the device itself first.  False, and "": nothing above has a name that lasts.
 */
bool path_compose(const struct path_parent *parents, size_t count, const char *port,
		  char ret_path[PATH_TEXT_MAX]) MUST_CHECK;

/*
 * The path of a port from that of another one of its bus, which path_compose() gave: only the chain
 * of ports at the end differs.  False, and "": path is none, or the port's would be too long.
 */
bool path_beside(const char *path, const char *port, char ret_path[PATH_TEXT_MAX]) MUST_CHECK;

#endif
