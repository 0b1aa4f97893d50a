/* SPDX-License-Identifier: MIT */
/*
 * Sums over all attempts, in slices that hold up no drone: one question at a time, the others wait.
 * A question that was just answered is answered alike as long as nothing was recorded since.
 */
#ifndef APP_API_STATS_H
#define APP_API_STATS_H

#include "cfdfu/util.h"

struct call;
struct services;
struct stats;

int stats_new(const struct services *sv, struct stats **ret_stats) MUST_CHECK;
void stats_free(struct stats *s); /* NULL is fine */
/* The client of this call went away; it may have asked something else. */
void stats_forget(struct stats *s, const struct call *call);

#endif
