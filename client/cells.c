/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/cells.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "cfdfu/util.h"
#include "wire/text.h"

#define LINE_BYTES 4096
#define HANGING 2
#define TITLE_MAX 6 /* cells of "warn  " and its like, which begin a line without blanks */

/* Whether only ASCII may be written. */
static bool
is_plain(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
}

void
cells_setup(void)
{
	(void)setlocale(LC_CTYPE, ""); /* WHY: an unknown locale leaves "C" */
	if (is_plain() && !isatty(STDOUT_FILENO))
		(void)setlocale(LC_CTYPE, "C.UTF-8"); /* WHY: without it, ASCII is what there is */
}

static bool
is_continuation(char c)
{
	return ((unsigned char)c & 0xC0) == 0x80;
}

/* The character at s, or our own colour: its bytes and its cells.  s is not at the end. */
static size_t
measure(const char *s, size_t *ret_cells)
{
	size_t bytes = 1;
	wchar_t code = 0;
	int width;

	*ret_cells = 0;
	if (s[0] == '\033' && s[1 + strcspn(s + 1, "m")] != '\0') /* cleaned texts have none */
		return 2 + strcspn(s + 1, "m");
	while (is_continuation(s[bytes]))
		bytes++;
	*ret_cells = 1;
	if (bytes == 1 || is_plain())
		return bytes;
	if (mbrtowc(&code, s, bytes, &(mbstate_t){ 0 }) != bytes)
		return bytes;
	width = wcwidth(code);
	*ret_cells = width < 0 ? 1 : (size_t)width;
	return bytes;
}

void
cells_clean(char *dst, size_t size, const char *src)
{
	size_t from = 0, to = 0;

	text_clean(dst, size, src);
	if (!is_plain())
		return;
	while (dst[from] != '\0') {
		dst[to++] = (unsigned char)dst[from] < 0x80 ? dst[from] : '?';
		from++;
		while (is_continuation(dst[from]))
			from++;
	}
	dst[to] = '\0';
}

size_t
cells_width(const char *text)
{
	size_t total = 0, cells;

	while (*text != '\0') {
		text += measure(text, &cells);
		total += cells;
	}
	return total;
}

size_t
cells_prefix(const char *text, size_t cells)
{
	size_t at = 0, taken;

	while (text[at] != '\0') {
		size_t bytes = measure(text + at, &taken);

		if (taken > cells)
			break;
		cells -= taken;
		at += bytes;
	}
	return at;
}

void
cells_cut(char *dst, size_t size, const char *text, size_t cells)
{
	const char *mark = is_plain() ? "~" : "\u2026";
	size_t bytes = cells_prefix(text, cells);

	if (text[bytes] == '\0' || cells == 0) {
		copy_text(dst, size, text[bytes] == '\0' ? text : "");
		return;
	}
	bytes = cells_prefix(text, cells - 1);
	(void)snprintf(dst, size, "%.*s%s", (int)bytes, text, mark); /* WHY: cut is fine */
}

void
cells_fit(char *dst, size_t size, const char *text, size_t cells)
{
	size_t width, used;

	cells_cut(dst, size, text, cells);
	used = strlen(dst);
	for (width = cells_width(dst); width < cells && used + 1 < size; width++)
		dst[used++] = ' ';
	dst[used] = '\0';
}

bool
cells_line(char *dst, size_t size, const char **text, size_t cells)
{
	const char *s = *text + strspn(*text, " \n");
	size_t bytes = cells_prefix(s, cells > 0 ? cells : 1), end = strcspn(s, "\n");

	if (*s == '\0')
		return false;
	bytes = bytes < end ? bytes : end;
	if (bytes == 0) { /* a wide character in a line of one cell */
		size_t unused;

		bytes = measure(s, &unused);
	}
	end = bytes;
	if (strchr(" \n", s[bytes]) == NULL) {
		while (end > 0 && s[end - 1] != ' ')
			end--;
		if (end == 0)
			end = bytes; /* one word longer than the line */
	}
	*text = s + end;
	while (end > 0 && s[end - 1] == ' ')
		end--;
	(void)snprintf(dst, size, "%.*s", (int)end, s); /* WHY: a line fits; cut is fine */
	return true;
}

size_t
cells_lines(const char *text, size_t cells)
{
	char line[LINE_BYTES];
	size_t n = 0;

	while (cells_line(line, sizeof(line), &text, cells))
		n++;
	return n;
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

void
cells_wrap_line(FILE *out, const char *line, size_t columns)
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
cells_wrap(const char *text, size_t columns)
{
	char *copy = strdup(text), *wrapped = NULL, *line = copy;
	size_t bytes = 0;
	FILE *out = open_memstream(&wrapped, &bytes);

	while (copy != NULL && out != NULL && *line != '\0') {
		char *end = strchrnul(line, '\n');
		bool last = *end == '\0';

		*end = '\0';
		cells_wrap_line(out, line, columns);
		line = end + (last ? 0 : 1);
	}
	free(copy);
	if (out == NULL || fclose(out) != 0) {
		free(wrapped);
		return NULL;
	}
	return wrapped;
}
