/* SPDX-License-Identifier: MIT */
/* libusb in the event loop: its context, and one event for all of its descriptors. */
#ifndef USB_CONTEXT_H
#define USB_CONTEXT_H

#include <stdbool.h>

#include "cfdfu/util.h"

struct context;
struct event_base;
struct libusb_context;

/* handled: called outside of libusb after its events were handled.  0; -ENOMEM; -ENOENT when this
 * machine has no usbfs: then there is no node either. */
int context_new(struct event_base *base, void (*handled)(void *ctx), void *ctx,
		struct context **ret_context) MUST_CHECK;
void context_free(struct context *c); /* NULL is fine */

struct libusb_context *context_usb(const struct context *c);

/* Handles what is ready, for as long as wait_ms when nothing is. */
void context_handle(struct context *c, unsigned wait_ms);

/*
 * Takes over what libusb added and removed since the last time; cheap when that is nothing.  To be
 * called after everything that may have changed it: opening, closing.
 */
void context_follow(struct context *c);

/* Forgets fd, which is to be closed, even if libusb still lists it. */
void context_forget(struct context *c, int fd);

#endif
