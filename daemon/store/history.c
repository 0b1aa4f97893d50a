/* SPDX-License-Identifier: MIT */
/* Reading attempts: history with filters, one attempt with its stages. */
#include "config.h"

#include "store/store_internal.h"

#include <errno.h>
#include <sqlite3.h>

static int64_t
number(sqlite3_stmt *st, int column)
{
	return sqlite3_column_type(st, column) == SQLITE_NULL ? -1
							      : sqlite3_column_int64(st, column);
}

#define SORT_STEPS 400000 /* LIMIT: of SQLite's machine before a first row: some milliseconds */

struct stages {
	struct store_stage list[STORE_STAGES_MAX];
	char names[STORE_STAGES_MAX][STORE_NAME_MAX];
	size_t count;
};

/* The columns of ATTEMPT_COLUMNS, in their order. */
enum { COLUMN_WANTED = 32 }; /* of a history: behind them */

static void
attempt_of_row(sqlite3_stmt *st, struct store_attempt *a)
{
	*a = (struct store_attempt){
		.id = sqlite3_column_int64(st, 0),
		.started_ms = sqlite3_column_int64(st, 1),
		.ended_ms = number(st, 2),
		.kind = db_text(st, 3),
		.port = db_text(st, 4),
		.label = db_text(st, 5),
		.serial = db_text(st, 6),
		.dfu_serial = db_text(st, 7),
		.platform = db_text(st, 8),
		.firmware_name = db_text(st, 9),
		.firmware_version = db_text(st, 10),
		.firmware_sha256 = db_text(st, 11),
		.version_before = db_text(st, 12),
		.version_after = db_text(st, 13),
		.verdict = db_text(st, 14),
		.fault = db_text(st, 15),
		.fault_class = db_text(st, 16),
		.step = db_text(st, 17),
		.address = number(st, 18),
		.bytes_written = number(st, 19),
		.sectors_erased = number(st, 20),
		.transfers = number(st, 21),
		.duration_ms = number(st, 22),
		.message = db_text(st, 23),
		.flags = db_text(st, 24),
		.synchronised = sqlite3_column_int(st, 25) != 0,
		.target = db_text(st, 26),
		.radio_before = db_text(st, 27),
		.batch = db_text(st, 30),
		.signer = db_text(st, 31),
	};
}

/* With what only its records say; those are not looked up for rows that are passed over. */
static int
tell(struct store *s, sqlite3_stmt *row, const struct stages *stages,
     void (*each)(void *ctx, const struct store_attempt *a), void *ctx)
{
	struct store_attempt a;
	sqlite3_stmt *st;
	int r = db_ask(s->files.db, DB_RECORDS_OF, &st, "nn", sqlite3_column_int64(row, 28),
		       sqlite3_column_int64(row, 29));

	if (r < 0)
		return r;
	attempt_of_row(row, &a);
	if (stages != NULL) {
		a.stages = stages->list;
		a.stage_count = stages->count;
	}
	if (r > 0) {
		a.uuid = db_text(st, 0);
		a.condition = db_text(st, 1);
	}
	each(ctx, &a);
	(void)sqlite3_reset(st); /* after a row, or none: cannot fail */
	return 0;
}

/* The two numbers of a query of one row at most; 1 found. */
static int
two_numbers(sqlite3_stmt *st, int r, int64_t *ret_a, int64_t *ret_b)
{
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
choose_by_serial(struct store *s, const struct store_filter *f, bool sort, struct choice *c)
{
	bool verdict = text_present(f->verdict);
	sqlite3_stmt *st;
	int64_t count = 0;
	int r = db_ask(s->files.db, DB_DRONES_WITH, &st, "t", f->serial);

	r = two_numbers(st, r, &c->drone, &count);
	if (count > 1)
		c->query = sort ? DB_HISTORY_DRONES : DB_HISTORY;
	else
		c->query = verdict ? DB_HISTORY_DRONE_VERDICT : DB_HISTORY_DRONE;
	return r;
}

static int
choose_by_slot(struct store *s, const char *slot, bool verdict, struct choice *c)
{
	sqlite3_stmt *st;
	int r = db_ask(s->files.db, DB_PORT_KNOWN, &st, "t", slot);

	if (r > 0)
		c->query = verdict ? DB_HISTORY_PORT_VERDICT : DB_HISTORY_PORT;
	else
		c->query = verdict ? DB_HISTORY_LABEL_VERDICT : DB_HISTORY_LABEL;
	(void)sqlite3_reset(st); /* the error is in r */
	return r;
}

static int
choose(struct store *s, const struct store_filter *f, bool sort, struct choice *c)
{
	bool verdict = text_present(f->verdict);
	int r = 0;

	c->query = verdict ? DB_HISTORY_VERDICT : DB_HISTORY;
	c->drone = -1;
	if (verdict && strcmp(f->verdict, "running") == 0)
		c->query = DB_HISTORY_RUNNING;
	else if (f->batch > 0)
		c->query = DB_HISTORY_BATCH;
	else if (text_present(f->serial))
		r = choose_by_serial(s, f, sort, c);
	else if (text_present(f->slot))
		r = choose_by_slot(s, f->slot, verdict, c);
	return r < 0 ? r : 0;
}

/* Where the cursor's attempt (or the newest) stands, so that the walk can begin there. */
static int
find_place(struct store *s, int64_t before_id, int64_t *ret_segment, int64_t *ret_ms)
{
	sqlite3_stmt *st;
	int r = db_ask(s->files.db, DB_PLACE, &st, "n", before_id);

	*ret_segment = *ret_ms = 0;
	r = two_numbers(st, r, ret_segment, ret_ms);
	return r < 0 ? r : 0;
}

static int
prepare_history(struct store *s, const struct store_filter *f, bool sort, sqlite3_stmt **ret_st)
{
	int64_t before = f->before_id > 0 ? f->before_id : INT64_MAX, segment = 0, ms = 0;
	struct choice c;
	int r = choose(s, f, sort, &c);

	if (r == 0)
		r = find_place(s, before, &segment, &ms);
	if (r < 0)
		return r;
	*ret_st = db_query(s->files.db, c.query, "tttnnnnnntn", f->serial, f->slot, f->verdict,
			   f->since_ms != 0 ? f->since_ms : INT64_MIN,
			   f->until_ms > 0 ? f->until_ms : INT64_MAX, before, segment, ms, c.drone,
			   f->kind, f->batch);
	return 0;
}

static int
stop(void *ctx)
{
	(void)ctx;
	return 1;
}

/* The first row, or what db_step() says; when much has to be sorted before it, without sorting. */
static int
first_row(struct store *s, const struct store_filter *f, sqlite3_stmt **ret_st)
{
	int steps = f->sort_steps > 0 ? (int)f->sort_steps : SORT_STEPS;
	int r = prepare_history(s, f, true, ret_st);

	if (r < 0)
		return r;
	sqlite3_progress_handler(db_handle(s->files.db), steps, stop, NULL);
	r = db_step(s->files.db, *ret_st);
	sqlite3_progress_handler(db_handle(s->files.db), 0, NULL, NULL);
	if (r >= 0 || sqlite3_errcode(db_handle(s->files.db)) != SQLITE_INTERRUPT)
		return r;
	r = prepare_history(s, f, false, ret_st);
	return r < 0 ? r : db_step(s->files.db, *ret_st);
}

int
store_history(struct store *s, const struct store_filter *f,
	      void (*each)(void *ctx, const struct store_attempt *a), void *ctx)
{
	bool limited = f->limit > 0 && f->limit < STORE_HISTORY_MAX;
	int limit = limited ? (int)f->limit : STORE_HISTORY_MAX;
	sqlite3_stmt *st = NULL;
	int r = store_usable(s), rows = 0;
	int64_t next = 0;

	if (r == 0)
		r = first_row(s, f, &st);
	for (; r > 0; r = db_step(s->files.db, st)) {
		int64_t id = sqlite3_column_int64(st, 0);

		if (sqlite3_column_int(st, COLUMN_WANTED) != 0) {
			r = tell(s, st, NULL, each, ctx);
			rows++;
		}
		if (r < 0) {
			(void)sqlite3_reset(st); /* the error is in r */
			break;
		}
		if (rows == limit || (f->enough != NULL && f->enough(ctx))) {
			next = id;
			r = 0;
			(void)sqlite3_reset(st); /* after a row: cannot fail */
			break;
		}
	}
	if (f->ret_next != NULL)
		*f->ret_next = next;
	return r < 0 ? r : rows;
}

static int
read_stages(struct store *s, int64_t id, struct stages *ret)
{
	sqlite3_stmt *st = NULL;
	int r = db_ask(s->files.db, DB_STAGES, &st, "n", id);

	ret->count = 0;
	for (; r > 0 && ret->count < STORE_STAGES_MAX; r = db_step(s->files.db, st)) {
		char *name = ret->names[ret->count];

		if (db_text(st, 0) == NULL) {
			r = -ENOMEM; /* a name is never NULL */
			break;
		}
		copy_text(name, STORE_NAME_MAX, db_text(st, 0));
		ret->list[ret->count++] = (struct store_stage){ name, sqlite3_column_int64(st, 1) };
	}
	(void)sqlite3_reset(st); /* the error is in r */
	return r < 0 ? r : 0;
}

int
store_attempt_get(struct store *s, int64_t id,
		  void (*each)(void *ctx, const struct store_attempt *a), void *ctx)
{
	struct stages stages;
	sqlite3_stmt *st;
	int r = store_usable(s);

	if (r == 0)
		r = read_stages(s, id, &stages);
	if (r == 0)
		r = db_ask(s->files.db, DB_ATTEMPT, &st, "n", id);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	r = tell(s, st, &stages, each, ctx);
	(void)sqlite3_reset(st); /* after a row: cannot fail */
	return r;
}

/* ---- for other databases -------------------------------------------------------------------- */

enum { COLUMN_SEQ = COLUMN_WANTED + 1, COLUMN_HASH, COLUMN_IS_CONDITION };

static int
read_chain(struct store *s, struct store_endings *e)
{
	sqlite3_stmt *st;
	int r = db_ask(s->files.db, DB_CHAIN, &st, "n", e->after);

	if (r <= 0)
		return r;
	copy_text(e->station, sizeof(e->station), db_text(st, 0));
	copy_text(e->after_hash, sizeof(e->after_hash), db_text(st, 1));
	copy_text(e->next_hash, sizeof(e->next_hash), e->after_hash);
	e->next = e->after;
	e->head = sqlite3_column_int64(st, 2);
	e->total = sqlite3_column_int64(st, 3);
	(void)sqlite3_reset(st); /* after a row: cannot fail */
	return 0;
}

int
store_endings(struct store *s, struct store_endings *e, void *ctx)
{
	sqlite3_stmt *st = NULL;
	unsigned rows = 0;
	int r = store_usable(s);

	if (r == 0)
		r = read_chain(s, e);
	if (r == 0 && e->limit > 0)
		r = db_ask(s->files.db, DB_ENDINGS, &st, "n", e->after);
	for (; r > 0; r = db_step(s->files.db, st)) {
		struct stages stages;

		e->next = sqlite3_column_int64(st, COLUMN_SEQ);
		e->condition = sqlite3_column_int(st, COLUMN_IS_CONDITION) != 0;
		copy_text(e->next_hash, sizeof(e->next_hash), db_text(st, COLUMN_HASH));
		if (sqlite3_column_int(st, COLUMN_WANTED) != 0) {
			r = read_stages(s, sqlite3_column_int64(st, 0), &stages);
			if (r == 0)
				r = tell(s, st, &stages, e->each, ctx);
			rows++;
		}
		if (r < 0 || rows == e->limit || e->enough(ctx)) {
			(void)sqlite3_reset(st); /* the error is in r */
			break;
		}
	}
	return r < 0 ? r : 0;
}
