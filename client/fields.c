/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/fields.h"

#include <stdio.h>

#include "client/out.h"

/* The text of a value that is no list; "" where it is not there. */
static struct text
text_of(const json_t *object, const struct field *f)
{
	json_int_t n = out_int(object, f->key);
	bool number = out_is_int(object, f->key);
	struct text t = { "" };

	switch (f->kind) {
	case FIELD_TEXT:
		return out_text(object, f->key);
	case FIELD_TEXTS:
		break;
	case FIELD_TIME:
		format_time(t.s, sizeof(t.s), out_string(object, f->key));
		break;
	case FIELD_NUMBER:
	case FIELD_BYTES:
		if (number)
			format_number(t.s, 40, n);
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

void
fields_print(const json_t *object, const struct field *fields, int width)
{
	for (const struct field *f = fields; f->key != NULL; f++) {
		const json_t *list = json_object_get(object, f->key);
		struct text t = text_of(object, f);

		for (size_t i = 0; f->kind == FIELD_TEXTS && i < json_array_size(list); i++)
			printf("  %-*s %s\n", width, i == 0 ? f->title : "", out_item(list, i).s);
		if (t.s[0] != '\0')
			printf("  %-*s %s%s\n", width, f->title, t.s,
			       f->kind == FIELD_BYTES ? " bytes" : "");
	}
}
