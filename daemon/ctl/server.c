/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ctl/server.h"

#include <event2/event.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "cfdfu/proto.h"
#include "cfdfu/system.h"
#include "ctl/conn.h"
#include "ctl/listen.h"
#include "ctl/peer.h"

#define ACCEPTS_PER_WAKE_UP 4 /* LIMIT: newcomers' share before the others' turn */
#define PAUSE_MS 200	      /* of accepting, when the process has no descriptor left */

struct server {
	struct conns conns; /* the first member: tests look at them */
	struct server_options options;
	struct event_base *base;
	struct event *on_accept, *on_pause;
	int listen_fd;
	bool made_path;
};

static size_t
count_of(const struct server *s, uid_t uid)
{
	const struct conn *c;
	size_t n = 0;

	TAILQ_FOREACH(c, &s->conns.list, link)
		n += c->caller.peer.uid == uid;
	return n;
}

/* Closes the connection that has been idle for longest: of this user, or of any. */
static bool
close_oldest_idle(struct server *s, const uid_t *uid)
{
	struct conn *c;

	TAILQ_FOREACH(c, &s->conns.list, link)
		if (conn_is_idle(c) && (uid == NULL || c->caller.peer.uid == *uid)) {
			conn_close(c, true);
			return true;
		}
	return false;
}

/*
 * LIMIT: clients_max connections, clients_per_uid of one user, one place more for clients
 * that may change things, and one more for root: the operator always gets in, and root even when
 * there are too many operators.
 */
static bool
admit(struct server *s, const struct peer *peer)
{
	size_t max = s->options.clients_max + (peer->may_change ? 1 : 0) + (peer->uid == 0 ? 1 : 0);

	if (peer->uid != 0 && count_of(s, peer->uid) >= s->options.clients_per_uid &&
	    !close_oldest_idle(s, &peer->uid))
		return false;
	return s->conns.count < max || close_oldest_idle(s, NULL);
}

static void
turn_away(int fd)
{
	static const char text[] = "{\"error\":\"" PROTO_ERROR(
	    "Busy") "\",\"parameters\":"
		    "{\"reason\":\"too many connections to the station\"}}";

	(void)send(fd, text, sizeof(text), MSG_NOSIGNAL | MSG_DONTWAIT); /* a courtesy */
	(void)close(fd);
}

static int
let_in(struct server *s, int fd)
{
	struct peer peer;
	int r = peer_of_socket(fd, s->options.change_gid, &peer);

	if (r < 0) {
		(void)close(fd);
		return r;
	}
	if (s->conns.stopped || !admit(s, &peer)) {
		turn_away(fd);
		return -EBUSY;
	}
	return conn_new(&s->conns, fd, &peer);
}

static void
pause_accepting(struct server *s)
{
	struct timeval wait = { .tv_usec = PAUSE_MS * 1000 };

	(void)close_oldest_idle(s, NULL); /* none is idle: the pause alone has to do */
	if (event_add(s->on_pause, &wait) == 0)
		(void)event_del(s->on_accept); /* at worst it wakes up too often */
}

static void
on_acceptable(evutil_socket_t listen_fd, short what, void *arg)
{
	struct server *s = arg;

	(void)what;
	for (int n = 0; n < ACCEPTS_PER_WAKE_UP; n++) {
		int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			(void)let_in(s, fd); /* a client that is turned away is told */
			continue;
		}
		if (errno == ECONNABORTED || errno == EINTR)
			continue;
		/*
		 * WHY only the first time round, when a client is known to wait: the kernel takes
		 * the descriptor before it looks, and says EMFILE when none waits, too.
		 */
		if (errno != EAGAIN && n == 0)
			pause_accepting(s);
		break;
	}
}

static void
on_pause_over(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;

	(void)fd;
	(void)what;
	if (!s->conns.stopped && event_add(s->on_accept, NULL) < 0)
		pause_accepting(s);
}

/* ---- life ----------------------------------------------------------------------------------- */

static uint64_t
now_us(void *ctx)
{
	(void)ctx;
	return (uint64_t)clock_us(CLOCK_MONOTONIC);
}

/* The middle one of three is libevent's default. */
enum { PRIORITIES = 3, PRIORITY_CLIENTS = 2 };

struct event_base *
server_base_new(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config == NULL)
		return NULL;
	if (event_config_set_max_dispatch_interval(config, NULL, 1, PRIORITY_CLIENTS) == 0)
		base = event_base_new_with_config(config);
	event_config_free(config);
	if (base != NULL && event_base_priority_init(base, PRIORITIES) < 0) {
		event_base_free(base);
		base = NULL;
	}
	return base;
}

unsigned
server_requests_max(const struct server *s)
{
	return s->conns.ready.requests_max;
}

static int
start_listening(struct server *s)
{
	int r;

	if (s->listen_fd >= 0) {
		r = listen_take(s->listen_fd);
	} else {
		r = listen_at(s->options.socket_path);
		s->listen_fd = r < 0 ? -1 : r;
		s->made_path = r >= 0;
	}
	if (r < 0)
		return r;
	s->on_accept = ready_event(s->base, s->listen_fd, EV_READ | EV_PERSIST, on_acceptable, s);
	s->on_pause = ready_event(s->base, -1, 0, on_pause_over, s);
	if (s->on_accept == NULL || s->on_pause == NULL || event_add(s->on_accept, NULL) < 0)
		return -ENOMEM;
	return 0;
}

int
server_new(struct event_base *base, const struct server_options *options,
	   struct server **ret_server)
{
	struct server *s = calloc(1, sizeof(*s));
	int r;

	if (s == NULL) {
		if (options->listen_fd >= 0)
			(void)close(options->listen_fd); /* taken */
		return -ENOMEM;
	}
	s->base = base;
	s->options = *options;
	s->listen_fd = options->listen_fd;
	if (s->options.now_us == NULL)
		s->options.now_us = now_us;
	if (s->options.first_request_ms == 0)
		s->options.first_request_ms = PROTO_FIRST_REQUEST_MS;
	if (s->options.clients_max == 0)
		s->options.clients_max = PROTO_CLIENTS_MAX;
	if (s->options.clients_per_uid == 0)
		s->options.clients_per_uid = PROTO_CLIENTS_PER_UID;
	r = conns_init(&s->conns, base, &s->options);
	if (r == 0)
		r = start_listening(s);
	if (r < 0)
		goto out;
	*ret_server = s;
	s = NULL;
out:
	server_free(s);
	return r;
}

void
server_free(struct server *s)
{
	if (s == NULL)
		return;
	conns_done(&s->conns);
	if (s->on_accept != NULL)
		event_free(s->on_accept);
	if (s->on_pause != NULL)
		event_free(s->on_pause);
	if (s->made_path)
		(void)unlink(s->options.socket_path); /* left over, it is stale: replaced */
	if (s->listen_fd >= 0)
		(void)close(s->listen_fd);
	free(s);
}

void
server_stop(struct server *s)
{
	(void)event_del(s->on_accept); /* at worst newcomers are turned away */
	conns_stop(&s->conns);
}

size_t
server_client_count(const struct server *s)
{
	return s->conns.count;
}
