/* SPDX-License-Identifier: MIT */
/* Translation of transfers between the seam and libusb. */
#include "config.h"

#include "usb/xfer.h"

bool
xfer_is_sound(const struct usb_xfer *x)
{
	bool in = x->kind == USB_BULK_IN;

	if (x->kind == USB_CONTROL)
		in = (x->setup.request_type & LIBUSB_ENDPOINT_IN) != 0;
	if (x->timeout_ms == 0)
		return false;
	if (x->kind == USB_RESET)
		return true;
	if (x->length > USB_TRANSFER_BYTES_MAX || (!in && x->length > 0 && x->data == NULL))
		return false;
	if (x->kind == USB_CONTROL)
		return x->length == x->setup.length;
	return ((x->endpoint & LIBUSB_ENDPOINT_IN) != 0) == in;
}

void
xfer_fill(const struct usb_xfer *x, struct libusb_transfer *t, uint8_t buffer[XFER_BUFFER_BYTES])
{
	bool is_control = x->kind == USB_CONTROL;
	uint8_t *data = is_control ? buffer + LIBUSB_CONTROL_SETUP_SIZE : buffer;
	const struct usb_setup *s = &x->setup;

	if (is_control)
		libusb_fill_control_setup(buffer, s->request_type, s->request, s->value, s->index,
					  s->length);
	if (x->data != NULL && x->length > 0)
		memcpy(data, x->data, x->length);
	t->type = is_control ? LIBUSB_TRANSFER_TYPE_CONTROL : LIBUSB_TRANSFER_TYPE_BULK;
	t->endpoint = is_control ? 0 : x->endpoint;
	t->timeout = 0; /* the caller's timer */
	t->buffer = buffer;
	t->length = (int)(x->length + (size_t)(data - buffer));
}

enum usb_status
xfer_status(const struct libusb_transfer *t, bool timed_out)
{
	switch (t->status) {
	case LIBUSB_TRANSFER_COMPLETED:
		return USB_OK;
	case LIBUSB_TRANSFER_STALL:
		return USB_STALL;
	case LIBUSB_TRANSFER_TIMED_OUT:
		return USB_TIMEOUT;
	case LIBUSB_TRANSFER_CANCELLED:
		return timed_out ? USB_TIMEOUT : USB_IO;
	case LIBUSB_TRANSFER_NO_DEVICE:
		return USB_GONE;
	case LIBUSB_TRANSFER_OVERFLOW:
		return USB_OVERFLOW;
	case LIBUSB_TRANSFER_ERROR:
		return USB_IO;
	}
	return USB_IO; /* a status that libusb has yet to invent */
}

const uint8_t *
xfer_received(const struct libusb_transfer *t, size_t *ret_length)
{
	bool is_control = t->type == LIBUSB_TRANSFER_TYPE_CONTROL;
	uint8_t direction = is_control ? t->buffer[0] : t->endpoint;

	*ret_length = 0;
	if ((direction & LIBUSB_ENDPOINT_IN) == 0 || t->actual_length <= 0)
		return NULL;
	*ret_length = (size_t)t->actual_length;
	return is_control ? t->buffer + LIBUSB_CONTROL_SETUP_SIZE : t->buffer;
}
