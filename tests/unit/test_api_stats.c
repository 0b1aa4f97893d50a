/* SPDX-License-Identifier: MIT */
/*
 * app/api_stats: sums of the records against SQL, one question after the other, in slices.
 * CFDFU_STATE=DIRECTORY tests/unit/test_api_stats: what each grouping of the records there costs
 * (tests/bench_store fills a directory with a million attempts).
 */
#include "config.h"

#include "app/api.h"

#include <event2/event.h>
#include <jansson.h>

#include "test_store_util.h"

#include "app/batches.h"
#include "app/clock.h"
#include "app/ports.h"
#include "app/settings.h"
#include "app/turns.h"
#include "cfdfu/system.h"
#include "ctl/call.h"
#include "store/batch.h"

enum { CLIENTS = 3 };

static struct client {
	struct caller caller; /* the first: the transport gets it */
	char *sent;
	json_t *reply; /* the same, once it was looked at */
} clients[CLIENTS];

static struct services sv;
static struct turns turns;

/* ---- the station ----------------------------------------------------------------------------- */

static void
on_send(struct caller *c, char *take_text, size_t size)
{
	struct client *client = (struct client *)c;

	(void)size;
	assert_null(client->sent);
	client->sent = take_text;
}

static void
on_nothing(struct caller *c)
{
	(void)c;
}

static void
on_gone(void *ctx, struct call *call)
{
	(void)ctx;
	stats_forget(sv.stats, call);
}

static const struct call_transport transport = {
	.send = on_send, .answered = on_nothing, .finish = on_nothing, .break_off = on_nothing
};
static struct server_options options = { .signatures = station_signatures,
					 .handlers = api_handlers,
					 .version = "0",
					 .ctx = &sv,
					 .gone = on_gone };

static int
open_station(char *state_dir)
{
	char error[SETTINGS_ERROR_MAX];
	const char *nowhere[] = { "/nonexistent", NULL };

	dir = state_dir;
	options.method_count = station_method_count;
	sv = (struct services){ .turns = &turns, .base = server_base_new() };
	assert_non_null(sv.base);
	turns = (struct turns){ .base = sv.base };
	assert_int_equal(settings_load(NULL, nowhere, &sv.settings, error), 0);
	assert_int_equal(fleet_new(&(struct fleet_options){ 0 }, &sv.fleet), 0);
	(void)open_ready(dir, &small_options, &sv.store);
	assert_int_equal(ports_new(&sv, NULL, NULL, &sv.ports), 0);
	assert_int_equal(batches_new(&sv, &sv.batches), 0);
	assert_int_equal(stats_new(&sv, &sv.stats), 0);
	for (unsigned i = 0; i < CLIENTS; i++)
		clients[i] =
		    (struct client){ .caller = { .transport = &transport, .options = &options } };
	return 0;
}

static int
close_station(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CLIENTS; i++) {
		call_abandon(&clients[i].caller, true);
		json_decref(clients[i].reply);
		free(clients[i].sent);
	}
	stats_free(sv.stats);
	batches_free(sv.batches);
	ports_free(sv.ports);
	store_close(sv.store, NULL);
	fleet_free(sv.fleet);
	settings_free(sv.settings);
	event_base_free(sv.base);
	return 0;
}

static int
tear_down(void **state)
{
	(void)close_station(state);
	remove_tree(dir);
	return 0;
}

static int
set_up(void **state)
{
	(void)state;
	return open_station(make_dir());
}

static int64_t batch; /* that runs; 0 none */

static void
add(unsigned drone, unsigned slot, const char *image, const struct store_ending *e)
{
	static const struct store_stage stages[] = { { "asking", 120 }, { "writing", 6800 } };
	static int64_t ms;
	char port[16], serial[16];
	struct store_begin b = { .port = port,
				 .serial = serial,
				 .firmware_name = image,
				 .firmware_sha256 = image,
				 .batch = batch };
	struct store_ending with = *e;
	struct store_time now = at(ms += 1000);
	int64_t id = 0;

	with.stages = stages;
	with.stage_count = ARRAY_LEN(stages);
	(void)snprintf(port, sizeof(port), "1-1.%u", 1 + slot);
	(void)snprintf(serial, sizeof(serial), "D%u", 1 + drone);
	assert_int_equal(store_attempt_begin(sv.store, &b, &now, &id), 0);
	assert_int_equal(store_attempt_end(sv.store, id, &with, &now), 0);
	if (id % 100 == 0)
		assert_int_equal(store_commit(sv.store, &now), 0);
}

/* 25 drones in 8 slots with two images: slot 3 is bad, and drone D7; some are interrupted. */
static void
add_station(void)
{
	struct store_time now = at(900000);

	for (unsigned image = 0; image < 2; image++)
		for (unsigned i = 0; i < 25; i++)
			for (unsigned try = 0; try < 3; try++) {
				unsigned slot = (i * 3 + try + image) % 8;
				bool bad = slot == 2 || i == 6;

				if (i % 9 == 4 && try == 0)
					add(i, slot, image > 0 ? "b" : "a", &interrupted);
				add(i, slot, image > 0 ? "b" : "a", bad ? &failed : &passed);
				if (!bad)
					break;
			}
	assert_int_equal(store_commit(sv.store, &now), 0);
}

/* ---- asking ---------------------------------------------------------------------------------- */

static void
ask(unsigned client, const char *parameters)
{
	char text[512];
	int n = snprintf(text, sizeof(text),
			 "{\"method\":\"org.cfdfu.Station.Stats\",\"parameters\":%s}", parameters);

	call_dispatch(&clients[client].caller, text, (size_t)n, -1);
}

/* The answer's parameters, and what the dearest turn of the loop cost of the processor's time. */
static json_t *
answer(unsigned client, uint64_t *ret_dearest_us)
{
	*ret_dearest_us = 0;
	while (clients[client].sent == NULL) {
		uint64_t before = clock_us(CLOCK_PROCESS_CPUTIME_ID), us;

		assert_int_equal(event_base_loop(sv.base, EVLOOP_ONCE), 0);
		us = clock_us(CLOCK_PROCESS_CPUTIME_ID) - before;
		*ret_dearest_us = us > *ret_dearest_us ? us : *ret_dearest_us;
	}
	json_decref(clients[client].reply);
	clients[client].reply = json_loads(clients[client].sent, 0, NULL);
	free(clients[client].sent);
	clients[client].sent = NULL;
	return json_object_get(clients[client].reply, "parameters");
}

static json_t *
answer_to(const char *parameters)
{
	uint64_t us;

	ask(0, parameters);
	return answer(0, &us);
}

static long long
number(json_t *object, const char *key)
{
	assert_true(json_is_integer(json_object_get(object, key)));
	return json_integer_value(json_object_get(object, key));
}

static const char *
text(json_t *object, const char *key)
{
	const char *t = json_string_value(json_object_get(object, key));

	return t != NULL ? t : "";
}

/* ---- tests ----------------------------------------------------------------------------------- */

#define GOOD " verdict IN ('pass', 'unchanged')"
#define FIRSTS "(SELECT min(id) FROM attempt WHERE verdict <> 'skipped' GROUP BY drone, image)"

/* The groups by one expression of SQL, each with its sums. */
static void
assert_as_sql(const char *by, const char *expression)
{
	char sql[1024], parameters[64];
	sqlite3 *db;
	sqlite3_stmt *st;
	json_t *all, *g;
	size_t i, groups = 0;

	(void)snprintf(parameters, sizeof(parameters), "{\"by\":\"%s\"}", by);
	all = answer_to(parameters);
	(void)snprintf(sql, sizeof(sql),
		       "SELECT %s AS key, count(*), count(DISTINCT drone), sum(id IN " FIRSTS "),"
		       " sum(id IN " FIRSTS " AND" GOOD "), sum(verdict = 'pass'),"
		       " sum(verdict = 'fail'), sum(verdict = 'interrupted')"
		       " FROM attempt WHERE key IS NOT NULL GROUP BY key",
		       expression);
	assert_int_equal(sqlite3_open(in_dir(dir, "cfdfud.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		json_t *found = NULL;

		groups++;
		json_array_foreach(json_object_get(all, "groups"), i, g)
			if (strcmp(text(g, "key"), (const char *)sqlite3_column_text(st, 0)) == 0)
				found = g;
		assert_non_null(found);
		assert_int_equal(number(found, "attempts"), sqlite3_column_int64(st, 1));
		assert_int_equal(number(found, "drones"), sqlite3_column_int64(st, 2));
		assert_int_equal(number(found, "first"), sqlite3_column_int64(st, 3));
		assert_int_equal(number(found, "first_good"), sqlite3_column_int64(st, 4));
		assert_int_equal(number(found, "pass"), sqlite3_column_int64(st, 5));
		assert_int_equal(number(found, "failed"), sqlite3_column_int64(st, 6));
		assert_int_equal(number(found, "interrupted"), sqlite3_column_int64(st, 7));
	}
	assert_true(groups > 0);
	assert_int_equal(json_array_size(json_object_get(all, "groups")), groups);
	(void)sqlite3_finalize(st);
	(void)sqlite3_close(db);
}

TEST_WITH(each_grouping_agrees_with_sql, set_up, tear_down)
{
	add_station();
	assert_as_sql("slot", "port");
	assert_as_sql("hub", "substr(port, 1, 3)");
	assert_as_sql("fault", "fault");
	assert_as_sql("firmware", "(SELECT sha256 FROM image WHERE id = image)");
	assert_as_sql("drone", "serial");
}

/* Whose drones had the image before: what was first is so within the batch. */
TEST_WITH(each_batch_is_summed_up_for_itself, set_up, tear_down)
{
	struct store_time now = at(900000);
	json_t *all, *g;

	add_station();
	assert_int_equal(
	    store_batch_begin(sv.store, &(struct store_batch){ .name = "spring" }, &now, &batch),
	    0);
	for (unsigned i = 0; i < 10; i++)
		add(i, i % 8, "a", i < 4 ? &failed : &passed);
	assert_int_equal(store_batch_end(sv.store, batch, &now), 0);
	batch = 0;
	commit_at(sv.store, 900000);
	all = answer_to("{\"by\":\"batch\"}");
	g = json_array_get(json_object_get(all, "groups"), 0);
	assert_int_equal(json_array_size(json_object_get(all, "groups")), 1);
	assert_string_equal(text(g, "key"), "spring");
	assert_int_equal(number(g, "drones"), 10);
	assert_int_equal(number(g, "first"), 10);
	assert_int_equal(number(g, "first_good"), 6);
	all = answer_to("{\"batch\":\"spring\",\"by\":\"drone\"}");
	assert_int_equal(number(all, "attempts"), 10);
	assert_int_equal(number(json_object_get(all, "total"), "first_good"), 6);
	assert_int_equal(json_array_size(json_object_get(all, "groups")), 10);
}

TEST_WITH(the_bad_slot_and_the_bad_drone_are_named_with_their_counts, set_up, tear_down)
{
	json_t *all, *findings, *stage;

	add_station();
	all = answer_to("{}");
	findings = json_object_get(all, "findings");
	assert_int_equal(json_array_size(findings), 2);
	for (size_t i = 0; i < 2; i++) {
		json_t *f = json_array_get(findings, i);
		bool slot = strcmp(text(f, "kind"), "slot") == 0;

		assert_string_equal(text(f, "key"), slot ? "1-1.3" : "D7");
		assert_non_null(
		    strstr(text(f, "text"), slot ? "Slot 1-1.3 is bad: " : "Drone D7 is bad: "));
	}
	stage = json_array_get(json_object_get(json_object_get(all, "total"), "stages"), 1);
	assert_string_equal(text(stage, "step"), "writing");
	assert_in_range(number(stage, "p95_ms"), 6800, 7012);
}

TEST_WITH(only_the_asked_span_counts, set_up, tear_down)
{
	add_station();
	assert_int_equal(number(answer_to("{\"until\":\"2025-01-01\"}"), "attempts"), 0);
	assert_int_equal(number(answer_to("{\"since\":\"2031-01-01\"}"), "attempts"), 0);
	assert_int_equal(number(answer_to("{\"since\":\"2025-01-01\"}"), "attempts"),
			 number(answer_to("{}"), "attempts"));
	(void)answer_to("{\"batch\":\"none\"}");
	assert_non_null(strstr(text(clients[0].reply, "error"), "NoSuchBatch"));
}

TEST_WITH(questions_wait_for_each_other_and_one_whose_client_left_is_dropped, set_up, tear_down)
{
	uint64_t us;

	add_station();
	ask(0, "{\"by\":\"drone\"}");
	ask(1, "{\"by\":\"fault\"}");
	ask(2, "{\"by\":\"hub\"}");
	(void)event_base_loop(sv.base, EVLOOP_ONCE); /* the first one begins */
	call_abandon(&clients[0].caller, true);
	call_abandon(&clients[2].caller, true);
	assert_string_equal(
	    text(json_array_get(json_object_get(answer(1, &us), "groups"), 0), "key"), "verify");
	assert_null(clients[0].sent);
	assert_null(clients[2].sent);
}

TEST_WITH(the_same_question_gets_the_same_answer_until_something_is_recorded, set_up, tear_down)
{
	struct store_time now = at(1000000);
	json_t *before;
	long long attempts;

	add_station();
	before = json_deep_copy(answer_to("{}"));
	assert_true(json_equal(before, answer_to("{}")));
	attempts = number(before, "attempts");
	json_decref(before);
	add(3, 3, "a", &passed);
	assert_int_equal(store_commit(sv.store, &now), 0);
	assert_int_equal(number(answer_to("{}"), "attempts"), attempts + 1);
}

TEST_WITH(an_answer_is_not_given_again_for_records_that_another_question_saw, set_up, tear_down)
{
	struct store_time now = at(1000000);
	long long attempts;

	add_station();
	attempts = number(answer_to("{}"), "attempts");
	add(3, 3, "a", &passed);
	assert_int_equal(store_commit(sv.store, &now), 0);
	ask(1, "{\"by\":\"hub\"}");
	(void)event_base_loop(sv.base, EVLOOP_ONCE); /* it begins */
	call_abandon(&clients[1].caller, true);
	assert_int_equal(number(answer_to("{}"), "attempts"), attempts + 1);
}

static void
measure(const char *parameters)
{
	uint64_t dearest_us, us = clock_us(CLOCK_PROCESS_CPUTIME_ID);
	json_t *all;

	ask(0, parameters);
	all = answer(0, &dearest_us);
	us = clock_us(CLOCK_PROCESS_CPUTIME_ID) - us;
	print_message("%-36s %lld attempts, %zu groups: %llu ms, the dearest turn %llu us\n",
		      parameters, number(all, "attempts"),
		      json_array_size(json_object_get(all, "groups")),
		      (unsigned long long)us / 1000, (unsigned long long)dearest_us);
}

TEST(what_it_costs)
{
	char *filled = getenv("CFDFU_STATE");

	if (filled == NULL)
		return;
	(void)open_station(filled);
	measure("{}");
	measure("{\"by\":\"hub\"}");
	measure("{\"by\":\"fault\"}");
	measure("{\"by\":\"firmware\"}");
	measure("{\"by\":\"drone\"}");
	measure("{\"by\":\"batch\"}");
	measure("{\"since\":\"2025-12-01\"}");
	(void)close_station(NULL);
}

TEST_MAIN(NULL)
