/* SPDX-License-Identifier: MIT */
/* store/history: every filter is answered by an index, and in pages of any length. */
#include "config.h"

#include "test_store_util.h"

#include "store/db.h"
#include "store/schema.h"

#define ATTEMPTS 480
#define ROWS_MAX (ATTEMPTS + 8)

/* ---- a station's life in small -------------------------------------------------------------- */

/*
 * Seven ports, one of them without a label, five drones, of which two share a DFU serial; every
 * tenth fails, on one port and one drone never; two are still running.  The clock is set back once.
 */
static void
add(int i)
{
	static const char *const ports[] = { "1-1", "1-2", "1-3", "1-4", "1-5", "1-6", "1-7" };
	static const char *const labels[] = { "A1", "A2", NULL, "A4", "A5", "A6", "A7" };
	static const char *const serials[] = { "AAAA", "BBBB", "CCCC", "DDDD", "EEEE" };
	static const char *const dfu[] = { "D1", "D1", "D3", "D4", "D5" };
	struct store_begin b = { .port = ports[i % 7],
				 .label = labels[i % 7],
				 .serial = serials[i % 5],
				 .dfu_serial = dfu[i % 5],
				 .firmware_name = "cf2",
				 .firmware_sha256 = "00" };
	struct store_time now = at(i < ATTEMPTS / 2 ? i * 1000 : i * 1000 - 200000);
	bool fails = i % 10 == 3 && i % 7 != 4;
	int64_t id = 0;

	assert_int_equal(store_attempt_begin(store, &b, &now, &id), 0);
	if (i < ATTEMPTS - 2)
		assert_int_equal(store_attempt_end(store, id, fails ? &failed : &passed, &now), 0);
}

static int
set_up(void **state)
{
	(void)open_test_store(state);
	for (int i = 0; i < ATTEMPTS; i++)
		add(i);
	commit_at(store, ATTEMPTS * 1000);
	return 0;
}

/* ---- asking --------------------------------------------------------------------------------- */

struct answer {
	int64_t ids[ROWS_MAX];
	int rows, looked_at, pages;
	int page_left;	 /* rows that one page may still look at */
	int64_t last_ms; /* when the last one was begun */
};

static void
on_row(void *ctx, const struct store_attempt *a)
{
	struct answer *r = ctx;

	assert_in_range(r->rows, 0, ROWS_MAX - 1);
	r->ids[r->rows++] = a->id;
	r->last_ms = a->started_ms;
}

static bool
is_enough(void *ctx)
{
	struct answer *r = ctx;

	r->looked_at++;
	return --r->page_left <= 0;
}

/* All of it, in pages that look at so many rows. */
static void
ask(struct store_filter f, int page_rows, struct answer *r)
{
	int64_t next = 0;

	memset(r, 0, sizeof(*r));
	f.enough = is_enough;
	f.ret_next = &next;
	do {
		int64_t before = f.before_id;

		r->page_left = page_rows;
		r->pages++;
		assert_in_range(store_history(store, &f, on_row, r), 0, ROWS_MAX);
		assert_true(next == 0 || before == 0 || next < before);
		f.before_id = next;
	} while (next != 0);
}

static const char *const serials[] = { NULL, "BBBB", "d1", "EEEE", "nothing" };
static const char *const slots[] = { NULL, "1-3", "A5", "1-5", "nowhere" };
static const char *const verdicts[] = { NULL, "pass", "fail", "skipped", "running" };
static const int64_t moments[] = { 0, WALL_MS + 150000, WALL_MS + 250500 };

/* The same, out of the view that is for people, which knows no index. */
static void
expect(const struct store_filter *f, struct answer *r)
{
	char sql[600], serial[80] = "1", slot[80] = "1", verdict[80] = "1";
	const char *at;

	if (f->serial != NULL)
		(void)snprintf(serial, sizeof(serial), "upper('%s') IN (v.serial, v.dfu_serial)",
			       f->serial);
	if (f->slot != NULL)
		(void)snprintf(slot, sizeof(slot), "(v.port = '%s' OR v.label IS '%s')", f->slot,
			       f->slot);
	if (f->verdict != NULL)
		(void)snprintf(verdict, sizeof(verdict), "ifnull(v.verdict, 'running') = '%s'",
			       f->verdict);
	(void)snprintf(sql, sizeof(sql),
		       "SELECT group_concat(id, ' ') FROM (SELECT v.id FROM attempts v"
		       " JOIN attempt a ON a.id = v.id WHERE %s AND %s AND %s"
		       " AND a.started_ms >= %lld"
		       " AND (%lld = 0 OR a.started_ms < %lld) ORDER BY v.id DESC)",
		       serial, slot, verdict, (long long)f->since_ms, (long long)f->until_ms,
		       (long long)f->until_ms);
	r->rows = 0;
	for (at = ask_db(dir, sql); *at >= '0' && *at <= '9'; at += *at == ' ') {
		char *end;

		r->ids[r->rows++] = strtoll(at, &end, 10);
		at = end;
	}
}

static struct store_filter
nth_filter(size_t n)
{
	struct store_filter f = { .serial = serials[n % 5],
				  .slot = slots[n / 5 % 5],
				  .verdict = verdicts[n / 25 % 5],
				  .since_ms = moments[n / 125 % 3],
				  .until_ms = moments[n / 375 % 3] };

	return f;
}

#define FILTERS (5 * 5 * 5 * 3 * 3)

/* ---- tests ---------------------------------------------------------------------------------- */

#define TEST_SET_UP(name) TEST_WITH(name, set_up, close_test_store)

TEST_SET_UP(pages_of_any_length_make_the_same_whole)
{
	static const int lengths[] = { 1, 7, ROWS_MAX };
	static struct answer wanted, r;

	for (size_t n = 0; n < FILTERS; n++) {
		struct store_filter f = nth_filter(n);

		expect(&f, &wanted);
		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
			ask(f, lengths[i], &r);
			if (r.rows != wanted.rows)
				print_error("filter %zu, pages of %d\n", n, lengths[i]);
			assert_int_equal(r.rows, wanted.rows);
			assert_memory_equal(r.ids, wanted.ids, sizeof(r.ids[0]) * (size_t)r.rows);
		}
	}
}

/* Drones that share a serial and have too many attempts to be sorted: the same, in pages. */
TEST_SET_UP(a_result_too_large_to_sort_is_scanned_instead)
{
	static struct answer sorted, r;

	for (size_t n = 0; n < FILTERS; n++) {
		struct store_filter f = nth_filter(n);

		if (f.serial == NULL || strcmp(f.serial, "d1") != 0)
			continue;
		ask(f, ROWS_MAX, &sorted);
		f.sort_steps = 50;
		ask(f, 7, &r);
		assert_int_equal(r.rows, sorted.rows);
		assert_memory_equal(r.ids, sorted.ids, sizeof(r.ids[0]) * (size_t)r.rows);
		if (n == 2) /* the serial alone: the other drones' attempts were looked at, too */
			assert_in_range(r.looked_at, ATTEMPTS, ROWS_MAX);
	}
}

/* One serial or one slot, with a verdict or a time or both: no row is looked at in vain. */
TEST_SET_UP(an_index_visits_only_matching_rows)
{
	static struct answer r;

	for (size_t n = 0; n < FILTERS; n++) {
		struct store_filter f = nth_filter(n);
		bool shared = f.serial != NULL && strcmp(f.serial, "d1") == 0;
		bool running = f.verdict != NULL && strcmp(f.verdict, "running") == 0;

		if (shared || running || (f.serial != NULL && f.slot != NULL))
			continue;
		ask(f, ROWS_MAX, &r);
		if (r.looked_at != r.rows)
			print_error("filter %zu: %d looked at for %d\n", n, r.looked_at, r.rows);
		assert_int_equal(r.looked_at, r.rows);
	}
}

/* SQLite's query plan for each statement of the history: none scans all attempts. */
TEST_SET_UP(no_history_scans_the_attempts)
{
	sqlite3 *h = NULL;

	assert_int_equal(sqlite3_open(in_dir(dir, DB_FILE), &h), SQLITE_OK);
	for (int q = DB_HISTORY; q <= DB_STAGES; q++) {
		char sql[4096];
		sqlite3_stmt *st = NULL;

		(void)snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s",
			       db_query_sql((enum db_query)q));
		assert_int_equal(sqlite3_prepare_v2(h, sql, -1, &st, NULL), SQLITE_OK);
		while (sqlite3_step(st) == SQLITE_ROW) {
			const char *step = (const char *)sqlite3_column_text(st, 3);
			bool whole = strcmp(step, "SCAN a") == 0 || strcmp(step, "SCAN h") == 0 ||
				     strstr(step, "SCAN attempt") != NULL ||
				     (strncmp(step, "SCAN a USING", 12) == 0 &&
				      strstr(step, "attempt_open") == NULL);

			if (whole || (q != DB_HISTORY_DRONES && q != DB_HISTORY_RUNNING &&
				      strstr(step, "TEMP B-TREE") != NULL))
				print_error("query %d: %s\n", q, step);
			assert_false(whole);
			if (q != DB_HISTORY_DRONES && q != DB_HISTORY_RUNNING)
				assert_null(strstr(step, "TEMP B-TREE"));
		}
		sqlite3_finalize(st);
	}
	sqlite3_close(h);
}

/* A clock without a battery may say anything: the attempts are shown all the same. */
TEST_SET_UP(a_year_of_five_digits_is_told)
{
	struct store_time far = { .wall_ms = INT64_C(253402300800123), .mono_ms = 900000 };
	struct store_time before = { .wall_ms = -1, .mono_ms = 900001 };
	struct store_begin b = { .port = "2-1" };
	static struct answer r;
	int64_t id;

	assert_int_equal(store_attempt_begin(store, &b, &far, &id), 0);
	assert_int_equal(store_attempt_end(store, id, &passed, &far), 0);
	assert_int_equal(store_attempt_begin(store, &b, &before, &id), 0);
	assert_int_equal(store_commit(store, &before), 0);
	ask((struct store_filter){ .slot = "2-1", .limit = 1 }, 1, &r);
	assert_int_equal(r.rows, 2);
	assert_int_equal(r.last_ms, INT64_C(253402300800123));
	ask((struct store_filter){ .slot = "2-1", .verdict = "running" }, ROWS_MAX, &r);
	assert_int_equal(r.rows, 1);
	assert_int_equal(r.last_ms, 0);
}

TEST_MAIN(NULL)
