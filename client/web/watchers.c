/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/web/watchers.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cfdfu/proto.h"

enum {
	WATCHERS_MAX = PROTO_CLIENTS_PER_UID, /* LIMIT: that the station takes of one user */
	BEHIND_BYTES = 256 * 1024, /* unread by a browser: the station waits from here on ... */
	SOCKET_BYTES = 128 * 1024, /* ... and so many in the kernel, which would take megabytes */
	UNREAD_BYTES_MAX = 4096,   /* of what a browser says while it watches: of no interest */
};

static const struct timeval beat = { .tv_sec = 15 };
static const struct timeval silence = { .tv_sec = 30 }; /* of a browser that does not read at all */

static const char ask[] = "{\"method\":\"" PROTO_METHOD("Watch") "\",\"more\":true}";
/* Around the parameters in a message of a stream, as the station writes it. */
static const char head[] = "{\"parameters\":", tail[] = ",\"continues\":true}";

struct watcher {
	struct watchers *all;
	LIST_ENTRY(watcher) link;
	struct evhttp_request *request;
	struct bufferevent *station;
};

struct watchers {
	struct event_base *base;
	const char *station;
	struct evbuffer *chunk; /* empty between two functions */
	unsigned count;
	LIST_HEAD(, watcher) list;
};

static struct bufferevent *
browser_of(const struct watcher *w)
{
	return evhttp_connection_get_bufferevent(evhttp_request_get_connection(w->request));
}

/*
 * The browser's side is closed when all that it was sent has gone.  When it has gone itself,
 * libevent has taken the request from the connection, and only frees it here.
 */
static void
end(struct watcher *w)
{
	struct evhttp_connection *browser = evhttp_request_get_connection(w->request);

	if (browser != NULL)
		evhttp_connection_set_closecb(browser, NULL, NULL);
	evhttp_send_reply_end(w->request);
	bufferevent_free(w->station);
	LIST_REMOVE(w, link);
	w->all->count--;
	free(w);
}

static void
on_browser_closed(struct evhttp_connection *browser, void *arg)
{
	(void)browser;
	end(arg);
}

static void on_written(struct evhttp_connection *browser, void *arg);

/* False: not a message of a stream, or out of memory. */
static bool
pass_on(struct watcher *w, const char *text, size_t bytes)
{
	size_t before = sizeof(head) - 1, behind = sizeof(tail) - 1;
	struct evbuffer *chunk = w->all->chunk;

	if (bytes < before + behind || memcmp(text, head, before) != 0 ||
	    memcmp(text + bytes - behind, tail, behind) != 0 ||
	    evbuffer_add(chunk, "data: ", 6) < 0 ||
	    evbuffer_add(chunk, text + before, bytes - before - behind) < 0 ||
	    evbuffer_add(chunk, "\n\n", 2) < 0)
		return false;
	evhttp_send_reply_chunk_with_cb(w->request, chunk, on_written, w);
	return true;
}

/* As many of the station's messages as the browser keeps up with. */
static void
forward(struct watcher *w)
{
	while (evbuffer_get_length(bufferevent_get_output(browser_of(w))) < BEHIND_BYTES) {
		size_t bytes;
		char *text =
		    evbuffer_readln(bufferevent_get_input(w->station), &bytes, EVBUFFER_EOL_NUL);
		bool fine = text != NULL ? pass_on(w, text, bytes)
					 : bufferevent_enable(w->station, EV_READ) == 0;

		free(text);
		if (!fine)
			end(w);
		if (!fine || text == NULL)
			return;
	}
	(void)bufferevent_disable(w->station, EV_READ); /* at worst more is kept here */
}

static void
on_written(struct evhttp_connection *browser, void *arg)
{
	(void)browser;
	forward(arg);
}

static void
on_message(struct bufferevent *station, void *arg)
{
	(void)station;
	forward(arg);
}

static void
on_station_gone(struct bufferevent *station, short what, void *arg)
{
	(void)station;
	(void)what;
	end(arg);
}

/* WHY an event: of a comment the page's scripts hear nothing. */
static void
on_beat(evutil_socket_t fd, short what, void *arg)
{
	struct watchers *all = arg;
	struct watcher *w;

	(void)fd;
	(void)what;
	LIST_FOREACH(w, &all->list, link)
		if (evbuffer_get_length(bufferevent_get_output(browser_of(w))) == 0 &&
		    evbuffer_add_printf(all->chunk, "event: beat\ndata: {}\n\n") > 0)
			evhttp_send_reply_chunk_with_cb(w->request, all->chunk, on_written, w);
}

/* WHY not bufferevent_socket_connect(): to a socket that is not there it fails without a word. */
static struct bufferevent *
ask_station(const struct watchers *all)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct bufferevent *station = NULL;

	copy_text(sa.sun_path, sizeof(sa.sun_path), all->station);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0)
		station = bufferevent_socket_new(all->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (station == NULL && fd >= 0)
		(void)close(fd); /* nothing was written */
	if (station != NULL && (bufferevent_write(station, ask, sizeof(ask)) < 0 ||
				bufferevent_enable(station, EV_READ) < 0)) {
		bufferevent_free(station);
		station = NULL;
	}
	return station;
}

const char *
watchers_add(struct watchers *all, struct evhttp_request *request)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	struct watcher *w;

	if (all->count >= WATCHERS_MAX)
		return "Too many browsers watch already.";
	w = calloc(1, sizeof(*w));
	if (w == NULL || (w->station = ask_station(all)) == NULL) {
		free(w);
		return "The station does not answer.";
	}
	(void)evhttp_add_header(headers, "Content-Type",
				"text/event-stream"); /* memory: end() sees */
	(void)evhttp_add_header(headers, "Connection", "close");
	w->all = all;
	w->request = request;
	bufferevent_setcb(w->station, on_message, NULL, on_station_gone, w);
	LIST_INSERT_HEAD(&all->list, w, link);
	all->count++;
	/* No time limit for reading: a browser that watches says nothing. */
	bufferevent_set_timeouts(browser_of(w), NULL, &silence);
	(void)setsockopt(bufferevent_getfd(browser_of(w)), SOL_SOCKET, SO_SNDBUF,
			 &(int){ SOCKET_BYTES }, sizeof(int)); /* without: more memory */
	bufferevent_setwatermark(browser_of(w), EV_READ, 0, UNREAD_BYTES_MAX);
	evhttp_connection_set_closecb(evhttp_request_get_connection(request), on_browser_closed, w);
	evhttp_send_reply_start(request, HTTP_OK, "OK");
	return NULL;
}

struct watchers *
watchers_new(struct event_base *base, const char *station)
{
	struct watchers *all = calloc(1, sizeof(*all));
	struct event *timer = all == NULL ? NULL : event_new(base, -1, EV_PERSIST, on_beat, all);

	if (timer == NULL || event_add(timer, &beat) < 0 || (all->chunk = evbuffer_new()) == NULL)
		return NULL; /* of a process that ends now */
	all->base = base;
	all->station = station;
	return all;
}
