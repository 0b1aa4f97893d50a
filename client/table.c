/* SPDX-License-Identifier: MIT */
/* Tables on libsmartcols. */
#include "config.h"

#include <libsmartcols/libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cells.h"
#include "client/command.h"
#include "client/out.h"

#define LAST_MIN 10 /* a word or two */
#define CUT_MIN 4   /* cells that stay of what is cut, at least */

struct column {
	struct libscols_column *scols;
	size_t width; /* of its widest cell */
	bool used;    /* by a cell that says something */
	bool dropped;
};

struct table {
	struct libscols_table *scols;
	struct libscols_line *line;
	const struct table_column *how; /* as they were asked for */
	struct column columns[TABLE_COLUMNS_MAX];
	size_t count;
	size_t next;	 /* column of the next cell */
	size_t last_min; /* characters */
	unsigned room;	 /* characters in a line; 0: no terminal */
	bool colour;
	bool failed;
};

static void
add_column(struct table *t, const struct table_column *how)
{
	struct column *c = &t->columns[t->count++];
	bool last = how[1].heading == NULL;
	/* WHY: only a terminal has a width; files and pipes get whole lines */
	bool wrapped = last && t->room > 0;

	c->scols = scols_table_new_column(t->scols, how->heading, 0,
					  wrapped      ? SCOLS_FL_WRAP
					  : how->right ? SCOLS_FL_RIGHT
						       : 0);
	c->width = strlen(how->heading);
	/* WHY not the library's own wrapping: it breaks words */
	if (c->scols == NULL ||
	    (wrapped && scols_column_set_wrapfunc(c->scols, scols_wrapnl_chunksize,
						  scols_wrapnl_nextchunk, NULL) < 0) ||
	    (last && scols_column_set_safechars(c->scols, "\n") < 0))
		t->failed = true;
}

int
table_new(const struct session *s, const struct table_column *columns, size_t last_min,
	  struct table **ret_table)
{
	struct table *t = calloc(1, sizeof(*t));

	scols_init_debug(0);
	if (t != NULL)
		t->scols = scols_new_table();
	if (t == NULL || t->scols == NULL) {
		free(t);
		return say_no_memory();
	}
	t->colour = out_has_colour(s);
	t->room = out_columns();
	t->how = columns;
	t->last_min = last_min;
	while (t->count < TABLE_COLUMNS_MAX && columns[t->count].heading != NULL)
		add_column(t, &columns[t->count]);
	if (t->colour && scols_table_enable_colors(t->scols, 1) < 0)
		t->failed = true;
	*ret_table = t;
	return 0;
}

static bool
is_too_wide(const struct table *t)
{
	size_t total = 0;

	for (size_t i = 0; i < t->count; i++) {
		size_t width = t->columns[i].width;

		if (t->columns[i].dropped)
			continue;
		if (i + 1 == t->count && width > t->last_min)
			width = t->last_min;
		total += width + (total > 0);
	}
	return total > t->room;
}

static void
drop(struct table *t, size_t column)
{
	t->columns[column].dropped = true;
	if (scols_column_set_flags(t->columns[column].scols, SCOLS_FL_HIDDEN) < 0)
		t->failed = true;
}

bool
table_fit(struct table *t, size_t column)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->how[i].spare && !t->columns[i].used)
			drop(t, i);
	for (unsigned order = 1; order <= t->count; order++)
		for (size_t i = 0; i < t->count && t->room > 0 && is_too_wide(t); i++)
			if (t->how[i].drop == order && !t->columns[i].dropped)
				drop(t, i);
	return !t->columns[column].dropped;
}

static void
set_cell(struct table *t, size_t n, const char *text, enum colour colour)
{
	char clean[OUT_TEXT_MAX];
	struct libscols_cell *cell;
	size_t width;

	if (t->line == NULL || n >= t->count)
		return;
	cells_clean(clean, sizeof(clean), text);
	width = cells_width(clean);
	if (width > t->columns[n].width)
		t->columns[n].width = width;
	if (clean[0] != '\0' && strcmp(clean, "-") != 0)
		t->columns[n].used = true;
	if (scols_line_set_data(t->line, n, clean) < 0)
		t->failed = true;
	cell = scols_line_get_cell(t->line, n);
	if (t->colour && colour != COLOUR_NONE && cell != NULL &&
	    scols_cell_set_color(cell, colour_code(colour)) < 0)
		t->failed = true;
}

void
table_row(struct table *t, const json_t *object)
{
	t->line = scols_table_new_line(t->scols, NULL);
	t->next = 0;
	if (t->line == NULL)
		t->failed = true;
	for (size_t i = 0; i < t->count; i++)
		if (t->how[i].key != NULL)
			set_cell(t, i, field_text(object, t->how[i].key, t->how[i].kind).s,
				 COLOUR_NONE);
}

void
table_cell(struct table *t, const char *text, enum colour colour)
{
	while (t->next < t->count && t->how[t->next].key != NULL)
		t->next++;
	set_cell(t, t->next++, text, colour);
}

/* Cells that the other columns leave for the last one. */
static size_t
last_width(const struct table *t)
{
	size_t others = 0;

	for (size_t i = 0; i + 1 < t->count; i++)
		others += t->columns[i].dropped ? 0 : t->columns[i].width + 1;
	return t->room > others + LAST_MIN ? t->room - others : LAST_MIN;
}

/* Breaks the last cell of a row at words. */
static void
wrap_last(struct table *t, struct libscols_line *line)
{
	struct libscols_cell *cell = scols_line_get_cell(line, t->count - 1);
	const char *text = cell != NULL ? scols_cell_get_data(cell) : NULL;
	char one[OUT_TEXT_MAX], all[2 * OUT_TEXT_MAX] = "";

	while (text != NULL && cells_line(one, sizeof(one), &text, last_width(t)))
		text_add(all, sizeof(all), "%s%s", all[0] != '\0' ? "\n" : "", one);
	if (all[0] != '\0' && scols_cell_set_data(cell, all) < 0)
		t->failed = true;
}

/* WHY not the library's own cutting: it leaves no sign of it. */
static void
cut_cells(struct table *t, struct libscols_line *line)
{
	for (size_t i = 0; i + 1 < t->count; i++) {
		struct libscols_cell *cell = scols_line_get_cell(line, i);
		const char *text = cell != NULL ? scols_cell_get_data(cell) : NULL;
		char cut[OUT_TEXT_MAX];

		if (!t->how[i].cut || text == NULL || cells_width(text) <= t->columns[i].width)
			continue;
		cells_cut(cut, sizeof(cut), text, t->columns[i].width);
		if (scols_cell_set_data(cell, cut) < 0)
			t->failed = true;
	}
}

static void
fit_rows(struct table *t)
{
	struct libscols_iter *i = scols_new_iter(SCOLS_ITER_FORWARD);
	struct libscols_line *line;

	for (size_t c = 0; c < t->count; c++)
		while (t->how[c].cut && t->columns[c].width > CUT_MIN && is_too_wide(t))
			t->columns[c].width--;
	if (i == NULL)
		t->failed = true;
	while (i != NULL && scols_table_next_line(t->scols, i, &line) == 0) {
		cut_cells(t, line);
		if (!t->columns[t->count - 1].dropped)
			wrap_last(t, line);
	}
	scols_free_iter(i);
}

int
table_finish(struct table *t)
{
	bool good;

	(void)table_fit(t, 0); /* WHY: the first column stays */
	if (t->room > 0)
		fit_rows(t);
	good = !t->failed && scols_print_table(t->scols) == 0;
	scols_unref_table(t->scols);
	free(t);
	return good ? EXIT_OK : say_no_memory();
}

int
table_list(const struct session *s, const struct table_list *how, const json_t *list)
{
	struct table *t;
	const json_t *one;
	size_t i;
	int r;

	if (json_array_size(list) == 0) {
		puts(how->none);
		return EXIT_OK;
	}
	r = table_new(s, how->columns, how->last_min, &t);
	if (r != 0)
		return r;
	json_array_foreach(list, i, one) {
		table_row(t, one);
		if (how->row != NULL)
			how->row(t, one);
	}
	return table_finish(t);
}
