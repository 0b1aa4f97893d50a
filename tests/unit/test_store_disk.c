/* SPDX-License-Identifier: MIT */
/* See test_store_disk.h.  Unsynced writes are remembered with what they overwrote, so that power
 * can be cut. */
#include "config.h"

#include "test_store_disk.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNSYNCED_MAX 4096

struct disk disk;

/* One change that is not on the disk yet. */
struct unsynced {
	char path[PATH_MAX];
	off_t at, old_file_size;
	size_t size, old_size; /* size 0: a truncation to at */
	char *bytes, *old;
	bool doomed; /* a sync of it failed: only writing it again can save it */
};

static struct unsynced *unsynced[UNSYNCED_MAX];
static size_t unsynced_count;
static sqlite3_vfs *base;

ssize_t __real_write(int fd, const void *data, size_t size);
int __real_fdatasync(int fd);
int __real_fsync(int fd);
int __real_ftruncate(int fd, off_t size);
int __real_renameat(int fromfd, const char *from, int tofd, const char *to);
int __real_posix_fallocate(int fd, off_t at, off_t size);
int __real_unlinkat(int fd, const char *name, int flags);
ssize_t __real_pread(int fd, void *data, size_t size, off_t at);
ssize_t __wrap_write(int fd, const void *data, size_t size);
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);
int __wrap_ftruncate(int fd, off_t size);
int __wrap_renameat(int fromfd, const char *from, int tofd, const char *to);
int __wrap_posix_fallocate(int fd, off_t at, off_t size);
int __wrap_unlinkat(int fd, const char *name, int flags);
ssize_t __wrap_pread(int fd, void *data, size_t size, off_t at);

/* WHY: malloc() and calloc() may be made to fail for the store's sake. */
static void *
take(size_t size)
{
	void *p = aligned_alloc(16, (size + 16) / 16 * 16);

	assert(p != NULL);
	return p;
}

static void
forget(size_t i)
{
	free(unsynced[i]->bytes);
	free(unsynced[i]->old);
	free(unsynced[i]);
	unsynced[i] = unsynced[--unsynced_count];
}

/* Synced, or (all) gone for good. */
static void
forget_path(const char *path, bool all)
{
	size_t kept = 0;

	for (size_t i = 0; i < unsynced_count; i++) {
		struct unsynced *u = unsynced[i];

		if (strcmp(u->path, path) != 0 || (u->doomed && !all)) {
			unsynced[kept++] = u;
			continue;
		}
		free(u->bytes);
		free(u->old);
		free(u);
	}
	unsynced_count = kept;
}

/* Bytes that are rewritten or truncated no longer count as lost. */
static void
redeem(const char *path, off_t at, size_t size)
{
	for (size_t i = 0; i < unsynced_count; i++) {
		struct unsynced *u = unsynced[i];

		if (u->doomed && strcmp(u->path, path) == 0 && u->at >= at &&
		    (size == 0 || u->at + (off_t)u->size <= at + (off_t)size))
			u->doomed = false;
	}
}

static void
remember(const char *path, off_t at, const void *bytes, size_t size)
{
	struct unsynced *u = take(sizeof(*u));
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t span;
	ssize_t n;

	assert(unsynced_count < UNSYNCED_MAX && fd >= 0 && fstat(fd, &st) == 0);
	memset(u, 0, sizeof(*u));
	redeem(path, at, bytes != NULL ? size : 0);
	(void)snprintf(u->path, sizeof(u->path), "%s", path);
	u->at = at;
	u->old_file_size = st.st_size;
	u->size = size;
	span = bytes != NULL ? size : st.st_size > at ? (size_t)(st.st_size - at) : 0;
	u->old = take(span + 1);
	n = __real_pread(fd, u->old, span, at);
	u->old_size = n > 0 ? (size_t)n : 0;
	if (bytes != NULL) {
		u->bytes = take(size + 1);
		memcpy(u->bytes, bytes, size);
	}
	(void)close(fd);
	unsynced[unsynced_count++] = u;
}

static void
put_back(const struct unsynced *u)
{
	int fd = open(u->path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return; /* removed since */
	assert(u->old_size == 0 || pwrite(fd, u->old, u->old_size, u->at) == (ssize_t)u->old_size);
	assert(__real_ftruncate(fd, u->old_file_size) == 0);
	(void)close(fd);
}

/* Survives wholly, or its first half. */
static void
write_through(const struct unsynced *u, bool half)
{
	int fd = open(u->path, O_WRONLY | O_CLOEXEC);
	size_t size = half ? u->size / 2 : u->size;

	if (fd < 0)
		return;
	if (u->bytes == NULL)
		assert(__real_ftruncate(fd, u->at) == 0);
	else
		assert(pwrite(fd, u->bytes, size, u->at) == (ssize_t)size);
	(void)close(fd);
}

static uint64_t
next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *state >> 33;
}

/* A sync of this file failed. */
static void
doom(const char *path)
{
	if (disk.fault != DISK_EIO)
		return;
	for (size_t i = unsynced_count; i > 0; i--) {
		struct unsynced *u = unsynced[i - 1];

		if (strcmp(u->path, path) != 0)
			continue;
		if (disk.lies)
			u->doomed = true;
		else
			put_back(u);
	}
	if (!disk.lies)
		forget_path(path, true);
}

static void
cut_power(void)
{
	uint64_t random = disk.seed;

	for (size_t i = unsynced_count; i > 0; i--)
		put_back(unsynced[i - 1]);
	for (size_t i = 0; disk.seed != 0 && i < unsynced_count; i++) {
		unsigned lot = (unsigned)(next_random(&random) % 4);

		if (lot != 0)
			write_through(unsynced[i], lot == 1);
	}
}

/* 0, or the errno the operation has to fail with. */
static int
operate(enum disk_op op, const char *path)
{
	bool takes_room = op == DISK_WRITE || op == DISK_CREATE || op == DISK_SYNC;

	if ((op == DISK_READ && !disk.reads) || (disk.writes_only && op != DISK_WRITE) ||
	    (disk.only != NULL && strstr(path, disk.only) == NULL))
		return 0;
	disk.ops++;
	if (op == DISK_SYNC)
		disk.syncs++;
	if (disk.then != DISK_FINE && disk.ops >= disk.at + disk.count) {
		disk.fault = disk.then;
		disk.at = 1;
		disk.count = 0;
	}
	if (disk.fault == DISK_FINE || disk.ops < disk.at ||
	    (disk.count != 0 && disk.ops >= disk.at + disk.count))
		return 0;
	if (disk.fault == DISK_FULL && (!takes_room || (disk.ballast_helps && disk.ballast_gone)))
		return 0;
	if (disk.fault == DISK_POWER_CUT)
		cut_power();
	if (disk.fault == DISK_POWER_CUT || disk.fault == DISK_KILL)
		_exit(77);
	disk.hits++;
	return disk.fault == DISK_FULL ? ENOSPC : disk.fault == DISK_READ_ONLY ? EROFS : EIO;
}

static bool
path_of(int fd, char *path)
{
	char link[64], name[PATH_MAX] = "";

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (readlink(link, name, sizeof(name) - 1) <= 0 || strstr(name, "cfdfu-store") == NULL)
		return false; /* not ours: a pipe, the terminal */
	memcpy(path, name, sizeof(name));
	return true;
}

ssize_t
__wrap_write(int fd, const void *data, size_t size)
{
	char path[PATH_MAX] = "";
	struct stat st;
	int error;

	if (!path_of(fd, path))
		return __real_write(fd, data, size);
	error = operate(DISK_WRITE, path);
	if (error == 0) {
		assert(fstat(fd, &st) == 0);
		remember(path, st.st_size, data, size);
		return __real_write(fd, data, size);
	}
	if (disk.fault == DISK_FULL && size > 1) { /* half of it still fits */
		assert(fstat(fd, &st) == 0);
		remember(path, st.st_size, data, size / 2);
		if (__real_write(fd, data, size / 2) > 0 && disk.hits % 2 == 0)
			return (ssize_t)(size / 2);
	}
	errno = error;
	return -1;
}

static int
sync_file(int fd, int (*really)(int fd))
{
	char path[PATH_MAX] = "";
	int error;

	if (!path_of(fd, path))
		return really(fd);
	error = operate(DISK_SYNC, path);
	if (error == 0) {
		forget_path(path, false);
		return 0; /* fast: the page cache will do */
	}
	doom(path);
	errno = error;
	return -1;
}

int
__wrap_fdatasync(int fd)
{
	return sync_file(fd, __real_fdatasync);
}

int
__wrap_fsync(int fd)
{
	return sync_file(fd, __real_fsync);
}

int
__wrap_ftruncate(int fd, off_t size)
{
	char path[PATH_MAX] = "";
	bool ours = path_of(fd, path);
	int error = operate(DISK_TRUNCATE, path);

	if (error != 0) {
		errno = error;
		return -1;
	}
	if (ours)
		remember(path, size, NULL, 0);
	return __real_ftruncate(fd, size);
}

int
__wrap_renameat(int fromfd, const char *from, int tofd, const char *to)
{
	int error = operate(DISK_RENAME, from);

	if (error == 0)
		return __real_renameat(fromfd, from, tofd, to);
	errno = error;
	return -1;
}

int
__wrap_posix_fallocate(int fd, off_t at, off_t size)
{
	int error = operate(DISK_CREATE, "ballast");

	return error != 0 ? error : __real_posix_fallocate(fd, at, size);
}

int
__wrap_unlinkat(int fd, const char *name, int flags)
{
	int r = __real_unlinkat(fd, name, flags);

	if (r == 0 && strcmp(name, "ballast") == 0)
		disk.ballast_gone = true;
	return r;
}

ssize_t
__wrap_pread(int fd, void *data, size_t size, off_t at)
{
	char path[PATH_MAX] = "";
	int error = path_of(fd, path) ? operate(DISK_READ, path) : 0;

	disk.bytes_read += size;
	if (error == 0)
		return __real_pread(fd, data, size, at);
	errno = error;
	return -1;
}

/* --- the VFS --- */

struct file {
	sqlite3_file head;
	const char *path;
	sqlite3_file *real; /* behind this struct */
};

static int
sqlite_error(int error, int io_error)
{
	return error == 0	 ? SQLITE_OK
	       : error == ENOSPC ? SQLITE_FULL
	       : error == EROFS	 ? SQLITE_READONLY
				 : io_error;
}

static sqlite3_file *
real(sqlite3_file *f)
{
	return ((struct file *)f)->real;
}

static int
on_close(sqlite3_file *f)
{
	return real(f)->pMethods->xClose(real(f));
}

static int
on_read(sqlite3_file *f, void *data, int size, sqlite3_int64 at)
{
	int error = operate(DISK_READ, ((struct file *)f)->path);

	disk.bytes_read += (unsigned)size;
	return error != 0 ? SQLITE_IOERR_READ : real(f)->pMethods->xRead(real(f), data, size, at);
}

static int
on_write(sqlite3_file *f, const void *data, int size, sqlite3_int64 at)
{
	int error = operate(DISK_WRITE, ((struct file *)f)->path);

	if (error != 0)
		return sqlite_error(error, SQLITE_IOERR_WRITE);
	remember(((struct file *)f)->path, at, data, (size_t)size);
	return real(f)->pMethods->xWrite(real(f), data, size, at);
}

static int
on_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	int error = operate(DISK_TRUNCATE, ((struct file *)f)->path);

	if (error != 0)
		return sqlite_error(error, SQLITE_IOERR_TRUNCATE);
	remember(((struct file *)f)->path, size, NULL, 0);
	return real(f)->pMethods->xTruncate(real(f), size);
}

static int
on_sync(sqlite3_file *f, int flags)
{
	const char *path = ((struct file *)f)->path;
	int error = operate(DISK_SYNC, path);

	(void)flags;
	if (error == 0) {
		forget_path(path, false);
		return SQLITE_OK;
	}
	doom(path);
	return sqlite_error(error, SQLITE_IOERR_FSYNC);
}

static int
on_file_size(sqlite3_file *f, sqlite3_int64 *ret)
{
	return real(f)->pMethods->xFileSize(real(f), ret);
}

static int
on_lock(sqlite3_file *f, int level)
{
	return real(f)->pMethods->xLock(real(f), level);
}

static int
on_unlock(sqlite3_file *f, int level)
{
	return real(f)->pMethods->xUnlock(real(f), level);
}

static int
on_check_lock(sqlite3_file *f, int *ret)
{
	return real(f)->pMethods->xCheckReservedLock(real(f), ret);
}

static int
on_control(sqlite3_file *f, int op, void *arg)
{
	return real(f)->pMethods->xFileControl(real(f), op, arg);
}

static int
on_sector_size(sqlite3_file *f)
{
	return real(f)->pMethods->xSectorSize(real(f));
}

static int
on_characteristics(sqlite3_file *f)
{
	return real(f)->pMethods->xDeviceCharacteristics(real(f));
}

static int
on_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret)
{
	int error = extend ? operate(DISK_CREATE, "-shm") : 0;

	if (error != 0)
		return SQLITE_IOERR_SHMSIZE;
	return real(f)->pMethods->xShmMap(real(f), page, size, extend, ret);
}

static int
on_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	return real(f)->pMethods->xShmLock(real(f), at, n, flags);
}

static void
on_shm_barrier(sqlite3_file *f)
{
	real(f)->pMethods->xShmBarrier(real(f));
}

static int
on_shm_unmap(sqlite3_file *f, int delete)
{
	return real(f)->pMethods->xShmUnmap(real(f), delete);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = on_close,
	.xRead = on_read,
	.xWrite = on_write,
	.xTruncate = on_truncate,
	.xSync = on_sync,
	.xFileSize = on_file_size,
	.xLock = on_lock,
	.xUnlock = on_unlock,
	.xCheckReservedLock = on_check_lock,
	.xFileControl = on_control,
	.xSectorSize = on_sector_size,
	.xDeviceCharacteristics = on_characteristics,
	.xShmMap = on_shm_map,
	.xShmLock = on_shm_lock,
	.xShmBarrier = on_shm_barrier,
	.xShmUnmap = on_shm_unmap,
};

static int
on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
	struct file *file = (struct file *)f;
	int rc, error = 0;

	(void)vfs;
	file->head.pMethods = NULL;
	if (name == NULL)
		return SQLITE_CANTOPEN; /* temporary files would be on another disk, which may be
					   full */
	if (access(name, F_OK) != 0)
		error = operate(DISK_CREATE, name);
	if (error != 0)
		return SQLITE_CANTOPEN;
	file->path = name;
	file->real = (sqlite3_file *)(void *)&file[1];
	rc = base->xOpen(base, name, file->real, flags, ret_flags);
	if (rc == SQLITE_OK)
		file->head.pMethods = &methods;
	return rc;
}

static int
on_delete(sqlite3_vfs *vfs, const char *name, int sync_dir)
{
	int error = operate(DISK_RENAME, name);

	(void)vfs;
	if (error != 0)
		return SQLITE_IOERR_DELETE;
	forget_path(name, true);
	return base->xDelete(base, name, sync_dir);
}

void
disk_set_up(void)
{
	static sqlite3_vfs vfs;

	base = sqlite3_vfs_find(NULL);
	vfs = *base;
	vfs.zName = "unsafe";
	vfs.szOsFile = (int)sizeof(struct file) + base->szOsFile;
	vfs.xOpen = on_open;
	vfs.xDelete = on_delete;
	assert(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK);
}

void
disk_reset(struct disk d)
{
	while (unsynced_count > 0)
		forget(unsynced_count - 1);
	disk = d;
}

void
disk_lose_unsynced(void)
{
	disk.seed = 0;
	cut_power();
	disk_reset((struct disk){ 0 });
}
