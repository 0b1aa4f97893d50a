/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "store/queue.h"

#include <errno.h>
#include <stdlib.h>

int
queue_add(struct queue *q, enum record_kind kind, int64_t ref, struct body *b)
{
	struct record *r;
	int n = body_end(b);

	if (n < 0)
		return n;
	r = record_new(kind, ref, b->text, b->size);
	if (r == NULL)
		return -ENOMEM;
	r->ticket = ++q->ticket_last;
	if (q->last != NULL)
		q->last->next = r;
	else
		q->first = r;
	q->last = r;
	q->count++;
	return 0;
}

void
queue_free(struct queue *q)
{
	while (q->first != NULL) {
		struct record *r = q->first;

		q->first = r->next;
		free(r);
	}
}

static void
place(struct queue *q)
{
	for (struct record *r = q->first; r != NULL; r = r->next) {
		if (r->seq != 0)
			continue;
		r->seq = ++q->chain_seq;
		memcpy(r->prev, q->chain_hash, sizeof(r->prev));
		record_hash(r->prev, r->seq, record_kind_name(r->kind), r->body, r->body_size,
			    r->hash);
		memcpy(q->chain_hash, r->hash, sizeof(r->hash));
	}
}

/* WHY: rows of another writer are not on the chain; records behind them would break it. */
static int
check_tail(const struct queue *q, struct db *db)
{
	const struct record *r = q->first;
	uint8_t hash[RECORD_HASH_BYTES];
	int64_t seq;
	int n = db_tail(db, &seq, hash);

	while (r != NULL && r->in_db)
		r = r->next;
	if (n < 0 || r == NULL)
		return n;
	return seq == r->seq - 1 && memcmp(hash, r->prev, sizeof(hash)) == 0 ? 0 : -ESTALE;
}

static int
write_database(struct queue *q, struct db *db)
{
	int n = db_run(db, DB_BEGIN);

	if (n == 0)
		n = check_tail(q, db);

	for (struct record *r = q->first; n == 0 && r != NULL; r = r->next) {
		if (r->in_db)
			continue;
		n = db_apply(db, r);
		if (n > 0)
			n = 0; /* a repetition: checked before queueing, so only after a repair that
				  lost rows */
	}
	if (n == 0)
		n = db_run(db, DB_COMMIT);
	if (n < 0) {
		db_rollback(db);
		return n;
	}
	for (struct record *r = q->first; r != NULL; r = r->next)
		r->in_db = true;
	return 0;
}

static bool
is_in_database(const struct queue *q)
{
	return q->last == NULL || q->last->in_db; /* they become so all together, or in order */
}

static int
write_audit(struct queue *q, struct audit *audit)
{
	int n = 0;

	for (struct record *r = q->first; n == 0 && r != NULL; r = r->next)
		if (!r->in_audit)
			n = audit_append(audit, r);
	if (n == 0)
		n = audit_sync(audit, q->last);
	for (struct record *r = q->first; n == 0 && r != NULL; r = r->next)
		r->in_audit = true;
	return n;
}

/* INVARIANT: here, what is in the database is in the audit file, too: both were just written, or
 * compared. */
static void
forget_durable(struct queue *q)
{
	while (q->first != NULL && q->first->in_db) {
		struct record *r = q->first;

		q->ticket_durable = r->ticket;
		q->first = r->next;
		q->count--;
		free(r);
	}
	if (q->first == NULL)
		q->last = NULL;
}

void
queue_save_in_audit(struct queue *q, struct audit *audit)
{
	if (q->last != NULL && !q->last->in_db && !q->last->in_audit)
		(void)write_audit(q, audit); /* the failure to be reported is the database's */
}

int
queue_write(struct queue *q, struct db *db, struct audit *audit)
{
	int n = 0;

	place(q);
	if (!is_in_database(q))
		n = write_database(q, db);
	if (n == 0 && q->last != NULL && !q->last->in_audit)
		n = write_audit(q, audit);
	if (n == 0)
		forget_durable(q);
	return n;
}

/* One queued record after reopening.  Equal seq and hash: it is on disk, in both files
 * (reconcile_files()). */
static int
reload_record(struct db *db, struct record *r)
{
	uint8_t hash[RECORD_HASH_BYTES];
	int n = r->seq != 0 ? db_hash_at(db, r->seq, hash) : -ENOENT;

	if (n < 0 && n != -ENOENT)
		return n;
	r->in_db = r->in_audit = n == 0 && memcmp(hash, r->hash, sizeof(hash)) == 0;
	if (!r->in_db)
		r->seq = 0;
	return 0;
}

int
queue_reload(struct queue *q, struct db *db)
{
	int n = db_tail(db, &q->chain_seq, q->chain_hash);

	for (struct record *r = q->first; n == 0 && r != NULL; r = r->next)
		n = reload_record(db, r);
	if (n == 0)
		forget_durable(q);
	return n;
}
