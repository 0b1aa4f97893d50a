/* SPDX-License-Identifier: MIT */
/*
 * One usbfs node in the hands of a worker: opened and claimed, reset, closed, its transfer taken
 * back. Everything here may wait.
 */
#ifndef USB_NODE_H
#define USB_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfdfu/util.h"
#include "usb/worker.h"

struct libusb_context;
struct libusb_device_handle;
struct usbdevfs_urb;

#define NODE_TEXT_MAX 64

/* The worker's while busy, the loop's otherwise. */
struct node {
	struct worker_job job; /* the first member */
	void (*done)(struct node *node);
	bool busy;
	int result; /* of the last job: 0 or negative errno */
	int fd;	    /* opened here and lent to libusb, which never closes it */
	struct libusb_context *usb;
	struct libusb_device_handle *handle;
	struct usbdevfs_urb *urb; /* of node_discard() */
	char path[NODE_TEXT_MAX];
	char port[NODE_TEXT_MAX]; /* where the device was seen: "1-4.2" */
	uint8_t *descriptors;	  /* node_open() writes up to descriptors_max bytes there */
	size_t descriptors_max, descriptors_length;
};

/*
 * Each hands the node to a worker; done() follows from the loop.  0, or -EAGAIN when there is no
 * worker: then nothing has happened.
 *
 * Open: opens the path, sees that it is the device on the port, claims interface 0, reads the
 * descriptors; -EMFILE also when few descriptors are left for the rest of the daemon.  A failure
 * may leave fd open; node_close() closes it as usual.  Reset: gives interface 0 back, resets the
 * port, claims again; -ENODEV when the device is another now.
 */
int node_open(struct node *n, struct worker *w) MUST_CHECK;
int node_reset(struct node *n, struct worker *w) MUST_CHECK;

/*
 * As these, but without a worker (or with w NULL) they are done here and now, and false is the
 * answer.  There is no result.
 *
 * Discard: takes the transfer back; when that was possible, or it had ended already, it is there to
 * be reaped.  Close: frees handle and context, closes fd, which also releases the interface and
 * ends a transfer for good.
 */
bool node_discard(struct node *n, struct worker *w, struct usbdevfs_urb *urb);
bool node_close(struct node *n, struct worker *w);

#endif
