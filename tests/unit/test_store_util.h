/* SPDX-License-Identifier: MIT */
/* Shared by the tests of the store: a temporary directory, times, short forms of beginnings and
 * endings. */
#ifndef TEST_STORE_UTIL_H
#define TEST_STORE_UTIL_H

#include "test.h"

#include <errno.h>
#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store.h"

#define UNUSED __attribute__((unused))
#define PATH_BYTES 512

/* 2025-01-02T03:04:05.678Z */
#define WALL_MS INT64_C(1735787045678)

static const struct store_options small_options UNUSED = { .ballast_bytes = 65536,
							   .floor_bytes = 1 };
static const struct store_ending passed UNUSED = {
	.verdict = 1,
	.verdict_name = "pass",
	.address = -1,
	.bytes_written = 243176,
	.sectors_erased = 5,
	.transfers = 400,
	.version_after = "2025.02",
	.message = "done",
	.port_count = STORE_COUNT_CLEARED,
	.drone_count = STORE_COUNT_CLEARED,
};
static const struct store_ending failed UNUSED = {
	.verdict = 5,
	.verdict_name = "fail",
	.fault = 6,
	.fault_name = "verify",
	.fault_class = 1,
	.fault_class_name = "device",
	.step = 7,
	.step_name = "verifying",
	.address = 0x08008000,
	.message = "differs",
	.port_count = STORE_COUNT_FAILED,
	.drone_count = STORE_COUNT_FAILED,
};
static const struct store_ending interrupted UNUSED = {
	.verdict = 7,
	.verdict_name = "interrupted",
	.address = -1,
	.message = "the station stopped",
};

static inline struct store_time
at(int64_t ms)
{
	return (struct store_time){ .wall_ms = WALL_MS + ms,
				    .mono_ms = 1000 + ms,
				    .boot_id = "0b00-7",
				    .synchronised = true };
}

static inline int
remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

static inline void
remove_tree(const char *path)
{
	(void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline char *
make_dir(void)
{
	static char path[PATH_BYTES];

	const char *tmp = getenv("TMPDIR");

	assert_true(snprintf(path, sizeof(path), "%.300s/cfdfu-store-XXXXXX",
			     tmp != NULL ? tmp : "/tmp") > 0);
	assert_non_null(mkdtemp(path));
	return path;
}

static inline char *
in_dir(const char *dir, const char *name)
{
	static char path[4][PATH_BYTES + 64];
	static unsigned turn;

	turn = (turn + 1) % 4;
	assert_true(snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, name) <
		    (int)sizeof(path[turn]));
	return path[turn];
}

static inline void
count_interrupted(void *ctx, const struct store_interrupted *i)
{
	(void)i;
	++*(int *)ctx;
}

static inline struct store *
open_store(const char *dir, const struct store_options *o)
{
	struct store_time now = at(0);
	char why[STORE_WHY_MAX];
	struct store *s = NULL;
	int r = store_open(dir, o, &now, &s, why);

	if (r < 0)
		print_error("store_open: %d %s\n", r, why);
	assert_int_equal(r, 0);
	return s;
}

/* Opens; what was left running is ended.  Returns how many those were. */
static inline int
open_ready(const char *dir, const struct store_options *o, struct store **ret)
{
	struct store_time now = at(1);
	int left = 0;

	*ret = open_store(dir, o);
	assert_int_equal(
	    store_interrupt_running(*ret, &interrupted, &now, count_interrupted, &left), 0);
	return left;
}

static inline void
close_store(struct store *s)
{
	struct store_time now = at(900000);

	store_close(s, &now);
}

static inline struct store_begin
drone_at(const char *port, const char *serial)
{
	return (struct store_begin){
		.port = port,
		.serial = serial,
		.platform = "cf2",
		.firmware_name = "cf2-2025.02",
		.firmware_version = "2025.02",
		.firmware_sha256 = "00112233445566778899aabbccddeeff"
				   "00112233445566778899aabbccddeeff",
		.version_before = "2024.10",
	};
}

static inline int64_t
begin_at(struct store *s, const char *port, const char *serial, int64_t ms)
{
	struct store_begin b = drone_at(port, serial);
	struct store_time now = at(ms);
	int64_t id = 0;

	assert_int_equal(store_attempt_begin(s, &b, &now, &id), 0);
	return id;
}

static inline void
end_at(struct store *s, int64_t id, const struct store_ending *e, int64_t ms)
{
	struct store_time now = at(ms);

	assert_int_equal(store_attempt_end(s, id, e, &now), 0);
}

static inline void
commit_at(struct store *s, int64_t ms)
{
	struct store_time now = at(ms);

	assert_int_equal(store_commit(s, &now), 0);
}

/* One value from the database, by a reader of our own. */
static inline const char *
ask_db(const char *dir, const char *sql)
{
	static char out[2048];
	sqlite3 *h = NULL;
	sqlite3_stmt *st = NULL;

	assert_int_equal(sqlite3_open_v2(in_dir(dir, "cfdfud.db"), &h, SQLITE_OPEN_READONLY, NULL),
			 SQLITE_OK);
	if (sqlite3_prepare_v2(h, sql, -1, &st, NULL) != SQLITE_OK)
		print_error("%s: %s\n", sql, sqlite3_errmsg(h));
	assert_non_null(st);
	out[0] = '\0';
	if (sqlite3_step(st) == SQLITE_ROW && sqlite3_column_text(st, 0) != NULL)
		copy_text(out, sizeof(out), (const char *)sqlite3_column_text(st, 0));
	assert_int_equal(sqlite3_finalize(st), SQLITE_OK);
	assert_int_equal(sqlite3_close(h), SQLITE_OK);
	return out;
}

static inline void
change_db(const char *dir, const char *sql)
{
	sqlite3 *h = NULL;

	assert_int_equal(sqlite3_open_v2(in_dir(dir, "cfdfud.db"), &h, SQLITE_OPEN_READWRITE, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(h), SQLITE_OK);
}

static inline enum store_health
health_of(const struct store *s)
{
	return store_health(s, NULL);
}

static inline int64_t
file_size(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

/* ---- a directory for each test; and an open store in it ------------------------------------- */

static char *dir UNUSED;
static struct store *store UNUSED;

static inline int
make_test_dir(void **state)
{
	(void)state;
	dir = make_dir();
	return 0;
}

static inline int
remove_test_dir(void **state)
{
	(void)state;
	remove_tree(dir);
	return 0;
}

static inline void
read_whole(const char *name, char **ret_data, size_t *ret_size)
{
	FILE *f = fopen(in_dir(dir, name), "r");

	*ret_size = (size_t)file_size(in_dir(dir, name));
	*ret_data = malloc(*ret_size);
	assert_non_null(f);
	assert_non_null(*ret_data);
	assert_int_equal(fread(*ret_data, 1, *ret_size, f), *ret_size);
	(void)fclose(f);
}

static inline void
write_whole(const char *name, const char *data, size_t size)
{
	FILE *f = fopen(in_dir(dir, name), "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

static inline int
open_test_store(void **state)
{
	(void)make_test_dir(state);
	return open_ready(dir, &small_options, &store);
}

static inline int
close_test_store(void **state)
{
	close_store(store);
	return remove_test_dir(state);
}

#endif
