/* SPDX-License-Identifier: MIT */
/*
 * rack: simulated drones on the ports of a real kernel.
 *
 * Everything that comes on the bus in the world is plugged into the kernel's virtual USB host
 * controller (vhci_hcd), everything that leaves it is unplugged; in between the kernel's requests
 * go to the drone.  Ports have the kernel's names ("1-1", "3-15").  Commands (command.h) come from
 * standard input or a unix socket.
 */
#include "config.h"

#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/live.h"
#include "sim/usbip.h"
#include "sim/vhci.h"

#define RETRY_US 5000
#define RETRIES_MAX 400 /* LIMIT: two seconds for the kernel to free a port */

struct rack;

/* One enumeration: from sighted to gone. */
struct plugged {
	struct rack *rack;
	bool used;
	uint64_t arrival;
	unsigned number; /* vhci port */
	char port[PORT_TEXT_MAX];
	struct usbip *usbip;
	struct event *retry;
	unsigned retries;
};

struct rack {
	struct event_base *base;
	struct vhci vhci;
	struct live *live;
	struct event *input, *stop_int, *stop_term;
	struct plugged plugged[WORLD_HANDLES_MAX];
};

/* ---- in and out of the kernel ---- */

static struct plugged *
find(struct rack *r, uint64_t arrival)
{
	for (unsigned i = 0; i < WORLD_HANDLES_MAX; i++)
		if (r->plugged[i].used && r->plugged[i].arrival == arrival)
			return &r->plugged[i];
	return NULL;
}

static void
pull_out(struct plugged *p)
{
	usbip_free(p->usbip);
	if (p->retry != NULL)
		event_free(p->retry);
	world_close(live_world(p->rack->live), p->arrival);
	live_kick(p->rack->live);
	memset(p, 0, sizeof(*p));
}

static void
on_broken(void *ctx)
{
	struct plugged *p = ctx;

	(void)fprintf(stderr, "rack: %s: the kernel hung up\n", p->port);
	pull_out(p);
}

static int
plug_in(struct plugged *p)
{
	struct rack *r = p->rack;
	int fd[2], error;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) < 0)
		return -errno;
	error = vhci_attach(&r->vhci, p->number, fd[1], (uint32_t)(p->arrival & 0x7FFFFFFF));
	(void)close(fd[1]); /* the kernel has its own reference */
	if (error < 0) {
		(void)close(fd[0]);
		return error;
	}
	error = usbip_new(r->base, r->live, p->arrival, fd[0], on_broken, p, &p->usbip);
	if (error < 0)
		(void)close(fd[0]);
	return error;
}

static void
try_plug_in(struct plugged *p)
{
	int error = plug_in(p);

	if (error == 0)
		return;
	/* WHY: right after an unplug the port is busy for some milliseconds. */
	if (error == -EBUSY && p->retries++ < RETRIES_MAX && p->retry != NULL) {
		(void)event_add(p->retry, &(struct timeval){ 0, RETRY_US });
		return;
	}
	(void)fprintf(stderr, "rack: %s: %s\n", p->port, strerror(-error));
	pull_out(p);
}

static void
on_retry(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	try_plug_in(ctx);
}

/* ---- events of the world ---- */

static void
on_sighted(void *ctx, const struct sighting *s)
{
	struct rack *r = ctx;
	int number = vhci_port_number(&r->vhci, s->port);
	struct plugged *p = r->plugged;

	while (p < r->plugged + WORLD_HANDLES_MAX && p->used)
		p++;
	if (number < 0 || p == r->plugged + WORLD_HANDLES_MAX) {
		(void)fprintf(stderr, "rack: the kernel has no port %s\n", s->port);
		return;
	}
	if (world_open(live_world(r->live), s->arrival, s->arrival) < 0)
		return;
	*p = (struct plugged){
		.rack = r, .used = true, .arrival = s->arrival, .number = (unsigned)number
	};
	copy_text(p->port, sizeof(p->port), s->port);
	p->retry = evtimer_new(r->base, on_retry, p);
}

static void
on_opened(void *ctx, uint64_t id, int error, const uint8_t *descriptors, size_t length)
{
	struct plugged *p = find(ctx, id);

	(void)descriptors;
	(void)length;
	if (p != NULL && error == 0)
		try_plug_in(p);
	else if (p != NULL)
		pull_out(p);
}

static void
on_gone(void *ctx, const char *port, uint64_t arrival)
{
	struct plugged *p = find(ctx, arrival);

	(void)port;
	if (p != NULL)
		pull_out(p);
}

static void
on_ended(void *ctx, uint64_t id, enum usb_xfer_kind kind, enum usb_status status,
	 const uint8_t *data, size_t length)
{
	struct plugged *p = find(ctx, id);

	if (p != NULL && p->usbip != NULL)
		usbip_ended(p->usbip, kind, status, data, length);
}

static const struct world_callbacks world_callbacks = {
	.sighted = on_sighted,
	.gone = on_gone,
	.opened = on_opened,
	.ended = on_ended,
};

/* ---- standard input, signals ---- */

static void
on_input(evutil_socket_t fd, short what, void *ctx)
{
	struct rack *r = ctx;
	char line[COMMAND_BYTES_MAX];

	(void)fd;
	(void)what;
	/*
	 * Standard input is line buffered on a terminal; a script is read a line at a time as
	 * well.
	 */
	if (fgets(line, sizeof(line), stdin) == NULL) {
		(void)event_base_loopbreak(r->base);
		return;
	}
	live_sync(r->live);
	commander_run(live_commander(r->live), line, stdout);
	(void)fflush(stdout);
	live_kick(r->live);
	if (live_commander(r->live)->quit)
		(void)event_base_loopbreak(r->base);
}

static void
on_signal(evutil_socket_t number, short what, void *ctx)
{
	struct rack *r = ctx;

	(void)number;
	(void)what;
	(void)event_base_loopbreak(r->base);
}

/* ---- program ---- */

static int
usage(FILE *to)
{
	(void)fputs(
	    "usage: rack [--fast] [--scale N] [--seed N] [--script FILE] [--socket PATH]\n"
	    "       rack --socket PATH --do COMMAND\n"
	    "Simulated drones on the kernel's virtual USB ports (vhci_hcd).  Without --socket\n"
	    "commands are read from standard input; \"help\" lists them.\n",
	    to);
	return to == stdout ? 0 : 2;
}

static int
parse_options(int argc, char **argv, struct live_options *o, const char **ret_do)
{
	static const struct option options[] = {
		{ "fast", no_argument, NULL, 'f' },
		{ "scale", required_argument, NULL, 's' },
		{ "seed", required_argument, NULL, 'n' },
		{ "script", required_argument, NULL, 'r' },
		{ "socket", required_argument, NULL, 'p' },
		{ "do", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'f')
			o->fast = true;
		else if (c == 's')
			o->scale = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'n')
			o->seed = strtoull(optarg, NULL, 0);
		else if (c == 'r')
			o->script = optarg;
		else if (c == 'p')
			o->socket = optarg;
		else if (c == 'd')
			*ret_do = optarg;
		else
			return c == 'h' ? 1 : -EINVAL;
	}
	return optind == argc ? 0 : -EINVAL;
}

static int
watch_the_operator(struct rack *r, bool input)
{
	r->stop_int = evsignal_new(r->base, SIGINT, on_signal, r);
	r->stop_term = evsignal_new(r->base, SIGTERM, on_signal, r);
	if (r->stop_int == NULL || r->stop_term == NULL || event_add(r->stop_int, NULL) < 0 ||
	    event_add(r->stop_term, NULL) < 0)
		return -ENOMEM;
	if (!input)
		return 0;
	(void)setvbuf(stdin, NULL, _IONBF,
		      0); /* nothing may hide in a buffer that poll cannot see */
	r->input = event_new(r->base, STDIN_FILENO, EV_READ | EV_PERSIST, on_input, r);
	return r->input != NULL && event_add(r->input, NULL) == 0 ? 0 : -ENOMEM;
}

static void
rack_done(struct rack *r)
{
	for (unsigned i = 0; r->live != NULL && i < WORLD_HANDLES_MAX; i++)
		if (r->plugged[i].used)
			pull_out(&r->plugged[i]);
	live_free(r->live);
	if (r->input != NULL)
		event_free(r->input);
	if (r->stop_int != NULL)
		event_free(r->stop_int);
	if (r->stop_term != NULL)
		event_free(r->stop_term);
	event_base_free(r->base);
}

static int
run(struct rack *r, const struct live_options *o)
{
	struct event_config *config = event_config_new();
	char error[512];
	int e = vhci_find("/sys/devices/platform", &r->vhci);

	if (config == NULL)
		return 1;
	(void)event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	r->base = event_base_new_with_config(config);
	event_config_free(config);
	if (r->base == NULL)
		return 1;
	if (e < 0) {
		(void)fprintf(stderr, "rack: vhci_hcd: %s (modprobe vhci-hcd, and be root)\n",
			      strerror(-e));
		return 1;
	}
	e = live_new(r->base, o, &world_callbacks, r, &r->live, error, sizeof(error));
	if (e < 0) {
		(void)fprintf(stderr, "rack: %s\n", error);
		return 1;
	}
	if (watch_the_operator(r, o->socket == NULL) < 0)
		return 1;
	(void)event_base_dispatch(r->base);
	return 0;
}

int
main(int argc, char **argv)
{
	struct live_options o = { .seed = 1, .quit_ends_loop = true };
	const char *command = NULL;
	struct rack *r;
	int status = parse_options(argc, argv, &o, &command);

	if (status != 0)
		return usage(status > 0 ? stdout : stderr);
	if (command != NULL)
		return o.socket != NULL ? live_client(o.socket, command) : usage(stderr);
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return 1;
	(void)signal(SIGPIPE, SIG_IGN);
	status = run(r, &o);
	if (r->base != NULL)
		rack_done(r);
	free(r);
	return status;
}
