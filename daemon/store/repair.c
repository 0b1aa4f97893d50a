/* SPDX-License-Identifier: MIT */
/* Getting storage up: lock, audit file, database, comparison; and giving it up when it cannot be
 * trusted. */
#include "config.h"

#include "store/store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/schema.h"

#define EAGER_OPENS 5	/* LIMIT: failures before only trying now and then */
#define RETRY_MS 15000	/* LIMIT: what an operator waits at most when looking costs seconds */
#define SCHEMA_UNSAID 3 /* what daemons had that did not say so when they started */

static void
stamp_of(const struct store_time *now, char out[STAMP_MAX])
{
	time_t seconds = (time_t)(now->wall_ms / 1000);
	struct tm tm;

	if (gmtime_r(&seconds, &tm) == NULL || strftime(out, STAMP_MAX, "%Y%m%dT%H%M%SZ", &tm) == 0)
		copy_text(out, STAMP_MAX, "unknown-time");
}

static bool
is_another(int fd, int dirfd, const char *path)
{
	struct stat mine, there;

	return fstat(fd, &mine) < 0 || fstatat(dirfd, path, &there, 0) < 0 ||
	       mine.st_ino != there.st_ino || mine.st_dev != there.st_dev;
}

static int
say_in_use(struct store *s)
{
	(void)snprintf(s->down_why, sizeof(s->down_why), "another cfdfud uses %s", s->dir);
	return -EBUSY;
}

static int
say_replaced(struct store *s)
{
	(void)snprintf(s->down_why, sizeof(s->down_why),
		       "%.120s was moved or replaced while it was in use; put it back, or use what "
		       "is there now: sudo systemctl restart cfdfud",
		       s->dir);
	return -ESTALE;
}

/* The file of the name, locked; not one that was removed meanwhile. */
static int
lock_file(struct store *s)
{
	int fd, r = 0;

	do {
		fd = openat(s->dirfd, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
		if (fd < 0) {
			r = -errno;
			(void)snprintf(s->down_why, sizeof(s->down_why),
				       "the lock file cannot be opened: %s", strerror(-r));
			return r;
		}
		if (flock(fd, LOCK_EX | LOCK_NB) < 0)
			r = errno == EWOULDBLOCK ? say_in_use(s) : -errno;
		if (r == 0 && !is_another(fd, s->dirfd, LOCK_FILE)) {
			s->lockfd = fd;
			return 0;
		}
		(void)close(fd); /* nothing was written */
	} while (r == 0);
	return r;
}

/*
 * WHY two locks: the file can be removed, and then another daemon makes and locks one of its own;
 * the directory cannot.  Where a file system has no locks for directories, the file has to do.
 */
static int
take_lock(struct store *s)
{
	int r = 0;

	if (s->lockfd < 0) {
		if (flock(s->dirfd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
			return say_in_use(s);
		r = lock_file(s);
	}
	if (r == 0 && mkdirat(s->dirfd, "firmware", 0750) < 0 && errno != EEXIST) {
		r = -errno;
		(void)snprintf(s->down_why, sizeof(s->down_why), "%.180s cannot be made: %s",
			       s->firmware_dir, strerror(-r));
	}
	return r;
}

static int
open_audit(struct store *s, const char *stamp)
{
	int r = audit_open(&s->audit, s->dirfd, stamp, s->audit_trusted);

	if (r == -EPROTO)
		(void)snprintf(s->down_why, sizeof(s->down_why),
			       AUDIT_FILE " has records of a newer cfdfud");
	else if (r < 0)
		(void)snprintf(s->down_why, sizeof(s->down_why),
			       "the audit file cannot be opened: %s", strerror(-r));
	if (r < 0)
		return r;
	s->audit_trusted = -1;
	if (s->audit.cut)
		store_alarm(s, "the audit file had a torn end, kept as " AUDIT_FILE "-%s.torn",
			    stamp);
	return 0;
}

/* The version of the database by the last daemon that started on it. */
static unsigned
recorded_version(void *ctx)
{
	static const char key[] = "\"schema\":";
	struct store *s = ctx;
	char *body = malloc(RECORD_BODY_MAX), *at;
	unsigned version = 0;

	if (body != NULL && audit_last_of(&s->audit, RECORD_START, body) > 0) {
		at = strstr(body, key);
		version =
		    at != NULL ? (unsigned)strtoul(at + sizeof(key) - 1, NULL, 10) : SCHEMA_UNSAID;
	}
	free(body);
	return version;
}

static int
open_database(struct store *s, const char *stamp, bool in_loop)
{
	struct db_options options = { .vfs = s->opt.vfs,
				      .wait_ms = in_loop ? LOOP_WAIT_MS : OPEN_WAIT_MS,
				      .progress = s->opt.progress,
				      .progress_ctx = s->opt.progress_ctx,
				      .recorded_version = recorded_version,
				      .recorded_ctx = s,
				      .ret_checked = &s->open_was_long };
	int r = -EUCLEAN;

	/* Differences that the walk found are rebuilt where nothing waits for it. */
	s->walk.rebuilds = !in_loop && walk_wants_rebuild(s);
	if (s->walk.rebuilds)
		copy_text(s->down_why, sizeof(s->down_why),
			  "the database was not what had been recorded");
	else
		r = db_open(s->db_path, &options, &s->db, s->down_why);
	if (r != -EUCLEAN)
		return r;
	store_alarm(s, "%.160s; it was set aside (%s) and rebuilt", s->down_why, stamp);
	r = compare_set_aside(s, DB_FILE, stamp);
	if (r == 0)
		r = db_open(s->db_path, &options, &s->db, s->down_why);
	return r;
}

static int
make_equal(struct store *s, const char *stamp, bool in_loop)
{
	int r = compare_files(s, stamp);

	if (r == -EUCLEAN) {
		store_alarm(
		    s,
		    "the database contradicted the audit file; it was set aside (%s) and rebuilt",
		    stamp);
		db_close(s->db, true);
		s->db = NULL;
		r = compare_set_aside(s, DB_FILE, stamp);
		if (r == 0)
			r = open_database(s, stamp, in_loop);
		if (r == 0)
			r = compare_files(s, stamp);
	}
	if (r < 0)
		(void)snprintf(s->down_why, sizeof(s->down_why),
			       "the database and the audit file cannot be made equal: %s",
			       strerror(-r));
	return r;
}

/* The first two records of a chain, the first of a daemon's life. */
static int
queue_start(struct store *s, const struct store_time *now)
{
	uint8_t random[16];
	char id[2 * sizeof(random) + 1];
	struct body b;
	int r = 0;

	s->unclean = db_was_unclean(s->db);
	memcpy(s->left_ids, s->open_ids, sizeof(s->left_ids));
	s->left_count = s->open_count;
	if (s->chain_seq == 0) {
		randombytes_buf(random, sizeof(random));
		body_begin(&b);
		body_text(&b, "station", sodium_bin2hex(id, sizeof(id), random, sizeof(random)),
			  sizeof(id));
		body_moment(&b, now);
		r = batch_queue(s, RECORD_STATION, 0, &b);
	}
	if (r == 0) {
		body_begin(&b);
		body_moment(&b, now);
		body_int(&b, "schema", (int64_t)schema_step_count);
		r = batch_queue(s, RECORD_START, 0, &b);
	}
	return r;
}

int
repair_open(struct store *s, const struct store_time *now)
{
	bool again = s->was_up || s->down_errno != 0; /* then the event loop waits */
	char stamp[STAMP_MAX];
	int r;

	stamp_of(now, stamp);
	s->down_why[0] = '\0';
	s->open_was_long = false;
	r = is_another(s->dirfd, AT_FDCWD, s->dir) ? say_replaced(s) : take_lock(s);
	if (r == 0)
		access_mend(s);
	if (r == 0)
		r = open_audit(s, stamp);
	if (r == 0)
		r = open_database(s, stamp, again);
	if (r == 0)
		r = make_equal(s, stamp, again);
	/* WHY: after a failed sync, be it only of the first opening, what the files seem to hold
	 * may be in memory only; a checkpoint writes it anew and syncs that */
	if (r == 0 && again)
		r = db_checkpoint(s->db);
	if (r == 0)
		r = batch_reload(s);
	if (r == 0 && !s->was_up)
		r = queue_start(s, now);
	if (r < 0) {
		access_explain(s, r);
		repair_fail_stop(s, r, NULL);
		return r;
	}
	db_wait_for_locks(s->db, LOOP_WAIT_MS);
	if (s->walk.rebuilds)
		walk_was_rebuilt(s);
	walk_begin(s);
	s->was_up = true;
	s->down_errno = 0;
	s->down_why[0] = '\0';
	return 0;
}

/* WHY: what fails after opening has begun to read all of a large database is tried now and then
 * only, since the event loop waits.  What fails at once - a lock, a mode - is tried each time. */
int
repair_try(struct store *s, const struct store_time *now)
{
	int r;

	if (now->mono_ms < s->retry_at_ms)
		return s->down_errno;
	r = repair_open(s, now);
	s->open_failures = r < 0 && s->open_was_long ? s->open_failures + 1 : 0;
	s->retry_at_ms = s->open_failures >= EAGER_OPENS ? now->mono_ms + RETRY_MS : INT64_MIN;
	return r;
}

void
repair_fail_stop(struct store *s, int error, const char *why)
{
	if (s->audit.fd >= 0 && s->audit.failed && !audit_moved(&s->audit))
		s->audit_trusted = s->audit.good;
	audit_close(&s->audit);
	db_close(s->db, true);
	s->db = NULL;
	s->down_errno = error;
	if (why != NULL)
		(void)snprintf(s->down_why, sizeof(s->down_why), "%s: %s", why, strerror(-error));
	else if (s->down_why[0] == '\0')
		(void)snprintf(s->down_why, sizeof(s->down_why),
			       "the database cannot be opened: %s", strerror(-error));
}

const char *
repair_moved(struct store *s)
{
	if (is_another(s->dirfd, AT_FDCWD, s->dir))
		return "the state directory was moved or replaced";
	if (db_moved(s->db) || audit_moved(&s->audit))
		return "the database or its audit file was moved or removed";
	if (audit_was_written(&s->audit))
		return "another program wrote to the audit file";
	/* The directory is still ours: only the name is taken again. */
	if (is_another(s->lockfd, s->dirfd, LOCK_FILE)) {
		(void)close(s->lockfd); /* of a file that is nowhere any more */
		s->lockfd = -1;
		if (take_lock(s) < 0)
			return "the lock file was removed or replaced";
		store_alarm(s, "the lock file was removed; it was made again");
	}
	return NULL;
}
