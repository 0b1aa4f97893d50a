/* SPDX-License-Identifier: MIT */
/* One drone in one line of the live picture. */
#ifndef CLIENT_SCREEN_ROW_H
#define CLIENT_SCREEN_ROW_H

#include "client/out.h"

#define ROW_NAME_MAX 256

/* Cells of each column; 0: left out. */
struct row_widths {
	size_t name, serial, plug, what;
};

/* The columns of the table that fit into a terminal of so many cells. */
void row_measure(const json_t *slots, size_t columns, struct row_widths *ret_widths);

void row_headings(const struct row_widths *w, char *dst, size_t size);
void row_draw(const json_t *slot, const struct row_widths *w, char *dst, size_t size);

enum colour row_colour(const json_t *slot);

#endif
