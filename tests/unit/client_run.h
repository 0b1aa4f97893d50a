/* SPDX-License-Identifier: MIT */
/* Runs the real cfdfuctl against a service that answers what the test says. */
#ifndef TESTS_CLIENT_RUN_H
#define TESTS_CLIENT_RUN_H

#include <stdbool.h>
#include <stddef.h>

#define RUN_OUTPUT_MAX 65536
#define CLIENT_BACKUP_BYTES (11 + 274 + 8 + 6 + 16) /* what the service sends as a backup */

/* The results of a run. */
struct run {
	int status; /* exit status; 128 + signal */
	char out[RUN_OUTPUT_MAX];
	char err[RUN_OUTPUT_MAX];
	char requests[RUN_OUTPUT_MAX]; /* each followed by a newline */
	char file[RUN_OUTPUT_MAX];     /* the start of the descriptor that came along */
	size_t file_bytes;
};

/*
 * Runs `cfdfuctl --socket SOCKET words...`; words is one line, split at blanks.  replies: one for
 * each request, in order; one that has "continues" is followed by the next at once; NULL ends them,
 * and then the service hangs up on the next request.  replies NULL: there is no service.  input:
 * text for standard input.
 */
void client_run(struct run *ret_run, const char *words, const char *const *replies,
		const char *input);

/* The same with an argument vector. */
void client_run_args(struct run *ret_run, char *const *args, const char *const *replies,
		     const char *input);

/* The path of cfdfuctl in the build this test is of. */
const char *client_program(void);

/* The path of the socket of the runs, and of a directory for files; both are removed at exit. */
const char *client_socket(void);
const char *client_directory(void);

/* A service's listening socket at that path. */
int client_listen(void);

/* A file in that directory with these bytes. */
const char *client_file(const char *name, const void *bytes, size_t count);

#endif
