/* SPDX-License-Identifier: MIT */
/* Can this machine do USB at all?  For the operator who asks why nothing happens. */
#ifndef USB_USBFS_H
#define USB_USBFS_H

#include <stdbool.h>

#include "cfdfu/util.h"

#define USBFS_UNKNOWN (-1)

struct usbfs_report {
	unsigned buses; /* USB buses of the kernel; 0: no driver, no hardware, or not in this
			   container */
	bool has_nodes; /* /dev/bus/usb exists */
	bool has_udev;	/* udevd runs; without it nodes belong to root alone */
	long memory_mb; /* for all transfers of all programs together; 0 no limit; or USBFS_UNKNOWN
			 */
	long autosuspend; /* seconds until an idle device is put to sleep; negative never */
};

/* root: "" for this machine. */
void usbfs_look(const char *root, struct usbfs_report *ret_report);

/*
 * What is wrong, as a sentence for the operator, and the command that mends it (NULL when there is
 * none); NULL when nothing is.  Both static.
 */
const char *usbfs_trouble(const struct usbfs_report *report, const char **ret_mend);

#endif
