/* SPDX-License-Identifier: MIT */
/* cfdfuctl watch on a real (pseudo) terminal: draws, redraws, gives the screen back. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#include "cfdfu/proto.h"
#include "cfdfu/util.h"
#include "client_run.h"

#define ENTER "\033[?1049h"
#define LEAVE "\033[?1049l"
#define PATIENCE_MS 60000

#define FIRST                                                                                      \
	"{\"parameters\":{\"station\":{\"state\":\"armed\",\"counts\":{\"present\":1}},\"slots\":" \
	"["                                                                                        \
	"{\"port\":\"1-4\",\"present\":true,\"state\":\"writing\",\"percent\":50}],\"full\":true}" \
	","                                                                                        \
	"\"continues\":true}"
#define SECOND                                                                                     \
	"{\"parameters\":{\"station\":{\"state\":\"armed\",\"counts\":{\"present\":1}},\"slots\":" \
	"["                                                                                        \
	"{\"port\":\"1-4\",\"present\":true,\"state\":\"ended\",\"verdict\":\"pass\"}],"           \
	"\"full\":false},\"continues\":true}"

/* A watch on a terminal, and the service at its other end. */
struct show {
	int terminal, service;
	pid_t pid;
	char seen[65536];
	size_t used;
};

/* Takes what the terminal shows until it has this text; from *mark on. */
static void
see(struct show *s, const char *text, size_t mark)
{
	for (int left_ms = PATIENCE_MS; left_ms > 0; left_ms -= 10) {
		struct pollfd p = { .fd = s->terminal, .events = POLLIN };
		ssize_t n = 0;

		if (strstr(s->seen + mark, text) != NULL)
			return;
		if (poll(&p, 1, 10) > 0)
			n = read(s->terminal, s->seen + s->used, sizeof(s->seen) - s->used - 1);
		s->used += n > 0 ? (size_t)n : 0;
		s->seen[s->used] = '\0';
	}
	fail_msg("\"%s\" is not shown", text);
}

static void
say(const struct show *s, const char *reply)
{
	assert_int_equal(send(s->service, reply, strlen(reply) + 1, MSG_NOSIGNAL),
			 strlen(reply) + 1);
}

/* A client on a terminal of so many lines, with these words, and the service's socket. */
static int
start_words(struct show *s, unsigned short rows, const char *option, const char *command)
{
	struct winsize size = { .ws_row = rows, .ws_col = 120 };
	int listener = client_listen();

	memset(s, 0, sizeof(*s));
	s->pid = forkpty(&s->terminal, NULL, NULL, &size);
	assert_true(s->pid >= 0);
	if (s->pid == 0) {
		setenv("TERM", "xterm", 1);
		setenv("CFDFU_PAGER", "sed 's/^/paged /'", 1);
		execl(client_program(), "cfdfuctl", "--socket", client_socket(), option, command,
		      (char *)NULL);
		_exit(98);
	}
	return listener;
}

/* The service's side of a watch. */
static void
serve(struct show *s, int listener)
{
	char request[512];

	for (;;) {
		s->service = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		assert_true(s->service >= 0);
		if (recv(s->service, request, sizeof(request), 0) > 0)
			break;
		close(s->service); /* it has only looked whether a service listens */
	}
	close(listener);
	assert_non_null(strstr(request, "\"more\":true"));
	say(s, FIRST);
}

static void
start(struct show *s, const char *term, const char *option)
{
	struct winsize size = { .ws_row = 24, .ws_col = 120 };
	int listener = client_listen();

	memset(s, 0, sizeof(*s));
	s->pid = forkpty(&s->terminal, NULL, NULL, &size);
	assert_true(s->pid >= 0);
	if (s->pid == 0) {
		setenv("TERM", term, 1);
		unsetenv("NO_COLOR");
		execl(client_program(), "cfdfuctl", "--socket", client_socket(), "watch", option,
		      (char *)NULL);
		_exit(98);
	}
	serve(s, listener);
	see(s, "flashing", 0);
}

static void
start_screen(struct show *s)
{
	start(s, "xterm", NULL);
	see(s, "q leaves", 0);
	assert_non_null(strstr(s->seen, ENTER));
}

static int
finish(struct show *s)
{
	int status = -1;

	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	close(s->terminal);
	close(s->service);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST(the_screen_is_drawn_and_given_back_on_ctrl_c)
{
	struct show s;

	start_screen(&s);
	assert_non_null(strstr(s.seen, "[##########..........]  50%"));
	assert_non_null(strstr(s.seen, "\033[36m")); /* busy is coloured */
	say(&s, SECOND);
	see(&s, "PASS", 0);
	assert_int_equal(write(s.terminal, "\003", 1), 1);
	see(&s, LEAVE, 0);
	see(&s, "1 present", (size_t)(strstr(s.seen, LEAVE) - s.seen));
	assert_int_equal(finish(&s), EXIT_OK);
}

TEST(a_new_size_of_the_window_is_followed)
{
	struct winsize small = { .ws_row = 4, .ws_col = 40 };
	struct show s;
	size_t mark;

	start(&s, "xterm", "--no-color");
	see(&s, "q leaves", 0);
	assert_null(strstr(s.seen, "\033[36m"));
	mark = s.used;
	assert_int_equal(ioctl(s.terminal, TIOCSWINSZ, &small), 0);
	see(&s, "flashing", mark);
	assert_null(strstr(s.seen + mark, "q leaves"));
	kill(s.pid, SIGTERM);
	see(&s, LEAVE, mark);
	assert_int_equal(finish(&s), EXIT_OK);
}

TEST(q_ends_watch)
{
	struct show s;

	start_screen(&s);
	assert_int_equal(write(s.terminal, "xq", 2), 2);
	see(&s, LEAVE, 0);
	assert_int_equal(finish(&s), EXIT_OK);
}

TEST(a_terminal_that_cannot_draw_gets_lines)
{
	static const struct {
		const char *term, *option;
	} rows[] = { { "dumb", NULL }, { "xterm", "--lines" } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct show s;

		start(&s, rows[i].term, rows[i].option);
		say(&s, SECOND);
		see(&s, "1-4 pass", 0);
		assert_null(strchr(s.seen, '\033'));
		kill(s.pid, SIGTERM);
		assert_int_equal(finish(&s), 128 + SIGTERM);
	}
}

TEST(a_service_that_goes_away_is_waited_for)
{
	struct show s;
	size_t mark;

	start_screen(&s);
	assert_int_equal(unlink(client_socket()), 0);
	close(s.service);
	see(&s, "The service has gone away", 0);
	mark = s.used;
	serve(&s, client_listen());
	say(&s, SECOND);
	see(&s, "PASS", mark);
	see(&s, "\033[H\033[KStation armed", mark);
	assert_int_equal(write(s.terminal, "q", 1), 1);
	see(&s, LEAVE, mark);
	assert_int_equal(finish(&s), EXIT_OK);
}

TEST(trouble_is_said_after_the_screen_was_given_back)
{
	struct show s;

	start_screen(&s);
	say(&s, "nonsense");
	see(&s, "invalid reply", 0);
	assert_true(strstr(s.seen, LEAVE) < strstr(s.seen, "invalid reply"));
	assert_int_equal(finish(&s), EXIT_REFUSED);
}

TEST(a_stopped_watch_gives_the_screen_back_for_the_time)
{
	struct show s;
	size_t mark;
	int status;

	start_screen(&s);
	assert_int_equal(write(s.terminal, "\032", 1), 1);
	see(&s, LEAVE, 0);
	assert_int_equal(waitpid(s.pid, &status, WUNTRACED), s.pid);
	assert_true(WIFSTOPPED(status));
	mark = s.used;
	kill(s.pid, SIGCONT);
	see(&s, ENTER, mark);
	see(&s, "flashing", mark);
	assert_int_equal(write(s.terminal, "\003", 1), 1);
	see(&s, LEAVE, mark);
	assert_int_equal(finish(&s), EXIT_OK);
}

static void
answer_status(struct show *s, int listener)
{
	char request[512];

	s->service = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(s->service >= 0);
	close(listener);
	assert_true(recv(s->service, request, sizeof(request), 0) > 0);
	say(s, FIRST);
}

TEST(a_pager_shows_what_is_longer_than_the_screen)
{
	static const struct {
		unsigned short rows;
		const char *option;
		bool paged;
	} rows[] = { { 8, "--no-color", true },
		     { 8, "--no-pager", false },
		     { 50, "--no-color", false } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct show s;

		answer_status(&s, start_words(&s, rows[i].rows, rows[i].option, "status"));
		see(&s, "1 drone: 1 AT WORK", 0);
		assert_int_equal(strstr(s.seen, "paged Station armed") != NULL, rows[i].paged);
		assert_int_equal(finish(&s), EXIT_OK);
	}
}

TEST_MAIN(NULL)
