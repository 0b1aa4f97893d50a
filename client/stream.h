/* SPDX-License-Identifier: MIT */
/*
 * A stream of replies that outlives the service: when the service goes away after the first reply,
 * the stream connects again as soon as it is back, and starts its call anew.
 *
 *   CONNECTED --(connection lost)--> LOST --(the socket is back)--> CONNECTED
 *
 * While it is lost, its descriptor reports changes beside the socket's path, and its time-out says
 * when to try again: after 100 ms, then twice as long each time, at most 3 s.
 */
#ifndef CLIENT_STREAM_H
#define CLIENT_STREAM_H

#include "client/command.h"

struct stream;

/* Connects and calls.  0 or an exit status, said.  text: see conn_before_trouble(). */
int stream_open(const struct session *s, const char *method, json_t *take_parameters,
		struct stream **ret_stream) MUST_CHECK;
/* A first connection that fails is waited for like one that is lost later. */
void stream_wait_for_first(struct stream *st);
void stream_before_trouble(struct stream *st, const char *text);
void stream_close(struct stream *st); /* NULL is fine */

/*
 * The next reply: 0; CONN_TIMED_OUT after timeout_ms (negative: never), and whenever the stream was
 * lost or is back; or an exit status, said.
 */
int stream_next(struct stream *st, int timeout_ms, json_t **ret_reply) MUST_CHECK;

/* To wait for with poll(2): the descriptor (-1: none) and the longest wait (-1: any). */
int stream_fd(const struct stream *st);
int stream_wait_ms(const struct stream *st);

/* Nothing was heard since the connection was lost, or at all while the first one is waited for. */
bool stream_is_lost(const struct stream *st);

#endif
