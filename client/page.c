/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/page.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cfdfu/system.h"
#include "client/cells.h"
#include "client/out.h"

#define PAGER_ENV "CFDFU_PAGER"
#define PAGER_DEFAULT "less"
/* As git: ends when all fits, shows colours, leaves the screen alone. */
#define LESS_DEFAULT "FRX"
#define NOT_FOUND 127  /* sh(1) */
#define COLUMNS_MIN 20 /* a narrower terminal is left to break lines itself */

void
page_begin(struct page *p)
{
	FILE *memory;

	*p = (struct page){ .terminal = NULL };
	if (!isatty(STDOUT_FILENO))
		return;
	memory = open_memstream(&p->text, &p->bytes);
	if (memory == NULL)
		return; /* WHY: then it is printed as it comes */
	p->terminal = stdout;
	stdout = memory; /* WHY this way: the descriptor stays the terminal, for all who ask it */
}

void
page_line(const char *line)
{
	size_t columns = out_columns();

	if (columns < COLUMNS_MIN)
		puts(line);
	else
		cells_wrap_line(stdout, line, columns);
	(void)fflush(stdout); /* WHY: main looks at the stream's state at the end */
}

static bool
is_longer_than_screen(const char *text)
{
	struct winsize w = { .ws_row = 0 };
	size_t lines = 0;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0 || w.ws_row == 0)
		return false;
	for (; *text != '\0'; text++)
		lines += *text == '\n';
	return lines >= w.ws_row;
}

/* The command of the pager; NULL: none is wanted. */
static const char *
pager_command(void)
{
	static const char *const names[] = { PAGER_ENV, "PAGER" };
	const char *term = getenv("TERM");

	if (term == NULL || strcmp(term, "dumb") == 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *value = getenv(names[i]);

		if (value != NULL)
			return value[0] != '\0' && strcmp(value, "cat") != 0 ? value : NULL;
	}
	return PAGER_DEFAULT;
}

static void
run_pager(const char *command, int in)
{
	if (dup2(in, STDIN_FILENO) < 0)
		_exit(NOT_FOUND);
	(void)setenv("LESS", LESS_DEFAULT, 0); /* WHY: without it less works, too */
	signal(SIGPIPE, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(NOT_FOUND);
}

/* True when the pager has shown it. */
static bool
show_by_pager(const char *command, const char *text)
{
	int ends[2], status = 0;
	pid_t pid;

	if (pipe(ends) < 0)
		return false;
	pid = fork();
	if (pid == 0) {
		(void)close(ends[1]);
		run_pager(command, ends[0]);
	}
	(void)close(ends[0]);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN); /* WHY: it is the pager's, which goes on */
	if (pid > 0)
		(void)!write_all(ends[1], text, strlen(text)); /* the user has left the pager */
	(void)close(ends[1]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	signal(SIGPIPE, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	return pid > 0 && !(WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND);
}

void
page_end(struct page *p, enum page_form form)
{
	size_t columns = out_columns();
	const char *shown, *pager = form == PAGE_PAGED ? pager_command() : NULL;
	char *wrapped = NULL;

	if (p->terminal == NULL)
		return;
	(void)fclose(stdout); /* WHY: into memory; what did not fit is missed below */
	stdout = p->terminal;
	p->terminal = NULL;
	if (form != PAGE_RAW && columns >= COLUMNS_MIN && p->text != NULL)
		wrapped = cells_wrap(p->text, columns);
	shown = wrapped != NULL ? wrapped : p->text;
	if (shown == NULL)
		(void)say_no_memory();
	else if (pager == NULL || !is_longer_than_screen(shown) || !show_by_pager(pager, shown))
		fputs(shown, stdout);
	free(wrapped);
	free(p->text);
	p->text = NULL;
}
