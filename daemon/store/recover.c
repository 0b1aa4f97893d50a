/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "store/recover.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "store/reconcile.h"
#include "store/walk.h"

#define OPEN_WAIT_MS 2000	 /* PRAGMA busy_timeout when opening (doc/faults.md A7.2, item 1) */
#define LOOP_LINES 64		 /* LIMIT: that the event loop imports at once */
#define NEWEST_BYTES (64 * 1024) /* some hundred lines of the audit file */
#define SCHEMA_UNSAID 3		 /* of daemons that did not record it when they started */

static void
stamp_of(const struct store_time *now, char out[STAMP_MAX])
{
	time_t seconds = (time_t)(now->wall_ms / 1000);
	struct tm tm;

	if (gmtime_r(&seconds, &tm) == NULL || strftime(out, STAMP_MAX, "%Y%m%dT%H%M%SZ", &tm) == 0)
		copy_text(out, STAMP_MAX, "unknown-time");
}

static int
open_audit(struct files *f, const char *stamp)
{
	int r = audit_open(&f->audit, f->dirfd, stamp, f->audit_trusted);

	if (r == -EPROTO)
		(void)snprintf(f->down_why, sizeof(f->down_why),
			       AUDIT_FILE " has records of a newer cfdfud");
	else if (r < 0)
		(void)snprintf(f->down_why, sizeof(f->down_why),
			       "the audit file cannot be opened: %s", strerror(-r));
	if (r < 0)
		return r;
	f->audit_trusted = -1;
	if (f->audit.cut)
		files_alarm(f, "the audit file had a torn end, kept as " AUDIT_FILE "-%s.torn",
			    stamp);
	return 0;
}

/* The version of the database by the last daemon that started on it. */
static unsigned
recorded_version(void *ctx)
{
	static const char key[] = "\"schema\":";
	struct files *f = ctx;
	char *body = malloc(RECORD_BODY_MAX), *at;
	unsigned version = 0;

	if (body != NULL && audit_last_of(&f->audit, RECORD_START, body) > 0) {
		at = strstr(body, key);
		version =
		    at != NULL ? (unsigned)strtoul(at + sizeof(key) - 1, NULL, 10) : SCHEMA_UNSAID;
	}
	free(body);
	return version;
}

static int
open_database(struct files *f, const char *stamp, bool in_loop)
{
	struct db_options options = { .vfs = f->vfs,
				      .wait_ms = in_loop ? LOOP_WAIT_MS : OPEN_WAIT_MS,
				      .progress = f->progress,
				      .progress_ctx = f->progress_ctx,
				      .recorded_version = recorded_version,
				      .recorded_ctx = f };
	int r = -EUCLEAN;

	if (f->unfit[0] != '\0')
		copy_text(f->down_why, sizeof(f->down_why), f->unfit);
	else
		r = db_open(f->db_path, &options, &f->db, f->down_why);
	if (r != -EUCLEAN)
		return r;
	files_alarm(f, "%.160s; it was set aside (%s) and rebuilt", f->down_why, stamp);
	files_close_database(f, true);
	r = files_put_away(f, DB_FILE, stamp);
	if (r < 0)
		return r;
	f->unfit[0] = '\0';
	(void)unlinkat(f->dirfd, WALK_PLACE, 0); /* that was in another one */
	return db_open(f->db_path, &options, &f->db, f->down_why);
}

/*
 * A damaged page among the newest records is found before one is added behind them.  Rows that only
 * differ are the walk's matter.
 */
static int
check_newest(struct files *f)
{
	struct audit_reader *reader = NULL;
	struct audit_line l;
	off_t from = f->audit.good > NEWEST_BYTES ? f->audit.good - NEWEST_BYTES : 0;
	int n = audit_reader_new(&f->audit, from, &reader);

	while (n >= 0 && (n = audit_next(reader, &l)) > 0 && !files_note_damage(f)) {
		n = reconcile_is_same(f->db, &l);
		n = n == -EUCLEAN ? 0 : n;
	}
	audit_reader_free(reader);
	return n < 0 ? n : files_note_damage(f) ? -EUCLEAN : 0;
}

/* WHY: after a failed sync, be it only of the first opening, what the files seem to hold may be in
 * memory only; a checkpoint writes it anew and syncs that. */
static int
settle(struct files *f)
{
	return db_checkpoint(f->db);
}

static bool
is_one_of_few(void *ctx)
{
	return --*(unsigned *)ctx > 0;
}

static int
make_equal(struct files *f, const char *stamp, bool in_loop)
{
	unsigned lines = LOOP_LINES;
	int r = reconcile_files(f, stamp);

	if (r > 0)
		r = recover_go_on(f, in_loop ? is_one_of_few : NULL, &lines);
	if (r == -EUCLEAN && !files_note_damage(f))
		copy_text(f->unfit, sizeof(f->unfit), "the database contradicted the audit file");
	return r == 0 ? check_newest(f) : r;
}

int
recover_files(struct files *f, const struct store_time *now, bool in_loop)
{
	char stamp[STAMP_MAX];
	int r;

	stamp_of(now, stamp);
	f->down_why[0] = '\0';
	r = files_check_dir(f);
	if (r == 0)
		r = files_lock(f);
	if (r == 0)
		files_mend_access(f);
	if (r == 0)
		r = open_audit(f, stamp);
	if (r == 0)
		r = open_database(f, stamp, in_loop);
	if (r == 0) {
		r = make_equal(f, stamp, in_loop);
		if (r == -EUCLEAN) {
			r = open_database(f, stamp, in_loop);
			if (r == 0)
				r = make_equal(f, stamp, in_loop);
		}
		if (r < 0)
			(void)snprintf(f->down_why, sizeof(f->down_why),
				       "the database and the audit file cannot be made equal: %s",
				       strerror(-r));
	}
	return r == 0 && in_loop ? settle(f) : r;
}

int
recover_go_on(struct files *f, bool (*go_on)(void *ctx), void *ctx)
{
	int n = reconcile_go_on(f, go_on, ctx);

	if (n > 0)
		(void)snprintf(f->down_why, sizeof(f->down_why),
			       "the database is made again from the audit file: %u %%",
			       reconcile_percent(f));
	return n == 0 && go_on != NULL ? settle(f) : n;
}
