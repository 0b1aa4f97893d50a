/* SPDX-License-Identifier: MIT */
/*
 * Files of the state directory that may not be written: which one it is, and the command.  SQLite
 * leaves a shared index behind that is not writable when the database was read-only once.
 */
#include "config.h"

#include "store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHM_FILE DB_FILE "-shm"

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
