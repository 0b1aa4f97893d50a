/* SPDX-License-Identifier: MIT */
/*
 * The store on a disk that fails at the n-th operation, for every n: errors, full, read-only, process killed, power cut.
 * Whatever happens, what was announced is on disk, and afterwards both files are whole (robustness notes D, I6, I7, I12).
 */
#include "test_store_disk.h"
#include "test_store_whole.h"

#include <assert.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#define ATTEMPTS 6
#define OPERATIONS_MAX 4000 /* LIMIT: the work below needs a few hundred */

static const struct store_options on_unsafe = { .ballast_bytes = 65536, .floor_bytes = 1, .vfs = "unsafe" };
static char *dir;

/* What the outside world was told: bit 0 begun, bit 1 ended, by attempt's id. */
static unsigned char told[64];

static int
set_up(void **state)
{
	(void)state;
	disk_reset((struct disk){ 0 });
	memset(told, 0, sizeof(told));
	dir = make_dir();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	disk_reset((struct disk){ 0 });
	remove_tree(dir);
	return 0;
}

/* Sent to the parent at once: the process may not live for long. */
static void
announce(int pipefd, int64_t id, unsigned char what)
{
	unsigned char message[2] = { (unsigned char)id, what };

	if (pipefd >= 0)
		assert(write(pipefd, message, 2) == 2);
	else
		told[id] |= what;
}

/* One attempt whose every step may fail; what is committed is announced. */
static void
try_attempt(struct store *s, int pipefd, int number)
{
	struct store_begin b = drone_at(number % 2 == 0 ? "1-1" : "1-2", number % 3 == 0 ? "s0" : "s1");
	struct store_ending e = number % 3 == 2 ? failed : passed;
	struct store_stage stage = { "writing", 17 };
	struct store_time now = at(number * 100);
	int64_t id;
	bool begun;

	e.stages = &stage;
	e.stage_count = 1;
	if (store_attempt_begin(s, &b, &now, &id) < 0)
		return;
	begun = store_commit(s, &now) == 0;
	if (begun)
		announce(pipefd, id, 1);
	now = at(number * 100 + 50);
	assert(store_attempt_end(s, id, &e, &now) == 0);
	if (store_commit(s, &now) == 0)
		announce(pipefd, id, 3);
	assert(store_attempt_end(s, id, &e, &now) == -EALREADY);
}

static void
ignore_interrupted(void *ctx, const struct store_interrupted *i)
{
	(void)ctx;
	(void)i;
}

static void
try_work(struct store *s, int pipefd)
{
	struct store_time now = at(3);

	(void)!store_interrupt_running(s, &interrupted, &now, ignore_interrupted, NULL);
	(void)!store_firmware_add(s, &(struct store_firmware){ .name = "f", .sha256 = "00", .file = "00" }, &now);
	(void)!store_set(s, STORE_SELECTED, "cf2", "f", &now);
	(void)!store_drone_note(s, &(struct store_drone_facts){ .serial = "s1", .dfu_serial = "d1" }, &now);
	for (int i = 0; i < ATTEMPTS; i++) {
		try_attempt(s, pipefd, i);
		if (i % 3 == 2)
			(void)store_check(s, &now);
	}
}

static struct store *
try_open(void)
{
	struct store_time now = at(0);
	struct store *s = NULL;
	char why[STORE_WHY_MAX];
	int r = store_open(dir, &on_unsafe, &now, &s, why);

	if (r < 0)
		print_error("store_open: %d %s\n", r, why);
	assert_int_equal(r, 0); /* a sick disk gives a store that says so */
	return s;
}

static void
assert_told_is_true(void)
{
	char sql[128];

	for (int id = 1; id < 64; id++) {
		if (told[id] == 0)
			continue;
		(void)snprintf(sql, sizeof(sql), "SELECT ifnull(verdict, 'none') FROM attempts WHERE id = %d", id);
		if (told[id] == 3) {
			const char *verdict = ask_db(dir, sql);

			assert_true(strcmp(verdict, "pass") == 0 || strcmp(verdict, "fail") == 0);
		} else { /* which ending is open: it may be on disk though nobody was told */
			assert_string_not_equal(ask_db(dir, sql), "");
			assert_string_not_equal(ask_db(dir, sql), "none");
		}
	}
}

/* Announced endings are in both records of truth, so in the audit file alone, too. */
static void
assert_told_is_in_audit_file(void)
{
	static char text[1 << 20];
	char wanted[64];
	int fd = open(in_dir(dir, AUDIT_FILE), O_RDONLY);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;

	assert_in_range(n, 0, sizeof(text) - 2);
	for (ssize_t i = 0; i < n; i++)
		if (text[i] == '\0')
			text[i] = '?'; /* a hole that a power cut left */
	text[n] = '\0';
	for (int id = 1; id < 64; id++) {
		const char *at_line = text;

		(void)snprintf(wanted, sizeof(wanted), "\"body\":{\"id\":%d,", id);
		for (int bit = 1; bit <= 2; bit++) /* the beginning, then the ending */
			if ((told[id] & bit) != 0) {
				at_line = strstr(at_line, wanted);
				assert_non_null(at_line++);
			}
	}
	if (fd >= 0)
		(void)close(fd);
}

/* The next daemon, on a disk that is well. */
static void
assert_next_daemon_is_happy(void)
{
	struct store *s;

	disk_reset((struct disk){ 0 });
	assert_told_is_in_audit_file();
	(void)open_ready(dir, &on_unsafe, &s);
	assert_true(health_of(s) != STORE_DEGRADED);
	end_at(s, begin_at(s, "1-9", "s9", 90000), &passed, 90001);
	commit_at(s, 90002);
	close_store(s);
	assert_told_is_true();
	assert_station_is_whole(dir);
}

/* Every operation takes minutes: asked for by CFDFU_STORE_SWEEP=full, else every ninth or so. */
static unsigned long
stride(unsigned long step)
{
	const char *how = getenv("CFDFU_STORE_SWEEP");

	return how != NULL && strcmp(how, "full") == 0 ? step : 9 * step + 2;
}

/* Runs the work in a process that dies at operation n.  False when it came to its end. */
static bool
dies_at(struct disk d)
{
	unsigned char message[2];
	int pipes[2], status;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (pid == 0) {
		struct store *s;

		disk_reset(d);
		for (int life = 0; life < 2; life++) {
			s = try_open();
			try_work(s, pipes[1]);
			close_store(s);
		}
		_exit(0);
	}
	(void)close(pipes[1]);
	while (read(pipes[0], message, 2) == 2)
		told[message[0]] |= message[1];
	(void)close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 77 || WEXITSTATUS(status) == 0));
	return WEXITSTATUS(status) == 77;
}

static void
sweep_deaths(struct disk d, unsigned long step)
{
	bool died = true;

	for (d.at = 1; died && d.at < OPERATIONS_MAX; d.at += stride(step)) {
		died = dies_at(d);
		assert_next_daemon_is_happy();
		assert_int_equal(tear_down(NULL), 0);
		assert_int_equal(set_up(NULL), 0);
	}
	assert_false(died);
}

static void
killed_at_every_operation_nothing_announced_is_lost(void **state)
{
	(void)state;
	sweep_deaths((struct disk){ .fault = DISK_KILL }, 1);
}

static void
power_cut_at_every_operation_nothing_announced_is_lost(void **state)
{
	(void)state;
	sweep_deaths((struct disk){ .fault = DISK_POWER_CUT }, 1);
}

static void
power_cut_with_some_writes_surviving_nothing_announced_is_lost(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 3; seed++)
		sweep_deaths((struct disk){ .fault = DISK_POWER_CUT, .seed = seed }, 2);
}

/* Fails from operation n on (count times, or until the work is done), then the disk is well again. */
static bool
fails_at(struct disk d)
{
	struct store_time now;
	struct store *s;
	bool reached;

	disk_reset(d);
	s = try_open();
	try_work(s, -1);
	reached = disk.ops >= d.at;
	disk.fault = DISK_FINE;
	for (int i = 0; i < 3; i++) {
		now = at(10000 + 60000 * i);
		(void)store_check(s, &now);
		(void)!store_interrupt_running(s, &interrupted, &now, ignore_interrupted, NULL);
	}
	assert_true(health_of(s) != STORE_DEGRADED);
	assert_true(store_durable(s) == store_queued(s));
	assert_int_equal(store_ready(s, &now), 0);
	try_attempt(s, -1, 60);
	assert_true(store_durable(s) == store_queued(s));
	store_close(s, NULL);
	disk_lose_unsynced();
	return reached;
}

static void
sweep_faults(struct disk d, unsigned long step)
{
	bool reached = true;

	for (d.at = 1; reached && d.at < OPERATIONS_MAX; d.at += stride(step)) {
		reached = fails_at(d);
		assert_next_daemon_is_happy();
		assert_int_equal(tear_down(NULL), 0);
		assert_int_equal(set_up(NULL), 0);
	}
	assert_false(reached);
}

static void
an_error_at_every_operation_is_survived(void **state)
{
	(void)state;
	sweep_faults((struct disk){ .fault = DISK_EIO, .count = 1 }, 1);
	sweep_faults((struct disk){ .fault = DISK_EIO, .count = 1, .lies = true }, 1);
	sweep_faults((struct disk){ .fault = DISK_EIO, .count = 3, .lies = true }, 3);
}

static void
a_disk_that_fails_for_long_is_survived(void **state)
{
	(void)state;
	sweep_faults((struct disk){ .fault = DISK_EIO }, 2);
}

static void
an_error_at_every_read_is_survived(void **state)
{
	(void)state;
	sweep_faults((struct disk){ .fault = DISK_EIO, .count = 1, .reads = true }, 3);
}

static void
a_full_disk_at_every_operation_is_survived(void **state)
{
	(void)state;
	sweep_faults((struct disk){ .fault = DISK_FULL, .count = 1 }, 1);
	sweep_faults((struct disk){ .fault = DISK_FULL }, 2);
	sweep_faults((struct disk){ .fault = DISK_FULL, .ballast_helps = true }, 1);
}

static void
a_disk_that_turns_read_only_is_survived(void **state)
{
	(void)state;
	sweep_faults((struct disk){ .fault = DISK_READ_ONLY }, 2);
}

/* D3 */
static void
the_ballast_pays_for_the_endings_and_then_nothing_begins(void **state)
{
	struct store_time now = at(10);
	char why[STORE_WHY_MAX];
	struct store *s;
	int64_t id, other;

	(void)state;
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
	assert_int_equal(store_attempt_begin(s, &(struct store_begin){ .port = "1-1" }, &now, &other), -ENOSPC);
	disk_reset((struct disk){ 0 });
	assert_int_equal(store_check(s, &now), 0);
	assert_int_equal(file_size(in_dir(dir, "ballast")), 65536);
	assert_int_equal(store_ready(s, &now), 0);
	close_store(s);
	assert_station_is_whole(dir);
}

/* D2 */
static void
under_the_floor_no_attempt_begins(void **state)
{
	struct store_options o = small_options;
	struct store_time now = at(1);
	char why[STORE_WHY_MAX];
	struct store *s;

	(void)state;
	o.floor_bytes = UINT64_C(1) << 60;
	(void)open_ready(dir, &o, &s);
	assert_int_equal(store_ready(s, &now), -ENOSPC);
	assert_int_equal(store_health(s, why), STORE_DEGRADED);
	assert_non_null(strstr(why, "less free space"));
	close_store(s);
}

/* D8 */
static void
a_moved_database_is_noticed_at_the_ending_and_by_the_check(void **state)
{
	struct store_time now = at(10);
	struct store *s;
	int64_t id;

	(void)state;
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
static void
a_foreign_lock_delays_but_does_not_block(void **state)
{
	struct store_time now = at(10);
	char why[STORE_WHY_MAX];
	struct store *s;
	sqlite3 *other;
	int64_t id;

	(void)state;
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
static void
a_reader_that_stays_lets_the_log_grow_and_is_reported(void **state)
{
	struct store_options o = small_options;
	struct store_time now = at(10);
	char why[STORE_WHY_MAX];
	sqlite3_stmt *st;
	struct store *s;
	sqlite3 *other;

	(void)state;
	o.wal_alarm_bytes = 300000;
	(void)open_ready(dir, &o, &s);
	assert_int_equal(sqlite3_open(in_dir(dir, DB_FILE), &other), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(other, "SELECT * FROM record", -1, &st, NULL), SQLITE_OK);
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
static void
a_store_that_starts_degraded_comes_up_later(void **state)
{
	struct store_time now = at(10);
	char why[STORE_WHY_MAX], value[8];
	struct store *s;
	int64_t id;

	(void)state;
	disk_reset((struct disk){ .fault = DISK_READ_ONLY, .at = 1 });
	s = try_open();
	assert_int_equal(store_health(s, why), STORE_DEGRADED);
	assert_true(why[0] != '\0');
	assert_int_equal(store_attempt_begin(s, &(struct store_begin){ .port = "1" }, &now, &id), -EROFS);
	assert_int_equal(store_get(s, STORE_STATION, "paused", value, sizeof(value)), -EROFS);
	assert_int_equal(store_check(s, &now), 0);
	disk_reset((struct disk){ 0 });
	assert_int_equal(store_check(s, &now), 1);
	assert_int_equal(store_check(s, &now), 0);
	assert_int_equal(health_of(s), STORE_OK);
	assert_int_equal(store_interrupt_running(s, &interrupted, &now, ignore_interrupted, NULL), 0);
	assert_int_equal(store_attempt_begin(s, &(struct store_begin){ .port = "1" }, &now, &id), 0);
	close_store(s);
}

/* The real thing, where we may mount: a file system of two megabytes that is filled to the last byte. */
static void
a_really_full_file_system(void **state)
{
	struct store_time now = at(10);
	struct store_options o = { .ballast_bytes = 512 * 1024, .floor_bytes = 1 };
	char block[4096] = { 0 };
	struct store *s;
	int64_t ids[3];
	int fd;

	(void)state;
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
	assert_int_equal(store_interrupt_running(s, &interrupted, &now, ignore_interrupted, NULL), 0);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		T(killed_at_every_operation_nothing_announced_is_lost),
		T(power_cut_at_every_operation_nothing_announced_is_lost),
		T(power_cut_with_some_writes_surviving_nothing_announced_is_lost),
		T(an_error_at_every_operation_is_survived),
		T(a_disk_that_fails_for_long_is_survived),
		T(an_error_at_every_read_is_survived),
		T(a_full_disk_at_every_operation_is_survived),
		T(a_disk_that_turns_read_only_is_survived),
		T(the_ballast_pays_for_the_endings_and_then_nothing_begins),
		T(under_the_floor_no_attempt_begins),
		T(a_moved_database_is_noticed_at_the_ending_and_by_the_check),
		T(a_foreign_lock_delays_but_does_not_block),
		T(a_reader_that_stays_lets_the_log_grow_and_is_reported),
		T(a_store_that_starts_degraded_comes_up_later),
		T(a_really_full_file_system),
	};

	return cmocka_run_group_tests(tests, register_disk, NULL);
}
