/* SPDX-License-Identifier: MIT */
/*
 * The live picture of the station as text for a terminal of a given size; knows no terminal itself.
 *
 * Order: the rack as it stands, where its geometry is known and leaves room for what follows;
 * failed drones, each with its cause and what to do about it, in full as far as there is room, and
 * where even rows are too many only what to do and for which slots; drones at work; drones that are
 * flashed and not ready; drones that are done; the rest.  Where lines are short, a group becomes
 * one line with its count and names, last groups first; where columns are short, serials are
 * shortened to what tells them apart, then whole columns are dropped.  A percentage is never cut.
 */
#ifndef CLIENT_SCREEN_H
#define CLIENT_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

struct slots;

struct screen {
	unsigned rows, columns;
	bool colour;
	const char *notice; /* shown above all else, such as a lost connection; NULL: none */
};

/*
 * One frame: at most rows lines of at most columns cells each, every line begun by "erase to its
 * end", so that a frame written over the last one leaves nothing of it and nothing flickers.
 * malloc()ed; NULL when memory ran out.
 */
char *screen_draw(const struct slots *slots, const struct screen *how);

/* One station among several; notice NULL: none. */
struct screen_part {
	const char *title, *notice;
	const struct slots *slots;
};

/*
 * The same of several, one below the other: what there is to say of it and its counts, then its
 * drones, those that need a hand first.  Lines that one does not need go to the others.
 */
char *screen_draw_parts(const struct screen_part *parts, size_t count, const struct screen *how);

#endif
