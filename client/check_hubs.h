/* SPDX-License-Identifier: MIT */
/* Checks of how the drones that are plugged in are spread, and how fast Linux enumerates them. */
#ifndef CLIENT_CHECK_HUBS_H
#define CLIENT_CHECK_HUBS_H

#include "client/machine.h"

/*
 * More than 16 drones on one host controller: a warning, with the other controllers there are.
 * FAST_ENUM, bit 1 of a hub port's "quirks" (Linux, Documentation/ABI/testing/sysfs-bus-usb): set
 * or not on the ports of several drones, with the command that changes it.  See doc/rack.md 5.
 */
void check_hubs(const struct machine *m);

#endif
