/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/out.h"
#include "client/refusal.h"

int
socket_connect(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	copy_text(sa.sun_path, sizeof(sa.sun_path), path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* WHY: where many wait for a service that is stopped, one more would wait for ever */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO,
			 &(struct timeval){ .tv_sec = SOCKET_PATIENCE_S }, sizeof(struct timeval));
	if (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0) {
		int r = -errno;

		(void)close(fd); /* WHY: nothing was written */
		return r;
	}
	return fd;
}

int
socket_explain(const struct session *s, int error)
{
	const char *path = s->socket_path;
	char why[REFUSAL_MAX];

	switch (error) {
	case -ENOENT:
	case -ECONNREFUSED:
		if (refusal_of_configuration(why))
			say_failure(s, CLIENT_ERROR("NoService"),
				    "no service is listening on %s: cfdfud does not start, its "
				    "configuration is refused: %s",
				    path, why);
		else
			say_failure(s, CLIENT_ERROR("NoService"),
				    "no service is listening on %s: cfdfud is not running; "
				    "start it with: systemctl start cfdfud",
				    path);
		return EXIT_NO_DAEMON;
	case -EACCES:
	case -EPERM:
		say_failure(s, CLIENT_ERROR("NotPermitted"),
			    "you may not connect to the service at %s: permission denied", path);
		return EXIT_REFUSED;
	case -EAGAIN:
		say_failure(s, CLIENT_ERROR("NoAnswer"),
			    "the service at %s does not answer; see: systemctl status cfdfud",
			    path);
		return EXIT_NO_DAEMON;
	case -ENAMETOOLONG:
		say_error("%s: too long for the path of a socket", path);
		return EXIT_USAGE;
	default:
		say_failure(s, CLIENT_ERROR("NoService"), "cannot connect to the service at %s: %s",
			    path, strerror(-error));
		return EXIT_NO_DAEMON;
	}
}

bool
socket_is_there(const struct session *s)
{
	int fd = s->host == NULL ? socket_connect(s->socket_path) : -1;

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0 || s->host != NULL;
}
