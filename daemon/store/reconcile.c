/* SPDX-License-Identifier: MIT */
/*
 * Comparing the database with the audit file, and making the shorter one whole from the other
 * (doc/faults.md A7.2, item 5).
 *
 *   database        audit file
 *   n = m           n, same hash     nothing to do
 *   n               m > n, same at n lines n + 1 ... m are applied              [import_lines]
 *   n               m < n, same at m records m + 1 ... n are written as lines [export_records]
 *   n               m >= n, other    the caller puts the database away and makes a new one
 *   n               m < n, other     the audit file is put away and written new [lengthen_audit]
 */
#include "config.h"

#include "store/reconcile.h"

#include <errno.h>
#include <stdlib.h>

#define LINES_PER_TRANSACTION 2000

/* WHY: a kill between the two commits leaves one batch, which is no reason for an alarm; but a file
 * without a line is quiet only right after the first two records (station and start). */
#define QUIET_LINES 256
#define FIRST_BATCH 2

struct import {
	struct files *files;
	struct record *r; /* room for the largest */
	int64_t seq;	  /* last one that is in the database */
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
		n = db_run(in->files->db, DB_COMMIT);
		in->in_transaction = 0;
		files_tell_progress(in->files);
	}
	return n;
}

/* Applies in->r as the next of the chain; what cannot be applied keeps its place. */
static int
apply_one(struct import *in)
{
	struct db *db = in->files->db;
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

/* Lines behind seq and hash of the database. */
static int
import_lines(struct files *f, int64_t seq, const uint8_t hash[RECORD_HASH_BYTES],
	     unsigned long *ret_lost)
{
	struct import in = { .files = f, .seq = seq };
	struct audit_reader *reader = NULL;
	struct audit_line l;
	off_t offset;
	int n;

	memcpy(in.hash, hash, sizeof(in.hash));
	in.r = calloc(1, sizeof(*in.r) + RECORD_BODY_MAX);
	n = in.r != NULL ? audit_seek(&f->audit, seq + 1, &offset) : -ENOMEM;
	if (n == 0)
		n = audit_reader_new(&f->audit, offset, &reader);
	while (n == 0) {
		n = audit_next(reader, &l);
		if (n <= 0)
			break;
		/* lines that repeat a seq are not of this chain: passed over, and then missing */
		n = l.seq > in.seq ? import_line(&in, &l) : 0;
	}
	if (n == 0)
		n = commit_some(&in, true);
	if (n < 0)
		db_rollback(f->db);
	*ret_lost = in.lost;
	audit_reader_free(reader);
	free(in.r);
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
	unsigned long lost = 0;
	int64_t seq;
	int n = db_tail(f->db, &seq, hash);

	if (n < 0)
		return n;
	if (seq > f->audit.last_seq)
		return lengthen_audit(f, seq, stamp);
	n = audit_agrees(f, seq, hash);
	if (n <= 0)
		return n < 0 ? n : seq > 0 ? -EUCLEAN : 0;
	if (seq == f->audit.last_seq)
		return 0;
	n = import_lines(f, seq, hash, &lost);
	if (n == 0)
		files_alarm(
		    f, "the database lacked %lld records; they were taken from the audit file%s",
		    (long long)(f->audit.last_seq - seq),
		    lost > 0 ? ", parts of which cannot be read" : "");
	return n;
}
