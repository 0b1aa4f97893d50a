/* SPDX-License-Identifier: MIT */
/*
 * The station's memory: SQLite beside an append-only audit file, each able to repair the other.
 *
 * How to use it.  Every call that records something only queues it, checked and in order;
 * store_commit() makes the whole queue durable in one transaction (database first, then the audit
 * file, both synced).  Only then may anything of it be announced, and only then do queries see it.
 * When store_commit() fails nothing is lost: the queue stays, and is tried again by the next
 * store_commit() or store_check().
 *
 * Texts go in as NULL or "" when unknown and come out as NULL.  They are copied, made valid UTF-8
 * without control characters, and cut at the limits below.  Pointers given to callbacks are good
 * until the callback returns; a callback may not call into the store.  No clock in here: every time
 * is the caller's.
 *
 * INVARIANT: every attempt has exactly one beginning and, once ended, exactly one ending, across
 * any number of kills and power cuts; records are numbered without a gap and each carries the hash
 * of the one before.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>

#include "cfdfu/util.h"

#define STORE_WHY_MAX 256      /* a sentence for the operator */
#define STORE_NAME_MAX 96      /* LIMIT: ports, labels, serials, names, versions */
#define STORE_MESSAGE_MAX 1024 /* LIMIT: messages, notes, arguments */
#define STORE_STAGES_MAX 32    /* LIMIT: stages of one attempt */
#define STORE_PARTS_MAX 16     /* LIMIT: parts of one release */
#define STORE_OPEN_MAX 1024    /* LIMIT: attempts running at one time */
#define STORE_QUEUE_MAX 8192   /* LIMIT: records waiting for a disk that cannot be written */
#define STORE_HISTORY_MAX 1000 /* LIMIT: rows of one history query; page with before_id */
#define STORE_FAIL_PORTS_MAX 8 /* LIMIT: ports remembered of a drone's failures in a row */

struct store;

/* A moment.  Decisions use mono_ms; wall_ms is only recorded. */
struct store_time {
	int64_t wall_ms;     /* since 1970, UTC */
	int64_t mono_ms;     /* CLOCK_BOOTTIME */
	const char *boot_id; /* of the running kernel; NULL unknown */
	bool synchronised;   /* the wall clock is known to be right */
};

/* All zero is a good default. */
struct store_options {
	uint64_t ballast_bytes;	  /* 0: 16 MiB */
	uint64_t floor_bytes;	  /* free space demanded before an attempt; 0: 64 MiB */
	uint64_t wal_alarm_bytes; /* a write-ahead log worth an alarm; 0: 64 MiB */
	/* Called now and then while a migration or a repair takes long (a million attempts: two
	 * minutes of processor time), to extend a limit of the start; may be NULL. */
	void (*progress)(void *ctx);
	void *progress_ctx;
	const char *vfs; /* SQLite VFS by name, for tests; NULL: the default one */
};

enum store_health {
	STORE_OK,
	STORE_ALARM,	/* works; something happened that the operator should look at */
	STORE_DEGRADED, /* no new attempt is accepted; store_check() goes on trying */
};

/* --- life --- */

/*
 * Opens or creates state_dir (mode 0750) with cfdfud.db, audit.jsonl, ballast, lock and firmware/;
 * migrates, repairs, and checks what new records rest on (recover.h).  A full, failing or read-only
 * disk gives 0 and a DEGRADED store.  Failures, with a sentence in ret_why:
 *
 * -EBUSY: another daemon holds the directory.
 *
 * -EPROTO: the database is of a newer version, or another program's; nothing was touched.
 *
 * -ENOMEM, and the errno of a directory that cannot be made or entered.
 */
int store_open(const char *state_dir, const struct store_options *options,
	       const struct store_time *now, struct store **ret_store,
	       char ret_why[STORE_WHY_MAX]) MUST_CHECK;

/*
 * Commits what is queued, marks the stop as a clean one (unless now is NULL: then nothing is
 * written, as if killed) and frees.  NULL store is fine.
 */
void store_close(struct store *s, const struct store_time *now);

/* ret_why (may be NULL): a sentence, "" when STORE_OK.  Cheap, no I/O. */
enum store_health store_health(const struct store *s, char ret_why[STORE_WHY_MAX]);

/* The operator has read the alarm: STORE_ALARM becomes STORE_OK.  DEGRADED stays as long as its
 * cause. */
void store_acknowledge(struct store *s);

/*
 * Call every minute, and every second or so while store_queued() != store_durable() or health is
 * DEGRADED: looks whether the database was moved or removed, reopens and repairs, restores the
 * ballast, commits what is queued. Returns 1 when the database became usable for the first time
 * since store_open() (now call store_interrupt_running() and read the catalogue), 0 otherwise; what
 * is wrong is in store_health().
 */
int store_check(struct store *s, const struct store_time *now);

/* Looks whether the files in use are still those of their names; some stat() calls, for each
 * second.  store_health() says what was found. */
void store_watch(struct store *s);

/*
 * --- the slow walk: each record of the database, and its place in each index, against its line in
 * the audit file.  Opening looks at the ends alone; a walk that was cut off goes on after the next
 * start (walk.h). ---
 */

struct store_walk {
	bool importing;		   /* instead: the database is made again, which comes first */
	int64_t compared, total;   /* records, of the walk under way; lines of the audit file */
	int64_t whole_ms;	   /* wall clock, when one came to the end; 0 not since the start */
	unsigned long differences; /* found by it, or by the one under way */
	const char *first;	   /* the first in words; "" */
};

/*
 * Goes on with it while go_on says so, one line at least; then a difference is an alarm, and the
 * database is rebuilt at the next start.  1: there is more; 0: it came to the end, the next call
 * begins anew; -EAGAIN: not now; other negative errno.
 *
 * A page or an index that is damaged makes the store DEGRADED: nothing begins, nothing is durable,
 * until the database has been made again from the audit file, by store_check() and further calls.
 */
int store_walk(struct store *s, const struct store_time *now, bool (*go_on)(void *ctx),
	       void *ctx) MUST_CHECK;
void store_walk_again(struct store *s); /* from the beginning */
void store_walk_state(const struct store *s, struct store_walk *ret);

/*
 * May an attempt begin?  0, or -ENOSPC (under the floor), -EROFS, -EIO, -EAGAIN (locked by another
 * program), -EINPROGRESS (store_interrupt_running() not done yet).  One statvfs(), no disk access.
 */
int store_ready(struct store *s, const struct store_time *now) MUST_CHECK;

/*
 * Makes everything queued durable.  0: announce it.  -EAGAIN: another program holds the database
 * locked; -ENOSPC: full, also after the ballast was released; -EIO: the disk failed, or the
 * database had been moved away and could not be reopened; -EROFS; -ENOMEM.  An empty queue is 0
 * without I/O.
 */
int store_commit(struct store *s, const struct store_time *now) MUST_CHECK;

/* Numbers of the last record queued, and of the last one durable: announce when durable has reached
 * yours. */
uint64_t store_queued(const struct store *s);
uint64_t store_durable(const struct store *s);

/* <state_dir>/firmware, created by store_open(). */
const char *store_firmware_dir(const struct store *s);

/* --- attempts --- */

struct store_begin {
	const char *kind;	  /* "flash", "loader", "backup", "deck", "eeprom"; NULL: "flash" */
	const char *target;	  /* "deck:NAME", "eeprom"; NULL: "stm32" */
	const char *radio_before; /* the radio configuration that is replaced, in hex */
	const char *port;	  /* required */
	const char *label;
	const char *serial; /* run-time */
	const char *dfu_serial;
	const char *platform;
	const char *firmware_name;
	const char *firmware_version;
	const char *firmware_sha256; /* 64 hex digits of the image digest */
	const char *version_before;
	const char *flags;  /* "no-serial dup-serial retry=1": words, free for the caller */
	int64_t batch;	    /* its id; 0: none runs */
	const char *signer; /* of the firmware; NULL: it is not signed */
};

/* Effect of an ending on the count of failures in a row. */
enum store_count {
	STORE_COUNT_KEEP = 0,
	STORE_COUNT_FAILED = 1,
	STORE_COUNT_CLEARED = 2,
};

struct store_stage {
	const char *name;
	int64_t ms;
};

struct store_ending {
	int verdict, fault, fault_class, step; /* the numbers of cfdfu/outcome.h */
	const char *verdict_name;	       /* required */
	const char *fault_name;		       /* NULL when none */
	const char *fault_class_name;
	const char *step_name;
	int64_t address; /* -1: the step has no place */
	uint64_t bytes_written;
	uint32_t sectors_erased;
	uint32_t transfers;
	const char *version_after;
	const char *message;
	const char *flags; /* joined to those of the beginning */
	/* Learned only under way; NULL leaves what the beginning said. */
	const char *serial, *dfu_serial, *platform, *version_before;
	const struct store_stage *stages;
	size_t stage_count; /* STORE_STAGES_MAX at most; more are left out */
	enum store_count port_count, drone_count;
};

/*
 * Queues the beginning.  Commit before the first erase.  Fails as store_ready() does, or with
 * -EINVAL (no port), -E2BIG (STORE_OPEN_MAX, STORE_QUEUE_MAX), -ENOMEM. When the commit fails the
 * attempt stays queued: end it (fault storage) and both are written when the disk is back.
 */
int store_attempt_begin(struct store *s, const struct store_begin *b, const struct store_time *now,
			int64_t *ret_id) MUST_CHECK;

/* Queues the ending.  -EALREADY: it has one; -ENOENT: no such attempt; -EINVAL: no verdict;
 * -ENOMEM; -E2BIG. */
int store_attempt_end(struct store *s, int64_t id, const struct store_ending *e,
		      const struct store_time *now) MUST_CHECK;

/*
 * Queues in which condition the attempt has left its drone as a whole: one JSON object without line
 * breaks, kept as it is.  Any number of times, also behind the ending; the last one counts, and one
 * like the last one recorded is not queued.  -ENOENT: no such attempt; -EINVAL; -ENOMEM; -E2BIG.
 */
int store_attempt_condition(struct store *s, int64_t id, const char *condition,
			    const struct store_time *now) MUST_CHECK;

/* An attempt that was running when the previous daemon ended. */
struct store_interrupted {
	int64_t id;
	const char *kind, *port, *serial, *dfu_serial, *platform;
	const char *firmware_name, *firmware_sha256;
	const char *flags;
	bool unclean;	  /* the daemon did not stop, it was killed or the machine went down */
	unsigned crashes; /* unclean ends in a row with this port active, this one included */
};

/*
 * Ends every attempt left running (e gives verdict, names and message; its counts should be KEEP),
 * commits, then calls back for each, oldest first.  Call once after store_open() (or when
 * store_check() returned 1), before anything else is recorded; a second call finds nothing.  Fails
 * as store_commit() does, before any callback; then call it again later.
 */
int store_interrupt_running(struct store *s, const struct store_ending *e,
			    const struct store_time *now,
			    void (*each)(void *ctx, const struct store_interrupted *i),
			    void *ctx) MUST_CHECK;

/* One row of the view `attempts`, and a little more.  Texts NULL when unknown. */
struct store_attempt {
	int64_t id;
	int64_t started_ms, ended_ms; /* wall clock; ended_ms -1 while running */
	const char *kind, *port, *label, *serial, *dfu_serial, *platform;
	const char *firmware_name, *firmware_version, *firmware_sha256;
	const char *version_before, *version_after;
	const char *verdict, *fault, *fault_class, *step;
	int64_t address;				  /* -1 none */
	int64_t bytes_written, sectors_erased, transfers; /* -1 while running */
	int64_t duration_ms;				  /* -1 unknown */
	const char *message, *flags;
	const char *target, *uuid, *radio_before, *batch, *signer;
	const char *condition;		  /* as store_attempt_condition(); NULL none */
	bool synchronised;		  /* the clock was known to be right when it began */
	const struct store_stage *stages; /* store_attempt_get() only */
	size_t stage_count;
};

struct store_filter {
	const char *serial;  /* run-time or DFU, case does not matter */
	const char *slot;    /* port path, or label at that time */
	const char *verdict; /* a verdict's name, or "running" */
	const char *kind;    /* as a beginning's */
	int64_t batch;	     /* its id; 0 any and none */
	int64_t since_ms;    /* began at or after; 0 no limit */
	int64_t until_ms;    /* began before; 0 no limit */
	int64_t before_id;   /* only smaller ids: the cursor for the next page; 0 no limit */
	unsigned limit;	     /* 0: STORE_HISTORY_MAX */
	/* Asked after each row looked at, wanted or not: true ends the page.  May be NULL. */
	bool (*enough)(void *ctx);
	/* SQLite's steps for sorting the attempts of drones that share a serial, beyond which all
	 * attempts are gone through in pages instead; 0: some milliseconds' worth. */
	unsigned sort_steps;
	/* Set to before_id of the next page, 0 when there is none; a page may be empty and have
	 * one.  May be NULL. */
	int64_t *ret_next;
};

/* Newest first.  The number of rows, or negative errno (-EIO: the database cannot be read now). */
int store_history(struct store *s, const struct store_filter *f,
		  void (*each)(void *ctx, const struct store_attempt *a), void *ctx) MUST_CHECK;

/* A page of the chain of records, for other databases. */
struct store_endings {
	int64_t after;		   /* the records behind this one; 0: all */
	unsigned limit;		   /* LIMIT: endings and conditions of a page; 0: none are read */
	bool (*enough)(void *ctx); /* as a filter's */
	/* An attempt that ended, with its stages.  Meanwhile next is its record; condition: it is
	 * that of what was learned of its drone then, behind the ending. */
	void (*each)(void *ctx, const struct store_attempt *a);
	bool condition;
	int64_t next, head, total;	    /* out: the last looked at; the last; endings in all */
	char after_hash[65], next_hash[65]; /* out: hex; "" where there is no such record */
	char station[STORE_NAME_MAX];	    /* out: 32 hex digits, of the first record */
};

/* In the order of their records.  0; the same errors as store_history(). */
int store_endings(struct store *s, struct store_endings *e, void *ctx) MUST_CHECK;

/* One attempt with its stages, by one call of each.  -ENOENT. */
int store_attempt_get(struct store *s, int64_t id,
		      void (*each)(void *ctx, const struct store_attempt *a), void *ctx) MUST_CHECK;

/* --- drones --- */

/* News of a drone, to be remembered; NULL leaves what is known. */
struct store_drone_facts {
	const char *serial, *dfu_serial; /* at least one */
	const char *platform, *device_type, *board_type;
	const char *loader_sha256; /* of sector 0, hex */
	const char *version;	   /* reported by the drone */
	const char *quirks;	   /* words: "obey"; "" clears them */
	const char *nrf_version;
	const char *radio, *decks; /* texts of the caller's, kept as they are */
};

struct store_drone {
	int64_t id;
	const char *serial, *dfu_serial, *platform, *device_type, *board_type, *loader_sha256;
	const char *version, *quirks, *nrf_version, *radio, *decks;
	int64_t first_seen_ms, last_seen_ms;
	int64_t last_attempt;	   /* id, 0 none */
	const char *last_verdict;  /* of the last attempt that ended */
	const char *last_firmware; /* name of the image of that attempt */
	const char *last_sha256;   /* its digest */
	unsigned failures;	   /* in a row */
	const char *failed_ports;  /* "1-4 1-5": where those were; NULL */
	unsigned failed_port_count;
	int64_t quarantined_ms; /* 0 not */
	const char *quarantined_why;
	bool shares_dfu_serial; /* another drone has the same DFU serial: it does not identify */
};

/*
 * Queues what was learned of a drone (found by run-time serial, else by DFU serial of which no
 * run-time serial is known; created when new).  Records nothing when nothing but the time changed
 * and that by less than a minute.
 */
int store_drone_note(struct store *s, const struct store_drone_facts *f,
		     const struct store_time *now) MUST_CHECK;

/* By run-time serial, else by DFU serial; either may be NULL, and the same text for both finds
 * either.  1 and one call of each, 0 unknown, negative errno. */
int store_drone_find(struct store *s, const char *serial, const char *dfu_serial,
		     void (*each)(void *ctx, const struct store_drone *d), void *ctx) MUST_CHECK;

/* The serials, either of which begins so (case does not matter), of at most limit drones. */
int store_drone_begins(struct store *s, const char *prefix, unsigned limit,
		       void (*each)(void *ctx, const char *serial, const char *dfu_serial),
		       void *ctx) MUST_CHECK;

/* Quarantines a drone (why) or releases it and forgets its failures (why NULL).  serial: either
 * kind.  -EINVAL: ""; -ENOENT: no such drone is recorded (notes and beginnings in the queue are not
 * yet). */
int store_drone_quarantine(struct store *s, const char *serial, const char *why,
			   const struct store_time *now) MUST_CHECK;

/* --- ports --- */

struct store_port {
	const char *port, *label;
	unsigned failures; /* in a row */
	unsigned crashes;  /* unclean ends of the daemon in a row with an attempt running here */
	int64_t quarantined_ms; /* 0 not */
	const char *quarantined_why;
};

int store_port_each(struct store *s, void (*each)(void *ctx, const struct store_port *p),
		    void *ctx) MUST_CHECK;

/* Quarantines a port (why), or releases it and forgets its failures and crashes (why NULL). */
int store_port_quarantine(struct store *s, const char *port, const char *why,
			  const struct store_time *now) MUST_CHECK;

/* --- catalogue, selection, settings --- */

struct store_firmware {
	const char *name;   /* unique, required */
	const char *sha256; /* image digest, hex, required */
	const char *file;   /* in firmware/, required */
	const char *file_sha256;
	const char *source_name, *source_sha256; /* of the operator's file */
	const char *version, *revision;
	unsigned platforms; /* bits of cfdfu/platform.h */
	uint64_t size_bytes;
	const char *notes; /* "its nRF51 part cannot be updated over DFU" */
	bool incomplete;   /* taken on the operator's word, without evidence of being whole */
	int64_t added_ms;  /* out only */
	const char *added_by;
	const char *signer; /* id of the key; NULL: not signed */
};

/*
 * A change of the catalogue, or of a reference to it, first commits what is queued (and fails as
 * store_commit() does), then queues the change.  -EEXIST: the name is taken; -EINVAL: something
 * required is missing, or the name is no clean text of at most STORE_NAME_MAX - 1 bytes.
 */
int store_firmware_add(struct store *s, const struct store_firmware *f,
		       const struct store_time *now) MUST_CHECK;
/* Says all of it anew of a name that is there; its place in the order stays.  -ENOENT; else as
 * above. */
int store_firmware_replace(struct store *s, const struct store_firmware *f,
			   const struct store_time *now) MUST_CHECK;
/* -ENOENT; -EBUSY: selected somewhere.  The file in firmware/ is the caller's to remove, after the
 * commit. */
int store_firmware_remove(struct store *s, const char *name,
			  const struct store_time *now) MUST_CHECK;
/* 1 and one call, 0 unknown.  In order of addition. */
int store_firmware_find(struct store *s, const char *name,
			void (*each)(void *ctx, const struct store_firmware *f),
			void *ctx) MUST_CHECK;
int store_firmware_each(struct store *s, void (*each)(void *ctx, const struct store_firmware *f),
			void *ctx) MUST_CHECK;

/*
 * A part of a release that DFU mode does not carry, kept with a firmware of the catalogue and gone
 * with it.
 */
struct store_part {
	const char *firmware;	   /* its name in the catalogue */
	const char *target, *type; /* required; one part for both */
	const char *version;
	const char *soft_device; /* of the nRF51, which it needs or brings */
	const char *file;	 /* in firmware/, required */
	const char *file_sha256;
	uint64_t size_bytes;
	const char *signer; /* as of a firmware */
};

/* Adds it, or says all of it anew.  -ENOENT: no such firmware; -E2BIG: it has STORE_PARTS_MAX
 * others; else as store_firmware_add(). */
int store_part_put(struct store *s, const struct store_part *p,
		   const struct store_time *now) MUST_CHECK;
/* Of one firmware, in order of addition; NULL: of all.  0 or negative errno. */
int store_part_each(struct store *s, const char *firmware,
		    void (*each)(void *ctx, const struct store_part *p), void *ctx) MUST_CHECK;

enum store_scope {
	STORE_STATION,	   /* "paused" -> "yes"; "brake" -> why; "brake-since" -> attempt */
	STORE_SELECTED,	   /* platform -> firmware name */
	STORE_OWN,	   /* slot or serial -> firmware name */
	STORE_PLATFORM,	   /* slot or serial -> platform: the operator's word on what it is */
	STORE_QUARANTINED, /* SHA-256 of a quarantined image -> why */
	STORE_NAME,	   /* run-time serial -> name of the drone */
	STORE_SCOPE_COUNT
};

/* value NULL removes.  -ENOENT: STORE_SELECTED and STORE_OWN name a firmware that is not in the
 * catalogue. */
int store_set(struct store *s, enum store_scope scope, const char *name, const char *value,
	      const struct store_time *now) MUST_CHECK;
/* 1 and the value, 0 not set, -E2BIG: does not fit.  Committed settings only. */
int store_get(struct store *s, enum store_scope scope, const char *name, char *ret_value,
	      size_t size) MUST_CHECK;
int store_each(struct store *s, enum store_scope scope,
	       void (*each)(void *ctx, const char *name, const char *value), void *ctx) MUST_CHECK;

/* --- what operators did --- */

struct store_act {
	int64_t uid, pid; /* -1 unknown */
	const char *user;
	const char *method;    /* required: "Select" */
	const char *arguments; /* as the client gave them, JSON */
};

int store_act(struct store *s, const struct store_act *a, const struct store_time *now) MUST_CHECK;

#endif
