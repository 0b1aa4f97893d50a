/* SPDX-License-Identifier: MIT */
/* Opening the two files one after the other, putting away what cannot be used. */
#include "config.h"

#include "store/recover.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "store/reconcile.h"

#define OPEN_WAIT_MS 2000 /* PRAGMA busy_timeout when opening (doc/faults.md A7.2, item 1) */
#define SCHEMA_UNSAID 3	  /* of daemons that did not record it when they started */

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
open_database(struct files *f, const char *stamp, const struct recovery *how, bool *ret_long)
{
	struct db_options options = { .vfs = f->vfs,
				      .wait_ms = how->in_loop ? LOOP_WAIT_MS : OPEN_WAIT_MS,
				      .progress = f->progress,
				      .progress_ctx = f->progress_ctx,
				      .recorded_version = recorded_version,
				      .recorded_ctx = f,
				      .ret_checked = ret_long };
	int r = -EUCLEAN;

	if (how->rebuild)
		copy_text(f->down_why, sizeof(f->down_why),
			  "the database differed from what was recorded");
	else
		r = db_open(f->db_path, &options, &f->db, f->down_why);
	if (r != -EUCLEAN)
		return r;
	files_alarm(f, "%.160s; it was set aside (%s) and rebuilt", f->down_why, stamp);
	r = files_put_away(f, DB_FILE, stamp);
	if (r == 0)
		r = db_open(f->db_path, &options, &f->db, f->down_why);
	return r;
}

static int
make_equal(struct files *f, const char *stamp, const struct recovery *how, bool *ret_long)
{
	int r = reconcile_files(f, stamp);

	if (r == -EUCLEAN) {
		files_alarm(
		    f,
		    "the database contradicted the audit file; it was set aside (%s) and rebuilt",
		    stamp);
		db_close(f->db, true);
		f->db = NULL;
		r = files_put_away(f, DB_FILE, stamp);
		if (r == 0)
			r = open_database(f, stamp, how, ret_long);
		if (r == 0)
			r = reconcile_files(f, stamp);
	}
	if (r < 0)
		(void)snprintf(f->down_why, sizeof(f->down_why),
			       "the database and the audit file cannot be made equal: %s",
			       strerror(-r));
	return r;
}

int
recover_files(struct files *f, const struct store_time *now, const struct recovery *how,
	      bool *ret_long)
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
		r = open_database(f, stamp, how, ret_long);
	if (r == 0)
		r = make_equal(f, stamp, how, ret_long);
	/* WHY: after a failed sync, be it only of the first opening, what the files seem to hold
	 * may be in memory only; a checkpoint writes it anew and syncs that */
	if (r == 0 && how->in_loop)
		r = db_checkpoint(f->db);
	return r;
}
