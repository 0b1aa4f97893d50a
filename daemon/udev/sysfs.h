/* SPDX-License-Identifier: MIT */
/* One USB device as sysfs shows it (Documentation/ABI/testing/sysfs-bus-usb), and where in the tree
 * it sits. */
#ifndef UDEV_SYSFS_H
#define UDEV_SYSFS_H

#include <stdbool.h>

#include "cfdfu/watch.h"

#define SYSFS_USB_DEVICES "/sys/bus/usb/devices"

/* "1-4", "3-2.1": a device on a port; not "usb1" (a root hub), not "1-4:1.0" (an interface). */
bool sysfs_is_port(const char *name);

/*
 * Which enumeration the device on this port is; devices_fd is SYSFS_USB_DEVICES, opened.  0;
 * -ENOENT nothing is there; another negative errno.
 */
int sysfs_enumeration(int devices_fd, const char *port, uint64_t *ret_enumeration) MUST_CHECK;

/* False: the administrator has taken the device away, and left it on its port. */
bool sysfs_is_authorised(int devices_fd, const char *port);

/*
 * A sighting without its arrival and its strings, read from one enumeration only.  0; -ENOENT
 * nothing is there, or the device is not authorised; -EPROTO an attribute makes no sense; another
 * negative errno.
 */
int sysfs_read(int devices_fd, const char *port, struct sighting *ret_sighting,
	       uint64_t *ret_enumeration) MUST_CHECK;

/*
 * Adds manufacturer, product and serial; -ENOENT when it is not that enumeration any more.
 * WHY apart: these wait while the kernel configures or resets the device, up to seconds for a
 * silent one.
 */
int sysfs_read_strings(int devices_fd, uint64_t enumeration, struct sighting *s) MUST_CHECK;

#endif
