/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "store/audit.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "cfdfu/system.h"

#define WINDOW_BYTES (256 * 1024)

struct audit_reader {
	int fd;
	off_t end;	   /* nothing is read from here on */
	off_t at;	   /* of text[0] */
	size_t size, used; /* of text; what was consumed of it */
	bool newer;	   /* a line was of an unknown kind */
	char text[WINDOW_BYTES];
};

static int
reader_new(int fd, off_t from, off_t end, struct audit_reader **ret_reader)
{
	struct audit_reader *r = malloc(sizeof(*r));

	if (r == NULL)
		return -ENOMEM;
	r->fd = fd;
	r->at = from;
	r->end = end;
	r->size = r->used = 0;
	r->newer = false;
	*ret_reader = r;
	return 0;
}

int
audit_reader_new(const struct audit *a, off_t offset, struct audit_reader **ret_reader)
{
	return reader_new(a->fd, offset, a->good, ret_reader);
}

void
audit_reader_free(struct audit_reader *r)
{
	free(r);
}

/* Makes room and reads on.  1 when there is more text than before, 0 at the end. */
static int
fill(struct audit_reader *r)
{
	off_t from;
	size_t want;
	ssize_t n;

	memmove(r->text, r->text + r->used, r->size - r->used);
	r->at += (off_t)r->used;
	r->size -= r->used;
	r->used = 0;
	from = r->at + (off_t)r->size;
	want = sizeof(r->text) - r->size;
	if ((off_t)want > r->end - from)
		want = (size_t)(r->end - from);
	if (want == 0)
		return 0;
	do
		n = pread(r->fd, r->text + r->size, want, from);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	r->size += (size_t)n;
	return n > 0;
}

int
audit_next(struct audit_reader *r, struct audit_line *ret_line)
{
	for (;;) {
		char *start = r->text + r->used;
		char *nl = memchr(start, '\n', r->size - r->used);
		size_t size;
		int n;

		if (nl != NULL) {
			size = (size_t)(nl - start);
			r->used += size + 1;
			n = audit_parse(start, size, ret_line);
			r->newer = r->newer || n == -EPROTO;
			if (n < 0)
				continue;
			ret_line->end = r->at + (off_t)r->used;
			ret_line->at = ret_line->end - (off_t)size - 1;
			return 1;
		}
		if (r->size - r->used > AUDIT_LINE_MAX)
			r->used = r->size; /* no line is that long: look for the next newline */
		n = fill(r);
		if (n <= 0)
			return n;
	}
}

/*
 * Takes the good lines of the last window that has one for take(), in order; windows grow towards
 * the beginning, and a first line cut in two is not a good one.  1 when take() took one.
 * ret_newer: a line was of an unknown kind.
 */
static int
search_back(int fd, off_t end, bool (*take)(void *ctx, const struct audit_line *l), void *ctx,
	    bool *ret_newer)
{
	for (off_t back = WINDOW_BYTES;; back *= 4) {
		off_t from = end > back ? end - back : 0;
		struct audit_reader *r;
		struct audit_line l;
		int found = 0, n = reader_new(fd, from, end, &r);

		if (n < 0)
			return n;
		while ((n = audit_next(r, &l)) > 0)
			found |= take(ctx, &l);
		*ret_newer = r->newer;
		audit_reader_free(r);
		if (n < 0 || found || from == 0)
			return n < 0 ? n : found;
	}
}

static bool
take_tail(void *ctx, const struct audit_line *l)
{
	struct audit *a = ctx;

	a->good = l->end;
	a->last_seq = l->seq;
	memcpy(a->last_hash, l->hash, sizeof(l->hash));
	return true;
}

/* Keeps the bytes behind the last good line, as evidence, under another name. */
static int
keep_tail(const struct audit *a, off_t size, const char *stamp)
{
	char name[96], piece[4096];
	int fd, r = 0;

	(void)snprintf(name, sizeof(name), AUDIT_FILE "-%s.torn", stamp);
	fd = openat(a->dirfd, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	for (off_t at = a->good; at < size && r == 0;) {
		ssize_t n = pread(a->fd, piece, sizeof(piece), at);

		if (n <= 0) {
			r = n < 0 ? -errno : -EIO;
			break;
		}
		r = write_all(fd, piece, (size_t)n);
		at += n;
	}
	if (r == 0 && fdatasync(fd) < 0)
		r = -errno;
	(void)close(fd); /* synced above */
	return r;
}

static int
open_file(struct audit *a)
{
	a->fd = openat(a->dirfd, AUDIT_FILE, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		       0640);
	if (a->fd < 0)
		return -errno;
	return fsync(a->dirfd) < 0 ? -errno : 0; /* the name has to be durable too */
}

int
audit_open(struct audit *a, int dirfd, const char *stamp, off_t trusted)
{
	struct stat st;
	bool newer;
	int r;

	*a = (struct audit){ .dirfd = dirfd, .fd = -1 };
	r = open_file(a);
	if (r < 0)
		goto out;
	if (fstat(a->fd, &st) < 0 || (trusted >= 0 && st.st_size > trusted &&
				      (ftruncate(a->fd, trusted) < 0 || fstat(a->fd, &st) < 0))) {
		r = -errno;
		goto out;
	}
	r = search_back(a->fd, st.st_size, take_tail, a, &newer);
	if (r >= 0)
		r = newer ? -EPROTO : 0;
	if (r < 0)
		goto out;
	if (a->good < st.st_size) {
		a->cut = true;
		r = keep_tail(a, st.st_size, stamp);
		if (r == 0 && (ftruncate(a->fd, a->good) < 0 || fdatasync(a->fd) < 0))
			r = -errno;
	}
	a->end = a->good;
out:
	if (r < 0)
		audit_close(a);
	return r;
}

void
audit_close(struct audit *a)
{
	if (a->fd >= 0)
		(void)close(a->fd); /* everything that counts was synced */
	a->fd = -1;
}

bool
audit_moved(const struct audit *a)
{
	struct stat mine, there;

	return a->fd >= 0 &&
	       (fstat(a->fd, &mine) < 0 || fstatat(a->dirfd, AUDIT_FILE, &there, 0) < 0 ||
		mine.st_ino != there.st_ino || mine.st_dev != there.st_dev);
}

bool
audit_was_written(const struct audit *a)
{
	struct stat st;

	return a->fd >= 0 && !a->failed && fstat(a->fd, &st) == 0 && st.st_size != a->end;
}

/*
 * WHY: after a failed sync the kernel may call the pages clean though they never reached the disk.
 * Cutting back to the last good line and writing again makes new dirty pages; a new descriptor
 * forgets the old error.
 */
static int
recover(struct audit *a)
{
	struct stat st;
	int r;

	audit_close(a);
	r = open_file(a);
	if (r < 0)
		return r;
	if (fstat(a->fd, &st) < 0)
		return -errno;
	if (st.st_size < a->good)
		return -ESTALE; /* another file: the store has to compare both again */
	if (ftruncate(a->fd, a->good) < 0)
		return -errno;
	a->end = a->good;
	a->failed = false;
	return 0;
}

int
audit_append(struct audit *a, const struct record *r)
{
	char line[AUDIT_LINE_MAX];
	size_t size = audit_format(r, line);
	int n = 0;

	if (a->failed || a->fd < 0)
		n = recover(a);
	if (n == 0)
		n = write_all(a->fd, line, size);
	if (n < 0) {
		a->failed = true;
		return n;
	}
	a->end += (off_t)size;
	return 0;
}

int
audit_sync(struct audit *a, const struct record *last)
{
	assert(!a->failed);
	if (fdatasync(a->fd) < 0) {
		a->failed = true;
		return -errno;
	}
	a->good = a->end;
	a->last_seq = last->seq;
	memcpy(a->last_hash, last->hash, sizeof(last->hash));
	return 0;
}

int
audit_seek(const struct audit *a, int64_t seq, off_t *ret_offset)
{
	off_t low = 0, high = a->good;
	struct audit_reader *r = NULL;
	struct audit_line l;
	int n = 0;

	while (n >= 0) {
		off_t middle = high - low > WINDOW_BYTES ? low + (high - low) / 2 : low;

		n = audit_reader_new(a, middle, &r);
		if (n < 0)
			break;
		while ((n = audit_next(r, &l)) > 0 && l.seq < seq && middle == low)
			;
		audit_reader_free(r);
		if (middle == low && n >= 0) {
			*ret_offset = n > 0 ? l.at : a->good;
			return 0;
		}
		if (n > 0 && l.seq < seq)
			low = l.end;
		else
			high = middle;
	}
	return n;
}

struct wanted {
	enum record_kind kind;
	char *body;
};

static bool
take_body(void *ctx, const struct audit_line *l)
{
	const struct wanted *w = ctx;

	if (l->kind != w->kind)
		return false;
	memcpy(w->body, l->body, l->body_size);
	w->body[l->body_size] = '\0';
	return true;
}

int
audit_last_of(const struct audit *a, enum record_kind kind, char *body)
{
	struct wanted w = { kind, body };
	bool newer; /* a matter of audit_open() */

	return search_back(a->fd, a->good, take_body, &w, &newer);
}
