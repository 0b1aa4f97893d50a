/* SPDX-License-Identifier: MIT */
/* A server with a few methods in one process with its test, for the tests of ctl/server. */
#ifndef TESTS_SERVER_WORLD_H
#define TESTS_SERVER_WORLD_H

#include "ctl/server.h"

struct event_base;

#define WORLD_COUNTS 16

/* The calls that the handlers saw, and the answers that they shall give. */
struct world {
	struct event_base *base;
	struct server *server;
	struct conns *conns; /* of the server */
	struct server_options options;
	struct call *pending; /* the deferred call */
	int handled, gone, drained, denied;
	char denied_method[64];
	int done, refused; /* answers to what changes something */
	char refused_error[64], changed_text[64];
	int fd_bytes;	   /* size of the passed file */
	uint64_t clock_us; /* the server's clock: stands still but for what requests cost */
	uint64_t cost_us;  /* of one Echo */
	void (*on_request)(void *ctx, bool answered); /* an Echo begins, has ended; may be NULL */
	void *on_request_ctx;
	int counts[WORLD_COUNTS]; /* Echos by their number */
};

#define WORLD_METHODS 11
#define WORLD_GID 54321 /* the group that may change things */
#define TEXT_MAX 8192	/* of what hear() hears at once */

extern const struct method_signature world_signatures[WORLD_METHODS];
extern server_handler *const world_handlers[WORLD_METHODS];
extern char socket_path[108];

struct world *server_world_new(unsigned clients_max, unsigned first_request_ms);
void server_world_free(struct world *w);
/* One with the usual limits, in *state. */
int server_world_set_up(void **state);
int server_world_tear_down(void **state);
#define TEST_SET_UP(name) TEST_WITH(name, server_world_set_up, server_world_tear_down)
/* Lets the server do all it can do now. */
void turn(struct world *w);
void turn_for_ms(struct world *w, int ms);
/* Connects, without blocking. */
int join(struct world *w);
int connect_only(void); /* the same, without the server's turn */
void connect_fd(int fd);
/* Text and its NUL. */
void say(int fd, const char *text);
/* The next thing received so far: one message, "EOF" or "NOTHING". */
const char *hear(struct world *w, int fd);
void say_and_hear(struct world *w, int fd, const char *text, const char *expected);

#define CALL(name) "{\"method\":\"org.cfdfu.Station." name "\"}"
#define CALL_WITH(name, p) "{\"method\":\"org.cfdfu.Station." name "\",\"parameters\":" p "}"
#define ERROR(name, p) "{\"error\":\"org.cfdfu.Station." name "\",\"parameters\":" p "}"
#define SERVICE_ERROR(name, p) "{\"error\":\"org.varlink.service." name "\",\"parameters\":" p "}"
#define WATCH "{\"method\":\"org.cfdfu.Station.Stream\",\"more\":true}"

#endif
