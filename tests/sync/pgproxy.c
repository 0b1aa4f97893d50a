/* SPDX-License-Identifier: MIT */
/*
 * Stands between a client and a PostgreSQL server and does harm at an exact point of the protocol
 * (version 3): pgproxy DIRECTORY PORT SERVER-SOCKET [ADDRESS].  Listens on
 * DIRECTORY/.s.PGSQL.PORT, with ADDRESS also on that IPv4 address.  Each connection brings its own
 * fate as application_name, "ACTION POINT N"; a name of another form passes.
 *
 *     before N   the Nth call of cfdfu.take() was asked for, and the server has seen nothing of it
 *     within N   the server has done it all, and has not committed
 *     after N    the server has committed, and the client does not know it
 *     byte N     the client has sent N bytes
 *     back N     the server has sent N bytes
 *
 *     kill       the client's process (SIGKILL); over the unix socket only
 *     cut        both connections
 *     stop       nothing passes any more, until the client leaves
 *     hold       DIRECTORY/held is made; goes on when it is gone
 *     slow       from there on 100 kB/s, both ways
 *
 * Prints "struck FATE" when it did, and "served PID" at each connection's end.
 */
#include "config.h"

#include <arpa/inet.h>
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

#define SSL_REQUEST 80877103
#define GSS_REQUEST 80877104
#define MESSAGE_MAX (64 << 20)
#define SLOW_PIECE 1000
#define SLOW_PAUSE_MS 10
#define CALL "cfdfu.take"

enum point { NOWHERE, BEFORE, WITHIN, AFTER, BYTE, BACK };

static const char *const points[] = { "", "before", "within", "after", "byte", "back" };

/* A whole message: type, length, content.  The first of a client has no type: 0 stands there. */
struct message {
	char *data;
	size_t size;
};

struct proxy {
	int client, server;
	pid_t pid; /* of the client; 0 unknown */
	const char *directory;
	char fate[64], action[16], statement[64];
	enum point point;
	unsigned long n;
	unsigned long calls;	 /* of take(), begun */
	size_t sent, back;	 /* bytes */
	bool in_call, had, slow; /* had: the fate has struck */
	struct message from_client, from_server;
};

static void
pause_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&t, NULL);
}

static void
leave(const struct proxy *p)
{
	(void)printf("served %d\n", (int)p->pid);
	(void)fflush(stdout);
	_exit(0);
}

static void
hold(const struct proxy *p)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/held", p->directory);
	(void)close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	while (access(path, F_OK) == 0)
		pause_ms(10);
}

static void
stop(const struct proxy *p)
{
	struct pollfd gone = { .fd = p->client, .events = POLLRDHUP };

	while (poll(&gone, 1, -1) < 0)
		;
}

static void
strike(struct proxy *p)
{
	p->had = true;
	(void)printf("struck %s\n", p->fate);
	(void)fflush(stdout);
	if (strcmp(p->action, "slow") == 0) {
		p->slow = true;
	} else if (strcmp(p->action, "hold") == 0) {
		hold(p);
	} else {
		if (strcmp(p->action, "kill") == 0 && p->pid > 0)
			(void)kill(p->pid, SIGKILL);
		if (strcmp(p->action, "stop") == 0)
			stop(p);
		leave(p);
	}
}

static bool
is_due(const struct proxy *p, enum point point)
{
	return !p->had && p->point == point && p->calls == p->n;
}

static void
send_all(struct proxy *p, int fd, const char *data, size_t size)
{
	while (size > 0) {
		size_t piece = p->slow && size > SLOW_PIECE ? SLOW_PIECE : size;
		ssize_t n = send(fd, data, piece, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			leave(p);
		if (p->slow)
			pause_ms(SLOW_PAUSE_MS);
		data += n;
		size -= (size_t)n;
	}
}

/* Passes on, up to the byte at which the fate strikes. */
static void
forward(struct proxy *p, bool to_server, const char *data, size_t size)
{
	size_t *count = to_server ? &p->sent : &p->back;
	int fd = to_server ? p->server : p->client;

	if (!p->had && p->point == (to_server ? BYTE : BACK) && *count + size >= p->n) {
		size_t part = p->n - *count;

		send_all(p, fd, data, part);
		*count += part;
		data += part;
		size -= part;
		strike(p);
	}
	send_all(p, fd, data, size);
	*count += size;
}

static size_t
number_at(const char *data)
{
	uint32_t v;

	memcpy(&v, data, sizeof(v));
	return ntohl(v);
}

static void
read_some(struct proxy *p, int fd, char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = read(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			leave(p);
		data += n;
		size -= (size_t)n;
	}
}

static void
read_message(struct proxy *p, int fd, bool typed, struct message *m)
{
	char head[5] = { 0 };
	size_t size;

	read_some(p, fd, typed ? head : head + 1, typed ? 5 : 4);
	size = number_at(head + 1);
	if (size < 4 || size > MESSAGE_MAX)
		leave(p);
	free(m->data);
	m->size = size + 1;
	m->data = calloc(1, m->size + 1);
	if (m->data == NULL)
		leave(p);
	memcpy(m->data, head, sizeof(head));
	read_some(p, fd, m->data + 5, size - 4);
}

/* Is it about take()?  Remembers the name of a statement prepared for it. */
static bool
is_call(struct proxy *p, const struct message *m)
{
	const char *content = m->data + 5, *second;

	switch (m->data[0]) {
	case 'Q':
		return memmem(m->data, m->size, CALL, strlen(CALL)) != NULL;
	case 'P':
		if (memmem(m->data, m->size, CALL, strlen(CALL)) == NULL)
			return false;
		(void)snprintf(p->statement, sizeof(p->statement), "%.63s", content);
		return content[0] == '\0'; /* a named one is only prepared */
	case 'B':
		second = content + strlen(content) + 1;
		return p->statement[0] != '\0' && second < m->data + m->size &&
		       strcmp(second, p->statement) == 0;
	default:
		return false;
	}
}

/* Makes the server say what it has done, without letting it commit; its replies stay unread by the
 * client until then. */
static void
await_done(struct proxy *p)
{
	static const char flush[] = { 'H', 0, 0, 0, 4 };

	send_all(p, p->server, flush, sizeof(flush));
	do {
		read_message(p, p->server, true, &p->from_server);
		if (p->from_server.data[0] == 'E')
			leave(p); /* the call failed: there is no such point */
		if (p->from_server.data[0] == 'C')
			strike(p);
		forward(p, false, p->from_server.data, p->from_server.size);
	} while (p->from_server.data[0] != 'C');
}

static void
on_client(struct proxy *p)
{
	struct message *m = &p->from_client;

	read_message(p, p->client, true, m);
	if (!p->in_call && is_call(p, m)) {
		p->in_call = true;
		p->calls++;
		if (is_due(p, BEFORE))
			strike(p);
	}
	if (m->data[0] == 'S' && p->in_call && is_due(p, WITHIN))
		await_done(p);
	forward(p, true, m->data, m->size);
	if (m->data[0] == 'X')
		leave(p);
}

static void
on_server(struct proxy *p)
{
	struct message *m = &p->from_server;

	read_message(p, p->server, true, m);
	/* Its row or its failure reach the client together with the end of the transaction. */
	if (m->data[0] == 'Z') {
		if (p->in_call && is_due(p, AFTER))
			strike(p);
		p->in_call = false;
	}
	forward(p, false, m->data, m->size);
}

/* The client's parameters: pairs of texts behind length and version. */
static void
read_fate(struct proxy *p)
{
	const char *at = p->from_client.data + 9, *end = p->from_client.data + p->from_client.size;
	char point[16] = "";

	while (at < end && *at != '\0') {
		const char *value = at + strlen(at) + 1;

		if (strcmp(at, "application_name") == 0)
			(void)snprintf(p->fate, sizeof(p->fate), "%s", value);
		at = value + strlen(value) + 1;
	}
	if (sscanf(p->fate, "%15s %15s %lu", p->action, point, &p->n) != 3)
		return;
	for (enum point k = BEFORE; k <= BACK; k++)
		if (strcmp(point, points[k]) == 0)
			p->point = k;
}

/* Encryption is declined; else this is the client's first message. */
static void
begin(struct proxy *p)
{
	struct message *m = &p->from_client;
	size_t code;

	for (;;) {
		read_message(p, p->client, false, m);
		code = m->size >= 9 ? number_at(m->data + 5) : 0;
		if (code != SSL_REQUEST && code != GSS_REQUEST)
			break;
		send_all(p, p->client, "N", 1);
	}
	read_fate(p);
	forward(p, true, m->data + 1, m->size - 1);
}

static void
serve(struct proxy *p)
{
	struct pollfd fds[] = { { .fd = p->client, .events = POLLIN },
				{ .fd = p->server, .events = POLLIN } };

	begin(p);
	for (;;) {
		if (poll(fds, ARRAY_LEN(fds), -1) < 0)
			continue;
		if (fds[1].revents != 0)
			on_server(p);
		else if (fds[0].revents != 0)
			on_client(p);
	}
}

static int
unix_socket(const char *path, bool listens)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r;

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (listens)
		(void)unlink(path);
	r = listens ? bind(fd, (struct sockaddr *)&a, sizeof(a))
		    : connect(fd, (struct sockaddr *)&a, sizeof(a));
	if (r < 0 || (listens && listen(fd, SOMAXCONN) < 0)) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static int
tcp_socket(const char *address, const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (inet_pton(AF_INET, address, &a.sin_addr) != 1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, SOMAXCONN) < 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static void
accept_one(int listener, const char *directory, const char *server)
{
	struct proxy p = { .directory = directory };
	struct ucred peer = { 0 };
	socklen_t size = sizeof(peer);

	p.client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (p.client < 0)
		return;
	if (fork() == 0) {
		if (getsockopt(p.client, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
			p.pid = peer.pid;
		p.server = unix_socket(server, false);
		if (p.server < 0)
			leave(&p);
		serve(&p);
	}
	(void)close(p.client);
}

int
main(int argc, char **argv)
{
	char path[512];
	struct pollfd fds[2] = { { .events = POLLIN }, { .fd = -1, .events = POLLIN } };

	if (argc < 4) {
		(void)fprintf(stderr, "usage: pgproxy DIRECTORY PORT SERVER-SOCKET [ADDRESS]\n");
		return 2;
	}
	(void)signal(SIGCHLD, SIG_IGN);
	(void)snprintf(path, sizeof(path), "%s/.s.PGSQL.%s", argv[1], argv[2]);
	fds[0].fd = unix_socket(path, true);
	if (argc > 4)
		fds[1].fd = tcp_socket(argv[4], argv[2]);
	if (fds[0].fd < 0 || (argc > 4 && fds[1].fd < 0)) {
		perror("pgproxy");
		return 1;
	}
	for (;;) {
		if (poll(fds, ARRAY_LEN(fds), -1) < 0)
			continue;
		for (size_t i = 0; i < ARRAY_LEN(fds); i++)
			if (fds[i].revents != 0)
				accept_one(fds[i].fd, argv[1], argv[3]);
	}
}
