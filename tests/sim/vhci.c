/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "sim/vhci.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SPEED_FULL 2

/* The first line of a small file as a number; 0 when there is none. */
static unsigned
read_number(const char *path)
{
	FILE *f = fopen(path, "re");
	char line[32] = "";

	if (f == NULL)
		return 0;
	if (fgets(line, sizeof(line), f) == NULL)
		line[0] = '\0';
	(void)fclose(f);
	return (unsigned)strtoul(line, NULL, 10);
}

/* The bus number of a controller's high-speed root hub; 0 = none. */
static unsigned
high_speed_bus(const char *directory, unsigned controller)
{
	char path[512], file[1024];
	struct dirent *e;
	unsigned bus = 0;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%.200s/vhci_hcd.%u", directory, controller);
	dir = opendir(path);
	if (dir == NULL)
		return 0;
	while (bus == 0 && (e = readdir(dir)) != NULL) {
		if (strncmp(e->d_name, "usb", 3) != 0)
			continue;
		(void)snprintf(file, sizeof(file), "%s/%s/speed", path, e->d_name);
		if (read_number(file) == 480)
			bus = (unsigned)strtoul(e->d_name + 3, NULL, 10);
	}
	(void)closedir(dir);
	return bus;
}

int
vhci_find(const char *directory, struct vhci *ret_vhci)
{
	struct vhci v = { 0 };
	char path[512];

	for (unsigned i = 0; i < VHCI_CONTROLLERS_MAX; i++) {
		v.bus[i] = high_speed_bus(directory, i);
		if (v.bus[i] == 0)
			break;
		v.controllers++;
	}
	if (v.controllers == 0)
		return -ENODEV;
	(void)snprintf(path, sizeof(path), "%.200s/vhci_hcd.0/nports", directory);
	v.ports = read_number(path) / (2 * v.controllers);
	if (v.ports == 0)
		return -ENODEV;
	if (snprintf(v.attach_path, sizeof(v.attach_path), "%s/vhci_hcd.0/attach", directory) >=
	    (int)sizeof(v.attach_path))
		return -ENAMETOOLONG;
	*ret_vhci = v;
	return 0;
}

int
vhci_port_number(const struct vhci *v, const char *port)
{
	char *end;
	unsigned long bus = strtoul(port, &end, 10), number;

	if (*end != '-')
		return -EINVAL;
	number = strtoul(end + 1, &end, 10);
	if (*end != '\0' || number < 1 || number > v->ports)
		return -EINVAL;
	for (unsigned i = 0; i < v->controllers; i++)
		if (v->bus[i] == bus)
			return (int)(i * 2 * v->ports + number - 1);
	return -EINVAL;
}

int
vhci_attach(const struct vhci *v, unsigned number, int fd, uint32_t device_id)
{
	char line[64];
	int length = snprintf(line, sizeof(line), "%u %d %u %d", number, fd, device_id, SPEED_FULL);
	int to = open(v->attach_path, O_WRONLY | O_CLOEXEC), r = 0;

	if (to < 0)
		return -errno;
	if (write(to, line, (size_t)length) != length)
		r = errno > 0 ? -errno : -EIO;
	(void)close(to);
	return r;
}
