/* SPDX-License-Identifier: MIT */
/*
 * Cost of a call in the daemon.  bench_call SOCKET PID METHOD PARAMETERS [RUNS]: makes the call
 * (METHOD of org.cfdfu.Station, PARAMETERS a JSON object) RUNS times (101) over one connection and
 * prints the median and the worst time from request to reply, and the processor time that process
 * PID spent on one call, in milliseconds, and the reply's size.
 */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "cfdfu/system.h"
#include "cfdfu/util.h"

#define RUNS_MAX 100000
#define REPLY_BYTES_MAX (1U << 20) /* LIMIT: many times the largest reply */

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static double
now_ms(void)
{
	return (double)clock_us(CLOCK_MONOTONIC) / 1e3;
}

/* Processor time of a process: /proc counts it in nanoseconds there. */
static double
processor_ms(const char *pid)
{
	unsigned long long ns;
	char path[64];
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%s/schedstat", pid);
	f = fopen(path, "r");
	if (f == NULL || fscanf(f, "%llu", &ns) != 1)
		die(path);
	(void)fclose(f);
	return (double)ns / 1e6;
}

static int
connected(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(at.sun_path)) {
		(void)fprintf(stderr, "%s: too long\n", path);
		exit(2);
	}
	copy_text(at.sun_path, sizeof(at.sun_path), path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		die(path);
	return fd;
}

/* Sends the request with its final NUL, reads up to the reply's; returns the reply's size. */
static size_t
call(int fd, const char *request, char *reply)
{
	size_t length = strlen(request) + 1, got = 0;

	if (write(fd, request, length) != (ssize_t)length)
		die("request");
	do {
		ssize_t n = read(fd, reply + got, REPLY_BYTES_MAX - got);

		if (n <= 0)
			die("reply");
		got += (size_t)n;
	} while (reply[got - 1] != '\0' && got < REPLY_BYTES_MAX);
	return got;
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int
main(int argc, char **argv)
{
	unsigned long runs = argc > 5 ? strtoul(argv[5], NULL, 10) : 101;
	char request[1024], *reply = malloc(REPLY_BYTES_MAX);
	double *took, processor;
	size_t size = 0;
	int fd;

	if (argc < 5 || argc > 6 || runs < 1 || runs > RUNS_MAX) {
		(void)fprintf(stderr, "usage: bench_call SOCKET PID METHOD PARAMETERS [RUNS]\n");
		return 2;
	}
	took = calloc(runs, sizeof(*took));
	if (took == NULL || reply == NULL)
		die("memory");
	(void)snprintf(request, sizeof(request),
		       "{\"method\":\"org.cfdfu.Station.%s\",\"parameters\":%s}", argv[3], argv[4]);
	fd = connected(argv[1]);
	size = call(fd, request, reply);
	if (strstr(reply, "\"error\"") != NULL) {
		(void)fprintf(stderr, "%s\n", reply);
		return 1;
	}
	processor = processor_ms(argv[2]);
	for (unsigned long i = 0; i < runs; i++) {
		double start = now_ms();

		size = call(fd, request, reply);
		took[i] = now_ms() - start;
	}
	processor = processor_ms(argv[2]) - processor;
	qsort(took, runs, sizeof(*took), by_value);
	printf("%s %s: median %.2f ms, worst %.2f ms, processor %.2f ms, %zu bytes\n", argv[3],
	       argv[4], took[runs / 2], took[runs - 1], processor / (double)runs, size);
	(void)close(fd);
	free(took);
	free(reply);
	return 0;
}
