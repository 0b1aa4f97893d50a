/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "flow/memory_vfs.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cfdfu/util.h"

enum { INDEX_PARTS_MAX = 8, INDEX_PART_BYTES = 32768 }; /* WHY: SQLite's own measure */

struct content {
	uint8_t *bytes;
	size_t size, room;
	bool exists;
};

/* A file by the end of its name, as it is and as it was kept. */
static struct stored {
	const char *suffix;
	struct content now, kept;
} files[] = { { .suffix = ".db" }, { .suffix = "-wal" }, { .suffix = "-journal" } };

/* The log's index, which connections share; it goes with the last one. */
static struct part {
	uint8_t *now, *kept;
} parts[INDEX_PARTS_MAX];

struct handle {
	sqlite3_file base; /* first: SQLite's view of it */
	struct content *of;
	bool is_log;
};

enum {
	PAGE_BYTES = 4608,
	PAGES = 512
}; /* a page and what SQLite notes of it; more are allocated */

static max_align_t pages[PAGES * PAGE_BYTES / sizeof(max_align_t)];
static const struct memory_vfs_hooks *hooks;
static sqlite3_vfs vfs;

static void
make_room(struct content *c, size_t size)
{
	if (size <= c->room)
		return;
	c->room = 2 * size;
	c->bytes = realloc(c->bytes, c->room);
	if (c->bytes == NULL)
		abort();
}

static void
copy(struct content *to, const struct content *from)
{
	make_room(to, from->size);
	if (from->size > 0)
		memcpy(to->bytes, from->bytes, from->size);
	to->size = from->size;
	to->exists = from->exists;
}

static struct content *
content_of(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		size_t end = strlen(files[i].suffix);

		if (length > end && strcmp(name + length - end, files[i].suffix) == 0)
			return &files[i].now;
	}
	abort(); /* SQLite has no other files with a name */
}

size_t
memory_vfs_room(void)
{
	size_t room = 0;

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		room += files[i].now.room + files[i].kept.room;
	return room;
}

/* ---- a file ------------------------------------------------------------------------------ */

static int
on_close(sqlite3_file *f)
{
	(void)f;
	return SQLITE_OK;
}

static int
on_read(sqlite3_file *f, void *out, int size, sqlite3_int64 at)
{
	const struct content *c = ((struct handle *)f)->of;
	size_t from = (size_t)at, n = (size_t)size;
	size_t there = from >= c->size ? 0 : c->size - from < n ? c->size - from : n;

	if (there > 0)
		memcpy(out, c->bytes + from, there);
	memset((uint8_t *)out + there, 0, n - there);
	return there == n ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int
on_write(sqlite3_file *f, const void *data, int size, sqlite3_int64 at)
{
	struct content *c = ((struct handle *)f)->of;
	size_t end = (size_t)at + (size_t)size;
	int e = hooks->fails();

	if (e != SQLITE_OK)
		return e;
	make_room(c, end);
	if ((size_t)at > c->size)
		memset(c->bytes + c->size, 0, (size_t)at - c->size);
	memcpy(c->bytes + at, data, (size_t)size);
	c->size = end > c->size ? end : c->size;
	return SQLITE_OK;
}

static int
on_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	struct content *c = ((struct handle *)f)->of;
	int e = hooks->fails();

	if (e == SQLITE_OK && (size_t)size < c->size)
		c->size = (size_t)size;
	return e;
}

static int
on_sync(sqlite3_file *f, int flags)
{
	(void)flags;
	if (((struct handle *)f)->is_log)
		hooks->log_synced();
	return hooks->fails();
}

static int
on_size(sqlite3_file *f, sqlite3_int64 *ret_size)
{
	*ret_size = (sqlite3_int64)((struct handle *)f)->of->size;
	return SQLITE_OK;
}

static int
on_lock(sqlite3_file *f, int level)
{
	(void)f;
	(void)level;
	return SQLITE_OK; /* there is one connection */
}

static int
on_check_lock(sqlite3_file *f, int *ret_locked)
{
	(void)f;
	*ret_locked = 0;
	return SQLITE_OK;
}

static int
on_control(sqlite3_file *f, int order, void *arg)
{
	(void)f;
	if (order != SQLITE_FCNTL_HAS_MOVED)
		return SQLITE_NOTFOUND;
	*(int *)arg = 0;
	return SQLITE_OK;
}

static int
on_sector_size(sqlite3_file *f)
{
	(void)f;
	return 4096;
}

static int
on_character(sqlite3_file *f)
{
	(void)f;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE; /* as SQLite's own for Unix */
}

static int
on_index_map(sqlite3_file *f, int number, int size, int extend, void volatile **ret_part)
{
	(void)f;
	(void)size;
	*ret_part = NULL;
	if (number >= INDEX_PARTS_MAX)
		return SQLITE_IOERR_SHMSIZE;
	if (parts[number].now == NULL && extend != 0)
		parts[number].now = calloc(1, INDEX_PART_BYTES);
	*ret_part = parts[number].now;
	return SQLITE_OK;
}

static int
on_index_lock(sqlite3_file *f, int first, int count, int flags)
{
	(void)first;
	(void)count;
	return on_lock(f, flags);
}

static void
on_index_barrier(sqlite3_file *f)
{
	(void)f;
}

static int
on_index_unmap(sqlite3_file *f, int delete)
{
	(void)f;
	(void)delete;
	for (size_t i = 0; i < INDEX_PARTS_MAX; i++) {
		free(parts[i].now);
		parts[i].now = NULL;
	}
	return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = on_close,
	.xRead = on_read,
	.xWrite = on_write,
	.xTruncate = on_truncate,
	.xSync = on_sync,
	.xFileSize = on_size,
	.xLock = on_lock,
	.xUnlock = on_lock,
	.xCheckReservedLock = on_check_lock,
	.xFileControl = on_control,
	.xSectorSize = on_sector_size,
	.xDeviceCharacteristics = on_character,
	.xShmMap = on_index_map,
	.xShmLock = on_index_lock,
	.xShmBarrier = on_index_barrier,
	.xShmUnmap = on_index_unmap,
};

/* ---- all files --------------------------------------------------------------------------- */

static int
on_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
	struct handle *h = (struct handle *)f;

	(void)v;
	f->pMethods = NULL;
	if (name == NULL)
		return SQLITE_CANTOPEN; /* nothing here is large enough to be sorted in a file */
	h->of = content_of(name);
	if (!h->of->exists && (flags & SQLITE_OPEN_CREATE) == 0)
		return SQLITE_CANTOPEN;
	h->of->exists = true;
	h->is_log = (flags & SQLITE_OPEN_MAIN_DB) == 0;
	f->pMethods = &methods;
	if (ret_flags != NULL)
		*ret_flags = flags;
	return SQLITE_OK;
}

static int
on_delete(sqlite3_vfs *v, const char *name, int sync)
{
	struct content *c = content_of(name);

	(void)v;
	(void)sync;
	if (!c->exists)
		return SQLITE_IOERR_DELETE_NOENT;
	c->exists = false;
	c->size = 0;
	return SQLITE_OK;
}

static int
on_access(sqlite3_vfs *v, const char *name, int flags, int *ret_is)
{
	(void)v;
	(void)flags;
	*ret_is = content_of(name)->exists;
	return SQLITE_OK;
}

void
memory_vfs_register(const char *name, const struct memory_vfs_hooks *h)
{
	/*
	 * WHY: one thread, no questions how much memory SQLite uses, and pages that are used again:
	 * no locks around its memory, and no malloc() for each page.
	 */
	if (sqlite3_config(SQLITE_CONFIG_SINGLETHREAD) != SQLITE_OK ||
	    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) != SQLITE_OK ||
	    sqlite3_config(SQLITE_CONFIG_PAGECACHE, pages, PAGE_BYTES, PAGES) != SQLITE_OK ||
	    sqlite3_initialize() != SQLITE_OK)
		abort();
	hooks = h;
	vfs = *sqlite3_vfs_find(NULL); /* its clock, its random numbers, its paths */
	vfs.zName = name;
	vfs.szOsFile = (int)sizeof(struct handle);
	vfs.xOpen = on_open;
	vfs.xDelete = on_delete;
	vfs.xAccess = on_access;
	if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK)
		abort();
}

void
memory_vfs_keep(void)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		copy(&files[i].kept, &files[i].now);
	for (size_t i = 0; i < INDEX_PARTS_MAX && parts[i].now != NULL; i++) {
		if (parts[i].kept == NULL)
			parts[i].kept = malloc(INDEX_PART_BYTES);
		if (parts[i].kept == NULL)
			abort();
		memcpy(parts[i].kept, parts[i].now, INDEX_PART_BYTES);
	}
}

void
memory_vfs_remove(void)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		files[i].now.exists = false;
		files[i].now.size = 0;
	}
}

void
memory_vfs_put_back(void)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		copy(&files[i].now, &files[i].kept);
	/* Without a connection there is no index: the next one makes it from the log. */
	for (size_t i = 0; i < INDEX_PARTS_MAX && parts[i].now != NULL; i++) {
		if (parts[i].kept != NULL)
			memcpy(parts[i].now, parts[i].kept, INDEX_PART_BYTES);
		else
			memset(parts[i].now, 0, INDEX_PART_BYTES);
	}
}
