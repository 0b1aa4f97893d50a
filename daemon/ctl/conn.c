/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ctl/conn.h"

#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

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
		(void)close(fd);
}

/* Something changed: the connection is served soon. */
static void
wake(struct conn *c)
{
	ready_add(&c->all->ready, &c->ready);
}

static void
mark_broken(struct conn *c)
{
	c->broken = true;
	wake(c);
}

/* Arms what is wanted, disarms the rest. */
static void
update_events(struct conn *c)
{
	bool done = c->broken || c->closing || c->all->stopped;
	bool full = varlink_in_room(c->in) == 0 || c->out_bytes >= UNREAD_MAX;
	bool want_read = !done && !c->eof && !full;
	int r = 0;

	r |= want_read ? event_add(c->on_read, NULL) : event_del(c->on_read);
	/* WHY not of a broken one: it looks writable in each turn of the loop until it is closed */
	r |= c->out_bytes > 0 && !c->broken ? event_add(c->on_write, NULL) : event_del(c->on_write);
	if (r < 0)
		c->broken = true;
}

/* The first descriptor that belongs to the request consumed last, or -1; further ones of that
 * request are closed. */
static int
claim_fd(struct conn *c)
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

	if (c->caller.call != NULL || c->closing || c->broken || c->all->stopped ||
	    c->out_bytes >= UNREAD_MAX)
		return false;
	r = varlink_in_next(c->in, &text, &count);
	if (r < 0)
		call_reject(&c->caller, "a request has at most 64 KiB");
	if (r <= 0)
		return false;
	c->progress_ms = clock_ms(CLOCK_MONOTONIC);
	if (!c->authentic) {
		c->authentic = true;
		(void)event_del(c->on_deadline); /* fires in vain at worst */
	}
	TAILQ_REMOVE(&c->all->list, c, link);
	TAILQ_INSERT_TAIL(&c->all->list, c, link);
	c->all->ready.requests++;
	call_dispatch(&c->caller, text, count, claim_fd(c));
	return true;
}

static void
drop_chunk(struct conn *c)
{
	struct chunk *k = STAILQ_FIRST(&c->out);

	STAILQ_REMOVE_HEAD(&c->out, link);
	free(k->text);
	free(k);
}

/* Sends what is queued as far as the client takes it. */
static void
flush(struct conn *c)
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
		c->all->out_bytes -= (size_t)n;
		if (k->sent == k->count)
			drop_chunk(c);
	}
}

static void
send_out(struct conn *c)
{
	flush(c);
	if (c->out_bytes > 0 || !c->told_full || c->caller.call == NULL || c->broken)
		return;
	c->told_full = false;
	if (c->all->options->drained != NULL)
		c->all->options->drained(c->all->options->ctx, c->caller.call);
}

static bool
hung_up(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR)) != 0;
}

/* One request at most, and the connection's end when it is over (freed then). */
static void
serve(struct ready_item *item)
{
	struct conn *c = (struct conn *)(void *)item;
	bool more;

	/* WHY not also what follows: the changes that an answer tells of are carried out after this
	 * turn's requests (server_options' work). */
	if (c->out_bytes > 0)
		send_out(c);
	more = process(c);
	if (!more && c->eof && hung_up(c->fd))
		c->broken = true;
	if (!more && c->out_bytes == 0 && c->caller.call == NULL && (c->closing || c->eof))
		c->broken = true;
	update_events(c);
	if (c->broken)
		conn_close(c, true);
	else if (more)
		wake(c);
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
	wake(c);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	send_out(c);
	update_events(c);
	wake(c);
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
	struct event_base *base = c->all->ready.base;
	unsigned ms = c->all->options->first_request_ms;
	struct timeval wait = { .tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000 };

	c->on_read = ready_event(base, c->fd, EV_READ | EV_PERSIST, on_readable, c);
	c->on_write = ready_event(base, c->fd, EV_WRITE | EV_PERSIST, on_writable, c);
	c->on_deadline = ready_event(base, -1, 0, on_deadline, c);
	if (c->on_read == NULL || c->on_write == NULL || c->on_deadline == NULL)
		return -ENOMEM;
	if (event_add(c->on_read, NULL) < 0 || event_add(c->on_deadline, &wait) < 0)
		return -ENOMEM;
	return 0;
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
	TAILQ_REMOVE(&c->all->list, c, link);
	ready_remove(&c->all->ready, &c->ready);
	c->all->count--;
	c->all->out_bytes -= c->out_bytes;
	call_abandon(&c->caller, tell);
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
	return c->caller.call == NULL;
}

/* LIMIT: the one that reads least pays for all. */
static void
limit_total(struct conns *all)
{
	struct conn *c, *worst = NULL;
	size_t queued = 0;

	if (all->out_bytes <= TOTAL_BYTES_MAX)
		return;
	TAILQ_FOREACH(c, &all->list, link) {
		if (c->broken)
			continue;
		queued += c->out_bytes;
		if (worst == NULL || c->out_bytes > worst->out_bytes)
			worst = c;
	}
	if (queued > TOTAL_BYTES_MAX)
		mark_broken(worst);
}

/* ---- what calls ask of their connection ----------------------------------------------------- */

static struct conn *
conn_of(struct caller *caller)
{
	return (struct conn *)(void *)((char *)caller - offsetof(struct conn, caller));
}

static void
send_later(struct caller *caller, char *take_text, size_t count)
{
	struct conn *c = conn_of(caller);
	struct chunk *k = NULL;

	if (!c->broken)
		k = malloc(sizeof(*k));
	if (k == NULL) {
		free(take_text);
		mark_broken(c);
		return;
	}
	*k = (struct chunk){ .text = take_text, .count = count };
	STAILQ_INSERT_TAIL(&c->out, k, link);
	if (c->out_bytes == 0)
		c->progress_ms = clock_ms(CLOCK_MONOTONIC);
	c->out_bytes += count;
	c->all->out_bytes += count;
	limit_total(c->all);
	wake(c);
}

static int
stream(struct caller *caller, char *take_text, size_t count)
{
	struct conn *c = conn_of(caller);
	bool full = c->out_bytes > 0 && c->out_bytes + count > PROTO_QUEUE_BYTES_MAX;

	if (c->broken || full) {
		free(take_text);
		c->told_full = !c->broken;
		return c->broken ? 0 : -EAGAIN;
	}
	send_later(caller, take_text, count);
	return 0;
}

static void
answered(struct caller *caller)
{
	conn_of(caller)->told_full = false;
	wake(conn_of(caller));
}

static void
finish(struct caller *caller)
{
	conn_of(caller)->closing = true;
	wake(conn_of(caller));
}

static void
break_off(struct caller *caller)
{
	mark_broken(conn_of(caller));
}

/* ---- life ----------------------------------------------------------------------------------- */

int
conn_new(struct conns *all, int fd, const struct peer *peer)
{
	static const struct call_transport transport = { send_later, stream, answered, finish,
							 break_off };
	struct conn *c = calloc(1, sizeof(*c));
	int r = -ENOMEM;

	if (c == NULL) {
		close_fd(fd);
		return r;
	}
	c->all = all;
	c->fd = fd;
	c->ready.serve = serve;
	c->caller = (struct caller){ &transport, all->options, *peer, NULL };
	c->progress_ms = clock_ms(CLOCK_MONOTONIC);
	STAILQ_INIT(&c->out);
	TAILQ_INSERT_TAIL(&all->list, c, link);
	all->count++;
	r = varlink_in_new(PROTO_REQUEST_BYTES_MAX, &c->in);
	if (r == 0)
		r = make_events(c);
	if (r < 0)
		conn_close(c, false);
	return r;
}

int
conns_init(struct conns *all, struct event_base *base, const struct server_options *options)
{
	all->options = options;
	TAILQ_INIT(&all->list);
	return ready_init(&all->ready, base, options);
}

void
conns_done(struct conns *all)
{
	while (!TAILQ_EMPTY(&all->list)) {
		flush(TAILQ_FIRST(&all->list)); /* the last answers */
		conn_close(TAILQ_FIRST(&all->list), false);
	}
	ready_done(&all->ready);
}

void
conns_stop(struct conns *all)
{
	struct conn *c;

	all->stopped = true;
	TAILQ_FOREACH(c, &all->list, link)
		wake(c);
}
