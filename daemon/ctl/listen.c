/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ctl/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 128

static int
unix_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

/* Removes the socket file of a daemon that is no more; -EADDRINUSE when one answers there. */
static int
clear_stale(const struct sockaddr_un *sa)
{
	int fd = unix_socket();
	int r = 0;

	if (fd < 0)
		return fd;
	if (connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) == 0 || errno == EAGAIN)
		r = -EADDRINUSE; /* EAGAIN is a full backlog: a daemon lives, slowly */
	else if (errno == ECONNREFUSED)
		r = unlink(sa->sun_path) < 0 ? -errno : 0;
	else if (errno != ENOENT)
		r = -errno;
	(void)close(fd);
	return r;
}

int
listen_at(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd, r;

	if (strlen(path) >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	copy_text(sa.sun_path, sizeof(sa.sun_path), path);
	r = clear_stale(&sa);
	if (r < 0)
		return r;
	fd = unix_socket();
	if (fd < 0)
		return fd;
	if (bind(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0) {
		r = -errno;
	} else if (chmod(path, 0666) < 0 || listen(fd, BACKLOG) < 0) {
		/* WHY no umask: between bind and listen no client can connect. */
		r = -errno;
		(void)unlink(path); /* the first failure is the one to tell */
	}
	if (r < 0)
		(void)close(fd);
	return r < 0 ? r : fd;
}

int
listen_take(int fd)
{
	int listening = 0, flags = fcntl(fd, F_GETFL);
	socklen_t bytes = sizeof(listening);

	if (flags < 0)
		return -errno;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &bytes) < 0)
		return -errno;
	if (!listening)
		return -EINVAL;
	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	return 0;
}
