/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cfdfu/proto.h"
#include "cfdfu/system.h"
#include "client/out.h"

#define FIRST_BYTES (256U * 1024U)

static int
fail(const char *path, const char *what, int error)
{
	say_error("%s: %s: %s", path, what, strerror(error));
	return EXIT_REFUSED;
}

static int
cannot(char *ret_why, const char *what, int error)
{
	(void)snprintf(ret_why, FILE_WHY_MAX, "cannot %s: %s", what, strerror(error));
	return EXIT_REFUSED;
}

static int
too_large(char *ret_why, size_t bytes_max)
{
	(void)snprintf(ret_why, FILE_WHY_MAX, "larger than %zu MiB: not a firmware file",
		       bytes_max >> 20);
	return EXIT_REFUSED;
}

/* Reads to the end.  0 or an exit status; the buffer is the caller's in both cases. */
static int
read_all(int fd, size_t bytes_max, uint8_t **data, size_t *ret_bytes, char *ret_why)
{
	size_t used = 0, room = 0, expected = FIRST_BYTES;
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		expected = (size_t)st.st_size;
	for (;;) {
		ssize_t n;

		if (used == room) {
			size_t more = room == 0 ? expected + 1 : room * 2;
			uint8_t *bigger = realloc(*data, more);

			if (bigger == NULL)
				return cannot(ret_why, "read", ENOMEM);
			*data = bigger;
			room = more;
		}
		n = read(fd, *data + used, room - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cannot(ret_why, "read", errno);
		if (n == 0)
			break;
		used += (size_t)n;
		if (used > bytes_max)
			return too_large(ret_why, bytes_max);
	}
	(*data)[used] = '\0'; /* INVARIANT: used < room, or there would be no end of the file yet */
	*ret_bytes = used;
	return 0;
}

int
file_read(const char *path, size_t bytes_max, uint8_t **ret_data, size_t *ret_bytes,
	  char ret_why[FILE_WHY_MAX])
{
	bool input = strcmp(path, "-") == 0;
	int fd = input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	uint8_t *data = NULL;
	struct stat st = { .st_mode = 0 };
	int r;

	if (fd < 0)
		return cannot(ret_why, "open", errno);
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		copy_text(ret_why, FILE_WHY_MAX, "is a directory, not a firmware file");
		r = EXIT_REFUSED;
	} else if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > bytes_max) {
		r = too_large(ret_why, bytes_max);
	} else {
		r = read_all(fd, bytes_max, &data, ret_bytes, ret_why);
	}
	if (!input)
		(void)close(fd);
	if (r == 0)
		*ret_data = data;
	else
		free(data);
	return r;
}

/* WHY: a device or a pipe is written to; a file renamed over /dev/null would replace it for all. */
static int
write_special(const char *path, const uint8_t *data, size_t bytes)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), r = fd < 0 ? -errno : write_all(fd, data, bytes);

	if (fd >= 0 && close(fd) < 0 && r == 0)
		r = -errno;
	return r == 0 ? 0 : fail(path, "cannot write", -r);
}

int
file_write(const char *path, const uint8_t *data, size_t bytes)
{
	char temporary[4096];
	mode_t mask = umask(0);
	struct stat st;
	int fd, r;

	(void)umask(mask); /* WHY: the only way to ask for it */
	if (strcmp(path, "-") == 0) {
		r = write_all(STDOUT_FILENO, data, bytes);
		return r == 0 ? 0 : fail("standard output", "cannot write", -r);
	}
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return write_special(path, data, bytes);
	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary))
		return fail(path, "cannot write", ENAMETOOLONG);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return fail(path, "cannot write", errno);
	r = write_all(fd, data, bytes);
	if (r == 0 && (fchmod(fd, 0666 & ~mask) < 0 || fsync(fd) < 0))
		r = -errno;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r == 0)
		return 0;
	(void)unlink(temporary); /* WHY: the first failure is the one to tell */
	return fail(path, "cannot write", -r);
}

int
file_open_memory(int *ret_fd)
{
	int fd = memfd_create("cfdfuctl", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return fail("memory file", "cannot make", errno);
	*ret_fd = fd;
	return 0;
}

int
file_seal(const uint8_t *data, size_t bytes, int *ret_fd)
{
	int fd = -1, r = file_open_memory(&fd);

	if (r != 0)
		return r;
	if (write_all(fd, data, bytes) < 0 || lseek(fd, 0, SEEK_SET) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0) {
		r = fail("memory file", "cannot make", errno);
		(void)close(fd); /* WHY: the first failure is the one to tell */
		return r;
	}
	*ret_fd = fd;
	return 0;
}

const char *
file_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (strcmp(path, "-") == 0)
		return "standard input";
	return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}
