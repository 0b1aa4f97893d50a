/* SPDX-License-Identifier: MIT */
/* A client as calls see it: its identity, the call under way, and the way back to it. */
#ifndef CTL_CALL_H
#define CTL_CALL_H

#include "ctl/server.h"

struct caller;

/* Functions of the connection.  None of them calls back into call.c, and none frees the caller. */
struct call_transport {
	/* Queues a malloc()ed message, taken. */
	void (*send)(struct caller *c, char *take_text, size_t count);
	/* The same for a stream.  0, also when it is dropped since the connection breaks; -EAGAIN:
	 * the client does not read. */
	int (*stream)(struct caller *c, char *take_text, size_t count);
	void (*answered)(struct caller *c);  /* the next request may be looked at */
	void (*finish)(struct caller *c);    /* closes when all is sent */
	void (*break_off)(struct caller *c); /* closes at once */
};

struct caller {
	const struct call_transport *transport;
	const struct server_options *options; /* borrowed */
	struct peer peer;
	struct call *call; /* the one that is not answered yet */
};

/* A whole request and the descriptor that came with it (-1: none), taken. */
void call_dispatch(struct caller *c, const char *text, size_t count, int take_fd);

/* Answers bytes that are no request, and closes. */
void call_reject(struct caller *c, const char *why);

/* Frees the call that is under way with its descriptor, after gone() when the handler is to know.
 * There may be none. */
void call_abandon(struct caller *c, bool tell);

#endif
