/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "store/recover.h"
#include "store/schema.h"
#include "store/store_internal.h"

#define LOCKED_ALARM_MS 5000 /* doc/faults.md D1 */

/* ---- opening -------------------------------------------------------------------------------- */

static void
set_options(struct store *s, const struct store_options *o)
{
	static const struct store_options none = { .vfs = NULL };

	if (o == NULL)
		o = &none;
	s->files.vfs = o->vfs;
	s->files.progress = o->progress;
	s->files.progress_ctx = o->progress_ctx;
	s->space.dirfd = s->files.dirfd;
	s->space.ballast_bytes = o->ballast_bytes > 0 ? o->ballast_bytes : 16 << 20;
	s->space.floor_bytes = o->floor_bytes > 0 ? o->floor_bytes : 64 << 20;
	s->wal_alarm_bytes = o->wal_alarm_bytes > 0 ? o->wal_alarm_bytes : 64 << 20;
}

static void
store_free(struct store *s)
{
	if (s == NULL)
		return;
	queue_free(&s->queue);
	files_free(&s->files);
	free(s);
}

/* The first two records of a chain, the first of a daemon's life. */
static int
queue_start(struct store *s, const struct store_time *now)
{
	uint8_t random[16];
	char id[2 * sizeof(random) + 1];
	struct body b;
	int r = 0;

	running_leave(&s->running, db_was_unclean(s->files.db));
	if (s->queue.chain_seq == 0) {
		randombytes_buf(random, sizeof(random));
		body_begin(&b);
		body_text(&b, "station", sodium_bin2hex(id, sizeof(id), random, sizeof(random)),
			  sizeof(id));
		body_moment(&b, now);
		r = store_queue(s, RECORD_STATION, 0, &b);
	}
	if (r == 0) {
		body_begin_at(&b, now);
		body_int(&b, "schema", (int64_t)schema_step_count);
		r = store_queue(s, RECORD_START, 0, &b);
	}
	return r;
}

/* Down until it is complete: then the files' down_errno and down_why say why not. */
static int
bring_up(struct store *s, const struct store_time *now)
{
	struct files *f = &s->files;
	bool in_loop = s->was_up || f->down_errno != 0; /* then the event loop waits */
	/* Differences that the walk found are rebuilt where nothing waits for it. */
	bool differs = !in_loop && walk_wants_rebuild(f);
	int r = 0;

	if (differs)
		copy_text(f->unfit, sizeof(f->unfit),
			  "the database differed from what was recorded");
	if (f->db == NULL && f->import == NULL)
		r = recover_files(f, now, in_loop);
	if (r > 0 || f->import != NULL) {
		f->down_errno = -EINPROGRESS;
		return -EINPROGRESS; /* store_walk() goes on with it */
	}
	if (r == 0)
		r = running_load(&s->running, f, !s->was_up);
	if (r == 0)
		r = queue_reload(&s->queue, f->db);
	if (r == 0 && !s->was_up)
		r = queue_start(s, now);
	if (r < 0) {
		files_explain_access(f, r);
		files_fail_stop(f, r, NULL);
		return r;
	}
	db_wait_for_locks(f->db, LOOP_WAIT_MS);
	if (differs)
		walk_was_rebuilt(f);
	if (s->was_up)
		walk_begin(&s->walk);
	else
		walk_resume(&s->walk, f);
	s->was_up = true;
	f->down_errno = 0;
	f->down_why[0] = '\0';
	return 0;
}

int
store_open(const char *state_dir, const struct store_options *options, const struct store_time *now,
	   struct store **ret_store, char ret_why[STORE_WHY_MAX])
{
	struct store *s = calloc(1, sizeof(*s));
	int r;

	copy_text(ret_why, STORE_WHY_MAX, "out of memory");
	if (s == NULL)
		return -ENOMEM;
	s->locked_since_ms = -1;
	s->running.next_id = 1;
	s->now_ms = now->mono_ms;
	r = files_init(&s->files, state_dir);
	if (r == 0 && sodium_init() < 0)
		r = -ENOMEM;
	if (r < 0) {
		if (r != -ENOMEM)
			(void)snprintf(ret_why, STORE_WHY_MAX, "%.180s: %s", state_dir,
				       strerror(-r));
		goto out;
	}
	set_options(s, options);
	r = bring_up(s, now);
	/* everything else may get well, and is told by store_health() meanwhile */
	if (r == -EBUSY || r == -EPROTO || r == -ENOMEM) {
		copy_text(ret_why, STORE_WHY_MAX, s->files.down_why);
		goto out;
	}
	space_check(&s->space);
	space_ballast_restore(&s->space);
	if (r == 0)
		(void)!store_commit(s,
				    now); /* trouble shows in store_health(), and is tried again */
	ret_why[0] = '\0';
	*ret_store = s;
	s = NULL;
	r = 0;
out:
	store_free(s);
	return r;
}

/* ---- committing ----------------------------------------------------------------------------- */

int
store_queue(struct store *s, enum record_kind kind, int64_t ref, struct body *b)
{
	/* INVARIANT: there is always room for the ending of every attempt that is running */
	if (kind != RECORD_END && s->queue.count + s->running.count + 2 > STORE_QUEUE_MAX)
		return -E2BIG;
	return queue_add(&s->queue, kind, ref, b);
}

static int
write_once(struct store *s)
{
	return queue_write(&s->queue, s->files.db, &s->files.audit);
}

/* Errors after which nothing this connection says may be believed (doc/faults.md A7.2, item 9).
 */
static bool
must_fail_stop(int error)
{
	return error != -EAGAIN && error != -ENOSPC && error != -ENOMEM;
}

static int
try_again(struct store *s, int error, const struct store_time *now)
{
	int n = error;

	if (n == -ENOSPC && space_ballast_release(&s->space))
		n = write_once(s);
	if (n < 0 && must_fail_stop(n)) {
		files_fail_stop(&s->files, n, "writing failed");
		n = bring_up(s, now);
		if (n == 0)
			n = write_once(s);
		if (n < 0 && must_fail_stop(n) && s->files.db != NULL)
			files_fail_stop(&s->files, n, "writing failed again after reopening");
	}
	if (n < 0 && n != -EAGAIN && s->files.db != NULL)
		queue_save_in_audit(&s->queue, &s->files.audit);
	return n;
}

static void
note_result(struct store *s, int n, const struct store_time *now)
{
	static const struct {
		int error;
		const char *why;
	} words[] = {
		{ -EAGAIN, "another program holds the database locked" },
		{ -ENOSPC, "the disk is full" },
		{ -ENOMEM, "out of memory" },
	};

	if (n != -EAGAIN)
		s->locked_since_ms = -1;
	else if (s->locked_since_ms < 0)
		s->locked_since_ms = now->mono_ms;
	if (s->files.db == NULL)
		return; /* files_fail_stop() or bring_up() said why */
	s->files.down_errno = n;
	copy_text(s->files.down_why, sizeof(s->files.down_why),
		  n < 0 ? "the records cannot be written" : "");
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (words[i].error == n)
			copy_text(s->files.down_why, sizeof(s->files.down_why), words[i].why);
}

int
store_commit(struct store *s, const struct store_time *now)
{
	int r = 0;

	s->now_ms = now->mono_ms;
	if (s->queue.first == NULL)
		return 0;
	store_watch(s);
	if (s->files.db == NULL)
		r = bring_up(s, now);
	if (r == 0)
		r = write_once(s);
	if (r < 0 && s->files.db != NULL)
		r = try_again(s, r, now);
	note_result(s, r, now);
	if (r == -ENOSPC || r == -EROFS || r == -EAGAIN || r == -ENOMEM)
		return r;
	return r < 0 ? -EIO : 0;
}

/* ---- health and the end ---------------------------------------------------------------------- */

void
store_close(struct store *s, const struct store_time *now)
{
	struct body b;

	if (s == NULL)
		return;
	if (now != NULL && s->files.db != NULL) {
		body_begin_at(&b, now);
		if (store_queue(s, RECORD_STOP, 0, &b) == 0)
			(void)!store_commit(s, now); /* the next start finds out what is missing */
	}
	if (now == NULL && s->files.down_errno == 0)
		s->files.down_errno = -EINTR; /* as if killed: nothing is checkpointed */
	store_free(s);
}

enum store_health
store_health(const struct store *s, char ret_why[STORE_WHY_MAX])
{
	enum store_health h = STORE_DEGRADED;
	const char *why = "";
	bool locked = s->locked_since_ms >= 0;

	if (s->files.db == NULL || (s->files.down_errno != 0 && !locked) ||
	    (locked && s->now_ms - s->locked_since_ms >= LOCKED_ALARM_MS))
		why = s->files.down_why;
	else if (s->space.low)
		why = "the disk has less free space than required";
	else if (s->space.ballast_out)
		why = "the disk was full: its reserve is used up or cannot be made";
	else if (s->files.alarm[0] != '\0' || s->wal_big)
		h = STORE_ALARM;
	else
		h = STORE_OK;
	if (h == STORE_ALARM)
		why = s->files.alarm[0] != '\0'
			  ? s->files.alarm
			  : "another program keeps reading the database: its log cannot shrink";
	if (ret_why != NULL)
		copy_text(ret_why, STORE_WHY_MAX, why);
	return h;
}

void
store_acknowledge(struct store *s)
{
	s->files.alarm[0] = '\0';
}

static void
check_wal(struct store *s)
{
	struct stat st;

	s->wal_big = fstatat(s->files.dirfd, DB_FILE "-wal", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		     (uint64_t)st.st_size > s->wal_alarm_bytes;
}

void
store_watch(struct store *s)
{
	const char *moved = s->files.db != NULL ? files_moved(&s->files) : NULL;

	if (moved != NULL)
		files_fail_stop(&s->files, -ESTALE, moved);
	(void)files_stop_damaged(&s->files); /* store_health() says so */
}

int
store_check(struct store *s, const struct store_time *now)
{
	bool was_up = s->was_up;

	s->now_ms = now->mono_ms;
	store_watch(s);
	if (s->files.db == NULL)
		(void)!bring_up(s, now); /* store_health() says why not */
	space_check(&s->space);
	space_ballast_restore(&s->space);
	check_wal(s);
	(void)!store_commit(s, now); /* the same */
	return !was_up && s->was_up;
}

/* The database is made again, a few lines at a time. */
static int
go_on_importing(struct store *s, const struct store_time *now, bool (*go_on)(void *ctx), void *ctx)
{
	int n = recover_go_on(&s->files, go_on, ctx);

	if (n < 0) {
		files_fail_stop(&s->files, n, NULL);
		return -EAGAIN; /* store_check() tries again */
	}
	if (n == 0)
		n = bring_up(s, now);
	return n < 0 ? -EAGAIN : 1;
}

int
store_walk(struct store *s, const struct store_time *now, bool (*go_on)(void *ctx), void *ctx)
{
	return s->files.import != NULL ? go_on_importing(s, now, go_on, ctx)
				       : walk_go_on(s, now, go_on, ctx);
}

int
store_usable(const struct store *s)
{
	if (s->files.db != NULL)
		return 0;
	return s->files.down_errno == -ENOSPC || s->files.down_errno == -EROFS ? s->files.down_errno
									       : -EIO;
}

int
store_ready(struct store *s, const struct store_time *now)
{
	int r = store_usable(s);

	s->now_ms = now->mono_ms;
	if (r < 0)
		return r;
	if (s->files.down_errno != 0)
		return s->files.down_errno;
	space_check(&s->space);
	if (s->space.low || s->space.ballast_out)
		return -ENOSPC;
	return s->running.interrupt_done ? 0 : -EINPROGRESS;
}

uint64_t
store_queued(const struct store *s)
{
	return s->queue.ticket_last;
}

uint64_t
store_durable(const struct store *s)
{
	return s->queue.ticket_durable;
}

const char *
store_firmware_dir(const struct store *s)
{
	return s->files.firmware_dir;
}

void
body_moment(struct body *b, const struct store_time *now)
{
	body_int(b, "at",
		 now->wall_ms > 0 ? now->wall_ms : 0); /* before 1970 there is nothing to record */
	body_int(b, "mono", now->mono_ms);
	body_text(b, "boot", now->boot_id, STORE_NAME_MAX);
	body_int(b, "sync", now->synchronised);
}

void
body_begin_at(struct body *b, const struct store_time *now)
{
	body_begin(b);
	body_moment(b, now);
}

bool
store_name_is_clean(const char *name)
{
	char clean[STORE_NAME_MAX];

	return text_present(name) &&
	       record_clean_text(name, clean, sizeof(clean)) == strlen(name) &&
	       strcmp(name, clean) == 0;
}
