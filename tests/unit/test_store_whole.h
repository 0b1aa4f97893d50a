/* SPDX-License-Identifier: MIT */
/* Is a state directory whole?  Database and audit file line by line, by the store's own readers. */
#ifndef TEST_STORE_WHOLE_H
#define TEST_STORE_WHOLE_H

#include <fcntl.h>
#include <sodium.h>

#include "store/audit.h"
#include "store/db.h"
#include "test_store_util.h"

/* Every line is the database's record of that number, made again byte for byte; no number is
 * missing in either. */
static inline int64_t
assert_files_agree(const char *where)
{
	uint8_t prev[RECORD_HASH_BYTES] = { 0 }, tail[RECORD_HASH_BYTES];
	char why[STORE_WHY_MAX] = "";
	struct audit_reader *reader = NULL;
	struct audit_line l;
	struct audit a;
	struct db *db = NULL;
	int64_t seq = 0, last;
	int dirfd = open(where, O_RDONLY | O_DIRECTORY), r;

	assert_true(sodium_init() >= 0);
	assert_int_equal(audit_open(&a, dirfd, "test", -1), 0);
	assert_false(a.cut);
	r = db_open(in_dir(where, DB_FILE), &(struct db_options){ .wait_ms = 100 }, &db, why);
	if (r != 0)
		print_error("%d %s\n", r, why);
	assert_int_equal(r, 0);
	assert_int_equal(audit_reader_new(&a, 0, &reader), 0);
	while ((r = audit_next(reader, &l)) > 0) {
		struct record *rec = NULL;

		assert_int_equal(l.seq, ++seq);
		assert_memory_equal(l.prev, prev, sizeof(prev));
		assert_int_equal(db_record(db, seq, &rec), 0);
		assert_int_equal(rec->kind, l.kind);
		assert_memory_equal(rec->hash, l.hash, sizeof(l.hash));
		assert_memory_equal(rec->prev, l.prev, sizeof(l.prev));
		if (rec->body_size != l.body_size || memcmp(rec->body, l.body, l.body_size) != 0)
			print_error("record %s\nline   %.*s\n", rec->body, (int)l.body_size,
				    l.body);
		assert_int_equal(rec->body_size, l.body_size);
		assert_memory_equal(rec->body, l.body, l.body_size);
		memcpy(prev, l.hash, sizeof(prev));
		free(rec);
	}
	assert_int_equal(r, 0);
	assert_int_equal(db_tail(db, &last, tail), 0);
	assert_int_equal(last, seq);
	audit_reader_free(reader);
	audit_close(&a);
	db_close(db, true);
	(void)close(dirfd);
	return seq;
}

/* The invariants that hold of any station that was started and looked after its left-overs. */
static inline void
assert_station_is_whole(const char *where)
{
	(void)assert_files_agree(where);
	assert_string_equal(ask_db(where, "SELECT count(*) - ifnull(max(seq), 0) FROM record"),
			    "0");
	assert_string_equal(ask_db(where, "SELECT count(*) - ifnull(max(id), 0) FROM attempt"),
			    "0");
	assert_string_equal(
	    ask_db(where, "SELECT count(*) FROM record b WHERE kind = 'begin' AND 1 <> (SELECT"
			  " count(*) FROM record e WHERE e.kind = 'end' AND e.ref = b.ref)"),
	    "0");
	assert_string_equal(ask_db(where, "SELECT count(*) FROM attempts WHERE verdict IS NULL"),
			    "0");
	assert_string_equal(
	    ask_db(where, "SELECT (SELECT count(*) FROM attempt) - ifnull(sum(n), 0) FROM tally"),
	    "0");
	assert_string_equal(
	    ask_db(where,
		   "SELECT count(*) FROM attempt a WHERE a.batch IS NOT NULL AND NOT EXISTS"
		   " (SELECT 1 FROM batch b WHERE b.id = a.batch AND b.begin_seq < a.begin_seq)"),
	    "0");
	assert_string_equal(ask_db(where, "SELECT count(*) FROM batch WHERE end_seq <= begin_seq"),
			    "0");
	assert_string_equal(ask_db(where, "PRAGMA integrity_check"), "ok");
	assert_string_equal(ask_db(where, "SELECT count(*) FROM pragma_foreign_key_check"), "0");
}

#endif
