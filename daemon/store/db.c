/* SPDX-License-Identifier: MIT */
/* Using the connection: statements, errors, applying records and making them again. */
#include "config.h"

#include "store/db.h"

#include <errno.h>
#include <stdarg.h>

#include "store/db_internal.h"

int
db_errno(sqlite3 *h, int rc)
{
	int sys = h != NULL ? sqlite3_system_errno(h) : 0;

	switch (rc & 0xFF) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EAGAIN;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR: /* our statements are right, so the tables are not */
		return -EUCLEAN;
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
		return -EBADMSG;
	case SQLITE_CANTOPEN:
		return sys == EROFS || sys == ENOSPC ? -sys : -EIO;
	case SQLITE_IOERR:
		/* QUIRK: a full disk shows as this when the shared index of the log cannot grow */
		if (rc == SQLITE_IOERR_SHMSIZE || sys == ENOSPC)
			return -ENOSPC;
		if (sys == EROFS)
			return -EROFS;
		return rc == SQLITE_IOERR_NOMEM ? -ENOMEM : -EIO;
	default:
		return -EIO;
	}
}

sqlite3 *
db_handle(struct db *db)
{
	return db->h;
}

const char *
db_query_sql(enum db_query q)
{
#define TEXT(name, text) text,
	static const char *const texts[] = { DB_QUERIES(TEXT) };

	return texts[q];
}

static sqlite3_stmt *
query(struct db *db, enum db_query q, const char *types, va_list values)
{
	sqlite3_stmt *st = db->query[q];
	int count = sqlite3_bind_parameter_count(st);

	(void)sqlite3_reset(st); /* repeats the error of the last step, which was reported then */
	(void)sqlite3_clear_bindings(st); /* cannot fail; nor can a binding that copies nothing */
	for (int at = 1; at <= count && types[at - 1] != '\0'; at++) {
		const void *bytes = NULL;

		if (types[at - 1] == 'n')
			(void)sqlite3_bind_int64(st, at, va_arg(values, int64_t));
		else
			bytes = va_arg(values, const void *);
		if (types[at - 1] == 'h')
			(void)sqlite3_bind_blob(st, at, bytes, RECORD_HASH_BYTES, SQLITE_STATIC);
		else if (text_present(bytes))
			(void)sqlite3_bind_text(st, at, bytes, -1, SQLITE_STATIC);
	}
	return st;
}

sqlite3_stmt *
db_query(struct db *db, enum db_query q, const char *types, ...)
{
	sqlite3_stmt *st;
	va_list values;

	va_start(values, types);
	st = query(db, q, types, values);
	va_end(values);
	return st;
}

int
db_ask(struct db *db, enum db_query q, sqlite3_stmt **ret_st, const char *types, ...)
{
	va_list values;

	va_start(values, types);
	*ret_st = query(db, q, types, values);
	va_end(values);
	return db_step(db, *ret_st);
}

int
db_step(struct db *db, sqlite3_stmt *st)
{
	int rc = sqlite3_step(st), r;

	if (rc == SQLITE_ROW)
		return 1;
	if ((rc & 0xFF) == SQLITE_CORRUPT || (rc & 0xFF) == SQLITE_NOTADB)
		db_set_damage(db, sqlite3_errstr(rc));
	r = db_errno(db->h, rc);
	(void)sqlite3_reset(st); /* the same error again */
	return r;
}

int
db_run(struct db *db, enum db_query q)
{
	sqlite3_stmt *st;
	int r = db_ask(db, q, &st, "");

	return r > 0 ? -EUCLEAN : r;
}

const char *
db_text(sqlite3_stmt *st, int column)
{
	return (const char *)sqlite3_column_text(st, column);
}

const char *
db_damage(const struct db *db)
{
	return db->damage;
}

void
db_set_damage(struct db *db, const char *what)
{
	if (db->damage[0] == '\0')
		copy_text(db->damage, sizeof(db->damage), what);
}

bool
db_moved(struct db *db)
{
	int moved = 0;

	return sqlite3_file_control(db->h, "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK ||
	       moved != 0;
}

int
db_checkpoint(struct db *db)
{
	return db_errno(db->h, sqlite3_wal_checkpoint_v2(db->h, "main", SQLITE_CHECKPOINT_TRUNCATE,
							 NULL, NULL));
}

void
db_wait_for_locks(struct db *db, int ms)
{
	(void)sqlite3_busy_timeout(db->h, ms); /* fails only for a handle that is none */
}

static int
add_row(struct db *db, const struct record *r)
{
	sqlite3_stmt *st;

	return db_ask(db, DB_ADD_RECORD, &st, "ntnhht", r->seq, record_kind_name(r->kind), r->ref,
		      r->prev, r->hash, record_keeps_body(r->kind) ? r->body : NULL);
}

int
db_apply(struct db *db, const struct record *r)
{
	const struct record_step *step = record_steps(r->kind);
	int n = add_row(db, r);

	for (size_t i = 0; n == 0 && step[i].sql != NULL; i++) {
		sqlite3_stmt *st = db->apply[r->kind][i];
		int parameters = sqlite3_bind_parameter_count(st);

		(void)sqlite3_reset(st);
		if (parameters >= 1)
			(void)sqlite3_bind_int64(st, 1, r->seq);
		if (parameters >= 2)
			(void)sqlite3_bind_text(st, 2, r->body, (int)r->body_size, SQLITE_STATIC);
		n = db_step(db, st);
		if (n == 0 && step[i].must_change && sqlite3_changes(db->h) == 0)
			return 1;
	}
	return n;
}

void
db_rollback(struct db *db)
{
	/* SQLite rolls back by itself after some errors; a rollback that fails leaves nothing
	 * committed */
	if (sqlite3_get_autocommit(db->h) == 0)
		(void)!db_run(db, DB_ROLLBACK);
}

int
db_tail(struct db *db, int64_t *ret_seq, uint8_t ret_hash[RECORD_HASH_BYTES])
{
	sqlite3_stmt *st;
	int r = db_ask(db, DB_LAST_RECORD, &st, "");

	if (r < 0)
		return r;
	*ret_seq = 0;
	memset(ret_hash, 0, RECORD_HASH_BYTES);
	if (r > 0) {
		*ret_seq = sqlite3_column_int64(st, 0);
		memcpy(ret_hash, sqlite3_column_blob(st, 1), RECORD_HASH_BYTES);
		(void)sqlite3_reset(st); /* after a row: cannot fail */
	}
	return 0;
}

int
db_hash_at(struct db *db, int64_t seq, uint8_t ret_hash[RECORD_HASH_BYTES])
{
	sqlite3_stmt *st;
	int r = db_ask(db, DB_HASH, &st, "n", seq);

	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	memcpy(ret_hash, sqlite3_column_blob(st, 0), RECORD_HASH_BYTES);
	(void)sqlite3_reset(st);
	return 0;
}

/* The body from the columns of a row: names are the keys, NULL is left out. */
static int
body_of_row(sqlite3_stmt *st, struct body *b)
{
	body_begin(b);
	for (int i = 0; i < sqlite3_column_count(st); i++) {
		const char *key = sqlite3_column_name(st, i);

		switch (sqlite3_column_type(st, i)) {
		case SQLITE_INTEGER:
			body_int(b, key, sqlite3_column_int64(st, i));
			break;
		case SQLITE_TEXT:
			if (strcmp(key, "stages") == 0)
				body_raw(b, key, db_text(st, i));
			else
				body_text(b, key, db_text(st, i), RECORD_BODY_MAX);
			break;
		default: /* NULL; STRICT tables have nothing else in these columns */
			break;
		}
	}
	return body_end(b);
}

static int
body_again(struct db *db, enum record_kind kind, int64_t ref, struct body *b)
{
	sqlite3_stmt *st = db->body[kind];
	int r;

	(void)sqlite3_reset(st);
	(void)sqlite3_bind_int64(st, 1, ref);
	r = db_step(db, st);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	r = body_of_row(st, b);
	(void)sqlite3_reset(st);
	return r;
}

static int
record_of_row(struct db *db, sqlite3_stmt *st, int64_t seq, struct record **ret_record)
{
	const char *kind = db_text(st, 0);
	const char *text = db_text(st, 4);
	enum record_kind k;
	struct body b;
	struct record *r;
	size_t size;

	if (kind == NULL)
		return -ENOMEM;
	k = record_kind_by_name(kind, strlen(kind));
	if (k == RECORD_KIND_COUNT)
		return -EUCLEAN;
	if (text == NULL) {
		int n = record_keeps_body(k) ? -EUCLEAN
					     : body_again(db, k, sqlite3_column_int64(st, 1), &b);

		if (n < 0)
			return n;
		text = b.text;
	}
	size = strlen(text);
	if (size >= RECORD_BODY_MAX)
		return -EUCLEAN;
	r = record_new(k, sqlite3_column_int64(st, 1), text, size);
	if (r == NULL)
		return -ENOMEM;
	r->seq = seq;
	memcpy(r->prev, sqlite3_column_blob(st, 2), sizeof(r->prev));
	memcpy(r->hash, sqlite3_column_blob(st, 3), sizeof(r->hash));
	*ret_record = r;
	return 0;
}

int
db_record(struct db *db, int64_t seq, struct record **ret_record)
{
	sqlite3_stmt *st;
	int r = db_ask(db, DB_RECORD, &st, "n", seq);

	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	r = record_of_row(db, st, seq, ret_record);
	(void)sqlite3_reset(st);
	return r;
}

bool
db_was_unclean(struct db *db)
{
	sqlite3_stmt *st;
	bool unclean = db_ask(db, DB_SETTING, &st, "tt", "store", "running") > 0 &&
		       db_text(st, 0) != NULL && db_text(st, 0)[0] == '1';

	(void)sqlite3_reset(st); /* unreadable: the records say more when they are read */
	return unclean;
}
