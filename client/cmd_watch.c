/* SPDX-License-Identifier: MIT */
/* cfdfuctl watch: the station live; a screen on a terminal, a line a change elsewhere. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "client/command.h"
#include "client/commands.h"
#include "client/conn.h"
#include "client/out.h"
#include "client/overview.h"
#include "client/params.h"
#include "client/screen.h"
#include "client/slots.h"

/* ECMA-48, and the alternate screen that all terminals of this century have. */
#define ENTER_SCREEN "\033[?1049h\033[?25l\033[2J"
#define LEAVE_SCREEN "\033[?25h\033[?1049l"
#define HOME "\033[H"
#define ERASE_BELOW "\033[J"

#define REDRAW_MS 250 /* LIMIT: frames a second; drones do not change faster than eyes */

struct watch {
	const struct session *session;
	struct slots *slots;
	struct conn *conn;
	int signals; /* descriptor; -1 without a screen */
};

static struct screen_size
terminal_size(void)
{
	struct winsize w = { .ws_row = 0 };
	struct screen_size size = { .rows = 24, .columns = 80 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_row > 0 && w.ws_col > 0) {
		size.rows = w.ws_row;
		size.columns = w.ws_col;
	}
	return size;
}

/* One write: a frame is never seen half. */
static void
put(const char *text)
{
	fputs(text, stdout);
	(void)fflush(stdout); /* WHY: main looks at the stream's state at the end */
}

static void
draw(struct watch *w)
{
	char *frame = screen_draw(w->slots, terminal_size(), out_has_colour(w->session));

	if (frame == NULL)
		return;
	fputs(HOME, stdout);
	fputs(frame, stdout);
	put(ERASE_BELOW);
	free(frame);
}

/* "12:34:56 A1 (1-4) writing 45%": only when state or verdict changed. */
static void
print_change(void *ctx, const json_t *before, const json_t *after)
{
	struct text state = out_text(after, "state"), message = out_text(after, "message");
	struct text old = out_text(before, "state");
	const char *verdict = slot_verdict(after), *was = slot_verdict(before);
	time_t now = time(NULL);
	char clock[16] = "", name[96];
	struct tm tm;

	(void)ctx;
	if (before != NULL && strcmp(state.s, old.s) == 0 &&
	    strcmp(verdict ? verdict : "", was ? was : "") == 0 &&
	    out_true(before, "present") == out_true(after, "present"))
		return;
	if (localtime_r(&now, &tm) != NULL)
		(void)strftime(clock, sizeof(clock), "%H:%M:%S", &tm); /* WHY: it fits */
	slot_name(after, name, sizeof(name));
	printf("%s %s %s", clock, name,
	       slot_is_active(after) || verdict == NULL ? state.s : verdict);
	if (!out_true(after, "present"))
		fputs(" (gone)", stdout);
	printf("%s%s\n", !slot_is_active(after) && message.s[0] != '\0' ? ": " : "",
	       slot_is_active(after) ? "" : message.s);
}

/* The screen is given back for the time of a stop (Ctrl-Z). */
static void
stop_for_a_while(struct watch *w)
{
	put(LEAVE_SCREEN);
	(void)raise(SIGSTOP); /* WHY: goes on here after SIGCONT; cannot fail for ourselves */
	put(ENTER_SCREEN);
	draw(w);
}

/* True when the user wants to leave. */
static bool
take_signals(struct watch *w)
{
	struct signalfd_siginfo info;

	while (read(w->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGTSTP)
			stop_for_a_while(w);
		else if (info.ssi_signo == SIGWINCH)
			draw(w);
		else
			return true;
	}
	return false;
}

static int
open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTSTP);
	sigaddset(&set, SIGWINCH);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -1;
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* Takes all replies that are there.  0 or an exit status; CONN_TIMED_OUT never leaves here. */
static int
take_replies(struct watch *w, slots_changed *changed, int timeout_ms)
{
	for (;;) {
		json_t *reply = NULL;
		int r = conn_next(w->conn, timeout_ms, &reply, NULL);

		if (r != 0)
			return r == CONN_TIMED_OUT ? 0 : r;
		if (w->session->json)
			out_json(reply);
		else if (changed != NULL && out_true(reply, "lost"))
			puts("(some changes were missed)");
		r = slots_apply(w->slots, reply, changed, NULL);
		json_decref(reply);
		if (r < 0) {
			say_error("out of memory");
			return EXIT_REFUSED;
		}
		(void)fflush(stdout); /* WHY: main looks at the stream's state at the end */
		timeout_ms = 0;
	}
}

static int
run_lines(struct watch *w)
{
	int r;

	do
		r = take_replies(w, w->session->json ? NULL : print_change, -1);
	while (r == 0 && !ferror(stdout));
	return r;
}

static int
run_screen(struct watch *w)
{
	struct pollfd p[2] = { { .fd = conn_fd(w->conn), .events = POLLIN },
			       { .fd = w->signals, .events = POLLIN } };
	bool leave = false;
	char line[512];
	int r = 0;

	conn_before_trouble(w->conn, LEAVE_SCREEN);
	put(ENTER_SCREEN);
	while (r == 0 && !leave && !ferror(stdout)) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			break;
		if (p[0].revents != 0) {
			/* WHY hold back a moment: changes come in swarms, one frame shows all */
			(void)poll(p + 1, 1, REDRAW_MS);
			r = take_replies(w, NULL, 0);
			draw(w);
		}
		leave = p[1].revents != 0 && take_signals(w);
		p[0].revents = p[1].revents = 0;
	}
	if (r == 0) {
		put(LEAVE_SCREEN);
		overview_counts(slots_station(w->slots), line, sizeof(line));
		puts(line);
	}
	return r;
}

static int
run(const struct session *s, const struct invocation *i)
{
	struct watch w = { .session = s, .signals = -1 };
	json_t *parameters = json_object();
	int r = params_text(parameters, "target", i->arg_count > 0 ? i->args[0] : NULL);

	if (r == 0)
		r = conn_open(s, &w.conn);
	if (r == 0 && slots_new(&w.slots) < 0) {
		say_error("out of memory");
		r = EXIT_REFUSED;
	}
	if (r == 0)
		r = conn_start(w.conn, PROTO_METHOD("Watch"), json_incref(parameters));
	if (r == 0 && !s->json && isatty(STDOUT_FILENO))
		w.signals = open_signals();
	if (r == 0)
		r = w.signals >= 0 ? run_screen(&w) : run_lines(&w);
	if (w.signals >= 0)
		(void)close(w.signals); /* WHY: only read from */
	slots_free(w.slots);
	conn_close(w.conn);
	json_decref(parameters);
	return r;
}

const struct command_desc cmd_watch = {
	.name = "watch",
	.args = "[SLOT|SERIAL]",
	.args_max = 1,
	.help = "the same, live",
	.run = run,
};
