/* SPDX-License-Identifier: MIT */
/* Members of one object as lines "  title        value"; those that are missing are left out. */
#ifndef CLIENT_FIELDS_H
#define CLIENT_FIELDS_H

#include <jansson.h>

enum field_kind {
	FIELD_TEXT,
	FIELD_TEXTS, /* a list, one a line */
	FIELD_TIME,
	FIELD_NUMBER,
	FIELD_BYTES,
	FIELD_MS,
	FIELD_ADDRESS,
	FIELD_VOLTS,	 /* of millivolts */
	FIELD_RADIO,	 /* type Radio */
	FIELD_DECKS,	 /* types Deck, one a line */
	FIELD_REMAINING, /* types Remaining, one a line */
	FIELD_SENTENCES, /* members text of objects, one a line */
};

struct field {
	const char *key; /* NULL ends a list of them */
	const char *title;
	enum field_kind kind;
};

struct text;

/* "80 2M E7E7E7E7E7"; "-" where it is none. */
void format_radio(char *dst, size_t size, const json_t *radio);

/* Each line of them; title: "" from the second line of a list on. */
typedef void field_line(int width, const char *title, const char *text);
void fields_each(const json_t *object, const struct field *fields, int width, field_line *line);

/* The text of a member that is no list; "" where it is not there. */
struct text field_text(const json_t *object, const char *key, enum field_kind kind);

/* width: of the titles. */
void fields_print(const json_t *object, const struct field *fields, int width);

#endif
