/* SPDX-License-Identifier: MIT */
/*
 * A terminal small enough to look into: takes what a program prints and says what stands where, in
 * cells.  Knows UTF-8, carriage return, line feed, "erase to the end" of the line or the
 * screen, and colours; any other control fails the test.
 */
#ifndef TESTS_TERMINAL_H
#define TESTS_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

#define TERMINAL_ROWS_MAX 256
#define TERMINAL_BYTES_MAX 2048

struct terminal {
	size_t rows, columns;
	size_t row, column;
	bool overflow; /* something did not fit: a line was too long, or a line too many */
	char lines[TERMINAL_ROWS_MAX][TERMINAL_BYTES_MAX];
};

void terminal_show(struct terminal *t, size_t rows, size_t columns, const char *text);

/* The first line that has this text; NULL: none. */
const char *terminal_find(const struct terminal *t, const char *text);

/* Its number, from 0; -1: none. */
int terminal_row_of(const struct terminal *t, const char *text);

/* All lines as one text, their blanks at both ends taken away, one blank between them. */
void terminal_flow(const struct terminal *t, char *dst, size_t size);

#endif
