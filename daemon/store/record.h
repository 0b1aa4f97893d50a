/* SPDX-License-Identifier: MIT */
/*
 * Records: the one form in which anything enters the store.  A record is a kind and a body (a flat
 * JSON object); it is hashed onto the chain, applied to the database and written as a line of the
 * audit file.  Live recording, repair and rebuilding all apply the same records by the same
 * statements.
 */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include <stdbool.h>

#include "cfdfu/util.h"

#define RECORD_HASH_BYTES 32
#define RECORD_BODY_MAX 16384 /* LIMIT: every text at its own limit and escaped: 12 KiB */
#define RECORD_STEPS_MAX 8

enum record_kind {
	RECORD_STATION, /* first of a chain: makes two stations' chains differ */
	RECORD_START,	/* a daemon came up */
	RECORD_STOP,	/* and stopped as it should */
	RECORD_BEGIN,
	RECORD_END,
	RECORD_DRONE,
	RECORD_DRONE_QUARANTINE,
	RECORD_PORT_QUARANTINE,
	RECORD_FIRMWARE,
	RECORD_FIRMWARE_GONE,
	RECORD_SETTING,
	RECORD_ACT,
	RECORD_CONDITION, /* of an attempt's drone, as a whole */
	RECORD_PART,
	RECORD_BATCH,
	RECORD_BATCH_STOP, /* it starts no more, or, without a reason, goes on */
	RECORD_BATCH_END,
	RECORD_LOST, /* stands for a line of the audit file that could not be read when rebuilding
		      */
	RECORD_KIND_COUNT
};

struct record {
	struct record *next;
	enum record_kind kind;
	int64_t ref;	 /* attempt's id, else 0 */
	uint64_t ticket; /* order of queueing */
	int64_t seq;	 /* 0: not yet on the chain */
	uint8_t prev[RECORD_HASH_BYTES], hash[RECORD_HASH_BYTES];
	bool in_db, in_audit; /* durable there */
	size_t body_size;
	char body[]; /* terminated */
};

/* Not on the chain; free().  NULL: no memory. */
struct record *record_new(enum record_kind kind, int64_t ref, const char *body, size_t size);

const char *record_kind_name(enum record_kind k);
/* RECORD_KIND_COUNT when unknown. */
enum record_kind record_kind_by_name(const char *name, size_t size);
/* The body is stored with the row because no other table holds all of it. */
bool record_keeps_body(enum record_kind k);

/* Statements that apply a record (?1 seq, ?2 body, ?3 ref), in order, NULL-ended. */
struct record_step {
	const char *sql;
	bool must_change; /* when it changes no row, the record is a repetition: the rest is left
			     out */
};
const struct record_step *record_steps(enum record_kind k);

/* The statement (?1 ref) that makes the body again: columns in the order and by the names of the
 * body; NULL: kept. */
const char *record_body_sql(enum record_kind k);

/* The attempt that a body of RECORD_BEGIN, _END or _CONDITION is about; 0 it does not say.  body is
 * terminated, or ends in '}'. */
int64_t record_body_id(const char *body);

/* SHA-256 over previous hash, seq, kind and body. */
void record_hash(const uint8_t prev[RECORD_HASH_BYTES], int64_t seq, const char *kind,
		 const char *body, size_t body_size, uint8_t ret_hash[RECORD_HASH_BYTES]);

/*
 * Writing a body.  Unknown values are left out; what does not fit sets over.
 *
 * WHY not a JSON library: a body is hashed, and made again from columns years later.  Its keys are
 * in the order of the calls below, with two escapes and no blanks; a library sorts them.
 */
struct body {
	size_t size;
	bool over;
	char text[RECORD_BODY_MAX];
};

static inline bool
text_present(const char *text)
{
	return text != NULL && text[0] != '\0';
}

void body_begin(struct body *b);
void body_int(struct body *b, const char *key, int64_t value);
/* NULL and "" are left out; made valid UTF-8 without control characters and cut to max - 1 bytes.
 */
void body_text(struct body *b, const char *key, const char *text, size_t max);
/* As body_text(), but "" is written. */
void body_text_or_empty(struct body *b, const char *key, const char *text, size_t max);
void body_raw(struct body *b, const char *key, const char *json);
/* A list of pairs [["name",7],...], for body_raw(). */
void body_list_begin(struct body *b);
void body_list_pair(struct body *b, const char *name, int64_t value, size_t max);
void body_list_end(struct body *b);
/* 0 or -E2BIG. */
int body_end(struct body *b) MUST_CHECK;

/* The cleaning of body_text() alone: out is always terminated; returns its length. */
size_t record_clean_text(const char *text, char *out, size_t size);

#endif
