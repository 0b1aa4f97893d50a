/* SPDX-License-Identifier: MIT */
/* The n-th allocation fails, for many n, in the store and in SQLite: an error is returned and
 * nothing is lost. */
#include "config.h"

#include "test_store_work.h"

static struct {
	unsigned long count, fail_at;
	bool failed;
} memory;

static sqlite3_mem_methods plain;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);

static bool
is_refused(void)
{
	if (memory.fail_at == 0 || ++memory.count != memory.fail_at)
		return false;
	memory.failed = true;
	return true;
}

void *
__wrap_malloc(size_t size)
{
	return is_refused() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return is_refused() ? NULL : __real_calloc(n, size);
}

char *
__wrap_strdup(const char *text)
{
	return is_refused() ? NULL : __real_strdup(text);
}

static void *
sqlite_malloc(int size)
{
	return is_refused() ? NULL : plain.xMalloc(size);
}

static void *
sqlite_realloc(void *old, int size)
{
	return is_refused() ? NULL : plain.xRealloc(old, size);
}

static void
one_failed_allocation(unsigned long n)
{
	struct store_time now = at(0);
	struct store *s = NULL;
	char why[STORE_WHY_MAX];
	int r;

	memory.count = 0;
	memory.failed = false;
	memory.fail_at = n;
	r = store_open(dir, &on_unsafe, &now, &s, why);
	if (r == 0)
		try_work(s, -1);
	memory.fail_at = 0;
	if (r < 0) {
		assert_int_equal(r, -ENOMEM);
		assert_null(s);
		return;
	}
	for (int i = 0; i < 3; i++) {
		now = at(10000 + 60000 * i);
		(void)store_check(s, &now);
		assert_int_equal(
		    store_interrupt_running(s, &interrupted, &now, ignore_interrupted, NULL), 0);
	}
	assert_true(health_of(s) != STORE_DEGRADED);
	assert_true(store_durable(s) == store_queued(s));
	try_attempt(s, -1, 60, 0);
	store_close(s, NULL);
	disk_lose_unsynced();
}

TEST_WITH(a_failed_allocation_is_an_error_and_nothing_is_lost, set_up, tear_down)
{
	const char *how = getenv("CFDFU_STORE_SWEEP");
	unsigned long n = 1, runs = 0;

	do {
		one_failed_allocation(n);
		if (memory.failed)
			assert_next_daemon_is_happy();
		assert_int_equal(tear_down(NULL), 0);
		assert_int_equal(set_up(NULL), 0);
		runs++;
		n += how != NULL && strcmp(how, "full") == 0 ? n / 200 + 1 : n / 8 + 1;
	} while (memory.failed);
	assert_true(runs > 50);
}

TEST_WITH(a_record_for_which_there_is_no_memory_is_refused, set_up, tear_down)
{
	struct store_time now = at(0);
	uint64_t queued;
	struct store *s;

	(void)open_ready(dir, &on_unsafe, &s);
	queued = store_queued(s);
	memory.count = 0;
	memory.fail_at = 1;
	assert_int_equal(store_set(s, STORE_STATION, "a", "b", &now), -ENOMEM);
	memory.fail_at = 0;
	assert_true(store_queued(s) == queued);
	assert_int_equal(store_set(s, STORE_STATION, "a", "b", &now), 0);
	close_store(s);
	assert_station_is_whole(dir);
}

static void
count_stages(void *ctx, const struct store_attempt *a)
{
	for (size_t i = 0; i < a->stage_count; i++)
		assert_string_equal(a->stages[i].name, "writing");
	*(size_t *)ctx = a->stage_count;
}

TEST_WITH(an_attempt_has_all_its_stages_or_an_error, set_up, tear_down)
{
	struct store_stage stages[] = { { "writing", 1 }, { "writing", 2 }, { "writing", 3 } };
	struct store_ending e = passed;
	struct store *s;
	int64_t id;
	unsigned shown = 0, refused = 0;

	(void)open_ready(dir, &on_unsafe, &s);
	e.stages = stages;
	e.stage_count = ARRAY_LEN(stages);
	id = begin_at(s, "1-1", "s", 1);
	end_at(s, id, &e, 2);
	commit_at(s, 3);
	for (unsigned long n = 1; shown == 0; n++) {
		size_t count = 0;
		int r;

		memory.count = 0;
		memory.fail_at = n;
		r = store_attempt_get(s, id, count_stages, &count);
		memory.fail_at = 0;
		assert_true(r == 0 || r == -ENOMEM);
		assert_int_equal(count, r == 0 ? e.stage_count : 0);
		shown += r == 0;
		refused += r < 0;
	}
	assert_true(refused >= e.stage_count);
	close_store(s);
}

static int
register_all(void **state)
{
	static sqlite3_mem_methods failing;

	(void)state;
	assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &plain), SQLITE_OK);
	failing = plain;
	failing.xMalloc = sqlite_malloc;
	failing.xRealloc = sqlite_realloc;
	assert_int_equal(sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0), SQLITE_OK);
	assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &failing), SQLITE_OK);
	disk_set_up();
	return 0;
}

TEST_MAIN(register_all)
