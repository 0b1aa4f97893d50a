/* SPDX-License-Identifier: MIT */
/*
 * How fast is the store with many attempts?  bench_store DIRECTORY [ATTEMPTS]: fills the directory
 * (kept, and used again when it is already full), then prints for each question the median and the
 * worst of 21 runs, and the processor time of one, in milliseconds; then for some of them the time
 * of one page when the database is not in the system's memory.
 */
#include "config.h"

#include "store/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cfdfu/system.h"

#define DAY_MS INT64_C(86400000)
#define START_MS INT64_C(1735787045678)
#define ATTEMPTS_PER_COMMIT 500
#define GAP_MS 30000
#define RUNS 21

static double
now_ms(void)
{
	return (double)clock_us(CLOCK_MONOTONIC) / 1e3;
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct store_time
moment(int64_t ms)
{
	return (struct store_time){ .wall_ms = START_MS + ms,
				    .mono_ms = ms,
				    .boot_id = "8f14e45f-ceea-467f-a0e6-1f1b3f5c7d21",
				    .synchronised = true };
}

static int
require(int r, const char *what)
{
	if (r < 0) {
		(void)fprintf(stderr, "%s: %s\n", what, strerror(-r));
		exit(1);
	}
	return r;
}

/* Like a station's life: 120 ports, 200 drones, one failure in fifty, the clock set back once a
 * year or so. */
static void
add(struct store *s, int64_t i)
{
	static const struct store_stage stages[] = {
		{ "asking", 120 },    { "rebooting", 900 }, { "probing", 80 },
		{ "comparing", 300 }, { "erasing", 3100 },  { "writing", 5200 },
		{ "verifying", 400 }, { "first-page", 60 }, { "leaving", 40 },
		{ "booting", 2100 },  { "confirming", 90 },
	};
	bool bad = i % 50 == 49;
	struct store_ending e = {
		.verdict = bad ? 5 : 1,
		.verdict_name = bad ? "fail" : "pass",
		.fault = bad ? 6 : 0,
		.fault_name = bad ? "verify" : NULL,
		.fault_class = bad,
		.fault_class_name = bad ? "device" : NULL,
		.step = bad ? 7 : 0,
		.step_name = bad ? "verifying" : NULL,
		.address = bad ? 0x08010000 : -1,
		.bytes_written = 243176,
		.sectors_erased = 6,
		.transfers = 900,
		.version_after = "2025.02",
		.message = bad ? "Read back different at 0x08010000. Try again; if it fails again, "
				 "the flash is worn."
			       : NULL,
		.stages = stages,
		.stage_count = ARRAY_LEN(stages),
		.port_count = bad ? STORE_COUNT_FAILED : STORE_COUNT_CLEARED,
		.drone_count = bad ? STORE_COUNT_FAILED : STORE_COUNT_CLEARED,
	};
	char port[32], serial[32], dfu[32], name[32];
	struct store_begin b = {
		.port = port,
		.serial = serial,
		.dfu_serial = dfu,
		.platform = "cf2",
		.firmware_name = name,
		.firmware_version = "2025.02",
		.version_before = "2024.10",
		.firmware_sha256 =
		    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
	};
	int64_t at = i * GAP_MS - (i > 500000 ? DAY_MS : 0), id = 0;
	struct store_time now = moment(at), later = moment(at + 13000);

	(void)snprintf(port, sizeof(port), "3-2.%d.%d", (int)(i % 120 / 7), (int)(i % 7));
	(void)snprintf(serial, sizeof(serial), "3300250B4353501020323%03d", (int)(i % 200));
	(void)snprintf(dfu, sizeof(dfu), "356A3857%04d", (int)(i % 200));
	(void)snprintf(name, sizeof(name), "cf2-2025.%02d", (int)(i / 100000));
	require(store_attempt_begin(s, &b, &now, &id), "begin");
	require(store_attempt_end(s, id, &e, &later), "end");
	if (i % ATTEMPTS_PER_COMMIT == ATTEMPTS_PER_COMMIT - 1)
		require(store_commit(s, &later), "commit");
}

static void
count_row(void *ctx, const struct store_attempt *a)
{
	*(int64_t *)ctx = a->id;
}

static void
ignore_interrupted(void *ctx, const struct store_interrupted *i)
{
	(void)ctx;
	(void)i;
}

/* As GetHistory asks: what is not found within some milliseconds is on the next page. */
enum { PAGE_MS = 10 };

struct page {
	int64_t last;
	double start;
};

static void
on_page_row(void *ctx, const struct store_attempt *a)
{
	struct page *p = ctx;

	p->last = a->id;
}

static bool
is_long_enough(void *ctx)
{
	const struct page *p = ctx;

	return now_ms() - p->start >= PAGE_MS;
}

/* The database's pages out of the system's memory; those that are not written stay. */
static void
forget(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED); /* WHY: an advice only */
	(void)close(fd);
}

/* One page of an answer, the database closed and forgotten before: prints the time it takes. */
static void
measure_cold(const char *dir, const char *what, struct store_filter f)
{
	static const struct store_options small = { .floor_bytes = 1 };
	struct store_time now = moment(0);
	char why[STORE_WHY_MAX], file[512];
	struct store *s = NULL;
	struct page p = { 0 };
	int64_t next = 0;
	double took;
	int rows;

	require(store_open(dir, &small, &now, &s, why), "open");
	(void)snprintf(file, sizeof(file), "%s/cfdfud.db", dir);
	forget(file);
	f.enough = is_long_enough;
	f.ret_next = &next;
	p.start = now_ms();
	rows = require(store_history(s, &f, on_page_row, &p), what);
	took = now_ms() - p.start;
	(void)printf("%-44s %5d rows  cold   %7.2f%s\n", what, rows, took,
		     next != 0 && rows < (int)f.limit ? "  (and a next page)" : "");
	store_close(s, &now);
}

static void
measure_all_cold(const char *dir)
{
	measure_cold(dir, "newest 50", (struct store_filter){ .limit = 50 });
	measure_cold(dir, "newest 500", (struct store_filter){ .limit = 500 });
	measure_cold(dir, "one serial, 500",
		     (struct store_filter){ .limit = 500, .serial = "3300250B4353501020323017" });
	measure_cold(dir, "one slot, failed, none found",
		     (struct store_filter){ .limit = 500, .slot = "3-2.3.1", .verdict = "fail" });
	measure_cold(dir, "one drone, a verdict it never had",
		     (struct store_filter){ .limit = 500,
					    .serial = "3300250B4353501020323017",
					    .verdict = "skipped" });
	measure_cold(dir, "one drone on one slot, 500",
		     (struct store_filter){
			 .limit = 500, .serial = "3300250B4353501020323017", .slot = "3-2.3.1" });
}

static void
measure(struct store *s, const char *what, const struct store_filter *f)
{
	double took[RUNS], processor = (double)clock_us(CLOCK_PROCESS_CPUTIME_ID) / 1e3;
	int64_t last = 0;
	int rows = 0;

	for (int i = 0; i < RUNS; i++) {
		double start = now_ms();

		rows = require(store_history(s, f, count_row, &last), what);
		took[i] = now_ms() - start;
	}
	processor = (double)clock_us(CLOCK_PROCESS_CPUTIME_ID) / 1e3 - processor;
	qsort(took, RUNS, sizeof(took[0]), by_value);
	(void)printf("%-44s %5d rows  median %7.2f  worst %7.2f  processor %7.2f\n", what, rows,
		     took[RUNS / 2], took[RUNS - 1], processor / RUNS);
}

static void
measure_history(struct store *s, int64_t n)
{
	int64_t middle = START_MS + n / 2 * GAP_MS;

	measure(s, "newest 20", &(struct store_filter){ .limit = 20 });
	measure(s, "newest 1000", &(struct store_filter){ 0 });
	measure(s, "page of 100 from the middle",
		&(struct store_filter){ .limit = 100, .before_id = n / 2 });
	measure(s, "one drone, 20",
		&(struct store_filter){ .limit = 20, .serial = "3300250b4353501020323017" });
	measure(s, "one drone by DFU serial, 1000",
		&(struct store_filter){ .serial = "356A38570017" });
	measure(s, "one drone, failed",
		&(struct store_filter){ .serial = "3300250B4353501020323049", .verdict = "fail" });
	measure(
	    s, "one drone, a verdict it never had",
	    &(struct store_filter){ .serial = "3300250B4353501020323017", .verdict = "skipped" });
	measure(s, "one slot, 20", &(struct store_filter){ .limit = 20, .slot = "3-2.3.1" });
	measure(s, "one slot, failed",
		&(struct store_filter){ .slot = "3-2.3.1", .verdict = "fail" });
	measure(s, "an unknown slot", &(struct store_filter){ .slot = "nowhere" });
	measure(s, "failed, 1000", &(struct store_filter){ .verdict = "fail" });
	measure(s, "a verdict no drone had", &(struct store_filter){ .verdict = "skipped" });
	measure(s, "running", &(struct store_filter){ .verdict = "running" });
	measure(s, "since an hour before the end",
		&(struct store_filter){ .since_ms = START_MS + n * GAP_MS - DAY_MS - 3600000 });
	measure(s, "one day in the middle",
		&(struct store_filter){ .since_ms = middle, .until_ms = middle + DAY_MS });
	measure(s, "until the middle", &(struct store_filter){ .until_ms = middle });
	measure(s, "the first hour", &(struct store_filter){ .until_ms = START_MS + 3600000 });
	measure(s, "failed, until the middle",
		&(struct store_filter){ .until_ms = middle, .verdict = "fail", .limit = 100 });
	measure(s, "one drone, until the middle",
		&(struct store_filter){ .until_ms = middle, .serial = "3300250B4353501020323017" });
}

/* The commits of a station at work: one beginning, one ending. */
static void
measure_commits(struct store *s, int64_t n)
{
	double start = now_ms(), took;

	for (int64_t i = 0; i < 50; i++) {
		struct store_time now = moment((n + i) * GAP_MS);
		int64_t id = 0;

		require(
		    store_attempt_begin(
			s, &(struct store_begin){ .port = "1-1", .serial = "bench" }, &now, &id),
		    "begin");
		require(store_commit(s, &now), "commit");
		require(store_attempt_end(
			    s, id,
			    &(struct store_ending){ .verdict_name = "skipped", .address = -1 },
			    &now),
			"end");
		require(store_commit(s, &now), "commit");
	}
	took = now_ms() - start;
	(void)printf("%-52s %19.2f ms\n", "one attempt, two durable commits (mean of 50)",
		     took / 50);
}

static int64_t
size_of(const char *dir, const char *name)
{
	char path[512];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

static struct store *
open_timed(const char *dir, const char *what)
{
	static const struct store_options small = { .floor_bytes = 1 };
	char why[STORE_WHY_MAX];
	struct store_time now = moment(0);
	struct store *s = NULL;
	double start = now_ms();

	if (store_open(dir, &small, &now, &s, why) < 0) {
		(void)fprintf(stderr, "%s: %s\n", dir, why);
		exit(1);
	}
	(void)printf("%-52s %19.2f ms\n", what, now_ms() - start);
	require(store_interrupt_running(
		    s, &(struct store_ending){ .verdict_name = "interrupted", .address = -1 }, &now,
		    ignore_interrupted, NULL),
		"interrupt");
	return s;
}

int
main(int argc, char **argv)
{
	int64_t n = argc > 2 ? strtoll(argv[2], NULL, 10) : 1000000, have = 0;
	struct store_time now = moment(n * GAP_MS);
	struct store *s;
	double start;

	if (argc < 2 || n < 1000) {
		(void)fprintf(stderr, "usage: bench_store DIRECTORY [ATTEMPTS]\n");
		return 2;
	}
	s = open_timed(argv[1], "open");
	require(store_history(s, &(struct store_filter){ .limit = 1 }, count_row, &have),
		"history");
	start = now_ms();
	for (int64_t i = have; i < n; i++)
		add(s, i);
	require(store_commit(s, &now), "commit");
	if (have < n)
		(void)printf("%-52s %19.2f us\n", "one attempt, 500 to a commit",
			     (now_ms() - start) * 1e3 / (double)(n - have));
	store_close(s, NULL);
	s = open_timed(argv[1], "open after a kill");
	store_close(s, &now);
	s = open_timed(argv[1], "open after a stop");
	measure_history(s, n);
	measure_commits(s, n);
	store_close(s, &now);
	measure_all_cold(argv[1]);
	(void)printf("database %lld MB, audit file %lld MB\n",
		     (long long)(size_of(argv[1], "cfdfud.db") / 1000000),
		     (long long)(size_of(argv[1], "audit.jsonl") / 1000000));
	return 0;
}
