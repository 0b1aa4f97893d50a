/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/rack_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cells.h"
#include "client/out.h"
#include "client/screen_row.h"
#include "client/slots.h"

#define WORD_CELLS 7  /* the longest word, and a blank before it */
#define SIDE_MAX 1000 /* LIMIT: rows and columns; more is no rack */
#define WIDTH_MAX 28  /* wider cells only part what belongs together */

/* By the class of a slot, as the wall has them (web/page/model.js). */
static const struct {
	const char *class, *word;
	char sign;
} looks[] = {
	{ "waiting", "WAIT", '.' },	   { "pass", "PASS", '+' },
	{ "unchanged", "SAME", '=' },	   { "fail", "FAIL", 'X' },
	{ "needs-button", "BUTTON", 'B' }, { "needs-power-cycle", "POWER", 'P' },
	{ "interrupted", "AGAIN", 'A' },   { "quarantined", "HELD", 'H' },
	{ "skipped", "SKIP", '-' },	   { "foreign", "OTHER", '-' },
	{ "unserved", "NO FW", '-' },
};

const char rack_map_signs[] = "+ pass  = same  ! not ready  X fail  B button  P power  A again  "
			      "H held  > busy";

/* Its cell among rows x columns from the first ones that are used; false: it has no place. */
static bool
place(const json_t *slot, const json_t *rack, size_t *ret_row, size_t *ret_column)
{
	json_int_t row = out_int(slot, "row"), column = out_int(slot, "column");

	*ret_row = (size_t)row - 1;
	*ret_column = (size_t)column - 1;
	return row >= 1 && row <= out_int(rack, "rows") && column >= 1 &&
	       column <= out_int(rack, "columns");
}

static size_t
smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

bool
rack_map_lay(const json_t *station, const json_t *slots, size_t cells, struct rack_map *ret)
{
	const json_t *rack = json_object_get(station, "rack"), *slot;
	size_t top = SIZE_MAX, left = SIZE_MAX, row, column, i, rest,
	       count = json_array_size(slots);
	struct rack_map m = { .columns = 1 };

	json_array_foreach(slots, i, slot) {
		size_t width = cells_width(slot_label(slot).s);

		m.name = width > m.name ? width : m.name;
		if (place(slot, rack, &row, &column)) {
			top = smaller(top, row);
			left = smaller(left, column);
		}
	}
	if (top != SIZE_MAX) {
		m.rows = (size_t)out_int(rack, "rows") - top;
		m.columns = (size_t)out_int(rack, "columns") - left;
	}
	if (m.rows > SIDE_MAX || m.columns > SIDE_MAX)
		return false;
	while (top == SIZE_MAX && m.columns * m.columns < count)
		m.columns++;
	m.width = smaller(cells / m.columns, WIDTH_MAX);
	m.words = m.width > m.name + WORD_CELLS;
	m.cells = calloc((m.rows + count) * m.columns, sizeof(*m.cells));
	if (m.cells == NULL || m.width <= m.name || m.width * m.columns >= RACK_MAP_ROW_MAX / 8) {
		free(m.cells);
		return false;
	}
	rest = m.rows * m.columns;
	json_array_foreach(slots, i, slot) {
		const json_t **cell = &m.cells[rest];

		if (place(slot, rack, &row, &column) &&
		    m.cells[(row - top) * m.columns + column - left] == NULL)
			cell = &m.cells[(row - top) * m.columns + column - left];
		else
			rest++;
		*cell = slot;
	}
	m.rows = (rest + m.columns - 1) / m.columns;
	*ret = m;
	return true;
}

void
rack_map_done(struct rack_map *m)
{
	free(m->cells);
}

/* "FAIL", "57%", "PASS!" of one that is not ready, or the sign of it where that is too long. */
static void
short_word(const json_t *slot, size_t cells, char dst[16])
{
	bool busy = slot_is_active(slot) && !out_is(slot, "state", "waiting");
	const char *class = slot_is_active(slot) ? "waiting" : slot_class(slot), *word = "";
	bool unready = slot_fate(slot) == SLOT_FATE_DONE && slot_place(slot) == SLOT_FATE_ASIDE;
	char sign = busy ? '>' : ' ';

	for (size_t i = 0; i < ARRAY_LEN(looks) && !busy; i++)
		if (strcmp(looks[i].class, class) == 0) {
			word = looks[i].word;
			sign = unready ? '!' : looks[i].sign;
		}
	if (!out_true(slot, "present") && slot_severity(slot) < 2)
		dst[0] = '\0';
	else if (busy)
		snprintf(dst, 16, "%lld%%", (long long)out_int(slot, "percent"));
	else
		snprintf(dst, 16, "%s%s", word, unready ? "!" : "");
	if (strlen(dst) > cells)
		snprintf(dst, 16, "%c", sign);
}

/* The next thing to know: its work, what is left or wrong, or else which drone it is. */
static void
detail_of(const json_t *slot, char *dst, size_t size)
{
	struct text t = out_text(slot, "fault"), name = out_text(slot, "name");

	if (slot_is_active(slot))
		t = slot_work(slot);
	else if (slot_fate(slot) == SLOT_FATE_DONE)
		slot_remaining(slot, t.s, sizeof(t.s));
	copy_text(dst, size, t.s[0] != '\0' ? t.s : name.s);
}

static void
describe(const struct rack_map *m, const json_t *slot, size_t room, char *dst, size_t size)
{
	char word[16], detail[64], name[64];
	const char *gap = room > m->name + 1 ? " " : "";

	cells_fit(name, sizeof(name), slot_label(slot).s, m->name);
	short_word(slot, gap[0] != '\0' ? room - m->name - 1 : 1, word);
	detail_of(slot, detail, sizeof(detail));
	snprintf(dst, size, "%s%s%s %s", name, gap, word, detail);
	if (word[0] == '\0' || detail[0] == '\0' || cells_width(dst) > room)
		snprintf(dst, size, "%s%s%s", name, gap, word);
}

void
rack_map_row(const struct rack_map *m, size_t row, bool colour, char dst[RACK_MAP_ROW_MAX])
{
	size_t room = m->width > m->name + 1 ? m->width - 1 : m->width, used = 0;

	dst[0] = '\0';
	for (size_t i = 0; i < m->columns && used < RACK_MAP_ROW_MAX; i++) {
		const json_t *slot = m->cells[row * m->columns + i];
		enum colour c = colour && slot != NULL ? row_colour(slot) : COLOUR_NONE;
		char text[256] = "", cell[256];

		if (slot != NULL)
			describe(m, slot, room, text, sizeof(text));
		cells_fit(cell, sizeof(cell), text, i + 1 < m->columns ? m->width : room);
		used += (size_t)snprintf(dst + used, RACK_MAP_ROW_MAX - used, "%s%s%s",
					 colour_code(c), cell, c != COLOUR_NONE ? "\033[0m" : "");
	}
	while (!colour && used > 0 && used < RACK_MAP_ROW_MAX && dst[used - 1] == ' ')
		dst[--used] = '\0';
}
