/* SPDX-License-Identifier: MIT */
/* Batches in the records: one at a time, under a name of its own, and what came of their drones. */
#include "config.h"

#include "store/batch.h"
#include "test_store_whole.h"

#define TEST_SET_UP(name) TEST_WITH(name, open_test_store, close_test_store)

#define BATCHES                                                                                    \
	"SELECT group_concat(json_array(id, name, begin_seq, end_seq, started_ms, ended_ms,"       \
	" started_by, expect, canary, stop_after, stopped, resumed_seq)) FROM batch"

static int
start(const char *name, int64_t ms, int64_t *ret_id)
{
	struct store_batch b = { .name = name, .started_by = "ada", .expect = 25, .canary = 2 };
	struct store_time now = at(ms);

	return store_batch_begin(store, &b, &now, ret_id);
}

static int64_t
started(const char *name, int64_t ms)
{
	int64_t id = 0;

	assert_int_equal(start(name, ms, &id), 0);
	commit_at(store, ms);
	return id;
}

static void
finish(int64_t id, int64_t ms)
{
	struct store_time now = at(ms);

	assert_int_equal(store_batch_end(store, id, &now), 0);
	commit_at(store, ms);
}

static void
stop(int64_t id, const char *why, int64_t ms)
{
	struct store_time now = at(ms);

	assert_int_equal(store_batch_stop(store, id, why, &now), 0);
	commit_at(store, ms);
}

/* An attempt of this batch, from its beginning to its end. */
static int64_t
attempt(int64_t batch, const char *port, const char *serial, const struct store_ending *e)
{
	struct store_begin b = drone_at(port, serial);
	struct store_time now = at(batch * 1000);
	int64_t id = 0;

	b.batch = batch;
	assert_int_equal(store_attempt_begin(store, &b, &now, &id), 0);
	if (e != NULL)
		end_at(store, id, e, batch * 1000 + 10);
	commit_at(store, batch * 1000 + 20);
	return id;
}

static void
is_ready(int64_t id, const char *ready)
{
	struct store_time now = at(9000);
	char condition[64];

	(void)snprintf(condition, sizeof(condition), "{\"ready\":\"%s\"}", ready);
	assert_int_equal(store_attempt_condition(store, id, condition, &now), 0);
	commit_at(store, 9001);
}

struct copy {
	struct store_batch b;
	char name[64], stopped[64], hash[80];
};

static bool
on_batch(void *ctx, const struct store_batch *b)
{
	struct copy *c = ctx;

	c->b = *b;
	copy_text(c->name, sizeof(c->name), b->name);
	copy_text(c->stopped, sizeof(c->stopped), b->stopped);
	copy_text(c->hash, sizeof(c->hash), b->record_hash);
	return false;
}

static struct copy
found(const char *name)
{
	struct copy c;

	assert_int_equal(store_batch_each(store, name, on_batch, &c), 1);
	return c;
}

TEST_SET_UP(one_batch_runs_at_a_time_and_a_name_is_used_once)
{
	int64_t one = started("spring", 10), other;
	struct copy c;

	assert_int_equal(start("summer", 11, &other), -EBUSY);
	assert_int_equal(start("spring", 11, &other), -EEXIST);
	finish(one, 20);
	assert_int_equal(start("spring", 21, &other), -EEXIST);
	assert_int_equal(start("", 21, &other), -EINVAL);
	assert_int_equal(start("two\nlines", 21, &other), -EINVAL);
	other = started("summer", 22);
	assert_int_equal(other, one + 1);
	c = found(NULL);
	assert_string_equal(c.name, "summer");
	assert_int_equal(c.b.ended_ms, 0);
	assert_int_equal(c.b.expect, 25);
	assert_int_equal(c.b.stop_after, 0);
	c = found("spring");
	assert_int_equal(c.b.started_ms, at(10).wall_ms);
	assert_int_equal(c.b.ended_ms, at(20).wall_ms);
	assert_int_equal(store_batch_each(store, "autumn", on_batch, &c), 0);
}

TEST_SET_UP(its_hash_is_the_head_of_the_chain_at_its_end)
{
	int64_t id = started("spring", 10);
	struct copy c;

	assert_string_equal(found(NULL).hash, ask_db(dir, "SELECT lower(hex(hash)) FROM record"
							  " ORDER BY seq DESC LIMIT 1"));
	finish(id, 20);
	attempt(0, "1-1", "S1", &passed);
	c = found(NULL);
	assert_int_equal(strlen(c.hash), 64);
	assert_string_equal(c.hash, ask_db(dir, "SELECT lower(hex(hash)) FROM record"
						" WHERE kind = 'batch-end'"));
}

TEST_SET_UP(drones_are_counted_once_by_their_first_and_last_ending)
{
	int64_t before = attempt(0, "1-9", "S9", &failed), id = started("spring", 10), last;
	struct store_begin deck = drone_at("1-1", "S1");
	struct store_time now = at(30);
	struct copy c;

	(void)before;
	attempt(id, "1-1", "S1", &failed);
	last = attempt(id, "1-2", "S1", &passed); /* the same drone in another slot */
	is_ready(last, "no");
	is_ready(last, "yes");
	is_ready(attempt(id, "1-2", "S2", &passed), "unknown");
	attempt(id, "1-3", "S3", &passed);
	is_ready(attempt(id, "1-3", "S3", &failed), "yes"); /* bytes first: it is not good */
	attempt(id, "1-4", "S4", &interrupted);
	attempt(id, "1-5", NULL, &passed); /* without a serial: its port */
	attempt(id, "1-5", NULL, &passed);
	deck.kind = "deck";
	deck.batch = id;
	assert_int_equal(store_attempt_begin(store, &deck, &now, &last), 0);
	end_at(store, last, &failed, 31);
	commit_at(store, 32);
	last = attempt(id, "1-6", "S6", NULL); /* has no ending yet */
	c = found(NULL);
	assert_int_equal(c.b.counts.drones, 5);
	assert_int_equal(c.b.counts.good, 3);
	assert_int_equal(c.b.counts.ready, 1);
	assert_int_equal(c.b.counts.failed, 2);
	assert_int_equal(c.b.counts.first_good, 3);
	finish(id, 40);
	end_at(store, last, &passed, 41); /* what ran at its end belongs to it */
	commit_at(store, 42);
	assert_int_equal(found(NULL).b.counts.drones, 6);
}

/* A DFU serial that many share tells none of them from another. */
TEST_SET_UP(drones_that_show_no_serial_of_their_own_are_counted_by_their_ports)
{
	static const char *const ports[] = { "1-1", "1-2", "1-2" };
	int64_t id = started("spring", 10), one;

	for (unsigned i = 0; i < ARRAY_LEN(ports); i++) {
		struct store_begin b = drone_at(ports[i], NULL);
		struct store_time now = at(20 + i);

		b.batch = id;
		b.dfu_serial = "FFFFFFFEFFFF";
		b.flags = "no-serial";
		assert_int_equal(store_attempt_begin(store, &b, &now, &one), 0);
		end_at(store, one, &failed, 20 + i);
		commit_at(store, 20 + i);
	}
	assert_int_equal(found(NULL).b.counts.drones, 2);
	assert_int_equal(found(NULL).b.counts.failed, 2);
}

static void
add_id(void *ctx, const struct store_attempt *a)
{
	char *out = ctx;
	size_t n = strlen(out);

	(void)snprintf(out + n, 128 - n, "%lld%s%s ", (long long)a->id, a->batch != NULL ? "@" : "",
		       a->batch != NULL ? a->batch : "");
}

static const char *
history(const struct store_filter *f)
{
	static char out[128];

	out[0] = '\0';
	assert_true(store_history(store, f, add_id, out) >= 0);
	return out;
}

TEST_SET_UP(history_has_the_attempts_of_one_batch)
{
	int64_t one, two;

	attempt(0, "1-1", "S1", &passed);
	one = started("one", 10);
	attempt(one, "1-1", "S1", &failed);
	attempt(one, "1-2", "S2", &passed);
	finish(one, 20);
	two = started("two", 30);
	attempt(two, "1-1", "S1", &passed);
	attempt(two, "1-2", "S2", NULL);
	assert_string_equal(history(&(struct store_filter){ .limit = 9 }),
			    "5@two 4@two 3@one 2@one 1 ");
	assert_string_equal(history(&(struct store_filter){ .batch = one }), "3@one 2@one ");
	assert_string_equal(history(&(struct store_filter){ .batch = one, .before_id = 3 }),
			    "2@one ");
	assert_string_equal(history(&(struct store_filter){ .batch = one, .verdict = "pass" }),
			    "3@one ");
	assert_string_equal(history(&(struct store_filter){ .batch = two, .serial = "s1" }),
			    "4@two ");
	assert_string_equal(history(&(struct store_filter){ .batch = two, .slot = "1-2" }),
			    "5@two ");
	assert_string_equal(history(&(struct store_filter){ .batch = two, .verdict = "running" }),
			    "5@two ");
	assert_string_equal(history(&(struct store_filter){ .batch = one, .verdict = "running" }),
			    "");
	assert_string_equal(ask_db(dir, "SELECT group_concat(ifnull(batch, '-')) FROM attempts"),
			    "-,one,one,two,two");
}

static void
add_ending(void *ctx, const struct update_ending *e)
{
	char *out = ctx;
	size_t n = strlen(out);

	(void)snprintf(out + n, 128 - n, "%s %s %d %d %d%s%s,", e->serial, e->port, e->verdict.kind,
		       e->verdict.fault, e->verdict.step, e->ready ? " ready" : "",
		       e->forgiven ? " forgiven" : "");
}

TEST_SET_UP(its_endings_are_told_in_their_order)
{
	int64_t id = started("spring", 10), slow = attempt(id, "1-1", "S1", NULL);
	char out[128] = "";

	is_ready(attempt(id, "1-2", "S2", &passed), "yes");
	stop(id, "One has failed.", 50);
	assert_string_equal(found(NULL).stopped, "One has failed.");
	stop(id, NULL, 51);
	assert_string_equal(found(NULL).stopped, "");
	end_at(store, slow, &failed, 60);
	commit_at(store, 61);
	attempt(id, "1-3", "S3", NULL); /* cut off, and not recorded as such */
	assert_int_equal(store_batch_drones(store, id, add_ending, out), 0);
	assert_string_equal(out, "S2 1-2 1 0 0 ready forgiven,S1 1-1 5 6 7,S3 1-3 0 0 0,");
	assert_string_equal(ask_db(dir,
				   "SELECT group_concat(end_seq > (SELECT resumed_seq FROM batch))"
				   " FROM (SELECT end_seq FROM attempt ORDER BY end_seq)"),
			    "0,1");
}

static bool
add_name(void *ctx, const struct store_batch *b)
{
	char *out = ctx;
	size_t n = strlen(out);

	(void)snprintf(out + n, 64 - n, "%s ", b->name);
	return strcmp(b->name, "two") != 0;
}

TEST_SET_UP(batches_are_listed_newest_first_while_they_are_wanted)
{
	char out[64] = "";

	assert_int_equal(store_batch_each(store, NULL, add_name, out), 0);
	finish(started("one", 10), 11);
	assert_int_equal(store_batch_each(store, NULL, add_name, out), 0);
	finish(started("two", 20), 21);
	(void)started("three", 30);
	assert_int_equal(store_batch_each(store, NULL, add_name, out), 1);
	assert_string_equal(out, "one three two ");
}

static void
add_port(void *ctx, const char *port)
{
	(void)strcat(strcat(ctx, port), " ");
}

static void
add_absent(void *ctx, const struct store_absent *a)
{
	(void)strcat(strcat(ctx, a->serial != NULL ? a->serial : a->dfu_serial), "@");
	add_port(ctx, a->port != NULL ? a->port : "-");
}

TEST_SET_UP(drones_that_it_has_not_seen_are_those_of_the_records_newest_first)
{
	struct store_time now = at(20);
	char out[128] = "";
	int64_t id;

	assert_int_equal(
	    store_drone_note(store, &(struct store_drone_facts){ .serial = "S0" }, &now), 0);
	for (int i = 1; i <= 4; i++) {
		char serial[8], port[8];

		(void)snprintf(serial, sizeof(serial), "S%d", i);
		(void)snprintf(port, sizeof(port), "1-%d", i);
		end_at(store, begin_at(store, port, serial, 100 + i), &passed, 100 + i);
	}
	id = started("spring", 200);
	attempt(id, "1-7", "S2", &failed);
	assert_int_equal(store_batch_absent(store, id, 3, add_absent, out), 0);
	assert_string_equal(out, "S4@1-4 S3@1-3 S1@1-1 ");
	out[0] = '\0';
	assert_int_equal(store_batch_absent(store, id, 20, add_absent, out), 0);
	assert_string_equal(out, "S4@1-4 S3@1-3 S1@1-1 S0@- ");
	out[0] = '\0';
	assert_int_equal(store_batch_ports(store, id, add_port, out), 0);
	assert_string_equal(out, "1-7 ");
}

/* The database, made again from the audit file alone, has the same. */
TEST_SET_UP(batches_are_made_again_from_the_audit_file)
{
	int64_t id = started("spring", 10);
	char before[512], batches[512];

	attempt(id, "1-1", "S1", &failed);
	stop(id, "One has failed.", 50);
	attempt(id, "1-2", "S2", &passed);
	stop(id, NULL, 51);
	stop(id, "Two have failed.", 52);
	finish(id, 60);
	attempt(started("summer", 70), "1-3", "S3", &passed);
	copy_text(batches, sizeof(batches), ask_db(dir, BATCHES));
	copy_text(before, sizeof(before),
		  ask_db(dir, "SELECT group_concat(batch || ' ' || uuid) FROM attempts"));
	close_store(store);
	assert_int_equal(unlink(in_dir(dir, DB_FILE)), 0);
	(void)open_ready(dir, &small_options, &store);
	assert_string_equal(ask_db(dir, BATCHES), batches);
	assert_string_equal(ask_db(dir, "SELECT group_concat(batch || ' ' || uuid) FROM attempts"),
			    before);
	(void)assert_files_agree(dir);
}

static bool
go_on(void *ctx)
{
	(void)ctx;
	return true;
}

static unsigned long
differences(void)
{
	struct store_time now = at(80);
	struct store_walk w;

	store_walk_again(store);
	assert_int_equal(store_walk(store, &now, go_on, NULL), 0);
	store_walk_state(store, &w);
	return w.differences;
}

TEST_SET_UP(the_walk_finds_a_batch_that_was_changed)
{
	static const char *const changes[][2] = {
		{ "UPDATE batch SET name = 'better'", "UPDATE batch SET name = 'spring'" },
		{ "UPDATE batch SET expect = 24", "UPDATE batch SET expect = 25" },
		{ "UPDATE batch SET ended_ms = ended_ms + 1",
		  "UPDATE batch SET ended_ms = ended_ms - 1" },
		{ "UPDATE attempt SET batch = NULL", "UPDATE attempt SET batch = 1" },
	};
	int64_t id = started("spring", 10);

	attempt(id, "1-1", "S1", &passed);
	finish(id, 60);
	assert_int_equal(differences(), 0);
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		change_db(dir, changes[i][0]);
		assert_int_equal(differences(), 1);
		change_db(dir, changes[i][1]);
		assert_int_equal(differences(), 0);
	}
}

TEST_MAIN(NULL)
