/* SPDX-License-Identifier: MIT */
/*
 * Free space, and the ballast: a file that only takes up room, given up when the disk is full so
 * that running attempts still get their endings (doc/faults.md A7.2, item 6).
 */
#include "config.h"

#include "store/store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static uint64_t
free_bytes(const struct store *s)
{
	struct statvfs v;

	return fstatvfs(s->dirfd, &v) == 0 ? (uint64_t)v.f_bavail * v.f_frsize : 0;
}

void
space_check(struct store *s)
{
	s->space_low = free_bytes(s) < s->opt.floor_bytes;
}

static bool
ballast_is_there(const struct store *s)
{
	struct stat st;

	return fstatat(s->dirfd, BALLAST_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (uint64_t)st.st_size == s->opt.ballast_bytes &&
	       (uint64_t)st.st_blocks * 512 >= s->opt.ballast_bytes;
}

void
space_ballast_restore(struct store *s)
{
	int fd;

	if (ballast_is_there(s)) {
		s->ballast_out = false;
		return;
	}
	s->ballast_out = true;
	if (free_bytes(s) < s->opt.floor_bytes + s->opt.ballast_bytes)
		return;
	fd = openat(s->dirfd, BALLAST_FILE, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		    0640);
	if (fd < 0)
		return;
	if (posix_fallocate(fd, 0, (off_t)s->opt.ballast_bytes) == 0)
		s->ballast_out = false;
	else
		(void)unlinkat(s->dirfd, BALLAST_FILE,
			       0); /* half a ballast is none; it stays out either way */
	(void)close(fd);	   /* it has no content that could be lost */
}

bool
space_ballast_release(struct store *s)
{
	s->ballast_out = true;
	return unlinkat(s->dirfd, BALLAST_FILE, 0) == 0;
}
