/* SPDX-License-Identifier: MIT */
/*
 * The slow walk: each line of the audit file against its row in the database, a few at a time.
 * Only the ends of both are compared when the store opens; what was changed or taken out in between
 * is found here, and the database is rebuilt at the next start.
 *
 * WHY not at once: rebuilding a million attempts takes minutes, for which drones would wait.
 */
#include "config.h"

#include "store/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/reconcile.h"
#include "store/store_internal.h"

#define TEXT_MAX 96
#define KEEP_MS 10000 /* its place is kept so often */

/* ---- kept for the next start ---------------------------------------------------------------- */

static void
read_text(const struct files *f, const char *name, char text[TEXT_MAX])
{
	int fd = openat(f->dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd >= 0 ? read(fd, text, TEXT_MAX - 1) : 0;

	if (fd >= 0)
		(void)close(fd);
	text[n > 0 ? n : 0] = '\0';
}

static int64_t
read_number(const struct files *f, const char *name)
{
	char text[TEXT_MAX];

	read_text(f, name, text);
	return strtoll(text, NULL, 10);
}

/* Where it cannot be written the next walk asks again, or begins at the beginning. */
static void
write_text(const struct files *f, const char *name, const char *text)
{
	int fd = openat(f->dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

	if (fd < 0)
		return;
	(void)!write(fd, text, strlen(text));
	(void)close(fd);
}

static void
ask_for_rebuild(const struct files *f, int64_t seq)
{
	char text[TEXT_MAX];

	(void)snprintf(text, sizeof(text), "%" PRId64 "\n", seq);
	write_text(f, WALK_SUSPECT, text);
}

/* WHY only without findings: what was found has to be found again. */
static void
keep_place(struct walk *w, const struct files *f, const struct store_time *now)
{
	char text[TEXT_MAX];

	if (now->mono_ms - w->kept_ms < KEEP_MS || w->differences + w->unreadable > 0)
		return;
	w->kept_ms = now->mono_ms;
	(void)snprintf(text, sizeof(text), "%lld %lld %lld %lld .\n", (long long)w->offset,
		       (long long)w->seq, (long long)w->last_id, (long long)w->compared);
	write_text(f, WALK_PLACE, text);
}

void
walk_resume(struct walk *w, const struct files *f)
{
	long long offset, seq, id, compared;
	struct audit_reader *reader = NULL;
	struct audit_line l;
	char text[TEXT_MAX], end;

	walk_begin(w);
	read_text(f, WALK_PLACE, text);
	if (sscanf(text, "%lld %lld %lld %lld %c", &offset, &seq, &id, &compared, &end) != 5 ||
	    end != '.' || offset < 0 || offset > f->audit.good ||
	    audit_reader_new(&f->audit, offset, &reader) < 0)
		return;
	if (audit_next(reader, &l) > 0 && l.at == offset && l.seq == seq + 1) {
		w->offset = offset;
		w->seq = seq;
		w->last_id = id;
		w->compared = compared;
	}
	audit_reader_free(reader);
}

bool
walk_wants_rebuild(const struct files *f)
{
	return read_number(f, WALK_SUSPECT) > 0;
}

void
walk_was_rebuilt(const struct files *f)
{
	/* WHY kept: a difference that is there after a rebuild, too, is not rebuilt again. */
	if (renameat(f->dirfd, WALK_SUSPECT, f->dirfd, WALK_REBUILT) < 0)
		(void)unlinkat(f->dirfd, WALK_SUSPECT, 0);
}

/* ---- differences ---------------------------------------------------------------------------- */

static int64_t
id_of(const struct audit_line *l)
{
	return l->kind == RECORD_BEGIN || l->kind == RECORD_END || l->kind == RECORD_CONDITION
		   ? record_body_id(l->body)
		   : 0;
}

static void
differs(struct walk *w, const struct audit_line *l, int64_t seq)
{
	int64_t id = l != NULL ? id_of(l) : 0;

	if (w->differences++ > 0)
		return;
	w->first_seq = seq;
	(void)snprintf(w->first, sizeof(w->first),
		       "%s %" PRId64 " is not in the database as it was recorded",
		       id > 0 ? "attempt" : "record", id > 0 ? id : seq);
}

/* A number without a line: a place that is marked as lost in the database, or a line that cannot be
 * read. */
static int
check_gap(struct store *s, int64_t seq)
{
	struct record *r = NULL;
	int n = db_record(s->files.db, seq, &r);

	if (n < 0 && n != -ENOENT && n != -EUCLEAN)
		return n;
	if (n < 0 || r->kind != RECORD_LOST)
		s->walk.unreadable++;
	free(r);
	return 0;
}

static int
check_line(struct store *s, const struct audit_line *l)
{
	struct walk *w = &s->walk;
	int n = 0;

	/* LIMIT: of a gap of many the first are looked at */
	for (int64_t seq = w->seq + 1; n == 0 && seq < l->seq && seq <= w->seq + 8; seq++)
		n = check_gap(s, seq);
	if (n == 0)
		n = reconcile_is_same(s->files.db, l);
	if (n < 0)
		return n;
	if (n == 0)
		differs(w, l, l->seq);
	if (l->kind == RECORD_BEGIN)
		w->last_id = id_of(l);
	w->seq = l->seq;
	w->offset = l->end;
	w->compared++;
	return 0;
}

/* ---- the walk ------------------------------------------------------------------------------- */

void
walk_begin(struct walk *w)
{
	w->offset = 0;
	w->seq = w->last_id = w->compared = w->first_seq = 0;
	w->differences = w->unreadable = 0;
	w->first[0] = '\0';
	w->ended = false;
}

/* Finds rows without a line. */
static int
check_end(struct store *s)
{
	uint8_t hash[RECORD_HASH_BYTES];
	sqlite3_stmt *st;
	int64_t seq;
	int n = db_ask(s->files.db, DB_NEXT_ID, &st, "");

	if (n <= 0)
		return n;
	if (sqlite3_column_int64(st, 0) - 1 > s->walk.last_id)
		differs(&s->walk, NULL, s->walk.seq);
	(void)sqlite3_reset(st); /* after a row: cannot fail */
	n = db_tail(s->files.db, &seq, hash);
	if (n == 0 && seq != s->walk.seq)
		differs(&s->walk, NULL, seq);
	return n;
}

static int
end_walk(struct store *s, const struct store_time *now)
{
	struct walk *w = &s->walk;
	int n = check_end(s);
	bool told;

	if (n < 0)
		return n;
	told = w->unreadable == w->told_unreadable && w->first_seq == w->told_seq;
	(void)unlinkat(s->files.dirfd, WALK_PLACE, 0); /* there may be none */
	w->told_unreadable = w->unreadable;
	w->told_seq = w->first_seq;
	w->whole_ms = now->wall_ms;
	w->whole_differences = w->differences;
	copy_text(w->whole_first, sizeof(w->whole_first), w->first);
	if (told)
		return 0; /* by the walk before */
	if (w->unreadable > 0) {
		files_alarm(&s->files, "%lu lines of the audit file cannot be read", w->unreadable);
	} else if (w->differences > 0 && read_number(&s->files, WALK_REBUILT) == w->first_seq) {
		files_alarm(&s->files, "%s, even after rebuilding", w->first);
	} else if (w->differences > 0) {
		ask_for_rebuild(&s->files, w->first_seq);
		files_alarm(&s->files,
			    "%s; it is rebuilt at the next start: sudo systemctl restart cfdfud",
			    w->first);
	}
	return 0;
}

static int
compare_some(struct store *s, bool (*go_on)(void *ctx), void *ctx)
{
	struct audit_reader *reader = NULL;
	struct audit_line l;
	int n = audit_reader_new(&s->files.audit, s->walk.offset, &reader);

	if (n < 0)
		return n;
	do {
		n = audit_next(reader, &l);
		if (n > 0)
			n = check_line(s, &l) < 0 ? -EIO : 1;
	} while (n > 0 && go_on(ctx));
	audit_reader_free(reader);
	return n;
}

int
walk_go_on(struct store *s, const struct store_time *now, bool (*go_on)(void *ctx), void *ctx)
{
	struct walk *w = &s->walk;
	int n;

	/* Queued records may be in one file and not yet in the other. */
	if (s->files.db == NULL || s->queue.first != NULL)
		return -EAGAIN;
	if (w->offset > s->files.audit.good || w->ended)
		walk_begin(w);
	n = compare_some(s, go_on, ctx);
	if (files_stop_damaged(&s->files))
		return -EAGAIN; /* store_check() makes it again */
	if (n > 0)
		keep_place(w, &s->files, now);
	if (n != 0)
		return n;
	n = end_walk(s, now);
	w->ended = n == 0;
	return n;
}

void
store_walk_again(struct store *s)
{
	walk_begin(&s->walk);
}

void
store_walk_state(const struct store *s, struct store_walk *ret)
{
	const struct walk *w = &s->walk;

	*ret = (struct store_walk){ .importing = s->files.import != NULL,
				    .compared = w->compared,
				    .total = s->files.audit.last_seq,
				    .whole_ms = w->whole_ms,
				    .differences = w->differences > w->whole_differences
						       ? w->differences
						       : w->whole_differences,
				    .first = w->first[0] != '\0' ? w->first : w->whole_first };
}
