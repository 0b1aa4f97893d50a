/* SPDX-License-Identifier: MIT */
/* The system calls on usbfs nodes, ours and libusb's, answered from memory. */
#undef _FORTIFY_SOURCE /* its inline open() and read() are in the way of ours */
#include "config.h"

#include "fake_usbfs.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <linux/fcntl.h>
#include <linux/usbdevice_fs.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PIPE_BYTES 4096

int open(const char *path, int flags, ...);

static struct fake_device devices[FAKE_DEVICES_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t released = PTHREAD_COND_INITIALIZER;
static bool misused;
static atomic_uint ioctls, waits;

static long
sys_close(int fd)
{
	return syscall(SYS_close, fd);
}

void
fake_reset(void)
{
	memset(devices, 0, sizeof(devices));
	misused = false;
}

struct fake_device *
fake_device(unsigned index)
{
	return &devices[index];
}

bool
fake_was_misused(void)
{
	return misused;
}

unsigned
fake_open_nodes(void)
{
	unsigned count = 0;

	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < FAKE_DEVICES_MAX; i++)
		count += devices[i].is_open ? 1 : 0;
	pthread_mutex_unlock(&lock);
	return count;
}

static struct fake_device *
by_fd(int fd)
{
	for (unsigned i = 0; i < FAKE_DEVICES_MAX; i++)
		if (devices[i].is_open && devices[i].write_end == fd)
			return &devices[i];
	return NULL;
}

/* TIME: that a device takes for a request. */
static void
take_ms(unsigned ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	if (ms > 0)
		(void)syscall(SYS_nanosleep, &ts, NULL); /* TIME: as above */
}

/* Until the test lets go of it: a time would have to be longer than any machine stands still. */
static void
wait_released(const struct fake_device *d, enum fake_hold what)
{
	pthread_mutex_lock(&lock);
	while (d->hold == what)
		pthread_cond_wait(&released, &lock);
	pthread_mutex_unlock(&lock);
}

void
fake_release(struct fake_device *d)
{
	pthread_mutex_lock(&lock);
	d->hold = FAKE_HOLD_NOTHING;
	pthread_cond_broadcast(&released);
	pthread_mutex_unlock(&lock);
}

unsigned
fake_opens(void)
{
	unsigned count = 0;

	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < FAKE_DEVICES_MAX; i++)
		count += devices[i].opens;
	pthread_mutex_unlock(&lock);
	return count;
}

/* Full: poll(2) says nothing.  Empty: POLLOUT. */
static void
set_writable(struct fake_device *d, bool writable)
{
	char bytes[PIPE_BYTES] = { 0 };

	if (d->read_end < 0)
		return;
	if (writable)
		(void)!syscall(SYS_read, d->read_end, bytes, sizeof(bytes));
	else
		(void)!syscall(SYS_write, d->write_end, bytes, sizeof(bytes));
}

static int
open_node(struct fake_device *d)
{
	int ends[2];

	wait_released(d, FAKE_HOLD_OPEN);
	if (d->open_errno != 0 || d->is_gone) {
		errno = d->is_gone ? ENODEV : d->open_errno;
		return -1;
	}
	if (syscall(SYS_pipe2, ends, O_NONBLOCK | O_CLOEXEC) < 0)
		return -1;
	(void)syscall(SYS_fcntl, ends[1], F_SETPIPE_SZ, PIPE_BYTES);
	pthread_mutex_lock(&lock);
	d->read_end = ends[0];
	d->write_end = ends[1];
	d->is_open = true;
	d->opens++;
	set_writable(d, false);
	pthread_mutex_unlock(&lock);
	return ends[1];
}

int
open(const char *path, int flags, ...)
{
	unsigned index;
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(args, mode_t) : 0;
	va_end(args);
	if (sscanf(path, FAKE_NODE, &index) == 1 && index < FAKE_DEVICES_MAX)
		return open_node(&devices[index]);
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int
close(int fd)
{
	struct fake_device *d;

	pthread_mutex_lock(&lock);
	d = by_fd(fd);
	if (d != NULL) {
		misused |= d->pending_count > 0;
		d->is_open = d->is_claimed = false;
		d->done_count = 0;
		if (d->read_end >= 0)
			(void)sys_close(d->read_end);
	}
	pthread_mutex_unlock(&lock);
	return (int)sys_close(fd);
}

/* As usbfs: the offset moves, the bytes come. */
ssize_t
read(int fd, void *buffer, size_t size)
{
	static _Thread_local size_t offset;
	static _Thread_local int last_fd = -1;
	struct fake_device *d;
	size_t n = 0;

	pthread_mutex_lock(&lock);
	d = by_fd(fd);
	if (d != NULL) {
		if (size == 0 || last_fd != fd)
			offset = 0;
		last_fd = fd;
		n = d->descriptors_length - offset < size ? d->descriptors_length - offset : size;
		if (n > 0)
			memcpy(buffer, d->descriptors + offset, n);
		offset += n;
		if (size == 0)
			last_fd = -1;
	}
	pthread_mutex_unlock(&lock);
	return d != NULL ? (ssize_t)n : syscall(SYS_read, fd, buffer, size);
}

off_t
lseek(int fd, off_t offset, int whence)
{
	bool ours;

	pthread_mutex_lock(&lock);
	ours = by_fd(fd) != NULL;
	pthread_mutex_unlock(&lock);
	if (!ours)
		return syscall(SYS_lseek, fd, offset, whence);
	(void)!read(fd, NULL, 0); /* rewinds */
	return 0;
}

/* libusb looks whether there is any. */
DIR *
opendir(const char *name)
{
	DIR *(*real)(const char *) = (DIR * (*)(const char *)) dlsym(RTLD_NEXT, "opendir");

	return real(strcmp(name, "/dev/bus/usb") == 0 ? "/proc" : name);
}

int
epoll_wait(int fd, struct epoll_event *events, int max, int timeout_ms)
{
	atomic_fetch_add(&waits, 1);
	return (int)syscall(SYS_epoll_pwait, fd, events, max, timeout_ms, NULL, 0);
}

unsigned
fake_ioctls(void)
{
	return atomic_load(&ioctls);
}

unsigned
fake_waits(void)
{
	return atomic_load(&waits);
}

/* ---- transfers ---- */

static struct fake_urb
remove_from(struct fake_urb *list, unsigned *count, unsigned at)
{
	struct fake_urb removed = list[at];

	for (; at + 1 < *count; at++)
		list[at] = list[at + 1];
	(*count)--;
	return removed;
}

static void
finish(struct fake_device *d, struct usbdevfs_urb *urb, int status, int actual_length)
{
	d->done[d->done_count++] = (struct fake_urb){ urb, status, actual_length };
	set_writable(d, true);
}

static int
submit(struct fake_device *d, struct usbdevfs_urb *urb)
{
	enum fake_answer answer = FAKE_COMPLETE;

	if (d->submit_errno != 0)
		return -d->submit_errno;
	misused |= d->pending_count + d->done_count > 0; /* one in flight */
	urb->status = 0;
	urb->actual_length = urb->buffer_length;
	if (urb->type == USBDEVFS_URB_TYPE_CONTROL)
		urb->actual_length -= 8;
	if (d->on_submit != NULL)
		answer = d->on_submit(d, urb);
	if (answer == FAKE_REFUSE)
		return -EINVAL;
	if (answer == FAKE_KEEP)
		d->pending[d->pending_count++] = (struct fake_urb){ .urb = urb };
	else
		finish(d, urb, urb->status, urb->actual_length);
	return 0;
}

static int
discard(struct fake_device *d, const struct usbdevfs_urb *urb)
{
	d->discards++;
	for (unsigned i = 0; i < d->pending_count; i++)
		if (d->pending[i].urb == urb) {
			finish(d, remove_from(d->pending, &d->pending_count, i).urb, -ENOENT, 0);
			return 0;
		}
	return -EINVAL;
}

static int
reap(struct fake_device *d, void **ret_urb)
{
	struct fake_urb ended;

	if (d->done_count == 0)
		return d->is_gone ? -ENODEV : -EAGAIN;
	ended = remove_from(d->done, &d->done_count, 0);
	ended.urb->status = ended.status;
	ended.urb->actual_length = ended.actual_length;
	*ret_urb = ended.urb;
	if (d->done_count == 0)
		set_writable(d, false);
	return 0;
}

void
fake_complete(struct fake_device *d, int status, int actual_length)
{
	pthread_mutex_lock(&lock);
	if (d->pending_count > 0)
		finish(d, remove_from(d->pending, &d->pending_count, 0).urb, status, actual_length);
	pthread_mutex_unlock(&lock);
}

void
fake_detach(struct fake_device *d)
{
	pthread_mutex_lock(&lock);
	d->is_gone = true;
	pthread_mutex_unlock(&lock);
}

void
fake_unplug(struct fake_device *d)
{
	while (d->pending_count > 0)
		fake_complete(d, -ESHUTDOWN, 0);
	pthread_mutex_lock(&lock);
	d->is_gone = true;
	if (d->is_open && d->read_end >= 0) {
		(void)sys_close(d->read_end);
		d->read_end = -1;
	}
	pthread_mutex_unlock(&lock);
}

static int
control(struct fake_device *d, struct usbdevfs_ctrltransfer *c)
{
	if (c->bRequest != 8) /* GET_CONFIGURATION is all that libusb asks by itself */
		return -EINVAL;
	d->configurations_asked++;
	if (d->configuration_ms >= c->timeout)
		return -ETIMEDOUT;
	*(uint8_t *)c->data = d->configuration != 0 ? d->configuration : d->descriptors[18 + 5];
	return 1;
}

static int
claim(struct fake_device *d, bool on)
{
	if (on && d->claim_errno != 0)
		return -d->claim_errno;
	d->claims += on ? 1 : 0;
	d->releases += on ? 0 : 1;
	d->is_claimed = on;
	return 0;
}

/* By index, as usb_rig.c has it, unless the test says something else. */
static int
say_where(const struct fake_device *d, struct usbdevfs_conninfo_ex *where)
{
	unsigned index = (unsigned)(d - devices);

	if (d->where_errno != 0)
		return -d->where_errno;
	*where = (struct usbdevfs_conninfo_ex){
		.size = sizeof(*where),
		.busnum = 9,
		.num_ports = d->port_count != 0 ? d->port_count : 2,
		.ports = { (uint8_t)(index / 100 + 1), (uint8_t)(index % 100 + 1) },
	};
	return 0;
}

static int
answer_ioctl(struct fake_device *d, unsigned long request, void *arg)
{
	if (request == USBDEVFS_REAPURBNDELAY)
		return reap(d, arg);
	if (d->is_gone)
		return -ENODEV;
	switch (request) {
	case USBDEVFS_CONNINFO_EX(sizeof(struct usbdevfs_conninfo_ex)):
		return say_where(d, arg);
	case USBDEVFS_CONTROL:
		return control(d, arg);
	case USBDEVFS_GET_CAPABILITIES:
		*(uint32_t *)arg =
		    USBDEVFS_CAP_REAP_AFTER_DISCONNECT | USBDEVFS_CAP_BULK_CONTINUATION;
		return 0;
	case USBDEVFS_CONNECTINFO:
		*(struct usbdevfs_connectinfo *)arg = (struct usbdevfs_connectinfo){ .devnum = 1 };
		return 0;
	case USBDEVFS_GET_SPEED:
		return 2; /* full */
	case USBDEVFS_CLAIMINTERFACE:
		return claim(d, true);
	case USBDEVFS_RELEASEINTERFACE:
		return claim(d, false);
	case USBDEVFS_DISCONNECT_CLAIM:
	case USBDEVFS_IOCTL:
		d->detaches++;
		return 0;
	case USBDEVFS_SUBMITURB:
		return submit(d, arg);
	case USBDEVFS_DISCARDURB:
		return discard(d, arg);
	case USBDEVFS_RESET:
		d->resets++;
		return -d->reset_errno;
	default:
		return -ENOTTY;
	}
}

int
ioctl(int fd, unsigned long request, ...)
{
	struct fake_device *d;
	unsigned wait = 0;
	va_list args;
	void *arg;
	int r;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	pthread_mutex_lock(&lock);
	d = by_fd(fd);
	if (d != NULL && request == USBDEVFS_CONTROL)
		wait = d->configuration_ms;
	if (d != NULL && request == USBDEVFS_RESET)
		wait = d->reset_ms;
	pthread_mutex_unlock(&lock);
	if (d == NULL)
		return (int)syscall(SYS_ioctl, fd, request, arg);
	if (request == USBDEVFS_CONTROL)
		wait_released(d, FAKE_HOLD_CONFIGURATION);
	atomic_fetch_add(&ioctls, 1);
	if (request == USBDEVFS_RESET)
		wait_released(d, FAKE_HOLD_RESET);
	if (request == USBDEVFS_DISCARDURB)
		wait_released(d, FAKE_HOLD_DISCARD);
	take_ms(wait);
	pthread_mutex_lock(&lock);
	r = answer_ioctl(d, request, arg);
	pthread_mutex_unlock(&lock);
	if (r >= 0)
		return r;
	errno = -r;
	return -1;
}
