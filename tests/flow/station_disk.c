/* SPDX-License-Identifier: MIT */
/*
 * The product's store on a disk that fails, takes its time or dies in the middle of a commit; and
 * what the database says, for the invariants. SQLite's files are in plain memory (memory_vfs.h),
 * the others in a directory in memory.
 */
#include "config.h"

#include "flow/station.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/clock.h"
#include "core/outcome.h"
#include "core/platform.h"
#include "firmware/digest.h"
#include "flow/memory_vfs.h"
#include "flow/station_parts.h"
#include "store/db.h"
#include "store/store.h"
#include "store/store_internal.h"

/* ---- the disk that fails ----------------------------------------------------------------- */

/* SQLite's word for what the disk does now. */
static int
failure(void)
{
	struct station *s = shell_current();

	if (s == NULL)
		return SQLITE_OK;
	if (s->dies_after > 0 && --s->dies_after == 0)
		s->died = true;
	if (s->died || s->disk_error == EIO)
		return SQLITE_IOERR_WRITE;
	if (s->disk_error == ENOSPC)
		return SQLITE_FULL;
	return s->disk_error != 0 ? SQLITE_READONLY : SQLITE_OK;
}

/* The loop stands still, the world does not. */
static void
take_time(void)
{
	struct station *s = shell_current();
	uint64_t until;

	if (s == NULL || s->dispatch == NULL)
		return;
	until = station_now_us(s) + s->options.commit_us;
	s->commit_total++;
	while (world_next_us(s->world) <= until && world_run_one(s->world))
		continue;
	world_advance(s->world, until);
}

/* ---- the directory: made once, and put back as it was for each station -------------------- */

#define AUDIT_BYTES_MAX (1 << 16)

static char folder[64], audit_path[80];
static uint8_t audit_kept[AUDIT_BYTES_MAX];
static size_t audit_size;

/*
 * WHY: opening checks everything and prepares some ninety statements, which takes longer than all
 * that a run writes. Each station begins with the same database, so the connection is kept for the
 * next one; each opening in the middle of a run is the product's.
 */
static struct db *parked;
static bool begins, ends; /* the database is the one kept; its connection may be parked */

int __wrap_db_open(const char *path, const struct db_options *o, struct db **ret_db, char *why);
void __wrap_db_close(struct db *db, bool in_trouble);
int __real_db_open(const char *path, const struct db_options *o, struct db **ret_db, char *why);
void __real_db_close(struct db *db, bool in_trouble);

int __wrap_files_put_away(struct files *f, const char *name, const char *stamp);
int __real_files_put_away(struct files *f, const char *name, const char *stamp);

int
__wrap_files_put_away(struct files *f, const char *name, const char *stamp)
{
	if (strcmp(name, DB_FILE) == 0)
		memory_vfs_remove();
	return __real_files_put_away(f, name, stamp);
}

int
__wrap_db_open(const char *path, const struct db_options *o, struct db **ret_db, char *why)
{
	bool first = begins;
	int r;

	begins = false;
	if (first && parked != NULL) {
		*ret_db = parked;
		parked = NULL;
		return 0;
	}
	r = __real_db_open(path, o, ret_db, why);
	if (r == 0 && first)
		memory_vfs_keep();
	return r;
}

void
__wrap_db_close(struct db *db, bool in_trouble)
{
	if (ends && db != NULL && parked == NULL &&
	    sqlite3_txn_state(db_handle(db), NULL) == SQLITE_TXN_NONE)
		parked = db;
	else
		__real_db_close(db, in_trouble);
}

static void
remove_folder(void)
{
	DIR *d = opendir(folder);
	const struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' && unlinkat(dirfd(d), e->d_name, 0) < 0)
			(void)unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
	(void)rmdir(folder);
}

/* Also of a program that is killed: its end closes the pipe. */
static void
have_folder_removed(void)
{
	int pipe_ends[2];
	pid_t child;
	char byte;

	if (pipe2(pipe_ends, O_CLOEXEC) < 0 || (child = fork()) < 0)
		abort();
	if (child > 0) {
		(void)close(pipe_ends[0]);
		return;
	}
	(void)setsid(); /* the terminal's signals are not for it */
	(void)close(pipe_ends[1]);
	(void)!read(pipe_ends[0], &byte, 1);
	remove_folder();
	_exit(0);
}

static void
keep_audit(void)
{
	FILE *f = fopen(audit_path, "r");

	if (f == NULL)
		abort();
	audit_size = fread(audit_kept, 1, sizeof(audit_kept), f);
	(void)fclose(f);
}

static void
put_audit_back(void)
{
	int fd = open(audit_path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || pwrite(fd, audit_kept, audit_size, 0) != (ssize_t)audit_size ||
	    ftruncate(fd, (off_t)audit_size) < 0)
		abort();
	(void)close(fd);
}

static void
open_store(struct station *s)
{
	struct store_options o = { .ballast_bytes = 4096, .floor_bytes = 1, .vfs = "station" };
	struct store_time now = clock_time(NULL);
	char why[STORE_WHY_MAX] = "";
	int r = store_open(folder, &o, &now, &s->store, why);

	if (r < 0) {
		fprintf(stderr, "%s: %s\n", folder, why);
		abort();
	}
}

/* The first time: a directory, and the files of a station that has seen nothing yet. */
static void
make_folder(struct station *s)
{
	static const struct memory_vfs_hooks hooks = { failure, take_time };
	struct store_time now = clock_time(NULL);

	memory_vfs_register("station", &hooks);
	copy_text(folder, sizeof(folder),
		  access("/dev/shm", W_OK) == 0 ? "/dev/shm/cfdfu-flow-XXXXXX"
						: "/tmp/cfdfu-flow-XXXXXX");
	if (mkdtemp(folder) == NULL)
		abort();
	have_folder_removed();
	(void)snprintf(audit_path, sizeof(audit_path), "%s/audit.jsonl", folder);
	open_store(s);
	store_close(s->store, &now);
	keep_audit();
	memory_vfs_keep();
}

void
disk_reset(struct station *s)
{
	if (folder[0] == '\0')
		make_folder(s);
	put_audit_back();
	memory_vfs_put_back();
	begins = true;
}

void
disk_open(struct station *s)
{
	s->died = false;
	s->dies_after = 0;
	s->seen_durable = UINT64_MAX;
	open_store(s);
}

void
disk_close(struct station *s, enum disk_end end)
{
	struct store_time now = clock_time(NULL);

	ends = end == DISK_LAST && s->disk_error == 0 && !s->died;
	store_close(s->store, end == DISK_STOPPED ? &now : NULL);
	s->store = NULL;
	ends = false;
}

/* ---- the database ------------------------------------------------------------------------ */

struct station_row *
disk_row(struct station *s, int64_t id)
{
	disk_look(s);
	return id > 0 && (size_t)id <= s->row_count && s->rows[id - 1].durable ? &s->rows[id - 1]
									       : NULL;
}

static bool
has_flag(const struct store_attempt *at, const char *flag)
{
	return at->flags != NULL && strstr(at->flags, flag) != NULL;
}

static void
begin_row(struct station *s, struct station_row *row, const struct store_attempt *at)
{
	memset(row, 0, sizeof(*row));
	row->id = at->id;
	row->durable = true;
	row->begun_us = shell_virtual_us(at->started_ms);
	row->flashes = strcmp(at->kind, "flash") == 0;
	copy_text(row->port, sizeof(row->port), at->port);
	row->has_image =
	    at->firmware_sha256 != NULL && digest_parse(at->firmware_sha256, row->sha256);
	for (size_t i = 0; i < s->image_count && row->has_image; i++)
		if (memcmp(image_label(s->images[i])->sha256, row->sha256, sizeof(row->sha256)) ==
		    0)
			row->image = s->images[i];
}

static void
end_row(struct station *s, struct station_row *row, const struct store_attempt *at)
{
	if (row->verdict_durable) {
		if (row->verdict.kind != verdict_by_name(at->verdict))
			station_break(s, "I7: attempt %d changed its verdict", (int)row->id);
		return;
	}
	row->verdict = (struct verdict){ .kind = verdict_by_name(at->verdict),
					 .fault = fault_by_name(at->fault),
					 .step = step_by_name(at->step),
					 .has_addr = at->address >= 0,
					 .addr = at->address >= 0 ? (uint32_t)at->address : 0 };
	row->verdict_durable = true;
	row->ended_us = shell_virtual_us(at->ended_ms);
	row->order = ++s->ending_total;
	row->endings++;
}

static void
on_attempt(void *ctx, const struct store_attempt *at)
{
	struct station *s = ctx;
	struct station_row *row;

	if (at->id > STATION_ROWS_MAX) {
		station_break(s, "more than %d rows", STATION_ROWS_MAX);
		return;
	}
	while (s->row_count < (size_t)at->id)
		memset(&s->rows[s->row_count++], 0, sizeof(*row));
	row = &s->rows[at->id - 1];
	if (!row->durable)
		begin_row(s, row, at);
	row->adopted = has_flag(at, "adopted");
	row->retry = has_flag(at, "asked-again");
	row->record.dup_serial = has_flag(at, "dup-serial");
	row->record.no_serial = has_flag(at, "no-serial");
	row->record.common = has_flag(at, "common-cause");
	copy_text(row->serial, sizeof(row->serial), at->serial);
	copy_text(row->dfu_serial, sizeof(row->dfu_serial), at->dfu_serial);
	if (at->verdict != NULL && strcmp(at->verdict, "running") != 0)
		end_row(s, row, at);
}

/* I9 */
static void
check_one_each(struct station *s)
{
	const struct station_row *a, *b;

	for (size_t i = s->first_open; i < s->row_count; i++)
		for (size_t k = i + 1; k < s->row_count; k++) {
			a = &s->rows[i];
			b = &s->rows[k];
			if (a->durable && b->durable && a->endings + b->endings == 0 &&
			    strcmp(a->port, b->port) == 0)
				station_break(s, "I9: two attempts on port %s", a->port);
		}
}

/* Rows below the oldest one that was running have not changed. */
static bool
is_known(void *ctx)
{
	struct station *s = ctx;

	return s->oldest_asked > 0 && s->oldest_asked-- == 1;
}

void
disk_look(struct station *s)
{
	struct store_filter f = { .enough = is_known };
	uint64_t durable = store_durable(s->store);

	if (durable == s->seen_durable)
		return;
	while (s->first_open < s->row_count && s->rows[s->first_open].endings > 0)
		s->first_open++;
	/* As many rows as there may be new ones, and those that were open. */
	s->oldest_asked = (unsigned)(s->row_count - s->first_open) + FLEET_SLOTS_MAX;
	if (store_history(s->store, &f, on_attempt, s) < 0)
		return;
	s->seen_durable = durable;
	check_one_each(s);
}

bool
disk_is_seen(const struct station *s)
{
	return s->seen_durable == store_durable(s->store);
}

/* ---- the operator's side of it ----------------------------------------------------------- */

void
station_disk(struct station *s, int error)
{
	s->disk_error = error;
}

void
station_damage(struct station *s)
{
	db_set_damage(s->store->files.db, "it is a scene");
}

bool
station_is_importing(const struct station *s)
{
	return s->store->files.import != NULL;
}

/* As app/records_walk.c, which has a timer of the loop, when the database is made again. */
static bool
is_one_of_some(void *ctx)
{
	return --*(unsigned *)ctx > 0;
}

void
disk_go_on(struct station *s)
{
	struct store_time now = clock_time(NULL);
	unsigned lines = 20;

	if (s->store->files.import != NULL)
		(void)!store_walk(s->store, &now, is_one_of_some, &lines);
}

void
station_disk_slow(struct station *s, uint32_t commit_us)
{
	s->options.commit_us = commit_us;
}

size_t
station_rows(struct station *s)
{
	disk_look(s);
	return s->row_count;
}

const struct station_row *
station_row(const struct station *s, size_t i)
{
	return &s->rows[i];
}

const struct station_row *
station_last(struct station *s, const char *port)
{
	for (size_t i = station_rows(s); i-- > 0;)
		if (s->rows[i].durable && strcmp(s->rows[i].port, port) == 0)
			return &s->rows[i];
	return NULL;
}
