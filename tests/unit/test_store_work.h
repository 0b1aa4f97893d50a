/* SPDX-License-Identifier: MIT */
/*
 * A station's work in short, every call of which may fail, and what must hold afterwards: what was
 * announced is in both files, and the next daemon finds everything whole.
 */
#ifndef TEST_STORE_WORK_H
#define TEST_STORE_WORK_H

#include <assert.h>

#include "store/batch.h"
#include "test_store_disk.h"
#include "test_store_whole.h"

#define ATTEMPTS 6

static const struct store_options on_unsafe UNUSED = { .ballast_bytes = 65536,
						       .floor_bytes = 1,
						       .vfs = "unsafe" };

/* The announcements so far: bit 0 begun, bit 1 ended, by attempt's id. */
static unsigned char told[64];

static inline int
set_up(void **state)
{
	disk_reset((struct disk){ 0 });
	memset(told, 0, sizeof(told));
	return make_test_dir(state);
}

static inline int
tear_down(void **state)
{
	disk_reset((struct disk){ 0 });
	return remove_test_dir(state);
}

/* Sent to the parent at once: the process may not live for long. */
static inline void
announce(int pipefd, int64_t id, unsigned char what)
{
	unsigned char message[2] = { (unsigned char)id, what };

	if (pipefd >= 0)
		assert(write(pipefd, message, 2) == 2);
	else
		told[id] |= what;
}

/* One attempt whose every step may fail; what is committed is announced. */
static inline void
try_attempt(struct store *s, int pipefd, int number, int64_t batch)
{
	struct store_begin b =
	    drone_at(number % 2 == 0 ? "1-1" : "1-2", number % 3 == 0 ? "s0" : "s1");
	struct store_ending e = number % 3 == 2 ? failed : passed;
	struct store_stage stage = { "writing", 17 };
	struct store_time now = at(number * 100);
	int64_t id;
	bool begun;

	b.batch = batch;
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
	if (number % 3 == 0) {
		(void)!store_attempt_condition(s, id, "{\"ready\":\"yes\"}", &now);
		(void)!store_commit(s, &now);
	}
}

static inline void
ignore_interrupted(void *ctx, const struct store_interrupted *i)
{
	(void)ctx;
	(void)i;
}

static inline void
try_work(struct store *s, int pipefd)
{
	struct store_batch b = { .name = "spring", .started_by = "me", .expect = 25 };
	struct store_time now = at(3);
	int64_t batch = 0;

	(void)!store_interrupt_running(s, &interrupted, &now, ignore_interrupted, NULL);
	(void)!store_firmware_add(
	    s, &(struct store_firmware){ .name = "f", .sha256 = "00", .file = "00" }, &now);
	(void)!store_set(s, STORE_SELECTED, "cf2", "f", &now);
	(void)!store_drone_note(
	    s, &(struct store_drone_facts){ .serial = "s1", .dfu_serial = "d1" }, &now);
	if (store_batch_begin(s, &b, &now, &batch) == 0)
		(void)!store_commit(s, &now);
	for (int i = 0; i < ATTEMPTS; i++) {
		try_attempt(s, pipefd, i, batch);
		if (i % 3 == 2)
			(void)store_check(s, &now);
		if (batch > 0 && i >= 2 && i <= 3) /* stopped, and then resumed */
			(void)!store_batch_stop(s, batch, i == 2 ? "It failed." : NULL, &now);
	}
	if (batch > 0 && store_batch_end(s, batch, &now) == 0)
		(void)!store_commit(s, &now);
}

static inline struct store *
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

static inline void
assert_told_is_true(const char *where)
{
	char sql[128];

	for (int id = 1; id < 64; id++) {
		if (told[id] == 0)
			continue;
		(void)snprintf(sql, sizeof(sql),
			       "SELECT ifnull(verdict, 'none') FROM attempts WHERE id = %d", id);
		if (told[id] == 3) {
			const char *verdict = ask_db(where, sql);

			assert_true(strcmp(verdict, "pass") == 0 || strcmp(verdict, "fail") == 0);
		} else { /* the ending is open: it may be on disk though not announced */
			assert_string_not_equal(ask_db(where, sql), "");
		}
	}
}

static inline void
copy_file(const char *from, const char *to)
{
	static char text[1 << 20];
	FILE *in = fopen(from, "r"), *out = fopen(to, "w");
	size_t n = in != NULL ? fread(text, 1, sizeof(text), in) : 0;

	assert_non_null(out);
	assert_int_equal(fwrite(text, 1, n, out), n);
	assert_int_equal(fclose(out), 0);
	if (in != NULL)
		(void)fclose(in);
	else
		assert_int_equal(unlink(to), 0);
}

/* Announced endings are in both records of truth: here the database, alone. */
static inline void
assert_told_is_in_database_file(void)
{
	char alone[PATH_BYTES + 64];

	strcpy(alone, in_dir(dir, "alone"));
	assert_int_equal(mkdir(alone, 0700), 0);
	copy_file(in_dir(dir, DB_FILE), in_dir(alone, DB_FILE));
	copy_file(in_dir(dir, DB_FILE "-wal"), in_dir(alone, DB_FILE "-wal"));
	assert_told_is_true(alone);
}

/* And here the audit file. */
static inline void
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
static inline void
assert_next_daemon_is_happy(void)
{
	struct store *s;

	disk_reset((struct disk){ 0 });
	assert_told_is_in_database_file();
	assert_told_is_in_audit_file();
	(void)open_ready(dir, &on_unsafe, &s);
	assert_true(health_of(s) != STORE_DEGRADED);
	end_at(s, begin_at(s, "1-9", "s9", 90000), &passed, 90001);
	commit_at(s, 90002);
	close_store(s);
	assert_told_is_true(dir);
	assert_station_is_whole(dir);
}

#endif
