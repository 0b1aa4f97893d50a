/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTEN_FD_FIRST 3 /* SPEC: sd_listen_fds(3), SD_LISTEN_FDS_START */

#define WORKING_EVERY_US 1000000

struct notify {
	int fd;			 /* -1: no manager */
	bool watchdog;		 /* the manager wants it */
	uint64_t working_due_us; /* notify_working(): not before */
	char status[NOTIFY_STATUS_MAX];
};

/* A decimal environment variable; 0 when it is missing or malformed. */
static uint64_t
env_number(const char *name)
{
	const char *text = getenv(name);
	char *end;
	unsigned long long n;

	if (text == NULL || *text < '0' || *text > '9')
		return 0;
	errno = 0;
	n = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' ? n : 0;
}

/* SPEC: sd_notify(3): an absolute path, or '@' for the abstract name space. */
static int
connect_manager(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t length = strlen(path);
	int fd, r;

	if ((path[0] != '/' && path[0] != '@') || length < 2)
		return -EAFNOSUPPORT;
	if (length >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, length);
	if (path[0] == '@')
		addr.sun_path[0] = '\0';
	else
		length++; /* the NUL belongs to a path */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	length += offsetof(struct sockaddr_un, sun_path);
	if (connect(fd, (const struct sockaddr *)&addr, (socklen_t)length) < 0) {
		r = -errno;
		(void)close(fd);
		return r;
	}
	return fd;
}

int
notify_new(struct notify **ret_notify)
{
	struct notify *n = calloc(1, sizeof(*n));
	const char *path = getenv("NOTIFY_SOCKET");
	uint64_t watchdog_pid = env_number("WATCHDOG_PID");
	int r = -ENOMEM;

	if (n == NULL)
		goto out;
	n->fd = -1;
	if (watchdog_pid == 0 || watchdog_pid == (uint64_t)getpid())
		n->watchdog = env_number("WATCHDOG_USEC") > 0;
	if (path != NULL && path[0] != '\0') {
		r = connect_manager(path);
		if (r < 0)
			goto out;
		n->fd = r;
	}
	(void)unsetenv("NOTIFY_SOCKET"); /* cannot fail for these names */
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
	*ret_notify = n;
	n = NULL; /* the caller's now */
	r = 0;
out:
	notify_free(n);
	return r;
}

void
notify_free(struct notify *n)
{
	if (n == NULL)
		return;
	if (n->fd >= 0)
		(void)close(n->fd); /* datagrams: nothing is pending */
	free(n);
}

static void
tell(struct notify *n, const char *text)
{
	if (n->fd >= 0)
		(void)send(n->fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL); /* see header */
}

void
notify_ready(struct notify *n)
{
	tell(n, "READY=1");
}

void
notify_status(struct notify *n, const char *format, ...)
{
	char status[NOTIFY_STATUS_MAX], text[NOTIFY_STATUS_MAX + 8];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(status, sizeof(status), format, args); /* cut is fine */
	va_end(args);
	for (char *p = status; *p != '\0'; p++)
		if ((unsigned char)*p < ' ')
			*p = ' '; /* WHY: a newline would begin another assignment */
	if (strcmp(status, n->status) == 0)
		return;
	memcpy(n->status, status, sizeof(status));
	(void)snprintf(text, sizeof(text), "STATUS=%s", status);
	tell(n, text);
}

void
notify_watchdog(struct notify *n)
{
	if (n->watchdog)
		tell(n, "WATCHDOG=1");
}

void
notify_stopping(struct notify *n)
{
	tell(n, "STOPPING=1");
}

void
notify_reloading(struct notify *n, uint64_t monotonic_usec)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, monotonic_usec);
	tell(n, text);
}

void
notify_extend(struct notify *n, uint64_t more_ms)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "EXTEND_TIMEOUT_USEC=%" PRIu64, more_ms * 1000);
	tell(n, text);
}

bool
notify_working(struct notify *n, uint64_t now_us, uint64_t more_ms)
{
	if (now_us < n->working_due_us)
		return false;
	n->working_due_us = now_us + WORKING_EVERY_US;
	notify_extend(n, more_ms);
	notify_watchdog(n);
	return true;
}

void
notify_trouble(struct notify *n, int error)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "ERRNO=%d", -error);
	tell(n, text);
}

/* Is the index-th of the colon-separated names this one? */
static bool
name_is(const char *names, unsigned index, const char *name)
{
	size_t length;

	if (names == NULL)
		return false;
	for (; index > 0; index--) {
		names = strchr(names, ':');
		if (names == NULL)
			return false;
		names++;
	}
	length = strcspn(names, ":");
	return length == strlen(name) && memcmp(names, name, length) == 0;
}

int
notify_take_listener(const char *name, int *ret_fd)
{
	uint64_t count = env_number("LISTEN_FDS");
	const char *names = getenv("LISTEN_FDNAMES");
	int chosen = -1;

	if (env_number("LISTEN_PID") != (uint64_t)getpid())
		count = 0;
	if (count > NOTIFY_LISTEN_MAX)
		return -E2BIG;
	if (count == 1)
		chosen = LISTEN_FD_FIRST;
	for (unsigned i = 0; i < count && chosen < 0; i++)
		if (name_is(names, i, name))
			chosen = LISTEN_FD_FIRST + (int)i;
	for (int fd = LISTEN_FD_FIRST; fd < LISTEN_FD_FIRST + (int)count; fd++)
		if (fd != chosen)
			(void)close(fd); /* not ours to use */
	(void)unsetenv("LISTEN_PID");	 /* cannot fail for these names */
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	if (chosen >= 0)
		*ret_fd = chosen;
	return chosen >= 0;
}
