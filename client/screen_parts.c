/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/screen.h"

#include <stdio.h>
#include <stdlib.h>

#include "client/cells.h"
#include "client/hosts.h"
#include "client/overview.h"
#include "client/screen_row.h"

#define LINE_BYTES OUT_TEXT_MAX
#define HEAD 2 /* lines of a part above its drones; where there is but one, it has the counts */

static void
put_line(FILE *out, const struct screen *how, enum colour colour, const char *text)
{
	char line[LINE_BYTES];

	cells_cut(line, sizeof(line), text, how->columns);
	fprintf(out, "\033[K%s%s%s\r\n", how->colour ? colour_code(colour) : "", line,
		how->colour ? "\033[0m" : "");
}

/* So many lines; list: its drones, the bad ones first. */
static void
put_part(FILE *out, const struct screen *how, const struct screen_part *part, json_t *list,
	 size_t lines)
{
	const json_t *station = slots_station(part->slots);
	char text[LINE_BYTES], counts[LINE_BYTES], line[2 * LINE_BYTES];
	struct row_widths widths;

	overview_counts_in(station, how->columns, 1, counts, sizeof(counts));
	overview_station(station, text, sizeof(text));
	text_format(line, sizeof(line), "%s: %s", part->title,
		    part->notice   ? part->notice
		    : lines < HEAD ? counts
				   : text);
	put_line(out, how, part->notice != NULL ? COLOUR_ATTENTION : COLOUR_NONE, line);
	if (lines < HEAD)
		return;
	put_line(out, how, COLOUR_NONE, counts);
	row_measure(list, how->columns, &widths);
	for (size_t i = 0; i + HEAD < lines && i < json_array_size(list); i++) {
		const json_t *slot = json_array_get(list, i);

		row_draw(slot, &widths, line, sizeof(line));
		put_line(out, how, row_colour(slot), line);
	}
}

/* Shares them out: in turn one more to each that wants more.  Returns those that are left. */
static size_t
share_lines(const size_t *want, size_t *lines, size_t count, size_t room)
{
	size_t before;

	do {
		before = room;
		for (size_t n = 0; n < count && room > 0; n++) {
			room -= lines[n] < want[n];
			lines[n] += lines[n] < want[n];
		}
	} while (room < before);
	return room;
}

char *
screen_draw_parts(const struct screen_part *parts, size_t count, const struct screen *how)
{
	size_t want[HOSTS_MAX], lines[HOSTS_MAX] = { 0 }, bytes = 0, room = how->rows - 1, left;
	json_t *lists[HOSTS_MAX];
	char *text = NULL;
	FILE *out = open_memstream(&text, &bytes);

	if (out == NULL)
		return NULL;
	for (size_t n = 0; n < count; n++) {
		lists[n] = slots_sorted(parts[n].slots);
		want[n] =
		    slots_put_bad_first(lists[n]) == 0 && slots_station(parts[n].slots) != NULL
			? HEAD + json_array_size(lists[n])
			: 1;
	}
	left = share_lines(want, lines, count, room);
	for (size_t n = 0; n < count; n++) {
		if (lines[n] > 0)
			put_part(out, how, &parts[n], lists[n], lines[n]);
		json_decref(lists[n]);
	}
	fprintf(out, "\033[K%s",
		lines[count - 1] > 0 ? "q leaves; the stations go on."
				     : "A larger window shows all; q leaves.");
	if (left > 0)
		fputs("\r\n\033[J", out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}
