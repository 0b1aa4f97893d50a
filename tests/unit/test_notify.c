/* SPDX-License-Identifier: MIT */
/* Contract of app/notify: messages to the service manager, and the sockets that it passes. */
#include "config.h"

#include "app/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

struct manager {
	char name[64]; /* of its socket */
	int fd;
	struct notify *notify;
};

static int
set_up(void **state)
{
	static struct manager m;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int length;

	memset(&m, 0, sizeof(m));
	length = snprintf(m.name, sizeof(m.name), "@cfdfud-test-notify-%d", (int)getpid());
	memcpy(addr.sun_path + 1, m.name + 1, (size_t)length - 1);
	m.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	*state = &m;
	return m.fd < 0 || setenv("NOTIFY_SOCKET", m.name, 1) != 0 ||
		       setenv("WATCHDOG_USEC", "30000000", 1) || unsetenv("WATCHDOG_PID") != 0 ||
		       bind(m.fd, (const struct sockaddr *)&addr,
			    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)length)) <
			   0 ||
		       notify_new(&m.notify) < 0
		   ? -1
		   : 0;
}

static int
tear_down(void **state)
{
	struct manager *m = *state;

	notify_free(m->notify);
	return close(m->fd);
}

static void
expect(struct manager *m, const char *text)
{
	char got[512];
	ssize_t n = recv(m->fd, got, sizeof(got) - 1, 0);

	if (text == NULL) {
		assert_int_equal(n, -1);
		return;
	}
	assert_true(n >= 0);
	got[n] = '\0';
	assert_string_equal(got, text);
}

#define TEST_SET_UP(name) TEST_WITH(name, set_up, tear_down)

TEST_SET_UP(every_notification_arrives)
{
	struct manager *m = *state;

	notify_ready(m->notify);
	expect(m, "READY=1");
	notify_watchdog(m->notify);
	expect(m, "WATCHDOG=1");
	notify_reloading(m->notify, 123);
	expect(m, "RELOADING=1\nMONOTONIC_USEC=123");
	notify_extend(m->notify, 5000);
	expect(m, "EXTEND_TIMEOUT_USEC=5000000");
	notify_trouble(m->notify, -ENOSPC);
	expect(m, "ERRNO=28");
	notify_stopping(m->notify);
	expect(m, "STOPPING=1");
}

TEST_SET_UP(a_status_is_one_line_and_sent_when_it_changed)
{
	struct manager *m = *state;
	char text[400], expected[NOTIFY_STATUS_MAX + 8];

	notify_status(m->notify, "%d of %d", 3, 16);
	expect(m, "STATUS=3 of 16");
	notify_status(m->notify, "3 of 16");
	expect(m, NULL);
	notify_status(m->notify, "a\nREADY=1\x1B");
	expect(m, "STATUS=a READY=1 ");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	notify_status(m->notify, "%s", text);
	(void)snprintf(expected, sizeof(expected), "STATUS=%.*s", NOTIFY_STATUS_MAX - 1, text);
	expect(m, expected);
}

TEST_SET_UP(the_environment_is_taken_and_not_left_to_children)
{
	struct manager *m = *state;

	assert_null(getenv("NOTIFY_SOCKET"));
	assert_null(getenv("WATCHDOG_USEC"));
	notify_watchdog(m->notify);
	expect(m, "WATCHDOG=1");
}

TEST_SET_UP(a_full_socket_does_not_block)
{
	struct manager *m = *state;

	for (int i = 0; i < 2000; i++)
		notify_watchdog(m->notify);
	expect(m, "WATCHDOG=1");
}

TEST_SET_UP(another_process_watchdog_is_not_ours)
{
	struct manager *m = *state;
	struct notify *n = NULL;

	assert_int_equal(setenv("NOTIFY_SOCKET", m->name, 1) | setenv("WATCHDOG_PID", "1", 1) |
			     setenv("WATCHDOG_USEC", "1000000", 1),
			 0);
	assert_int_equal(notify_new(&n), 0);
	notify_watchdog(n);
	expect(m, NULL);
	notify_ready(n);
	expect(m, "READY=1");
	notify_free(n);
	assert_int_equal(setenv("NOTIFY_SOCKET", m->name, 1) | setenv("WATCHDOG_USEC", "12x", 1),
			 0);
	assert_int_equal(notify_new(&n), 0);
	notify_watchdog(n);
	expect(m, NULL);
	notify_free(n);
}

TEST_SET_UP(without_a_service_manager_nothing_is_sent)
{
	struct manager *m = *state;
	struct notify *n = NULL;

	assert_int_equal(notify_new(&n), 0); /* the environment was taken by the first */
	notify_ready(n);
	notify_watchdog(n);
	expect(m, NULL);
	notify_free(n);
}

TEST_SET_UP(an_invalid_socket_is_an_error)
{
	static const struct {
		const char *path;
		int error;
	} cases[] = {
		{ "relative", -EAFNOSUPPORT },
		{ "vsock:2:1", -EAFNOSUPPORT },
		{ "@", -EAFNOSUPPORT },
		{ "/nonexistent/notify", -ENOENT },
		{ "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aaaaaaaaaa"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		  -ENAMETOOLONG },
	};
	struct notify *n = NULL;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(setenv("NOTIFY_SOCKET", cases[i].path, 1), 0);
		assert_int_equal(notify_new(&n), cases[i].error);
	}
	assert_null(n);
}

/* In a child, whose descriptors from 3 on are these: a listener, a plain stream, a datagram socket.
 */
static void
in_child(int (*body)(void))
{
	pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (pid == 0) {
		char text[16];
		int fds[3] = { socket(AF_UNIX, SOCK_STREAM, 0), socket(AF_UNIX, SOCK_STREAM, 0),
			       socket(AF_UNIX, SOCK_DGRAM, 0) };
		const struct sockaddr_un any = { .sun_family = AF_UNIX };

		(void)bind(fds[0], (const struct sockaddr *)&any, sizeof(sa_family_t));
		(void)listen(fds[0], 5);
		for (int i = 0; i < 3; i++)
			(void)dup2(fds[i], 100 + i);
		for (int i = 0; i < 3; i++)
			(void)dup2(100 + i, 3 + i);
		(void)snprintf(text, sizeof(text), "%d", (int)getpid());
		(void)setenv("LISTEN_PID", text, 1);
		_exit(body());
	}
	assert_true(waitpid(pid, &status, 0) == pid);
	assert_int_equal(status, 0);
}

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return __LINE__ & 0x7F;                                                    \
	} while (0)

static int
take_the_only_one(void)
{
	int fd = -1;

	(void)setenv("LISTEN_FDS", "1", 1);
	(void)unsetenv("LISTEN_FDNAMES");
	CHECK(notify_take_listener("control", &fd) == 1);
	CHECK(fd == 3);
	CHECK(getenv("LISTEN_FDS") == NULL && getenv("LISTEN_PID") == NULL);
	CHECK(notify_take_listener("control", &fd) == 0);
	return 0;
}

static int
take_the_named_one(void)
{
	int fd = -1;

	(void)dup2(3, 10);
	(void)dup2(4, 3);
	(void)dup2(10, 4);
	(void)setenv("LISTEN_FDS", "3", 1);
	(void)setenv("LISTEN_FDNAMES", "other:control:more", 1);
	CHECK(notify_take_listener("control", &fd) == 1);
	CHECK(fd == 4);
	CHECK(fcntl(3, F_GETFD) == -1 && fcntl(5, F_GETFD) == -1);
	return 0;
}

static int
ignore_what_is_not_for_us(void)
{
	int fd = -1;

	(void)setenv("LISTEN_FDS", "2", 1);
	(void)setenv("LISTEN_PID", "1", 1);
	CHECK(notify_take_listener("control", &fd) == 0);
	CHECK(fcntl(3, F_GETFD) != -1);
	(void)setenv("LISTEN_FDS", "17", 1);
	char text[16];
	(void)snprintf(text, sizeof(text), "%d", (int)getpid());
	(void)setenv("LISTEN_PID", text, 1);
	CHECK(notify_take_listener("control", &fd) == -E2BIG);
	return 0;
}

static int
find_none_by_that_name(void)
{
	int fd = -1;

	(void)setenv("LISTEN_FDS", "2", 1);
	(void)setenv("LISTEN_FDNAMES", "controller:con", 1);
	CHECK(notify_take_listener("control", &fd) == 0);
	CHECK(fcntl(3, F_GETFD) == -1);
	return 0;
}

TEST(a_passed_listener_is_found_by_name_or_as_the_only_one)
{
	in_child(take_the_only_one);
	in_child(take_the_named_one);
	in_child(find_none_by_that_name);
}

TEST(passed_descriptors_for_others_are_not_taken)
{
	in_child(ignore_what_is_not_for_us);
}

TEST_MAIN(NULL)
