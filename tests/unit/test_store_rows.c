/* SPDX-License-Identifier: MIT */
/* Single rows of the fault matrix, table D, that are about the disk while the store works. */
#include "config.h"

#include "test_store_work.h"

#include <sched.h>
#include <sys/mount.h>

#define TEST_SET_UP(name) TEST_WITH(name, set_up, tear_down)

/* D3 */
TEST_SET_UP(the_ballast_pays_for_the_endings_and_then_nothing_begins)
{
	struct store_time now = at(10);
	char why[STORE_WHY_MAX];
	struct store *s;
	int64_t id, other;

	(void)open_ready(dir, &on_unsafe, &s);
	assert_int_equal(file_size(in_dir(dir, "ballast")), 65536);
	id = begin_at(s, "1-1", "s", 1);
	commit_at(s, 2);
	disk_reset((struct disk){ .fault = DISK_FULL, .at = 1, .ballast_helps = true });
	end_at(s, id, &passed, 3);
	commit_at(s, 4); /* durable, all the same */
	assert_int_equal(file_size(in_dir(dir, "ballast")), -1);
	assert_string_equal(ask_db(dir, "SELECT verdict FROM attempts"), "pass");
	assert_int_equal(store_health(s, why), STORE_DEGRADED);
	assert_non_null(strstr(why, "full"));
	assert_int_equal(store_ready(s, &now), -ENOSPC);
	assert_int_equal(
	    store_attempt_begin(s, &(struct store_begin){ .port = "1-1" }, &now, &other), -ENOSPC);
	disk_reset((struct disk){ 0 });
	assert_int_equal(store_check(s, &now), 0);
	assert_int_equal(file_size(in_dir(dir, "ballast")), 65536);
	assert_int_equal(store_ready(s, &now), 0);
	close_store(s);
	assert_station_is_whole(dir);
}

/* D2 */
TEST_SET_UP(under_the_floor_no_attempt_begins)
{
	struct store_options o = small_options;
	struct store_time now = at(1);
	char why[STORE_WHY_MAX];
	struct store *s;

	o.floor_bytes = UINT64_C(1) << 60;
	(void)open_ready(dir, &o, &s);
	assert_int_equal(store_ready(s, &now), -ENOSPC);
	assert_int_equal(store_health(s, why), STORE_DEGRADED);
	assert_non_null(strstr(why, "less free space"));
	close_store(s);
}

/* D8 */
TEST_SET_UP(a_moved_database_is_noticed_at_the_ending_and_by_the_check)
{
	struct store_time now = at(10);
	struct store *s;
	int64_t id;

	(void)open_ready(dir, &small_options, &s);
	id = begin_at(s, "1-1", "s", 1);
	commit_at(s, 2);
	assert_int_equal(unlink(in_dir(dir, DB_FILE)), 0);
	end_at(s, id, &passed, 3);
	commit_at(s, 4);
	assert_string_equal(ask_db(dir, "SELECT verdict FROM attempts"), "pass");
	assert_int_equal(health_of(s), STORE_ALARM);
	store_acknowledge(s);
	assert_int_equal(rename(in_dir(dir, DB_FILE), in_dir(dir, "elsewhere")), 0);
	assert_int_equal(store_check(s, &now), 0);
	assert_int_equal(health_of(s), STORE_ALARM);
	assert_string_equal(ask_db(dir, "SELECT verdict FROM attempts"), "pass");
	assert_int_equal(unlink(in_dir(dir, AUDIT_FILE)), 0);
	id = begin_at(s, "1-1", "s", 5);
	end_at(s, id, &failed, 6);
	commit_at(s, 7);
	close_store(s);
	assert_station_is_whole(dir);
	assert_string_equal(ask_db(dir, "SELECT count(*) FROM attempts"), "2");
}

/* D1 */
TEST_SET_UP(a_foreign_lock_delays_but_does_not_block)
{
	struct store_time now = at(10);
	char why[STORE_WHY_MAX];
	struct store *s;
	sqlite3 *other;
	int64_t id;

	(void)open_ready(dir, &small_options, &s);
	id = begin_at(s, "1-1", "s", 1);
	commit_at(s, 2);
	assert_int_equal(sqlite3_open(in_dir(dir, DB_FILE), &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	end_at(s, id, &passed, 3);
	assert_int_equal(store_commit(s, &now), -EAGAIN);
	assert_int_equal(store_ready(s, &now), -EAGAIN);
	assert_int_equal(health_of(s), STORE_OK);
	now = at(6000);
	assert_int_equal(store_check(s, &now), 0);
	assert_int_equal(store_health(s, why), STORE_DEGRADED);
	assert_non_null(strstr(why, "locked"));
	assert_true(store_durable(s) < store_queued(s));
	assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(other), SQLITE_OK);
	assert_int_equal(store_check(s, &now), 0);
	assert_int_equal(health_of(s), STORE_OK);
	assert_true(store_durable(s) == store_queued(s));
	assert_int_equal(store_ready(s, &now), 0);
	close_store(s);
	assert_station_is_whole(dir);
}

/* D11 */
TEST_SET_UP(a_reader_that_stays_lets_the_log_grow_and_is_reported)
{
	struct store_options o = small_options;
	struct store_time now = at(10);
	char why[STORE_WHY_MAX];
	sqlite3_stmt *st;
	struct store *s;
	sqlite3 *other;

	o.wal_alarm_bytes = 300000;
	(void)open_ready(dir, &o, &s);
	assert_int_equal(sqlite3_open(in_dir(dir, DB_FILE), &other), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(other, "SELECT * FROM record", -1, &st, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	for (int i = 0; i < 40; i++) {
		end_at(s, begin_at(s, "1-1", "s", i), &passed, i);
		commit_at(s, i);
	}
	assert_int_equal(store_check(s, &now), 0);
	assert_int_equal(store_health(s, why), STORE_ALARM);
	assert_non_null(strstr(why, "log"));
	assert_int_equal(store_ready(s, &now), 0); /* it works */
	assert_int_equal(sqlite3_finalize(st), SQLITE_OK);
	assert_int_equal(sqlite3_close(other), SQLITE_OK);
	close_store(s);
}

/* D4, D5: a store that starts on a bad disk says so, refuses, and comes to life later. */
TEST_SET_UP(a_store_that_starts_degraded_comes_up_later)
{
	struct store_time now = at(10);
	char why[STORE_WHY_MAX], value[8];
	struct store *s;
	int64_t id;

	disk_reset((struct disk){ .fault = DISK_READ_ONLY, .at = 1 });
	s = try_open();
	assert_int_equal(store_health(s, why), STORE_DEGRADED);
	assert_true(why[0] != '\0');
	assert_int_equal(store_attempt_begin(s, &(struct store_begin){ .port = "1" }, &now, &id),
			 -EROFS);
	assert_int_equal(store_get(s, STORE_STATION, "paused", value, sizeof(value)), -EROFS);
	assert_int_equal(store_check(s, &now), 0);
	disk_reset((struct disk){ 0 });
	assert_int_equal(store_check(s, &now), 1);
	assert_int_equal(store_check(s, &now), 0);
	assert_int_equal(health_of(s), STORE_OK);
	assert_int_equal(store_interrupt_running(s, &interrupted, &now, ignore_interrupted, NULL),
			 0);
	assert_int_equal(store_attempt_begin(s, &(struct store_begin){ .port = "1" }, &now, &id),
			 0);
	close_store(s);
}

/* An opening that fails at once is retried as soon as its cause is gone. */
TEST_SET_UP(opening_that_fails_at_once_is_tried_each_time)
{
	struct store_time moment = at(0);
	struct store *s;

	disk_reset((struct disk){ .fault = DISK_EIO, .at = 1, .only = DB_FILE });
	s = try_open();
	for (int i = 0; i < 50; i++)
		(void)store_check(s, &moment);
	assert_int_equal(health_of(s), STORE_DEGRADED);
	disk_reset((struct disk){ 0 });
	assert_int_equal(store_check(s, &moment), 1);
	close_store(s);
}

/* The real thing, where we may mount: a file system of two megabytes that is filled to the last
 * byte. */
TEST_SET_UP(a_really_full_file_system)
{
	struct store_time now = at(10);
	struct store_options o = { .ballast_bytes = 512 * 1024, .floor_bytes = 1 };
	char block[4096] = { 0 };
	struct store *s;
	int64_t ids[3];
	int fd;

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("small", dir, "tmpfs", 0, "size=2m") < 0)
		skip();
	(void)open_ready(dir, &o, &s);
	for (int i = 0; i < 3; i++)
		ids[i] = begin_at(s, "1-1", "s", i);
	commit_at(s, 5);
	fd = open(in_dir(dir, "filler"), O_WRONLY | O_CREAT, 0600);
	while (write(fd, block, sizeof(block)) > 0)
		;
	(void)close(fd);
	for (int i = 0; i < 3; i++) {
		end_at(s, ids[i], &passed, 10 + i);
		commit_at(s, 20);
	}
	assert_int_equal(health_of(s), STORE_DEGRADED);
	assert_int_equal(store_check(s, &now), 0);
	assert_int_equal(store_ready(s, &now), -ENOSPC);
	store_close(s, NULL);
	fd = open(in_dir(dir, "filler2"), O_WRONLY | O_CREAT, 0600);
	while (write(fd, block, sizeof(block)) > 0)
		;
	(void)close(fd);
	s = open_store(dir, &o); /* starts without a byte free */
	assert_int_equal(health_of(s), STORE_DEGRADED);
	assert_int_equal(unlink(in_dir(dir, "filler")), 0);
	assert_int_equal(unlink(in_dir(dir, "filler2")), 0);
	(void)store_check(s, &now);
	assert_int_equal(health_of(s), STORE_OK);
	assert_int_equal(store_interrupt_running(s, &interrupted, &now, ignore_interrupted, NULL),
			 0);
	close_store(s);
	assert_station_is_whole(dir);
	/* D5: remounted read-only */
	(void)open_ready(dir, &o, &s);
	assert_int_equal(mount("small", dir, "tmpfs", MS_REMOUNT, "size=4m"), 0);
	store_close(s, NULL);
	assert_int_equal(mount("small", dir, "tmpfs", MS_REMOUNT | MS_RDONLY, "size=4m"), 0);
	s = open_store(dir, &o);
	assert_int_equal(health_of(s), STORE_DEGRADED);
	assert_int_equal(store_ready(s, &now), -EROFS);
	assert_int_equal(mount("small", dir, "tmpfs", MS_REMOUNT, "size=4m"), 0);
	assert_int_equal(store_check(s, &now), 1);
	assert_int_equal(health_of(s), STORE_OK);
	close_store(s);
	assert_int_equal(umount(dir), 0);
}

static int
register_disk(void **state)
{
	(void)state;
	disk_set_up();
	return 0;
}

TEST_MAIN(register_disk)
