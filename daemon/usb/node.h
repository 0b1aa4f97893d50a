/* SPDX-License-Identifier: MIT */
/* One usbfs node in the hands of a worker: opened and claimed, reset, closed.  Everything here may
 * wait. */
#ifndef USB_NODE_H
#define USB_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfdfu/util.h"
#include "usb/worker.h"

struct libusb_context;
struct libusb_device_handle;

#define NODE_TEXT_MAX 64

/* The worker's while busy, the loop's otherwise. */
struct node {
	struct worker_job job; /* the first member */
	void (*done)(struct node *node);
	bool busy;
	int result; /* of the last job: 0 or negative errno */
	struct libusb_context *usb;
	struct libusb_device_handle *handle; /* the loop closes it, before node_close() */
	int fd;
	char path[NODE_TEXT_MAX];
	char port[NODE_TEXT_MAX]; /* where the device was seen: "1-4.2" */
	uint8_t *descriptors;	  /* node_open() writes up to descriptors_max bytes there */
	size_t descriptors_max, descriptors_length;
};

/*
 * Each hands the node to a worker; done() follows from the loop.  0, or -EAGAIN when there is no
 * worker: then nothing has happened.
 *
 * Open: opens the path, sees that it is the device on the port, wraps it for libusb, claims
 * interface 0, reads the descriptors.  A failure may leave fd and handle open; the loop closes them
 * as usual. Reset: gives interface 0 back,
 * resets the port, claims again; -ENODEV when the device is another now. Close: closes fd, which
 * also releases the interface.  It has no result.
 */
int node_open(struct node *n, struct worker *w) MUST_CHECK;
int node_reset(struct node *n, struct worker *w) MUST_CHECK;
int node_close(struct node *n, struct worker *w) MUST_CHECK;

#endif
