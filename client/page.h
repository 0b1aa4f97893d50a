/* SPDX-License-Identifier: MIT */
/*
 * The output of a command on a terminal as a page: collected until the command has ended, wrapped
 * at words to the terminal's width, and shown by the user's pager when it is longer than the
 * screen.  Where standard output is no terminal nothing is held back and nothing is changed.
 */
#ifndef CLIENT_PAGE_H
#define CLIENT_PAGE_H

#include <stddef.h>
#include <stdio.h>

struct page {
	FILE *terminal; /* the real standard output; NULL: nothing is collected */
	char *text;
	size_t bytes;
};

enum page_form {
	PAGE_RAW,     /* as it is: JSON, CSV */
	PAGE_WRAPPED, /* at words */
	PAGE_PAGED,   /* wrapped, through the pager when it is long */
};

/* Standard output is collected from here on. */
void page_begin(struct page *p);

/* ... and shown. */
void page_end(struct page *p, enum page_form form);

/* One line of what is printed as it happens: wrapped on a terminal, flushed. */
void page_line(const char *line);

#endif
