/* SPDX-License-Identifier: MIT */
/* Tables on libsmartcols. */
#include "config.h"

#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/command.h"
#include "client/out.h"
#include "wire/text.h"

struct table {
	struct libscols_table *scols;
	struct libscols_line *line;
	size_t next; /* column of the next cell */
	bool colour;
	bool failed;
};

int
table_new(const struct session *s, const char *const *headings, struct table **ret_table)
{
	struct table *t = calloc(1, sizeof(*t));

	scols_init_debug(0);
	if (t != NULL)
		t->scols = scols_new_table();
	if (t == NULL || t->scols == NULL) {
		free(t);
		say_error("out of memory");
		return EXIT_REFUSED;
	}
	t->colour = out_has_colour(s);
	for (size_t i = 0; headings[i] != NULL; i++) {
		/* WHY: only a terminal has a width; files and pipes get whole lines */
		bool wrap = headings[i + 1] == NULL && isatty(STDOUT_FILENO);

		if (scols_table_new_column(t->scols, headings[i], 0, wrap ? SCOLS_FL_WRAP : 0) ==
		    NULL)
			t->failed = true;
	}
	if (t->colour && scols_table_enable_colors(t->scols, 1) < 0)
		t->failed = true;
	*ret_table = t;
	return 0;
}

void
table_right(struct table *t, size_t column)
{
	struct libscols_column *c = scols_table_get_column(t->scols, column);

	if (c == NULL || scols_column_set_flags(c, SCOLS_FL_RIGHT) < 0)
		t->failed = true;
}

void
table_row(struct table *t)
{
	t->line = scols_table_new_line(t->scols, NULL);
	t->next = 0;
	if (t->line == NULL)
		t->failed = true;
}

void
table_cell(struct table *t, const char *text, enum colour colour)
{
	char clean[OUT_TEXT_MAX];
	struct libscols_cell *cell;
	size_t n = t->next++;

	if (t->line == NULL)
		return;
	text_clean(clean, sizeof(clean), text);
	if (scols_line_set_data(t->line, n, clean) < 0)
		t->failed = true;
	cell = scols_line_get_cell(t->line, n);
	if (t->colour && colour != COLOUR_NONE && cell != NULL &&
	    scols_cell_set_color(cell, colour_code(colour)) < 0)
		t->failed = true;
}

bool
table_finish(struct table *t)
{
	bool good = !t->failed && scols_print_table(t->scols) == 0;

	scols_unref_table(t->scols);
	free(t);
	if (!good)
		say_error("out of memory");
	return good;
}
