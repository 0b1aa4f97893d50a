/* SPDX-License-Identifier: MIT */
/*
 * The live picture of the station as text for a terminal of a given size; knows no terminal itself.
 */
#ifndef CLIENT_SCREEN_H
#define CLIENT_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

struct slots;

struct screen_size {
	unsigned rows, columns;
};

/*
 * One frame: at most rows lines of at most columns characters each, every line ended by "erase to
 * its end", so that a frame written over the last one leaves nothing of it and nothing flickers.
 * malloc()ed; NULL when memory ran out.
 */
char *screen_draw(const struct slots *slots, struct screen_size size, bool colour);

/* "[#######.....]", width characters inside. */
void screen_bar(char *dst, size_t size, unsigned width, long long percent);

#endif
