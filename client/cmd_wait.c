/* SPDX-License-Identifier: MIT */
/* cfdfuctl wait: until drones have ended; prints each ending as it comes. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "client/commands.h"
#include "client/conn.h"
#include "client/out.h"
#include "client/page.h"
#include "client/slots.h"
#include "client/stream.h"
#include "client/waiting.h"
#include "client/when.h"

#define SECONDS_MAX (30 * 24 * 3600)
#define COUNT_MAX 100000U
#define SETTLE_MS                                                                                  \
	5000 /* LIMIT: a drone that was rebooting as the service came back is there then */

struct wait {
	const struct session *session;
	struct waiting *waiting;
	int64_t until_ms;     /* negative: for ever */
	int64_t settled_ms;   /* not over before: the service is back, drones may still reboot */
	bool lost;	      /* the connection was lost; no reply since */
	const char *obstacle; /* said last; NULL: none */
};

static void
print_ending(void *ctx, const json_t *slot)
{
	const struct wait *w = ctx;
	struct text message = out_text(slot, "message"), verdict = out_text(slot, "verdict");
	struct text serial, ready = slot_ready_text(slot);
	char name[96], line[5 * OUT_TEXT_MAX];

	if (w->session->json) {
		out_json(slot);
		return;
	}
	slot_name(slot, name, sizeof(name));
	text_copy(&serial, slot_serial(slot));
	if (slot_is_ready(slot) && slot_place(slot) == SLOT_FATE_DONE)
		text_copy(&ready, "READY.");
	snprintf(line, sizeof(line), "%s%s%s %s%s%s%s%s%s%s",
		 paint_on(w->session, colour_of_verdict(verdict.s)), verdict.s,
		 paint_off(w->session), name, serial.s[0] != '\0' ? " " : "", serial.s,
		 message.s[0] != '\0' ? ": " : "", message.s, ready.s[0] != '\0' ? " " : "",
		 ready.s);
	page_line(line);
}

/* A sentence on what keeps drones from ending, such as a pause; NULL: nothing does. */
static const char *
obstacle_of(const json_t *station)
{
	if (out_is(station, "health", "degraded"))
		return N_("(the station is degraded, nothing is begun: cfdfuctl doctor)");
	if (out_is(station, "state", "paused"))
		return N_("(the station is paused: cfdfuctl resume)");
	if (json_array_size(json_object_get(station, "selected")) == 0 &&
	    json_array_size(json_object_get(station, "own")) == 0)
		return N_("(no firmware is selected: cfdfuctl firmware select NAME)");
	return NULL;
}

/* Said whenever it is another one than before. */
static void
say_obstacle(struct wait *w)
{
	const char *obstacle = obstacle_of(waiting_station(w->waiting));

	if (obstacle != NULL && obstacle != w->obstacle && !w->session->json)
		say_note("%s", obstacle);
	w->obstacle = obstacle;
}

/* Endings that were not reported meanwhile, from the records.  0 or an exit status. */
static int
catch_up(struct wait *w)
{
	json_int_t since = waiting_since(w->waiting), before = 0;
	json_t *all = json_array();
	int r = 0;

	if (all == NULL)
		return say_no_memory();
	do {
		struct params p = params_new();
		json_t *reply = NULL, *list;

		params_number(&p, "limit", PROTO_HISTORY_MAX);
		if (before > 0)
			params_number(&p, "before", before);
		r = conn_ask(w->session, PROTO_METHOD("GetHistory"), &p, &reply);
		list = json_object_get(reply, "attempts");
		before = out_int(reply, "next");
		if (before < since)
			before = 0;
		if (r == 0 && json_array_extend(all, list) < 0)
			r = say_no_memory();
		json_decref(reply);
	} while (r == 0 && before > 0);
	if (r == 0 && waiting_missed(w->waiting, all) < 0)
		r = say_no_memory();
	json_decref(all);
	return r;
}

/* The time left until a moment, as a time-out of poll(2). */
static int
left_ms(int64_t until_ms)
{
	int64_t left = until_ms - when_ms();

	return left <= 0 ? 0 : left < 3600000 ? (int)left : 3600000;
}

static int
apply(struct wait *w, const json_t *reply)
{
	int r = 0;

	if (w->lost)
		w->settled_ms = when_ms() + SETTLE_MS;
	if (w->lost || out_true(reply, "lost"))
		r = catch_up(w);
	w->lost = false;
	if (r == 0 && waiting_apply(w->waiting, reply, print_ending, w) < 0)
		r = say_no_memory();
	if (r == 0)
		say_obstacle(w);
	return r;
}

/* One reply, or the time is over.  0, CONN_TIMED_OUT, or an exit status. */
static int
take_reply(struct wait *w, struct stream *stream)
{
	int wait_ms = w->until_ms >= 0 ? left_ms(w->until_ms) : -1, r;
	int settle_ms = left_ms(w->settled_ms);
	json_t *reply = NULL;

	if (settle_ms > 0 && (wait_ms < 0 || settle_ms < wait_ms))
		wait_ms = settle_ms;
	r = stream_next(stream, wait_ms, &reply);
	w->lost = w->lost || stream_is_lost(stream);
	if (r == CONN_TIMED_OUT)
		return w->until_ms >= 0 && when_ms() >= w->until_ms ? CONN_TIMED_OUT : 0;
	if (r == 0)
		r = apply(w, reply);
	json_decref(reply);
	return r;
}

/* WHY not while the connection is lost: how the others end is still to be reported. */
static bool
is_over(const struct wait *w)
{
	return !w->lost && when_ms() >= w->settled_ms && waiting_is_over(w->waiting);
}

/* ---- the last word -------------------------------------------------------------------------- */

/* Do a drone's words repeat the heading that it stands under? */
static bool
says_no_more(const char *list, const json_t *one, const char *words)
{
	return strcmp(list, "unserved") == 0 || out_is(one, "class", words);
}

/* WHY a stream: a rack's worth of names is not cut. */
static void
say_list(const json_t *report, const char *list, const char *heading)
{
	bool missing = strcmp(list, "missing") == 0;
	const json_t *one;
	size_t i;

	if (json_array_size(json_object_get(report, list)) == 0)
		return;
	fprintf(stderr, "%s: ", heading);
	json_array_foreach(json_object_get(report, list), i, one) {
		struct text name = out_text(one, "name");
		struct text why = out_text(one, missing ? "state" : "words");
		bool off = !missing && !out_true(one, "present");

		if (says_no_more(list, one, why.s))
			why.s[0] = '\0';
		fprintf(stderr, "%s%s", i > 0 ? ", " : "", name.s);
		if (why.s[0] != '\0' || off)
			fprintf(stderr, " (%s%s%s)", why.s, why.s[0] != '\0' && off ? ", " : "",
				off ? "off the bus" : "");
	}
	fputc('\n', stderr);
}

/* On standard error: standard output has the endings alone. */
static void
say_report(const json_t *report, bool timed_out)
{
	static const struct {
		const char *list, *heading;
	} lists[] = {
		{ "failed", N_("failed") },
		{ "quarantined", N_("quarantined") },
		{ "needs_power_cycle", N_("power-cycle these (they have not been seen to start)") },
		{ "not_ready", N_("flashed, but not seen to be ready") },
		{ "skipped", N_("skipped, left as they were") },
		{ "foreign", N_("foreign, left alone") },
		{ "unserved", N_("left alone, there is no firmware for them") },
		{ "missing", N_("not ended") },
	};
	size_t ended = json_array_size(json_object_get(report, "ended"));
	size_t failed = json_array_size(json_object_get(report, "failed"));
	size_t quarantined = json_array_size(json_object_get(report, "quarantined"));
	json_int_t more = out_int(report, "more");
	char aside[48] = "";

	if (quarantined > 0)
		snprintf(aside, sizeof(aside), ", %zu quarantined", quarantined);
	if (out_int(report, "exit") == EXIT_NOTHING_THERE)
		say_note("nothing is plugged in, and nothing has ended%s",
			 timed_out ? "; timed out" : "");
	else
		say_note("%zu ended, %zu failed%s%s", ended, failed, aside,
			 timed_out ? "; timed out" : "");
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		say_list(report, lists[i].list, lists[i].heading);
	if (more > 0 && timed_out)
		say_note("%lld more %s expected", (long long)more, more == 1 ? "is" : "are");
}

static int
sum_up(const struct wait *w, bool timed_out)
{
	json_t *report = waiting_report(w->waiting, timed_out);
	int r;

	if (report == NULL)
		return say_no_memory();
	r = (int)out_int(report, "exit");
	if (w->session->json)
		out_json(report);
	else
		say_report(report, timed_out);
	json_decref(report);
	return r;
}

static int
wait_for_all(struct wait *w)
{
	struct stream *stream = NULL;
	int r = stream_open(w->session, PROTO_METHOD("Watch"), json_object(), &stream);

	while (r == 0 && !is_over(w))
		r = take_reply(w, stream);
	stream_close(stream);
	if (r != 0 && r != CONN_TIMED_OUT)
		return r;
	return sum_up(w, r == CONN_TIMED_OUT);
}

static int
run(const struct session *s, const struct invocation *i)
{
	struct wait w = { .session = s, .until_ms = -1 };
	bool limited = invocation_has(i, "timeout");
	int64_t seconds = 0;
	struct waiting_options options = { .patient = limited,
					   .ready = invocation_has(i, "ready") };
	int r = invocation_number(i, "count", 1, COUNT_MAX, &options.count);

	if (r == 0)
		r = invocation_duration(i, "timeout", SECONDS_MAX, &seconds);
	if (r != 0)
		return r;
	if (limited)
		w.until_ms = when_ms() + seconds * 1000;
	r = waiting_new(&options, &w.waiting) < 0 ? say_no_memory() : wait_for_all(&w);
	waiting_free(w.waiting);
	return r;
}

const struct command_desc cmd_wait = {
	.name = "wait",
	.live = true,
	.args = "",
	.help = N_("until drones have ended; prints each ending as it comes"),
	.run = run,
	.options = {
		{ "count", 'n', "N", N_("until N drones have ended (default: all present)") },
		{ "timeout", 't', "TIME", N_("give up then, with exit status 5") },
		{ "ready", 'r', NULL, N_("a drone that is not seen to be ready is not good") },
	},
};
