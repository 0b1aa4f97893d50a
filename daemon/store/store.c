/* SPDX-License-Identifier: MIT */
/* The life of a store: directories, opening, health, the regular check, closing. */
#include "config.h"

#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store_private.h"

static void
set_options(struct store *s, const struct store_options *o)
{
	if (o != NULL)
		s->opt = *o;
	if (s->opt.ballast_bytes == 0)
		s->opt.ballast_bytes = 16 << 20;
	if (s->opt.floor_bytes == 0)
		s->opt.floor_bytes = 64 << 20;
	if (s->opt.wal_alarm_bytes == 0)
		s->opt.wal_alarm_bytes = 64 << 20;
}

static int
make_directories(struct store *s)
{
	if (mkdir(s->dir, 0750) < 0 && errno != EEXIST && errno != EROFS)
		return -errno;
	s->dirfd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return s->dirfd < 0 ? -errno : 0;
}

static int
make_paths(struct store *s, const char *state_dir)
{
	s->dir = strdup(state_dir);
	if (s->dir == NULL || asprintf(&s->db_path, "%s/" DB_FILE, state_dir) < 0) {
		s->db_path = NULL; /* asprintf() leaves it undefined */
		return -ENOMEM;
	}
	if (asprintf(&s->firmware_dir, "%s/firmware", state_dir) < 0) {
		s->firmware_dir = NULL;
		return -ENOMEM;
	}
	return 0;
}

static void
store_free(struct store *s)
{
	if (s == NULL)
		return;
	while (s->first != NULL) {
		struct record *r = s->first;

		s->first = r->next;
		free(r);
	}
	audit_close(&s->audit);
	db_close(s->db, s->down_errno != 0);
	if (s->lockfd >= 0)
		(void)close(s->lockfd); /* releases the lock */
	if (s->dirfd >= 0)
		(void)close(s->dirfd);
	free(s->dir);
	free(s->db_path);
	free(s->firmware_dir);
	free(s);
}

int
store_open(const char *state_dir, const struct store_options *options, const struct store_time *now,
	   struct store **ret_store, char ret_why[STORE_WHY_MAX])
{
	struct store *s = calloc(1, sizeof(*s));
	int r = s != NULL && sodium_init() >= 0 ? 0 : -ENOMEM;

	copy_text(ret_why, STORE_WHY_MAX, "out of memory");
	if (r < 0)
		goto out;
	s->dirfd = s->lockfd = s->audit.fd = -1;
	s->audit_trusted = -1;
	s->locked_since_ms = -1;
	s->next_id = 1;
	s->now_ms = now->mono_ms;
	set_options(s, options);
	r = make_paths(s, state_dir);
	if (r < 0)
		goto out;
	r = make_directories(s);
	if (r < 0) {
		(void)snprintf(ret_why, STORE_WHY_MAX, "%.180s: %s", state_dir, strerror(-r));
		goto out;
	}
	r = repair_open(s, now);
	/* everything else may get well, and is told by store_health() meanwhile */
	if (r == -EBUSY || r == -EPROTO || r == -ENOMEM) {
		copy_text(ret_why, STORE_WHY_MAX, s->down_why);
		goto out;
	}
	space_check(s);
	space_ballast_restore(s);
	if (r == 0)
		(void)!store_commit(
		    s, now); /* trouble shows in store_health(), and it is tried again */
	ret_why[0] = '\0';
	*ret_store = s;
	s = NULL;
	r = 0;
out:
	store_free(s);
	return r;
}

void
store_close(struct store *s, const struct store_time *now)
{
	struct body b;

	if (s == NULL)
		return;
	if (now != NULL && s->db != NULL) {
		body_begin(&b);
		body_moment(&b, now);
		if (batch_queue(s, RECORD_STOP, 0, &b) == 0)
			(void)!store_commit(s, now); /* the next start finds out what is missing */
	}
	if (now == NULL && s->down_errno == 0)
		s->down_errno = -EINTR; /* as if killed: nothing is checkpointed */
	store_free(s);
}

enum store_health
store_health(const struct store *s, char ret_why[STORE_WHY_MAX])
{
	enum store_health h = STORE_DEGRADED;
	const char *why = "";
	bool locked = s->locked_since_ms >= 0;

	if (s->db == NULL || (s->down_errno != 0 && !locked) ||
	    (locked && s->now_ms - s->locked_since_ms >= LOCKED_ALARM_MS))
		why = s->down_why;
	else if (s->space_low)
		why = "the disk has less free space than demanded";
	else if (s->ballast_out)
		why = "the disk was full: its reserve is used up or cannot be made";
	else if (s->alarm[0] != '\0' || s->wal_big)
		h = STORE_ALARM;
	else
		h = STORE_OK;
	if (h == STORE_ALARM)
		why = s->alarm[0] != '\0'
			  ? s->alarm
			  : "another program keeps reading the database: its log cannot shrink";
	if (ret_why != NULL)
		copy_text(ret_why, STORE_WHY_MAX, why);
	return h;
}

void
store_acknowledge(struct store *s)
{
	s->alarm[0] = '\0';
}

void
store_alarm(struct store *s, const char *format, ...)
{
	size_t used = strlen(s->alarm);
	va_list args;

	if (used > 0 && used + 3 < sizeof(s->alarm)) {
		memcpy(s->alarm + used, "; ", 3);
		used += 2;
	}
	va_start(args, format);
	(void)vsnprintf(s->alarm + used, sizeof(s->alarm) - used, format, args);
	va_end(args);
}

static void
check_wal(struct store *s)
{
	struct stat st;

	s->wal_big = fstatat(s->dirfd, DB_FILE "-wal", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		     (uint64_t)st.st_size > s->opt.wal_alarm_bytes;
}

void
store_watch(struct store *s)
{
	const char *moved = s->db != NULL ? repair_moved(s) : NULL;

	if (moved != NULL)
		repair_fail_stop(s, -ESTALE, moved);
}

int
store_check(struct store *s, const struct store_time *now)
{
	bool was_up = s->was_up;

	s->now_ms = now->mono_ms;
	store_watch(s);
	if (s->db == NULL)
		(void)!repair_try(s, now); /* store_health() says why not */
	space_check(s);
	space_ballast_restore(s);
	check_wal(s);
	(void)!store_commit(s, now); /* the same */
	return !was_up && s->was_up;
}

int
store_usable(const struct store *s)
{
	if (s->db != NULL)
		return 0;
	return s->down_errno == -ENOSPC || s->down_errno == -EROFS ? s->down_errno : -EIO;
}

int
store_ready(struct store *s, const struct store_time *now)
{
	int r = store_usable(s);

	s->now_ms = now->mono_ms;
	if (r < 0)
		return r;
	if (s->down_errno != 0)
		return s->down_errno;
	space_check(s);
	if (s->space_low || s->ballast_out)
		return -ENOSPC;
	return s->interrupt_done ? 0 : -EINPROGRESS;
}

int
store_commit(struct store *s, const struct store_time *now)
{
	int r;

	s->now_ms = now->mono_ms;
	r = batch_commit(s, now);
	if (r == -ENOSPC || r == -EROFS || r == -EAGAIN || r == -ENOMEM)
		return r;
	return r < 0 ? -EIO : 0;
}

uint64_t
store_queued(const struct store *s)
{
	return s->ticket_last;
}

uint64_t
store_durable(const struct store *s)
{
	return s->ticket_durable;
}

const char *
store_firmware_dir(const struct store *s)
{
	return s->firmware_dir;
}

bool
store_text_present(const char *text)
{
	return text != NULL && text[0] != '\0';
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
