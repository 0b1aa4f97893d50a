/* SPDX-License-Identifier: MIT */
/* The listening socket: made, taken over from a dead daemon, removed. */
#ifndef CTL_LISTEN_H
#define CTL_LISTEN_H

#include "cfdfu/util.h"

/*
 * A non-blocking listening socket at path, mode 0666; a stale one is replaced.  The descriptor or
 * negative errno.
 */
int listen_at(const char *path) MUST_CHECK;

/*
 * Makes a socket that came from elsewhere (socket activation) fit: listening, a Unix stream,
 * non-blocking.
 */
int listen_take(int fd) MUST_CHECK;

#endif
