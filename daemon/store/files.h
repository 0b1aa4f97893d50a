/* SPDX-License-Identifier: MIT */
/*
 * The state directory and the two files of truth in it, which are open together or not at all.
 *
 *   DOWN -> UP        locked, opened, checked, migrated, made equal    [recover_files]
 *   DOWN -> IMPORTING the event loop waits, and the database is short  [recover_files]
 *   IMPORTING -> UP   it has all lines of the audit file               [recover_go_on]
 *   any -> DOWN       a write or sync failed, a file was moved, a page
 *                     of the database cannot be what was written       [files_fail_stop]
 *
 * INVARIANT: db is NULL exactly when not UP; import is not NULL exactly when IMPORTING.
 */
#ifndef STORE_FILES_H
#define STORE_FILES_H

#include "store/audit.h"
#include "store/db.h"
#include "store/store.h"

#define STAMP_MAX 24
#define LOCK_FILE "lock"

struct import;

struct files {
	char *dir, *db_path, *firmware_dir;
	int dirfd, lockfd; /* lockfd -1: not locked, so nothing may be written */
	const char *vfs;   /* this, progress and its context as in struct store_options */
	void (*progress)(void *ctx);
	void *progress_ctx;
	struct db *db;
	struct import *import; /* how far it is (reconcile.c); one block of memory */
	struct db *importing;
	struct audit audit;
	off_t audit_trusted; /* of the file that was open when a sync of it failed; -1 */
	unsigned put_away;   /* damaged files so far */
	int down_errno;	     /* why DOWN, or why the last commit failed; 0 fine */
	char down_why[STORE_WHY_MAX];
	char unfit[128]; /* why the database is put away and made anew when it is opened; "" */
	char alarm[STORE_WHY_MAX]; /* for the operator to read; "" none */
};

/* Makes the directory; nothing in it is touched.  0 or negative errno; files_free() in any case. */
int files_init(struct files *f, const char *state_dir) MUST_CHECK;
void files_free(struct files *f);

/* Locks the directory for this process.  0; -EBUSY another cfdfud has it; other negative errno,
 * down_why says more. */
int files_lock(struct files *f) MUST_CHECK;

/* Renames name, name-wal and name-shm, as far as they exist, to NAME-STAMP.damaged and so on. */
int files_put_away(struct files *f, const char *name, const char *stamp) MUST_CHECK;

/* NULL, or which of the files in use is not the one of its name any more.  When only the lock file
 * was removed it is made again. */
const char *files_moved(struct files *f);

/* The directory in use is not the one of its name any more: 0, or -ESTALE and down_why. */
int files_check_dir(struct files *f) MUST_CHECK;

/* Damage that was found in the open database makes it unfit.  True: it is. */
bool files_note_damage(struct files *f);
/* The same, and then it is DOWN. */
bool files_stop_damaged(struct files *f);

void files_close_database(struct files *f, bool in_trouble); /* as db_close() */

/* Closes both files without touching them; storage is DOWN because of error.  why NULL: down_why
 * says it already, or error alone does. */
void files_fail_stop(struct files *f, int error, const char *why);

/* Adds a sentence to the alarm. */
void files_alarm(struct files *f, const char *format, ...) PRINTF_LIKE(2, 3);

/* A long work on the files goes on. */
void files_tell_progress(const struct files *f);

/* Removes what SQLite makes again, and may not be written. */
void files_mend_access(struct files *f);
/* Opening failed with this error: down_why names the file that is the reason, and the command. */
void files_explain_access(struct files *f, int error);

#endif
