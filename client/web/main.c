/* SPDX-License-Identifier: MIT */
/* cfdfu-web: shows the station to browsers.  Options, sockets to listen at, the loop. */
#include "config.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cfdfu/proto.h"
#include "cfdfu/system.h"
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
    "  -l, --listen ADDRESS  IP address and port (default 127.0.0.1:8080)\n"
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

/* At the sockets that systemd has passed, or at an address. */
static int
listen_all(struct event_base *base, struct evhttp *http, const char *where)
{
	const char *pid = getenv("LISTEN_PID"), *passed = getenv("LISTEN_FDS");
	bool mine = pid != NULL && passed != NULL && strtol(pid, NULL, 10) == (long)getpid();
	struct sockaddr_storage address;
	int length = sizeof(address);

	if (!mine && evutil_parse_sockaddr_port(where, (struct sockaddr *)&address, &length) < 0)
		return -EINVAL;
	for (long fd = ACTIVATED_FIRST, left = mine ? strtol(passed, NULL, 10) : 1; left > 0;
	     left--) {
		struct evconnlistener *listener =
		    mine ? evconnlistener_new(base, NULL, NULL, LEV_OPT_CLOSE_ON_EXEC, 0, (int)fd++)
			 : evconnlistener_new_bind(base, NULL, NULL,
						   LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_EXEC, -1,
						   (struct sockaddr *)&address, length);

		if (listener == NULL ||
		    evutil_make_socket_nonblocking(evconnlistener_get_fd(listener)) < 0)
			return -errno;
		evconnlistener_set_error_cb(listener, on_accept_failed);
		if (evhttp_bind_listener(http, listener) == NULL)
			return -ENOMEM;
	}
	return 0;
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
	struct arguments a = { .listen = "127.0.0.1:8080",
			       .socket = environment(PROTO_SOCKET_ENV, PROTO_SOCKET_PATH),
			       .files = PKGDATADIR "/web" };
	struct event_base *base = event_base_new();
	struct evhttp *http = base == NULL ? NULL : evhttp_new(base);
	struct event *term = base == NULL ? NULL : evsignal_new(base, SIGTERM, on_end, NULL);
	int r;

	r = read_arguments(argc, argv, &a);
	if (r >= 0)
		return r;
	(void)signal(SIGPIPE, SIG_IGN); /* a browser that has gone is an error of the write */
	if (http == NULL || term == NULL || event_add(term, NULL) < 0)
		r = -ENOMEM;
	else
		r = site_new(http, a.files, a.hosts, watchers_new(base, a.socket));
	if (r < 0)
		fprintf(stderr, "cfdfu-web: %s: %s\n", a.files, strerror(-r));
	if (r == 0 && (r = listen_all(base, http, a.listen)) < 0)
		fprintf(stderr, "cfdfu-web: cannot listen at %s: %s\n", a.listen, strerror(-r));
	return r < 0 || event_base_dispatch(base) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
