/* SPDX-License-Identifier: MIT */
/* One connection of the control socket: bytes and descriptors in, bytes out, never waiting. */
#include "config.h"

#include "ctl/conn.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cfdfu/proto.h"
#include "cfdfu/system.h"
#include "wire/varlink.h"

#define READ_BYTES 16384
#define READS_PER_WAKE_UP 8 /* LIMIT: one client's share before the others' turn */
#define FDS_PER_READ 8	    /* room for ancillary data; the kernel closes what does not fit */
#define UNREAD_MAX 65536    /* LIMIT: queued bytes above which no new request is looked at */
#define STALLED_MS 10000    /* no progress in sending for so long: may be closed to make room */
#define TOTAL_BYTES_MAX (16U * 1024U * 1024U) /* LIMIT: queued for all clients */

static void
close_fd(int fd)
{
	if (fd >= 0)
		(void)close(fd); /* WHY: a passed descriptor we only read; the result is not ours */
}

/* Arms what is wanted, disarms the rest. */
static void
update_events(struct conn *c)
{
	bool done = c->broken || c->closing || c->server->stopped;
	bool full = varlink_in_room(c->in) == 0 || c->out_bytes >= UNREAD_MAX;
	bool want_read = !done && !c->eof && !full;
	int r = 0;

	r |= want_read ? event_add(c->on_read, NULL) : event_del(c->on_read);
	r |= c->out_bytes > 0 ? event_add(c->on_write, NULL) : event_del(c->on_write);
	if (r < 0)
		c->broken = true;
}

int
conn_claim_fd(struct conn *c)
{
	uint64_t end = varlink_in_consumed(c->in);
	size_t kept = 0;
	int claimed = -1;

	for (size_t i = 0; i < c->fd_count; i++) {
		if (c->fds[i].at > end)
			c->fds[kept++] = c->fds[i];
		else if (claimed < 0)
			claimed = c->fds[i].fd;
		else
			close_fd(c->fds[i].fd);
	}
	c->fd_count = kept;
	return claimed;
}

/* One whole request, if it may be looked at now.  True: there may be another one behind it. */
static bool
process(struct conn *c)
{
	const char *text;
	size_t count;
	int r;

	if (c->call != NULL || c->closing || c->broken || c->server->stopped ||
	    c->out_bytes >= UNREAD_MAX)
		return false;
	r = varlink_in_next(c->in, &text, &count);
	if (r < 0)
		call_reject(c, "a request has at most 64 KiB");
	if (r <= 0)
		return false;
	c->progress_ms = clock_ms(CLOCK_MONOTONIC);
	if (!c->authentic) {
		c->authentic = true;
		(void)event_del(c->on_deadline); /* WHY: fires in vain at worst */
	}
	TAILQ_REMOVE(&c->server->conns, c, link);
	TAILQ_INSERT_TAIL(&c->server->conns, c, link);
	c->server->requests++;
	call_dispatch(c, text, count);
	return true;
}

static bool
hung_up(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR)) != 0;
}

void
conn_turn(struct conn *c)
{
	bool more = process(c);

	if (!more && c->eof && hung_up(c->fd))
		c->broken = true;
	if (!more && c->out_bytes == 0 && c->call == NULL && (c->closing || c->eof))
		c->broken = true;
	update_events(c);
	if (c->broken)
		conn_close(c, true);
	else if (more)
		conn_wake(c);
}

/* Keeps up to CONN_FDS_MAX of the descriptors that came along, closes the rest. */
static void
keep_fds(struct conn *c, struct msghdr *m, uint64_t at)
{
	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h != NULL; h = CMSG_NXTHDR(m, h)) {
		size_t count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(h) + i * sizeof(fd), sizeof(fd));
			if (c->fd_count == CONN_FDS_MAX) {
				close_fd(fd);
				continue;
			}
			c->fds[c->fd_count].fd = fd;
			c->fds[c->fd_count++].at = at;
		}
	}
}

/* One read.  1: there may be more; 0: nothing more now; negative: the connection is over. */
static int
read_some(struct conn *c)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(FDS_PER_READ * sizeof(int))];
	} control;
	char bytes[READ_BYTES];
	size_t room = varlink_in_room(c->in);
	struct iovec v = { bytes, room < sizeof(bytes) ? room : sizeof(bytes) };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control.bytes,
			    .msg_controllen = sizeof(control.bytes) };
	ssize_t n;

	if (room == 0)
		return 0;
	n = recvmsg(c->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	keep_fds(c, &m, varlink_in_added(c->in) + (uint64_t)n);
	if (n == 0) {
		c->eof = true;
		return 0;
	}
	return varlink_in_add(c->in, bytes, (size_t)n) < 0 ? -ENOMEM : 1;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	int r = 1;

	(void)fd;
	(void)what;
	for (int left = READS_PER_WAKE_UP; left > 0 && r > 0; left--)
		r = read_some(c);
	if (r < 0)
		c->broken = true;
	update_events(c);
	conn_wake(c);
}

static void
drop_chunk(struct conn *c)
{
	struct chunk *k = STAILQ_FIRST(&c->out);

	STAILQ_REMOVE_HEAD(&c->out, link);
	free(k->text);
	free(k);
}

void
conn_flush(struct conn *c)
{
	while (!STAILQ_EMPTY(&c->out)) {
		struct chunk *k = STAILQ_FIRST(&c->out);
		ssize_t n =
		    send(c->fd, k->text + k->sent, k->count - k->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0) {
			c->broken = c->broken || (errno != EAGAIN && errno != EINTR);
			break;
		}
		c->progress_ms = clock_ms(CLOCK_MONOTONIC);
		k->sent += (size_t)n;
		c->out_bytes -= (size_t)n;
		c->server->out_bytes -= (size_t)n;
		if (k->sent == k->count)
			drop_chunk(c);
	}
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	conn_flush(c);
	if (c->out_bytes == 0 && c->told_full && c->call != NULL && !c->broken) {
		c->told_full = false;
		if (c->server->options.drained != NULL)
			c->server->options.drained(c->server->options.ctx, c->call);
	}
	update_events(c);
	conn_wake(c);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	if (!c->authentic)
		conn_close(c, true);
}

static int
make_events(struct conn *c)
{
	struct event_base *base = c->server->base;
	unsigned ms = c->server->options.first_request_ms;
	struct timeval wait = { .tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000 };

	c->on_read = server_event(base, c->fd, EV_READ | EV_PERSIST, on_readable, c);
	c->on_write = server_event(base, c->fd, EV_WRITE | EV_PERSIST, on_writable, c);
	c->on_deadline = server_event(base, -1, 0, on_deadline, c);
	if (c->on_read == NULL || c->on_write == NULL || c->on_deadline == NULL)
		return -ENOMEM;
	if (event_add(c->on_read, NULL) < 0 || event_add(c->on_deadline, &wait) < 0)
		return -ENOMEM;
	return 0;
}

int
conn_new(struct server *s, int fd, const struct peer *peer)
{
	struct conn *c = calloc(1, sizeof(*c));
	int r = -ENOMEM;

	if (c == NULL) {
		close_fd(fd);
		return r;
	}
	c->server = s;
	c->fd = fd;
	c->peer = *peer;
	c->progress_ms = clock_ms(CLOCK_MONOTONIC);
	STAILQ_INIT(&c->out);
	TAILQ_INSERT_TAIL(&s->conns, c, link);
	s->conn_count++;
	r = varlink_in_new(PROTO_REQUEST_BYTES_MAX, &c->in);
	if (r == 0)
		r = make_events(c);
	if (r < 0)
		conn_close(c, false);
	return r;
}

static void
free_event(struct event *e)
{
	if (e != NULL)
		event_free(e);
}

void
conn_close(struct conn *c, bool tell)
{
	struct server *s = c->server;
	struct call *call = c->call;

	TAILQ_REMOVE(&s->conns, c, link);
	if (c->is_ready)
		TAILQ_REMOVE(&s->ready, c, ready_link);
	s->conn_count--;
	s->out_bytes -= c->out_bytes;
	if (call != NULL && tell && s->options.gone != NULL)
		s->options.gone(s->options.ctx, call);
	if (call != NULL)
		call_free(call);
	while (!STAILQ_EMPTY(&c->out))
		drop_chunk(c);
	for (size_t i = 0; i < c->fd_count; i++)
		close_fd(c->fds[i].fd);
	free_event(c->on_read);
	free_event(c->on_write);
	free_event(c->on_deadline);
	varlink_in_free(c->in);
	close_fd(c->fd);
	free(c);
}

bool
conn_is_idle(const struct conn *c)
{
	if (c->out_bytes > 0)
		return clock_ms(CLOCK_MONOTONIC) - c->progress_ms > STALLED_MS;
	return c->call == NULL;
}

/* LIMIT: the one that reads least pays for all. */
static void
limit_total(struct server *s)
{
	struct conn *c, *worst = NULL;
	size_t queued = 0;

	if (s->out_bytes <= TOTAL_BYTES_MAX)
		return;
	TAILQ_FOREACH(c, &s->conns, link) {
		if (c->broken)
			continue;
		queued += c->out_bytes;
		if (worst == NULL || c->out_bytes > worst->out_bytes)
			worst = c;
	}
	if (queued > TOTAL_BYTES_MAX)
		conn_break(worst);
}

void
conn_send(struct conn *c, char *take_text, size_t count)
{
	struct chunk *k = NULL;

	if (!c->broken)
		k = malloc(sizeof(*k));
	if (k == NULL) {
		free(take_text);
		conn_break(c);
		return;
	}
	*k = (struct chunk){ .text = take_text, .count = count };
	STAILQ_INSERT_TAIL(&c->out, k, link);
	if (c->out_bytes == 0)
		c->progress_ms = clock_ms(CLOCK_MONOTONIC);
	c->out_bytes += count;
	c->server->out_bytes += count;
	limit_total(c->server);
	conn_wake(c);
}

void
conn_break(struct conn *c)
{
	c->broken = true;
	conn_wake(c);
}

void
conn_close_after_output(struct conn *c)
{
	c->closing = true;
	conn_wake(c);
}

void
conn_wake(struct conn *c)
{
	if (c->is_ready)
		return;
	c->is_ready = true;
	TAILQ_INSERT_TAIL(&c->server->ready, c, ready_link);
	server_wake(c->server);
}
