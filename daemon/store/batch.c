/* SPDX-License-Identifier: MIT */
/* Batches: their beginning, stops and end; what came of them is read from their attempts. */
#include "config.h"

#include "store/batch.h"

#include <errno.h>
#include <sqlite3.h>

#include "store/store_internal.h"

static int
batch_of_row(struct store *s, sqlite3_stmt *row, struct store_batch *b)
{
	sqlite3_stmt *st;
	int r = db_ask(s->files.db, DB_BATCH_COUNTS, &st, "n", sqlite3_column_int64(row, 0));

	if (r <= 0)
		return r;
	*b = (struct store_batch){
		.id = sqlite3_column_int64(row, 0),
		.name = db_text(row, 1),
		.started_by = db_text(row, 2),
		.expect = (unsigned)sqlite3_column_int64(row, 3),
		.canary = (unsigned)sqlite3_column_int64(row, 4),
		.stop_after = (unsigned)sqlite3_column_int64(row, 5),
		.started_ms = sqlite3_column_int64(row, 6),
		.ended_ms = sqlite3_column_int64(row, 7),
		.stopped = db_text(row, 8),
		.record_hash = db_text(row, 9),
		.counts = { .drones = (unsigned)sqlite3_column_int64(st, 0),
			    .good = (unsigned)sqlite3_column_int64(st, 1),
			    .ready = (unsigned)sqlite3_column_int64(st, 2),
			    .failed = (unsigned)sqlite3_column_int64(st, 3),
			    .first_good = (unsigned)sqlite3_column_int64(st, 4) },
	};
	(void)sqlite3_reset(st); /* after a row: cannot fail */
	return 0;
}

int
store_batch_each(struct store *s, const char *name,
		 bool (*each)(void *ctx, const struct store_batch *b), void *ctx)
{
	struct store_batch b;
	sqlite3_stmt *st = NULL;
	int r = store_usable(s);

	if (r == 0)
		r = db_ask(s->files.db, DB_BATCHES, &st, "t", name);
	for (; r > 0; r = db_step(s->files.db, st)) {
		r = batch_of_row(s, st, &b);
		if (r < 0 || !each(ctx, &b)) {
			(void)sqlite3_reset(st); /* the error is in r */
			return r < 0 ? r : 1;
		}
	}
	return r;
}

static void
body_count(struct body *b, const char *key, unsigned count)
{
	if (count > 0)
		body_int(b, key, count);
}

int
store_batch_begin(struct store *s, const struct store_batch *b, const struct store_time *now,
		  int64_t *ret_id)
{
	int64_t id, used, running;
	sqlite3_stmt *st;
	struct body body;
	int r;

	if (!store_name_is_clean(b->name))
		return -EINVAL;
	/* The queue has to be in the tables before these are asked. */
	r = store_commit(s, now);
	if (r == 0)
		r = store_usable(s);
	if (r == 0)
		r = db_ask(s->files.db, DB_BATCH_NEXT, &st, "t", b->name);
	if (r <= 0)
		return r;
	id = sqlite3_column_int64(st, 0);
	used = sqlite3_column_int64(st, 1);
	running = sqlite3_column_int64(st, 2);
	(void)sqlite3_reset(st); /* after a row: cannot fail */
	if (used > 0 || running > 0)
		return used > 0 ? -EEXIST : -EBUSY;
	body_begin_at(&body, now);
	body_int(&body, "batch", id);
	body_text(&body, "name", b->name, STORE_NAME_MAX);
	body_text(&body, "started_by", b->started_by, STORE_NAME_MAX);
	body_count(&body, "expect", b->expect);
	body_count(&body, "canary", b->canary);
	body_count(&body, "stop_after", b->stop_after);
	r = store_queue(s, RECORD_BATCH, 0, &body);
	if (r == 0)
		*ret_id = id;
	return r;
}

static int
queue_change(struct store *s, enum record_kind kind, int64_t id, const char *why,
	     const struct store_time *now)
{
	struct body b;

	body_begin_at(&b, now);
	body_int(&b, "batch", id);
	body_text(&b, "why", why, STORE_MESSAGE_MAX);
	return store_queue(s, kind, 0, &b);
}

int
store_batch_stop(struct store *s, int64_t id, const char *why, const struct store_time *now)
{
	return queue_change(s, RECORD_BATCH_STOP, id, why, now);
}

int
store_batch_end(struct store *s, int64_t id, const struct store_time *now)
{
	return queue_change(s, RECORD_BATCH_END, id, NULL, now);
}

int
store_batch_drones(struct store *s, int64_t id,
		   void (*each)(void *ctx, const struct update_ending *e), void *ctx)
{
	struct update_ending e;
	sqlite3_stmt *st = NULL;
	int r = store_usable(s);

	if (r == 0)
		r = db_ask(s->files.db, DB_BATCH_ENDINGS, &st, "n", id);
	for (; r > 0; r = db_step(s->files.db, st)) {
		e = (struct update_ending){
			.serial = db_text(st, 0),
			.dfu_serial = db_text(st, 1),
			.port = db_text(st, 2),
			.verdict = { .kind = (enum verdict_kind)sqlite3_column_int(st, 3),
				     .fault = (enum fault)sqlite3_column_int(st, 4),
				     .step = (enum step)sqlite3_column_int(st, 5) },
			.ready = sqlite3_column_int(st, 6) != 0,
			.forgiven = sqlite3_column_int(st, 7) != 0,
		};
		each(ctx, &e);
	}
	return r;
}

int
store_batch_ports(struct store *s, int64_t id, void (*each)(void *ctx, const char *port), void *ctx)
{
	sqlite3_stmt *st = NULL;
	int r = store_usable(s);

	if (r == 0)
		r = db_ask(s->files.db, DB_BATCH_PORTS, &st, "n", id);
	for (; r > 0; r = db_step(s->files.db, st))
		each(ctx, db_text(st, 0));
	return r;
}

int
store_batch_absent(struct store *s, int64_t id, unsigned limit,
		   void (*each)(void *ctx, const struct store_absent *a), void *ctx)
{
	struct store_absent a;
	sqlite3_stmt *st = NULL;
	int r = store_usable(s);

	if (r == 0)
		r = db_ask(s->files.db, DB_BATCH_ABSENT, &st, "nn", id, (int64_t)limit);
	for (; r > 0; r = db_step(s->files.db, st)) {
		a = (struct store_absent){ db_text(st, 0), db_text(st, 1),
					   sqlite3_column_int64(st, 2), db_text(st, 3),
					   db_text(st, 4) };
		each(ctx, &a);
	}
	return r;
}
