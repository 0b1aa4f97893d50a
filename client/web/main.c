/* SPDX-License-Identifier: MIT */
/* cfdfu-web: shows the station to browsers.  Options, sockets to listen at, the loop. */
#include "config.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cfdfu/proto.h"
#include "client/web/site.h"
#include "client/web/watchers.h"

enum {
	HOSTS_MAX = 16,
	ACTIVATED_FIRST = 3, /* SPEC: sd_listen_fds(3), SD_LISTEN_FDS_START */
	OPTION_HOST = 256,
	OPTION_FILES,
};

static const char usage[] =
    "Usage: cfdfu-web [OPTION]...\n"
    "Shows the flashing station to browsers; changes nothing.\n"
    "\n"
    "  -l, --listen ADDRESS  IP address and port (default 127.0.0.1:8080; no port: any)\n"
    "      --host NAME       answer to this name, too; up to 16 times\n"
    "      --files DIR       the page's files (default " PKGDATADIR "/web)\n"
    "  -s, --socket PATH     the station's control socket (default " PROTO_SOCKET_PATH ")\n"
    "  -h, --help\n"
    "  -V, --version\n"
    "\n"
    "See cfdfu-web(8).\n";

static const struct option options[] = {
	{ "listen", required_argument, NULL, 'l' },
	{ "host", required_argument, NULL, OPTION_HOST },
	{ "files", required_argument, NULL, OPTION_FILES },
	{ "socket", required_argument, NULL, 's' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

struct arguments {
	const char *listen, *files, *socket;
	const char *hosts[HOSTS_MAX + 1];
};

/* -1; or an exit status. */
static int
read_arguments(int argc, char **argv, struct arguments *a)
{
	size_t hosts = 0;
	int c, action = 0;

	while ((c = getopt_long(argc, argv, "l:s:hV", options, NULL)) != -1) {
		if (c == 'l')
			a->listen = optarg;
		else if (c == 's')
			a->socket = optarg;
		else if (c == OPTION_FILES)
			a->files = optarg;
		else if (c == OPTION_HOST && hosts < HOSTS_MAX)
			a->hosts[hosts++] = optarg;
		else
			action = c == OPTION_HOST ? '?' : c;
	}
	if (action == 'h' || action == 'V') {
		(void)fputs(action == 'h' ? usage : "cfdfu-web " PACKAGE_VERSION "\n", stdout);
		return EXIT_SUCCESS;
	}
	if (action == 0 && optind == argc)
		return -1;
	(void)fputs(usage, stderr);
	return EXIT_USAGE;
}

/* ---- listening ------------------------------------------------------------------------------ */

static void
on_pause_over(evutil_socket_t fd, short what, void *listener)
{
	(void)fd;
	(void)what;
	(void)evconnlistener_enable(listener); /* WHY: fails for no listener of evhttp's */
}

/* WHY: out of descriptors the loop would spin, as the next client still waits. */
static void
on_accept_failed(struct evconnlistener *listener, void *arg)
{
	const struct timeval pause = { .tv_usec = 200000 };

	(void)arg;
	if (event_base_once(evconnlistener_get_base(listener), -1, EV_TIMEOUT, on_pause_over,
			    listener, &pause) == 0)
		(void)evconnlistener_disable(listener); /* at worst it spins */
}

static int
serve_at(struct evhttp *http, struct evconnlistener *listener)
{
	if (listener == NULL)
		return -errno;
	evconnlistener_set_error_cb(listener, on_accept_failed);
	return evhttp_bind_listener(http, listener) == NULL ? -ENOMEM : 0;
}

/* At an address; says where, for without a port it is any that is free. */
static int
listen_at(struct event_base *base, struct evhttp *http, const char *where)
{
	/* SPEC: POSIX: an IPv4 address is shorter, and has its port at the same place. */
	struct sockaddr_in6 address;
	int length = sizeof(address), r;
	struct evconnlistener *listener;
	bool any;

	if (evutil_parse_sockaddr_port(where, (struct sockaddr *)&address, &length) < 0)
		return -EINVAL;
	any = address.sin6_port == 0;
	listener =
	    evconnlistener_new_bind(base, NULL, NULL, LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_EXEC, -1,
				    (struct sockaddr *)&address, length);
	r = serve_at(http, listener);
	if (r < 0)
		return r;
	(void)getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&address,
			  &(socklen_t){ sizeof(address) }); /* fails for no bound socket */
	printf(any ? "http://%s:%u/\n" : "http://%s/\n", where, ntohs(address.sin6_port));
	(void)fflush(stdout); /* WHY: for people, who may be gone */
	return 0;
}

/* At the sockets that systemd has passed; their number, or negative errno. */
static int
listen_activated(struct event_base *base, struct evhttp *http)
{
	const char *pid = getenv("LISTEN_PID"), *passed = getenv("LISTEN_FDS");
	int count = 0, r = 0;

	if (pid != NULL && passed != NULL && strtol(pid, NULL, 10) == (long)getpid())
		count = (int)strtol(passed, NULL, 10);
	for (int fd = ACTIVATED_FIRST; r == 0 && fd < ACTIVATED_FIRST + count; fd++)
		r = evutil_make_socket_nonblocking(fd) < 0
			? -errno
			: serve_at(http, evconnlistener_new(base, NULL, NULL, LEV_OPT_CLOSE_ON_EXEC,
							    0, fd));
	return r < 0 ? r : count;
}

static void
on_end(evutil_socket_t signal, short what, void *arg)
{
	(void)signal;
	(void)what;
	(void)arg;
	exit(EXIT_SUCCESS);
}

int
main(int argc, char **argv)
{
	struct arguments a = { .listen = "127.0.0.1:8080", .files = PKGDATADIR "/web" };
	struct event_base *base = event_base_new();
	struct evhttp *http = base == NULL ? NULL : evhttp_new(base);
	struct event *term = base == NULL ? NULL : evsignal_new(base, SIGTERM, on_end, NULL);
	struct watchers *watchers;
	int r;

	a.socket = getenv(PROTO_SOCKET_ENV);
	if (a.socket == NULL)
		a.socket = PROTO_SOCKET_PATH;
	r = read_arguments(argc, argv, &a);
	if (r >= 0)
		return r;
	(void)signal(SIGPIPE, SIG_IGN); /* a browser that has gone is an error of the write */
	watchers = base == NULL ? NULL : watchers_new(base, a.socket);
	if (http == NULL || term == NULL || watchers == NULL || event_add(term, NULL) < 0) {
		fprintf(stderr, "cfdfu-web: out of memory\n");
		return EXIT_FAILURE;
	}
	if (site_new(http, a.files, a.hosts, watchers) < 0)
		return EXIT_FAILURE;
	r = listen_activated(base, http);
	if (r == 0)
		r = listen_at(base, http, a.listen);
	if (r < 0)
		fprintf(stderr, "cfdfu-web: cannot listen at %s: %s\n", a.listen, strerror(-r));
	return r < 0 || event_base_dispatch(base) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
