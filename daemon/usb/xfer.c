/* SPDX-License-Identifier: MIT */
/* Translation of transfers between the seam and usbfs (<linux/usbdevice_fs.h>). */
#include "config.h"

#include "usb/xfer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#define DIRECTION_IN 0x80 /* of an endpoint's address and of bmRequestType */
#define BLOCK_BYTES 2048  /* doc/protocol.md 1.1: wTransferSize of the ROM */
_Static_assert(2 * (XFER_SETUP_BYTES + BLOCK_BYTES) >= USB_DESCRIPTOR_BYTES_MAX, "xfer_init()");

bool
xfer_is_sound(const struct usb_xfer *want)
{
	bool in = want->kind == USB_BULK_IN;

	if (want->kind == USB_CONTROL)
		in = (want->setup.request_type & DIRECTION_IN) != 0;
	if (want->timeout_ms == 0)
		return false;
	if (want->kind == USB_RESET)
		return true;
	if (want->length > USB_TRANSFER_BYTES_MAX ||
	    (!in && want->length > 0 && want->data == NULL))
		return false;
	if (want->kind == USB_CONTROL)
		return want->length == want->setup.length;
	return ((want->endpoint & DIRECTION_IN) != 0) == in;
}

int
xfer_init(struct xfer *x)
{
	*x = (struct xfer){ .half = XFER_SETUP_BYTES + BLOCK_BYTES };
	x->buffers = malloc(2 * x->half);
	return x->buffers == NULL ? -ENOMEM : 0;
}

void
xfer_done(struct xfer *x)
{
	free(x->outgrown);
	free(x->buffers);
}

int
xfer_make_room(struct xfer *x, size_t bytes)
{
	size_t half = XFER_SETUP_BYTES + USB_TRANSFER_BYTES_MAX;
	uint8_t *buffers;

	assert(bytes <= half);
	if (bytes <= x->half)
		return 0;
	buffers = malloc(2 * half);
	if (buffers == NULL)
		return -ENOMEM;
	x->outgrown = x->buffers; /* it is NULL: this is done once in a life */
	x->buffers = buffers;
	x->half = half;
	return 0;
}

void
xfer_told(struct xfer *x)
{
	free(x->outgrown);
	x->outgrown = NULL;
}

int
xfer_begin(struct xfer *x, const struct usb_xfer *want)
{
	x->current ^= 1;
	x->data = NULL;
	x->length = 0;
	return want->kind == USB_RESET ? 0 : xfer_make_room(x, XFER_SETUP_BYTES + want->length);
}

static void
fill(struct xfer *x, const struct usb_xfer *want)
{
	bool is_control = want->kind == USB_CONTROL;
	uint8_t *buffer = x->buffers + x->current * x->half;
	uint8_t *data = is_control ? buffer + XFER_SETUP_BYTES : buffer;
	const struct usb_setup *s = &want->setup;

	if (is_control) {
		buffer[0] = s->request_type;
		buffer[1] = s->request;
		put_le16(buffer + 2, s->value);
		put_le16(buffer + 4, s->index);
		put_le16(buffer + 6, s->length);
	}
	if (want->data != NULL && want->length > 0)
		memcpy(data, want->data, want->length);
	x->urb = (struct usbdevfs_urb){
		.type = is_control ? USBDEVFS_URB_TYPE_CONTROL : USBDEVFS_URB_TYPE_BULK,
		.endpoint = is_control ? 0 : want->endpoint,
		.buffer = buffer,
		.buffer_length = (int)(want->length + (size_t)(data - buffer)),
	};
}

int
xfer_submit(struct xfer *x, const struct usb_xfer *want, int fd)
{
	fill(x, want);
	if (ioctl(fd, USBDEVFS_SUBMITURB, &x->urb) >= 0)
		return 0;
	if (errno == ENODEV || errno == ESHUTDOWN)
		return -ENODEV;
	x->status = errno == ENOMEM ? USB_NOMEM : USB_IO;
	return -EIO;
}

/* Documentation/driver-api/usb/error-codes.rst */
static enum usb_status
status_of(int status, bool timed_out)
{
	switch (status) {
	case 0:
		return USB_OK;
	case -EPIPE:
		return USB_STALL;
	case -ENOENT: /* discarded */
	case -ECONNRESET:
		return timed_out ? USB_TIMEOUT : USB_IO;
	case -ENODEV:
	case -ESHUTDOWN:
		return USB_GONE;
	case -EOVERFLOW:
		return USB_OVERFLOW;
	default: /* -EPROTO, -EILSEQ, -ETIME, and what the kernel has yet to invent */
		return USB_IO;
	}
}

static void
take_result(struct xfer *x, bool timed_out)
{
	const struct usbdevfs_urb *u = &x->urb;
	const uint8_t *buffer = u->buffer;
	bool is_control = u->type == USBDEVFS_URB_TYPE_CONTROL;
	uint8_t direction = is_control ? buffer[0] : u->endpoint;

	x->status = status_of(u->status, timed_out);
	if ((direction & DIRECTION_IN) == 0 || u->actual_length <= 0)
		return;
	if (is_control && u->status != 0)
		return; /* a part of an answer is none */
	x->length = (size_t)u->actual_length;
	x->data = is_control ? buffer + XFER_SETUP_BYTES : buffer;
}

int
xfer_reap(struct xfer *x, int fd, bool timed_out)
{
	void *urb = NULL;

	if (ioctl(fd, USBDEVFS_REAPURBNDELAY, &urb) < 0)
		return -errno;
	assert(urb == &x->urb); /* the only one in flight */
	take_result(x, timed_out);
	return 0;
}
