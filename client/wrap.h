/* SPDX-License-Identifier: MIT */
/*
 * Lines wrapped at words to so many cells.  Further lines of a line begin below its value
 * ("  title    value"), or two cells to the right.
 */
#ifndef CLIENT_WRAP_H
#define CLIENT_WRAP_H

#include <stddef.h>
#include <stdio.h>

void wrap_line(FILE *out, const char *line, size_t columns);

/* A text line by line, as a new text; NULL when memory ran out. */
char *wrap_text(const char *text, size_t columns);

#endif
