/* SPDX-License-Identifier: MIT */
/*
 * Comparing the database with the audit file, and making the shorter one whole from the other
 * (doc/faults.md A7.2, item 5).
 *
 *   database        audit file
 *   n = m           n, same hash     nothing to do
 *   n               m > n, same at n lines n + 1 ... m are applied              [reconcile_go_on]
 *   n               m < n, same at m records m + 1 ... n are written as lines [export_records]
 *   n               m >= n, other    the caller puts the database away and makes a new one
 *   n               m < n, other     the audit file is put away and written new [lengthen_audit]
 */
#include "config.h"

#include "store/reconcile.h"

#include <errno.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>

#define LINES_PER_TRANSACTION 2000

/* WHY: a kill between the two commits leaves one batch, which is no reason for an alarm; but a file
 * without a line is quiet only right after the first two records (station and start). */
#define QUIET_LINES 256
#define FIRST_BATCH 2

struct import {
	struct files *files;
	struct db *db;
	struct record *r;   /* room for the largest */
	off_t offset;	    /* of the next line */
	int64_t first, seq; /* in the database at the beginning; last one that is */
	uint8_t hash[RECORD_HASH_BYTES];
	unsigned in_transaction;
	unsigned long lost;
};

static bool
is_as_hashed(const struct record *r)
{
	uint8_t hash[RECORD_HASH_BYTES];

	record_hash(r->prev, r->seq, record_kind_name(r->kind), r->body, r->body_size, hash);
	return r->kind == RECORD_LOST || memcmp(hash, r->hash, sizeof(hash)) == 0;
}

/* Makes r, with room for its body, stand for a record of which only the place is known. */
static void
make_lost(struct record *r, int64_t seq, const uint8_t prev[RECORD_HASH_BYTES])
{
	static const char body[] = "{}";

	r->kind = RECORD_LOST;
	r->ref = 0;
	r->seq = seq;
	r->body_size = sizeof(body) - 1;
	memcpy(r->body, body, sizeof(body));
	memcpy(r->prev, prev, sizeof(r->prev));
	record_hash(r->prev, r->seq, record_kind_name(r->kind), body, r->body_size, r->hash);
}

/* Stands for a row that is gone, or not what was hashed: its place and its hash are kept. */
static int
lost_record(struct files *f, int64_t seq, const uint8_t prev[RECORD_HASH_BYTES],
	    struct record **ret_record)
{
	struct record *r = record_new(RECORD_LOST, 0, "{}", 2);
	int n;

	if (r == NULL)
		return -ENOMEM;
	make_lost(r, seq, prev);
	n = db_hash_at(f->db, seq, r->hash);
	if (n < 0 && n != -ENOENT) {
		free(r);
		return n;
	}
	*ret_record = r;
	return 0;
}

/* The record of this number for the audit file: 1 when it is only its place. */
static int
record_for_audit(struct files *f, int64_t seq, const uint8_t prev[RECORD_HASH_BYTES],
		 struct record **ret_record)
{
	struct record *r = NULL;
	int n = db_record(f->db, seq, &r);

	if (n == 0 && is_as_hashed(r)) {
		*ret_record = r;
		return 0;
	}
	free(r);
	if (n < 0 && n != -ENOENT && n != -EUCLEAN)
		return n;
	n = lost_record(f, seq, prev, ret_record);
	return n < 0 ? n : 1;
}

/* Records first ... last of the database, as lines. */
static int
export_records(struct files *f, int64_t first, int64_t last)
{
	uint8_t prev[RECORD_HASH_BYTES];
	struct record *r = NULL;
	unsigned long lost = 0;
	int n = 0;

	memcpy(prev, f->audit.last_hash, sizeof(prev));
	for (int64_t seq = first; n == 0 && seq <= last; seq++) {
		n = record_for_audit(f, seq, prev, &r);
		if (n < 0)
			return n;
		lost += (unsigned)n;
		memcpy(prev, r->hash, sizeof(prev));
		n = audit_append(&f->audit, r);
		if (n == 0 && (seq == last || seq % LINES_PER_TRANSACTION == 0))
			n = audit_sync(&f->audit, r);
		if (seq % LINES_PER_TRANSACTION == 0)
			files_tell_progress(f);
		free(r);
	}
	if (lost > 0)
		files_alarm(f, "%lu records in the database differ from what was recorded", lost);
	return n;
}

static int
commit_some(struct import *in, bool all)
{
	int n = 0;

	if (in->in_transaction > 0 && (all || in->in_transaction >= LINES_PER_TRANSACTION)) {
		n = db_run(in->files->importing, DB_COMMIT);
		in->in_transaction = 0;
		files_tell_progress(in->files);
	}
	return n;
}

/* Applies in->r as the next of the chain; what cannot be applied keeps its place. */
static int
apply_one(struct import *in)
{
	struct db *db = in->files->importing;
	int n = 0;

	if (in->in_transaction == 0)
		n = db_run(db, DB_BEGIN);
	if (n == 0)
		n = db_run(db, DB_SAVEPOINT);
	if (n == 0)
		n = db_apply(db, in->r);
	if (n == -EBADMSG || n == -EUCLEAN) {
		n = db_run(db, DB_UNDO);
		in->r->kind = RECORD_LOST;
		in->lost++;
		if (n == 0)
			n = db_apply(db, in->r);
	}
	if (n >= 0)
		n = db_run(db, DB_RELEASE);
	if (n < 0)
		return n;
	in->in_transaction++;
	in->seq = in->r->seq;
	memcpy(in->hash, in->r->hash, sizeof(in->hash));
	return commit_some(in, false);
}

/* Stands in for lines that could not be read, up to the one before `next`. */
static int
fill_gap(struct import *in, const struct audit_line *next)
{
	int n = 0;

	while (n == 0 && in->seq + 1 < next->seq) {
		make_lost(in->r, in->seq + 1, in->hash);
		/* the hash of the last one is known: it is what the next line builds on */
		if (in->r->seq + 1 == next->seq)
			memcpy(in->r->hash, next->prev, sizeof(in->r->hash));
		in->lost++;
		n = apply_one(in);
	}
	return n;
}

static int
import_line(struct import *in, const struct audit_line *l)
{
	struct record *r = in->r;
	int n = fill_gap(in, l);

	if (n < 0)
		return n;
	/* WHY: a line that is whole by itself counts, even behind the end of another file */
	if (memcmp(l->prev, in->hash, sizeof(in->hash)) != 0)
		in->lost++;
	r->kind = l->kind;
	r->seq = l->seq;
	memcpy(r->prev, l->prev, sizeof(r->prev));
	memcpy(r->hash, l->hash, sizeof(r->hash));
	memcpy(r->body, l->body, l->body_size);
	r->body[l->body_size] = '\0';
	r->body_size = l->body_size;
	r->ref = record_keeps_body(r->kind) ? 0 : record_body_id(r->body);
	return apply_one(in);
}

/* The lines behind seq and hash of the database are to come. */
static int
begin_import(struct files *f, int64_t seq, const uint8_t hash[RECORD_HASH_BYTES])
{
	struct import *in = calloc(1, sizeof(*in) + sizeof(*in->r) + RECORD_BODY_MAX);
	int n;

	if (in == NULL)
		return -ENOMEM;
	*in = (struct import){ .files = f, .r = (void *)(in + 1), .first = seq, .seq = seq };
	memcpy(in->hash, hash, sizeof(in->hash));
	n = audit_seek(&f->audit, seq + 1, &in->offset);
	if (n < 0) {
		free(in);
		return n;
	}
	f->import = in;
	f->importing = f->db;
	f->db = NULL;
	return 1;
}

unsigned
reconcile_percent(const struct files *f)
{
	return (unsigned)(f->import->seq * 100 / (f->audit.last_seq + 1));
}

static void
end_import(struct import *in)
{
	struct files *f = in->files;

	files_alarm(f, "the database lacked %lld records; they were taken from the audit file%s",
		    (long long)(f->audit.last_seq - in->first),
		    in->lost > 0 ? ", parts of which cannot be read" : "");
	f->db = f->importing;
	f->importing = NULL;
	f->import = NULL;
	free(in);
}

int
reconcile_go_on(struct files *f, bool (*go_on)(void *ctx), void *ctx)
{
	struct import *in = f->import;
	struct audit_reader *reader = NULL;
	struct audit_line l;
	int n = audit_reader_new(&f->audit, in->offset, &reader), error = 0;

	if (n < 0)
		return n;
	do {
		n = audit_next(reader, &l);
		if (n <= 0)
			break;
		in->offset = l.end;
		/* lines that repeat a seq are not of this chain: passed over, and then missing */
		error = l.seq > in->seq ? import_line(in, &l) : 0;
	} while (error == 0 && (go_on == NULL || go_on(ctx)));
	audit_reader_free(reader);
	if (n >= 0 && error == 0)
		error = commit_some(in, true);
	n = error < 0 ? error : n;
	if (n < 0)
		db_rollback(f->importing);
	if (n == 0)
		end_import(in);
	return n;
}

/* 1: the line with this seq has this hash (or, unreadable itself, is what the next one builds on);
 * 0 not. */
static int
audit_agrees(const struct files *f, int64_t seq, const uint8_t hash[RECORD_HASH_BYTES])
{
	struct audit_reader *reader = NULL;
	struct audit_line l;
	off_t offset;
	int n;

	if (seq == 0)
		return 1;
	n = audit_seek(&f->audit, seq, &offset);
	if (n == 0)
		n = audit_reader_new(&f->audit, offset, &reader);
	if (n == 0)
		n = audit_next(reader, &l);
	audit_reader_free(reader);
	if (n <= 0)
		return n;
	if (l.seq == seq)
		return memcmp(l.hash, hash, sizeof(l.hash)) == 0;
	return l.seq == seq + 1 && memcmp(l.prev, hash, sizeof(l.prev)) == 0;
}

static int
lengthen_audit(struct files *f, int64_t db_seq, const char *stamp)
{
	uint8_t hash[RECORD_HASH_BYTES] = { 0 };
	int64_t from = f->audit.last_seq;
	int n = from > 0 ? db_hash_at(f->db, from, hash) : 0;

	if (n < 0 && n != -ENOENT)
		return n;
	if (n == -ENOENT || memcmp(hash, f->audit.last_hash, sizeof(hash)) != 0) {
		files_alarm(f,
			    "the audit file did not belong to the database; it was set aside (%s) "
			    "and written again",
			    stamp);
		audit_close(&f->audit);
		n = files_put_away(f, AUDIT_FILE, stamp);
		if (n == 0)
			n = audit_open(&f->audit, f->dirfd, stamp, -1);
		from = 0;
	} else if (db_seq - from > (from > 0 ? QUIET_LINES : FIRST_BATCH)) {
		files_alarm(f, "%lld lines were missing in the audit file and were written again",
			    (long long)(db_seq - from));
	}
	return n == 0 ? export_records(f, from + 1, db_seq) : n;
}

int
reconcile_files(struct files *f, const char *stamp)
{
	uint8_t hash[RECORD_HASH_BYTES];
	int64_t seq;
	int n = db_tail(f->db, &seq, hash);

	if (n < 0)
		return n;
	if (seq > f->audit.last_seq)
		return lengthen_audit(f, seq, stamp);
	if (seq == f->audit.last_seq)
		n = seq == 0 || memcmp(hash, f->audit.last_hash, sizeof(hash)) == 0;
	else
		n = audit_agrees(f, seq, hash);
	if (n <= 0)
		return n < 0 ? n : seq > 0 ? -EUCLEAN : 0;
	return seq < f->audit.last_seq ? begin_import(f, seq, hash) : 0;
}

/* ---- one record ------------------------------------------------------------------------------ */

/* An index that lacks the attempt is a damaged one: each change of a row changes it, too. */
static int
check_indices(struct db *db, int64_t id)
{
	char what[DB_DAMAGE_MAX];
	sqlite3_stmt *st;
	int n = db_ask(db, DB_INDEXED, &st, "n", id);

	if (n > 0 && sqlite3_column_int(st, 0) == 0) {
		(void)snprintf(what, sizeof(what), "attempt %" PRId64 " is missing from an index",
			       id);
		db_set_damage(db, what);
	}
	(void)sqlite3_reset(st); /* the error is in n */
	return n < 0 ? n : 1;
}

int
reconcile_is_same(struct db *db, const struct audit_line *l)
{
	struct record *r = NULL;
	sqlite3_stmt *st;
	int n = db_record(db, l->seq, &r);

	if (n == -ENOENT || n == -EUCLEAN)
		return 0;
	if (n < 0)
		return n;
	n = memcmp(r->hash, l->hash, sizeof(r->hash)) == 0;
	/* A place whose content was lost when a file was repaired; that was told then. */
	if (n > 0 && r->kind != RECORD_LOST && l->kind != RECORD_LOST)
		n = r->kind == l->kind && memcmp(r->prev, l->prev, sizeof(r->prev)) == 0 &&
		    r->body_size == l->body_size && memcmp(r->body, l->body, r->body_size) == 0;
	if (n > 0 &&
	    (r->kind == RECORD_ACT || r->kind == RECORD_BATCH || r->kind == RECORD_BATCH_END)) {
		n = db_ask(db, r->kind == RECORD_ACT ? DB_SAME_ACT : DB_SAME_BATCH, &st, "nt",
			   l->seq, r->body);
		(void)sqlite3_reset(st); /* the error is in n */
	}
	if (n > 0 && r->kind == RECORD_CONDITION) {
		n = db_ask(db, DB_CONDITION_LOST, &st, "nn", record_body_id(r->body), l->seq);
		(void)sqlite3_reset(st); /* the error is in n */
		n = n < 0 ? n : n == 0;
	}
	if (n > 0 && r->kind == RECORD_BEGIN)
		n = check_indices(db, r->ref);
	free(r);
	return n;
}
