/* SPDX-License-Identifier: MIT */
/* The rack as it stands, in text: a cell for each slot, where the station says that it is. */
#ifndef CLIENT_RACK_MAP_H
#define CLIENT_RACK_MAP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define RACK_MAP_ROW_MAX 4096 /* bytes */

struct rack_map {
	const json_t **cells; /* of slots, row by row; NULL: nothing is there */
	size_t rows, columns;
	size_t width, name; /* cells of the terminal: each, and the widest name; */
	bool words;	    /* there is room for a word, not only for a sign */
};

/*
 * Lays it out in so many cells of the terminal: slots (borrowed, sorted) without a place of their
 * own come below the others, all of them in a near-square where nothing tells a place.  False when
 * it does not fit, or without memory.
 */
bool rack_map_lay(const json_t *station, const json_t *slots, size_t cells, struct rack_map *ret);
void rack_map_done(struct rack_map *m);

void rack_map_row(const struct rack_map *m, size_t row, bool colour, char dst[RACK_MAP_ROW_MAX]);

/* The meaning of the signs, where there is no room for words. */
extern const char rack_map_signs[];

#endif
