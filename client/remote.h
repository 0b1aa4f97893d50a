/* SPDX-License-Identifier: MIT */
/*
 * The station at another machine: ssh, and its other end.
 *
 * A command line crosses on the standard input: how many words there are, then the words, each with
 * its NUL; what the command itself reads follows.  WHY: ssh hands a command to the other side's
 * login shell, and shells do not agree on how a word is quoted.
 */
#ifndef CLIENT_REMOTE_H
#define CLIENT_REMOTE_H

#include <sys/types.h>

#include "client/command.h"

#define REMOTE_WORDS_MAX 40		     /* LIMIT: words of a command line */
#define REMOTE_TEXT_MAX 16384		     /* LIMIT: bytes of all of them */
#define REMOTE_ARGUMENTS "--stdio-arguments" /* alone: the words are on the standard input */

struct arguments {
	char text[REMOTE_TEXT_MAX];
	char *argv[REMOTE_WORDS_MAX + 2]; /* with the program's name, NULL-terminated */
	int argc;
};

struct remote {
	pid_t pid;  /* of ssh */
	int fd;	    /* what goes to and comes from it */
	int status; /* wait status, once it has ended */
	bool ended;
	bool heard; /* something came from there */
};

/* Runs cfdfuctl there as a bridge to the service.  0 or an exit status. */
int remote_bridge(const struct session *s, struct remote *ret_remote) MUST_CHECK;

/* Waits for ssh's end; its exit status, or -1. */
int remote_end(struct remote *r);

/* The bridge has closed: the sentence (when there is none yet) and the exit status. */
int remote_explain(const struct session *s, struct remote *r);

/*
 * Runs a whole command there, with what in_fd holds as its standard input (-1: nothing) and out_fd
 * as its output (-1: ours); no shell sees its words.  Its exit status.
 */
int remote_run(const struct session *s, const struct invocation *i, int in_fd, int out_fd);

/* The words, and not a byte more.  0, -EPROTO: these are none, or the descriptor's errno. */
int remote_take_arguments(int fd, char *program, struct arguments *ret) MUST_CHECK;

/* The other end: copies between our standard input and output and the socket. */
int remote_serve(const struct session *s);

#endif
