/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "sim/live.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_PER_WAKEUP 4096 /* then the sockets have their turn */
#define CLIENTS_MAX 64
#define LOOP_SETTLED_US 5000000	  /* nothing is due in the loop within this */
#define WORLD_SETTLED_US 30000000 /* nor in the world: the slowest drone has come up by then */
#define DEADLINES_MAX 128
#define SETTLE_LOOKS_MAX 50 /* LIMIT: then something goes on for ever, and that is the answer */

/* A deadline of the loop; recurs: it ran out while we looked, and was set again. */
struct deadline {
	const struct event *event;
	int64_t at_us;
	bool recurs;
};

struct live {
	struct event_base *base;
	struct live_options options;
	void *ctx;
	struct world *world;
	struct commander commander;
	uint64_t begun_ns;
	uint64_t armed_us; /* what the timer is set to */
	int timer_fd;
	struct event *timer;
	struct evconnlistener *listener;
	struct bufferevent *client[CLIENTS_MAX];
	struct bufferevent *settler; /* the client that waits for it */
	struct event *settle;
	struct deadline deadline[DEADLINES_MAX];
	unsigned deadlines;
	bool soon;	 /* what a look found */
	uint64_t events; /* of the world, until that look */
	unsigned quiet_wanted, quiet_looks, looks;
	char socket_path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

static uint64_t
clock_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static uint64_t
virtual_us(const struct live *l)
{
	return (clock_ns() - l->begun_ns) * l->options.scale / 1000;
}

void
live_sync(struct live *l)
{
	world_advance(l->world, virtual_us(l));
}

void
live_kick(struct live *l)
{
	uint64_t next = world_next_us(l->world);
	struct itimerspec when = { { 0, 0 }, { 0, 0 } };
	uint64_t at;

	if (next == l->armed_us)
		return;
	l->armed_us = next;
	if (next != WORLD_NEVER) {
		/* Rounded up: early by a fraction of a microsecond would only spin. */
		at = l->begun_ns + (next * 1000 + l->options.scale - 1) / l->options.scale;
		when.it_value.tv_sec = (time_t)(at / 1000000000U);
		when.it_value.tv_nsec = (long)(at % 1000000000U);
	}
	(void)timerfd_settime(l->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void
on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct live *l = ctx;
	uint64_t expirations, now = virtual_us(l);

	(void)what;
	if (read(fd, &expirations, sizeof(expirations)) < 0 && errno != EAGAIN)
		return;
	l->armed_us = WORLD_NEVER;
	for (unsigned i = 0; i < EVENTS_PER_WAKEUP && world_next_us(l->world) <= now; i++)
		(void)world_run_one(l->world);
	live_sync(l);
	live_kick(l);
}

/* ---- settling ---- */

static struct deadline *
deadline_of(struct live *l, const struct event *e)
{
	for (unsigned i = 0; i < l->deadlines; i++)
		if (l->deadline[i].event == e)
			return &l->deadline[i];
	if (l->deadlines == DEADLINES_MAX)
		return NULL;
	l->deadline[l->deadlines] = (struct deadline){ .event = e };
	return &l->deadline[l->deadlines++];
}

/* When an event of the loop is due, by its own time or as a timerfd; 0: never. */
static int64_t
due_us(const struct live *l, const struct event *e, int64_t now_us)
{
	struct itimerspec left;
	struct timeval at;

	if (e == l->settle)
		return 0;
	if (event_pending(e, EV_TIMEOUT, &at) && !(event_get_events(e) & EV_PERSIST))
		return (int64_t)at.tv_sec * 1000000 + at.tv_usec;
	if (event_get_fd(e) < 0 || timerfd_gettime(event_get_fd(e), &left) < 0 ||
	    (left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0))
		return 0;
	return now_us + (int64_t)left.it_value.tv_sec * 1000000 + left.it_value.tv_nsec / 1000;
}

/* Does this event of the loop have a deadline soon, and is not known to recur? */
static int
look_at_event(const struct event_base *base, const struct event *e, void *ctx)
{
	struct live *l = ctx;
	struct timeval now;
	struct deadline *d;
	int64_t now_us, at_us;

	(void)base;
	(void)gettimeofday(&now, NULL);
	now_us = (int64_t)now.tv_sec * 1000000 + now.tv_usec;
	at_us = due_us(l, e, now_us);
	if (at_us == 0 || at_us - now_us > LOOP_SETTLED_US)
		return 0;
	d = deadline_of(l, e);
	if (d == NULL)
		return 0;
	d->recurs |= d->at_us != 0 && d->at_us < now_us && d->at_us < at_us;
	d->at_us = at_us;
	l->soon |= !d->recurs;
	return 0;
}

static bool
is_quiet(struct live *l)
{
	uint64_t events = world_events(l->world);
	uint64_t next = world_next_us(l->world);
	bool still = events == l->events && world_is_idle(l->world);

	l->events = events;
	l->soon = false;
	(void)event_base_foreach_event(l->base, look_at_event, l); /* it stops for none */
	return still && !l->soon &&
	       (next == WORLD_NEVER || next - world_now_us(l->world) > WORLD_SETTLED_US);
}

static void on_client_read(struct bufferevent *b, void *ctx);

static void
end_settling(struct live *l, const char *answer)
{
	struct bufferevent *b = l->settler;

	l->settler = NULL;
	(void)event_del(l->settle);
	(void)bufferevent_write(b, answer, strlen(answer));
	(void)bufferevent_enable(b, EV_READ);
	on_client_read(b, l); /* what it sent meanwhile */
}

static void
on_settle(evutil_socket_t fd, short what, void *ctx)
{
	struct live *l = ctx;

	(void)fd;
	(void)what;
	live_sync(l);
	l->quiet_looks = is_quiet(l) ? l->quiet_looks + 1 : 0;
	if (l->quiet_looks >= l->quiet_wanted)
		end_settling(l, "ok\n");
	else if (++l->looks == SETTLE_LOOKS_MAX)
		end_settling(l, "error: it does not become quiet\n");
}

static void
begin_settling(struct live *l, struct bufferevent *b)
{
	static const struct timeval second = { 1, 0 };
	static const char busy[] = "error: another client waits for that\n";

	if (l->settler != NULL || event_add(l->settle, &second) < 0) {
		(void)bufferevent_write(b, busy, strlen(busy));
		return;
	}
	l->settler = b;
	l->quiet_wanted = l->commander.settle_s + 1;
	l->quiet_looks = l->looks = l->deadlines = 0;
	l->events = world_events(l->world);
	(void)bufferevent_disable(b, EV_READ);
	event_active(l->settle, EV_READ, 0); /* the first look is at once */
}

/* ---- commands ---- */

static void
run_line(struct live *l, char *line, struct evbuffer *out)
{
	char *text = NULL;
	size_t length = 0;
	FILE *f = open_memstream(&text, &length);

	if (f == NULL)
		return;
	live_sync(l);
	commander_run(&l->commander, line, f);
	(void)fclose(f);
	(void)evbuffer_add(out, text, length);
	free(text);
	live_kick(l);
}

static void
drop_client(struct live *l, struct bufferevent *b)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (l->client[i] == b)
			l->client[i] = NULL;
	if (l->settler == b) {
		l->settler = NULL;
		(void)event_del(l->settle);
	}
	bufferevent_free(b);
}

static void
on_client_read(struct bufferevent *b, void *ctx)
{
	struct live *l = ctx;
	struct evbuffer *in = bufferevent_get_input(b);
	char *line;

	while (b != l->settler && (line = evbuffer_readln(in, NULL, EVBUFFER_EOL_LF)) != NULL) {
		run_line(l, line, bufferevent_get_output(b));
		free(line);
		if (l->commander.settle_s > 0)
			begin_settling(l, b);
	}
	if (evbuffer_get_length(in) > COMMAND_BYTES_MAX) {
		drop_client(l, b);
		return;
	}
	if (!l->commander.quit)
		return;
	l->commander.quit = false;
	(void)bufferevent_flush(b, EV_WRITE, BEV_FLUSH);
	if (l->options.quit_ends_loop) /* after the answer has been written */
		(void)event_base_loopexit(l->base, &(struct timeval){ 0, 10000 });
	if (l->options.on_quit != NULL)
		l->options.on_quit(l->ctx);
}

static void
on_client_event(struct bufferevent *b, short what, void *ctx)
{
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		drop_client(ctx, b);
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *addr, int length,
	  void *ctx)
{
	struct live *l = ctx;
	struct bufferevent *b;

	(void)listener;
	(void)addr;
	(void)length;
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		if (l->client[i] != NULL)
			continue;
		b = bufferevent_socket_new(l->base, fd, BEV_OPT_CLOSE_ON_FREE);
		if (b == NULL)
			break;
		l->client[i] = b;
		bufferevent_setcb(b, on_client_read, NULL, on_client_event, l);
		(void)bufferevent_enable(b, EV_READ | EV_WRITE);
		return;
	}
	(void)close(fd);
}

static int
address_of(const char *path, struct sockaddr_un *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(ret->sun_path))
		return -ENAMETOOLONG;
	copy_text(ret->sun_path, sizeof(ret->sun_path), path);
	return 0;
}

static int
listen_on(struct live *l, const char *path)
{
	struct sockaddr_un addr;
	int r = address_of(path, &addr);

	if (r < 0)
		return r;
	(void)unlink(path); /* one of a rack that was killed */
	l->listener = evconnlistener_new_bind(l->base, on_accept, l,
					      LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 16,
					      (struct sockaddr *)&addr, sizeof(addr));
	if (l->listener == NULL)
		return errno > 0 ? -errno : -EADDRINUSE;
	copy_text(l->socket_path, sizeof(l->socket_path), path);
	return 0;
}

static int
run_script(struct live *l, const char *path, char *error, size_t error_size)
{
	FILE *f = fopen(path, "re");
	char line[COMMAND_BYTES_MAX];
	unsigned number = 0;
	int r = 0;

	if (f == NULL) {
		(void)snprintf(error, error_size, "%s: %s", path, strerror(errno));
		return -EINVAL;
	}
	while (r == 0 && fgets(line, sizeof(line), f) != NULL) {
		char answer[256] = "";
		FILE *out = fmemopen(answer, sizeof(answer) - 1, "w");

		number++;
		if (out == NULL)
			break;
		commander_run(&l->commander, line, out);
		(void)fclose(out);
		if (strncmp(answer, "error", 5) == 0) {
			(void)snprintf(error, error_size, "%s:%u: %s", path, number, answer);
			r = -EINVAL;
		}
	}
	(void)fclose(f);
	return r;
}

/* ---- life ---- */

int
live_new(struct event_base *base, const struct live_options *o, const struct world_callbacks *cb,
	 void *ctx, struct live **ret_live, char *error, size_t error_size)
{
	struct live *l = calloc(1, sizeof(*l));
	int r = -ENOMEM;

	copy_text(error, error_size, "out of memory");
	if (l == NULL)
		goto out;
	l->base = base;
	l->options = *o;
	l->ctx = ctx;
	if (l->options.scale == 0)
		l->options.scale = 1;
	l->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	l->begun_ns = clock_ns();
	l->armed_us = WORLD_NEVER;
	r = world_new(o->seed, cb, ctx, &l->world);
	if (r < 0)
		goto out;
	commander_init(&l->commander, l->world, o->seed);
	l->commander.count_standard = o->count_standard;
	if (o->fast)
		drone_timing_fast(&l->commander.timing);
	r = -ENOMEM;
	l->timer = event_new(base, l->timer_fd, EV_READ | EV_PERSIST, on_timer, l);
	l->settle = event_new(base, -1, EV_PERSIST, on_settle, l);
	if (l->timer_fd < 0 || l->timer == NULL || l->settle == NULL ||
	    event_add(l->timer, NULL) < 0)
		goto out;
	(void)event_priority_set(l->settle, event_base_get_npriorities(base) - 1);
	r = o->socket != NULL ? listen_on(l, o->socket) : 0;
	if (r < 0) {
		(void)snprintf(error, error_size, "%s: %s", o->socket, strerror(-r));
		goto out;
	}
	if (o->script != NULL)
		r = run_script(l, o->script, error, error_size);
	if (r < 0)
		goto out;
	live_kick(l);
	*ret_live = l;
	l = NULL;
out:
	live_free(l);
	return r;
}

void
live_free(struct live *l)
{
	if (l == NULL)
		return;
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (l->client[i] != NULL)
			bufferevent_free(l->client[i]);
	if (l->listener != NULL)
		evconnlistener_free(l->listener);
	if (l->socket_path[0] != '\0')
		(void)unlink(l->socket_path);
	if (l->timer != NULL)
		event_free(l->timer);
	if (l->settle != NULL)
		event_free(l->settle);
	if (l->timer_fd >= 0)
		(void)close(l->timer_fd);
	world_free(l->world);
	free(l);
}

struct world *
live_world(struct live *l)
{
	return l->world;
}

struct commander *
live_commander(struct live *l)
{
	return &l->commander;
}

/* ---- the other end ---- */

static int
print_answer(FILE *f)
{
	char line[8192];

	while (fgets(line, sizeof(line), f) != NULL) {
		if (strcmp(line, "ok\n") == 0)
			return 0;
		if (strncmp(line, "error: ", 7) == 0) {
			(void)fputs(line + 7, stderr);
			return 1;
		}
		(void)fputs(line, stdout);
	}
	(void)fputs("the connection ended without an answer\n", stderr);
	return 1;
}

int
live_client(const char *socket_path, const char *command)
{
	struct sockaddr_un addr;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), r = 1;
	FILE *f = fd >= 0 ? fdopen(fd, "r+") : NULL;

	if (f == NULL || address_of(socket_path, &addr) < 0 ||
	    connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		(void)fprintf(stderr, "%s: %s\n", socket_path, strerror(errno));
	} else {
		(void)fprintf(f, "%s\n", command);
		(void)fflush(f);
		r = print_answer(f);
	}
	if (f != NULL)
		(void)fclose(f);
	else if (fd >= 0)
		(void)close(fd);
	return r;
}
