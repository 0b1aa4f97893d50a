/* SPDX-License-Identifier: MIT */
/*
 * The record writer: queued records -> one transaction -> lines of the audit file -> durable.
 *
 *   queued  -> placed     gets seq and hash                                     [place]
 *   placed  -> in_db      the transaction is committed and synced               [write_database]
 *   in_db   -> in_audit   its line is synced; leaves the queue                  [write_audit]
 *   placed  -> in_audit   the database is out of order: the audit file alone    [save_in_audit]
 */
#include "config.h"

#include "store/store_private.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

static struct record *
record_new(enum record_kind kind, int64_t ref, const char *body, size_t size)
{
	struct record *r = calloc(1, sizeof(*r) + size + 1);

	if (r != NULL) {
		r->kind = kind;
		r->ref = ref;
		r->body_size = size;
		memcpy(r->body, body, size);
	}
	return r;
}

int
batch_queue(struct store *s, enum record_kind kind, int64_t ref, struct body *b)
{
	struct record *r;
	int n = body_end(b);

	if (n < 0)
		return n;
	/* INVARIANT: there is always room for the ending of every attempt that is open */
	if (kind != RECORD_END && s->queued + s->open_count + 2 > STORE_QUEUE_MAX)
		return -E2BIG;
	r = record_new(kind, ref, b->text, b->size);
	if (r == NULL)
		return -ENOMEM;
	r->ticket = ++s->ticket_last;
	if (s->last != NULL)
		s->last->next = r;
	else
		s->first = r;
	s->last = r;
	s->queued++;
	return 0;
}

static void
place(struct store *s)
{
	for (struct record *r = s->first; r != NULL; r = r->next) {
		if (r->seq != 0)
			continue;
		r->seq = ++s->chain_seq;
		memcpy(r->prev, s->chain_hash, sizeof(r->prev));
		record_hash(r->prev, r->seq, record_kind_name(r->kind), r->body, r->body_size,
			    r->hash);
		memcpy(s->chain_hash, r->hash, sizeof(r->hash));
	}
}

/* WHY: rows of another writer are not on the chain; ours behind them would not be, either. */
static int
check_tail(struct store *s)
{
	const struct record *r = s->first;
	uint8_t hash[RECORD_HASH_BYTES];
	int64_t seq;
	int n = db_tail(s->db, &seq, hash);

	while (r != NULL && r->in_db)
		r = r->next;
	if (n < 0 || r == NULL)
		return n;
	return seq == r->seq - 1 && memcmp(hash, r->prev, sizeof(hash)) == 0 ? 0 : -ESTALE;
}

static int
write_database(struct store *s)
{
	int n = db_run(s->db, DB_BEGIN);

	if (n == 0)
		n = check_tail(s);

	for (struct record *r = s->first; n == 0 && r != NULL; r = r->next) {
		if (r->in_db)
			continue;
		n = db_apply(s->db, r);
		if (n > 0)
			n = 0; /* a repetition: checked before queueing, so only after a repair that
				  lost rows */
	}
	if (n == 0)
		n = db_run(s->db, DB_COMMIT);
	if (n < 0) {
		db_rollback(s->db);
		return n;
	}
	for (struct record *r = s->first; r != NULL; r = r->next)
		r->in_db = true;
	return 0;
}

static bool
database_has_all(const struct store *s)
{
	return s->last == NULL || s->last->in_db; /* they become so all together, or in order */
}

static int
write_audit(struct store *s)
{
	int n = 0;

	for (struct record *r = s->first; n == 0 && r != NULL; r = r->next)
		if (!r->in_audit)
			n = audit_append(&s->audit, r);
	if (n == 0)
		n = audit_sync(&s->audit, s->last);
	for (struct record *r = s->first; n == 0 && r != NULL; r = r->next)
		r->in_audit = true;
	return n;
}

/* INVARIANT: here, what is in the database is in the audit file, too: both were just written, or
 * compared. */
static void
forget_durable(struct store *s)
{
	while (s->first != NULL && s->first->in_db) {
		struct record *r = s->first;

		s->ticket_durable = r->ticket;
		s->first = r->next;
		s->queued--;
		free(r);
	}
	if (s->first == NULL)
		s->last = NULL;
}

/* The database does not take them; what the audit file takes will be imported when it does. */
static void
save_in_audit(struct store *s)
{
	if (!s->last->in_audit)
		(void)write_audit(s); /* the failure to be reported is the database's */
}

/* Both files once.  The error is the first one's. */
static int
write_once(struct store *s)
{
	int n = 0;

	place(s);
	if (!database_has_all(s))
		n = write_database(s);
	if (n == 0 && s->last != NULL && !s->last->in_audit)
		n = write_audit(s);
	if (n == 0)
		forget_durable(s);
	return n;
}

/* Errors after which nothing this connection says may be believed (doc/faults.md A7.2, item 9).
 */
static bool
must_fail_stop(int error)
{
	return error != -EAGAIN && error != -ENOSPC && error != -ENOMEM;
}

static int
try_again(struct store *s, int error, const struct store_time *now)
{
	int n = error;

	if (n == -ENOSPC && space_ballast_release(s))
		n = write_once(s);
	if (n < 0 && must_fail_stop(n)) {
		repair_fail_stop(s, n, "writing failed");
		n = repair_open(s, now);
		if (n == 0)
			n = write_once(s);
		if (n < 0 && must_fail_stop(n) && s->db != NULL)
			repair_fail_stop(s, n, "writing failed again after reopening");
	}
	if (n < 0 && n != -EAGAIN && s->db != NULL && !database_has_all(s))
		save_in_audit(s);
	return n;
}

static void
note_result(struct store *s, int n, const struct store_time *now)
{
	static const struct {
		int error;
		const char *why;
	} words[] = {
		{ -EAGAIN, "another program holds the database locked" },
		{ -ENOSPC, "the disk is full" },
		{ -ENOMEM, "out of memory" },
	};

	s->locked_since_ms = n != -EAGAIN	      ? -1
			     : s->locked_since_ms < 0 ? now->mono_ms
						      : s->locked_since_ms;
	if (s->db == NULL)
		return; /* repair_fail_stop() or repair_open() said why */
	s->down_errno = n;
	copy_text(s->down_why, sizeof(s->down_why),
		  n < 0 ? "the disk does not take the records" : "");
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (words[i].error == n)
			copy_text(s->down_why, sizeof(s->down_why), words[i].why);
}

int
batch_commit(struct store *s, const struct store_time *now)
{
	int n = 0;

	if (s->first == NULL)
		return 0;
	store_watch(s);
	if (s->db == NULL)
		n = repair_try(s, now);
	if (n == 0)
		n = write_once(s);
	if (n < 0 && s->db != NULL)
		n = try_again(s, n, now);
	note_result(s, n, now);
	return n;
}

/* One queued record after reopening.  Equal seq and hash: it is on disk, in both files
 * (compare_files()). */
static int
reload_record(struct store *s, struct record *r)
{
	uint8_t hash[RECORD_HASH_BYTES];
	int n = r->seq != 0 ? db_hash_at(s->db, r->seq, hash) : -ENOENT;

	if (n < 0 && n != -ENOENT)
		return n;
	r->in_db = r->in_audit = n == 0 && memcmp(hash, r->hash, sizeof(hash)) == 0;
	if (!r->in_db)
		r->seq = 0;
	return 0;
}

/* WHY: rows that were deleted from the database have used up their numbers all the same. */
static int
next_id_of_audit(struct store *s)
{
	static const char prefix[] = "{\"id\":";
	char *body = malloc(RECORD_BODY_MAX);
	int n = body != NULL ? audit_last_of(&s->audit, RECORD_BEGIN, body) : -ENOMEM;

	if (n > 0 && strncmp(body, prefix, sizeof(prefix) - 1) == 0) {
		int64_t id = strtoll(body + sizeof(prefix) - 1, NULL, 10);

		if (id >= s->next_id && id < INT64_MAX)
			s->next_id = id + 1;
	}
	free(body);
	return n < 0 ? n : 0;
}

static int
load_open(struct store *s)
{
	sqlite3_stmt *st = db_query(s->db, DB_NEXT_ID);
	int n = db_step(s->db, st);

	if (n <= 0)
		return n;
	if (sqlite3_column_int64(st, 0) > s->next_id)
		s->next_id = sqlite3_column_int64(st, 0);
	(void)sqlite3_reset(st); /* after a row: cannot fail */
	n = next_id_of_audit(s);
	if (n < 0)
		return n;
	if (s->was_up)
		return 0; /* what is open is known better here: endings may be in the queue */
	st = db_query(s->db, DB_OPEN_IDS);
	(void)sqlite3_bind_int64(st, 1, STORE_OPEN_MAX);
	for (s->open_count = 0; (n = db_step(s->db, st)) > 0; s->open_count++)
		s->open_ids[s->open_count] = sqlite3_column_int64(st, 0);
	return n;
}

int
batch_reload(struct store *s)
{
	int n = db_tail(s->db, &s->chain_seq, s->chain_hash);

	for (struct record *r = s->first; n == 0 && r != NULL; r = r->next)
		n = reload_record(s, r);
	if (n == 0)
		n = load_open(s);
	if (n == 0)
		forget_durable(s);
	return n;
}
