/* SPDX-License-Identifier: MIT */
/* Files of this machine below a root that tests can give, and what is found in them. */
#ifndef CLIENT_MACHINE_H
#define CLIENT_MACHINE_H

#include <jansson.h>
#include <stdbool.h>

#include "cfdfu/util.h"

#define MACHINE_PATH_MAX 512
#define MACHINE_VALUE_MAX 128

struct machine {
	const char *root; /* "" or a directory that stands for / */
	json_t *list;	  /* of findings, as the type Check of the interface */
};

struct finding {
	const char *name, *level; /* "udev-rule"; "ok", "warn", "fail" */
	const char *fix;	  /* a command, or NULL */
};

/* Appends it with its text, which is cut when it is long. */
void PRINTF_LIKE(3, 4)
    machine_found(const struct machine *m, struct finding f, const char *fmt, ...);

/* The root, then the text; cut when it is too long. */
void PRINTF_LIKE(3, 4)
    machine_path(const struct machine *m, char path[MACHINE_PATH_MAX], const char *fmt, ...);

/* The first line of a small file, without its end; false when there is none.  path: of the machine,
 * as machine_path() makes it. */
bool machine_line(const char *path, char value[MACHINE_VALUE_MAX]);

/* The first line of /sys/bus/usb/devices/DEVICE/NAME. */
bool machine_attribute(const struct machine *m, const char *device, const char *name,
		       char value[MACHINE_VALUE_MAX]);

/* Is this USB device, by its name in sysfs ("1-4.2"), a drone in either mode? */
bool machine_is_drone(const struct machine *m, const char *device);

#endif
