/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/fields.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "client/out.h"

void
format_radio(char *dst, size_t size, const json_t *radio)
{
	if (!json_is_object(radio))
		(void)snprintf(dst, size, "-");
	else
		text_format(dst, size, "%lld %.8s %.16s", (long long)out_int(radio, "channel"),
			    out_text(radio, "rate").s, out_text(radio, "address").s);
}

struct text
field_text(const json_t *object, const char *key, enum field_kind kind)
{
	json_int_t n = out_int(object, key);
	bool number = out_is_int(object, key);
	struct text t = { "" };

	switch (kind) {
	case FIELD_TEXT:
		return out_text(object, key);
	case FIELD_TEXTS:
	case FIELD_DECKS:
	case FIELD_REMAINING:
	case FIELD_SENTENCES:
		break;
	case FIELD_VOLTS:
		if (number)
			snprintf(t.s, sizeof(t.s), "%.2f V", (double)n / 1000);
		break;
	case FIELD_RADIO:
		if (json_is_object(json_object_get(object, key)))
			format_radio(t.s, sizeof(t.s), json_object_get(object, key));
		break;
	case FIELD_TIME:
		format_time(t.s, sizeof(t.s), out_string(object, key));
		break;
	case FIELD_NUMBER:
		if (number)
			format_number(t.s, 40, n);
		break;
	case FIELD_BYTES:
		if (number) {
			format_number(t.s, 40, n);
			strcat(t.s, " bytes");
		}
		break;
	case FIELD_MS:
		if (number)
			format_ms(t.s, sizeof(t.s), n);
		break;
	case FIELD_ADDRESS:
		if (number)
			snprintf(t.s, sizeof(t.s), "0x%08llx", (unsigned long long)n);
		break;
	}
	return t;
}

/* One of a list in a line. */
static struct text
item_of(const json_t *list, size_t i, enum field_kind kind)
{
	const json_t *one = json_array_get(list, i);
	bool deck = kind == FIELD_DECKS;
	struct text t, left = out_text(one, deck ? "name" : "what");
	struct text right = out_text(one, deck ? "state" : "text");
	struct text version = out_text(one, "version");

	if (kind == FIELD_TEXTS)
		return out_item(list, i);
	if (kind == FIELD_SENTENCES)
		return out_text(one, "text");
	text_format(t.s, sizeof(t.s), "%.60s: %.900s%s%.20s", left.s, right.s,
		    version.s[0] != '\0' ? ", " : "", version.s);
	return t;
}

void
fields_each(const json_t *object, const struct field *fields, int width, field_line *line)
{
	for (const struct field *f = fields; f->key != NULL; f++) {
		const json_t *list = json_object_get(object, f->key);
		struct text t = field_text(object, f->key, f->kind);

		for (size_t i = 0; i < json_array_size(list); i++)
			line(width, i == 0 ? f->title : "", item_of(list, i, f->kind).s);
		if (t.s[0] != '\0')
			line(width, f->title, t.s);
	}
}

static void
print_line(int width, const char *title, const char *text)
{
	printf("  %-*s %s\n", width, title, text);
}

void
fields_print(const json_t *object, const struct field *fields, int width)
{
	fields_each(object, fields, width, print_line);
}
