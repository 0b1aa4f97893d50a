/* SPDX-License-Identifier: MIT */
/* A server with a few methods in one process with its test. */
#include "config.h"

#include "server_world.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "test.h"

#include "cfdfu/proto.h"
#include "cfdfu/util.h"
#include "ctl/memfile.h"

static void
on_echo(void *ctx, struct call *call, json_t *parameters)
{
	struct world *w = ctx;

	json_int_t n = json_integer_value(json_object_get(parameters, "n"));

	w->handled++;
	if (w->on_request != NULL)
		w->on_request(w->on_request_ctx, false);
	w->clock_us += w->cost_us;
	if (n < WORLD_COUNTS)
		w->counts[n]++;
	call_reply(call, json_incref(parameters));
	if (w->on_request != NULL)
		w->on_request(w->on_request_ctx, true);
}

static uint64_t
world_now_us(void *ctx)
{
	const struct world *w = ctx;

	return w->clock_us;
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

/* Says as much as there is room for, and stays pending. */
static void
on_flood(void *ctx, struct call *call, json_t *parameters)
{
	char text[60000];
	unsigned left = 100;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	on_defer(ctx, call, parameters);
	while (left > 0 && call_continue(call, json_pack("{s:s}", "x", text)) == 0)
		left--;
}

/* Leaves the descriptor where it is. */
static void
on_ignore(void *ctx, struct call *call, json_t *parameters)
{
	on_defer(ctx, call, parameters);
	call_error(call, PROTO_ERROR("Busy"), json_object());
}

/* Answers first and looks at the call afterwards. */
static void
on_late(void *ctx, struct call *call, json_t *parameters)
{
	struct world *w = ctx;

	(void)parameters;
	w->handled++;
	call_refuse(call, PROTO_ERROR("Busy"), "no");
	assert_string_equal(call_method(call), PROTO_METHOD("Late"));
	assert_int_equal(call_peer(call)->pid, getpid());
	assert_int_equal(close(call_take_fd(call)), 0);
	assert_int_equal(call_take_fd(call), -1);
}

/* More than a reply may have. */
static void
on_too_much(void *ctx, struct call *call, json_t *parameters)
{
	char *text = malloc(PROTO_REPLY_BYTES_MAX + 1);

	on_defer(ctx, call, parameters);
	if (text != NULL) {
		memset(text, 'x', PROTO_REPLY_BYTES_MAX);
		text[PROTO_REPLY_BYTES_MAX] = '\0';
	}
	call_reply(call, json_pack("{s:s?}", "x", text));
	free(text);
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
	{ PROTO_METHOD("Echo"), 0, { { "text", PARAM_STRING, false }, { "n", PARAM_INT, false } } },
	{ PROTO_METHOD("Defer"), 0, { { NULL, 0, 0 } } },
	{ PROTO_METHOD("Change"), METHOD_CHANGES, { { "text", PARAM_STRING, false } } },
	{ PROTO_METHOD("Stream"), METHOD_STREAMS, { { NULL, 0, 0 } } },
	{ PROTO_METHOD("File"), METHOD_CHANGES | METHOD_DESCRIPTOR, { { NULL, 0, 0 } } },
	{ PROTO_METHOD("Invalid"), 0, { { "text", PARAM_STRING, true } } },
	{ PROTO_METHOD("Nothing"), 0, { { NULL, 0, 0 } } },
	{ PROTO_METHOD("Flood"), METHOD_STREAMS, { { NULL, 0, 0 } } },
	{ PROTO_METHOD("Ignore"), METHOD_DESCRIPTOR, { { NULL, 0, 0 } } },
	{ PROTO_METHOD("TooMuch"), 0, { { NULL, 0, 0 } } },
	{ PROTO_METHOD("Late"), METHOD_DESCRIPTOR, { { NULL, 0, 0 } } },
};

server_handler *const world_handlers[WORLD_METHODS] = {
	on_echo,    on_defer, on_echo,	 on_defer,    on_file, on_invalid,
	on_nothing, on_flood, on_ignore, on_too_much, on_late,
};

static void
on_gone(void *ctx, struct call *call)
{
	struct world *w = ctx;

	assert_ptr_equal(call_data(call), w);
	if (w->pending == call)
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

static void
on_answered(void *ctx, struct call *call, const char *error, const json_t *parameters)
{
	struct world *w = ctx;
	const json_t *text = json_object_get(call_parameters(call), "text");

	assert_non_null(parameters);
	assert_int_equal(call_peer(call)->pid, getpid());
	w->done += error == NULL;
	w->refused += error != NULL;
	copy_text(w->refused_error, sizeof(w->refused_error), error);
	copy_text(w->changed_text, sizeof(w->changed_text), json_string_value(text));
}

char socket_path[108];

struct world *
server_world_new(unsigned clients_max, unsigned first_request_ms)
{
	struct world *w = calloc(1, sizeof(*w));
	const struct server_options o = {
		.listen_fd = -1,
		.socket_path = socket_path,
		.change_gid = WORLD_GID,
		.change_group = "fliers",
		.signatures = world_signatures,
		.handlers = world_handlers,
		.method_count = WORLD_METHODS,
		.version = "1.2.3",
		.ctx = w,
		.gone = on_gone,
		.drained = on_drained,
		.denied = on_denied,
		.answered = on_answered,
		.now_us = world_now_us,
		.clients_max = clients_max,
		.first_request_ms = first_request_ms,
	};

	snprintf(socket_path, sizeof(socket_path), "/tmp/cfdfu-test-%d.sock", (int)getpid());
	w->base = server_base_new();
	assert_non_null(w->base);
	w->options = o;
	assert_int_equal(server_new(w->base, &o, &w->server), 0);
	w->conns = (struct conns *)(void *)w->server; /* its first member */
	return w;
}

void
server_world_free(struct world *w)
{
	server_free(w->server);
	event_base_free(w->base);
	free(w);
}

int
server_world_set_up(void **state)
{
	*state = server_world_new(0, 0);
	return 0;
}

int
server_world_tear_down(void **state)
{
	server_world_free(*state);
	return 0;
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

void
connect_fd(int fd)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	copy_text(sa.sun_path, sizeof(sa.sun_path), socket_path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
}

int
connect_only(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	connect_fd(fd);
	return fd;
}

int
join(struct world *w)
{
	int fd = connect_only();

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
