/* SPDX-License-Identifier: MIT */
/*
 * The sighting seam on libudev and sysfs.
 *
 * An event of udev's is only a hint to look at a port; what counts is what sysfs shows there now.
 * So it does not matter how often an event comes, in which order, or whether it was lost:
 * everything is looked at again every few seconds, and at once when the socket overflowed
 * (doc/faults.md K1, K2; doc/protocol.md 10, row 28).
 */
#include "config.h"

#include "cfdfu/watch.h"

#include "cfdfu/dfu.h"
#include "cfdfu/system.h"
#include "udev/path.h"
#include "udev/port_table.h"
#include "udev/sysfs.h"

#include <event2/event.h>
#include <libudev.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>

#define RECEIVE_BYTES (128 * 1024 * 1024) /* asked for; without privilege the kernel gives less */
#define EVENTS_AT_ONCE_MAX 64		  /* LIMIT: one wake-up; the rest comes with the next */
#define KINDS_MAX 32			  /* LIMIT: VID:PID pairs, the two of ours included */
#define BUSES_MAX 32			  /* LIMIT: remembered; of others the path is asked again */
#define RECONCILE_MS 3000
/* WHY so seldom: udev says when it is through; this is for an event that was lost. */
#define UNREADY_MS 500
#define ACCESS_WAIT_US 2000000 /* doc/faults.md U16: then the opener may find out */
#define UDEVD_SOCKET "/run/udev/control"

struct kind {
	uint16_t vid, pid;
};

/* A bus whose place is known, by a port of it. */
struct bus {
	char controller[PORT_TEXT_MAX];
	uint64_t enumeration;
	char path[PATH_TEXT_MAX];
};

struct watch {
	const struct watch_callbacks *cb;
	void *ctx;
	struct udev *udev;
	struct udev_monitor *monitor;
	struct event *readable;
	struct event *tick;
	struct port_table *ports;
	struct kind kinds[KINDS_MAX];
	size_t kind_count;
	struct bus buses[BUSES_MAX];
	unsigned buses_asked;
	uint64_t next_scan_us;
	char ready_node[64]; /* the one that the event in hand says udev is through with; else "" */
};

static uint64_t
now_us(void)
{
	return (uint64_t)clock_us(CLOCK_BOOTTIME);
}

static bool
is_ours(const struct watch *w, const struct sighting *s)
{
	for (size_t i = 0; i < w->kind_count; i++)
		if (w->kinds[i].vid == s->vid && w->kinds[i].pid == s->pid)
			return true;
	return false;
}

/* udev has applied its rules, or does not run (a container). */
static bool
is_initialised(struct watch *w, const struct sighting *s)
{
	struct udev_device *d;
	bool answer;

	if (strcmp(w->ready_node, s->node) == 0 || access(UDEVD_SOCKET, F_OK) < 0)
		return true;
	d = udev_device_new_from_subsystem_sysname(w->udev, "usb", s->port);
	if (d == NULL)
		return false;
	answer = udev_device_get_is_initialized(d) > 0;
	udev_device_unref(d);
	return answer;
}

static enum found
judge(struct watch *w, const struct sighting *s, uint64_t now)
{
	if (!is_ours(w, s))
		return FOUND_OTHER;
	if (!is_initialised(w, s))
		return FOUND_UNREADY;
	if (access(s->node, R_OK | W_OK) < 0 &&
	    now - port_table_unready_since(w->ports, s->port, now) < ACCESS_WAIT_US)
		return FOUND_UNREADY;
	return FOUND_OURS;
}

/* WHY not the property: udev sets it for every USB device only in newer versions. */
static bool
ask_path(struct watch *w, struct sighting *s)
{
	struct udev_device *d = udev_device_new_from_subsystem_sysname(w->udev, "usb", s->port);
	struct path_parent parents[PATH_PARENTS_MAX];
	size_t count = 0;
	bool has_path;

	/* A parent is its child's: it lives as long. */
	for (struct udev_device *p = d; p != NULL && count < PATH_PARENTS_MAX;
	     p = udev_device_get_parent(p))
		parents[count++] = (struct path_parent){ udev_device_get_subsystem(p),
							 udev_device_get_sysname(p) };
	has_path = path_compose(parents, count, s->port, s->path);
	udev_device_unref(d);
	return has_path;
}

/* Asks once for each bus: libudev opens every directory above the device, and above each of its
 * parents again, some hundred system calls in all. */
static void
find_path(struct watch *w, int devices_fd, struct sighting *s)
{
	struct bus *b;
	uint64_t enumeration;
	int r = sysfs_enumeration(devices_fd, s->controller, &enumeration);

	for (size_t i = 0; r == 0 && i < BUSES_MAX; i++) {
		b = &w->buses[i];
		if (b->enumeration == enumeration && strcmp(b->controller, s->controller) == 0 &&
		    path_beside(b->path, s->port, s->path))
			return;
	}
	if (!ask_path(w, s) || r < 0)
		return;
	b = &w->buses[w->buses_asked++ % BUSES_MAX];
	b->enumeration = enumeration;
	copy_text(b->controller, sizeof(b->controller), s->controller);
	copy_text(b->path, sizeof(b->path), s->path);
}

static void
report(struct watch *w, const char *port, enum found found, uint64_t enumeration,
       struct sighting *s)
{
	struct port_change change;

	/* No memory: the next scan finds the same difference. */
	if (port_table_note(w->ports, port, found, enumeration, now_us(), &change) < 0)
		return;
	if (change.gone_arrival != 0)
		w->cb->gone(w->ctx, port, change.gone_arrival);
	if (change.new_arrival != 0) {
		s->arrival = change.new_arrival;
		w->cb->sighted(w->ctx, s);
	}
}

/* Finds out about the device that is on this port now. */
static void
scan_port(struct watch *w, int devices_fd, const char *port)
{
	struct sighting s = { .arrival = 0 };
	uint64_t enumeration = 0;
	enum found found;
	int r = sysfs_enumeration(devices_fd, port, &enumeration);

	if (r == 0) {
		found = port_table_find(w->ports, port, enumeration);
		/* WHY asked: a device that is not authorised any more keeps its place, and no event
		 * says so. */
		if (found == FOUND_OTHER ||
		    (found == FOUND_OURS && sysfs_is_authorised(devices_fd, port)))
			return;
		r = sysfs_read(devices_fd, port, &s, &enumeration);
	}
	found = r == 0 ? judge(w, &s, now_us()) : FOUND_NOTHING;
	if (found == FOUND_OURS)
		r = sysfs_read_strings(devices_fd, enumeration, &s);
	if (found == FOUND_OURS && r == 0)
		find_path(w, devices_fd, &s);
	if (r == 0)
		report(w, port, found, enumeration, &s);
	else if (r == -ENOENT)
		report(w, port, FOUND_NOTHING, 0, NULL);
	/* Anything else says nothing about the port; the next scan looks again. */
}

/* SYSFS_USB_DEVICES; -ENOENT when this machine has no USB (yet), or another negative errno. */
static int
open_devices(void)
{
	int fd = open(SYSFS_USB_DEVICES, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static DIR *
open_list(int devices_fd)
{
	int fd = fcntl(devices_fd, F_DUPFD_CLOEXEC, 0);
	DIR *list = fd >= 0 ? fdopendir(fd) : NULL;

	if (list == NULL && fd >= 0)
		(void)close(fd);
	return list;
}

/* Looks at every port that has something, then at those that had. */
static void
scan(struct watch *w, int devices_fd)
{
	DIR *list = devices_fd >= 0 ? open_list(devices_fd) : NULL;
	struct dirent *entry;
	char port[PORT_TEXT_MAX];
	const char *unseen;

	/* A list that cannot be read for want of memory or descriptors does not mean that there are
	 * no devices. */
	if (list == NULL && devices_fd != -ENOENT)
		return;
	port_table_begin_sweep(w->ports);
	while (list != NULL && (entry = readdir(list)) != NULL)
		if (sysfs_is_port(entry->d_name))
			scan_port(w, devices_fd, entry->d_name);
	if (list != NULL)
		(void)closedir(list);
	while ((unseen = port_table_unseen(w->ports)) != NULL) {
		copy_text(port, sizeof(port), unseen);
		report(w, port, FOUND_NOTHING, 0, NULL);
	}
}

static void
scan_unready(struct watch *w, int devices_fd)
{
	char ports[EVENTS_AT_ONCE_MAX][PORT_TEXT_MAX];
	const char *port;
	size_t count = 0;

	while (count < EVENTS_AT_ONCE_MAX && (port = port_table_unready(w->ports, count)) != NULL)
		copy_text(ports[count++], PORT_TEXT_MAX, port);
	for (size_t i = 0; i < count; i++)
		scan_port(w, devices_fd, ports[i]);
}

/* Arms the one timer for what is due next. */
static void
arm(struct watch *w)
{
	uint64_t now = now_us();
	uint64_t wait_us = w->next_scan_us > now ? w->next_scan_us - now : 0;
	struct timeval tv;

	if (port_table_unready(w->ports, 0) != NULL && wait_us > UNREADY_MS * 1000)
		wait_us = UNREADY_MS * 1000;
	tv.tv_sec = (time_t)(wait_us / 1000000);
	tv.tv_usec = (suseconds_t)(wait_us % 1000000);
	(void)evtimer_add(w->tick, &tv); /* allocated with the event */
}

static void
on_tick(evutil_socket_t fd, short what, void *ctx)
{
	struct watch *w = ctx;
	int devices_fd = open_devices();

	(void)fd;
	(void)what;
	if (now_us() >= w->next_scan_us) {
		w->next_scan_us = now_us() + RECONCILE_MS * UINT64_C(1000);
		scan(w, devices_fd);
	} else {
		scan_unready(w, devices_fd);
	}
	if (devices_fd >= 0)
		(void)close(devices_fd);
	arm(w);
}

/* One event: its port, or false when there is none now. */
static bool
receive_port(struct watch *w, char port[PORT_TEXT_MAX])
{
	struct udev_device *d;

	errno = 0;
	d = udev_monitor_receive_device(w->monitor);
	if (d != NULL) {
		copy_text(port, PORT_TEXT_MAX, udev_device_get_sysname(d));
		w->ready_node[0] = '\0';
		if (udev_device_get_is_initialized(d) > 0)
			copy_text(w->ready_node, sizeof(w->ready_node), udev_device_get_devnode(d));
		udev_device_unref(d);
		return true;
	}
	if (errno != EAGAIN && errno != EINTR)
		w->next_scan_us = 0; /* ENOBUFS: events were lost */
	return false;
}

static void
on_monitor_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct watch *w = ctx;
	char port[PORT_TEXT_MAX];
	int devices_fd = open_devices();

	(void)fd;
	(void)what;
	for (unsigned i = 0; i < EVENTS_AT_ONCE_MAX && receive_port(w, port); i++)
		if (sysfs_is_port(port) && devices_fd >= 0)
			scan_port(w, devices_fd, port);
	w->ready_node[0] = '\0';
	if (devices_fd >= 0)
		(void)close(devices_fd);
	arm(w);
}

static int
open_monitor(struct watch *w, struct event_base *base)
{
	int r;

	w->udev = udev_new();
	if (w->udev == NULL)
		return -ENOMEM;
	errno = 0;
	w->monitor = udev_monitor_new_from_netlink(w->udev, "udev");
	if (w->monitor == NULL)
		return errno != 0 ? -errno : -ENOMEM;
	r = udev_monitor_filter_add_match_subsystem_devtype(w->monitor, "usb", "usb_device");
	if (r < 0)
		return r;
	/* Refused without privilege: then an overflow comes earlier, and is survived. */
	(void)udev_monitor_set_receive_buffer_size(w->monitor, RECEIVE_BYTES);
	r = udev_monitor_enable_receiving(w->monitor);
	if (r < 0)
		return r;
	w->readable = event_new(base, udev_monitor_get_fd(w->monitor), EV_READ | EV_PERSIST,
				on_monitor_readable, w);
	return w->readable == NULL || event_add(w->readable, NULL) < 0 ? -ENOMEM : 0;
}

int
watch_new(struct event_base *base, const struct watch_callbacks *cb, void *ctx,
	  struct watch **ret_watch)
{
	struct watch *w = calloc(1, sizeof(*w));
	int r = -ENOMEM;

	if (w == NULL)
		return r;
	w->cb = cb;
	w->ctx = ctx;
	w->kinds[w->kind_count++] = (struct kind){ ST_VID, ST_VCP_PID };
	w->kinds[w->kind_count++] = (struct kind){ ST_VID, ST_DFU_PID };
	w->tick = evtimer_new(base, on_tick, w);
	if (w->tick == NULL)
		goto out;
	r = port_table_new(&w->ports);
	if (r == 0)
		r = open_monitor(w, base);
	if (r < 0)
		goto out;
	/* WHY only now: devices that arrive during the first scan are queued in the monitor. */
	arm(w);
	*ret_watch = w;
	w = NULL; /* the caller's now */
out:
	watch_free(w);
	return r;
}

void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	if (w->tick != NULL)
		event_free(w->tick);
	if (w->readable != NULL)
		event_free(w->readable);
	port_table_free(w->ports);
	udev_monitor_unref(w->monitor);
	udev_unref(w->udev);
	free(w);
}

int
watch_also(struct watch *w, uint16_t vid, uint16_t pid)
{
	for (size_t i = 0; i < w->kind_count; i++)
		if (w->kinds[i].vid == vid && w->kinds[i].pid == pid)
			return 0;
	if (w->kind_count == KINDS_MAX)
		return -E2BIG;
	w->kinds[w->kind_count++] = (struct kind){ vid, pid };
	port_table_forget_others(w->ports);
	w->next_scan_us = 0;
	arm(w);
	return 0;
}
