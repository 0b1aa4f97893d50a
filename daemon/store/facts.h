/* SPDX-License-Identifier: MIT */
/* All attempts in the order of their beginnings, a few at a time: what sums are made of. */
#ifndef STORE_FACTS_H
#define STORE_FACTS_H

#include "cfdfu/recorded.h"
#include "store/store.h"

/* Whose row a number in a fact is. */
enum store_named { STORE_NAMED_DRONE, STORE_NAMED_IMAGE, STORE_NAMED_BATCH };

/* The highest id there is, also of one that is not durable yet. */
int64_t store_last_attempt(const struct store *s);
/* Those with higher ids than after, until each() says false: then 1; 0 behind the last one; or
 * negative errno (-EIO: the database cannot be read now). */
int store_facts(struct store *s, int64_t after, bool (*each)(void *ctx, const struct yield_fact *f),
		void *ctx) MUST_CHECK;
/* A drone's serial, an image's SHA-256 and name, a batch's name twice; "" when unknown. */
void store_fact_name(struct store *s, enum store_named what, int64_t id,
		     char ret_key[STORE_NAME_MAX], char ret_name[STORE_NAME_MAX]);

#endif
