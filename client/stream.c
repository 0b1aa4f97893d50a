/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/stream.h"

#include <libgen.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "client/conn.h"
#include "client/out.h"
#include "client/socket.h"
#include "client/when.h"

#define RETRY_FIRST_MS 100
#define RETRY_MAX_MS 3000
#define PATH_BYTES 4096

struct stream {
	const struct session *session;
	const char *method;
	json_t *parameters;
	const char *before_trouble;
	struct conn *conn; /* NULL: lost */
	bool replied;	   /* there was a reply: from now on a lost connection is waited for */
	bool heard;	   /* on this connection */
	int64_t first_until_ms;
	int watch; /* inotify; -1 */
	int retry_ms;
	int64_t retry_at_ms;
};

static int
start(struct stream *st)
{
	int r = conn_open(st->session, &st->conn);

	if (r != 0)
		return r;
	conn_before_trouble(st->conn, st->before_trouble);
	conn_may_be_lost(st->conn, st->replied);
	return conn_start(st->conn, st->method, json_incref(st->parameters));
}

int
stream_open(const struct session *s, const char *method, json_t *take_parameters,
	    struct stream **ret_stream)
{
	struct stream *st = calloc(1, sizeof(*st));
	int r;

	if (st == NULL) {
		json_decref(take_parameters);
		return say_no_memory();
	}
	*st = (struct stream){ .session = s,
			       .method = method,
			       .parameters = take_parameters,
			       .watch = -1,
			       .first_until_ms = when_ms() + conn_patience_ms(s) };
	r = start(st);
	if (r == 0)
		*ret_stream = st;
	else
		stream_close(st);
	return r;
}

void
stream_wait_for_first(struct stream *st)
{
	st->replied = true;
	st->before_trouble = ""; /* WHY: who waits for several says himself which is lost */
	conn_may_be_lost(st->conn, true);
}

void
stream_before_trouble(struct stream *st, const char *text)
{
	st->before_trouble = text;
	if (st->conn != NULL)
		conn_before_trouble(st->conn, text);
}

void
stream_close(struct stream *st)
{
	if (st == NULL)
		return;
	conn_close(st->conn);
	if (st->watch >= 0)
		(void)close(st->watch);
	json_decref(st->parameters);
	free(st);
}

/* WHY it may fail: then there is the time-out alone. */
static int
watch_directory(const char *socket_path)
{
	char path[PATH_BYTES];
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	copy_text(path, sizeof(path), socket_path);
	if (fd >= 0 && inotify_add_watch(fd, dirname(path), IN_CREATE | IN_MOVED_TO) < 0) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

static void
lose(struct stream *st)
{
	conn_close(st->conn);
	st->conn = NULL;
	if (st->session->host == NULL)
		st->watch = watch_directory(st->session->socket_path);
	if (st->heard || st->retry_ms == 0)
		st->retry_ms = RETRY_FIRST_MS;
	st->retry_at_ms = when_ms() + st->retry_ms;
	if (st->heard && !st->session->json && st->before_trouble == NULL)
		say_note("(the service has gone away; waiting for it to come back)");
	st->heard = false;
}

/* Takes what inotify has to say; true when that was something. */
static bool
has_changed(const struct stream *st)
{
	char events[4096];
	bool changed = false;

	while (st->watch >= 0 && read(st->watch, events, sizeof(events)) > 0)
		changed = true;
	return changed;
}

/* 0 when it is back, CONN_TIMED_OUT when it is not, or an exit status. */
static int
try_again(struct stream *st)
{
	int r;

	if (!has_changed(st) && when_ms() < st->retry_at_ms)
		return CONN_TIMED_OUT;
	st->retry_ms = st->retry_ms < RETRY_MAX_MS / 2 ? 2 * st->retry_ms : RETRY_MAX_MS;
	st->retry_at_ms = when_ms() + st->retry_ms;
	if (!socket_is_there(st->session))
		return CONN_TIMED_OUT;
	r = start(st);
	if (r == CONN_LOST) {
		conn_close(st->conn);
		st->conn = NULL;
		return CONN_TIMED_OUT;
	}
	if (r != 0)
		return r;
	if (st->watch >= 0)
		(void)close(st->watch);
	st->watch = -1;
	return 0;
}

static int
wait_and_try(struct stream *st, int timeout_ms)
{
	struct pollfd p = { .fd = st->watch, .events = POLLIN };
	int wait_ms = stream_wait_ms(st), r;

	if (timeout_ms >= 0 && timeout_ms < wait_ms)
		wait_ms = timeout_ms;
	(void)poll(&p, 1, wait_ms); /* WHY: a signal is as good as a time-out */
	r = try_again(st);
	return r == 0 ? CONN_TIMED_OUT : r;
}

int
stream_next(struct stream *st, int timeout_ms, json_t **ret_reply)
{
	int64_t left_ms = st->first_until_ms - when_ms();
	int r;

	if (st->conn == NULL)
		return wait_and_try(st, timeout_ms);
	left_ms = left_ms > 0 ? left_ms : 0;
	if (!st->replied && (timeout_ms < 0 || left_ms < timeout_ms))
		timeout_ms = (int)left_ms;
	r = conn_next(st->conn, timeout_ms, ret_reply, NULL);
	if (r == CONN_TIMED_OUT && !st->replied && when_ms() >= st->first_until_ms)
		return conn_no_answer(st->conn);
	if (r == 0) {
		if (st->replied && !st->heard && !st->session->json && st->before_trouble == NULL)
			say_note("(the service is back)");
		st->replied = st->heard = true;
		conn_may_be_lost(st->conn, true);
	}
	if (r != CONN_LOST)
		return r;
	lose(st);
	return CONN_TIMED_OUT;
}

int
stream_fd(const struct stream *st)
{
	return st->conn != NULL ? conn_fd(st->conn) : st->watch;
}

int
stream_wait_ms(const struct stream *st)
{
	int64_t until = st->conn == NULL ? st->retry_at_ms : st->replied ? -1 : st->first_until_ms;
	int64_t left = until - when_ms();

	if (until < 0)
		return -1;
	return left > 0 ? (int)left : 0;
}

bool
stream_is_lost(const struct stream *st)
{
	return st->replied && !st->heard;
}
