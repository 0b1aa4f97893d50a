/* SPDX-License-Identifier: MIT */
/*
 * The record writer's rare paths, from within: each has to be taken by some test (branch coverage
 * of daemon/store/queue.c and record.c).
 */
#include "config.h"

#include "test_store_work.h"

#include "store/reconcile.h"
#include "store/recover.h"
#include "store/store_internal.h"

static int
open_one(void **state)
{
	assert_int_equal(set_up(state), 0);
	return open_ready(dir, &on_unsafe, &store);
}

static int
close_one(void **state)
{
	disk_reset((struct disk){ 0 });
	close_store(store);
	assert_station_is_whole(dir);
	return tear_down(state);
}

#define TEST_SET_UP(name) TEST_WITH(name, open_one, close_one)

TEST_SET_UP(a_commit_syncs_both_files)
{
	int64_t id = begin_at(store, "1-1", "s", 1);

	disk_reset((struct disk){ .only = "-wal" });
	commit_at(store, 2);
	assert_true(disk.syncs >= 1);
	end_at(store, id, &passed, 3);
	disk_reset((struct disk){ .only = AUDIT_FILE });
	commit_at(store, 4);
	assert_int_equal(disk.syncs, 1);
	commit_at(store, 5); /* nothing to do */
	assert_int_equal(disk.syncs, 1);
}

/* D3: the database does not take the ending, the audit file does; it is announced when both have
 * it. */
TEST_SET_UP(records_in_the_audit_file_alone_are_safe_but_not_announced)
{
	struct store_time now = at(5);
	int64_t id = begin_at(store, "1-1", "s", 1), size;
	uint64_t durable;

	commit_at(store, 2);
	durable = store_durable(store);
	size = file_size(in_dir(dir, AUDIT_FILE));
	disk_reset((struct disk){ .fault = DISK_FULL, .at = 1, .only = "-wal" });
	end_at(store, id, &passed, 3);
	assert_int_equal(store_commit(store, &now), -ENOSPC);
	assert_true(file_size(in_dir(dir, AUDIT_FILE)) > size);
	size = file_size(in_dir(dir, AUDIT_FILE));
	assert_int_equal(store_commit(store, &now), -ENOSPC); /* and not twice */
	assert_int_equal(file_size(in_dir(dir, AUDIT_FILE)), size);
	assert_true(store_durable(store) == durable);
	assert_string_equal(ask_db(dir, "SELECT count(verdict) FROM attempts"), "0");
	/* killed now, the next daemon takes it from the audit file */
	store_close(store, NULL);
	disk_reset((struct disk){ 0 });
	assert_int_equal(open_ready(dir, &on_unsafe, &store), 0);
	assert_string_equal(ask_db(dir, "SELECT verdict FROM attempts"), "pass");
}

TEST_SET_UP(records_in_the_audit_file_alone_reach_the_database_once)
{
	struct store_time now = at(5);
	int64_t id = begin_at(store, "1-1", "s", 1);

	commit_at(store, 2);
	disk_reset((struct disk){ .fault = DISK_FULL, .at = 1, .only = "-wal" });
	end_at(store, id, &passed, 3);
	assert_int_equal(store_commit(store, &now), -ENOSPC);
	disk_reset((struct disk){ 0 });
	assert_int_equal(store_act(store, &(struct store_act){ .method = "Pause" }, &now), 0);
	commit_at(store, 6);
	assert_true(store_durable(store) == store_queued(store));
	assert_string_equal(ask_db(dir, "SELECT count(*) FROM record WHERE kind = 'end'"), "1");
}

TEST_SET_UP(records_in_the_database_alone_wait_for_the_audit_file)
{
	struct store_time now = at(5);
	int64_t id = begin_at(store, "1-1", "s", 1);
	uint64_t durable;

	commit_at(store, 2);
	durable = store_durable(store);
	disk_reset((struct disk){ .fault = DISK_FULL, .at = 1, .only = AUDIT_FILE });
	end_at(store, id, &passed, 3);
	assert_int_equal(store_commit(store, &now), -ENOSPC);
	assert_true(store_durable(store) == durable);
	assert_string_equal(ask_db(dir, "SELECT verdict FROM attempts"), "pass");
	assert_int_equal(store_act(store, &(struct store_act){ .method = "Pause" }, &now), 0);
	disk_reset((struct disk){ 0 });
	commit_at(store, 6);
	assert_true(store_durable(store) == store_queued(store));
}

TEST_SET_UP(a_database_that_fails_again_after_reopening_is_given_up)
{
	struct store_time now = at(5);
	char why[STORE_WHY_MAX];
	int64_t id = begin_at(store, "1-1", "s", 1);

	commit_at(store, 2);
	/* the audit file is gone: storage is opened again, and the log is empty when the fault hits
	 */
	assert_int_equal(unlink(in_dir(dir, AUDIT_FILE)), 0);
	end_at(store, id, &passed, 3);
	disk_reset(
	    (struct disk){ .fault = DISK_EIO, .at = 1, .only = "-wal", .writes_only = true });
	assert_int_equal(store_commit(store, &now), -EIO);
	assert_int_equal(store_health(store, why), STORE_DEGRADED);
	assert_non_null(strstr(why, "after reopening"));
	assert_int_equal(store_ready(store, &now), -EIO);
	assert_int_equal(store_commit(store, &now), -EIO);
	disk_reset((struct disk){ 0 });
	assert_int_equal(store_check(store, &now), 0);
	assert_true(store_durable(store) == store_queued(store));
	assert_string_equal(ask_db(dir, "SELECT verdict FROM attempts"), "pass");
}

TEST_SET_UP(a_database_that_fails_and_then_is_full_is_kept_and_tried_again)
{
	struct store_time now = at(5);
	int64_t id = begin_at(store, "1-1", "s", 1);

	commit_at(store, 2);
	end_at(store, id, &passed, 3);
	assert_int_equal(unlink(in_dir(dir, AUDIT_FILE)), 0);
	disk_reset((struct disk){ .fault = DISK_EIO,
				  .at = 1,
				  .count = 1,
				  .then = DISK_FULL,
				  .only = "-wal",
				  .writes_only = true });
	assert_int_equal(store_commit(store, &now), -ENOSPC);
	assert_int_equal(store_ready(store, &now), -ENOSPC);
	disk_reset((struct disk){ 0 });
	assert_int_equal(store_check(store, &now), 0);
	assert_int_equal(store_ready(store, &now), 0);
	assert_true(store_durable(store) == store_queued(store));
}

/* Should a repair lose rows of which the queue still has the ending, an ending for the same attempt
 * may come again. */
TEST_SET_UP(a_repetition_keeps_its_number_and_changes_nothing)
{
	static struct body b;
	int64_t id = begin_at(store, "1-1", "s", 1);

	end_at(store, id, &passed, 2);
	commit_at(store, 3);
	body_begin(&b);
	body_int(&b, "id", id);
	body_text(&b, "verdict", "fail", 16);
	assert_int_equal(store_queue(store, RECORD_END, id, &b), 0);
	commit_at(store, 4);
	assert_string_equal(ask_db(dir, "SELECT verdict FROM attempts"), "pass");
	assert_string_equal(ask_db(dir, "SELECT n FROM tally WHERE verdict = 'fail'"), "");
	/* such a record is no ending of the attempt, and must not be taken for one */
	store_close(store, NULL);
	assert_int_equal(unlink(in_dir(dir, DB_FILE)), 0);
	assert_int_equal(unlink(in_dir(dir, AUDIT_FILE)), 0);
	assert_int_equal(open_ready(dir, &on_unsafe, &store), 0);
}

TEST_SET_UP(a_body_that_is_too_large_is_refused)
{
	static struct body b;
	static char big[RECORD_BODY_MAX];

	memset(big, '"', sizeof(big) - 1);
	body_begin(&b);
	body_text(&b, "a", big, sizeof(big));
	body_text(&b, "b", "x", 8);
	assert_int_equal(store_queue(store, RECORD_ACT, 0, &b), -E2BIG);
	body_begin(&b);
	body_text(&b, "a", big, SIZE_MAX); /* no limit of the caller's is over ours */
	assert_int_equal(body_end(&b), -E2BIG);
	body_begin(&b);
	body_text(&b, "a", "", 8);
	body_text(&b, "b", NULL, 8);
	body_text_or_empty(&b, "c", NULL, 8);
	assert_int_equal(body_end(&b), 0);
	assert_string_equal(b.text, "{\"c\":\"\"}");
	body_list_begin(&b);
	body_list_pair(&b, big, 1, SIZE_MAX);
	body_list_end(&b);
	assert_int_equal(body_end(&b), -E2BIG);
}

TEST_SET_UP(a_queued_record_that_the_disk_has_otherwise_is_placed_again)
{
	struct store_time now = at(5);
	int64_t id = begin_at(store, "1-1", "s", 1);

	commit_at(store, 2);
	disk_reset((struct disk){ .fault = DISK_FULL, .at = 1 });
	end_at(store, id, &passed, 3);
	assert_int_equal(store_commit(store, &now), -ENOSPC); /* placed, in neither file */
	disk_reset((struct disk){ 0 });
	assert_int_equal(store->queue.first->seq, store->queue.chain_seq);
	store->queue.first->seq =
	    1; /* as if the files had been replaced by others with as many records */
	assert_int_equal(queue_reload(&store->queue, store->files.db), 0);
	assert_int_equal(store->queue.first->seq, 0);
	assert_false(store->queue.first->in_db);
	commit_at(store, 6);
	assert_string_equal(ask_db(dir, "SELECT verdict FROM attempts"), "pass");
}

static int steps_left;

static int
on_progress(void *ctx)
{
	(void)ctx;
	return steps_left-- <= 0;
}

TEST_SET_UP(reloading_fails_at_any_step_of_its_queries)
{
	struct store_time now = at(5);
	int64_t id = begin_at(store, "1-1", "s", 1);
	int n = 0, r;

	commit_at(store, 2);
	disk_reset((struct disk){ .fault = DISK_FULL, .at = 1, .only = "-wal" });
	end_at(store, id, &passed, 3);
	assert_int_equal(store_commit(store, &now), -ENOSPC);
	disk_reset((struct disk){ 0 });
	/* which always comes before: the line that the audit file has alone */
	assert_int_equal(reconcile_files(&store->files, "test"), 1);
	assert_int_equal(recover_go_on(&store->files, NULL, NULL), 0);
	for (int first = 0; first < 2; first++) {
		do {
			steps_left = n++;
			sqlite3_progress_handler(db_handle(store->files.db), 1, on_progress, NULL);
			r = running_load(&store->running, &store->files, first == 1);
			if (r == 0)
				r = queue_reload(&store->queue, store->files.db);
		} while (r == -EIO);
		assert_int_equal(r, 0);
		n = 0;
	}
	sqlite3_progress_handler(db_handle(store->files.db), 0, NULL, NULL);
	files_fail_stop(&store->files, -EIO, "for the test");
	commit_at(store, 6);
	assert_true(store_durable(store) == store_queued(store));
}

/* WHY 1000 that run: their rows lie close, and grow when they end; a statement that splits pages of
 * many indices at once keeps copies of them until it is over. */
TEST_SET_UP(nothing_is_written_beside_the_store_however_many_pages_a_record_changes)
{
	enum { RUNNING = 1000, ROUNDS = 3 };
	static int64_t ids[RUNNING];
	char port[32], serial[32];

	for (unsigned n = 0; n < ROUNDS * RUNNING; n++) {
		unsigned i = n % RUNNING;

		(void)snprintf(port, sizeof(port), "%u-%u.%u", 1 + n % 7, 1 + n * 31 % 97,
			       1 + n * 17 % 89);
		(void)snprintf(serial, sizeof(serial), "%08X%016X", n * 2654435761U, n);
		ids[i] = begin_at(store, port, serial, n);
		for (unsigned k = 0; i == RUNNING - 1 && k < RUNNING; k++) {
			end_at(store, ids[k * 37 % RUNNING], k % 3 == 0 ? &failed : &passed, n);
			if (k % 20 == 0)
				commit_at(store, n);
		}
		if (i % 20 == 0)
			commit_at(store, n);
	}
	commit_at(store, ROUNDS * RUNNING);
}

static int
register_disk(void **state)
{
	(void)state;
	disk_set_up();
	return 0;
}

TEST_MAIN(register_disk)
