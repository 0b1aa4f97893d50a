/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/refusal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cfdfu/system.h"
#include "client/cells.h"

#define DAEMON_ENV "CFDFU_DAEMON" /* another program than the installed one */
#define DAEMON SBINDIR "/cfdfud"
#define PATIENCE_S 30
#define NOT_FOUND 127
#define REFUSED 1 /* exit status of cfdfud --test-config */

static void
run_check(const char *program, int err)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(err, STDERR_FILENO) < 0)
		_exit(NOT_FOUND);
	(void)alarm(PATIENCE_S); /* WHY: a file on a dead network must not hold us */
	execl(program, program, "--test-config", (char *)NULL);
	_exit(NOT_FOUND);
}

/* All that comes, as far as it fits. */
static void
read_text(int fd, char *text, size_t size)
{
	size_t used = 0;
	ssize_t n;

	do {
		n = read(fd, text + used, size - 1 - used);
		used += n > 0 ? (size_t)n : 0;
	} while ((n > 0 && used + 1 < size) || (n < 0 && errno == EINTR));
	text[used] = '\0';
}

bool
refusal_of_configuration(char why[REFUSAL_MAX])
{
	static const char prefix[] = "cfdfud: ";
	const char *program = environment(DAEMON_ENV, DAEMON);
	char text[REFUSAL_MAX], *sentence = text;
	int ends[2], status = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	pid = fork();
	if (pid == 0)
		run_check(program, ends[1]);
	(void)close(ends[1]);
	read_text(ends[0], text, sizeof(text));
	(void)close(ends[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != REFUSED)
		return false;
	if (strncmp(sentence, prefix, sizeof(prefix) - 1) == 0)
		sentence += sizeof(prefix) - 1;
	sentence[strcspn(sentence, "\n")] = '\0';
	cells_clean(why, REFUSAL_MAX, sentence);
	return sentence[0] != '\0' && strstr(sentence, strerror(EACCES)) == NULL;
}
