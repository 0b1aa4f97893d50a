/* SPDX-License-Identifier: MIT */
/*
 * The product's store, on a file system in memory, under an SQLite VFS that fails, takes its time
 * or dies in the middle of a commit; and what the database says, for the invariants.
 */
#include "config.h"

#include "flow/station.h"

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
#include "flow/station_parts.h"
#include "store/store.h"

/* ---- the VFS ----------------------------------------------------------------------------- */

static sqlite3_vfs vfs, *base;
static sqlite3_io_methods methods, wal_methods;
static const sqlite3_io_methods *real_methods;

/* SQLite's word for what the disk does now. */
static int
failure(struct station *s)
{
	if (s->dies_after > 0 && --s->dies_after == 0)
		s->died = true;
	if (s->died || s->disk_error == EIO)
		return SQLITE_IOERR_WRITE;
	if (s->disk_error == ENOSPC)
		return SQLITE_FULL;
	return s->disk_error != 0 ? SQLITE_READONLY : SQLITE_OK;
}

static int
on_write(sqlite3_file *f, const void *data, int size, sqlite3_int64 at)
{
	int e = failure(shell_current());

	return e != SQLITE_OK ? e : real_methods->xWrite(f, data, size, at);
}

static int
on_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	int e = failure(shell_current());

	return e != SQLITE_OK ? e : real_methods->xTruncate(f, size);
}

/* The loop stands still, the world does not. */
static void
take_time(struct station *s)
{
	uint64_t until = station_now_us(s) + s->options.commit_us;

	if (s->dispatch == NULL)
		return;
	s->commit_total++;
	while (world_next_us(s->world) <= until && world_run_one(s->world))
		continue;
	world_advance(s->world, until);
}

static int
on_sync(sqlite3_file *f, int flags)
{
	(void)f;
	(void)flags;
	return failure(shell_current()); /* WHY: memory needs no sync */
}

static int
on_wal_sync(sqlite3_file *f, int flags)
{
	take_time(shell_current());
	return on_sync(f, flags);
}

static int
on_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
	int e = base->xOpen(base, name, f, flags, ret_flags);
	sqlite3_io_methods *of;

	(void)v;
	if (e != SQLITE_OK || f->pMethods == NULL)
		return e;
	/* WHY two: SQLite locks databases alone, by a table of their own. */
	of = (flags & SQLITE_OPEN_MAIN_DB) != 0 ? &methods : &wal_methods;
	real_methods = f->pMethods;
	*of = *real_methods;
	of->xWrite = on_write;
	of->xTruncate = on_truncate;
	of->xSync = of == &methods ? on_sync : on_wal_sync;
	f->pMethods = of;
	return e;
}

/* ---- the directory: made once, and put back as it was for each station -------------------- */

#define FILES_MAX (1 << 20)

static char folder[64];
static struct kept {
	const char *name;
	uint8_t *bytes;
	size_t size;
} kept[] = { { .name = "cfdfud.db" }, { .name = "audit.jsonl" } };

static void
path_of(const char *name, char *out, size_t size)
{
	(void)snprintf(out, size, "%s/%s", folder, name);
}

static void
remove_folder(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	(void)!system(command);
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		free(kept[i].bytes);
}

static void
keep_file(struct kept *k)
{
	char path[128];
	FILE *f;

	path_of(k->name, path, sizeof(path));
	f = fopen(path, "r");
	k->bytes = malloc(FILES_MAX);
	if (f == NULL || k->bytes == NULL)
		abort();
	k->size = fread(k->bytes, 1, FILES_MAX, f);
	(void)fclose(f);
}

static void
restore_file(const struct kept *k)
{
	char path[128];
	FILE *f;

	path_of(k->name, path, sizeof(path));
	f = fopen(path, "w");
	if (f == NULL || fwrite(k->bytes, 1, k->size, f) != k->size || fclose(f) != 0)
		abort();
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
	struct store_time now = clock_time(NULL);

	base = sqlite3_vfs_find(NULL);
	vfs = *base;
	vfs.zName = "station";
	vfs.xOpen = on_open;
	copy_text(folder, sizeof(folder),
		  access("/dev/shm", W_OK) == 0 ? "/dev/shm/cfdfu-flow-XXXXXX"
						: "/tmp/cfdfu-flow-XXXXXX");
	if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK || mkdtemp(folder) == NULL ||
	    atexit(remove_folder) != 0)
		abort();
	open_store(s);
	store_close(s->store, &now);
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		keep_file(&kept[i]);
}

void
disk_reset(struct station *s)
{
	char path[128];

	if (folder[0] == '\0')
		make_folder(s);
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		restore_file(&kept[i]);
	path_of("cfdfud.db-wal", path, sizeof(path));
	(void)unlink(path);
	path_of("cfdfud.db-shm", path, sizeof(path));
	(void)unlink(path);
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
disk_close(struct station *s, bool clean)
{
	struct store_time now = clock_time(NULL);

	store_close(s->store, clean ? &now : NULL);
	s->store = NULL;
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
