/* SPDX-License-Identifier: MIT */
/*
 * The append-only second record of truth: <state_dir>/audit.jsonl, one line per record.
 *
 * {"seq":7,"kind":"end","prev":"HASH OF THE LINE BEFORE","hash":"OWN","body":{...},"crc":"CRC-32"}
 *
 * The CRC is that of the line up to it.  Nothing in the file is ever changed; a torn tail is copied
 * aside before it is cut off.
 */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include "store/record.h"

#define AUDIT_FILE "audit.jsonl"
#define AUDIT_LINE_MAX (RECORD_BODY_MAX + 512) /* LIMIT: the body and the rest of the line */

struct audit {
	int dirfd;	  /* borrowed */
	int fd;		  /* -1 closed */
	off_t good;	  /* end of the last line known to be durable */
	off_t end;	  /* end of what was written */
	int64_t last_seq; /* of the last line before good; 0 none */
	uint8_t last_hash[RECORD_HASH_BYTES];
	bool failed; /* a write or sync failed: bytes behind good are not to be trusted */
	bool cut;    /* opening found a torn tail */
};

struct audit_line {
	int64_t seq;
	enum record_kind kind;
	uint8_t prev[RECORD_HASH_BYTES], hash[RECORD_HASH_BYTES];
	const char *body; /* not terminated; good until the next read */
	size_t body_size;
	off_t at, end;
};

struct audit_reader;

/*
 * stamp names the copy of a torn tail.  trusted: bytes behind this offset were written but never
 * synced, and are cut off, for their owner to write again; -1: an earlier process left all of it.
 * -EPROTO: a newer cfdfud wrote it; nothing was touched.
 */
int audit_open(struct audit *a, int dirfd, const char *stamp, off_t trusted) MUST_CHECK;
void audit_close(struct audit *a); /* copes with closed */

/* The file at the path is not the one that is open. */
bool audit_moved(const struct audit *a);

/* The file has grown or shrunk, and not by what was added here. */
bool audit_was_written(const struct audit *a);

/* Adds one line, not yet durable; r is on the chain.  audit_sync() makes all that were added
 * durable.  After any failure, everything added since the last good audit_sync() has to be added
 * again. */
int audit_append(struct audit *a, const struct record *r) MUST_CHECK;
int audit_sync(struct audit *a, const struct record *last) MUST_CHECK;

/* Reading, from offset (the start of a line) to the last good line. */
int audit_reader_new(const struct audit *a, off_t offset,
		     struct audit_reader **ret_reader) MUST_CHECK;
void audit_reader_free(struct audit_reader *r);
/* 1 and the next good line (bad ones are passed over: their seq is missing), 0 at the end, negative
 * errno. */
int audit_next(struct audit_reader *r, struct audit_line *ret_line) MUST_CHECK;

/* Offset of the first good line with at least this seq; a->good when there is none. */
int audit_seek(const struct audit *a, int64_t seq, off_t *ret_offset) MUST_CHECK;

/* The body of the last line of this kind; body has RECORD_BODY_MAX bytes.  1 found, 0 none. */
int audit_last_of(const struct audit *a, enum record_kind kind, char *body) MUST_CHECK;

/* One line without its newline; -EBADMSG, -EPROTO: whole, but of an unknown kind.  For the reader
 * and the tests. */
int audit_parse(const char *line, size_t size, struct audit_line *ret_line) MUST_CHECK;
/* Returns the line's size with its newline; out has AUDIT_LINE_MAX bytes. */
size_t audit_format(const struct record *r, char *out);

#endif
