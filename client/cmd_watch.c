/* SPDX-License-Identifier: MIT */
/* cfdfuctl watch: the station live; a screen on a terminal, a line a change elsewhere. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "client/commands.h"
#include "client/conn.h"
#include "client/hook.h"
#include "client/hosts.h"
#include "client/out.h"
#include "client/overview.h"
#include "client/page.h"
#include "client/screen.h"
#include "client/stream.h"
#include "client/when.h"

/* ECMA-48, and the alternate screen that all terminals of this century have. */
/* WHY no automatic wrapping: where a terminal takes a character for wider than we do, a line must
 * not become two. */
#define ENTER_SCREEN "\033[?1049h\033[?25l\033[?7l\033[2J"
#define LEAVE_SCREEN "\033[?7h\033[?25h\033[?1049l"
#define HOME "\033[H"

#define BELL_WORK_MS 5000 /* WHY: one drone that is plugged in again rings no bell */
#define BELL_GAP_MS 300	  /* between two strokes, or a terminal makes one of them */
#define REDRAW_MS 250	  /* LIMIT: frames a second; drones do not change faster than eyes */

struct watch;

/* One station. */
struct part {
	const struct watch *watch;
	struct session session;
	char title[256]; /* of one among several: its host */
	struct slots *slots;
	struct stream *stream;
	struct hook *hook; /* NULL: none */
	bool told;	   /* there was a reply: what changes from now on is an event */
	bool lost;	   /* said to be, of several */
	int64_t work_ms;   /* the rack works since then; 0: it is idle */
};

struct watch {
	const struct session *session;
	struct part *parts;
	size_t count;
	bool screen, bell;
	int signals;	      /* descriptor; -1 without a screen */
	bool keys;	      /* standard input is a terminal, and ours to set */
	struct termios modes; /* as they were */
};

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
	struct winsize size = out_window();
	struct screen how = { size.ws_row, size.ws_col, out_has_colour(w->session), NULL };
	struct screen_part parts[HOSTS_MAX];
	char *frame;

	if (stream_is_lost(w->parts->stream))
		how.notice = "The service has gone away; waiting for it to come back.  What is "
			     "shown below is what it said last.";
	for (size_t n = 0; n < w->count; n++) {
		const struct part *p = &w->parts[n];

		parts[n] = (struct screen_part){ p->title, NULL, p->slots };
		if (!p->told)
			parts[n].notice = p->lost ? "does not answer; asked again" : "is asked";
		else if (p->lost)
			parts[n].notice = "HAS GONE AWAY, asked again; this is what it said last";
	}
	frame = w->count > 1 ? screen_draw_parts(parts, w->count, &how)
			     : screen_draw(w->parts->slots, &how);
	if (frame == NULL)
		return;
	fputs(HOME, stdout);
	put(frame);
	free(frame);
}

/* "12:34:56 A1 (1-4) flashing": only when its work, verdict or readiness changed. */
static void
print_change(const struct part *p, const json_t *before, const json_t *after)
{
	struct text work = slot_work(after), message = out_text(after, "message");
	struct text old = slot_work(before), what = out_text(after, "verdict");
	char line[3 * OUT_TEXT_MAX];
	time_t now = time(NULL);
	char clock[16] = "", name[96], ready[128], ready_before[128];
	bool same = before != NULL && strcmp(work.s, old.s) == 0 &&
		    !out_differ(before, after, "verdict") &&
		    out_true(before, "present") == out_true(after, "present");
	struct tm tm;

	/* WHY: a slot that only has a name has not changed. */
	if (before == NULL && strcmp(slot_class(after), "absent") == 0)
		return;
	slot_ready_words(after, ready, sizeof(ready));
	slot_ready_words(before, ready_before, sizeof(ready_before));
	if (same && (ready[0] == '\0' || strcmp(ready, ready_before) == 0))
		return;
	if (same) {
		text_copy(&what, ready);
		text_copy(&message, "");
	}
	if (localtime_r(&now, &tm) != NULL)
		(void)strftime(clock, sizeof(clock), "%H:%M:%S", &tm); /* WHY: it fits */
	slot_name(after, name, sizeof(name));
	snprintf(line, sizeof(line), "%s%s%s %s %s%s%s%s", p->title,
		 p->title[0] != '\0' ? ": " : "", clock, name,
		 slot_is_active(after) || what.s[0] == '\0' ? work.s : what.s,
		 out_true(after, "present") ? "" : " (off the bus)",
		 !slot_is_active(after) && message.s[0] != '\0' ? ": " : "",
		 slot_is_active(after) ? "" : message.s);
	page_line(line);
}

/* Keys come one by one, and are not shown. */
static void
take_keys(struct watch *w)
{
	struct termios raw;

	w->keys = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &w->modes) == 0;
	if (!w->keys)
		return;
	raw = w->modes;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	w->keys = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

static void
give_keys_back(const struct watch *w)
{
	if (w->keys)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &w->modes); /* WHY: nothing else to do */
}

static void
enter(struct watch *w)
{
	take_keys(w);
	put(ENTER_SCREEN);
}

static void
leave(const struct watch *w)
{
	put(LEAVE_SCREEN);
	give_keys_back(w);
}

/* The screen is given back for the time of a stop (Ctrl-Z). */
static void
stop_for_a_while(struct watch *w)
{
	leave(w);
	(void)raise(SIGSTOP); /* WHY: goes on here after SIGCONT; cannot fail for ourselves */
	enter(w);
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

/* The same; a terminal that is gone is no reason to go on. */
static bool
take_key(void)
{
	char key = 'q';
	ssize_t n = read(STDIN_FILENO, &key, 1);

	return n == 0 || (n < 0 && errno != EINTR) || key == 'q' || key == 'Q';
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

static void
on_slot(void *ctx, const json_t *before, const json_t *after)
{
	const struct part *p = ctx;

	if (!p->watch->screen && !p->session.json)
		print_change(p, before, after);
	if (p->hook != NULL && p->told)
		hook_on_slot(p->hook, slots_station(p->slots), before, after);
}

/* Once when all is good, three times when an operator is needed. */
static void
ring(const struct part *p)
{
	json_t *list = slots_sorted(p->slots), *slot;
	FILE *f = isatty(STDOUT_FILENO) ? stdout : stderr;
	int strokes = 1;
	size_t i;

	json_array_foreach(list, i, slot)
		strokes = slot_severity(slot) > 0 ? 3 : strokes;
	json_decref(list);
	for (; strokes > 0; strokes--) {
		fputc('\a', f);
		(void)fflush(f); /* WHY: as in put() */
		(void)poll(NULL, 0, strokes > 1 ? BELL_GAP_MS : 0);
	}
}

static void
on_station(struct part *p, const json_t *before)
{
	const json_t *now = slots_station(p->slots);
	bool works = out_int(json_object_get(now, "counts"), "active") > 0;

	if (p->hook != NULL) {
		hook_on_station(p->hook, before, now);
		hook_turn(p->hook);
	}
	if (p->watch->bell && !works && p->work_ms > 0 && when_ms() - p->work_ms > BELL_WORK_MS)
		ring(p);
	if (!works || p->work_ms == 0)
		p->work_ms = works ? when_ms() : 0;
	p->told = true;
}

/* Once when a station does not answer, and when it does again; the screen shows it. */
static void
tell_lost(struct part *p)
{
	bool lost = p->lost ? stream_is_lost(p->stream) : stream_fd(p->stream) < 0;

	if (lost != p->lost && !p->watch->screen)
		say_note(lost ? "(%s does not answer; asked again)" : "(%s answers)", p->title);
	p->lost = lost;
}

/* Takes all replies that are there.  0 or an exit status; CONN_TIMED_OUT never leaves here. */
static int
take_replies(struct part *p)
{
	for (;;) {
		json_t *reply = NULL, *before;
		int r = stream_next(p->stream, 0, &reply);

		if (r != 0)
			return r == CONN_TIMED_OUT ? 0 : r;
		if (p->session.json && p->watch->count > 1)
			out_json_new(json_pack("{s:s,s:O}", "host", p->title, "answer", reply));
		else if (p->session.json)
			out_json(reply);
		else if (!p->watch->screen && out_true(reply, "lost"))
			puts("(some changes were missed)");
		before = json_incref((json_t *)slots_station(p->slots));
		r = slots_apply(p->slots, reply, on_slot, p);
		on_station(p, before);
		json_decref(before);
		json_decref(reply);
		if (r < 0)
			return say_no_memory();
		(void)fflush(stdout); /* WHY: main looks at the stream's state at the end */
	}
}

/* Then two of each part: its stream and its hook. */
enum { POLL_OUTPUT, POLL_SIGNALS, POLL_KEYS, POLL_PARTS };

/*
 * Waits.  True when a stream has something, or its time has come.  WHY the output: a reader that
 * has gone away is noticed there, and by no write for hours.
 */
static bool
wait_for_it(const struct watch *w, struct pollfd *p)
{
	nfds_t count = POLL_PARTS + 2 * (nfds_t)w->count;
	int wait_ms = -1, n;
	bool due = false;

	p[POLL_OUTPUT] = (struct pollfd){ .fd = STDOUT_FILENO };
	p[POLL_SIGNALS] = (struct pollfd){ .fd = w->signals, .events = POLLIN };
	p[POLL_KEYS] = (struct pollfd){ .fd = w->keys ? STDIN_FILENO : -1, .events = POLLIN };
	for (size_t i = 0; i < w->count; i++) {
		const struct part *part = &w->parts[i];
		int ms = stream_wait_ms(part->stream);
		struct pollfd *two = p + POLL_PARTS + 2 * i;

		two[0] = (struct pollfd){ .fd = stream_fd(part->stream), .events = POLLIN };
		two[1] = (struct pollfd){ .fd = hook_fd(part->hook), .events = POLLIN };
		if (ms >= 0 && (wait_ms < 0 || ms < wait_ms))
			wait_ms = ms;
	}
	n = poll(p, count, wait_ms);
	for (nfds_t i = 0; i < count && n <= 0; i++)
		p[i].revents = 0;
	for (nfds_t i = POLL_PARTS; i < count; i += 2)
		due = due || p[i].revents != 0;
	return due || n == 0;
}

static int
follow(struct watch *w)
{
	struct pollfd p[POLL_PARTS + 2 * HOSTS_MAX];
	bool left = false;
	int r = 0;

	while (r == 0 && !left && !ferror(stdout)) {
		if (wait_for_it(w, p)) {
			/* WHY hold back a moment: changes come in swarms, one frame shows all */
			if (w->screen)
				(void)poll(p + POLL_SIGNALS, 2, REDRAW_MS);
			for (size_t i = 0; i < w->count && r == 0; i++)
				r = take_replies(&w->parts[i]);
			for (size_t i = 0; i < w->count && w->count > 1; i++)
				tell_lost(&w->parts[i]);
			if (w->screen && r == 0)
				draw(w);
		}
		for (size_t i = 0; i < w->count; i++)
			if (p[POLL_PARTS + 2 * i + 1].revents != 0)
				hook_turn(w->parts[i].hook);
		left = p[POLL_OUTPUT].revents != 0;
		if (p[POLL_SIGNALS].revents != 0)
			left = take_signals(w) || left;
		if (p[POLL_KEYS].revents != 0)
			left = take_key() || left;
	}
	return r;
}

static int
run_screen(struct watch *w)
{
	char line[512];
	int r;

	for (size_t n = 0; n < w->count; n++)
		stream_before_trouble(w->parts[n].stream, LEAVE_SCREEN);
	enter(w);
	r = follow(w);
	if (r != 0) {
		give_keys_back(w);
		return r;
	}
	leave(w);
	overview_counts(slots_station(w->parts->slots), line, sizeof(line));
	if (w->count == 1)
		puts(line);
	return 0;
}

/* A picture needs a terminal that knows how to draw one. */
static bool
wants_screen(const struct session *s, const struct invocation *i)
{
	const char *term = getenv("TERM");

	return !s->json && !invocation_has(i, "lines") && isatty(STDOUT_FILENO) && term != NULL &&
	       term[0] != '\0' && strcmp(term, "dumb") != 0;
}

/* host: of one among several; NULL: the only one. */
static int
open_part(const struct watch *w, struct part *p, const struct invocation *i, const char *host)
{
	struct params params = params_of(i);
	int r = params.status;

	*p = (struct part){ .watch = w, .session = *w->session };
	if (host != NULL) {
		p->session.host = host;
		p->session.silent = true;
		text_format(p->title, sizeof(p->title), "%s", host);
	}
	if (r == 0 && slots_new(&p->slots) < 0)
		r = say_no_memory();
	if (r == 0 && invocation_has(i, "exec"))
		r = hook_new(&p->session, invocation_value(i, "exec"), w->screen, &p->hook);
	if (r == 0)
		r = stream_open(&p->session, i->command->method, json_incref(params.object),
				&p->stream);
	if (r == 0 && host != NULL)
		stream_wait_for_first(p->stream);
	params_done(&params);
	return r;
}

static int
run(const struct session *s, const struct invocation *i)
{
	struct watch w = { .session = s, .signals = -1, .bell = invocation_has(i, "bell") };
	bool several = s->hosts->count > 1;
	int r = 0;

	w.count = several ? s->hosts->count : 1;
	w.screen = wants_screen(s, i);
	w.parts = calloc(w.count, sizeof(*w.parts));
	if (w.parts == NULL)
		return say_no_memory();
	for (size_t n = 0; n < w.count && r == 0; n++)
		r = open_part(&w, &w.parts[n], i, several ? s->hosts->names[n] : NULL);
	if (r == 0 && w.screen)
		w.signals = open_signals();
	w.screen = w.signals >= 0;
	if (r == 0)
		r = w.screen ? run_screen(&w) : follow(&w);
	if (w.signals >= 0)
		(void)close(w.signals);
	for (size_t n = 0; n < w.count; n++) {
		hook_free(w.parts[n].hook);
		slots_free(w.parts[n].slots);
		stream_close(w.parts[n].stream);
	}
	free(w.parts);
	return r;
}

const struct command_desc cmd_watch = {
	.name = "watch",
	.live = true,
	.stations = STATIONS_OWN,
	.args = "[SLOT|SERIAL]",
	.args_max = 1,
	.help = N_("show the status and update it live"),
	.run = run,
	.method = PROTO_METHOD("Watch"),
	.parameters = { { "target" } },
	.options = { { "lines", 0, NULL, N_("one line per change, also on a terminal") },
		     { "bell", 'b', NULL, N_("ring the bell when the rack has finished") },
		     { "exec", 'x', "PROG", N_("run this program for each event") } },
};
