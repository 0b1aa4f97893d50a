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
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define CONFIGURATIONS_AT 17 /* USB 2.0, table 9-8: bNumConfigurations */

#define KEPT_SHARE 8 /* LIMIT: an eighth of all descriptors is left for records and clients */

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

/*
 * WHY the kernel's limit and none of ours: how many drones a station has is not known here.  A node
 * takes three descriptors: its own, and two of its context.
 */
static bool
is_one_too_many(int fd)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
	       (rlim_t)fd >= limit.rlim_cur - limit.rlim_cur / KEPT_SHARE;
}

static void
choose_no_discovery(void)
{
	/* Devices are found by udev.  It fails only where libusb was built without it. */
	(void)libusb_set_option(NULL, LIBUSB_OPTION_NO_DEVICE_DISCOVERY);
}

/*
 * LIMIT: a context takes one of the process's keys of threads (PTHREAD_KEYS_MAX, 1,024), and libusb
 * asserts that there is one: tried first, by one thread at a time.
 */
static int
make_context(struct node *n)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
	pthread_key_t spare;
	int r = -EMFILE;

	/* WHY once, and before the first context: later it would be told to one of the others. */
	(void)pthread_once(&once, choose_no_discovery);
	(void)pthread_mutex_lock(&one_at_a_time);
	if (pthread_key_create(&spare, NULL) == 0) {
		(void)pthread_key_delete(spare);
		r = errno_of(libusb_init(&n->usb));
	}
	(void)pthread_mutex_unlock(&one_at_a_time);
	return r;
}

/* libusb has asked the device when it took it over; 0 when that is not known. */
static uint8_t
active_configuration(const struct node *n)
{
	struct libusb_config_descriptor *config;
	uint8_t value;

	if (libusb_get_active_config_descriptor(libusb_get_device(n->handle), &config) < 0)
		return 0;
	value = config->bConfigurationValue;
	libusb_free_config_descriptor(config);
	return value;
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
	if (n->descriptors[CONFIGURATIONS_AT] > 1)
		configuration = active_configuration(n);
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

/* WHY the bytes are read besides: libusb gives descriptors in its own structures alone. */
static int
take_over(struct node *n)
{
	int r = make_context(n);

	if (r < 0)
		return r;
	r = libusb_wrap_sys_device(n->usb, n->fd, &n->handle);
	if (r == LIBUSB_SUCCESS)
		r = libusb_claim_interface(n->handle, 0);
	return r < 0 ? errno_of(r) : read_descriptors(n);
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
		n->result = take_over(n);
}

/*
 * WHY released and claimed again: the kernel takes an interface from usbfs when it resets the port,
 * and claims it again at the next transfer only, with a warning.  libusb_reset_device() would claim
 * again by detaching a driver that bound itself in between, and none is ever detached here.
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
run_discard(struct worker_job *job)
{
	struct node *n = (struct node *)(void *)job;

	(void)ioctl(n->fd, USBDEVFS_DISCARDURB, n->urb); /* it has just ended: as well */
}

static void
run_close(struct worker_job *job)
{
	struct node *n = (struct node *)(void *)job;

	/* The context goes with its device, and with it all that libusb keeps of closed ones. */
	if (n->handle != NULL)
		libusb_close(n->handle);
	if (n->usb != NULL)
		libusb_exit(n->usb);
	n->handle = NULL;
	n->usb = NULL;
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
