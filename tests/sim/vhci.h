/* SPDX-License-Identifier: MIT */
/* The kernel's virtual host controllers: which port a port path means, plugging a socket in. */
#ifndef SIM_VHCI_H
#define SIM_VHCI_H

#include <stdint.h>

#include "cfdfu/util.h"

#define VHCI_CONTROLLERS_MAX 16

struct vhci {
	unsigned controllers;
	unsigned ports;			    /* of one high-speed root hub */
	unsigned bus[VHCI_CONTROLLERS_MAX]; /* number of the high-speed bus */
	char attach_path[64];
};

/* Looks around below directory ("/sys/devices/platform").  0, -ENODEV without vhci_hcd. */
int vhci_find(const char *directory, struct vhci *ret_vhci) MUST_CHECK;

/* "3-15" -> the number that attach wants.  -EINVAL: not a port of these controllers. */
int vhci_port_number(const struct vhci *v, const char *port) MUST_CHECK;

/* Plugs the device behind fd in, at full speed.  -EBUSY: the port is not free again yet. */
int vhci_attach(const struct vhci *v, unsigned number, int fd, uint32_t device_id) MUST_CHECK;

#endif
