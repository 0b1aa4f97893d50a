/* SPDX-License-Identifier: MIT */
/* The station at another machine: ssh, and its other end. */
#ifndef CLIENT_REMOTE_H
#define CLIENT_REMOTE_H

#include <sys/types.h>

#include "client/command.h"

struct remote {
	pid_t pid;  /* of ssh */
	int fd;	    /* what goes to and comes from it */
	int status; /* wait status, once it has ended */
	bool ended;
};

/* Runs cfdfuctl there as a bridge to the service.  0 or an exit status. */
int remote_bridge(const struct session *s, struct remote *ret_remote) MUST_CHECK;

/* Waits for ssh's end; its exit status, or -1. */
int remote_end(struct remote *r);

/* The bridge has closed: the sentence (when there is none yet) and the exit status. */
int remote_explain(const struct session *s, struct remote *r);

/*
 * Runs a whole command there, with what in_fd holds as its standard input (-1: nothing) and out_fd
 * as its output (-1: ours); words are NULL-terminated, and no shell sees them.  Its exit status.
 */
int remote_run(const struct session *s, const char *const *words, int in_fd, int out_fd);

/* The other end: copies between our standard input and output and the socket. */
int remote_serve(const struct session *s);

#endif
