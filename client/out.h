/* SPDX-License-Identifier: MIT */
/* Output for the user: sentences, JSON documents, tables, colours. */
#ifndef CLIENT_OUT_H
#define CLIENT_OUT_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/ioctl.h>

#include "cfdfu/util.h"
#include "client/fields.h"
#include "client/translate.h"

struct session;
struct table;

/* "PROGRAM: ..." on standard error; cleaned of control characters. */
void say_error(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Errors that the service has no part in. */
#define CLIENT_ERROR(name) "org.cfdfu.Client." name

/* The same; with --json a document with the name of the error and the sentence as its reason. */
void say_failure(const struct session *s, const char *error, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* With --json: an error of the service or of ours as a document on standard error. */
void say_document(const char *error, json_t *take_parameters);

/* Out of memory; EXIT_REFUSED. */
int say_no_memory(void);

/* A sentence on standard error that is no error. */
void say_note(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* WHY ASCII: device strings cannot steer a terminal through any JSON reader's output. */
#define OUT_JSON_FLAGS (JSON_COMPACT | JSON_ENSURE_ASCII)

/* A line: heading, and the slots of a reply as people call them (names), else its ports (key). */
void out_names(const char *heading, const json_t *reply, const char *key);

/* One document, one line, ASCII only, at once (flushed). */
void out_json(const json_t *document);
void out_json_new(json_t *take_document);

/* Each text of a list, one a line; NULL is an empty list. */
void out_lines(const json_t *list);

/*
 * Colours: only on a terminal, not with NO_COLOR, --no-color or TERM=dumb; never the only sign of
 * anything.
 */
enum colour { COLOUR_NONE, COLOUR_GOOD, COLOUR_BAD, COLOUR_ATTENTION, COLOUR_BUSY, COLOUR_FAINT };

/* Of the terminal that standard output is; 80x24 where it does not say. */
struct winsize out_window(void);
/* Characters in a line of the terminal that standard output is; 0 when it is none. */
unsigned out_columns(void);

bool out_has_colour(const struct session *s);
/* The sequences that switch a colour on, and off again; "" where there are none. */
const char *paint_on(const struct session *s, enum colour c);
const char *paint_off(const struct session *s);
const char *colour_code(enum colour c);		    /* ECMA-48 sequence; "" for COLOUR_NONE */
enum colour colour_of_verdict(const char *verdict); /* NULL is fine */

/* Member of an object as clean text: "" for null, missing and other types. */
#define OUT_TEXT_MAX 1024
struct text {
	char s[OUT_TEXT_MAX];
};
struct text out_text(const json_t *object, const char *key);
struct text out_item(const json_t *list, size_t i); /* of a list */
void text_copy(struct text *dst, const char *src);  /* cleaned; NULL counts as "" */
/* snprintf(), cleaned: a character that a precision or the room cuts leaves no part of itself. */
void text_format(char *dst, size_t size, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Adds to the text in dst what fits. */
void text_add(char *dst, size_t size, const char *fmt, ...) PRINTF_LIKE(3, 4);
const char *out_string(const json_t *object, const char *key); /* raw; NULL when none */
json_int_t out_int(const json_t *object, const char *key);     /* 0 when none */
bool out_is_int(const json_t *object, const char *key);
bool out_true(const json_t *object, const char *key);
bool out_is(const json_t *object, const char *key, const char *word); /* this text */

bool out_differ(const json_t *a, const json_t *b, const char *key); /* in a text; "": missing */

/* The first 12 digits of a sum. */
struct text out_sum(const json_t *object, const char *key);

/* "1:02:03", "2:03" */
void format_seconds(char *dst, size_t size, json_int_t seconds);
/* "1.2 s", "350 ms", "2:03" */
void format_ms(char *dst, size_t size, json_int_t ms);
/* "243,176" */
void format_number(char *dst, size_t size, json_int_t n);
/* "2026-01-31 12:34:56" in local time of an ISO 8601 text in UTC; the text itself if it is none. */
void format_time(char *dst, size_t size, const char *iso);
/* "[#######.....]", width characters inside. */
void format_bar(char *dst, size_t size, unsigned width, long long percent);

/* A table on standard output; the last column is wrapped on a terminal. */
#define TABLE_COLUMNS_MAX 12
struct table_column {
	const char *heading; /* NULL ends them */
	unsigned drop;	     /* a narrow terminal does without it: 1 at first; 0: never */
	bool right;	     /* numbers */
	bool cut;	     /* rather than wrapped */
	bool spare;	     /* left out where each cell is "" or "-" */
	const char *key;     /* member of the row's object; NULL: table_cell() fills it */
	enum field_kind kind;
};

/* columns: borrowed.  Some are left out before the last one is wrapped to less than last_min. */
int table_new(const struct session *s, const struct table_column *columns, size_t last_min,
	      struct table **ret_table) MUST_CHECK;
void table_row(struct table *t, const json_t *object);
/* The next cell without a key of the row begun last; text is copied, and cleaned. */
void table_cell(struct table *t, const char *text, enum colour colour);
/* After the last row: false when this column was left out. */
bool table_fit(struct table *t, size_t column);
/* Prints and frees.  An exit status: memory may have run out on the way. */
int table_finish(struct table *t) MUST_CHECK;

/* A list in a table, a row each; row: fills the cells without a key, NULL where there are none. */
struct table_list {
	const char *none; /* the sentence for a list that is empty */
	void (*row)(struct table *t, const json_t *one);
	size_t last_min;
	struct table_column columns[TABLE_COLUMNS_MAX + 1];
};
int table_list(const struct session *s, const struct table_list *how, const json_t *list);

#endif
