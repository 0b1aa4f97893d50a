/* SPDX-License-Identifier: MIT */
/* Attributes of a USB device, and the hubs above it, from sysfs.  Strings come from devices. */
#include "config.h"

#include "udev/sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TIERS_MAX 7 /* LIMIT: USB 2.0, section 4.1.1 */

bool
sysfs_is_port(const char *name)
{
	size_t length = strlen(name), digits = strspn(name, "0123456789");
	bool last_is_digit = length > 0 && strchr("0123456789", name[length - 1]) != NULL;

	if (digits == 0 || name[digits] != '-' || length >= PORT_TEXT_MAX || !last_is_digit)
		return false;
	return strspn(name + digits + 1, "0123456789.") == length - digits - 1;
}

/* The attribute without its newline, cut to size; its length, or negative errno. */
static int
read_text(int dir_fd, const char *name, char *text, size_t size)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	text[0] = '\0';
	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	if (n < 0)
		n = -errno;
	(void)close(fd);
	if (n < 0) {
		text[0] = '\0';
		return (int)n;
	}
	while (n > 0 && text[n - 1] == '\n')
		n--;
	text[n] = '\0';
	return (int)n;
}

/* A whole number in this base, blanks before it allowed; negative errno when it is none. */
static long
read_number(int dir_fd, const char *name, int base)
{
	char text[24], *end;
	int r = read_text(dir_fd, name, text, sizeof(text));
	long n;

	if (r < 0)
		return r;
	errno = 0;
	n = strtol(text, &end, base);
	return errno != 0 || end == text || *end != '\0' || n < 0 ? -EPROTO : n;
}

static int
open_device(int devices_fd, const char *port)
{
	int fd = openat(devices_fd, port, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* WHY the inode: sysfs gives every directory it makes a number that it does not give again. */
static int
enumeration_of(int fd, uint64_t *ret_enumeration)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	*ret_enumeration = st.st_ino;
	return 0;
}

int
sysfs_enumeration(int devices_fd, const char *port, uint64_t *ret_enumeration)
{
	struct stat st;

	if (fstatat(devices_fd, port, &st, 0) < 0)
		return errno == ENOTDIR || errno == ENODEV ? -ENOENT : -errno;
	*ret_enumeration = st.st_ino;
	return 0;
}

bool
sysfs_is_authorised(int devices_fd, const char *port)
{
	char path[PORT_TEXT_MAX + 16];

	(void)snprintf(path, sizeof(path), "%s/authorized", port);
	return read_number(devices_fd, path, 10) != 0;
}

static int
read_ids(int fd, struct sighting *s)
{
	long vid = read_number(fd, "idVendor", 16), pid = read_number(fd, "idProduct", 16);
	long bcd = read_number(fd, "bcdDevice", 16);

	if (vid < 0 || pid < 0 || bcd < 0)
		return (int)(vid < 0 ? vid : pid < 0 ? pid : bcd);
	if (vid > UINT16_MAX || pid > UINT16_MAX || bcd > UINT16_MAX)
		return -EPROTO;
	s->vid = (uint16_t)vid;
	s->pid = (uint16_t)pid;
	s->bcd_device = (uint16_t)bcd;
	return 0;
}

static int
read_place(int fd, struct sighting *s)
{
	long bus = read_number(fd, "busnum", 10), device = read_number(fd, "devnum", 10);

	if (bus < 0 || device < 0)
		return (int)(bus < 0 ? bus : device);
	if (bus > 9999 || device > 127)
		return -EPROTO;
	(void)snprintf(s->node, sizeof(s->node), "/dev/bus/usb/%03ld/%03ld", bus, device);
	(void)snprintf(s->controller, sizeof(s->controller), "usb%ld", bus);
	return 0;
}

/* "1-4.2" -> "1-4"; false for a device on a root hub. */
static bool
cut_to_hub(char *port)
{
	char *dot = strrchr(port, '.');

	if (dot == NULL)
		return false;
	*dot = '\0';
	return true;
}

static bool
has_speed(int devices_fd, const char *port, const char *speed)
{
	char path[PORT_TEXT_MAX + 8], text[16];

	(void)snprintf(path, sizeof(path), "%s/speed", port);
	return read_text(devices_fd, path, text, sizeof(text)) > 0 && strcmp(text, speed) == 0;
}

/*
 * Does this high-speed hub use a translator per port?  USB 2.0, section 11.23.1: bDeviceProtocol 1
 * one translator, 2 one per port, where alternate setting 1 of its interface is in use (the kernel
 * selects it when it can).
 */
static bool
is_multi_tt(int devices_fd, const char *hub)
{
	char path[2 * PORT_TEXT_MAX + 40];
	long alternate;

	(void)snprintf(path, sizeof(path), "%s/bDeviceProtocol", hub);
	if (read_number(devices_fd, path, 16) != 2)
		return false;
	(void)snprintf(path, sizeof(path), "%s/%s:1.0/bAlternateSetting", hub, hub);
	alternate = read_number(devices_fd, path, 10);
	return alternate != 0;
}

/*
 * A slow device behind a high-speed hub shares that hub's translator with all the hub's slow
 * devices, or with those on its branch.  On a root hub the controller needs none.
 */
static void
find_translator(int devices_fd, const char *port, char *ret_translator)
{
	char hub[PORT_TEXT_MAX], branch[PORT_TEXT_MAX];

	ret_translator[0] = '\0';
	if (!has_speed(devices_fd, port, "12") && !has_speed(devices_fd, port, "1.5"))
		return;
	copy_text(hub, sizeof(hub), port);
	for (unsigned tier = 0; tier < TIERS_MAX; tier++) {
		copy_text(branch, sizeof(branch), hub);
		if (!cut_to_hub(hub))
			return;
		if (has_speed(devices_fd, hub, "480")) {
			copy_text(ret_translator, PORT_TEXT_MAX,
				  is_multi_tt(devices_fd, hub) ? branch : hub);
			return;
		}
	}
}

int
sysfs_read(int devices_fd, const char *port, struct sighting *ret_sighting,
	   uint64_t *ret_enumeration)
{
	struct sighting s = { .arrival = 0 };
	uint64_t enumeration = 0;
	int fd = open_device(devices_fd, port), r;

	if (fd < 0)
		return fd == -ENOTDIR || fd == -ENODEV ? -ENOENT : fd;
	copy_text(s.port, sizeof(s.port), port);
	r = enumeration_of(fd, &enumeration);
	if (r == 0 && !sysfs_is_authorised(fd, "."))
		r = -ENOENT;
	if (r == 0)
		r = read_ids(fd, &s);
	if (r == 0)
		r = read_place(fd, &s);
	if (r < 0)
		goto out;
	find_translator(devices_fd, port, s.translator);
	*ret_sighting = s;
	*ret_enumeration = enumeration;
out:
	(void)close(fd);
	return r == -ENODEV ? -ENOENT : r; /* it went while we read */
}

int
sysfs_read_strings(int devices_fd, uint64_t enumeration, struct sighting *s)
{
	int fd = open_device(devices_fd, s->port), r;
	uint64_t now = 0;

	if (fd < 0)
		return fd == -ENOTDIR || fd == -ENODEV ? -ENOENT : fd;
	r = enumeration_of(fd, &now);
	if (r == 0 && now != enumeration)
		r = -ENOENT;
	if (r == 0) {
		/* Not every device has these. */
		(void)read_text(fd, "manufacturer", s->manufacturer, sizeof(s->manufacturer));
		(void)read_text(fd, "product", s->product, sizeof(s->product));
		(void)read_text(fd, "serial", s->serial, sizeof(s->serial));
	}
	(void)close(fd);
	return r;
}
