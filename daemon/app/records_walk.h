/* SPDX-License-Identifier: MIT */
/*
 * The work on the records beside that on drones, in slices that hold up none (store_walk()): the
 * walk through all of them, which begins at the start and again an hour after its end, sooner when
 * it is asked for; and making a damaged database again.
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

/* The whole walk from its beginning, soon. */
void records_walk_now(struct records_walk *w);
bool records_walk_is_running(const struct records_walk *w); /* one that was asked for */
int records_walk_error(const struct records_walk *w);	    /* of its last slice: -errno, or 0 */

#endif
