/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "store/running.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>

/* WHY: rows that were deleted from the database have used up their numbers all the same. */
static int
next_id_of_audit(struct running *r, const struct audit *audit)
{
	char *body = malloc(RECORD_BODY_MAX);
	int n = body != NULL ? audit_last_of(audit, RECORD_BEGIN, body) : -ENOMEM;

	if (n > 0) {
		int64_t id = record_body_id(body);

		if (id >= r->next_id && id < INT64_MAX)
			r->next_id = id + 1;
	}
	free(body);
	return n < 0 ? n : 0;
}

int
running_load(struct running *r, struct files *f, bool first)
{
	sqlite3_stmt *st;
	int n = db_ask(f->db, DB_NEXT_ID, &st, "");

	if (n <= 0)
		return n;
	if (sqlite3_column_int64(st, 0) > r->next_id)
		r->next_id = sqlite3_column_int64(st, 0);
	(void)sqlite3_reset(st); /* after a row: cannot fail */
	n = next_id_of_audit(r, &f->audit);
	if (n < 0)
		return n;
	if (!first)
		return 0; /* this process knows better: endings may be in the queue */
	n = db_ask(f->db, DB_OPEN_IDS, &st, "n", (int64_t)STORE_OPEN_MAX);
	for (r->count = 0; n > 0; n = db_step(f->db, st))
		r->ids[r->count++] = sqlite3_column_int64(st, 0);
	return n;
}

void
running_leave(struct running *r, bool unclean)
{
	r->unclean = unclean;
	memcpy(r->left_ids, r->ids, sizeof(r->left_ids));
	r->left_count = r->count;
}
