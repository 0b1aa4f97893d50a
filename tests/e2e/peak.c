/* SPDX-License-Identifier: MIT */
/* peak FILE COMMAND...: runs a command and writes the most memory it had, in KiB, into a file. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* The exit status is the command's; 128 and more: it was ended by a signal. */
int
main(int argc, char **argv)
{
	struct rusage usage;
	int status;
	pid_t child;
	FILE *f;

	if (argc < 3) {
		fputs("usage: peak FILE COMMAND...\n", stderr);
		return 2;
	}
	child = fork();
	if (child == 0) {
		execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &usage) != child) {
		perror("peak");
		return 126;
	}
	f = fopen(argv[1], "we");
	if (f == NULL || fprintf(f, "%ld\n", usage.ru_maxrss) < 0 || fclose(f) != 0) {
		perror(argv[1]);
		return 126;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
