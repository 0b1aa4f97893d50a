/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cells.h"
#include "client/overview.h"
#include "client/rack_map.h"
#include "client/screen_row.h"

/* WHY before the text: after a line as wide as the terminal, its last character would be erased. */
#define ERASE_LINE "\033[K"
#define ERASE_BELOW "\033[J"
#define PLAIN "\033[0m"
#define LINE_BYTES 4096
#define INDENT 2     /* of what to do, below its drone */
#define WIDE 100     /* columns: rows have whole serials */
#define ROWS_FULL 16 /* with fewer lines the head is the counts alone */
#define ROWS_FOOT 10 /* with fewer lines nothing says how to leave */
#define HEAD_LINES_MAX 2

/* In the order of the screen; each collapses into one line, the last ones first. */
enum group { GROUP_BAD, GROUP_ACTIVE, GROUP_UNREADY, GROUP_GOOD, GROUP_REST, GROUP_COUNT };

struct frame {
	FILE *out;
	const struct screen *how;
	const json_t *list;
	struct row_widths widths;
	unsigned used;			   /* lines */
	const json_t **slots[GROUP_COUNT]; /* all in one allocation, slots[0] */
	size_t count[GROUP_COUNT];
	size_t lines[GROUP_COUNT]; /* given to each group */
	bool map, signs;	   /* the rack is drawn: every drone is seen there, by a sign */
	char todo[LINE_BYTES];	   /* instead of rows of failed drones; "": there are rows */
	unsigned char *detail;	   /* of each failed drone: enum detail */
};

static enum group
group_of(const json_t *slot)
{
	if (slot_is_active(slot))
		return GROUP_ACTIVE;
	/* WHY one that is not ready is no bad one: lines are few, and its row says so. */
	if (slot_fate(slot) == SLOT_FATE_DONE)
		return slot_place(slot) == SLOT_FATE_DONE ? GROUP_GOOD : GROUP_UNREADY;
	return slot_severity(slot) > 0 ? GROUP_BAD : GROUP_REST;
}

static void
put_line(struct frame *f, const char *text, enum colour colour)
{
	bool coloured = f->how->colour && colour != COLOUR_NONE;

	if (f->used >= f->how->rows)
		return;
	fprintf(f->out, "%s" ERASE_LINE "%s%.*s%s", f->used == 0 ? "" : "\r\n",
		coloured ? colour_code(colour) : "", (int)cells_prefix(text, f->how->columns), text,
		coloured ? PLAIN : "");
	f->used++;
}

/* Wrapped at words into at most so many lines; the last one ends in an ellipsis when it is cut. */
static void
put_text(struct frame *f, const char *text, size_t indent, size_t lines_max, enum colour colour)
{
	size_t columns = f->how->columns > indent ? f->how->columns - indent : 1;
	char words[LINE_BYTES], line[LINE_BYTES];

	for (size_t n = 0; n < lines_max; n++) {
		const char *here = text;

		if (!cells_line(words, sizeof(words), &text, columns))
			return;
		if (n + 1 == lines_max && text[strspn(text, " ")] != '\0')
			cells_cut(words, sizeof(words), here + strspn(here, " \n"), columns);
		words[strcspn(words, "\n")] = '\0';
		snprintf(line, sizeof(line), "%*s%.4000s", (int)indent, "", words);
		put_line(f, line, colour);
	}
}

static bool
group_slots(struct frame *f, const json_t *list)
{
	size_t all = json_array_size(list), i;
	const json_t **room = calloc(GROUP_COUNT * (all + 1), sizeof(json_t *));
	const json_t *slot;

	f->slots[0] = room;
	f->detail = calloc(all + 1, 1);
	if (room == NULL || f->detail == NULL)
		return false;
	for (size_t g = 0; g < GROUP_COUNT; g++)
		f->slots[g] = room + g * (all + 1);
	json_array_foreach(list, i, slot) {
		enum group g = group_of(slot);

		f->slots[g][f->count[g]++] = slot;
	}
	return true;
}

/* "A1", while it is worked on with its percentage. */
static void
short_name(const struct frame *f, const json_t *slot, char name[ROW_NAME_MAX])
{
	slot_short_name(f->list, slot, name, ROW_NAME_MAX);
	if (slot_is_active(slot))
		text_add(name, ROW_NAME_MAX, " %lld%%", (long long)out_int(slot, "percent"));
}

/* "3 failed: A1, B2 and 1 more": so many of the names. */
static void
join_names(char *dst, const char *title, size_t count, size_t named,
	   const char (*names)[ROW_NAME_MAX])
{
	snprintf(dst, LINE_BYTES, "%zu %s", count, title);
	for (size_t i = 0; i < named; i++)
		text_add(dst, LINE_BYTES, "%s%s", i == 0 ? ": " : ", ", names[i]);
	if (named > 0 && named < count)
		text_add(dst, LINE_BYTES, " and %zu more", count - named);
}

static bool
all_failed(const struct frame *f)
{
	for (size_t i = 0; i < f->count[GROUP_BAD]; i++)
		if (!slot_has_failed(f->slots[GROUP_BAD][i]))
			return false;
	return true;
}

/* Those from `first` on by name and number, in at most so many lines. */
static void
put_names(struct frame *f, enum group g, size_t first, size_t lines)
{
	static const enum colour colours[] = { COLOUR_BAD, COLOUR_BUSY, COLOUR_ATTENTION,
					       COLOUR_GOOD, COLOUR_FAINT };
	static const char *const titles[] = { "not good", "at work", "NOT READY (flashed)", "done",
					      "other" };
	size_t count = f->count[g] - first, named = count;
	char(*names)[ROW_NAME_MAX] = calloc(count, sizeof(*names));
	char text[LINE_BYTES], title[32];

	for (size_t i = 0; i < count && names != NULL; i++)
		short_name(f, f->slots[g][first + i], names[i]);
	/* WHY not of all: one that is not ready has not failed. */
	snprintf(title, sizeof(title), "%s%s", first > 0 ? "more " : "",
		 g == GROUP_BAD && all_failed(f) ? "failed" : titles[g]);
	do
		join_names(text, title, count, names != NULL ? named : 0,
			   (const char(*)[ROW_NAME_MAX])names);
	while (cells_lines(text, f->how->columns) > lines && named-- > 0);
	put_text(f, text, 0, lines, colours[g]);
	free(names);
}

/* The lines below a failed drone: none, the first thing to do, advice, or all there is to say. */
enum detail { DETAIL_NONE, DETAIL_TODO, DETAIL_ADVICE, DETAIL_ALL };

/* A row, with what to do in it where no lines below say that, and where that is whole there. */
static void
put_row(struct frame *f, const json_t *slot, enum detail detail)
{
	struct text todo = out_text(slot, "todo");
	char name[ROW_NAME_MAX], words[256], row[LINE_BYTES], line[2 * LINE_BYTES];
	size_t end;

	row_draw(slot, &f->widths, row, sizeof(row));
	for (end = strlen(row); end > 0 && row[end - 1] == ' '; end--)
		row[end - 1] = '\0';
	short_name(f, slot, name);
	slot_words(slot, words, sizeof(words));
	if (words[0] == '\0')
		slot_ready_words(slot, words, sizeof(words));
	snprintf(line, sizeof(line), "%s: %s", row, todo.s);
	/* WHY not of one whose bytes are right on a wide terminal: its row has the serial. */
	if (slot_fate(slot) != SLOT_FATE_DONE || f->how->columns < WIDE) {
		if (cells_width(line) > f->how->columns)
			snprintf(line, sizeof(line), "%s %s: %s", name, words, todo.s);
		if (cells_width(line) > f->how->columns)
			snprintf(line, sizeof(line), "%s: %s", name, todo.s);
	}
	if (detail != DETAIL_NONE || todo.s[0] == '\0' || cells_width(line) > f->how->columns)
		copy_text(line, sizeof(line), row);
	put_line(f, line, row_colour(slot));
}

/* Rows where all fit in the group's lines; else rows of the first at work, and names. */
static void
put_group(struct frame *f, enum group g)
{
	size_t lines = f->lines[g], rows = 0;

	if (f->count[g] <= lines)
		rows = f->count[g];
	else if (g == GROUP_ACTIVE && lines > 2)
		rows = lines - 1;
	for (size_t i = 0; i < rows; i++)
		put_row(f, f->slots[g][i], DETAIL_NONE);
	if (rows < f->count[g] && lines > 0)
		put_names(f, g, rows, lines - rows);
}

static struct text
detail_text(const json_t *slot, enum detail detail)
{
	struct text t = { "" };

	if (detail >= DETAIL_ADVICE)
		t = slot_ready_text(slot);
	if (t.s[0] != '\0')
		return t;
	if (detail == DETAIL_ADVICE)
		t = out_text(slot, "advice");
	if (detail == DETAIL_ALL || (detail == DETAIL_ADVICE && t.s[0] == '\0'))
		t = out_text(slot, "message");
	if (detail != DETAIL_NONE && t.s[0] == '\0')
		t = out_text(slot, "todo");
	return t;
}

static size_t
detail_lines(const struct frame *f, const json_t *slot, enum detail detail)
{
	struct text t = detail_text(slot, detail);

	return cells_lines(t.s, f->how->columns > INDENT ? f->how->columns - INDENT : 1);
}

/*
 * Shares lines between the failed drones, the worst first: for each what to do, whole or not at
 * all; where lines are left then, all that there is to say.  Returns the lines taken.
 */
static size_t
share_details(struct frame *f, size_t room)
{
	size_t left = room;

	for (size_t i = 0; i < f->count[GROUP_BAD]; i++)
		f->detail[i] = DETAIL_NONE;
	for (enum detail t = DETAIL_TODO; t <= DETAIL_ALL; t++)
		for (size_t i = 0; i < f->count[GROUP_BAD]; i++) {
			const json_t *slot = f->slots[GROUP_BAD][i];
			size_t has = detail_lines(f, slot, f->detail[i]);
			size_t wants = detail_lines(f, slot, t);

			if (wants > has + left)
				continue;
			f->detail[i] = (unsigned char)t;
			left = left + has - wants;
		}
	return room - left;
}

/* The failed ones, worst first, each with its cause; below each its details. */
static void
put_bad(struct frame *f)
{
	size_t count = f->count[GROUP_BAD], rows = f->lines[GROUP_BAD];

	if (count > rows)
		rows = rows > 0 ? rows - 1 : 0;
	for (size_t i = 0; i < rows && i < count; i++) {
		const json_t *slot = f->slots[GROUP_BAD][i];
		struct text below = detail_text(slot, f->detail[i]);

		put_row(f, slot, f->detail[i]);
		put_text(f, below.s, INDENT, f->how->rows, COLOUR_NONE);
	}
	if (rows < count && f->lines[GROUP_BAD] > 0)
		put_names(f, GROUP_BAD, rows, 1);
}

/* Draws the rack where its geometry is known, and what to do has room below it. */
static size_t
put_map(struct frame *f, const json_t *station, size_t room)
{
	const json_t *rack = json_object_get(station, "rack");
	size_t before = f->used, signs;
	char line[RACK_MAP_ROW_MAX];
	struct rack_map m;

	if (!json_is_object(rack) || !rack_map_lay(station, f->list, f->how->columns, &m))
		return 0;
	f->signs = !m.words;
	signs = m.words ? 0 : cells_lines(rack_map_signs, f->how->columns);
	f->map = m.rows + signs + cells_lines(f->todo, f->how->columns) <= room;
	for (size_t row = 0; f->map && row < m.rows; row++) {
		rack_map_row(&m, row, f->how->colour, line);
		put_line(f, line, COLOUR_NONE);
	}
	put_text(f, f->map ? rack_map_signs : "", 0, signs, COLOUR_FAINT);
	rack_map_done(&m);
	return f->used - before;
}

/* The same; where none gets any, at the cost of other groups.  Returns the lines that are left. */
static size_t
take_details(struct frame *f, size_t room)
{
	size_t taken = share_details(f, room);

	for (size_t g = GROUP_COUNT; g-- > GROUP_ACTIVE && f->count[GROUP_BAD] > 0 && taken == 0;) {
		room += f->lines[g];
		f->lines[g] = 0;
		taken = share_details(f, room);
	}
	return room - taken;
}

/*
 * Shares the lines out: a line for each group that has drones and one for each failed drone; then
 * what to do; then more lines for those at work, the done ones, the rest.  Where not even the worst
 * one's instruction fits, the lines of other groups are taken for it: their counts stand above.
 */
static void
share_lines(struct frame *f, size_t room)
{
	size_t bad;

	for (size_t g = GROUP_COUNT; g-- > GROUP_ACTIVE;) {
		f->lines[g] = f->count[g] > 0 && room > 1 &&
			      (!f->map || g == GROUP_UNREADY || (g == GROUP_ACTIVE && f->signs));
		room -= f->lines[g];
	}
	bad = f->count[GROUP_BAD];
	if (bad <= room)
		f->todo[0] = '\0';
	else if (f->todo[0] != '\0')
		bad = cells_lines(f->todo, f->how->columns);
	for (size_t g = GROUP_COUNT; g-- > GROUP_ACTIVE && f->todo[0] != '\0' && bad > room;) {
		room += f->lines[g];
		f->lines[g] = 0;
	}
	f->lines[GROUP_BAD] = bad < room ? bad : room;
	room -= f->lines[GROUP_BAD];
	if (f->todo[0] == '\0')
		room = take_details(f, room);
	for (size_t g = GROUP_ACTIVE; g < GROUP_COUNT; g++) {
		size_t more = f->count[g] > f->lines[g] ? f->count[g] - f->lines[g] : 0;

		more = more < room ? more : room;
		more = f->lines[g] > 0 || f->map ? more : 0;
		f->lines[g] += more;
		room -= more;
	}
}

static void
put_head(struct frame *f, const json_t *station)
{
	bool full = f->how->rows >= ROWS_FULL;
	size_t lines_max = full ? HEAD_LINES_MAX : 1;
	char line[LINE_BYTES];

	if (f->how->notice != NULL)
		put_text(f, f->how->notice, 0, HEAD_LINES_MAX, COLOUR_ATTENTION);
	overview_station(station, line, sizeof(line));
	if (full || out_is(station, "state", "paused") || out_is(station, "health", "degraded"))
		put_text(f, line, 0, lines_max, COLOUR_NONE);
	overview_firmware(station, line, sizeof(line));
	if (full)
		put_text(f, line, 0, HEAD_LINES_MAX, COLOUR_NONE);
	overview_counts_in(station, f->how->columns, lines_max, line, sizeof(line));
	put_text(f, line, 0, lines_max, COLOUR_NONE);
}

static void
put_all(struct frame *f, const struct slots *slots)
{
	size_t foot = f->how->rows >= ROWS_FOOT ? 1 : 0, spare;
	size_t headings = f->how->rows >= ROWS_FULL ? 1 : 0;
	char line[LINE_BYTES];

	row_measure(f->list, f->how->columns, &f->widths);
	overview_todo(f->list, f->todo, sizeof(f->todo));
	put_head(f, slots_station(slots));
	if (json_array_size(f->list) == 0)
		put_line(f, "Nothing is plugged in.", COLOUR_NONE);
	foot += headings;
	spare = f->how->rows > f->used + foot ? f->how->rows - f->used - foot : 0;
	spare -= put_map(f, slots_station(slots), spare);
	share_lines(f, spare);
	if (headings > 0 && f->todo[0] == '\0') {
		row_headings(&f->widths, line, sizeof(line));
		put_line(f, line, COLOUR_FAINT);
	}
	put_text(f, f->todo, 0, f->lines[GROUP_BAD], COLOUR_BAD);
	if (f->todo[0] == '\0')
		put_bad(f);
	for (enum group g = GROUP_ACTIVE; g < GROUP_COUNT; g++)
		put_group(f, g);
	if (f->how->rows >= ROWS_FOOT)
		put_line(f, "q leaves; the station goes on.", COLOUR_FAINT);
	if (f->used < f->how->rows)
		fputs("\r\n" ERASE_BELOW, f->out);
}

char *
screen_draw(const struct slots *slots, const struct screen *how)
{
	struct frame f = { .how = how };
	json_t *list = slots_sorted(slots);
	size_t bytes = 0;
	char *text = NULL;
	bool good;

	if (list == NULL || slots_put_bad_first(list) < 0 || !group_slots(&f, list))
		goto out;
	f.list = list;
	f.out = open_memstream(&text, &bytes);
	if (f.out == NULL)
		goto out;
	put_all(&f, slots);
	good = !ferror(f.out);
	if (fclose(f.out) != 0 || !good) {
		free(text);
		text = NULL;
	}
out:
	free(f.slots[0]);
	free(f.detail);
	json_decref(list);
	return text;
}
