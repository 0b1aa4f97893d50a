/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "store/space.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static uint64_t
free_bytes(const struct space *s)
{
	struct statvfs v;

	return fstatvfs(s->dirfd, &v) == 0 ? (uint64_t)v.f_bavail * v.f_frsize : 0;
}

void
space_check(struct space *s)
{
	s->low = free_bytes(s) < s->floor_bytes;
}

static bool
ballast_is_there(const struct space *s)
{
	struct stat st;

	return fstatat(s->dirfd, BALLAST_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (uint64_t)st.st_size == s->ballast_bytes &&
	       (uint64_t)st.st_blocks * 512 >= s->ballast_bytes;
}

void
space_ballast_restore(struct space *s)
{
	int fd;

	if (ballast_is_there(s)) {
		s->ballast_out = false;
		return;
	}
	s->ballast_out = true;
	if (free_bytes(s) < s->floor_bytes + s->ballast_bytes)
		return;
	fd = openat(s->dirfd, BALLAST_FILE, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		    0640);
	if (fd < 0)
		return;
	if (posix_fallocate(fd, 0, (off_t)s->ballast_bytes) == 0)
		s->ballast_out = false;
	else
		(void)unlinkat(s->dirfd, BALLAST_FILE, 0);
	(void)close(fd);
}

bool
space_ballast_release(struct space *s)
{
	s->ballast_out = true;
	return unlinkat(s->dirfd, BALLAST_FILE, 0) == 0;
}
