/* SPDX-License-Identifier: MIT */
/*
 * Text as a terminal shows it, measured in cells: an umlaut takes one, a Chinese character or an
 * emoji two, a combining mark none.  The one place where texts are measured, cut, padded and
 * wrapped.  Texts are UTF-8, cleaned (wire/text.h); colours
 * (out.h) take no cell.
 *
 * A terminal whose locale is not UTF-8 gets ASCII: cells_setup() leaves such a locale in force,
 * and every character beyond ASCII becomes '?'.  Files and pipes get UTF-8 in any locale.
 */
#ifndef CLIENT_CELLS_H
#define CLIENT_CELLS_H

#include <stdbool.h>
#include <stdio.h>

/* Takes the user's locale for characters; UTF-8 where standard output is no terminal. */
void cells_setup(void);

/* Cleans src (NULL counts as "") into dst; ASCII alone where only that may be written. */
void cells_clean(char *dst, size_t size, const char *src);

size_t cells_width(const char *text);

/* Bytes of the longest beginning of at most so many cells; marks stay with their letter. */
size_t cells_prefix(const char *text, size_t cells);

/* The text in at most so many cells: what is cut ends in an ellipsis. */
void cells_cut(char *dst, size_t size, const char *text, size_t cells);

/* The same in exactly so many: what is shorter gets blanks. */
void cells_fit(char *dst, size_t size, const char *text, size_t cells);

/*
 * One line of a wrapped text: takes words from *text up to a newline, at most so many cells of
 * them, and moves *text to the next word.  A word longer than a line is cut.  False at the end of
 * the text.
 */
bool cells_line(char *dst, size_t size, const char **text, size_t cells);

/* Lines that the text takes. */
size_t cells_lines(const char *text, size_t cells);

/*
 * A line wrapped at words to so many cells: further lines of it begin below its value
 * ("  title    value"), or two cells to the right.  A text line by line, as a new text; NULL when
 * memory ran out.
 */
void cells_wrap_line(FILE *out, const char *line, size_t cells);
char *cells_wrap(const char *text, size_t cells);

#endif
