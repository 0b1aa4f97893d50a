/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/recall.h"

#include <stdlib.h>
#include <string.h>

#include "app/clock.h"
#include "core/fleet.h"
#include "core/outcome.h"
#include "firmware/digest.h"
#include "store/store.h"

enum { RECALL_MAX = 64 }; /* LIMIT: endings before the start that are counted */

struct ending {
	int64_t id, ended_ms;
	uint8_t sha256[DIGEST_BYTES];
	char firmware[IMAGE_TEXT_MAX], serial[SERIAL_TEXT_MAX], dfu_serial[SERIAL_TEXT_MAX];
	char port[PORT_TEXT_MAX];
	enum verdict_kind verdict;
	enum fault fault;
	enum step step;
};

struct endings {
	struct ending list[RECALL_MAX];
	size_t count;
	int64_t after;
};

static bool
has_flag(const struct store_attempt *at, const char *flag)
{
	return at->flags != NULL && strstr(at->flags, flag) != NULL;
}

static void
on_ending(void *ctx, const struct store_attempt *at)
{
	struct endings *all = ctx;
	struct ending *e = &all->list[all->count];
	bool twin = has_flag(at, "dup-serial");

	if (all->count == RECALL_MAX || at->id <= all->after || at->verdict == NULL ||
	    at->firmware_sha256 == NULL || (at->kind != NULL && strcmp(at->kind, "flash") != 0) ||
	    has_flag(at, "common-cause") || !digest_parse(at->firmware_sha256, e->sha256))
		return;
	e->id = at->id;
	e->ended_ms = at->ended_ms;
	e->verdict = verdict_by_name(at->verdict);
	e->fault = fault_by_name(at->fault);
	e->step = step_by_name(at->step);
	copy_text(e->firmware, sizeof(e->firmware), at->firmware_name);
	copy_text(e->serial, sizeof(e->serial), twin ? "" : at->serial);
	copy_text(e->dfu_serial, sizeof(e->dfu_serial),
		  twin || has_flag(at, "no-serial") ? "" : at->dfu_serial);
	copy_text(e->port, sizeof(e->port), at->port);
	all->count++;
}

static int
by_end(const void *a, const void *b)
{
	const struct ending *x = a, *y = b;

	if (x->ended_ms != y->ended_ms)
		return x->ended_ms < y->ended_ms ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

void
recall_endings(struct store *store, struct fleet *fleet, int64_t after)
{
	struct endings *all = calloc(1, sizeof(*all));
	struct store_filter f = { .limit = RECALL_MAX };

	if (all == NULL)
		return;
	all->after = after;
	if (store_history(store, &f, on_ending, all) < 0)
		all->count = 0;
	qsort(all->list, all->count, sizeof(all->list[0]), by_end);
	for (size_t i = 0; i < all->count; i++) {
		const struct ending *e = &all->list[i];
		struct brake_ending b = { e->sha256, e->firmware, e->verdict,	 e->fault,
					  e->step,   e->serial,	  e->dfu_serial, e->port };

		fleet_recall(fleet, &b, clock_now_us());
	}
	free(all);
}
