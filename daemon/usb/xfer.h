/* SPDX-License-Identifier: MIT */
/* One transfer at a time of one device: struct usb_xfer in usbfs' terms, and back. */
#ifndef USB_XFER_H
#define USB_XFER_H

#include <linux/usbdevice_fs.h>

#include <stdbool.h>

#include "cfdfu/usb_port.h"

#define XFER_SETUP_BYTES 8 /* USB 2.0, section 9.3: in front of a control transfer's data */

/*
 * Two buffers back to back, of half bytes each.
 * WHY two: a callback may submit while it still reads what came.
 * WHY as large as the F405's blocks from the beginning: nothing may be missing after an erase.
 */
struct xfer {
	uint8_t *buffers, *outgrown; /* outgrown: a callback may still read it */
	size_t half;
	unsigned current; /* the one last used */
	/* How it ended: */
	enum usb_status status;
	const uint8_t *data; /* received, in the current buffer, or NULL */
	size_t length;
	struct usbdevfs_urb urb; /* the last: C has it that way, it ends in an empty array */
};

/* 0 or -ENOMEM.  Both buffers together hold descriptors of USB_DESCRIPTOR_BYTES_MAX. */
int xfer_init(struct xfer *x) MUST_CHECK;
void xfer_done(struct xfer *x);

/* Lengths within the limits, data where data is needed, directions that agree, a timeout. */
bool xfer_is_sound(const struct usb_xfer *want);

/* Each buffer then holds so many bytes; what was in them stays until xfer_told().  0 or -ENOMEM. */
int xfer_make_room(struct xfer *x, size_t bytes) MUST_CHECK;

/* The callback is back: what was outgrown is read no more. */
void xfer_told(struct xfer *x);

/* Nothing was received yet, into the other buffer; that is large enough. 0 or -ENOMEM. */
int xfer_begin(struct xfer *x, const struct usb_xfer *want) MUST_CHECK;

/* fd: the node.  Copies what is sent.  0: to be reaped; -ENODEV; -EIO: status says why it did not
 * start. */
int xfer_submit(struct xfer *x, const struct usb_xfer *want, int fd) MUST_CHECK;

/* Takes the transfer back: status, data and length, 0; -EAGAIN or -ENODEV when the kernel still has
 * it. */
int xfer_reap(struct xfer *x, int fd, bool timed_out) MUST_CHECK;

#endif
