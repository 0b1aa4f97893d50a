/* SPDX-License-Identifier: MIT */
/* A server with a few methods in one process with its test. */
#include "config.h"

#include "server_world.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "cfdfu/proto.h"
#include "cfdfu/util.h"
#include "ctl/memfile.h"

static void
on_echo(void *ctx, struct call *call, json_t *parameters)
{
	struct world *w = ctx;

	w->handled++;
	call_reply(call, json_incref(parameters));
}

static void
on_defer(void *ctx, struct call *call, json_t *parameters)
{
	struct world *w = ctx;

	(void)parameters;
	w->handled++;
	w->pending = call;
	call_set_data(call, w);
}

static void
on_file(void *ctx, struct call *call, json_t *parameters)
{
	struct world *w = ctx;
	int fd = call_take_fd(call);
	uint8_t *data = NULL;
	size_t bytes = 0;
	const char *why;

	(void)parameters;
	w->handled++;
	assert_int_equal(call_take_fd(call), -1);
	if (memfile_read(fd, 1000, &data, &bytes, &why) < 0)
		call_refuse(call, PROTO_ERROR("BadDescriptor"), "%s", why);
	else
		call_reply(call, json_pack("{s:I}", "bytes", (json_int_t)bytes));
	w->fd_bytes = (int)bytes;
	free(data);
	close(fd);
}

static void
on_invalid(void *ctx, struct call *call, json_t *parameters)
{
	struct world *w = ctx;

	(void)parameters;
	w->handled++;
	call_invalid(call, "text");
}

static void
on_nothing(void *ctx, struct call *call, json_t *parameters)
{
	struct world *w = ctx;

	(void)parameters;
	w->handled++;
	call_reply(call, NULL);
}

const struct method_signature world_signatures[WORLD_METHODS] = {
	{ PROTO_METHOD("Echo"), 0,
	  { { "text", PARAM_STRING, false }, { "n", PARAM_INT, false } } },
	{ PROTO_METHOD("Defer"), 0, { { NULL, 0, 0 } } },
	{ PROTO_METHOD("Change"), METHOD_CHANGES, { { NULL, 0, 0 } } },
	{ PROTO_METHOD("Stream"), METHOD_STREAMS, { { NULL, 0, 0 } } },
	{ PROTO_METHOD("File"), METHOD_CHANGES | METHOD_DESCRIPTOR, { { NULL, 0, 0 } } },
	{ PROTO_METHOD("Invalid"), 0, { { "text", PARAM_STRING, true } } },
	{ PROTO_METHOD("Nothing"), 0, { { NULL, 0, 0 } } },
};

server_handler *const world_handlers[WORLD_METHODS] = {
	on_echo, on_defer, on_echo, on_defer, on_file, on_invalid, on_nothing,
};

static void
on_gone(void *ctx, struct call *call)
{
	struct world *w = ctx;

	assert_ptr_equal(call, w->pending);
	assert_ptr_equal(call_data(call), w);
	w->pending = NULL;
	w->gone++;
}

static void
on_drained(void *ctx, struct call *call)
{
	struct world *w = ctx;

	assert_ptr_equal(call, w->pending);
	w->drained++;
}

static void
on_denied(void *ctx, const struct peer *peer, const char *method)
{
	struct world *w = ctx;

	(void)peer;
	w->denied++;
	copy_text(w->denied_method, sizeof(w->denied_method), method);
}

char socket_path[108];

struct world *
world_new(unsigned clients_max, unsigned first_request_ms)
{
	struct world *w = calloc(1, sizeof(*w));
	struct server_options o = {
		.listen_fd = -1, .socket_path = socket_path, .change_gid = (gid_t)-1,
		.signatures = world_signatures, .handlers = world_handlers,
		.method_count = WORLD_METHODS, .version = "1.2.3", .ctx = w,
		.gone = on_gone, .drained = on_drained, .denied = on_denied,
		.clients_max = clients_max, .first_request_ms = first_request_ms,
	};

	snprintf(socket_path, sizeof(socket_path), "/tmp/cfdfu-test-%d.sock", (int)getpid());
	w->base = event_base_new();
	assert_int_equal(server_new(w->base, &o, &w->server), 0);
	return w;
}

void
world_free(struct world *w)
{
	server_free(w->server);
	event_base_free(w->base);
	free(w);
}

void
turn(struct world *w)
{
	for (int i = 0; i < 40; i++)
		event_base_loop(w->base, EVLOOP_NONBLOCK);
}

void
turn_for_ms(struct world *w, int ms)
{
	struct timeval wait = { .tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000 };

	event_base_loopexit(w->base, &wait);
	event_base_dispatch(w->base);
}

int
join(struct world *w)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	copy_text(sa.sun_path, sizeof(sa.sun_path), socket_path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	turn(w);
	return fd;
}

void
say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text) + 1, MSG_NOSIGNAL), strlen(text) + 1);
}

const char *
hear(struct world *w, int fd)
{
	static char text[TEXT_MAX];
	ssize_t n;

	turn(w);
	n = recv(fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	return n == 0 ? "EOF" : n < 0 ? "NOTHING" : text;
}

void
say_and_hear(struct world *w, int fd, const char *text, const char *expected)
{
	say(fd, text);
	assert_string_equal(hear(w, fd), expected);
}
