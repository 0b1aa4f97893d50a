/* SPDX-License-Identifier: MIT */
/* The live picture of the station: header, counts, a line a slot with its bar, what to do. */
#include "config.h"

#include "client/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfdfu/util.h"
#include "client/out.h"
#include "client/overview.h"
#include "client/slots.h"

/* Columns of a line, wide and narrow; the narrow ones make 80 characters with the state's name. */
#define BAR_WIDTH 20
#define BAR_NARROW 8
#define NAME_WIDTH 18
#define NAME_NARROW 14
#define NARROW 100     /* columns of a terminal that takes a whole line, but for the message */
#define MESSAGE_MIN 40 /* characters; where there is no room for so many, messages stand below */
#define ERASE_REST "\033[K"
#define PLAIN "\033[0m"
#define HEAD_LINES 5 /* station, firmware, counts, blank, headings */
#define TAIL_LINES 2 /* what was left out, how to leave */

struct frame {
	FILE *out;
	unsigned rows, columns;
	unsigned used; /* lines */
	bool colour;
};

/*
 * Length of the first `columns` characters of clean UTF-8 text: WHY not bytes: labels have umlauts.
 */
static size_t
clip(const char *text, unsigned columns)
{
	size_t at = 0;

	while (text[at] != '\0' && columns > 0) {
		at++;
		while (((unsigned char)text[at] & 0xC0) == 0x80)
			at++;
		columns--;
	}
	return at;
}

static unsigned
characters(const char *text)
{
	unsigned n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xC0) != 0x80;
	return n;
}

static bool
has_messages(const struct frame *f)
{
	return f->columns >= NARROW + MESSAGE_MIN;
}

static void
put_line(struct frame *f, const char *text, enum colour colour)
{
	bool coloured = f->colour && colour != COLOUR_NONE;

	if (f->used >= f->rows)
		return;
	fprintf(f->out, "%s%s%.*s%s" ERASE_REST, f->used == 0 ? "" : "\r\n",
		coloured ? colour_code(colour) : "", (int)clip(text, f->columns), text,
		coloured ? PLAIN : "");
	f->used++;
}

void
screen_bar(char *dst, size_t size, unsigned width, long long percent)
{
	unsigned full = percent <= 0	 ? 0
			: percent >= 100 ? width
					 : (unsigned)(percent * width / 100);
	size_t at = 0;

	if (size < (size_t)width + 3) {
		dst[0] = '\0';
		return;
	}
	dst[at++] = '[';
	for (unsigned i = 0; i < width; i++)
		dst[at++] = i < full ? '#' : '.';
	dst[at++] = ']';
	dst[at] = '\0';
}

/*
 * Bar and percent while it is worked on, the verdict in capitals when it has ended, else its state.
 */
static void
describe(const json_t *slot, bool narrow, char *dst, size_t size)
{
	const char *verdict = slot_verdict(slot);
	char bar[BAR_WIDTH + 3], eta[32] = "";
	struct text state = out_text(slot, "state");

	if (!slot_is_active(slot)) {
		copy_text(dst, size, verdict != NULL ? verdict : state.s);
		for (char *c = dst; verdict != NULL && *c != '\0'; c++)
			if (*c >= 'a' && *c <= 'z')
				*c = (char)(*c - 'a' + 'A');
		return;
	}
	screen_bar(bar, sizeof(bar), narrow ? BAR_NARROW : BAR_WIDTH, out_int(slot, "percent"));
	if (out_is_int(slot, "eta_s"))
		format_seconds(eta, sizeof(eta), out_int(slot, "eta_s"));
	snprintf(dst, size, "%s %3lld%% %*s %.20s", bar, (long long)out_int(slot, "percent"),
		 narrow ? 5 : 7, eta, state.s);
}

static enum colour
colour_of(const json_t *slot)
{
	if (slot_is_active(slot))
		return COLOUR_BUSY;
	if (!out_true(slot, "present"))
		return slot_has_failed(slot) ? COLOUR_BAD : COLOUR_FAINT;
	return colour_of_verdict(slot_verdict(slot));
}

static void
put_slot(struct frame *f, const json_t *slot)
{
	int name_width = f->columns < NARROW ? NAME_NARROW : NAME_WIDTH;
	char name[96], what[160], line[1400];
	struct text message = out_text(slot, "message");
	bool present = out_true(slot, "present");
	struct text serial;

	text_copy(&serial, slot_serial(slot));
	slot_name(slot, name, sizeof(name));
	describe(slot, f->columns < NARROW, what, sizeof(what));
	name[clip(name, (unsigned)name_width)] = '\0';
	snprintf(line, sizeof(line), "%s%*s %-24.24s %-6.6s %-48s %s", name,
		 name_width - (int)characters(name), "", serial.s,
		 !present			       ? "gone"
		 : slot_fate(slot) == SLOT_FATE_DONE   ? "unplug"
		 : slot_fate(slot) == SLOT_FATE_ASIDE  ? "aside"
		 : slot_fate(slot) == SLOT_FATE_ACTIVE ? "leave"
						       : "-",
		 what, slot_is_active(slot) || !has_messages(f) ? "" : message.s);
	put_line(f, line, colour_of(slot));
}

/*
 * What matters most when there is no room for all: 0 active, 1 failed, 2 other verdicts, 3 the
 * rest.
 */
static int
rank(const json_t *slot)
{
	if (slot_is_active(slot))
		return 0;
	if (slot_has_failed(slot))
		return 1;
	return slot_verdict(slot) != NULL ? 2 : 3;
}

/*
 * Puts as many slots as there is room for, in the order of their ports; the least interesting stay
 * out.
 */
static void
put_slots(struct frame *f, const json_t *list, size_t room)
{
	size_t count = json_array_size(list), left = room, i;
	int last = -1; /* all of this rank and below are shown */
	const json_t *slot;
	char line[96];

	for (int r = 0; r <= 3; r++) {
		size_t n = 0;

		json_array_foreach(list, i, slot) n += rank(slot) == r;
		if (n > left)
			break;
		left -= n;
		last = r;
	}
	json_array_foreach(list, i, slot)
	{
		if (rank(slot) == last + 1 && left > 0)
			left--;
		else if (rank(slot) > last)
			continue;
		put_slot(f, slot);
		count--;
	}
	if (count > 0) {
		snprintf(line, sizeof(line),
			 "... and %zu more: enlarge the window, or cfdfuctl status", count);
		put_line(f, line, COLOUR_FAINT);
	}
}

/* In as many lines as it takes. */
static void
put_text(struct frame *f, const char *text, enum colour colour, unsigned last_row)
{
	while (*text != '\0' && f->used < last_row) {
		size_t bytes = clip(text, f->columns), cut = bytes;
		char line[1400];

		while (cut > bytes / 2 && text[bytes] != '\0' && text[cut] != ' ')
			cut--;
		if (text[cut] != ' ' && text[cut] != '\0')
			cut = bytes; /* no blank to part it at */
		snprintf(line, sizeof(line), "%.*s", (int)cut, text);
		put_line(f, line, colour);
		text += cut;
		text += *text == ' ';
	}
}

/* What to do about drones, below them, as far as there is room. */
static void
put_messages(struct frame *f, const json_t *list)
{
	const json_t *slot;
	size_t i;

	json_array_foreach(list, i, slot)
	{
		struct text message = out_text(slot, "message");
		enum colour colour = colour_of_verdict(slot_verdict(slot));
		char name[96], line[1400];

		if (message.s[0] == '\0' || slot_is_active(slot) || colour == COLOUR_GOOD)
			continue;
		slot_name(slot, name, sizeof(name));
		snprintf(line, sizeof(line), "%s: %s", name, message.s);
		put_text(f, line, colour, f->rows > 1 ? f->rows - 1 : 0);
	}
}

static void
put_all(struct frame *f, const struct slots *slots, const json_t *list)
{
	const json_t *station = slots_station(slots);
	char line[4096];

	overview_station(station, line, sizeof(line));
	put_line(f, line, COLOUR_NONE);
	overview_firmware(station, line, sizeof(line));
	put_line(f, line, COLOUR_NONE);
	overview_counts(station, line, sizeof(line));
	put_line(f, line, COLOUR_NONE);
	put_line(f, "", COLOUR_NONE);
	snprintf(line, sizeof(line), "%-*s %-24s %-6s %-48s %s",
		 f->columns < NARROW ? NAME_NARROW : NAME_WIDTH, "SLOT", "SERIAL", "PLUG",
		 "PROGRESS", has_messages(f) ? "MESSAGE" : "");
	put_line(f, line, COLOUR_FAINT);
	if (json_array_size(list) == 0)
		put_line(f, "Nothing is plugged in.", COLOUR_NONE);
	put_slots(f, list,
		  f->rows > HEAD_LINES + TAIL_LINES ? f->rows - HEAD_LINES - TAIL_LINES : 0);
	if (!has_messages(f))
		put_messages(f, list);
	put_line(f, "Ctrl-C leaves; the station goes on.", COLOUR_FAINT);
}

char *
screen_draw(const struct slots *slots, struct screen_size size, bool colour)
{
	struct frame f = { .rows = size.rows, .columns = size.columns, .colour = colour };
	json_t *list = slots_sorted(slots);
	size_t bytes = 0;
	char *text = NULL;
	bool good;

	if (list == NULL)
		return NULL;
	f.out = open_memstream(&text, &bytes);
	if (f.out == NULL)
		goto out;
	put_all(&f, slots, list);
	good = !ferror(f.out);
	if (fclose(f.out) != 0 || !good) {
		free(text);
		text = NULL;
	}
out:
	json_decref(list);
	return text;
}
