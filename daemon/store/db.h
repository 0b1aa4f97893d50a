/* SPDX-License-Identifier: MIT */
/*
 * The one connection to cfdfud.db: opening with every check, prepared statements, SQLite's errors
 * as errno. Only the .c files of this folder include sqlite3.h.
 *
 * Errors of all functions here: -EAGAIN locked by another program, -ENOSPC, -EROFS, -EIO, -ENOMEM,
 * -EUCLEAN the file is damaged, -EPROTO newer or foreign, -EBADMSG the values do not fit the tables
 * (repairs only).
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "store/db_queries.h"
#include "store/record.h"

#define DB_FILE "cfdfud.db"
#define DB_DAMAGE_MAX 96

struct db;
struct sqlite3;
struct sqlite3_stmt;

#define DB_NAME(name, text) DB_##name,
enum db_query { DB_QUERIES(DB_NAME) DB_QUERY_COUNT };

struct db_options {
	const char *vfs;	     /* NULL: the default one */
	int wait_ms;		     /* for other programs' locks */
	void (*progress)(void *ctx); /* now and then while it is migrated; may be NULL */
	void *progress_ctx;
	/* The database's version as the audit file says it; 0: there is no line of ours.  Asked
	 * when the database says something strange of itself; may be NULL. */
	unsigned (*recorded_version)(void *ctx);
	void *recorded_ctx;
};

/* ret_why (STORE_WHY_MAX bytes) says what is wrong when it fails. */
int db_open(const char *path, struct db_options *options, struct db **ret_db,
	    char *ret_why) MUST_CHECK;

/* WHY: no checkpoint and no removal of the log when closing after trouble: both go by name, and the
 * names may be another file's by now.  NULL is fine. */
void db_close(struct db *db, bool in_trouble);

/* The database was unlinked or renamed. */
bool db_moved(struct db *db);

/* Damage of the file that was found since it was opened, in words; "": none. */
const char *db_damage(const struct db *db);
void db_set_damage(struct db *db, const char *what);

/* Copies all of the log into the database and syncs both. */
int db_checkpoint(struct db *db) MUST_CHECK;

/* PRAGMA busy_timeout. */
void db_wait_for_locks(struct db *db, int ms);

/*
 * The statement, reset, with these values for its parameters, in order: 't' a text (NULL and "" are
 * NULL; borrowed until the next use), 'n' an int64_t, 'h' a hash.  Values beyond its parameters are
 * left out.  A text that cannot be bound (no memory) fails the next step.
 */
struct sqlite3_stmt *db_query(struct db *db, enum db_query q, const char *types, ...);
/* The same and its first step, as db_step(): the row's columns and further steps by *ret_st. */
int db_ask(struct db *db, enum db_query q, struct sqlite3_stmt **ret_st, const char *types,
	   ...) MUST_CHECK;
/* Runs a statement that returns nothing. */
int db_run(struct db *db, enum db_query q) MUST_CHECK;
/* 1 a row, 0 no more (and the statement is reset), negative errno (same). */
int db_step(struct db *db, struct sqlite3_stmt *st) MUST_CHECK;
/* A column's text, good until the next step; NULL is NULL (and memory that ran out). */
const char *db_text(struct sqlite3_stmt *st, int column);

/* Applies a record that is on the chain and adds its row.  0, or 1: it was a repetition and changed
 * nothing else. */
int db_apply(struct db *db, const struct record *r) MUST_CHECK;

/* Ends the transaction that is open, if there is one. */
void db_rollback(struct db *db);

/* The last record's seq (0: none) and hash. */
int db_tail(struct db *db, int64_t *ret_seq, uint8_t ret_hash[RECORD_HASH_BYTES]) MUST_CHECK;
/* -ENOENT. */
int db_hash_at(struct db *db, int64_t seq, uint8_t ret_hash[RECORD_HASH_BYTES]) MUST_CHECK;
/* A record made again from its row; the caller frees it.  -ENOENT. */
int db_record(struct db *db, int64_t seq, struct record **ret_record) MUST_CHECK;

/* The previous daemon did not stop as it should; false for a new database. */
bool db_was_unclean(struct db *db);

struct sqlite3 *db_handle(struct db *db);
int db_errno(struct sqlite3 *h, int rc);

/* The texts of enum db_query. */
const char *db_query_sql(enum db_query q);

#endif
