/* SPDX-License-Identifier: MIT */
/* The system as every room but core and firmware needs it: writing all of something, the clock, the
 * environment. */
#ifndef CFDFU_SYSTEM_H
#define CFDFU_SYSTEM_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cfdfu/util.h"

/* Writes all bytes to a descriptor that waits.  0 or negative errno. */
static inline int MUST_CHECK
write_all(int fd, const void *bytes, size_t count)
{
	const char *at = bytes;

	while (count > 0) {
		ssize_t n = write(fd, at, count);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -EIO;
		if (n > 0) {
			at += n;
			count -= (size_t)n;
		}
	}
	return 0;
}

/* Of the environment; where it is not set, or empty: the other one. */
static inline const char *
environment(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : otherwise;
}

/* Microseconds of a clock that always exists: CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME. */
static inline int64_t
clock_us(clockid_t id)
{
	struct timespec t = { .tv_sec = 0 };

	(void)clock_gettime(id, &t); /* cannot fail for these clocks */
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static inline int64_t
clock_ms(clockid_t id)
{
	return clock_us(id) / 1000;
}

#endif
