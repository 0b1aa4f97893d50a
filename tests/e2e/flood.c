/* SPDX-License-Identifier: MIT */
/*
 * Clients that overload the service: flood SOCKET CONNECTIONS.  Until it is told to end, each
 * connection sends one request after the other without waiting for replies: some read the replies,
 * some never do, some call oneway, some watch.  A refused client connects again.  Prints the number
 * of bytes sent and received at the end.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "cfdfu/util.h"

#define CONNECTIONS_MAX 64
#define HEARD_MAX 65536
#define ASK(method, parameters)                                                                    \
	"{\"method\":\"org.cfdfu.Station." method "\",\"parameters\":" parameters "}\0"
#define TELL(method, parameters)                                                                   \
	"{\"method\":\"org.cfdfu.Station." method "\",\"oneway\":true,"                            \
	"\"parameters\":" parameters "}\0"
#define WATCH "{\"method\":\"org.cfdfu.Station.Watch\",\"more\":true,\"parameters\":{}}\0"

struct kind {
	const char *text;
	size_t bytes;
	bool reads;
};

#define KIND(text, reads)                                                                          \
	{                                                                                          \
		text, sizeof(text) - 1, reads                                                      \
	}

/* A text of several requests is said as a whole, again and again. */
static const struct kind kinds[] = {
	KIND(ASK("GetHistory", "{\"limit\":500}") ASK("GetFirmware", "{\"name\":\"new\"}")
		 ASK("GetStatus", "{}") ASK("ListFirmware", "{}") ASK("GetHealth", "{}"),
	     true),
	KIND(TELL("GetHistory", "{\"limit\":500,\"verdict\":\"fail\"}")
		 TELL("GetFirmware", "{\"name\":\"new\"}") TELL("Watch", "{}"),
	     true),
	KIND(ASK("GetHistory", "{\"limit\":500}"), false),
	KIND(ASK("GetHistory", "{\"slot\":\"3-2.3.1\",\"verdict\":\"skipped\",\"limit\":500}")
		 ASK("GetDrone", "{\"serial\":\"3300250B4353501020323017\"}"),
	     true),
	KIND(WATCH, true),
	KIND(WATCH, false),
};

struct client {
	const struct kind *kind;
	int fd;
	size_t said; /* of the text */
};

static volatile sig_atomic_t over;
static unsigned long long said_bytes, heard_bytes;

static void
on_end(int signal)
{
	(void)signal;
	over = 1;
}

static void
connect_again(struct client *c, const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	if (c->fd >= 0)
		(void)close(c->fd);
	copy_text(at.sun_path, sizeof(at.sun_path), path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	c->said = 0;
	if (c->fd >= 0 && (connect(c->fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
			   fcntl(c->fd, F_SETFL, O_NONBLOCK) < 0)) {
		(void)close(c->fd);
		c->fd = -1;
	}
}

/* False: the connection is over. */
static bool
say(struct client *c)
{
	while (over == 0) {
		ssize_t n =
		    send(c->fd, c->kind->text + c->said, c->kind->bytes - c->said, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		said_bytes += (unsigned long long)n;
		c->said = (c->said + (size_t)n) % c->kind->bytes;
	}
	return true;
}

static bool
hear(struct client *c)
{
	static char heard[HEARD_MAX];
	ssize_t n = recv(c->fd, heard, sizeof(heard), 0);

	if (n > 0)
		heard_bytes += (unsigned long long)n;
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static void
serve(struct client *c, const struct pollfd *p, const char *path)
{
	bool alive = c->fd >= 0 && (p->revents & (POLLERR | POLLHUP)) == 0;

	if (alive && (p->revents & POLLIN) != 0)
		alive = hear(c);
	if (alive && (p->revents & POLLOUT) != 0)
		alive = say(c);
	if (!alive)
		connect_again(c, path);
}

int
main(int argc, char **argv)
{
	unsigned long count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	struct client clients[CONNECTIONS_MAX];
	struct pollfd polled[CONNECTIONS_MAX];

	if (count < 1 || count > CONNECTIONS_MAX) {
		(void)fprintf(stderr, "usage: flood SOCKET CONNECTIONS\n");
		return 2;
	}
	(void)signal(SIGTERM, on_end);
	(void)signal(SIGINT, on_end);
	for (size_t i = 0; i < count; i++) {
		clients[i] = (struct client){ .kind = &kinds[i % ARRAY_LEN(kinds)], .fd = -1 };
		connect_again(&clients[i], argv[1]);
	}
	while (over == 0) {
		for (size_t i = 0; i < count; i++)
			polled[i] = (struct pollfd){
				.fd = clients[i].fd,
				.events = (short)(POLLOUT | (clients[i].kind->reads ? POLLIN : 0))
			};
		if (poll(polled, count, 100) < 0)
			continue; /* told to end */
		for (size_t i = 0; i < count; i++)
			serve(&clients[i], &polled[i], argv[1]);
	}
	printf("said %llu bytes, heard %llu bytes\n", said_bytes, heard_bytes);
	return 0;
}
