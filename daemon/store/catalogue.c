/* SPDX-License-Identifier: MIT */
/* Firmware catalogue, selection and settings, and acts of operators. */
#include "config.h"

#include "store/store_internal.h"

#include <assert.h>
#include <errno.h>
#include <sqlite3.h>

/* Stored: append only. */
static const char *const scopes[] = {
	[STORE_STATION] = "station",   [STORE_SELECTED] = "selected", [STORE_OWN] = "own",
	[STORE_PLATFORM] = "platform", [STORE_QUARANTINED] = "aside", [STORE_NAME] = "name",
};
_Static_assert(ARRAY_LEN(scopes) == STORE_SCOPE_COUNT, "every scope has a name");

static void
firmware_of_row(sqlite3_stmt *st, struct store_firmware *f)
{
	*f = (struct store_firmware){
		.name = db_text(st, 0),
		.sha256 = db_text(st, 1),
		.file = db_text(st, 2),
		.file_sha256 = db_text(st, 3),
		.source_name = db_text(st, 4),
		.source_sha256 = db_text(st, 5),
		.version = db_text(st, 6),
		.revision = db_text(st, 7),
		.platforms = (unsigned)sqlite3_column_int64(st, 8),
		.size_bytes = (uint64_t)sqlite3_column_int64(st, 9),
		.notes = db_text(st, 10),
		.added_ms = sqlite3_column_int64(st, 11),
		.added_by = db_text(st, 12),
		.incomplete = sqlite3_column_int64(st, 13) != 0,
		.signer = db_text(st, 14),
	};
}

/* The rows of a query that is given this name; how many. */
static int
each_firmware(struct store *s, enum db_query q, const char *name,
	      void (*each)(void *ctx, const struct store_firmware *f), void *ctx)
{
	struct store_firmware f;
	sqlite3_stmt *st = NULL;
	int r = store_usable(s), rows = 0;

	if (r == 0)
		r = db_ask(s->files.db, q, &st, "t", name);
	for (; r > 0; r = db_step(s->files.db, st), rows++) {
		firmware_of_row(st, &f);
		each(ctx, &f);
	}
	return r < 0 ? r : rows;
}

int
store_firmware_find(struct store *s, const char *name,
		    void (*each)(void *ctx, const struct store_firmware *f), void *ctx)
{
	return each_firmware(s, DB_FIRMWARE, name, each, ctx);
}

int
store_firmware_each(struct store *s, void (*each)(void *ctx, const struct store_firmware *f),
		    void *ctx)
{
	int r = each_firmware(s, DB_FIRMWARES, NULL, each, ctx);

	return r < 0 ? r : 0;
}

/* 1 there is a row, 0 none, negative errno. */
static int
has_row(struct store *s, enum db_query q, const char *value)
{
	sqlite3_stmt *st;
	int r = store_usable(s);

	if (r < 0)
		return r;
	r = db_ask(s->files.db, q, &st, "t", value);
	(void)sqlite3_reset(st); /* the error is in r */
	return r;
}

static int
queue_firmware(struct store *s, const struct store_firmware *f, const struct store_time *now)
{
	struct body b;

	body_begin_at(&b, now);
	body_text(&b, "name", f->name, STORE_NAME_MAX);
	body_text(&b, "sha256", f->sha256, STORE_NAME_MAX);
	body_text(&b, "file", f->file, STORE_MESSAGE_MAX);
	body_text(&b, "file_sha256", f->file_sha256, STORE_NAME_MAX);
	body_text(&b, "source_name", f->source_name, STORE_MESSAGE_MAX);
	body_text(&b, "source_sha256", f->source_sha256, STORE_NAME_MAX);
	body_text(&b, "version", f->version, STORE_NAME_MAX);
	body_text(&b, "revision", f->revision, STORE_NAME_MAX);
	body_int(&b, "platforms", f->platforms);
	body_int(&b, "size_bytes", f->size_bytes > INT64_MAX ? INT64_MAX : (int64_t)f->size_bytes);
	body_text(&b, "notes", f->notes, STORE_MESSAGE_MAX);
	body_text(&b, "added_by", f->added_by, STORE_NAME_MAX);
	if (f->incomplete)
		body_int(&b, "incomplete", 1);
	body_text(&b, "signer", f->signer, STORE_NAME_MAX);
	return store_queue(s, RECORD_FIRMWARE, 0, &b);
}

/* 1 its name is there, 0 it is not. */
static int
firmware_is_there(struct store *s, const struct store_firmware *f, const struct store_time *now)
{
	int r;

	if (!store_name_is_clean(f->name) || !text_present(f->sha256) || !text_present(f->file))
		return -EINVAL;
	/* Changes depend on one another: what is queued has to be in the tables before these are
	 * asked. */
	r = store_commit(s, now);
	return r < 0 ? r : has_row(s, DB_FIRMWARE, f->name);
}

int
store_firmware_add(struct store *s, const struct store_firmware *f, const struct store_time *now)
{
	int r = firmware_is_there(s, f, now);

	return r < 0 ? r : r > 0 ? -EEXIST : queue_firmware(s, f, now);
}

int
store_firmware_replace(struct store *s, const struct store_firmware *f,
		       const struct store_time *now)
{
	int r = firmware_is_there(s, f, now);

	return r < 0 ? r : r == 0 ? -ENOENT : queue_firmware(s, f, now);
}

int
store_firmware_remove(struct store *s, const char *name, const struct store_time *now)
{
	struct body b;
	int r = store_commit(s, now);

	if (r == 0)
		r = has_row(s, DB_FIRMWARE, name);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	r = has_row(s, DB_FIRMWARE_USE, name);
	if (r != 0)
		return r < 0 ? r : -EBUSY;
	body_begin_at(&b, now);
	body_text(&b, "name", name, STORE_NAME_MAX);
	return store_queue(s, RECORD_FIRMWARE_GONE, 0, &b);
}

int
store_set(struct store *s, enum store_scope scope, const char *name, const char *value,
	  const struct store_time *now)
{
	struct body b;
	int r = 0;

	assert(scope < STORE_SCOPE_COUNT);
	if (!store_name_is_clean(name))
		return -EINVAL;
	if (text_present(value) && (scope == STORE_SELECTED || scope == STORE_OWN)) {
		r = store_commit(s, now);
		if (r == 0)
			r = has_row(s, DB_FIRMWARE, value);
		if (r <= 0)
			return r < 0 ? r : -ENOENT;
	}
	body_begin_at(&b, now);
	body_text(&b, "scope", scopes[scope], STORE_NAME_MAX);
	body_text(&b, "name", name, STORE_NAME_MAX);
	body_text(&b, "value", value, STORE_MESSAGE_MAX);
	return store_queue(s, RECORD_SETTING, 0, &b);
}

int
store_get(struct store *s, enum store_scope scope, const char *name, char *ret_value, size_t size)
{
	sqlite3_stmt *st;
	int r = store_usable(s);

	assert(scope < STORE_SCOPE_COUNT);
	if (r == 0)
		r = db_ask(s->files.db, DB_SETTING, &st, "tt", scopes[scope], name);
	if (r > 0) {
		const char *value = db_text(st, 0);

		if (value == NULL)
			r = -ENOMEM;
		else if (strlen(value) >= size)
			r = -E2BIG;
		else
			copy_text(ret_value, size, value);
		(void)sqlite3_reset(st); /* after a row: cannot fail */
	}
	return r;
}

int
store_each(struct store *s, enum store_scope scope,
	   void (*each)(void *ctx, const char *name, const char *value), void *ctx)
{
	sqlite3_stmt *st = NULL;
	int r = store_usable(s);

	assert(scope < STORE_SCOPE_COUNT);
	if (r == 0)
		r = db_ask(s->files.db, DB_SETTINGS, &st, "t", scopes[scope]);
	for (; r > 0; r = db_step(s->files.db, st))
		each(ctx, db_text(st, 0), db_text(st, 1));
	return r;
}

int
store_act(struct store *s, const struct store_act *a, const struct store_time *now)
{
	struct body b;

	if (!text_present(a->method))
		return -EINVAL;
	body_begin_at(&b, now);
	body_int(&b, "uid", a->uid);
	body_int(&b, "pid", a->pid);
	body_text(&b, "user", a->user, STORE_NAME_MAX);
	body_text(&b, "method", a->method, STORE_NAME_MAX);
	body_text(&b, "arguments", a->arguments, STORE_MESSAGE_MAX);
	return store_queue(s, RECORD_ACT, 0, &b);
}
