/* SPDX-License-Identifier: MIT */
/* Output as a page: wrapped, and paged. */
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
#define LESS_DEFAULT                                                                               \
	"FRX"	       /* as git: ends when all fits, shows colours, leaves the screen alone   \
			    */
#define NOT_FOUND 127  /* sh(1) */
#define COLUMNS_MIN 20 /* a narrower terminal is left to break lines itself */
#define HANGING 2
#define TITLE_MAX 6 /* cells of "warn  " and its like, which begin a line without blanks */

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

/* How a line too long goes on. */
struct hang {
	size_t title;  /* bytes of a title that gets a line of its own; 0: none */
	size_t indent; /* cells before all lines but the first */
};

/*
 * "  title    value" goes on below the value, or where the title is too wide for that, below the
 * title; all else two cells to the right.
 */
static struct hang
hang_of(const char *line, size_t columns)
{
	size_t lead = strspn(line, " "), at = lead, value, cells;
	struct hang h = { 0, lead + HANGING < columns / 2 ? lead + HANGING : 0 };
	char *start;

	while (line[at] != '\0' && strncmp(line + at, "  ", 2) != 0)
		at++;
	value = at + strspn(line + at, " ");
	start = strndup(line, value);
	cells = start != NULL ? cells_width(start) : 0;
	free(start);
	if (line[value] == '\0' || cells == 0 || (lead < 2 && cells > TITLE_MAX))
		return h;
	if (cells <= columns / 2)
		h.indent = cells;
	else
		h.title = at;
	return h;
}

static void
wrap_line(FILE *out, const char *line, size_t columns)
{
	struct hang h = hang_of(line, columns);
	size_t used = strspn(line, " "), size = strlen(line) + 1;
	const char *rest = line + h.title;
	char *one = malloc(size);

	if (one == NULL || cells_width(line) <= columns) {
		fprintf(out, "%s\n", line);
		free(one);
		return;
	}
	if (h.title > 0) {
		fprintf(out, "%.*s\n", (int)h.title, line);
		used = h.indent;
	}
	while (cells_line(one, size, &rest, columns - used)) {
		fprintf(out, "%*s%s\n", (int)used, "", one);
		used = h.indent;
	}
	free(one);
}

char *
page_wrap(const char *text, size_t columns)
{
	char *copy = strdup(text), *wrapped = NULL, *line = copy;
	size_t bytes = 0;
	FILE *out = open_memstream(&wrapped, &bytes);

	while (copy != NULL && out != NULL && *line != '\0') {
		char *end = strchrnul(line, '\n');
		bool last = *end == '\0';

		*end = '\0';
		wrap_line(out, line, columns);
		line = end + (last ? 0 : 1);
	}
	free(copy);
	if (out == NULL || fclose(out) != 0) {
		free(wrapped);
		return NULL;
	}
	return wrapped;
}

void
page_line(const char *line)
{
	size_t columns = out_columns();

	if (columns < COLUMNS_MIN)
		puts(line);
	else
		wrap_line(stdout, line, columns);
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
		wrapped = page_wrap(p->text, columns);
	shown = wrapped != NULL ? wrapped : p->text;
	if (shown == NULL)
		say_error("out of memory");
	else if (pager == NULL || !is_longer_than_screen(shown) || !show_by_pager(pager, shown))
		fputs(shown, stdout);
	free(wrapped);
	free(p->text);
	p->text = NULL;
}
