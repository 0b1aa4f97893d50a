/* SPDX-License-Identifier: MIT */
/* The control socket's server: who gets in, and the life of the whole. */
#include "config.h"

#include "ctl/server.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cfdfu/proto.h"
#include "cfdfu/system.h"
#include "ctl/conn.h"
#include "ctl/listen.h"
#include "ctl/peer.h"

#define ACCEPTS_PER_WAKE_UP 4 /* LIMIT: newcomers' share before the others' turn */
#define TURN_CONNS 16	      /* LIMIT: connections of one turn, however little they cost */
#define PAUSE_MS 200	      /* of accepting, when the process has no descriptor left */

static size_t
count_of(const struct server *s, uid_t uid)
{
	const struct conn *c;
	size_t n = 0;

	TAILQ_FOREACH(c, &s->conns, link)
		n += c->peer.uid == uid;
	return n;
}

/* Closes the connection that has been idle for longest: of this user, or of anybody. */
static bool
close_oldest_idle(struct server *s, const uid_t *uid)
{
	struct conn *c;

	TAILQ_FOREACH(c, &s->conns, link)
		if (conn_is_idle(c) && (uid == NULL || c->peer.uid == *uid)) {
			conn_close(c, true);
			return true;
		}
	return false;
}

/*
 * LIMIT: clients_max connections, clients_per_uid of one user, one place more for those who may
 * change things, and one more for root: whatever others do, the operator gets in, and root when the
 * operators are too many.
 */
static bool
admit(struct server *s, const struct peer *peer)
{
	size_t max = s->options.clients_max + (peer->may_change ? 1 : 0) + (peer->uid == 0 ? 1 : 0);

	if (peer->uid != 0 && count_of(s, peer->uid) >= s->options.clients_per_uid &&
	    !close_oldest_idle(s, &peer->uid))
		return false;
	return s->conn_count < max || close_oldest_idle(s, NULL);
}

static void
turn_away(int fd)
{
	static const char text[] = "{\"error\":\"" PROTO_ERROR(
	    "Busy") "\",\"parameters\":"
		    "{\"reason\":\"too many connections to the station\"}}";

	(void)send(fd, text, sizeof(text), MSG_NOSIGNAL | MSG_DONTWAIT); /* WHY: a courtesy */
	(void)close(fd); /* WHY: nothing of ours is lost with it */
}

static int
let_in(struct server *s, int fd)
{
	struct peer peer;
	int r = peer_of_socket(fd, s->options.change_gid, &peer);

	if (r < 0) {
		(void)close(fd); /* WHY: the first failure is the one to tell */
		return r;
	}
	if (s->stopped || !admit(s, &peer)) {
		turn_away(fd);
		return -EBUSY;
	}
	return conn_new(s, fd, &peer);
}

static void
pause_accepting(struct server *s)
{
	struct timeval wait = { .tv_usec = PAUSE_MS * 1000 };

	(void)close_oldest_idle(s, NULL); /* WHY: nobody idle: the pause alone must do */
	if (event_add(s->on_pause, &wait) == 0)
		(void)event_del(s->on_accept); /* WHY: at worst it wakes up too often */
}

static void
on_acceptable(evutil_socket_t listen_fd, short what, void *arg)
{
	struct server *s = arg;

	(void)what;
	for (int n = 0; n < ACCEPTS_PER_WAKE_UP; n++) {
		int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			(void)let_in(s, fd); /* WHY: who was turned away was told */
			continue;
		}
		if (errno == ECONNABORTED || errno == EINTR)
			continue;
		/*
		 * WHY only the first time round, when somebody is known to wait: the kernel takes
		 * the descriptor before it looks, and says EMFILE when nobody waits, too.
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
	if (!s->stopped && event_add(s->on_accept, NULL) < 0)
		pause_accepting(s);
}

/* ---- turns ---------------------------------------------------------------------------------- */

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

struct event *
server_event(struct event_base *base, int fd, short what,
	     void (*call)(evutil_socket_t fd, short what, void *arg), void *arg)
{
	struct event *e = event_new(base, fd, what, call, arg);

	if (e != NULL)
		(void)event_priority_set(e, event_base_get_npriorities(base) -
						1); /* WHY: not yet active: cannot fail */
	return e;
}

/*
 * WHY a timer and not event_active(): what is activated in a callback runs in the same turn of the
 * loop; what is due is looked for after the devices.
 */
static void
turn_after(struct server *s, uint64_t us)
{
	struct timeval wait = { .tv_sec = (time_t)(us / 1000000),
				.tv_usec = (suseconds_t)(us % 1000000) };

	if (event_add(s->on_turn, &wait) < 0)
		event_active(s->on_turn, EV_TIMEOUT, 0);
}

void
server_wake(struct server *s)
{
	if (event_pending(s->on_turn, EV_TIMEOUT, NULL) == 0)
		turn_after(s, 0);
}

static uint64_t
server_now_us(const struct server *s)
{
	return s->options.now_us(s->options.ctx);
}

/* One request each, in turn, until the share of time is used up. */
static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;
	const struct server_options *o = &s->options;
	uint64_t rest_us;

	(void)fd;
	(void)what;
	if (TAILQ_EMPTY(&s->ready))
		return;
	s->requests = 0;
	if (o->work != NULL)
		o->work(o->ctx, true);
	share_begin(&s->share, server_now_us(s));
	for (int left = TURN_CONNS; left > 0 && !TAILQ_EMPTY(&s->ready); left--) {
		struct conn *c = TAILQ_FIRST(&s->ready);

		TAILQ_REMOVE(&s->ready, c, ready_link);
		c->is_ready = false;
		conn_turn(c);
		if (share_is_spent(&s->share, server_now_us(s)))
			break;
	}
	if (s->requests > s->requests_max)
		s->requests_max = s->requests;
	if (o->work != NULL)
		o->work(o->ctx, false);
	rest_us = share_end(&s->share, server_now_us(s), o->at_work != NULL && o->at_work(o->ctx));
	/* WHY also when none is ready: who comes during the rest waits for its end. */
	if (rest_us > 0 || !TAILQ_EMPTY(&s->ready))
		turn_after(s, rest_us);
}

unsigned
server_requests_max(const struct server *s)
{
	return s->requests_max;
}

/* ---- life ----------------------------------------------------------------------------------- */

static int
start_listening(struct server *s)
{
	int r;

	if (s->options.listen_fd >= 0) {
		s->listen_fd = s->options.listen_fd;
		r = listen_take(s->listen_fd);
	} else {
		r = listen_at(s->options.socket_path);
		s->listen_fd = r < 0 ? -1 : r;
		s->made_path = r >= 0;
	}
	if (r < 0)
		return r;
	s->on_accept = server_event(s->base, s->listen_fd, EV_READ | EV_PERSIST, on_acceptable, s);
	s->on_pause = server_event(s->base, -1, 0, on_pause_over, s);
	s->on_turn = server_event(s->base, -1, 0, on_turn, s);
	if (s->on_accept == NULL || s->on_pause == NULL || s->on_turn == NULL ||
	    event_add(s->on_accept, NULL) < 0)
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
			(void)close(options->listen_fd); /* WHY: taken, and nothing was written */
		return -ENOMEM;
	}
	s->base = base;
	s->options = *options;
	s->listen_fd = -1;
	TAILQ_INIT(&s->conns);
	TAILQ_INIT(&s->ready);
	if (s->options.now_us == NULL)
		s->options.now_us = now_us;
	if (s->options.first_request_ms == 0)
		s->options.first_request_ms = PROTO_FIRST_REQUEST_MS;
	if (s->options.clients_max == 0)
		s->options.clients_max = PROTO_CLIENTS_MAX;
	if (s->options.clients_per_uid == 0)
		s->options.clients_per_uid = PROTO_CLIENTS_PER_UID;
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
	while (!TAILQ_EMPTY(&s->conns)) {
		conn_flush(TAILQ_FIRST(&s->conns)); /* what the last ending had to say */
		conn_close(TAILQ_FIRST(&s->conns), false);
	}
	if (s->on_accept != NULL)
		event_free(s->on_accept);
	if (s->on_pause != NULL)
		event_free(s->on_pause);
	if (s->on_turn != NULL)
		event_free(s->on_turn);
	if (s->made_path)
		(void)unlink(s->options.socket_path); /* WHY: left over, it is stale: replaced */
	if (s->listen_fd >= 0)
		(void)close(s->listen_fd); /* WHY: nothing was written */
	free(s);
}

void
server_stop(struct server *s)
{
	struct conn *c;

	s->stopped = true;
	(void)event_del(s->on_accept); /* WHY: at worst newcomers are turned away */
	TAILQ_FOREACH(c, &s->conns, link)
		conn_wake(c);
}

size_t
server_client_count(const struct server *s)
{
	return s->conn_count;
}
