/* SPDX-License-Identifier: MIT */
/* The station at another machine: ssh carries the bytes, so the daemon needs no network code. */
#include "config.h"

#include "client/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cfdfu/system.h"
#include "client/hosts.h"
#include "client/out.h"
#include "client/socket.h"

#define SSH_ENV "CFDFU_SSH" /* another program than ssh, with its arguments' meaning */
/* The shell of the other machine is given one of these constants and nothing else. */
#define COMMAND_BRIDGE "cfdfuctl --stdio-bridge"
#define COMMAND_ARGUMENTS "cfdfuctl " REMOTE_ARGUMENTS
#define SSH_FAILED 255 /* ssh's own failures, by its manual */

/* A command line as it crosses: each word with its NUL. */
struct words {
	char text[REMOTE_TEXT_MAX];
	size_t used;
	unsigned count;
	bool too_much;
};

/* WHY options where there are several: no user can answer the questions of all, and the answer of
 * all waits for one that is off the net. */
static void
run_ssh(const struct session *s, const char *command, int in_fd, int out_fd)
{
	const char *ssh = environment(SSH_ENV, "ssh");
	int null = s->silent ? open("/dev/null", O_WRONLY | O_CLOEXEC) : STDERR_FILENO;

	if ((in_fd >= 0 && dup2(in_fd, STDIN_FILENO) < 0) ||
	    (out_fd >= 0 && dup2(out_fd, STDOUT_FILENO) < 0) || dup2(null, STDERR_FILENO) < 0)
		_exit(SSH_FAILED);
	if (s->hosts->count > 1)
		execlp(ssh, ssh, "-oBatchMode=yes", "-oConnectTimeout=15",
		       "-oServerAliveInterval=5", "-oServerAliveCountMax=3", "--", s->host, command,
		       (char *)NULL);
	else
		execlp(ssh, ssh, "--", s->host, command, (char *)NULL);
	fprintf(stderr, "cfdfuctl: cannot run %s: %s\n", ssh, strerror(errno));
	_exit(SSH_FAILED);
}

/* The child's pid, or -1 after having said why. */
static pid_t
start(const struct session *s, const char *command, int in_fd, int out_fd)
{
	pid_t pid;

	if (s->host[0] == '-' || s->host[0] == '\0') {
		say_error("not the name of a machine: \"%s\"", s->host);
		return -1;
	}
	(void)fflush(stdout); /* WHY: the child would print buffered text again */
	pid = fork();
	if (pid == 0)
		run_ssh(s, command, in_fd, out_fd);
	if (pid < 0)
		say_error("cannot start ssh: %s", strerror(errno));
	return pid;
}

static bool
is_usual_socket(const struct session *s)
{
	return strcmp(s->socket_path, PROTO_SOCKET_PATH) == 0;
}

static void
add_word(struct words *w, const char *prefix, const char *word)
{
	size_t room = sizeof(w->text) - w->used;
	int n = snprintf(w->text + w->used, room, "%s%s", prefix, word);

	if (w->count == REMOTE_WORDS_MAX || (size_t)n >= room) {
		w->too_much = true;
		return;
	}
	w->count++;
	w->used += (size_t)n + 1;
}

/* The command with the options and arguments that it was given. */
static void
add_command(struct words *w, const struct invocation *i)
{
	const struct command_desc *c = i->command;
	char first[32], second[32];
	int words = sscanf(c->name, "%31s %31s", first, second);

	add_word(w, "", first);
	if (words > 1)
		add_word(w, "", second);
	for (size_t n = 0; c->options[n].name != NULL; n++) {
		if (i->values[n] == NULL)
			continue;
		add_word(w, "--", c->options[n].name);
		if (c->options[n].value != NULL)
			add_word(w, "", i->values[n]);
	}
	add_word(w, "", "--");
	for (int n = 0; n < i->arg_count; n++)
		add_word(w, "", i->args[n]);
}

/* 0, or an exit status after having said why. */
static int
write_words(int fd, const struct words *w)
{
	char count[16];
	size_t bytes = (size_t)snprintf(count, sizeof(count), "%u", w->count) + 1;
	int r = w->too_much ? -E2BIG : write_all(fd, count, bytes);

	if (r == 0)
		r = write_all(fd, w->text, w->used);
	if (r < 0)
		say_error("cannot pass the command on: %s", strerror(-r));
	return r < 0 ? EXIT_USAGE : 0;
}

int
remote_bridge(const struct session *s, struct remote *ret_remote)
{
	struct words words = { .used = 0 };
	int pair[2], r = 0;
	pid_t pid;

	*ret_remote = (struct remote){ .fd = -1 };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		say_error("cannot make a pipe: %s", strerror(errno));
		return EXIT_NO_DAEMON;
	}
	if (!is_usual_socket(s)) {
		add_word(&words, "", "--socket");
		add_word(&words, "", s->socket_path);
		add_word(&words, "", "--stdio-bridge");
		r = write_words(pair[0], &words);
	}
	pid = r != 0 ? -1
		     : start(s, is_usual_socket(s) ? COMMAND_BRIDGE : COMMAND_ARGUMENTS, pair[1],
			     pair[1]);
	(void)close(pair[1]); /* WHY: the child's; ours is the other one */
	if (pid < 0) {
		(void)close(pair[0]); /* WHY: nothing that was written has been read */
		return EXIT_USAGE;
	}
	ret_remote->pid = pid;
	ret_remote->fd = pair[0];
	return 0;
}

int
remote_end(struct remote *r)
{
	while (!r->ended) {
		if (waitpid(r->pid, &r->status, 0) >= 0)
			r->ended = true;
		else if (errno != EINTR)
			return -1;
	}
	return WIFEXITED(r->status) ? WEXITSTATUS(r->status) : -1;
}

int
remote_explain(const struct session *s, struct remote *r)
{
	int status = remote_end(r);

	if (status == EXIT_NO_DAEMON || status == EXIT_REFUSED || status == EXIT_USAGE)
		return status; /* WHY: the other side has said why on our standard error */
	say_failure(s, CLIENT_ERROR("NoService"),
		    status == 127			? N_("there is no cfdfuctl on %s")
		    : status == SSH_FAILED && !r->heard ? N_("cannot reach %s through ssh")
							: N_("the connection to %s has ended"),
		    s->host);
	return EXIT_NO_DAEMON;
}

/* Copies what is there from one to the other.  False at the end or when it cannot go on. */
static bool
copy_some(int from, int to)
{
	char bytes[16384];
	ssize_t n = read(from, bytes, sizeof(bytes));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	return n > 0 && write_all(to, bytes, (size_t)n) == 0;
}

/* The words, and behind them what the command reads (in_fd, -1 nothing), from the start. */
static int
make_input(const struct session *s, const struct invocation *i, int in_fd, int *ret_fd)
{
	struct words words = { .used = 0 };
	int fd = memfd_create("cfdfuctl", MFD_CLOEXEC), r;

	if (fd < 0) {
		say_error("cannot make a memory file: %s", strerror(errno));
		return EXIT_REFUSED;
	}
	if (!is_usual_socket(s)) {
		add_word(&words, "", "--socket");
		add_word(&words, "", s->socket_path);
	}
	if (s->json)
		add_word(&words, "", "--json");
	if (s->no_color)
		add_word(&words, "", "--no-color");
	add_command(&words, i);
	r = write_words(fd, &words);
	while (r == 0 && in_fd >= 0 && copy_some(in_fd, fd))
		continue;
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = EXIT_REFUSED; /* a memory file: it cannot fail */
	if (r == 0)
		*ret_fd = fd;
	else
		(void)close(fd); /* WHY: a memory file */
	return r;
}

int
remote_run(const struct session *s, const struct invocation *i, int in_fd, int out_fd)
{
	struct remote r = { .pid = -1 };
	int fd = -1, status = make_input(s, i, in_fd, &fd);

	if (status != 0)
		return status;
	r.pid =
	    start(s, COMMAND_ARGUMENTS, fd, out_fd < 0 && s->answer_fd > 0 ? s->answer_fd : out_fd);
	(void)close(fd); /* WHY: the child has its own */
	if (r.pid < 0)
		return EXIT_USAGE;
	status = remote_end(&r);
	r.heard = s->answer_fd > 0 && lseek(s->answer_fd, 0, SEEK_CUR) > 0;
	if (status >= EXIT_OK && status <= EXIT_TIMED_OUT)
		return status;
	return remote_explain(s, &r);
}

/* Up to the next NUL.  WHY byte by byte: the bytes behind the words belong to another reader. */
static int
read_word(int fd, char *text, size_t size, size_t *ret_length)
{
	for (size_t n = 0; n < size; n++) {
		ssize_t r;

		do
			r = read(fd, text + n, 1);
		while (r < 0 && errno == EINTR);
		if (r < 0)
			return -errno;
		if (r == 0)
			return -EPROTO;
		if (text[n] == '\0') {
			*ret_length = n;
			return 0;
		}
	}
	return -EPROTO;
}

int
remote_take_arguments(int fd, char *program, struct arguments *ret)
{
	size_t used = 0, length = 0;
	unsigned long count;
	char *end;
	int r = read_word(fd, ret->text, 8, &length);

	if (r < 0)
		return r;
	count = strtoul(ret->text, &end, 10);
	if (length == 0 || *end != '\0' || count > REMOTE_WORDS_MAX)
		return -EPROTO;
	ret->argc = 0;
	ret->argv[ret->argc++] = program;
	for (; count > 0; count--) {
		r = read_word(fd, ret->text + used, sizeof(ret->text) - used, &length);
		if (r < 0)
			return r;
		ret->argv[ret->argc++] = ret->text + used;
		used += length + 1;
	}
	ret->argv[ret->argc] = NULL;
	return 0;
}

int
remote_serve(const struct session *s)
{
	int fd = socket_connect(s->socket_path);
	struct pollfd p[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
			       { .fd = fd, .events = POLLIN } };

	if (fd < 0)
		return socket_explain(s, fd);
	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			break;
		if (p[1].revents != 0 && !copy_some(fd, STDOUT_FILENO))
			break;
		if (p[0].revents != 0 && !copy_some(STDIN_FILENO, fd))
			break;
		p[0].revents = p[1].revents = 0;
	}
	(void)close(fd); /* WHY: the stream is over; what is lost would find no reader */
	return EXIT_OK;
}
