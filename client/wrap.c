/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/wrap.h"

#include <stdlib.h>
#include <string.h>

#include "client/cells.h"

#define HANGING 2
#define TITLE_MAX 6 /* cells of "warn  " and its like, which begin a line without blanks */

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

void
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
wrap_text(const char *text, size_t columns)
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
