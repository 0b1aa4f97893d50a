/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/batches.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/clock.h"
#include "app/log.h"
#include "app/ports.h"
#include "app/reply.h"
#include "app/services.h"
#include "core/fleet.h"
#include "store/batch.h"

struct batches {
	const struct services *sv;
	struct store_batch row; /* of the one that runs, as it began; id 0: none does */
	char started_by[STORE_NAME_MAX];
	bool stop_recorded;
};

int
batches_new(const struct services *sv, struct batches **ret_batches)
{
	struct batches *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return -ENOMEM;
	b->sv = sv;
	*ret_batches = b;
	return 0;
}

void
batches_free(struct batches *b)
{
	free(b);
}

int64_t
batches_id(const struct batches *b)
{
	return b != NULL ? b->row.id : 0;
}

static void
keep(struct batches *b, const struct store_batch *row)
{
	b->row = *row;
	copy_text(b->started_by, sizeof(b->started_by), row->started_by);
	b->row.started_by = b->started_by;
	b->row.stopped = NULL;
	b->stop_recorded = row->stopped != NULL;
}

static void
forget(struct batches *b)
{
	static const struct store_batch none = { 0 };

	fleet_end_batch(b->sv->fleet);
	keep(b, &none);
}

/* ---- after the start ------------------------------------------------------------------------ */

/* Takes it up, if it runs. */
static bool
on_newest(void *ctx, const struct store_batch *row)
{
	struct batches *b = ctx;
	struct batch_terms terms = { .expect = row->expect,
				     .canary = row->canary,
				     .stop_after = row->stop_after };

	copy_text(terms.name, sizeof(terms.name), row->name);
	if (row->ended_ms == 0 && fleet_begin_batch(b->sv->fleet, &terms) == 0)
		keep(b, row);
	return false;
}

static void
on_ending(void *ctx, const struct update_ending *e)
{
	const struct batches *b = ctx;
	struct update_ending known = *e;

	known.label = ports_label(b->sv->ports, e->port);
	if (e->verdict.kind == VERDICT_NONE) /* cut off, which could not be recorded yet */
		known.verdict.kind = VERDICT_INTERRUPTED;
	fleet_recall_batch(b->sv->fleet, &known);
}

int
batches_load(struct batches *b)
{
	int r = store_batch_each(b->sv->store, NULL, on_newest, b);

	if (r > 0)
		r = store_batch_drones(b->sv->store, b->row.id, on_ending, b);
	if (r < 0)
		forget(b); /* WHY: an ending that is recalled twice would count twice */
	return r;
}

/* ---- its life ------------------------------------------------------------------------------- */

int
batches_start(struct batches *b, const struct batch_terms *terms, const char *user)
{
	struct store_time now = clock_time(b->sv->clock);
	struct store_batch row = { .name = terms->name,
				   .started_by = user,
				   .expect = terms->expect,
				   .canary = terms->canary,
				   .stop_after = terms->stop_after,
				   .started_ms = now.wall_ms };
	int r = store_batch_begin(b->sv->store, &row, &now, &row.id);

	if (r == 0)
		r = fleet_begin_batch(b->sv->fleet, terms);
	if (r < 0)
		return r;
	keep(b, &row);
	r = store_commit(b->sv->store, &now);
	if (r < 0)
		(void)!batches_end(b); /* WHY: it is queued, and it was said that it is not begun */
	return r;
}

int
batches_end(struct batches *b)
{
	struct store_time now = clock_time(b->sv->clock);
	int r;

	if (b->row.id == 0)
		return -ENOENT;
	r = store_batch_end(b->sv->store, b->row.id, &now);
	if (r < 0)
		return r;
	forget(b);
	return store_commit(b->sv->store, &now);
}

static void
record_stop(struct batches *b, const char *why)
{
	struct store_time now = clock_time(b->sv->clock);
	int r = store_batch_stop(b->sv->store, b->row.id, why, &now);

	b->stop_recorded = why != NULL;
	/* WHY: its end leaves the station paused, also over a restart. */
	if (r == 0 && why != NULL)
		r = store_set(b->sv->store, STORE_STATION, "paused", "yes", &now);
	if (r < 0)
		log_say(b->sv->log, LOG_WARNING, NULL, "that the batch has %s is not recorded: %s",
			why != NULL ? "stopped" : "been resumed", strerror(-r));
}

void
batches_resumed(struct batches *b)
{
	if (b->row.id != 0)
		record_stop(b, NULL);
}

void
batches_tell(void *ctx, const struct fleet_event *event)
{
	struct batches *b = ctx;

	if (event->kind == EVENT_BATCH_STOPPED && b->row.id != 0 && !b->stop_recorded)
		record_stop(b, batch_stopped(fleet_batch(b->sv->fleet)));
}

/* ---- as it is shown ------------------------------------------------------------------------- */

/* null: none. */
static json_t *
waits_for(const struct batches *b, const struct batch *batch)
{
	const char *ports[BATCH_CANARY_MAX];
	unsigned count = batch_waits_for(batch, ports);
	json_t *list = count > 0 ? json_array() : json_null();

	for (unsigned i = 0; i < count; i++) {
		char place[BATCH_PLACE_MAX];

		batch_place(ports_label(b->sv->ports, ports[i]), ports[i], place);
		(void)json_array_append_new(list, reply_text(place));
	}
	return list;
}

json_t *
batches_json(const struct batches *b, const struct store_batch *row)
{
	const struct batch *batch = fleet_batch(b->sv->fleet);
	struct store_batch of = row != NULL ? *row : b->row;
	bool runs = of.id == b->row.id;

	if (of.id == 0)
		return json_null();
	if (runs) {
		batch_counts(batch, &of.counts);
		of.name = batch_terms(batch)->name;
		of.stopped = batch_stopped(batch);
	}
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:i, s:i, s:i, s:i, s:o, s:o, "
			 "s:n, s:o}",
			 "name", of.name, "started_at", reply_moment(of.started_ms), "ended_at",
			 reply_time(of.ended_ms), "started_by", reply_text(of.started_by), "expect",
			 reply_number(of.expect, 0), "canary", reply_number(of.canary, 0),
			 "stop_after", reply_number(of.stop_after, 0), "drones",
			 (int)of.counts.drones, "good", (int)of.counts.good, "ready",
			 (int)of.counts.ready, "failed", (int)of.counts.failed, "first_good",
			 (int)of.counts.first_good, "stopped", reply_text(of.stopped), "waits_for",
			 runs ? waits_for(b, batch) : json_null(), "missing", "record_hash",
			 reply_text(row != NULL ? of.record_hash : NULL));
}
