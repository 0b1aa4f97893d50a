/* SPDX-License-Identifier: MIT */
/* Work on a usbfs node (<linux/usbdevice_fs.h>). */
#include "config.h"

#include "usb/node.h"

#include "usb/descriptors.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define CONFIGURATIONS_AT 17 /* USB 2.0, table 9-8: bNumConfigurations */
#define GET_CONFIGURATION 8  /* table 9-4 */

#define KEPT_SHARE 8 /* LIMIT: an eighth of all descriptors is left for records and clients */

static int
errno_of_open(int error)
{
	if (error == EPERM)
		return -EACCES; /* the service's device policy, not the node's mode */
	if (error == ENXIO)
		return -ENODEV; /* the device went before its node */
	return -error;
}

/* WHY the kernel's limit and none of ours: how many drones a station has is not known here. */
static bool
is_one_too_many(int fd)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
	       (rlim_t)fd >= limit.rlim_cur - limit.rlim_cur / KEPT_SHARE;
}

static int
claim(const struct node *n)
{
	unsigned interface = 0;

	if (ioctl(n->fd, USBDEVFS_CLAIMINTERFACE, &interface) >= 0)
		return 0;
	switch (errno) {
	case ENOENT:
		return -ENXIO; /* there is no interface 0 */
	case EBUSY:
	case ENODEV:
	case ENOMEM:
		return -errno;
	default:
		return -EIO;
	}
}

/* The value of the active configuration, 0 when the device does not say it within a second. */
static uint8_t
ask_configuration(const struct node *n)
{
	uint8_t value = 0;
	struct usbdevfs_ctrltransfer get = { .bRequestType = 0x80, .bRequest = GET_CONFIGURATION };

	get.wLength = sizeof(value);
	get.timeout = 1000;
	get.data = &value;
	return ioctl(n->fd, USBDEVFS_CONTROL, &get) == 1 ? value : 0;
}

static int
read_descriptors(struct node *n)
{
	uint8_t configuration = 0;
	int r;
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
	if (n->descriptors[CONFIGURATIONS_AT] > 1)
		configuration = ask_configuration(n);
	r = descriptors_select(n->descriptors, length, configuration);
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

	n->fd = open(n->path, O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (n->fd < 0) {
		n->result = errno_of_open(errno);
		return;
	}
	n->result = is_one_too_many(n->fd) ? -EMFILE : see_port(n);
	if (n->result == 0)
		n->result = claim(n);
	if (n->result == 0)
		n->result = read_descriptors(n);
}

/*
 * WHY released and claimed again: the kernel takes an interface from usbfs when it resets the port,
 * and claims it again at the next transfer only, with a warning.  No driver is detached that bound
 * itself in between.
 */
static void
run_reset(struct worker_job *job)
{
	struct node *n = (struct node *)(void *)job;
	unsigned interface = 0;

	n->result = 0;
	if (ioctl(n->fd, USBDEVFS_RELEASEINTERFACE, &interface) < 0 ||
	    ioctl(n->fd, USBDEVFS_RESET, NULL) < 0)
		n->result = -errno;
	if (n->result == 0)
		n->result = claim(n);
}

static void
run_discard(struct worker_job *job)
{
	struct node *n = (struct node *)(void *)job;

	(void)ioctl(n->fd, USBDEVFS_DISCARDURB, n->urb); /* it has just ended: as well */
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

/* w: NULL when there is none any more. */
static int
start(struct node *n, struct worker *w, void (*run)(struct worker_job *job))
{
	int r;

	assert(!n->busy);
	n->job = (struct worker_job){ .run = run, .done = on_worker_done };
	n->busy = true;
	r = w == NULL ? -EAGAIN : worker_submit(w, &n->job);
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

bool
node_discard(struct node *n, struct worker *w, struct usbdevfs_urb *urb)
{
	n->urb = urb;
	if (start(n, w, run_discard) == 0)
		return true;
	run_discard(&n->job);
	return false;
}

bool
node_close(struct node *n, struct worker *w)
{
	if (start(n, w, run_close) == 0)
		return true;
	run_close(&n->job);
	return false;
}
