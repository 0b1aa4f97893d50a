/* SPDX-License-Identifier: MIT */
/* The endings that the records tell of, for the brake's count after a restart. */
#ifndef APP_RECALL_H
#define APP_RECALL_H

#include <stdint.h>

struct fleet;
struct store;

/* Of flashings after this attempt, in the order in which they ended.  Without memory, or records
 * that can be read, none is recalled: the count begins with the next ending. */
void recall_endings(struct store *store, struct fleet *fleet, int64_t after);

#endif
