/* SPDX-License-Identifier: MIT */
/* Work on a usbfs node, through libusb. */
#include "config.h"

#include "usb/node.h"

#include "usb/descriptors.h"

#include <libusb.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CONFIGURATIONS_AT 17 /* USB 2.0, table 9-8: bNumConfigurations */

static int
errno_of(int usb_error)
{
	switch (usb_error) {
	case LIBUSB_SUCCESS:
		return 0;
	case LIBUSB_ERROR_NO_DEVICE:
		return -ENODEV;
	case LIBUSB_ERROR_ACCESS:
		return -EACCES;
	case LIBUSB_ERROR_BUSY:
		return -EBUSY;
	case LIBUSB_ERROR_NO_MEM:
		return -ENOMEM;
	case LIBUSB_ERROR_NOT_FOUND:
		return -ENXIO; /* there is no interface 0 */
	default:
		return -EIO;
	}
}

static int
errno_of_open(int error)
{
	if (error == EPERM)
		return -EACCES; /* the service's device policy, not the node's mode */
	if (error == ENXIO)
		return -ENODEV; /* the device went before its node */
	return -error;
}

static int
read_descriptors(struct node *n)
{
	int configuration = 0, r;
	size_t length = 0;
	ssize_t got;

	/* QUIRK: usbfs has holes in this file and skips over them, so the buffer is cleared first.
	 */
	memset(n->descriptors, 0, n->descriptors_max);
	if (lseek(n->fd, 0, SEEK_SET) < 0)
		return -errno;
	do {
		got = read(n->fd, n->descriptors + length, n->descriptors_max - length);
		if (got < 0)
			return -errno;
		length += (size_t)got;
	} while (got > 0 && length < n->descriptors_max);
	/* WHY only for several: the answer costs a request to the device. */
	if (n->descriptors[CONFIGURATIONS_AT] > 1 &&
	    libusb_get_configuration(n->handle, &configuration) < 0)
		configuration = 0;
	r = descriptors_select(n->descriptors, length, (uint8_t)configuration);
	if (r < 0)
		return r;
	n->descriptors_length = (size_t)r;
	return 0;
}

/*
 * WHY: a device's number is free when it is gone, and others may have it before the word of that
 * comes: the opened device is asked where it is.  A kernel that cannot say (Linux before 5.2) is
 * believed.
 */
static int
see_port(const struct node *n)
{
	struct usbdevfs_conninfo_ex where = { .size = 0 };
	char port[NODE_TEXT_MAX];
	int used;

	if (ioctl(n->fd, USBDEVFS_CONNINFO_EX(sizeof(where)), &where) < 0)
		return errno == ENODEV ? -ENODEV : 0;
	if (where.num_ports == 0 || where.num_ports > sizeof(where.ports))
		return -ENODEV;
	used = snprintf(port, sizeof(port), "%u-%u", where.busnum, where.ports[0]);
	for (unsigned i = 1; i < where.num_ports; i++)
		used += snprintf(port + used, sizeof(port) - (size_t)used, ".%u", where.ports[i]);
	return strcmp(port, n->port) == 0 ? 0 : -ENODEV;
}

static void
run_open(struct worker_job *job)
{
	struct node *n = (struct node *)(void *)job;
	int r;

	n->fd = open(n->path, O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (n->fd < 0) {
		n->result = errno_of_open(errno);
		return;
	}
	n->result = see_port(n);
	if (n->result < 0)
		return;
	r = libusb_wrap_sys_device(n->usb, n->fd, &n->handle);
	if (r == LIBUSB_SUCCESS)
		r = libusb_claim_interface(n->handle, 0);
	n->result = r < 0 ? errno_of(r) : read_descriptors(n);
}

/*
 * WHY release and claim ourselves: libusb_reset_device() would claim again by detaching a driver
 * that bound itself in between, and we never detach one.
 */
static void
run_reset(struct worker_job *job)
{
	struct node *n = (struct node *)(void *)job;
	int r = libusb_release_interface(n->handle, 0);

	if (r == LIBUSB_SUCCESS)
		r = libusb_reset_device(n->handle);
	if (r == LIBUSB_SUCCESS)
		r = libusb_claim_interface(n->handle, 0);
	n->result = r == LIBUSB_ERROR_NOT_FOUND ? -ENODEV : errno_of(r);
}

static void
run_close(struct worker_job *job)
{
	struct node *n = (struct node *)(void *)job;

	(void)close(n->fd);
	n->fd = -1;
}

static void
on_worker_done(struct worker_job *job)
{
	struct node *n = (struct node *)(void *)job;

	n->busy = false;
	n->done(n);
}

static int
start(struct node *n, struct worker *w, void (*run)(struct worker_job *job))
{
	int r;

	assert(!n->busy);
	n->job = (struct worker_job){ .run = run, .done = on_worker_done };
	n->busy = true;
	r = worker_submit(w, &n->job);
	if (r < 0)
		n->busy = false;
	return r;
}

int
node_open(struct node *n, struct worker *w)
{
	return start(n, w, run_open);
}

int
node_reset(struct node *n, struct worker *w)
{
	return start(n, w, run_reset);
}

int
node_close(struct node *n, struct worker *w)
{
	assert(n->handle == NULL);
	return start(n, w, run_close);
}
