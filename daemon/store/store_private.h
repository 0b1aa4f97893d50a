/* SPDX-License-Identifier: MIT */
/*
 * The store's state and the contracts between its parts.
 *
 * Life of the storage:
 *
 *   DOWN -> UP    opened, checked, migrated, compared, repaired       [repair_open]
 *   UP -> DOWN    a write or sync failed, or the file was moved       [repair_fail_stop]
 *
 * INVARIANT: db is NULL exactly when DOWN.
 *
 * INVARIANT: a record leaves the queue only when it is durable in both files.
 *
 * INVARIANT: records get their place on the chain in the order of the queue; those with a place
 * come first.
 */
#ifndef STORE_STORE_PRIVATE_H
#define STORE_STORE_PRIVATE_H

#include "store/audit.h"
#include "store/db.h"
#include "store/record.h"
#include "store/store.h"

#define STAMP_MAX 24
#define BALLAST_FILE "ballast"
#define LOCK_FILE "lock"
#define LOCKED_ALARM_MS 5000 /* doc/faults.md D1 */
#define OPEN_WAIT_MS 2000    /* PRAGMA busy_timeout when opening (doc/faults.md A7.2, item 1) */
#define LOOP_WAIT_MS 20 /* LIMIT: how long a lock of another program may hold up the event loop */

#define WALK_SUSPECT "cfdfud.db-suspect" /* the database is to be rebuilt at the next start */
#define WALK_REBUILT "cfdfud.db-rebuilt" /* what it was rebuilt for last */

/* The slow walk (walk.c). */
struct walk {
	off_t offset;	 /* of the next line; 0: at the beginning */
	int64_t seq;	 /* compared last */
	int64_t last_id; /* of the last attempt met */
	int64_t compared;
	unsigned long differences, unreadable;
	int64_t first_seq; /* of the first difference */
	char first[128];   /* that, in words */
	bool ended;
	bool rebuilds; /* the opening under way does */
	/* of the last one that came to the end */
	int64_t whole_ms;
	unsigned long whole_differences, told_unreadable;
	int64_t told_seq; /* the first difference that was an alarm */
	char whole_first[128];
};

struct store {
	char *dir, *db_path, *firmware_dir;
	int dirfd, lockfd; /* lockfd -1: not locked, so nothing may be written */
	struct store_options opt;
	struct db *db;
	struct audit audit;
	off_t audit_trusted; /* of the file that was open when a sync of it failed; -1 */

	/* the queue */
	struct record *first, *last;
	size_t queued;
	uint64_t ticket_last, ticket_durable;
	int64_t chain_seq; /* last place given */
	uint8_t chain_hash[RECORD_HASH_BYTES];

	/* attempts */
	int64_t next_id;
	int64_t open_ids[STORE_OPEN_MAX];
	size_t open_count;
	int64_t left_ids[STORE_OPEN_MAX]; /* running when the previous daemon ended */
	size_t left_count;
	bool left_queued;    /* their endings are */
	bool interrupt_done; /* store_interrupt_running() finished */
	bool unclean;	     /* the previous daemon did not stop as it should */

	struct walk walk;

	/* health */
	bool was_up;
	unsigned open_failures; /* of repair_try(), in a row, that took long */
	bool open_was_long;	/* the last opening came to reading all of the database */
	int64_t retry_at_ms;	/* mono; not before */
	unsigned aside_count;	/* damaged files put away so far */
	int down_errno;		/* why DOWN, or why the last commit failed; 0 fine */
	char down_why[STORE_WHY_MAX];
	bool ballast_out, space_low;
	int64_t locked_since_ms; /* mono; -1 not */
	int64_t now_ms;		 /* mono, of the last call that brought one */
	char alarm[STORE_WHY_MAX];
	bool wal_big;
};

/* --- batch.c: the record writer */
/* Checks the room, copies the body, appends to the queue.  -E2BIG, -ENOMEM. */
int batch_queue(struct store *s, enum record_kind kind, int64_t ref, struct body *b) MUST_CHECK;
int batch_commit(struct store *s, const struct store_time *now) MUST_CHECK;
/* After reopening: which queued records are on disk, what is the tail of the chain, which attempts
 * are open. */
int batch_reload(struct store *s) MUST_CHECK;

/* --- repair.c: two files, one truth */
/* DOWN -> UP, or down_errno and down_why say why not. */
int repair_open(struct store *s, const struct store_time *now) MUST_CHECK;
/* The same, for callers who would try for ever: after some failures only now and then, else -errno
 * of the last one. */
int repair_try(struct store *s, const struct store_time *now) MUST_CHECK;
/* Closes both files without touching them; storage is DOWN because of error. */
void repair_fail_stop(struct store *s, int error, const char *why);
/* NULL, or which of the files in use is not the one of its name any more.  When only the lock file
 * was removed it is made again. */
const char *repair_moved(struct store *s);

/* --- walk.c: each line against its row */
void walk_begin(struct store *s);
bool walk_wants_rebuild(const struct store *s);
void walk_was_rebuilt(struct store *s);

/* --- access.c: files that are there and may not be written */
void access_mend(struct store *s);
/* Opening failed with this error: names the file that is the reason, and the command. */
void access_explain(struct store *s, int error);

/* --- compare.c: makes the shorter of the two as long as the other */
/* 0; -EUCLEAN: they tell different stories and the audit file is to be believed. */
int compare_files(struct store *s, const char *stamp) MUST_CHECK;
/* Renames name, name-wal and name-shm, as far as they exist, to NAME-STAMP.damaged and so on. */
int compare_set_aside(struct store *s, const char *name, const char *stamp) MUST_CHECK;

/* --- space.c: free space and the ballast */
void space_check(struct store *s); /* one statvfs */
void space_ballast_restore(struct store *s);
bool space_ballast_release(struct store *s); /* false when there was none to release */

/* --- shared by the recording and reading parts */
void body_moment(struct body *b, const struct store_time *now);
int
store_usable(const struct store *s); /* 0, or -EIO and the like when the database cannot be read */
void store_alarm(struct store *s, const char *format, ...) PRINTF_LIKE(2, 3);
bool store_text_present(const char *text);

#endif
