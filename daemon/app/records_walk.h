/* SPDX-License-Identifier: MIT */
/*
 * The slow walk through the records (store_walk()), in slices that hold up no drone: each second
 * one, and the whole of it soon when that is asked for.
 */
#ifndef APP_RECORDS_WALK_H
#define APP_RECORDS_WALK_H

#include <stdbool.h>

#include "cfdfu/util.h"

struct records_walk;
struct services;

/* health: store_health() may have changed. */
int records_walk_new(const struct services *sv, void (*health)(void *ctx), void *ctx,
		     struct records_walk **ret_walk) MUST_CHECK;
void records_walk_free(struct records_walk *w); /* NULL is fine */

/* Each second, once the records are loaded: the next slice of the walk of each hour. */
void records_walk_on(struct records_walk *w);
/* The whole walk, soon; a slice between other work.  -ENOMEM. */
int records_walk_now(struct records_walk *w) MUST_CHECK;
bool records_walk_is_running(const struct records_walk *w); /* one that was asked for */
int
records_walk_error(const struct records_walk *w); /* that its last slice ended with: -errno, or 0 */

#endif
