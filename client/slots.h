/* SPDX-License-Identifier: MIT */
/* The station's slots as last heard, kept up to date from the replies of Watch. */
#ifndef CLIENT_SLOTS_H
#define CLIENT_SLOTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "cfdfu/util.h"

struct slots;

/* Told of each slot in a reply; before is NULL for one that was not known. */
typedef void slots_changed(void *ctx, const json_t *before, const json_t *after);

int slots_new(struct slots **ret_slots) MUST_CHECK;
void slots_free(struct slots *s); /* NULL is fine */

/* Applies one reply.  changed may be NULL.  0 or -ENOMEM. */
int slots_apply(struct slots *s, const json_t *reply, slots_changed *changed, void *ctx) MUST_CHECK;

const json_t *slots_station(const struct slots *s); /* NULL before the first reply */

/* All slots sorted by port, a new reference; NULL when memory ran out. */
json_t *slots_sorted(const struct slots *s);

/* The same of any list of slots. */
json_t *slots_sort(const json_t *list);

/* Questions about one slot. */
const char *slot_verdict(const json_t *slot); /* NULL: none */
bool slot_has_ended(const json_t *slot);      /* has a verdict, or nothing will be done with it */
bool slot_is_active(const json_t *slot);      /* queued or being worked on */
bool slot_has_failed(const json_t *slot);     /* fail, needs-button, interrupted */

/* "A1 (1-4)", or "1-4". */
void slot_name(const json_t *slot, char *dst, size_t size);

/* Its serial, else its DFU serial, else "". */
const char *slot_serial(const json_t *slot);

#endif
