/* SPDX-License-Identifier: MIT */
/* The whole drone in the records: in which condition an attempt has left it, attempts on its decks
 * and its radio configuration, the name of an attempt in other databases. */
#include "config.h"

#include "test_store_whole.h"

static struct store_time now;

static int
set_up(void **state)
{
	now = at(50);
	return open_test_store(state);
}

#define TEST_SET_UP(name) TEST_WITH(name, set_up, close_test_store)

#define NOT_READY "{\"ready\":\"no\",\"remaining\":[{\"what\":\"nrf51\",\"text\":\"It is old.\"}]}"
#define IS_READY "{\"ready\":\"yes\",\"remaining\":[],\"nrf\":{\"version\":\"2025.12\"}}"
#define CONDITIONS "SELECT count(*) FROM record WHERE kind = 'condition'"

static void
condition_is(int64_t id, const char *condition)
{
	assert_int_equal(store_attempt_condition(store, id, condition, &now), 0);
}

static bool
go_on(void *ctx)
{
	(void)ctx;
	return true;
}

struct copy {
	char target[32], uuid[64], radio_before[64], condition[256], verdict[32];
};

static void
on_attempt(void *ctx, const struct store_attempt *a)
{
	struct copy *c = ctx;

	copy_text(c->target, sizeof(c->target), a->target);
	copy_text(c->uuid, sizeof(c->uuid), a->uuid);
	copy_text(c->radio_before, sizeof(c->radio_before), a->radio_before);
	copy_text(c->condition, sizeof(c->condition), a->condition);
	copy_text(c->verdict, sizeof(c->verdict), a->verdict);
}

static struct copy
read_attempt(int64_t id)
{
	struct copy c = { "", "", "", "", "" };

	assert_int_equal(store_attempt_get(store, id, on_attempt, &c), 0);
	return c;
}

TEST_SET_UP(the_last_condition_counts_and_changes_no_ending)
{
	int64_t id = begin_at(store, "1-1", "S1", 1);
	struct copy c, h;

	commit_at(store, 2);
	assert_string_equal(read_attempt(id).condition, "");
	condition_is(id, NOT_READY); /* while it runs */
	end_at(store, id, &passed, 3);
	commit_at(store, 4);
	assert_string_equal(read_attempt(id).condition, NOT_READY);
	condition_is(id, IS_READY); /* and behind its ending */
	commit_at(store, 5);
	c = read_attempt(id);
	assert_string_equal(c.condition, IS_READY);
	assert_string_equal(c.verdict, "pass");
	assert_string_equal(c.target, "stm32");
	assert_int_equal(store_history(store, &(struct store_filter){ .limit = 1 }, on_attempt, &h),
			 1);
	assert_string_equal(h.condition, IS_READY);
	assert_string_equal(h.uuid, c.uuid);
	assert_string_equal(
	    ask_db(dir, "SELECT ready || nrf_version || target || path || ifnull(batch, '-')"
			" FROM attempts"),
	    "yes2025.12stm32usb-");
}

TEST_SET_UP(a_condition_like_the_last_one_is_not_recorded_again)
{
	int64_t one = begin_at(store, "1-1", "S1", 1), two = begin_at(store, "1-2", "S2", 1);

	condition_is(one, NOT_READY);
	condition_is(two, IS_READY);
	condition_is(one, NOT_READY); /* the last one is in the queue */
	commit_at(store, 2);
	assert_string_equal(ask_db(dir, CONDITIONS), "2");
	condition_is(one, NOT_READY); /* and here on disk */
	condition_is(two, IS_READY);
	commit_at(store, 3);
	assert_string_equal(ask_db(dir, CONDITIONS), "2");
	condition_is(one, IS_READY);
	condition_is(one, NOT_READY); /* not what the queue says last */
	commit_at(store, 4);
	assert_string_equal(ask_db(dir, CONDITIONS), "4");
	assert_string_equal(read_attempt(one).condition, NOT_READY);
	end_at(store, one, &passed, 5);
	end_at(store, two, &passed, 5);
}

TEST_SET_UP(a_condition_is_not_lost_while_the_database_is_gone)
{
	int64_t id = begin_at(store, "1-1", "S1", 1);

	end_at(store, id, &passed, 2);
	commit_at(store, 3);
	assert_int_equal(rename(in_dir(dir, DB_FILE), in_dir(dir, "elsewhere")), 0);
	store_watch(store);
	assert_int_equal(health_of(store), STORE_DEGRADED);
	condition_is(id, IS_READY);
	condition_is(id, IS_READY);
	while (store_commit(store, &now) < 0) /* it is made again, some lines at a time */
		assert_true(store_walk(store, &now, go_on, NULL) >= 0);
	assert_string_equal(read_attempt(id).condition, IS_READY);
	assert_string_equal(ask_db(dir, CONDITIONS), "1");
}

TEST_SET_UP(what_is_no_condition_is_refused)
{
	int64_t id = begin_at(store, "1-1", "S1", 1);
	char large[16384];

	memset(large, ' ', sizeof(large));
	large[0] = '{';
	large[sizeof(large) - 2] = '}';
	large[sizeof(large) - 1] = '\0';
	assert_int_equal(store_attempt_condition(store, id, large, &now), -EINVAL);
	assert_int_equal(store_attempt_condition(store, id, "", &now), -EINVAL);
	assert_int_equal(store_attempt_condition(store, id, "[]", &now), -EINVAL);
	assert_int_equal(store_attempt_condition(store, id, "{\n}", &now), -EINVAL);
	assert_int_equal(store_attempt_condition(store, 0, IS_READY, &now), -ENOENT);
	assert_int_equal(store_attempt_condition(store, id + 1, IS_READY, &now), -ENOENT);
	end_at(store, id, &passed, 2);
	commit_at(store, 3);
	assert_string_equal(ask_db(dir, CONDITIONS), "0");
}

static void
on_drone(void *ctx, const struct store_drone *d)
{
	(void)snprintf(ctx, 256, "%s %s %s %s", d->last_verdict, d->nrf_version, d->radio,
		       d->decks);
}

/* An attempt on a part of the drone says nothing of how its flashing went. */
TEST_SET_UP(decks_and_radio_leave_the_verdict_of_the_drone)
{
	struct store_begin b = drone_at("1-1", "S1");
	struct store_drone_facts facts = {
		.serial = "S1", .nrf_version = "2025.12", .radio = "80", .decks = "[]"
	};
	char text[256];
	int64_t id;

	end_at(store, begin_at(store, "1-1", "S1", 1), &passed, 2);
	b.kind = "deck";
	b.target = "deck:bcLighthouse4";
	b.firmware_name = "other";
	assert_int_equal(store_attempt_begin(store, &b, &now, &id), 0);
	end_at(store, id, &interrupted, 60);
	b.kind = b.target = "eeprom";
	b.radio_before = "3078424301";
	assert_int_equal(store_attempt_begin(store, &b, &now, &id), 0);
	end_at(store, id, &failed, 61);
	assert_int_equal(store_drone_note(store, &facts, &now), 0);
	commit_at(store, 62);
	assert_int_equal(store_drone_find(store, "S1", NULL, on_drone, text), 1);
	assert_string_equal(text, "pass 2025.12 80 []");
	assert_string_equal(ask_db(dir, "SELECT name FROM image WHERE id ="
					" (SELECT last_image FROM drone)"),
			    "cf2-2025.02");
	assert_string_equal(read_attempt(2).target, "deck:bcLighthouse4");
	assert_string_equal(read_attempt(3).target, "eeprom");
	assert_string_equal(read_attempt(3).radio_before, "3078424301");
}

TEST_SET_UP(what_was_learned_of_a_drone_is_not_recorded_again)
{
	struct store_drone_facts facts = { .serial = "S1", .nrf_version = "2025.12" };
	uint64_t before;

	assert_int_equal(store_drone_note(store, &facts, &now), 0);
	commit_at(store, 51);
	before = store_queued(store);
	assert_int_equal(store_drone_note(store, &facts, &now), 0);
	assert_true(store_queued(store) == before);
	facts.decks = "[]";
	assert_int_equal(store_drone_note(store, &facts, &now), 0);
	assert_true(store_queued(store) == before + 1);
	commit_at(store, 52);
	assert_string_equal(ask_db(dir, "SELECT nrf_version || decks FROM drone"), "2025.12[]");
}

/* RFC 9562, 5.8: version 8, variant 10; and another one for each attempt, for ever the same. */
TEST_SET_UP(an_attempt_has_one_name_in_all_databases)
{
	static const char shape[] = "xxxxxxxx-xxxx-8xxx-8xxx-xxxxxxxxxxxx";
	struct copy one, two;

	end_at(store, begin_at(store, "1-1", "S1", 1), &passed, 2);
	end_at(store, begin_at(store, "1-1", "S1", 3), &passed, 4);
	commit_at(store, 5);
	one = read_attempt(1);
	two = read_attempt(2);
	assert_int_equal(strlen(one.uuid), sizeof(shape) - 1);
	for (size_t i = 0; shape[i] != '\0'; i++) {
		if (shape[i] == 'x')
			assert_non_null(strchr("0123456789abcdef", one.uuid[i]));
		else
			assert_int_equal(one.uuid[i], shape[i]);
	}
	assert_string_not_equal(one.uuid, two.uuid);
	assert_string_equal(ask_db(dir, "SELECT uuid FROM attempts WHERE id = 2"), two.uuid);
	assert_string_equal(ask_db(dir, "SELECT count(*) FROM attempts a JOIN attempt t USING (id)"
					" JOIN record r ON r.seq = t.begin_seq WHERE"
					" replace(a.uuid, '-', '') LIKE"
					" lower(substr(hex(r.hash), 1, 12)) || '8%'"),
			    "2");
	close_store(store);
	assert_int_equal(unlink(in_dir(dir, DB_FILE)), 0);
	(void)open_ready(dir, &small_options, &store); /* made again from the audit file */
	assert_string_equal(read_attempt(1).uuid, one.uuid);
	assert_string_equal(read_attempt(2).uuid, two.uuid);
}

TEST_SET_UP(the_walk_finds_a_condition_that_the_attempt_has_lost)
{
	struct store_walk w;
	int64_t id = begin_at(store, "1-1", "S1", 1);

	end_at(store, id, &passed, 2);
	condition_is(id, NOT_READY);
	condition_is(id, IS_READY);
	commit_at(store, 3);
	while (store_walk(store, &now, go_on, NULL) > 0)
		;
	store_walk_state(store, &w);
	assert_int_equal(w.differences, 0);
	change_db(dir, "UPDATE attempt SET condition_seq = condition_seq - 1");
	while (store_walk(store, &now, go_on, NULL) > 0)
		;
	store_walk_state(store, &w);
	assert_int_equal(w.differences, 1);
	assert_string_equal(w.first, "attempt 1 is not in the database as it was recorded");
	close_store(store);
	(void)open_ready(dir, &small_options, &store);
	assert_string_equal(read_attempt(id).condition, IS_READY);
}

TEST_SET_UP(who_signed_the_firmware_is_recorded_and_survives_the_database)
{
	static const char shown[] = "SELECT group_concat(ifnull(signer, '-')) FROM attempts";
	struct store_begin b = drone_at("1-1", "S1");
	int64_t id;

	end_at(store, begin_at(store, "1-2", "S2", 1), &passed, 2);
	b.signer = "01A69428574ECD87";
	assert_int_equal(store_attempt_begin(store, &b, &now, &id), 0);
	end_at(store, id, &passed, 3);
	commit_at(store, 4);
	assert_string_equal(ask_db(dir, shown), "-,01A69428574ECD87");
	close_store(store);
	assert_int_equal(unlink(in_dir(dir, "cfdfud.db")), 0);
	(void)open_ready(dir, &small_options, &store);
	assert_string_equal(ask_db(dir, shown), "-,01A69428574ECD87");
}

TEST_MAIN(NULL)
