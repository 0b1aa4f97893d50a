/* SPDX-License-Identifier: MIT */
/* Opening cfdfud.db: is it ours, is it whole; migrations; prepared statements. */
#include "config.h"

#include "store/db_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/schema.h"
#include "store/store.h"

enum { PROGRESS_STEPS = 100000 }; /* of SQLite's machine: some milliseconds */

static int
explain(struct db *db, int rc, const char *doing, char *why)
{
	if (rc == SQLITE_OK)
		return 0;
	(void)snprintf(why, STORE_WHY_MAX, "%s: %s", doing,
		       db->h != NULL ? sqlite3_errmsg(db->h) : sqlite3_errstr(rc));
	return db_errno(db->h, rc);
}

/* One value of a pragma or query, as text ("" none). */
static int
ask(struct db *db, const char *sql, char *out, size_t size, char *why)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db->h, sql, -1, &st, NULL);

	out[0] = '\0';
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		copy_text(out, size, db_text(st, 0));
	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		rc = SQLITE_OK;
	rc = explain(db, rc, sql, why);
	(void)sqlite3_finalize(st); /* its error is the one explained */
	return rc;
}

static int
execute(struct db *db, const char *sql, char *why)
{
	return explain(db, sqlite3_exec(db->h, sql, NULL, NULL, NULL), "cfdfud.db", why);
}

/* SQLite opens a file with another number there read-only. */
static int
judge_header(const char *path, char *why)
{
	unsigned char versions[2]; /* of the format, for writing and reading */
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? pread(fd, versions, sizeof(versions), 18) : -1;

	if (fd >= 0)
		(void)close(fd);
	if (n != (ssize_t)sizeof(versions) || (versions[0] <= 2 && versions[1] <= 2))
		return 0; /* of what cannot be read, SQLite says why */
	(void)snprintf(why, STORE_WHY_MAX, "cfdfud.db is damaged: its header has format %u/%u",
		       versions[0], versions[1]);
	return -EUCLEAN;
}

/* It has the tables that only cfdfud makes, and there is an audit file of ours beside it. */
static bool
must_be_ours(struct db *db, const struct db_options *options)
{
	char tables[24], why[STORE_WHY_MAX];

	return options->recorded_version != NULL &&
	       options->recorded_version(options->recorded_ctx) > 0 &&
	       ask(db,
		   "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN"
		   " ('record', 'attempt', 'segment', 'setting')",
		   tables, sizeof(tables), why) == 0 &&
	       strcmp(tables, "4") == 0;
}

/* WHY: two flipped bits are not a newer program: that one said so in the audit file, too. */
static int
judge_version(const struct db_options *options, const char *version, char *why)
{
	unsigned recorded = options->recorded_version != NULL
				? options->recorded_version(options->recorded_ctx)
				: 0;

	if (recorded > 0 && recorded <= schema_step_count) {
		(void)snprintf(why, STORE_WHY_MAX,
			       "cfdfud.db is damaged: it says version %s, the audit file %u",
			       version, recorded);
		return -EUCLEAN;
	}
	(void)snprintf(why, STORE_WHY_MAX,
		       "cfdfud.db has version %s, written by a newer cfdfud; this one knows %zu",
		       version, schema_step_count);
	return -EPROTO;
}

/* Nothing is written before this says the file is ours. */
static int
judge_owner(struct db *db, const struct db_options *options, unsigned *ret_version, char *why)
{
	char application[24], version[24], objects[24];
	int r = ask(db, "PRAGMA application_id", application, sizeof(application), why);

	if (r == 0)
		r = ask(db, "PRAGMA user_version", version, sizeof(version), why);
	if (r == 0)
		r = ask(db, "SELECT count(*) FROM sqlite_schema", objects, sizeof(objects), why);
	if (r < 0)
		return r;
	if (strtol(application, NULL, 10) != SCHEMA_APPLICATION_ID && strcmp(objects, "0") != 0) {
		if (must_be_ours(db, options)) {
			(void)snprintf(why, STORE_WHY_MAX,
				       "cfdfud.db is damaged: its application id is %s",
				       application);
			return -EUCLEAN;
		}
		(void)snprintf(why, STORE_WHY_MAX,
			       "cfdfud.db belongs to another program (application id %s)",
			       application);
		return -EPROTO;
	}
	*ret_version = (unsigned)strtoul(version, NULL, 10);
	return *ret_version > schema_step_count ? judge_version(options, version, why) : 0;
}

static int
configure(struct db *db, char *why)
{
	static const char pragmas[] =
	    "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
	    "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA journal_size_limit = "
	    "8388608;";
	char mode[16];
	int r = ask(db, "PRAGMA journal_mode = WAL", mode, sizeof(mode), why);

	if (r == 0 && strcmp(mode, "wal") != 0) {
		(void)snprintf(why, STORE_WHY_MAX,
			       "the file system does not support a write-ahead log");
		r = -EIO;
	}
	if (r == 0)
		r = execute(db, pragmas, why);
	if (r == 0)
		r = explain(db, sqlite3_db_config(db->h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL),
			    "defensive mode", why);
	return r;
}

static int
on_progress(void *ctx)
{
	const struct db_options *options = ctx;

	options->progress(options->progress_ctx);
	return 0; /* go on */
}

/* Calls options->progress now and then from now on; NULL ends that. */
static void
tell_progress(struct db *db, struct db_options *options)
{
	if (options != NULL && options->progress != NULL) {
		options->progress(options->progress_ctx);
		sqlite3_progress_handler(db->h, PROGRESS_STEPS, on_progress, options);
	} else {
		sqlite3_progress_handler(db->h, 0, NULL, NULL);
	}
}

static int
say_damaged(char *why, const char *what)
{
	(void)snprintf(why, STORE_WHY_MAX, "cfdfud.db is damaged: %.200s", what);
	return -EUCLEAN;
}

static uint32_t
big_endian(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/*
 * The list of free pages, as long as its header says: pages are taken from it for new rows.
 * SPEC: SQLite's file format, 1.3 and 1.5.
 */
static int
check_free_pages(sqlite3_file *f, uint32_t pages, uint32_t page_bytes, char *why)
{
	uint8_t header[100], trunk[8];
	uint32_t next, left;
	int rc = f->pMethods->xRead(f, header, sizeof(header), 0);

	if (rc != SQLITE_OK)
		return db_errno(NULL, rc);
	left = big_endian(header + 36);
	for (next = big_endian(header + 32); next > 1 && next <= pages && left > 0;) {
		uint32_t leaves;

		rc = f->pMethods->xRead(f, trunk, sizeof(trunk),
					(sqlite3_int64)(next - 1) * page_bytes);
		if (rc != SQLITE_OK)
			return db_errno(NULL, rc);
		next = big_endian(trunk);
		leaves = big_endian(trunk + 4);
		left = leaves < left && leaves <= page_bytes / 4 ? left - leaves - 1 : UINT32_MAX;
	}
	return next == 0 && left == 0 ? 0 : say_damaged(why, "its list of free pages");
}

/*
 * Brings the log of the last life into the file, and compares the file with its header.
 * WHY not left to SQLite: what its header does not count it overwrites.
 */
static int
check_file(struct db *db, char *why)
{
	char pages[24], page_bytes[24], vacuum[8];
	sqlite3_file *f = NULL;
	sqlite3_int64 size = 0;
	int in_log = 0, in_file = 0;
	int rc =
	    sqlite3_wal_checkpoint_v2(db->h, "main", SQLITE_CHECKPOINT_PASSIVE, &in_log, &in_file);
	int r = rc == SQLITE_BUSY ? 0 : explain(db, rc, "cfdfud.db-wal", why);

	if (r == 0)
		r = ask(db, "PRAGMA page_count", pages, sizeof(pages), why);
	if (r == 0)
		r = ask(db, "PRAGMA page_size", page_bytes, sizeof(page_bytes), why);
	if (r == 0)
		r = ask(db, "PRAGMA auto_vacuum", vacuum, sizeof(vacuum), why);
	if (r < 0)
		return r;
	if (strcmp(vacuum, "0") != 0)
		return say_damaged(why, "it is said to shrink by itself");
	if (rc == SQLITE_BUSY || in_log != in_file ||
	    sqlite3_file_control(db->h, "main", SQLITE_FCNTL_FILE_POINTER, &f) != SQLITE_OK)
		return 0; /* another program reads: the file is not all of it */
	rc = f->pMethods->xFileSize(f, &size);
	if (rc != SQLITE_OK)
		return db_errno(NULL, rc);
	if (size != strtoll(pages, NULL, 10) * strtoll(page_bytes, NULL, 10))
		return say_damaged(why, "its size is not what its header says");
	return check_free_pages(f, (uint32_t)strtoul(pages, NULL, 10),
				(uint32_t)strtoul(page_bytes, NULL, 10), why);
}

/*
 * Decisions rest on these tables, which do not grow with the attempts.  Those that do are looked
 * through while the station works (walk.c).
 */
static int
check_small(struct db *db, char *why)
{
	static const char *const tables[] = { "boot",	       "image",	  "segment", "drone",
					      "drone_failure", "port",	  "tally",   "firmware",
					      "part",	       "setting", "batch" };
	char sql[64], answer[STORE_WHY_MAX - 40];
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(tables); i++) {
		(void)snprintf(sql, sizeof(sql), "PRAGMA integrity_check(%s)", tables[i]);
		r = ask(db, sql, answer, sizeof(answer), why);
		if (r == 0 && strcmp(answer, "ok") != 0)
			r = say_damaged(why, answer);
	}
	return r;
}

/* An index over a million attempts takes seconds. */
static int
migrate(struct db *db, unsigned version, struct db_options *options, char *why)
{
	char pragma[96];
	int r = 0;

	if (version == schema_step_count)
		return 0;
	tell_progress(db, options);
	for (; r == 0 && version < schema_step_count; version++) {
		r = execute(db, "BEGIN IMMEDIATE", why);
		if (r == 0)
			r = execute(db, schema_steps[version], why);
		(void)snprintf(pragma, sizeof(pragma),
			       "PRAGMA application_id = %d; PRAGMA user_version = %u; COMMIT",
			       SCHEMA_APPLICATION_ID, version + 1);
		if (r == 0)
			r = execute(db, pragma, why);
		if (r < 0 && sqlite3_get_autocommit(db->h) == 0)
			(void)sqlite3_exec(db->h, "ROLLBACK", NULL, NULL,
					   NULL); /* closing does it, too */
	}
	tell_progress(db, NULL);
	return r;
}

static int
prepare_one(struct db *db, const char *sql, sqlite3_stmt **ret_st, char *why)
{
	return explain(db,
		       sqlite3_prepare_v3(db->h, sql, -1, SQLITE_PREPARE_PERSISTENT, ret_st, NULL),
		       "cfdfud.db", why);
}

static int
prepare_all(struct db *db, char *why)
{
	int r = 0;

	for (unsigned q = 0; r == 0 && q < DB_QUERY_COUNT; q++)
		r = prepare_one(db, db_query_sql((enum db_query)q), &db->query[q], why);
	for (unsigned k = 0; r == 0 && k < RECORD_KIND_COUNT; k++) {
		const struct record_step *step = record_steps((enum record_kind)k);
		const char *body = record_body_sql((enum record_kind)k);

		for (unsigned i = 0; r == 0 && step[i].sql != NULL; i++)
			r = prepare_one(db, step[i].sql, &db->apply[k][i], why);
		if (r == 0 && body != NULL)
			r = prepare_one(db, body, &db->body[k], why);
	}
	return r;
}

int
db_open(const char *path, struct db_options *options, struct db **ret_db, char *ret_why)
{
	struct db *db = calloc(1, sizeof(*db));
	unsigned version = 0;
	int r;

	if (db == NULL)
		return -ENOMEM;
	r = explain(db,
		    sqlite3_open_v2(path, &db->h,
				    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
					SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
				    options->vfs),
		    path, ret_why);
	if (r == 0)
		db_wait_for_locks(db, options->wait_ms);
	if (r == 0)
		r = judge_header(path, ret_why);
	if (r == 0)
		r = judge_owner(db, options, &version, ret_why);
	if (r == 0)
		r = configure(db, ret_why);
	if (r == 0 && version > 0)
		r = check_file(db, ret_why);
	if (r == 0)
		r = migrate(db, version, options, ret_why);
	/* WHY: a statement that changes many pages keeps copies of them until it is over; in a file
	 * elsewhere they would tie the records to a disk whose space is not watched.  WHY not
	 * before: a new index is sorted in such files, not in memory. */
	if (r == 0)
		r = execute(db, "PRAGMA temp_store = MEMORY", ret_why);
	if (r == 0)
		r = check_small(db, ret_why);
	/* QUIRK: SQLite 3.40 passes over a failed sync when it makes a new file one with a log. The
	 * file is then empty, and the next opening takes the log beside an empty file for a
	 * left-over and removes it. */
	if (r == 0 && version == 0)
		r = explain(db,
			    sqlite3_wal_checkpoint_v2(db->h, "main", SQLITE_CHECKPOINT_TRUNCATE,
						      NULL, NULL),
			    "the new database cannot be made durable", ret_why);
	if (r == 0)
		r = prepare_all(db, ret_why);
	if (r == 0)
		*ret_db = db;
	else
		db_close(db, true);
	return r;
}

void
db_close(struct db *db, bool in_trouble)
{
	if (db == NULL)
		return;
	for (unsigned q = 0; q < DB_QUERY_COUNT; q++)
		(void)sqlite3_finalize(db->query[q]); /* repeats old errors */
	for (unsigned k = 0; k < RECORD_KIND_COUNT; k++) {
		(void)sqlite3_finalize(db->body[k]);
		for (unsigned i = 0; i < RECORD_STEPS_MAX; i++)
			(void)sqlite3_finalize(db->apply[k][i]);
	}
	if (in_trouble && db->h != NULL)
		(void)sqlite3_db_config(db->h, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	(void)sqlite3_close(db->h); /* everything is finalised: not busy */
	free(db);
}
