/* SPDX-License-Identifier: MIT */
/*
 * The connection to the service: calls and streams over the socket, or over a pipe to another
 * machine. Says itself what went wrong; functions that return int return 0 or an exit status.
 */
#ifndef CLIENT_CONN_H
#define CLIENT_CONN_H

#include "client/command.h"
#include "client/params.h"

struct conn;

#define CONN_TIMED_OUT (-1) /* of conn_next(): nothing yet */
#define CONN_LOST (-2)	    /* of conn_next() after conn_may_be_lost() */

/* Connects to the socket, or runs ssh. */
int conn_open(const struct session *s, struct conn **ret_conn) MUST_CHECK;
void conn_close(struct conn *c); /* NULL is fine */

/*
 * Calls and waits for the one answer; for a limited time, except when a file goes along (fd not
 * negative), or with a patient session: such calls take as long as the drone does.  p: NULL is {}.
 */
int conn_call(struct conn *c, const char *method, const struct params *p, int fd,
	      json_t **ret_parameters) MUST_CHECK;

/* Starts a call with "more"; replies come by conn_next(). */
int conn_start(struct conn *c, const char *method, json_t *take_parameters) MUST_CHECK;

/*
 * The next reply: 0; CONN_TIMED_OUT after timeout_ms (negative: never), or when a signal was
 * caught; or an exit status.
 */
int conn_next(struct conn *c, int timeout_ms, json_t **ret_parameters,
	      bool *ret_continues) MUST_CHECK;

/* Whether a connection that ends is not complained about but returned as CONN_LOST. */
void conn_may_be_lost(struct conn *c, bool may);

/* How long a service may take to answer what costs it no time. */
int conn_patience_ms(const struct session *s);

/* Says that it took longer; the exit status. */
int conn_no_answer(const struct conn *c);

/* Text for standard output before any sentence on trouble: what gives a screen back.  Borrowed. */
void conn_before_trouble(struct conn *c, const char *text);

/* To wait for with poll(2); what conn_next() has taken in already is not seen there. */
int conn_fd(const struct conn *c);

/* Opens, calls, closes: one question of one command; with a file as conn_call() has it. */
int conn_ask(const struct session *s, const char *method, struct params *take_p,
	     json_t **ret_parameters) MUST_CHECK;
int conn_ask_with(const struct session *s, const char *method, struct params *take_p, int fd,
		  json_t **ret_parameters) MUST_CHECK;

/*
 * Asks, and shows the answer: as JSON, or by print(), which returns an exit status.  Sentences on
 * what was refused (member refused) are notes before that, and EXIT_REFUSED.
 */
int conn_show(const struct session *s, const char *method, struct params *take_p,
	      int (*print)(const struct session *s, const json_t *reply)) MUST_CHECK;

/* The same with what the command's descriptor has: method, parameters and print(). */
int conn_run(const struct session *s, const struct invocation *i) MUST_CHECK;

#endif
