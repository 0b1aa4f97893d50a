/* SPDX-License-Identifier: MIT */
/* Translation of transfers between the seam and libusb. */
#include "config.h"

#include "usb/xfer.h"

#include <errno.h>

bool
xfer_is_sound(const struct usb_xfer *want)
{
	bool in = want->kind == USB_BULK_IN;

	if (want->kind == USB_CONTROL)
		in = (want->setup.request_type & LIBUSB_ENDPOINT_IN) != 0;
	if (want->timeout_ms == 0)
		return false;
	if (want->kind == USB_RESET)
		return true;
	if (want->length > USB_TRANSFER_BYTES_MAX ||
	    (!in && want->length > 0 && want->data == NULL))
		return false;
	if (want->kind == USB_CONTROL)
		return want->length == want->setup.length;
	return ((want->endpoint & LIBUSB_ENDPOINT_IN) != 0) == in;
}

int
xfer_init(struct xfer *x, libusb_transfer_cb_fn ended, void *ctx)
{
	x->transfer = libusb_alloc_transfer(0);
	if (x->transfer == NULL)
		return -ENOMEM;
	x->transfer->callback = ended;
	x->transfer->user_data = ctx;
	return 0;
}

void
xfer_done(struct xfer *x)
{
	libusb_free_transfer(x->transfer);
}

void
xfer_begin(struct xfer *x)
{
	x->current ^= 1;
	x->data = NULL;
	x->length = 0;
}

static void
fill(struct libusb_transfer *t, const struct usb_xfer *want, uint8_t *buffer)
{
	bool is_control = want->kind == USB_CONTROL;
	uint8_t *data = is_control ? buffer + LIBUSB_CONTROL_SETUP_SIZE : buffer;
	const struct usb_setup *s = &want->setup;

	if (is_control)
		libusb_fill_control_setup(buffer, s->request_type, s->request, s->value, s->index,
					  s->length);
	if (want->data != NULL && want->length > 0)
		memcpy(data, want->data, want->length);
	t->type = is_control ? LIBUSB_TRANSFER_TYPE_CONTROL : LIBUSB_TRANSFER_TYPE_BULK;
	t->endpoint = is_control ? 0 : want->endpoint;
	t->timeout = 0; /* the caller's timer */
	t->buffer = buffer;
	t->length = (int)(want->length + (size_t)(data - buffer));
}

int
xfer_submit(struct xfer *x, const struct usb_xfer *want, struct libusb_device_handle *handle)
{
	int r;

	fill(x->transfer, want, x->buffers[x->current]);
	x->transfer->dev_handle = handle;
	errno = 0;
	r = libusb_submit_transfer(x->transfer);
	if (r == LIBUSB_SUCCESS)
		return 0;
	if (r == LIBUSB_ERROR_NO_DEVICE)
		return -ENODEV;
	/* QUIRK: libusb 1.0.26 calls a full usbfs memory pool an I/O error; the kernel's word is
	 * still there. */
	x->status = r == LIBUSB_ERROR_NO_MEM || errno == ENOMEM ? USB_NOMEM : USB_IO;
	return -EIO;
}

static enum usb_status
status_of(const struct libusb_transfer *t, bool timed_out)
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

void
xfer_take_result(struct xfer *x, bool timed_out)
{
	const struct libusb_transfer *t = x->transfer;
	bool is_control = t->type == LIBUSB_TRANSFER_TYPE_CONTROL;
	uint8_t direction = is_control ? t->buffer[0] : t->endpoint;

	x->status = status_of(t, timed_out);
	if ((direction & LIBUSB_ENDPOINT_IN) == 0 || t->actual_length <= 0)
		return;
	x->length = (size_t)t->actual_length;
	x->data = is_control ? t->buffer + LIBUSB_CONTROL_SETUP_SIZE : t->buffer;
}
