/* SPDX-License-Identifier: MIT */
/*
 * One device of the world spoken to in the USB/IP wire format, as the kernel's vhci_hcd speaks it
 * (kernel documentation usbip_protocol): 48-byte big-endian headers, CMD_SUBMIT 1, CMD_UNLINK 2,
 * RET_SUBMIT 3, RET_UNLINK 4.
 *
 * Requests queue per endpoint.  Control, bulk 0x01 and 0x81 go to the drone; the CDC function's
 * data endpoint swallows what is sent to it, its IN endpoints never have anything.
 */
#ifndef SIM_USBIP_H
#define SIM_USBIP_H

#include <stdint.h>

#include "cfdfu/usb_port.h"
#include "cfdfu/util.h"

struct event_base;
struct live;
struct usbip;

#define USBIP_URBS_MAX 128	      /* LIMIT: on one device; cdc_acm alone queues 17 */
#define USBIP_TRANSFER_MAX (1U << 20) /* LIMIT: in one request */

/*
 * Takes fd over.  id: the world's handle, open already.  on_broken: the other end hung up or spoke
 * nonsense; called from the loop, the device may be freed in it.  0 or negative errno.
 */
int usbip_new(struct event_base *base, struct live *live, uint64_t id, int fd,
	      void (*on_broken)(void *ctx), void *ctx, struct usbip **ret_usbip) MUST_CHECK;
/* Closes the connection: to the kernel this is the unplugging.  NULL is fine. */
void usbip_free(struct usbip *u);

/* The world's ended() for this handle. */
void usbip_ended(struct usbip *u, enum usb_xfer_kind kind, enum usb_status status,
		 const uint8_t *data, size_t length);

#endif
