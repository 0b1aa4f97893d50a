/* SPDX-License-Identifier: MIT */
/*
 * Connections of the control socket: bytes and descriptors in and out, never waiting.
 *
 *   open --> call   a whole request was given to a handler                    [call_dispatch]
 *   call --> open   its answer was queued; the next request is looked at      [end_call]
 *   open, call --> closing   a request that is none: answered, then closed    [call_reject]
 *   any  --> broken   an error, or too much is queued                         [break_off]
 *   any  --> freed  hang-up, deadline, making room for others, or its end     [conn_close]
 *
 * INVARIANT: a connection is freed only by conn_close(), from callbacks of the event base; what
 * happens inside call_*() only queues, and marks what is to be closed (broken) for its turn.
 */
#ifndef CTL_CONN_H
#define CTL_CONN_H

#include "ctl/call.h"
#include "ctl/ready.h"

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
	struct ready_item ready; /* the first member */
	struct caller caller;
	TAILQ_ENTRY(conn) link;
	struct conns *all;
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
	bool eof;	     /* the client has said all it wants to say */
	bool closing;	     /* closed when the output is out */
	bool broken;	     /* closed in its turn, without sending the rest */
	bool told_full;	     /* a stream was told -EAGAIN: drained() is due */
	bool authentic;	     /* a first whole request has come */
};

TAILQ_HEAD(conn_list, conn);

struct conns {
	const struct server_options *options; /* borrowed */
	struct conn_list list;		      /* longest without a request first */
	size_t count;
	size_t out_bytes; /* queued for all */
	bool stopped;	  /* no new request is looked at */
	struct ready ready;
};

/* 0 or -ENOMEM. */
int conns_init(struct conns *all, struct event_base *base,
	       const struct server_options *options) MUST_CHECK;

/* Sends what is queued as far as the clients take it, closes all without gone(). */
void conns_done(struct conns *all);

/* No new requests. */
void conns_stop(struct conns *all);

/* Takes fd.  0 or negative errno. */
int conn_new(struct conns *all, int fd, const struct peer *peer) MUST_CHECK;

/* Tells gone() when asked to and a call is unanswered, then frees. */
void conn_close(struct conn *c, bool tell);

/* Nothing is going on, or it has not read for a long time: may be closed to make room. */
bool conn_is_idle(const struct conn *c);

#endif
