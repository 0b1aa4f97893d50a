/* SPDX-License-Identifier: MIT */
/* Files of the user, read and written with the user's rights; memory files for the service. */
#ifndef CLIENT_FILE_H
#define CLIENT_FILE_H

#include "cfdfu/util.h"

#define FILE_WHY_MAX 160

/*
 * All of a file ("-": standard input) and a NUL behind it, malloc()ed.  0; or an exit status, and
 * in ret_why why: not there, not allowed, a directory, more than bytes_max.
 */
int file_read(const char *path, size_t bytes_max, uint8_t **ret_data, size_t *ret_bytes,
	      char ret_why[FILE_WHY_MAX]) MUST_CHECK;

/*
 * Writes a file ("-": standard output) whole: an existing one is replaced at the end or not at all;
 * a device or a pipe is written to.
 */
int file_write(const char *path, const uint8_t *data, size_t bytes) MUST_CHECK;

/* A memory file with these bytes, sealed against all changes; an empty, open one. */
int file_seal(const uint8_t *data, size_t bytes, int *ret_fd) MUST_CHECK;
int file_open_memory(int *ret_fd) MUST_CHECK;

/* The last part of a path; "standard input" for "-". */
const char *file_base_name(const char *path);

#endif
