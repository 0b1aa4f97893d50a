/* SPDX-License-Identifier: MIT */
/*
 * The batch of the records and the batch of the fleet are one: here it is begun, stopped, resumed
 * and ended in both, and taken up again after a restart.
 */
#ifndef APP_BATCHES_H
#define APP_BATCHES_H

#include <jansson.h>
#include <stdint.h>

#include "cfdfu/util.h"

struct batch_terms;
struct batches;
struct fleet_event;
struct services;
struct store_batch;

int batches_new(const struct services *sv, struct batches **ret_batches) MUST_CHECK; /* -ENOMEM */
void batches_free(struct batches *b); /* NULL is fine */

/* After the start: the one that runs by the records goes on, and what ended in it is counted.
 * Negative errno: to be tried again. */
int batches_load(struct batches *b) MUST_CHECK;

/* Durable when they return 0.  As store_batch_begin(), and as fleet_begin_batch(). */
int batches_start(struct batches *b, const struct batch_terms *terms, const char *user) MUST_CHECK;
int batches_end(struct batches *b) MUST_CHECK; /* -ENOENT: none runs */

int64_t batches_id(const struct batches *b); /* of the one that runs; 0: none, also of b NULL */
void batches_resumed(struct batches *b);     /* the fleet is */
/* A listener (app/dispatch.h), with the batches as its context: that it has stopped. */
void batches_tell(void *ctx, const struct fleet_event *event);

/* Type Batch of one of the records, without what is missing; row NULL: of the one that runs, as far
 * as that is known without the records; null: none does. */
json_t *batches_json(const struct batches *b, const struct store_batch *row);

#endif
