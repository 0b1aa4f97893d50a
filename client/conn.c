/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/conn.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/complain.h"
#include "client/out.h"
#include "client/remote.h"
#include "client/socket.h"
#include "client/when.h"
#include "wire/varlink.h"

#define READ_BYTES 65536
#define PATIENCE_REMOTE_S 60 /* LIMIT: ssh may ask for a passphrase first */

struct conn {
	const struct session *session;
	struct varlink_in *in;
	int fd;
	struct remote remote; /* of ssh; pid 0 when there is none */
	const char *before_trouble;
	bool may_be_lost;
};

int
conn_open(const struct session *s, struct conn **ret_conn)
{
	struct conn *c = calloc(1, sizeof(*c));
	int r = EXIT_REFUSED;

	if (c == NULL || varlink_in_new(PROTO_REPLY_BYTES_MAX, &c->in) < 0) {
		r = say_no_memory();
		goto out;
	}
	c->session = s;
	c->fd = -1;
	if (s->host != NULL) {
		r = remote_bridge(s, &c->remote);
		c->fd = c->remote.fd;
	} else {
		c->fd = socket_connect(s->socket_path);
		r = c->fd < 0 ? socket_explain(s, c->fd) : 0;
	}
	if (r != 0)
		goto out;
	*ret_conn = c;
	c = NULL;
out:
	conn_close(c);
	return r;
}

void
conn_close(struct conn *c)
{
	if (c == NULL)
		return;
	if (c->fd >= 0)
		(void)close(c->fd); /* WHY: requests were answered, or the answer is not needed */
	if (c->remote.pid > 0 && !c->remote.heard && !c->remote.ended)
		(void)kill(c->remote.pid, SIGTERM); /* WHY: it may try for minutes to connect */
	if (c->remote.pid > 0)
		(void)remote_end(&c->remote); /* WHY: nothing depends on how it ended any more */
	varlink_in_free(c->in);
	free(c);
}

/* All bytes, the descriptor with the first of them. */
static int
send_all(int fd, const char *text, size_t count, int file)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	size_t done = 0;

	while (done < count) {
		struct iovec v = { (void *)(uintptr_t)(text + done), count - done };
		struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
		ssize_t n;

		if (file >= 0 && done == 0) {
			struct cmsghdr *h;

			m.msg_control = control.bytes;
			m.msg_controllen = sizeof(control.bytes);
			h = CMSG_FIRSTHDR(&m);
			h->cmsg_level = SOL_SOCKET;
			h->cmsg_type = SCM_RIGHTS;
			h->cmsg_len = CMSG_LEN(sizeof(int));
			memcpy(CMSG_DATA(h), &file, sizeof(file));
		}
		n = sendmsg(fd, &m, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			done += (size_t)n;
	}
	return 0;
}

void
conn_before_trouble(struct conn *c, const char *text)
{
	c->before_trouble = text;
}

static void
give_screen_back(const struct conn *c)
{
	if (c->before_trouble == NULL)
		return;
	fputs(c->before_trouble, stdout);
	(void)fflush(stdout); /* WHY: main looks at the stream's state at the end */
}

void
conn_may_be_lost(struct conn *c, bool may)
{
	c->may_be_lost = may;
}

int
conn_patience_ms(const struct session *s)
{
	return (s->host != NULL ? PATIENCE_REMOTE_S : SOCKET_PATIENCE_S) * 1000;
}

int
conn_no_answer(const struct conn *c)
{
	give_screen_back(c);
	say_failure(c->session, CLIENT_ERROR("NoAnswer"),
		    "the service does not answer (waited %d s); see: systemctl status cfdfud",
		    conn_patience_ms(c->session) / 1000);
	return EXIT_NO_DAEMON;
}

/* The other side is gone: why, when ssh was in between. */
static int
lost(struct conn *c)
{
	if (c->may_be_lost)
		return CONN_LOST;
	give_screen_back(c);
	if (c->remote.pid > 0)
		return remote_explain(c->session, &c->remote);
	say_failure(c->session, CLIENT_ERROR("ConnectionLost"),
		    "the service has closed the connection; is it still running? see: "
		    "systemctl status cfdfud");
	return EXIT_NO_DAEMON;
}

static int
send_call(struct conn *c, const char *method, json_t *take_parameters, unsigned flags, int file)
{
	char *text;
	size_t count;
	int r = varlink_format_call(method, take_parameters, flags, PROTO_REQUEST_BYTES_MAX, &text,
				    &count);

	json_decref(take_parameters);
	if (r < 0) {
		if (r != -EMSGSIZE)
			return say_no_memory();
		say_error("too much for one request");
		return EXIT_USAGE;
	}
	r = send_all(c->fd, text, count, file);
	free(text);
	/* WHY: one that turned us away has said why before it closed; that is read first */
	return r == 0 || r == -EPIPE ? 0 : lost(c);
}

/* Waits for bytes and takes them.  0, CONN_TIMED_OUT, or an exit status. */
static int
receive(struct conn *c, int timeout_ms)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	size_t room = varlink_in_room(c->in);
	char bytes[READ_BYTES];
	ssize_t n;
	int r = poll(&p, 1, timeout_ms);

	if (r == 0 || (r < 0 && errno == EINTR))
		return CONN_TIMED_OUT;
	n = read(c->fd, bytes, room < sizeof(bytes) ? room : sizeof(bytes));
	if (n < 0 && errno == EINTR)
		return CONN_TIMED_OUT;
	if (n <= 0)
		return lost(c);
	c->remote.heard = true;
	return varlink_in_add(c->in, bytes, (size_t)n) < 0 ? say_no_memory() : 0;
}

static int
nonsense(const struct conn *c, const char *why)
{
	give_screen_back(c);
	say_failure(c->session, CLIENT_ERROR("Nonsense"), "invalid reply from the service: %s",
		    why);
	return EXIT_REFUSED;
}

int
conn_next(struct conn *c, int timeout_ms, json_t **ret_parameters, bool *ret_continues)
{
	struct varlink_reply reply;
	const char *text, *why = "out of memory";
	size_t count;
	int r;

	while ((r = varlink_in_next(c->in, &text, &count)) == 0) {
		r = receive(c, timeout_ms);
		if (r != 0)
			return r;
	}
	if (r < 0)
		return nonsense(c, "it is too long");
	if (varlink_parse_reply(text, count, &reply, &why) < 0)
		return nonsense(c, why);
	if (reply.error != NULL) {
		give_screen_back(c);
		r = complain(c->session, reply.error, reply.parameters);
	} else {
		*ret_parameters = json_incref(reply.parameters);
		if (ret_continues != NULL)
			*ret_continues = reply.continues;
		r = 0;
	}
	varlink_reply_done(&reply);
	return r;
}

int
conn_fd(const struct conn *c)
{
	return c->fd;
}

int
conn_call(struct conn *c, const char *method, const struct params *p, int fd,
	  json_t **ret_parameters)
{
	int64_t until_ms = when_ms() + conn_patience_ms(c->session);
	bool limited = fd < 0 && !c->session->patient;
	int r = p != NULL ? p->status : 0;

	if (r == 0)
		r = send_call(c, method, p != NULL ? json_incref(p->object) : NULL, 0, fd);
	while (r == 0) {
		int64_t left_ms = until_ms - when_ms();

		if (limited && left_ms <= 0)
			return conn_no_answer(c);
		r = conn_next(c, limited ? (int)left_ms : -1, ret_parameters, NULL);
		if (r != CONN_TIMED_OUT)
			break;
		r = 0;
	}
	return r;
}

int
conn_start(struct conn *c, const char *method, json_t *take_parameters)
{
	return send_call(c, method, take_parameters, VARLINK_MORE, -1);
}

int
conn_ask_with(const struct session *s, const char *method, struct params *take_p, int fd,
	      json_t **ret_parameters)
{
	struct conn *c = NULL;
	int r = take_p != NULL ? take_p->status : 0;

	if (r == 0)
		r = conn_open(s, &c);
	if (r == 0)
		r = conn_call(c, method, take_p, fd, ret_parameters);
	conn_close(c);
	if (take_p != NULL)
		params_done(take_p);
	return r;
}

int
conn_ask(const struct session *s, const char *method, struct params *take_p,
	 json_t **ret_parameters)
{
	return conn_ask_with(s, method, take_p, -1, ret_parameters);
}

int
conn_show(const struct session *s, const char *method, struct params *take_p,
	  int (*print)(const struct session *s, const json_t *reply))
{
	json_t *reply = NULL, *refused;
	int r = conn_ask(s, method, take_p, &reply);

	refused = json_object_get(reply, "refused");
	if (r == 0 && s->json)
		out_json(reply);
	for (size_t i = 0; i < json_array_size(refused) && !s->json; i++)
		say_note("%s", out_item(refused, i).s);
	if (r == 0 && !s->json)
		r = print(s, reply);
	if (r == 0 && json_array_size(refused) > 0)
		r = EXIT_REFUSED;
	json_decref(reply);
	return r;
}

int
conn_run(const struct session *s, const struct invocation *i)
{
	struct params p = params_of(i);

	return conn_show(s, i->command->method, &p, i->command->print);
}
