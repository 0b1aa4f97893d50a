/* SPDX-License-Identifier: MIT */
/*
 * One connection of the control socket.  Shared by server.c (who gets in), conn.c (bytes) and
 * call.c (calls) only.
 *
 *   open --> call   a whole request, given to a handler                       [call_dispatch]
 *   call --> open   its answer was queued; the next request is looked at      [call_end, conn_turn]
 *   open, call --> closing   a request that is none: answered, then closed
 *                                                                    [conn_close_after_output]
 *   any  --> freed  hang-up, error, deadline, or making room for others            [conn_close]
 *
 * INVARIANT: a connection is freed only by conn_close(), from callbacks of the event base; what
 * happens inside call_*() only queues, and marks what is to be closed (broken) for conn_turn().
 */
#ifndef CTL_CONN_H
#define CTL_CONN_H

#include <event2/util.h>
#include <stdint.h>
#include <sys/queue.h>

#include "ctl/server.h"
#include "ctl/share.h"

struct event;
struct varlink_in;

#define CONN_FDS_MAX 4 /* LIMIT: descriptors waiting for their message; a call takes one */

struct chunk {
	STAILQ_ENTRY(chunk) link;
	char *text;
	size_t count;
	size_t sent;
};

struct conn {
	TAILQ_ENTRY(conn) link, ready_link;
	struct server *server;
	struct peer peer;
	int fd;
	struct event *on_read, *on_write, *on_deadline;
	struct varlink_in *in;
	struct {
		int fd;
		uint64_t at; /* it belongs to the message that holds this byte of the stream */
	} fds[CONN_FDS_MAX];
	size_t fd_count;
	STAILQ_HEAD(, chunk) out;
	size_t out_bytes;
	int64_t progress_ms; /* when it last sent or took something */
	struct call *call;   /* the one that is not answered yet */
	bool eof;	     /* the client has said all it wants to say */
	bool closing;	     /* closed when the output is out */
	bool broken;	     /* closed by conn_turn(), whatever is queued */
	bool told_full;	     /* a stream was told -EAGAIN: drained() is due */
	bool authentic;	     /* a first whole request has come */
	bool is_ready;	     /* among those that wait for their turn */
};

struct call {
	struct conn *conn;
	const struct method_signature *signature;
	json_t *parameters;
	void *data;
	int fd;
	bool more, oneway;
	bool in_handler; /* not freed before its handler has returned */
	bool answered;
};

TAILQ_HEAD(conn_list, conn);

struct server {
	struct event_base *base;
	struct server_options options;
	struct event *on_accept, *on_pause, *on_turn;
	struct conn_list conns; /* longest without a request first */
	struct conn_list ready; /* something is to be done for them: first come, first served */
	struct share share;	/* of the loop's time, for this turn */
	unsigned requests;	/* taken in this turn */
	unsigned requests_max;	/* taken in one turn, since the start */
	size_t conn_count;
	size_t out_bytes; /* queued for all */
	int listen_fd;
	bool made_path;
	bool stopped;
};

/* An event of the lowest priority that the base has: devices and their timers come first. */
struct event *server_event(struct event_base *base, int fd, short what,
			   void (*call)(evutil_socket_t fd, short what, void *arg), void *arg);

/* A connection is ready: there will be a turn. */
void server_wake(struct server *s);

/* Takes fd.  0 or negative errno. */
int conn_new(struct server *s, int fd, const struct peer *peer) MUST_CHECK;

/* Tells gone() when asked to and a call is unanswered, then frees. */
void conn_close(struct conn *c, bool tell);

/* Nothing is going on, or it has not read for a long time: may be closed to make room. */
bool conn_is_idle(const struct conn *c);

/* Sends what is queued as far as the client takes it, without waiting; may mark it broken. */
void conn_flush(struct conn *c);

/* Queues a malloc()ed message, taken. */
void conn_send(struct conn *c, char *take_text, size_t count);

/* To be closed from the event loop, at once, or when all output is out. */
void conn_break(struct conn *c);
void conn_close_after_output(struct conn *c);

/* Something changed: it gets a turn soon. */
void conn_wake(struct conn *c);

/* Its turn: one request at most, and its end when it is over (freed then). */
void conn_turn(struct conn *c);

/*
 * The first descriptor that belongs to the request consumed last, now the caller's, or -1; further
 * ones of that request are closed.
 */
int conn_claim_fd(struct conn *c);

/* A whole request. */
void call_dispatch(struct conn *c, const char *text, size_t count);

/* Answers bytes that are no request, and closes. */
void call_reject(struct conn *c, const char *why);

/* Frees it with its descriptor. */
void call_free(struct call *call);

#endif
