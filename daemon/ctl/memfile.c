/* SPDX-License-Identifier: MIT */
/*
 * Memory files that cross the control socket: checked by their seals, read and written without
 * waiting.
 */
#include "config.h"

#include "ctl/memfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEEDED_SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)

int
memfile_read(int fd, size_t bytes_max, uint8_t **ret_data, size_t *ret_bytes, const char **ret_why)
{
	int seals = fcntl(fd, F_GET_SEALS); /* fails for everything but memory files */
	size_t done = 0, bytes;
	struct stat st;
	uint8_t *data;

	*ret_why = "the descriptor is not a memory file sealed against writing and resizing";
	if (seals < 0 || (seals & NEEDED_SEALS) != NEEDED_SEALS || fstat(fd, &st) < 0)
		return -EINVAL;
	*ret_why = "the file is empty";
	if (st.st_size <= 0)
		return -EINVAL;
	*ret_why = "the file is too large";
	if ((uint64_t)st.st_size > bytes_max)
		return -EFBIG;
	bytes = (size_t)st.st_size;
	*ret_why = "out of memory";
	data = malloc(bytes);
	if (data == NULL)
		return -ENOMEM;
	while (done < bytes) {
		ssize_t n = pread(fd, data + done, bytes - done, (off_t)done);

		if (n <= 0) {
			free(data);
			*ret_why = "the file cannot be read";
			return -EIO;
		}
		done += (size_t)n;
	}
	*ret_data = data;
	*ret_bytes = bytes;
	return 0;
}

/* One byte there and back: not every memory file is written like a file (huge pages are not). */
static bool
takes_a_byte(int fd)
{
	return pwrite(fd, "", 1, 0) == 1 && ftruncate(fd, 0) == 0;
}

int
memfile_claim_writable(int fd, const char **ret_why)
{
	int seals = fcntl(fd, F_GET_SEALS);
	int flags = fcntl(fd, F_GETFL);
	struct stat st;

	*ret_why = "the descriptor is not an empty memory file that can be written";
	if (seals < 0 || flags < 0 || (flags & O_ACCMODE) != O_RDWR || fstat(fd, &st) < 0 ||
	    st.st_size != 0)
		return -EINVAL;
	if ((seals & F_SEAL_SEAL) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL) < 0)
		return -EINVAL;
	/* WHY asked again: it was open to the client until now. */
	seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || (seals & (NEEDED_SEALS | F_SEAL_FUTURE_WRITE)) != 0 || !takes_a_byte(fd))
		return -EINVAL;
	return 0;
}

int
memfile_write(int fd, const uint8_t *data, size_t bytes)
{
	size_t done = 0;

	while (done < bytes) {
		ssize_t n = pwrite(fd, data + done, bytes - done, (off_t)done);

		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		done += (size_t)n;
	}
	return 0;
}
