/* SPDX-License-Identifier: MIT */
/*
 * The elements of a firmware's file, for those who look: read and judged once, not at every
 * question, and again when the file is another one by its inode, size or times, or the
 * configuration changed.
 */
#ifndef APP_ELEMENTS_H
#define APP_ELEMENTS_H

#include <jansson.h>

struct app;
struct elements;

/* LIMIT: firmware whose elements are remembered; the oldest makes room. */
enum { ELEMENTS_MAX = 256 };

/* A list of type Element, a reference of the caller's; empty when the file cannot be used. */
json_t *elements_of(struct app *a, const char *name);

/* The configuration says now what fits a device. */
void elements_forget(struct app *a);

#endif
