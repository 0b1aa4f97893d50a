/* SPDX-License-Identifier: MIT */
/* A terminal small enough to look into. */
#include "config.h"

#include "terminal.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "test.h"

/* A control sequence after ESC; its length. */
static size_t
take_sequence(const char *s)
{
	size_t n = 1 + strspn(s + 1, "0123456789;");

	if (s[0] != '[' || (s[n] != 'm' && strncmp(s, "[K", 2) != 0 && strncmp(s, "[J", 2) != 0))
		fail_msg("an unknown control sequence: ESC%.8s", s);
	return n + 1;
}

/* WHY the library's width and not the client's: the test is to disagree where the client is wrong.
 */
static size_t
put_character(struct terminal *t, const char *s)
{
	char *line = t->lines[t->row];
	wchar_t code = 0;
	size_t bytes = mbrtowc(&code, s, strlen(s), &(mbstate_t){ 0 }), used = strlen(line);
	int width;

	if (bytes == 0 || bytes > 4)
		fail_msg("not a character of this locale: %.20s", s);
	width = wcwidth(code);
	if (width < 0)
		fail_msg("not printable: %.20s", s);
	t->column += (size_t)width;
	if (t->column > t->columns || t->row >= t->rows)
		t->overflow = true;
	assert_true(used + bytes + 1 < TERMINAL_BYTES_MAX);
	memcpy(line + used, s, bytes);
	line[used + bytes] = '\0';
	return bytes;
}

void
terminal_show(struct terminal *t, size_t rows, size_t columns, const char *text)
{
	memset(t, 0, sizeof(*t));
	t->rows = rows;
	t->columns = columns;
	while (*text != '\0') {
		if (*text == '\033') {
			/* WHY: it would erase the last character, under which the cursor stays */
			if (strncmp(text, "\033[K", 3) == 0 && t->column >= columns)
				t->overflow = true;
			text++;
			text += take_sequence(text);
		} else if (*text == '\r') {
			t->column = 0;
			text++;
		} else if (*text == '\n') {
			assert_int_equal(t->column, 0); /* a terminal in raw mode stays there */
			assert_true(++t->row < TERMINAL_ROWS_MAX);
			t->overflow = t->overflow || t->row >= rows;
			text++;
		} else {
			text += put_character(t, text);
		}
	}
}

int
terminal_row_of(const struct terminal *t, const char *text)
{
	for (size_t i = 0; i <= t->row; i++)
		if (strstr(t->lines[i], text) != NULL)
			return (int)i;
	return -1;
}

const char *
terminal_find(const struct terminal *t, const char *text)
{
	int row = terminal_row_of(t, text);

	return row >= 0 ? t->lines[row] : NULL;
}

void
terminal_flow(const struct terminal *t, char *dst, size_t size)
{
	size_t used = 0;

	dst[0] = '\0';
	for (size_t i = 0; i <= t->row; i++) {
		const char *line = t->lines[i] + strspn(t->lines[i], " ");
		int end = (int)strlen(line);

		while (end > 0 && line[end - 1] == ' ')
			end--;
		used += (size_t)snprintf(dst + used, size - used, "%s%.*s", used > 0 ? " " : "",
					 end, line);
		assert_true(used < size);
	}
}
