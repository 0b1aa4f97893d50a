/* SPDX-License-Identifier: MIT */
/*
 * Files that cross the control socket as descriptors: only memory files (memfd_create(2)), because
 * reading or writing those can never wait for a disk, a network or another process.
 */
#ifndef CTL_MEMFILE_H
#define CTL_MEMFILE_H

#include "cfdfu/util.h"

/*
 * All bytes of a memfd sealed against writing, growing and shrinking, in a malloc()ed buffer.  0;
 * or with *ret_why a static sentence: -EINVAL not such a file or empty, -EFBIG over bytes_max,
 * -ENOMEM, -EIO.  fd stays open.
 */
int memfile_read(int fd, size_t bytes_max, uint8_t **ret_data, size_t *ret_bytes,
		 const char **ret_why) MUST_CHECK;

/*
 * 0 when fd is an empty memfd that can be written and that its client cannot seal from here on, so
 * that a drone is not read in vain; else -EINVAL with *ret_why.
 */
int memfile_claim_writable(int fd, const char **ret_why) MUST_CHECK;

/* Writes all at the start of such a file.  0 or negative errno. */
int memfile_write(int fd, const uint8_t *data, size_t bytes) MUST_CHECK;

#endif
