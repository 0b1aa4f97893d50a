/* SPDX-License-Identifier: MIT */
/*
 * Browsers that mean harm, and a service manager: siege PORT SEED MISSIONS...
 *
 *   tear N     N connections, each broken at a drawn byte of its request or of the answer
 *   bad        requests that no server has to understand; prints a line "STATUS NAME" each
 *   hold N     N connections with half a request; waits until the server has closed all of them
 *   stare N    N watches that are never read, until a line comes on the standard input
 *   activate PROGRAM...  (alone, instead of a seed) runs it with a socket at a port that it prints
 */
#include "config.h"

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cfdfu/util.h"

#define CONNECTIONS_MAX 1024
#define LONG_BYTES 20000
#define PATIENCE_MS 300000
#define WATCH "GET /watch HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
#define BAD(text)                                                                                  \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}

static const struct {
	const char *text;
	size_t bytes;
} bad[] = {
	BAD("\r\n\r\n"),
	BAD("\0\0\0\0\r\n\r\n"),
	BAD("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
	BAD("GET\r\n\r\n"),
	BAD("GET /\r\n\r\n"),
	BAD("GET / HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n"),
	BAD("GET / FTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
	BAD("GET /\x01\x02 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
	BAD("GET / HTTP/1.1\r\nno colon\r\nHost: 127.0.0.1\r\n\r\n"),
	BAD("GET / HTTP/1.1\r\n: no name\r\n\r\n"),
	BAD("GET / HTTP/1.1\r\n\r\n"),
	BAD("GET / HTTP/1.0\r\n\r\n"),
	BAD("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n"),
	BAD("GET / HTTP/1.1\r\nHost: evil.example\r\nHost: 127.0.0.1\r\n\r\n"),
	BAD("GET / HTTP/1.1\r\nHost: 127.0.0.1@evil.example\r\n\r\n"),
	BAD("GET / HTTP/1.1\r\nHost: 127.0.0.1 evil.example\r\n\r\n"),
	BAD("GET / HTTP/1.1\r\nHost: [127.0.0.1]\r\n\r\n"),
	BAD("GET / HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n"),
	BAD("GET http://127.0.0.1/ HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
	BAD("GET http://evil.example/watch HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
	BAD("GET //watch HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
	BAD("GET /../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
	BAD("GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
	BAD("GET /style.css%00.html HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
	BAD("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n"),
	BAD("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999999999999\r\n\r\n"),
	BAD("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n\r\nhello"),
	BAD("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n"),
	BAD("POST /watch HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n"),
	BAD("HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
	BAD("OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
	BAD("CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
	BAD("GET /watch HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
	BAD("GET /watch HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://evil.example\r\n\r\n"),
	BAD("GET /watch HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: null\r\n\r\n"),
	BAD("GET /watch HTTP/1.1\r\nHost: 127.0.0.1\r\nSec-Fetch-Site: cross-site\r\n\r\n"),
};

static unsigned port, seed;

/* SPEC: Park and Miller: the same on every machine. */
static unsigned
draw(unsigned below)
{
	seed = (unsigned)((unsigned long long)seed * 48271 % 2147483647);
	return seed % below;
}

static int
reach(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		perror("siege");
		exit(1);
	}
	return fd;
}

static void
say(int fd, const char *text, size_t bytes)
{
	(void)send(fd, text, bytes, MSG_NOSIGNAL); /* it may have been closed */
}

/* False: nothing more will come. */
static bool
hear(int fd, char *text, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	if (poll(&p, 1, PATIENCE_MS) != 1) {
		(void)fprintf(stderr, "siege: the server neither answers nor closes\n");
		exit(1);
	}
	n = recv(fd, text, size - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static void
tear(unsigned count)
{
	char text[4096];

	for (unsigned i = 0; i < count; i++) {
		size_t bytes = draw(sizeof(WATCH));
		struct linger hard = { .l_onoff = (int)draw(2) };
		int fd = reach();

		say(fd, WATCH, bytes);
		if (bytes == sizeof(WATCH) - 1 || draw(4) == 0) {
			say(fd, &WATCH[bytes], sizeof(WATCH) - 1 - bytes);
			(void)hear(fd, text, 2 + draw(sizeof(text) - 2));
		}
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)); /* else: softly */
		(void)close(fd);
	}
}

/* "000": closed without an answer.  A stream is one that goes on: its status is 200. */
static void
send_bad(const char *text, size_t bytes, const char *name)
{
	char answer[4096];
	int fd = reach();

	say(fd, text, bytes);
	(void)hear(fd, answer, sizeof(answer));
	printf("%.3s ", strncmp(answer, "HTTP/1.", 7) == 0 ? answer + 9 : "000");
	for (size_t i = 0; i < 70 && i < bytes; i++)
		putchar(name[i] >= ' ' && name[i] < 127 ? name[i] : '.');
	putchar('\n');
	(void)close(fd);
}

static void
send_all_bad(void)
{
	char *text = malloc(LONG_BYTES + 1);

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		send_bad(bad[i].text, bad[i].bytes, bad[i].text);
	memset(text, 'x', LONG_BYTES);
	memcpy(text, "GET /", 5);
	send_bad(text, LONG_BYTES,
		 "a line without an end ................................................");
	memcpy(text, "GET / HTTP/1.1\r\nX: ", 19);
	send_bad(text, LONG_BYTES,
		 "a header without an end ..............................................");
	free(text);
}

static void
hold(unsigned count)
{
	int fds[CONNECTIONS_MAX];
	char text[4096];

	for (unsigned i = 0; i < count; i++) {
		fds[i] = reach();
		say(fds[i], WATCH, 1 + draw(sizeof(WATCH) - 3));
	}
	for (unsigned i = 0; i < count; i++) {
		while (hear(fds[i], text, sizeof(text)))
			;
		(void)close(fds[i]);
	}
}

static void
stare(unsigned count)
{
	int one = 1;
	char line[8];

	for (unsigned i = 0; i < count; i++) {
		int fd = reach();

		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &one,
				 sizeof(one)); /* as little as it can */
		say(fd, WATCH, sizeof(WATCH) - 1);
	}
	puts("staring");
	(void)fflush(stdout);
	if (fgets(line, sizeof(line), stdin) == NULL) /* an end is a line, too */
		return;
}

static int
activate(char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t bytes = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char pid[16];

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, bytes) < 0 || listen(fd, 16) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &bytes) < 0)
		return 1;
	printf("%u\n", ntohs(at.sin_port));
	(void)fflush(stdout);
	(void)snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	if (fd != 3 && (dup2(fd, 3) < 0 || close(fd) < 0))
		return 1;
	if (setenv("LISTEN_PID", pid, 1) == 0 && setenv("LISTEN_FDS", "1", 1) == 0)
		(void)execvp(argv[0], argv);
	perror(argv[0]);
	return 1;
}

int
main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "activate") == 0)
		return activate(argv + 2);
	port = argc > 3 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
	seed = port > 0 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
	for (int i = 3; seed > 0 && i < argc; i++) {
		unsigned count = i + 1 < argc ? (unsigned)strtoul(argv[i + 1], NULL, 10) : 0;

		if (strcmp(argv[i], "bad") == 0)
			send_all_bad();
		else if (strcmp(argv[i], "tear") == 0)
			tear(count);
		else if (strcmp(argv[i], "hold") == 0 && count <= CONNECTIONS_MAX)
			hold(count);
		else if (strcmp(argv[i], "stare") == 0)
			stare(count);
	}
	return seed == 0;
}
