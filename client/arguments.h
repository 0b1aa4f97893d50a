/* SPDX-License-Identifier: MIT */
/*
 * A command line that crosses ssh on the standard input: how many words there are, then the words,
 * each with its NUL; what the command itself reads follows.  WHY: ssh hands a command to the other
 * side's login shell, and shells do not agree on how a word is quoted.
 */
#ifndef CLIENT_ARGUMENTS_H
#define CLIENT_ARGUMENTS_H

#include "cfdfu/util.h"

#define ARGUMENTS_MAX 40		     /* LIMIT: words of a command line */
#define ARGUMENTS_TEXT_MAX 16384	     /* LIMIT: bytes of all of them */
#define ARGUMENTS_OPTION "--stdio-arguments" /* alone: the words are on the standard input */

struct arguments {
	char text[ARGUMENTS_TEXT_MAX];
	char *argv[ARGUMENTS_MAX + 2]; /* with the program's name, NULL-terminated */
	int argc;
};

/* words are NULL-terminated.  0, -E2BIG, or the descriptor's negative errno. */
int arguments_write(int fd, const char *const *words) MUST_CHECK;

/* Takes not a byte more than the words.  0, -EPROTO: these are none, or the descriptor's errno. */
int arguments_read(int fd, char *program, struct arguments *ret) MUST_CHECK;

#endif
