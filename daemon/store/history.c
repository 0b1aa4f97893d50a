/* SPDX-License-Identifier: MIT */
/* Reading attempts: history with filters, one attempt with its stages, counts. */
#include "config.h"

#include "store/store_private.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* LIMIT: rows of one verdict that may be walked through to find those of a time. */
#define VERDICT_RARE 20000

static const char *
text(sqlite3_stmt *st, int column)
{
	return (const char *)sqlite3_column_text(st, column);
}

static int64_t
number(sqlite3_stmt *st, int column)
{
	return sqlite3_column_type(st, column) == SQLITE_NULL ? -1
							      : sqlite3_column_int64(st, column);
}

/* The columns of ATTEMPT_COLUMNS, in their order. */
static void
attempt_of_row(sqlite3_stmt *st, struct store_attempt *a)
{
	*a = (struct store_attempt){
		.id = sqlite3_column_int64(st, 0),
		.started_ms = sqlite3_column_int64(st, 1),
		.ended_ms = number(st, 2),
		.started_at = text(st, 3),
		.ended_at = text(st, 4),
		.kind = text(st, 5),
		.port = text(st, 6),
		.label = text(st, 7),
		.serial = text(st, 8),
		.dfu_serial = text(st, 9),
		.platform = text(st, 10),
		.firmware_name = text(st, 11),
		.firmware_version = text(st, 12),
		.firmware_sha256 = text(st, 13),
		.version_before = text(st, 14),
		.version_after = text(st, 15),
		.verdict = text(st, 16),
		.fault = text(st, 17),
		.fault_class = text(st, 18),
		.step = text(st, 19),
		.address = number(st, 20),
		.bytes_written = number(st, 21),
		.sectors_erased = number(st, 22),
		.transfers = number(st, 23),
		.duration_ms = number(st, 24),
		.message = text(st, 25),
		.flags = text(st, 26),
		.synchronised = sqlite3_column_int(st, 27) != 0,
	};
}

/* Runs a query of one row and at most two numbers; 1 found. */
static int
two_numbers(struct store *s, sqlite3_stmt *st, int64_t *ret_a, int64_t *ret_b)
{
	int r = db_step(s->db, st);

	if (r > 0) {
		*ret_a = sqlite3_column_int64(st, 0);
		*ret_b = sqlite3_column_int64(st, 1);
		(void)sqlite3_reset(st); /* after a row: cannot fail */
	}
	return r;
}

/* Which index walks past the fewest rows. */
struct choice {
	enum db_query query;
	int64_t drone;
};

static int
choose_by_serial(struct store *s, const char *serial, struct choice *c)
{
	sqlite3_stmt *st = db_query(s->db, DB_DRONES_WITH);
	int64_t count = 0;
	int r;

	db_bind_text(st, 1, serial);
	r = two_numbers(s, st, &c->drone, &count);
	c->query = count > 1 ? DB_HISTORY_DRONES : DB_HISTORY_DRONE;
	return r;
}

static int
choose_by_verdict(struct store *s, const struct store_filter *f, struct choice *c)
{
	sqlite3_stmt *st = db_query(s->db, DB_TALLY_ONE);
	int64_t count = 0, none;
	int r;

	db_bind_text(st, 1, f->verdict);
	r = two_numbers(s, st, &count, &none);
	c->query = count > VERDICT_RARE && (f->since_ms > 0 || f->until_ms > 0)
		       ? DB_HISTORY
		       : DB_HISTORY_VERDICT;
	return r;
}

static int
choose(struct store *s, const struct store_filter *f, struct choice *c)
{
	sqlite3_stmt *st;
	int r = 0;

	c->query = DB_HISTORY;
	c->drone = -1;
	if (store_text_present(f->verdict) && strcmp(f->verdict, "running") == 0) {
		c->query = DB_HISTORY_RUNNING;
	} else if (store_text_present(f->serial)) {
		r = choose_by_serial(s, f->serial, c);
	} else if (store_text_present(f->slot)) {
		st = db_query(s->db, DB_PORT_KNOWN);
		db_bind_text(st, 1, f->slot);
		r = db_step(s->db, st);
		c->query = r > 0 ? DB_HISTORY_PORT : DB_HISTORY_LABEL;
		(void)sqlite3_reset(st); /* the error is in r */
	} else if (store_text_present(f->verdict)) {
		r = choose_by_verdict(s, f, c);
	}
	return r < 0 ? r : 0;
}

/* Where the cursor's attempt (or the newest) stands, so that the walk can begin there. */
static int
find_place(struct store *s, int64_t before_id, int64_t *ret_segment, int64_t *ret_ms)
{
	sqlite3_stmt *st = db_query(s->db, DB_PLACE);
	int r;

	*ret_segment = *ret_ms = 0;
	(void)sqlite3_bind_int64(st, 1, before_id); /* copies nothing: cannot fail */
	r = two_numbers(s, st, ret_segment, ret_ms);
	return r < 0 ? r : 0;
}

static int
prepare_history(struct store *s, const struct store_filter *f, sqlite3_stmt **ret_st)
{
	int64_t before = f->before_id > 0 ? f->before_id : INT64_MAX, segment = 0, ms = 0;
	unsigned limit =
	    f->limit > 0 && f->limit < STORE_HISTORY_MAX ? f->limit : STORE_HISTORY_MAX;
	struct choice c;
	sqlite3_stmt *st;
	int r = choose(s, f, &c);

	if (r == 0)
		r = find_place(s, before, &segment, &ms);
	if (r < 0)
		return r;
	st = db_query(s->db, c.query);
	db_bind_text(st, 1, f->serial);
	db_bind_text(st, 2, f->slot);
	if (c.query != DB_HISTORY_RUNNING)
		db_bind_text(st, 3, f->verdict);
	(void)sqlite3_bind_int64(st, 4, f->since_ms); /* numbers are not copied: cannot fail */
	(void)sqlite3_bind_int64(st, 5, f->until_ms > 0 ? f->until_ms : INT64_MAX);
	(void)sqlite3_bind_int64(st, 6, before);
	(void)sqlite3_bind_int64(st, 7, limit);
	if (c.query != DB_HISTORY_RUNNING) {
		(void)sqlite3_bind_int64(st, 8, segment);
		(void)sqlite3_bind_int64(st, 9, ms);
	}
	if (c.query == DB_HISTORY_DRONE)
		(void)sqlite3_bind_int64(st, 10, c.drone);
	*ret_st = st;
	return 0;
}

int
store_history(struct store *s, const struct store_filter *f,
	      void (*each)(void *ctx, const struct store_attempt *a), void *ctx)
{
	struct store_attempt a;
	sqlite3_stmt *st = NULL;
	int r = store_usable(s), rows = 0;

	if (r == 0)
		r = prepare_history(s, f, &st);
	if (r < 0)
		return r;
	while ((r = db_step(s->db, st)) > 0) {
		attempt_of_row(st, &a);
		each(ctx, &a);
		rows++;
	}
	return r < 0 ? r : rows;
}

static int
read_stages(struct store *s, int64_t id, struct store_stage *stages, size_t *ret_count)
{
	sqlite3_stmt *st = db_query(s->db, DB_STAGES);
	size_t n = 0;
	int r;

	(void)sqlite3_bind_int64(st, 1, id); /* cannot fail */
	while ((r = db_step(s->db, st)) > 0 && n < STORE_STAGES_MAX) {
		stages[n].name = strdup(sqlite3_column_text(st, 0) != NULL ? text(st, 0) : "");
		stages[n].ms = sqlite3_column_int64(st, 1);
		n++;
	}
	(void)sqlite3_reset(st); /* the error is in r */
	*ret_count = n;
	return r < 0 ? r : 0;
}

int
store_attempt_get(struct store *s, int64_t id,
		  void (*each)(void *ctx, const struct store_attempt *a), void *ctx)
{
	struct store_stage stages[STORE_STAGES_MAX];
	struct store_attempt a;
	sqlite3_stmt *st;
	size_t count = 0;
	int r = store_usable(s);

	if (r == 0)
		r = read_stages(s, id, stages, &count);
	if (r == 0) {
		st = db_query(s->db, DB_ATTEMPT);
		(void)sqlite3_bind_int64(st, 1, id); /* cannot fail */
		r = db_step(s->db, st);
		if (r > 0) {
			attempt_of_row(st, &a);
			a.stages = stages;
			a.stage_count = count;
			each(ctx, &a);
			(void)sqlite3_reset(st); /* after a row: cannot fail */
			r = 0;
		} else if (r == 0) {
			r = -ENOENT;
		}
	}
	for (size_t i = 0; i < count; i++)
		free((char *)stages[i].name); /* const for those it is shown to */
	return r;
}

int
store_counts(struct store *s, void (*each)(void *ctx, const char *verdict, int64_t count),
	     void *ctx)
{
	sqlite3_stmt *st;
	int r = store_usable(s);

	if (r < 0)
		return r;
	st = db_query(s->db, DB_TALLY);
	while ((r = db_step(s->db, st)) > 0)
		each(ctx, text(st, 0), sqlite3_column_int64(st, 1));
	return r;
}
