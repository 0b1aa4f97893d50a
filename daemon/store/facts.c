/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "store/facts.h"

#include <errno.h>
#include <sqlite3.h>

#include "store/store_internal.h"

int64_t
store_last_attempt(const struct store *s)
{
	return s->running.next_id - 1;
}

int
store_facts(struct store *s, int64_t after, bool (*each)(void *ctx, const struct yield_fact *f),
	    void *ctx)
{
	sqlite3_stmt *st = NULL;
	int r = store_usable(s);

	if (r == 0)
		r = db_ask(s->files.db, DB_FACTS, &st, "n", after);
	for (; r > 0; r = db_step(s->files.db, st)) {
		struct yield_fact f = { .id = sqlite3_column_int64(st, 0),
					.started_ms = sqlite3_column_int64(st, 1),
					.drone = sqlite3_column_int64(st, 2),
					.image = sqlite3_column_int64(st, 3),
					.batch = sqlite3_column_int64(st, 4),
					.verdict = (enum verdict_kind)sqlite3_column_int(st, 5),
					.fault = (enum fault)sqlite3_column_int(st, 6),
					.port = db_text(st, 7),
					.bytes_written = (uint32_t)sqlite3_column_int64(st, 8),
					.stages = db_text(st, 9) };

		if (f.port == NULL || !each(ctx, &f)) {
			(void)sqlite3_reset(st); /* after a row: cannot fail */
			return f.port == NULL ? -ENOMEM : 1;
		}
	}
	return r;
}

void
store_fact_name(struct store *s, enum store_named what, int64_t id, char ret_key[STORE_NAME_MAX],
		char ret_name[STORE_NAME_MAX])
{
	static const enum db_query queries[] = { DB_NAMED_DRONE, DB_NAMED_IMAGE, DB_NAMED_BATCH };
	sqlite3_stmt *st = NULL;
	int r = store_usable(s) == 0 ? db_ask(s->files.db, queries[what], &st, "n", id) : 0;

	copy_text(ret_key, STORE_NAME_MAX, r > 0 ? db_text(st, 0) : "");
	copy_text(ret_name, STORE_NAME_MAX, r > 0 ? db_text(st, 1) : "");
	if (r > 0)
		(void)sqlite3_reset(st); /* after a row: cannot fail */
}
