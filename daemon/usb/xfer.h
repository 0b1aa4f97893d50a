/* SPDX-License-Identifier: MIT */
/* One struct usb_xfer in libusb's terms, and back. */
#ifndef USB_XFER_H
#define USB_XFER_H

#include <libusb.h>

#include <stdbool.h>
#include <stddef.h>

#include "cfdfu/usb_port.h"

#define XFER_BUFFER_BYTES (LIBUSB_CONTROL_SETUP_SIZE + USB_TRANSFER_BYTES_MAX)

/* Lengths within the limits, data where data is needed, directions that agree, a timeout. */
bool xfer_is_sound(const struct usb_xfer *x);

/* Fills t, but for its callback, user data and handle; copies what is to be sent into buffer. */
void xfer_fill(const struct usb_xfer *x, struct libusb_transfer *t,
	       uint8_t buffer[XFER_BUFFER_BYTES]);

/* What an ended transfer brought: its status, and where in its buffer the received bytes are. */
enum usb_status xfer_status(const struct libusb_transfer *t, bool timed_out);
const uint8_t *xfer_received(const struct libusb_transfer *t, size_t *ret_length);

#endif
