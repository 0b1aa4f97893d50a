/* SPDX-License-Identifier: MIT */
/* One transfer at a time of one device: struct usb_xfer in libusb's terms, and back. */
#ifndef USB_XFER_H
#define USB_XFER_H

#include <libusb.h>

#include <stdbool.h>

#include "cfdfu/usb_port.h"

#define XFER_BUFFER_BYTES (LIBUSB_CONTROL_SETUP_SIZE + USB_TRANSFER_BYTES_MAX)

struct xfer {
	struct libusb_transfer *transfer;
	/*
	 * WHY two, and here: a callback may submit while it still reads what came; and nothing may
	 * be missing after an erase.
	 */
	uint8_t buffers[2][XFER_BUFFER_BYTES];
	unsigned current; /* the one last used */
	/* How it ended: */
	enum usb_status status;
	const uint8_t *data; /* received, in the current buffer, or NULL */
	size_t length;
};

/* 0 or -ENOMEM. */
int xfer_init(struct xfer *x, libusb_transfer_cb_fn ended, void *ctx) MUST_CHECK;
void xfer_done(struct xfer *x);

/* Lengths within the limits, data where data is needed, directions that agree, a timeout. */
bool xfer_is_sound(const struct usb_xfer *want);

/* Nothing was received yet, into the other buffer. */
void xfer_begin(struct xfer *x);

/* Copies what is sent.  0: ended() follows; -ENODEV; -EIO: status says why it did not start. */
int xfer_submit(struct xfer *x, const struct usb_xfer *want,
		struct libusb_device_handle *handle) MUST_CHECK;

/* From ended(): status, data and length. */
void xfer_take_result(struct xfer *x, bool timed_out);

#endif
