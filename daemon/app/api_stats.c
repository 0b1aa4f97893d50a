/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/api.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "app/clock.h"
#include "app/names.h"
#include "app/ports.h"
#include "app/reply.h"
#include "app/turns.h"
#include "cfdfu/proto.h"
#include "core/outcome.h"
#include "core/yield.h"
#include "store/facts.h"

enum {
	SLICE_US = 1000,   /* LIMIT: a slice holds up a drone for at most twice that */
	SAME_US = 1000000, /* for so long an answer is good, unless something is recorded */
};

struct question {
	struct call *call;
	enum yield_by by;
	int64_t batch; /* 0 any */
	int64_t since_ms, until_ms;
};

struct stats {
	const struct services *sv;
	struct event *timer;
	/* LIMIT: one a client, and two clients are let in above the maximum */
	struct question asked[PROTO_CLIENTS_MAX + 2]; /* the first is at work */
	size_t count;
	int64_t after, last;
	struct yield *yield; /* NULL: it is to begin */
	json_t *groups;	     /* NULL: facts are read */
	uint64_t slice_us;   /* when the slice under way began */
	/* the last answer; ready: it is the first one's */
	json_t *parameters, *answer;
	uint64_t recorded, answered_us;
	bool ready;
};

static const char *const by_names[] = {
	[YIELD_SLOT] = "slot",	 [YIELD_DRONE] = "drone",	[YIELD_HUB] = "hub",
	[YIELD_FAULT] = "fault", [YIELD_FIRMWARE] = "firmware", [YIELD_BATCH] = "batch"
};

/* ---- answers --------------------------------------------------------------------------------- */

static json_t *
faults_json(const struct yield_group *g)
{
	json_t *list = json_array();

	for (enum fault f = FAULT_NONE + 1; f < FAULT_COUNT; f++)
		if (g->detail->faults[f] > 0 && fault_name(f) != NULL)
			(void)json_array_append_new(list,
						    json_pack("{s:s, s:i}", "fault", fault_name(f),
							      "count", (int)g->detail->faults[f]));
	return list;
}

static json_t *
stages_json(const struct yield_group *g)
{
	json_t *list = json_array();

	for (enum step s = STEP_ASKING; s < STEP_COUNT; s++) {
		struct yield_times t = yield_times(g, s);

		if (t.count > 0)
			(void)json_array_append_new(
			    list, json_pack("{s:s, s:i, s:i, s:i, s:i}", "step", step_name(s),
					    "count", (int)t.count, "p50_ms", (int)t.p50_ms,
					    "p95_ms", (int)t.p95_ms, "p99_ms", (int)t.p99_ms));
	}
	return list;
}

/* The key, unless it is a port, and the name of a group of this grouping. */
static void
name_group(const struct stats *s, enum yield_by by, int64_t id, char key[STORE_NAME_MAX],
	   char name[STORE_NAME_MAX])
{
	static const enum store_named rows[] = { [YIELD_DRONE] = STORE_NAMED_DRONE,
						 [YIELD_FIRMWARE] = STORE_NAMED_IMAGE,
						 [YIELD_BATCH] = STORE_NAMED_BATCH };

	name[0] = '\0';
	if (by == YIELD_SLOT)
		copy_text(name, STORE_NAME_MAX, ports_label(s->sv->ports, key));
	else if (by == YIELD_FAULT)
		copy_text(key, STORE_NAME_MAX, fault_name((enum fault)id));
	else if (by != YIELD_HUB)
		store_fact_name(s->sv->store, rows[by], id, key, name);
	if (by == YIELD_DRONE)
		copy_text(name, STORE_NAME_MAX, names_of(s->sv->names, key));
}

static json_t *
yield_json(const struct stats *s, const struct yield_group *g, bool is_total)
{
	const unsigned *e = g->ended;
	unsigned known =
	    e[VERDICT_PASS] + e[VERDICT_UNCHANGED] + e[VERDICT_SKIPPED] + e[VERDICT_INTERRUPTED];
	bool timed = g->detail != NULL && (is_total || s->asked[0].by != YIELD_DRONE);
	char key[STORE_NAME_MAX], name[STORE_NAME_MAX] = "";

	copy_text(key, sizeof(key), g->port);
	if (!is_total)
		name_group(s, s->asked[0].by, g->id, key, name);
	return json_pack(
	    "{s:o, s:o, s:i, s:i, s:i, s:i, s:o, s:o, s:i, s:i, s:i, s:i, s:i, s:o, s:o}", "key",
	    key[0] != '\0' ? reply_text(key) : json_string(""), "name", reply_text(name),
	    "attempts", (int)g->attempts, "drones", (int)g->drones, "first", (int)g->first,
	    "first_good", (int)g->first_good, "low", g->first > 0 ? json_real(g->low) : json_null(),
	    "high", g->first > 0 ? json_real(g->high) : json_null(), "pass", (int)e[VERDICT_PASS],
	    "unchanged", (int)e[VERDICT_UNCHANGED], "failed", (int)(g->attempts - known), "skipped",
	    (int)e[VERDICT_SKIPPED], "interrupted", (int)e[VERDICT_INTERRUPTED], "faults",
	    g->detail != NULL ? faults_json(g) : json_null(), "stages",
	    timed ? stages_json(g) : json_null());
}

static json_t *
findings_json(const struct stats *s)
{
	static const struct {
		const char *name;
		enum yield_by by;
	} kinds[] = { [YIELD_BAD_SLOT] = { "slot", YIELD_SLOT },
		      [YIELD_BAD_DRONE] = { "drone", YIELD_DRONE },
		      [YIELD_BAD_HUB] = { "hub", YIELD_HUB },
		      [YIELD_SLOW_SLOT] = { "slow-slot", YIELD_SLOT } };
	const struct yield_sums *sums = yield_sums(s->yield);
	json_t *list = json_array();

	for (unsigned i = 0; i < sums->culprit_count; i++) {
		const struct yield_culprit *c = &sums->culprits[i];
		char key[STORE_NAME_MAX], name[STORE_NAME_MAX], text[YIELD_TEXT_MAX];

		copy_text(key, sizeof(key), c->port);
		name_group(s, kinds[c->kind].by, c->drone, key, name);
		yield_text(c, name[0] != '\0' ? name : key, text);
		(void)json_array_append_new(
		    list,
		    json_pack("{s:s, s:o, s:o, s:o}", "kind", kinds[c->kind].name, "key",
			      reply_text(key), "name", reply_text(name), "text", reply_text(text)));
	}
	return list;
}

/* ---- slices ---------------------------------------------------------------------------------- */

static bool
goes_on(const struct stats *s)
{
	return clock_now_us() - s->slice_us < SLICE_US;
}

static bool
on_fact(void *ctx, const struct yield_fact *f)
{
	struct stats *s = ctx;
	const struct question *q = &s->asked[0];

	s->after = f->id;
	if (f->verdict > VERDICT_NONE && f->verdict < VERDICT_COUNT && f->fault < FAULT_COUNT &&
	    f->id <= s->last && f->started_ms >= q->since_ms && f->started_ms < q->until_ms &&
	    (q->batch == 0 || f->batch == q->batch))
		yield_add(s->yield, f);
	return f->id < s->last && (f->id % 8 != 0 || goes_on(s));
}

/* 1: there is more; 0: the answer is complete; negative errno. */
static int
slice(struct stats *s)
{
	const struct yield_sums *sums = s->yield != NULL ? yield_sums(s->yield) : NULL;
	int r = 0;

	if (sums == NULL) {
		s->after = 0;
		s->last = store_last_attempt(s->sv->store);
		s->recorded = store_durable(s->sv->store);
		json_decref(s->parameters); /* the last answer is of other records */
		s->parameters = NULL;
		return yield_new(s->asked[0].by, (size_t)s->last, &s->yield) < 0 ? -ENOMEM : 1;
	}
	if (s->groups == NULL) {
		if (s->after < s->last)
			r = store_facts(s->sv->store, s->after, on_fact, s);
		if (r == 0)
			s->groups = json_array();
		return r < 0 ? r : 1;
	}
	while (goes_on(s))
		if (!yield_conclude(s->yield)) {
			size_t n = json_array_size(s->groups);

			if (n == sums->group_count)
				return 0;
			(void)json_array_append_new(s->groups,
						    yield_json(s, sums->groups[n], false));
		}
	return 1;
}

static void
wait(struct stats *s)
{
	static const struct timeval soon = { 0, 0 };

	if (s->count > 0)
		(void)event_add(s->timer, &soon); /* without memory it was not made */
}

static void
forget_sums(struct stats *s)
{
	yield_free(s->yield);
	json_decref(s->groups);
	s->yield = NULL;
	s->groups = NULL;
}

static void
drop(struct stats *s, size_t i)
{
	if (i == 0) {
		forget_sums(s);
		s->ready = false;
	}
	s->count--;
	memmove(&s->asked[i], &s->asked[i + 1], (s->count - i) * sizeof(s->asked[0]));
	if (s->count == 0)
		(void)event_del(s->timer);
}

static void
make_answer(struct stats *s)
{
	const struct yield_sums *sums = yield_sums(s->yield);

	json_decref(s->answer);
	json_decref(s->parameters);
	s->answer =
	    json_pack("{s:o, s:O, s:o, s:i, s:b}", "total", yield_json(s, &sums->total, true),
		      "groups", s->groups, "findings", findings_json(s), "attempts",
		      (int)sums->total.attempts, "more", sums->more);
	s->parameters = json_incref(call_parameters(s->asked[0].call));
	s->answered_us = clock_now_us();
	s->ready = true;
}

static bool
is_answered(const struct stats *s)
{
	return s->ready || (s->yield == NULL && s->recorded == store_durable(s->sv->store) &&
			    s->slice_us - s->answered_us < SAME_US &&
			    json_equal(s->parameters, call_parameters(s->asked[0].call)));
}

/* WHY one thing in a turn: freeing what a million attempts took, and sending it, take long. */
static void
work(struct stats *s)
{
	struct call *call = s->asked[0].call;
	int r;

	if (s->ready && s->yield != NULL) {
		forget_sums(s);
	} else if (is_answered(s)) {
		drop(s, 0);
		call_reply(call, json_incref(s->answer));
	} else {
		r = slice(s);
		if (r == 0)
			make_answer(s);
		if (r >= 0)
			return;
		drop(s, 0);
		call_refuse(call, PROTO_ERROR("Degraded"), "The records cannot be read now.");
	}
}

static void
on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct stats *s = ctx;
	enum loop_work before = turns_begin(s->sv->turns, LOOP_CLIENT);

	(void)fd;
	(void)what;
	s->slice_us = clock_now_us();
	work(s);
	turns_end(s->sv->turns, before);
	wait(s);
}

/* False after having refused what makes no sense. */
static bool
read_question(const struct services *sv, struct call *call, struct question *q)
{
	json_t *parameters = call_parameters(call);
	const char *by = param_text(parameters, "by"), *since = param_text(parameters, "since"),
		   *until = param_text(parameters, "until"),
		   *batch = param_text(parameters, "batch"), *invalid = NULL;

	*q = (struct question){ .call = call, .since_ms = INT64_MIN, .until_ms = INT64_MAX };
	while (by != NULL && q->by < ARRAY_LEN(by_names) && strcmp(by, by_names[q->by]) != 0)
		q->by++;
	if (q->by == ARRAY_LEN(by_names))
		invalid = "by";
	else if (since != NULL && !api_parse_time(since, &q->since_ms))
		invalid = "since";
	else if (until != NULL && !api_parse_time(until, &q->until_ms))
		invalid = "until";
	if (invalid != NULL)
		call_invalid(call, invalid);
	return invalid == NULL && (batch == NULL || api_find_batch(sv, call, batch, &q->batch));
}

void
api_stats(void *ctx, struct call *call, json_t *parameters)
{
	const struct services *sv = ctx;
	struct stats *s = sv->stats;
	struct question q;

	(void)parameters;
	if (!read_question(sv, call, &q))
		return;
	s->asked[s->count++] = q;
	wait(s);
}

/* ---- life ------------------------------------------------------------------------------------ */

int
stats_new(const struct services *sv, struct stats **ret_stats)
{
	struct stats *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return -ENOMEM;
	s->sv = sv;
	s->timer = evtimer_new(sv->base, on_timer, s);
	if (s->timer == NULL) {
		free(s);
		return -ENOMEM;
	}
	/* After devices and clients. */
	(void)event_priority_set(s->timer, event_base_get_npriorities(sv->base) - 1);
	*ret_stats = s;
	return 0;
}

void
stats_free(struct stats *s)
{
	if (s == NULL)
		return;
	while (s->count > 0)
		drop(s, 0);
	json_decref(s->answer);
	json_decref(s->parameters);
	event_free(s->timer);
	free(s);
}

void
stats_forget(struct stats *s, const struct call *call)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->asked[i].call == call) {
			drop(s, i);
			return;
		}
}
