/* SPDX-License-Identifier: MIT */
/* libusb's own descriptors in the loop: whichever of them is ready, one event is activated. */
#ifndef USB_POLLFDS_H
#define USB_POLLFDS_H

#include "cfdfu/util.h"

struct event;
struct event_base;
struct libusb_context;
struct pollfds;

/* usb: made with libusb_init(), outlives this.  ready: activated once however many descriptors are
 * ready; borrowed. */
int pollfds_new(struct event_base *base, struct libusb_context *usb, struct event *ready,
		struct pollfds **ret_pollfds) MUST_CHECK;
void pollfds_free(struct pollfds *p); /* NULL is fine */

/*
 * Takes over what libusb added and removed since the last time; cheap when that is nothing.  To be
 * called after everything that may have changed it: handling events, opening, closing.
 */
void pollfds_follow(struct pollfds *p);

/* Before fd is closed, whatever libusb says about it. */
void pollfds_forget(struct pollfds *p, int fd);

#endif
