/* SPDX-License-Identifier: MIT */
/* Contract of app/log on standard error: priorities, control characters, and no caller blocks. */
#include "config.h"

#include "app/log.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

/* Standard error is the writing end of a pipe while a test runs. */
struct ear {
	int read_end, real_stderr;
	struct log *log;
};

static int
set_up(void **state)
{
	static struct ear e;
	int ends[2];

	if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0)
		return -1;
	e.read_end = ends[0];
	e.real_stderr = dup(STDERR_FILENO);
	if (dup2(ends[1], STDERR_FILENO) < 0 || close(ends[1]) < 0)
		return -1;
	*state = &e;
	return log_new(LOG_INFO, &e.log);
}

static int
tear_down(void **state)
{
	struct ear *e = *state;

	log_free(e->log);
	(void)dup2(e->real_stderr, STDERR_FILENO);
	(void)unsetenv("JOURNAL_STREAM");
	return close(e->real_stderr) | close(e->read_end);
}

static void
expect(struct ear *e, const char *text)
{
	char got[4096];
	ssize_t n = read(e->read_end, got, sizeof(got) - 1);

	got[n < 0 ? 0 : n] = '\0';
	assert_string_equal(got, text);
}

#define TEST_SET_UP(name) TEST_WITH(name, set_up, tear_down)

TEST_SET_UP(a_line_is_said_with_its_port_and_nothing_below_the_level)
{
	struct ear *e = *state;
	struct log_about about = { .port = "1-4", .serial = "AB", .attempt = 7 };

	log_say(e->log, LOG_INFO, NULL, "%d drones", 3);
	expect(e, "3 drones\n");
	log_say(e->log, LOG_NOTICE, &about, "PASS");
	expect(e, "1-4: PASS\n");
	about.label = "A3";
	log_say(e->log, LOG_NOTICE, &about, "PASS");
	expect(e, "A3 (1-4): PASS\n");
	log_say(e->log, LOG_DEBUG, NULL, "hush");
	expect(e, "");
	log_set_level(e->log, LOG_DEBUG);
	log_say(e->log, LOG_DEBUG, NULL, "now");
	expect(e, "now\n");
}

TEST_SET_UP(control_characters_are_shown_not_sent)
{
	struct ear *e = *state;

	log_say(e->log, LOG_INFO, NULL, "%s", "a\nb\x1B[2Jc\x7F\xC2\x9Bx");
	expect(e, "a\\x0ab\\x1b[2Jc\\x7f\\x9bx\n");
	log_say(e->log, LOG_INFO, NULL, "%s",
		"Stra\xC3\x9F"
		"e");
	expect(e, "Stra\xC3\x9F"
		  "e\n");
}

TEST_SET_UP(a_long_line_is_cut)
{
	struct ear *e = *state;
	char text[3 * LOG_LINE_MAX], got[4096];
	ssize_t n;

	memset(text, '\x01', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_say(e->log, LOG_INFO, NULL, "%s", text);
	n = read(e->read_end, got, sizeof(got));
	assert_in_range(n, LOG_LINE_MAX / 2, LOG_LINE_MAX + 1);
	assert_int_equal(got[n - 1], '\n');
}

TEST_SET_UP(a_stopped_reader_blocks_no_caller_and_loss_is_reported)
{
	struct ear *e = *state;
	struct pollfd room = { .fd = STDERR_FILENO, .events = POLLOUT };
	char bytes[4096];
	unsigned said = 0;

	while (poll(&room, 1, 0) == 1 && said++ < 100000)
		log_say(e->log, LOG_INFO, NULL, "%0900d", said);
	assert_in_range(said, 1, 100000);
	log_say(e->log, LOG_INFO, NULL, "lost");
	log_say(e->log, LOG_INFO, NULL, "lost too");
	while (read(e->read_end, bytes, sizeof(bytes)) > 0)
		;
	log_say(e->log, LOG_INFO, NULL, "heard");
	expect(e, "heard\n2 log lines dropped: journal did not accept them\n");
	log_say(e->log, LOG_INFO, NULL, "again");
	expect(e, "again\n");
}

TEST_SET_UP(a_service_manager_gets_priorities)
{
	struct ear *e = *state;
	char text[64];
	struct stat st;
	struct log *l = NULL;

	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	(void)snprintf(text, sizeof(text), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	assert_int_equal(setenv("JOURNAL_STREAM", text, 1), 0);
	if (access("/run/systemd/journal/socket", F_OK) == 0)
		skip(); /* it would really be logged */
	assert_int_equal(log_new(LOG_INFO, &l), 0);
	log_say(l, LOG_WARNING, NULL, "mind");
	expect(e, "<4>mind\n");
	log_free(l);
	assert_int_equal(setenv("JOURNAL_STREAM", "1:2", 1), 0);
	assert_int_equal(log_new(LOG_INFO, &l), 0);
	log_say(l, LOG_WARNING, NULL, "mind");
	expect(e, "mind\n");
	log_free(l);
}

TEST_MAIN(NULL)
