/* SPDX-License-Identifier: MIT */
/* The state directory: paths, locks, and the files that were moved or have to be. */
#include "config.h"

#include "store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* LIMIT: per process; damaged copies must not fill a failing disk. */
#define PUT_AWAY_MAX 8
#define SHM_FILE DB_FILE "-shm"

static int
make_paths(struct files *f, const char *state_dir)
{
	f->dir = strdup(state_dir);
	if (f->dir == NULL || asprintf(&f->db_path, "%s/" DB_FILE, state_dir) < 0) {
		f->db_path = NULL; /* asprintf() leaves it undefined */
		return -ENOMEM;
	}
	if (asprintf(&f->firmware_dir, "%s/firmware", state_dir) < 0) {
		f->firmware_dir = NULL;
		return -ENOMEM;
	}
	return 0;
}

int
files_init(struct files *f, const char *state_dir)
{
	int r;

	*f = (struct files){ .dirfd = -1, .lockfd = -1, .audit.fd = -1, .audit_trusted = -1 };
	r = make_paths(f, state_dir);
	if (r < 0)
		return r;
	if (mkdir(f->dir, 0750) < 0 && errno != EEXIST && errno != EROFS)
		return -errno;
	f->dirfd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return f->dirfd < 0 ? -errno : 0;
}

void
files_close_database(struct files *f, bool in_trouble)
{
	db_close(f->db, in_trouble);
	db_close(f->importing, true);
	free(f->import);
	f->db = f->importing = NULL;
	f->import = NULL;
}

void
files_free(struct files *f)
{
	audit_close(&f->audit);
	files_close_database(f, f->down_errno != 0);
	if (f->lockfd >= 0)
		(void)close(f->lockfd); /* releases the lock */
	if (f->dirfd >= 0)
		(void)close(f->dirfd);
	free(f->dir);
	free(f->db_path);
	free(f->firmware_dir);
}

static bool
is_another(int fd, int dirfd, const char *path)
{
	struct stat mine, there;

	return fstat(fd, &mine) < 0 || fstatat(dirfd, path, &there, 0) < 0 ||
	       mine.st_ino != there.st_ino || mine.st_dev != there.st_dev;
}

static int
say_in_use(struct files *f)
{
	(void)snprintf(f->down_why, sizeof(f->down_why), "another cfdfud uses %s", f->dir);
	return -EBUSY;
}

int
files_check_dir(struct files *f)
{
	if (!is_another(f->dirfd, AT_FDCWD, f->dir))
		return 0;
	(void)snprintf(f->down_why, sizeof(f->down_why),
		       "%.120s was moved or replaced while it was in use; put it back, or use what "
		       "is there now: sudo systemctl restart cfdfud",
		       f->dir);
	return -ESTALE;
}

/* The file of the name, locked; not one that was removed meanwhile. */
static int
lock_file(struct files *f)
{
	int fd, r = 0;

	do {
		fd = openat(f->dirfd, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
		if (fd < 0) {
			r = -errno;
			(void)snprintf(f->down_why, sizeof(f->down_why),
				       "the lock file cannot be opened: %s", strerror(-r));
			return r;
		}
		if (flock(fd, LOCK_EX | LOCK_NB) < 0)
			r = errno == EWOULDBLOCK ? say_in_use(f) : -errno;
		if (r == 0 && !is_another(fd, f->dirfd, LOCK_FILE)) {
			f->lockfd = fd;
			return 0;
		}
		(void)close(fd);
	} while (r == 0);
	return r;
}

/*
 * WHY two locks: the file can be removed, and then another daemon makes and locks one of its own;
 * the directory cannot.  Where a file system has no locks for directories, the file has to do.
 */
int
files_lock(struct files *f)
{
	int r = 0;

	if (f->lockfd < 0) {
		if (flock(f->dirfd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
			return say_in_use(f);
		r = lock_file(f);
	}
	if (r == 0 && mkdirat(f->dirfd, "firmware", 0750) < 0 && errno != EEXIST) {
		r = -errno;
		(void)snprintf(f->down_why, sizeof(f->down_why), "%.180s cannot be made: %s",
			       f->firmware_dir, strerror(-r));
	}
	return r;
}

static bool
exists(const struct files *f, const char *name)
{
	return faccessat(f->dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int
files_put_away(struct files *f, const char *name, const char *stamp)
{
	static const char *const parts[] = { "-shm", "-wal", "" };
	char from[64], to[96], base[80];
	int r = 0;

	(void)snprintf(base, sizeof(base), "%s-%s.damaged", name, stamp);
	for (unsigned i = 2; exists(f, base) && i < 100; i++)
		(void)snprintf(base, sizeof(base), "%s-%s-%u.damaged", name, stamp, i);
	if (exists(f, base) || f->put_away++ >= PUT_AWAY_MAX)
		return -EEXIST;
	/* WHY: the database goes last.  Killed in between, it is older but whole, and the audit
	 * file fills the gap. */
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(parts); i++) {
		(void)snprintf(from, sizeof(from), "%s%s", name, parts[i]);
		(void)snprintf(to, sizeof(to), "%s%s", base, parts[i]);
		if (exists(f, from) && renameat(f->dirfd, from, f->dirfd, to) < 0)
			r = -errno;
	}
	if (r == 0 && fsync(f->dirfd) < 0)
		r = -errno;
	return r;
}

const char *
files_moved(struct files *f)
{
	if (is_another(f->dirfd, AT_FDCWD, f->dir))
		return "the state directory was moved or replaced";
	if (db_moved(f->db) || audit_moved(&f->audit))
		return "the database or its audit file was moved or removed";
	if (audit_was_written(&f->audit))
		return "another program wrote to the audit file";
	/* The directory is still ours: only the name is taken again. */
	if (is_another(f->lockfd, f->dirfd, LOCK_FILE)) {
		(void)close(f->lockfd);
		f->lockfd = -1;
		if (files_lock(f) < 0)
			return "the lock file was removed or replaced";
		files_alarm(f, "the lock file was removed; it was made again");
	}
	return NULL;
}

bool
files_note_damage(struct files *f)
{
	bool damaged = f->db != NULL && db_damage(f->db)[0] != '\0';

	if (damaged)
		(void)snprintf(f->unfit, sizeof(f->unfit), DB_FILE " is damaged: %s",
			       db_damage(f->db));
	return damaged;
}

void
files_fail_stop(struct files *f, int error, const char *why)
{
	if (f->audit.fd >= 0 && f->audit.failed && !audit_moved(&f->audit))
		f->audit_trusted = f->audit.good;
	audit_close(&f->audit);
	(void)files_note_damage(f);
	files_close_database(f, true);
	f->down_errno = error;
	if (why != NULL)
		(void)snprintf(f->down_why, sizeof(f->down_why), "%s: %s", why, strerror(-error));
	else if (f->down_why[0] == '\0')
		(void)snprintf(f->down_why, sizeof(f->down_why),
			       "the database cannot be opened: %s", strerror(-error));
}

bool
files_stop_damaged(struct files *f)
{
	if (!files_note_damage(f))
		return false;
	copy_text(f->down_why, sizeof(f->down_why), f->unfit);
	files_fail_stop(f, -EUCLEAN, NULL);
	return true;
}

void
files_alarm(struct files *f, const char *format, ...)
{
	size_t used = strlen(f->alarm);
	va_list args;

	if (used > 0 && used + 3 < sizeof(f->alarm)) {
		memcpy(f->alarm + used, "; ", 3);
		used += 2;
	}
	va_start(args, format);
	(void)vsnprintf(f->alarm + used, sizeof(f->alarm) - used, format, args);
	va_end(args);
}

void
files_tell_progress(const struct files *f)
{
	if (f->progress != NULL)
		f->progress(f->progress_ctx);
}

/* ---- files that are there and may not be written -------------------------------------------- */

static bool
may_write(const struct files *f, const char *name)
{
	return faccessat(f->dirfd, name, R_OK | W_OK, AT_EACCESS) == 0;
}

/* SQLite's other connections hold a lock in the shared index all the time. */
static bool
is_held(const struct files *f, const char *name)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = openat(f->dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool held = fd < 0 || fcntl(fd, F_OFD_GETLK, &lock) < 0 || lock.l_type != F_UNLCK;

	if (fd >= 0)
		(void)close(fd);
	return held;
}

/* SQLite leaves a shared index behind that is not writable when the database was read-only once. */
void
files_mend_access(struct files *f)
{
	struct stat st;

	if (may_write(f, SHM_FILE) || !may_write(f, DB_FILE) ||
	    fstatat(f->dirfd, SHM_FILE, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	/* It has no content of its own: SQLite makes it again from the log. */
	if (!is_held(f, SHM_FILE) && unlinkat(f->dirfd, SHM_FILE, 0) == 0)
		files_alarm(f, SHM_FILE " could not be written (mode %04o); it was removed",
			    (unsigned)st.st_mode & 07777);
}

void
files_explain_access(struct files *f, int error)
{
	static const char *const names[] = { ".",	 LOCK_FILE,
					     DB_FILE,	 DB_FILE "-wal",
					     SHM_FILE,	 DB_FILE "-journal",
					     AUDIT_FILE, "firmware" };
	struct stat st;

	if (error == -EAGAIN)
		copy_text(f->down_why, sizeof(f->down_why),
			  "another program holds the database locked");
	if (error == -EBUSY || error == -EPROTO || error == -ESTALE || error == -EAGAIN ||
	    error == -ENOMEM || error == -ENOSPC)
		return;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (fstatat(f->dirfd, names[i], &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    may_write(f, names[i]))
			continue;
		if (errno == EROFS) {
			(void)snprintf(f->down_why, sizeof(f->down_why),
				       "%.160s is on a file system that is read-only", f->dir);
			return;
		}
		(void)snprintf(f->down_why, sizeof(f->down_why),
			       "%.20s cannot be written (mode %04o, owner %u): cd %.60s && sudo "
			       "chown --reference=. %.20s && sudo chmod u+rwX %.20s",
			       i == 0 ? "the state directory" : names[i],
			       (unsigned)st.st_mode & 07777, (unsigned)st.st_uid, f->dir, names[i],
			       names[i]);
		return;
	}
}
