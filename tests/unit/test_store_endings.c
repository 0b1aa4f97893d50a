/* SPDX-License-Identifier: MIT */
/* store_endings(): pages of the chain of records, for other databases. */
#include "config.h"

#include "test_store_util.h"

#define TEST_SET_UP(name) TEST_WITH(name, open_test_store, close_test_store)

#define NOT_READY "{\"ready\":\"no\",\"remaining\":[]}"
#define IS_READY "{\"ready\":\"yes\",\"remaining\":[]}"

static struct store_time now;

/* A word for each item that the pages told: "end:1-1:pass:no:0 " */
static char told[1024];
static int looks; /* that a page may have */
static const struct store_endings *reading;
static char uuids[8][64];
static size_t uuid_count;

static void
on_ending(void *ctx, const struct store_attempt *a)
{
	size_t n = strlen(told);
	bool condition = reading->condition;

	assert_ptr_equal(ctx, told);
	assert_true(reading->next > 0 && a->ended_ms > 0);
	assert_true(snprintf(told + n, sizeof(told) - n, "%s:%s:%s:%s:%zu ",
			     condition ? "condition" : "end", a->port, a->verdict,
			     a->condition == NULL		   ? "-"
			     : strstr(a->condition, "yes") != NULL ? "yes"
								   : "no",
			     a->stage_count) > 0);
	copy_text(uuids[uuid_count++ % 8], sizeof(uuids[0]), a->uuid);
}

static bool
is_enough(void *ctx)
{
	assert_ptr_equal(ctx, told);
	return --looks <= 0;
}

/* All of it, in pages of so many items and looks at records. */
static struct store_endings
read_all(unsigned limit, int looks_a_page)
{
	struct store_endings e = { .limit = limit, .enough = is_enough, .each = on_ending };
	char hash[65] = "";

	told[0] = '\0';
	uuid_count = 0;
	reading = &e;
	do {
		looks = looks_a_page;
		assert_int_equal(store_endings(store, &e, told), 0);
		assert_string_equal(e.after_hash, hash); /* as the page before had it */
		assert_true(e.next > e.after);
		copy_text(hash, sizeof(hash), e.next_hash);
		e.after = e.next;
	} while (e.next < e.head);
	return e;
}

static void
live(void)
{
	static const struct store_stage stages[] = { { "erasing", 5 }, { "writing", 7 } };
	struct store_ending e = failed;
	int64_t one, two;

	now = at(50);
	e.stages = stages;
	e.stage_count = 2;
	one = begin_at(store, "1-1", "S1", 1);
	two = begin_at(store, "1-2", "S2", 1);
	(void)begin_at(store, "1-3", "S3", 1); /* goes on running */
	assert_int_equal(store_attempt_condition(store, one, NOT_READY, &now), 0);
	end_at(store, two, &e, 3);
	end_at(store, one, &passed, 3);
	commit_at(store, 4);
	assert_int_equal(store_attempt_condition(store, two, NOT_READY, &now), 0);
	assert_int_equal(store_attempt_condition(store, two, IS_READY, &now), 0);
	commit_at(store, 5);
}

#define ALL "end:1-2:fail:yes:2 end:1-1:pass:no:0 condition:1-2:fail:no:2 condition:1-2:fail:yes:2 "

TEST_SET_UP(endings_and_what_was_learned_behind_them_come_in_the_order_of_records)
{
	struct store_endings e;

	live();
	e = read_all(100, 1000);
	assert_string_equal(told, ALL);
	assert_string_equal(uuids[0], uuids[2]);
	assert_string_not_equal(uuids[0], uuids[1]);
	assert_int_equal(e.total, 2);
	assert_string_equal(e.station, ask_db(dir, "SELECT value FROM setting WHERE scope = 'store'"
						   " AND name = 'station'"));
	assert_string_equal(e.next_hash, ask_db(dir, "SELECT lower(hex(hash)) FROM record"
						     " ORDER BY seq DESC LIMIT 1"));
}

TEST_SET_UP(pages_of_any_length_tell_the_same)
{
	live();
	for (unsigned limit = 1; limit < 5; limit++)
		for (int page = 1; page < 14; page++) {
			(void)read_all(limit, page);
			assert_string_equal(told, ALL);
		}
}

TEST_SET_UP(without_a_limit_only_numbers_are_told)
{
	struct store_endings e = { .enough = is_enough, .each = on_ending };

	live();
	told[0] = '\0';
	assert_int_equal(store_endings(store, &e, told), 0);
	assert_string_equal(told, "");
	assert_int_equal(e.next, 0);
	assert_true(e.head > 8);
	e.after = e.head + 5;
	assert_int_equal(store_endings(store, &e, told), 0);
	assert_string_equal(e.after_hash, "");
}

TEST_MAIN(NULL)
