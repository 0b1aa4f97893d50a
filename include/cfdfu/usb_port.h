/* SPDX-License-Identifier: MIT */
/*
 * The interface to the USB bus.  Two independent implementations (daemon/usb/usb_bus.c on libusb
 * and usbfs, tests/sim/port_sim.c on simulated drones) keep this contract.  One of them is linked
 * in; there is no table of functions.
 *
 * CONTRACT
 *  - Nothing here blocks.  No callback is ever called from inside a call of this interface: results
 *    are delivered from the event loop later, even when they are known at once.
 *  - One transfer in flight per device; usb_submit() on a device with one in flight is a bug
 *    (assert).
 *  - After usb_open() exactly one opened(); on error the id is forgotten right after it and nothing
 *    else follows.  After each accepted usb_submit() exactly one ended().  After usb_close() a
 *    transfer that is in flight is cancelled and NOT reported; exactly one closed() follows, then
 *    the id is free.
 *  - Callbacks may call into the seam.
 */
#ifndef CFDFU_USB_PORT_H
#define CFDFU_USB_PORT_H

#include <stddef.h>
#include <stdint.h>

#include "cfdfu/util.h"

struct event_base;
struct usb_bus;

#define USB_TRANSFER_BYTES_MAX 4096   /* LIMIT: largest wTransferSize (doc/faults.md H4) */
#define USB_DESCRIPTOR_BYTES_MAX 4096 /* LIMIT: device and configuration descriptor together */

/* How a transfer ended. */
enum usb_status {
	USB_OK = 0,
	USB_STALL,    /* the endpoint answered STALL (kernel: -EPIPE) */
	USB_TIMEOUT,  /* not finished within timeout_ms; cancelled */
	USB_IO,	      /* bus error: -EPROTO, -EILSEQ, -ETIME and anything unknown */
	USB_GONE,     /* device is not there any more */
	USB_OVERFLOW, /* device sent more than asked for */
	USB_NOMEM,    /* host could not queue it now (usbfs memory limit) */
	USB_STATUS_COUNT
};

enum usb_xfer_kind { USB_CONTROL, USB_BULK_OUT, USB_BULK_IN, USB_RESET };

/* USB 2.0, section 9.3. */
struct usb_setup {
	uint8_t request_type;
	uint8_t request;
	uint16_t value;
	uint16_t index;
	uint16_t length;
};

/*
 * One transfer.  Direction of a control transfer: bit 7 of setup.request_type.  data: bytes to
 * send, length of them, copied by usb_submit(); for IN transfers length is the most to receive.  A
 * control transfer's length equals setup.length.  timeout_ms > 0 always.
 * USB_RESET is a port reset: ended() with USB_OK, or USB_GONE when the device
 * did not come back as it was (a new sighting may follow).
 */
struct usb_xfer {
	enum usb_xfer_kind kind;
	uint8_t endpoint; /* bulk: address with direction bit */
	struct usb_setup setup;
	const uint8_t *data;
	uint32_t length;
	uint32_t timeout_ms;
};

struct usb_callbacks {
	/*
	 * error: 0 or negative errno: -EACCES node is not ours, -EBUSY interface is held by another
	 * program, -ENODEV gone, -ENOENT no node (yet), -EMFILE, -ENOMEM, other.  descriptors: the
	 * device descriptor (18 bytes) followed by the active configuration as the kernel read
	 * them, valid during the call; NULL on error.
	 */
	void (*opened)(void *ctx, uint64_t id, int error, const uint8_t *descriptors,
		       size_t length);
	/* data: bytes received by an IN transfer, valid during the call. */
	void (*ended)(void *ctx, uint64_t id, enum usb_status status, const uint8_t *data,
		      size_t length);
	void (*closed)(void *ctx, uint64_t id);
};

/* Both callback table and ctx are borrowed for the life of the bus.  0 or negative errno. */
int usb_bus_new(struct event_base *base, const struct usb_callbacks *cb, void *ctx,
		struct usb_bus **ret_bus) MUST_CHECK;

/* Closes what is open without callbacks; safe only outside callbacks.  NULL is fine. */
void usb_bus_free(struct usb_bus *bus);

/*
 * Opens the device at node ("/dev/bus/usb/001/004") and claims interface 0 - never another, never
 * detaching a kernel driver, never setting a configuration (doc/protocol.md 2.4).  id is the
 * caller's and names the device in every later call and callback.  port ("1-4.2") is where the
 * device was seen: when the node's number has passed to a device elsewhere, opened() says -ENODEV.
 * 0 or negative errno (then no callback).
 */
int usb_open(struct usb_bus *bus, uint64_t id, const char *node, const char *port) MUST_CHECK;

/* 0 accepted, or negative errno (then no ended()): -ENODEV, -ENOMEM, -EINVAL. */
int usb_submit(struct usb_bus *bus, uint64_t id, const struct usb_xfer *xfer) MUST_CHECK;

/* Cancels what is in flight, releases the interface, closes.  Unknown id: ignored. */
void usb_close(struct usb_bus *bus, uint64_t id);

#endif
