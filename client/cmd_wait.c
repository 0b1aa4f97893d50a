/* SPDX-License-Identifier: MIT */
/* cfdfuctl wait: until drones have ended; prints each ending as it comes. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "client/command.h"
#include "client/commands.h"
#include "client/conn.h"
#include "client/out.h"
#include "client/slots.h"
#include "client/stream.h"
#include "client/when.h"

#define SECONDS_MAX (30 * 24 * 3600)
#define COUNT_MAX 100000U

/*
 * A drone counts once, by its serial (its port, when it has none), with its last ending.  What had
 * ended before counts when it is still plugged in.
 */
struct wait {
	const struct session *session;
	struct slots *slots;
	json_t *endings; /* drone -> slot as it ended */
	uint64_t count;	 /* 0: all that are present */
	bool failed;	 /* memory ran out */
	bool first;	 /* the first reply is being looked at */
};

static void
print_ending(const struct wait *w, const json_t *slot)
{
	struct text message = out_text(slot, "message"), verdict = out_text(slot, "verdict");
	struct text serial;
	char name[96];
	bool colour = out_has_colour(w->session);

	if (w->session->json) {
		out_json(slot);
		return;
	}
	slot_name(slot, name, sizeof(name));
	text_copy(&serial, slot_serial(slot));
	printf("%s%s%s %s%s%s%s%s\n", colour ? colour_code(colour_of_verdict(verdict.s)) : "",
	       verdict.s, colour ? "\033[0m" : "", name, serial.s[0] != '\0' ? " " : "", serial.s,
	       message.s[0] != '\0' ? ": " : "", message.s);
	(void)fflush(stdout); /* WHY: main looks at the stream's state at the end */
}

/* A new ending: a verdict that was not there, or the one of another attempt. */
static bool
is_new(const json_t *before, const json_t *after)
{
	return before == NULL || slot_verdict(before) == NULL ||
	       strcmp(slot_verdict(before), slot_verdict(after)) != 0 ||
	       out_int(before, "attempt") != out_int(after, "attempt") ||
	       strcmp(slot_serial(before), slot_serial(after)) != 0;
}

static void
on_changed(void *ctx, const json_t *before, const json_t *after)
{
	struct wait *w = ctx;
	const char *key = slot_serial(after);

	if (slot_verdict(after) == NULL || !is_new(before, after))
		return;
	if (w->first && !out_true(after, "present"))
		return;
	if (key[0] == '\0')
		key = out_string(after, "port");
	if (json_object_set_new(w->endings, key, json_deep_copy(after)) < 0)
		w->failed = true;
	print_ending(w, after);
}

/* The station begins nothing now, and has something to begin. */
static bool
is_held(const json_t *station)
{
	const char *state = out_string(station, "state"), *health = out_string(station, "health");
	bool held = (state != NULL && strcmp(state, "paused") == 0) ||
		    (health != NULL && strcmp(health, "degraded") == 0);

	return held && (json_array_size(json_object_get(station, "selected")) > 0 ||
			json_array_size(json_object_get(station, "own")) > 0);
}

/* WHY not idle under a pause: its turn is still to come. */
static bool
is_done_with(const json_t *slot, bool held)
{
	const char *state = out_string(slot, "state");

	if (!out_true(slot, "present"))
		return true;
	if (held && slot_verdict(slot) == NULL && state != NULL && strcmp(state, "idle") == 0)
		return false;
	return slot_fate(slot) != SLOT_FATE_ACTIVE;
}

/* Everything that is plugged in has ended, or will not be worked on. */
static bool
all_ended(const struct wait *w)
{
	json_t *list = slots_sorted(w->slots);
	bool held = is_held(slots_station(w->slots)), ended = list != NULL;
	const json_t *slot;
	size_t i;

	json_array_foreach(list, i, slot) ended = ended && is_done_with(slot, held);
	json_decref(list);
	return ended;
}

static bool
is_over(const struct wait *w)
{
	return w->count > 0 ? json_object_size(w->endings) >= w->count : all_ended(w);
}

/* What keeps drones from ending, said once: standing before a rack, one wants to know. */
static void
say_obstacles(const struct wait *w)
{
	const json_t *station = slots_station(w->slots);
	const char *state = out_string(station, "state"), *health = out_string(station, "health");

	if (w->session->json)
		return;
	if (state != NULL && strcmp(state, "paused") == 0)
		say_note("(the station is paused: cfdfuctl resume)");
	if (health != NULL && strcmp(health, "degraded") == 0)
		say_note("(the station is degraded: cfdfuctl doctor)");
	if (json_array_size(json_object_get(station, "selected")) == 0 &&
	    json_array_size(json_object_get(station, "own")) == 0)
		say_note("(no firmware is selected: cfdfuctl firmware select NAME)");
}

/* One reply, or the time is over.  0, CONN_TIMED_OUT, or an exit status. */
static int
take_reply(struct wait *w, struct stream *stream, int64_t until_ms)
{
	int64_t left = until_ms - when_ms();
	json_t *reply = NULL;
	int r, wait_ms = -1;

	if (until_ms >= 0)
		wait_ms = left <= 0 ? 0 : left < 3600000 ? (int)left : 3600000;
	r = stream_next(stream, wait_ms, &reply);
	if (r == CONN_TIMED_OUT)
		return until_ms >= 0 && when_ms() >= until_ms ? CONN_TIMED_OUT : 0;
	if (r != 0)
		return r;
	r = slots_apply(w->slots, reply, on_changed, w);
	if (w->first)
		say_obstacles(w);
	w->first = false;
	json_decref(reply);
	if (r < 0 || w->failed) {
		say_error("out of memory");
		return EXIT_REFUSED;
	}
	return 0;
}

/* The last word, on standard error: standard output has the endings alone. */
static int
sum_up(const struct wait *w, bool timed_out)
{
	size_t ended = json_object_size(w->endings), failed = 0;
	const char *key;
	json_t *slot;

	json_object_foreach(w->endings, key, slot) failed += slot_has_failed(slot);
	if (!w->session->json)
		say_note("%zu ended, %zu of them failed%s", ended, failed,
			 timed_out ? "; timed out" : "");
	if (timed_out)
		return EXIT_TIMED_OUT;
	return failed > 0 ? EXIT_DRONE_FAILED : EXIT_OK;
}

static int
wait_for_all(struct wait *w, int64_t seconds, bool limited)
{
	int64_t until_ms = limited ? when_ms() + seconds * 1000 : -1;
	struct stream *stream = NULL;
	int r = stream_open(w->session, PROTO_METHOD("Watch"), json_object(), &stream);

	while (r == 0 && (w->first || !is_over(w)))
		r = take_reply(w, stream, until_ms);
	stream_close(stream);
	if (r != 0 && r != CONN_TIMED_OUT)
		return r;
	return sum_up(w, r == CONN_TIMED_OUT);
}

static int
run(const struct session *s, const struct invocation *i)
{
	struct wait w = { .session = s, .first = true };
	int64_t seconds = 0;
	int r = invocation_number(i, "count", 1, COUNT_MAX, &w.count);

	if (r == 0)
		r = invocation_duration(i, "timeout", SECONDS_MAX, &seconds);
	if (r != 0)
		return r;
	w.endings = json_object();
	if (w.endings == NULL || slots_new(&w.slots) < 0) {
		say_error("out of memory");
		r = EXIT_REFUSED;
	} else {
		r = wait_for_all(&w, seconds, invocation_has(i, "timeout"));
	}
	slots_free(w.slots);
	json_decref(w.endings);
	return r;
}

const struct command_desc cmd_wait = {
	.name = "wait",
	.live = true,
	.args = "",
	.help = "until drones have ended; prints each ending as it comes",
	.run = run,
	.options = {
		{ "count", 'n', "N", "until N drones have ended (default: all present)" },
		{ "timeout", 't', "TIME", "give up then, with exit status 5" },
	},
};
