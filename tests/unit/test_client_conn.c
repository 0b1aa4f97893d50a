/* SPDX-License-Identifier: MIT */
/* cfdfuctl with a service that stops, goes away or comes back, and with a reader that goes away. */
#include "config.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#include "cfdfu/proto.h"
#include "cfdfu/util.h"
#include "client_run.h"

#define PATIENCE_MS 120000

#define WORKING                                                                                    \
	"{\"parameters\":{\"station\":{\"state\":\"armed\",\"counts\":{\"present\":1}},"           \
	"\"slots\":[{\"port\":\"1-4\",\"present\":true,\"state\":\"writing\",\"percent\":50,"      \
	"\"serial\":\"A\",\"class\":\"active\"}],\"full\":true},\"continues\":true}"
#define DONE                                                                                       \
	"{\"parameters\":{\"station\":{\"state\":\"armed\",\"counts\":{\"present\":1}},"           \
	"\"slots\":[{\"port\":\"1-4\",\"present\":true,\"state\":\"ended\",\"verdict\":\"pass\","  \
	"\"serial\":\"A\",\"attempt\":7,\"class\":\"pass\"}],\"full\":true},\"continues\":true}"

/* A client with its outputs, and the service it speaks to. */
struct talk {
	pid_t pid;
	int out, err, listener, service;
	char said[4096]; /* on standard error */
};

static void
start(struct talk *t, const char *option, const char *command)
{
	int out[2], err[2];

	memset(t, 0, sizeof(*t));
	t->listener = client_listen();
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	t->pid = fork();
	assert_true(t->pid >= 0);
	if (t->pid == 0) {
		signal(SIGPIPE, SIG_DFL);
		if (dup2(out[1], STDOUT_FILENO) < 0 || dup2(err[1], STDERR_FILENO) < 0)
			_exit(99);
		execl(client_program(), "cfdfuctl", option, "--socket", client_socket(), command,
		      (char *)NULL);
		_exit(98);
	}
	close(out[1]);
	close(err[1]);
	t->out = out[0];
	t->err = err[0];
}

static void
accept_call(struct talk *t)
{
	char request[512];

	for (;;) {
		t->service = accept4(t->listener, NULL, NULL, SOCK_CLOEXEC);
		assert_true(t->service >= 0);
		if (recv(t->service, request, sizeof(request), 0) > 0)
			return;
		close(t->service); /* it has only looked whether a service listens */
	}
}

static void
say(const struct talk *t, const char *reply)
{
	assert_int_equal(send(t->service, reply, strlen(reply) + 1, MSG_NOSIGNAL),
			 strlen(reply) + 1);
}

/* Reads on until there is this text. */
static void
hear(int fd, char *text, size_t size, const char *wanted)
{
	size_t used = strlen(text);

	while (strstr(text, wanted) == NULL) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;

		assert_true(poll(&p, 1, PATIENCE_MS) > 0);
		n = read(fd, text + used, size - used - 1);
		if (n <= 0)
			fail_msg("\"%s\" is not said, but: %s", wanted, text);
		used += (size_t)n;
		text[used] = '\0';
	}
}

static int
finish(struct talk *t)
{
	int status = -1;

	assert_int_equal(waitpid(t->pid, &status, 0), t->pid);
	close(t->out);
	close(t->err);
	close(t->service);
	close(t->listener);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* As a daemon that is stopped by SIGSTOP does it: it listens, and nothing comes. */
TEST(a_service_that_does_not_answer_is_given_up)
{
	static const char *const commands[] = { "status", "watch" };

	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		struct talk t;

		start(&t, "--no-color", commands[i]);
		accept_call(&t);
		hear(t.err, t.said, sizeof(t.said), "does not answer");
		assert_int_equal(finish(&t), EXIT_NO_DAEMON);
	}
}

TEST(a_watch_without_a_reader_ends)
{
	struct talk t;
	char line[8192] = "";

	start(&t, "--json", "watch");
	accept_call(&t);
	say(&t, WORKING);
	hear(t.out, line, sizeof(line), "\n");
	close(t.out);
	assert_int_equal(finish(&t), EXIT_OK);
}

TEST(a_wait_goes_on_when_the_service_is_back)
{
	struct talk t;
	char endings[8192] = "";
	int watch;

	start(&t, "--no-color", "wait");
	accept_call(&t);
	say(&t, WORKING);
	close(t.listener);
	assert_int_equal(unlink(client_socket()), 0);
	close(t.service);
	hear(t.err, t.said, sizeof(t.said), "has gone away");
	t.listener = client_listen();
	accept_call(&t);
	say(&t, DONE);
	hear(t.err, t.said, sizeof(t.said), "is back");
	watch = t.service;
	accept_call(&t); /* it asks the records for what it has missed */
	say(&t, "{\"parameters\":{\"attempts\":[],\"next\":null}}");
	hear(t.out, endings, sizeof(endings), "pass 1-4 A");
	assert_int_equal(finish(&t), EXIT_OK);
	close(watch);
}

/* Before the first answer there is nothing to come back to. */
TEST(a_service_that_hangs_up_at_once_is_not_waited_for)
{
	struct talk t;

	start(&t, "--no-color", "watch");
	accept_call(&t);
	close(t.service);
	hear(t.err, t.said, sizeof(t.said), "closed the connection");
	assert_int_equal(finish(&t), EXIT_NO_DAEMON);
}

TEST_MAIN(NULL)
