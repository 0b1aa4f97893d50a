/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/screen_row.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "client/cells.h"
#include "client/slots.h"

#define BAR_WIDE 20
#define BAR_NARROW 8
#define NAME_MIN 4     /* the heading */
#define NAME_WIDE 18   /* "a label (1-1.4.2)" */
#define NAME_NARROW 10 /* a label alone, on a narrow terminal */
#define NARROW 60      /* columns */
#define SERIAL_FULL 24 /* digits */
#define PLUG 6
#define WHAT_PLUG 48 /* cells that have to stay for progress and cause beside a column more */
#define WHAT_SERIAL 38
#define WHAT_FULL 60
#define WHAT_BAR 45 /* room for the wide bar, percentage, time and state */
#define WHAT_BAR_NARROW 30

enum colour
row_colour(const json_t *slot)
{
	if (slot_is_active(slot))
		return COLOUR_BUSY;
	if (slot_severity(slot) >= 4)
		return COLOUR_BAD;
	if (!out_true(slot, "present"))
		return COLOUR_FAINT;
	return slot_severity(slot) > 0 ? COLOUR_ATTENTION : colour_of_verdict(slot_verdict(slot));
}

static size_t
widest_name(const json_t *slots)
{
	size_t most = NAME_MIN, i;
	const json_t *slot;

	json_array_foreach(slots, i, slot) {
		char name[ROW_NAME_MAX];
		size_t width;

		slot_name(slot, name, sizeof(name));
		width = cells_width(name);
		if (width > most)
			most = width;
	}
	return most;
}

void
row_measure(const json_t *slots, size_t columns, struct row_widths *ret_widths)
{
	size_t most = columns < NARROW ? NAME_NARROW : NAME_WIDE,
	       digits = slots_serial_digits(slots);
	struct row_widths w = { .name = widest_name(slots) };
	size_t left;

	if (w.name > most)
		w.name = most;
	left = columns > w.name + 1 ? columns - w.name - 1 : 1;
	if (left >= WHAT_PLUG + PLUG + 1) {
		w.plug = PLUG;
		left -= PLUG + 1;
	}
	if (left >= WHAT_FULL + SERIAL_FULL + 1)
		w.serial = SERIAL_FULL;
	else if (left >= WHAT_SERIAL + digits + 1)
		w.serial = digits;
	left -= w.serial > 0 ? w.serial + 1 : 0;
	w.what = left;
	*ret_widths = w;
}

static void
add_cell(char *dst, size_t size, const char *text, size_t cells)
{
	size_t used = strlen(dst);

	if (cells == 0 || used + 1 >= size)
		return;
	if (used > 0)
		dst[used++] = ' ';
	cells_fit(dst + used, size - used, text, cells);
}

/* WHY digits from the front: they are what every command takes for the drone. */
static void
add_row(char *dst, size_t size, const struct row_widths *w, const char *const cells[4])
{
	char serial[OUT_TEXT_MAX];

	snprintf(serial, sizeof(serial), "%.*s", (int)w->serial, cells[1]);
	dst[0] = '\0';
	add_cell(dst, size, cells[0], w->name);
	add_cell(dst, size, serial, w->serial);
	add_cell(dst, size, cells[2], w->plug);
	add_cell(dst, size, cells[3], w->what);
}

void
row_headings(const struct row_widths *w, char *dst, size_t size)
{
	static const char *const titles[4] = { "SLOT", "SERIAL", "PLUG", "PROGRESS" };

	add_row(dst, size, w, titles);
}

static void
describe_work(const json_t *slot, const struct row_widths *w, char *dst, size_t size)
{
	unsigned width = w->what >= WHAT_BAR	      ? BAR_WIDE
			 : w->what >= WHAT_BAR_NARROW ? BAR_NARROW
						      : 0;
	struct text work = slot_work(slot);
	char bar[BAR_WIDE + 3] = "", eta[32] = "";

	if (width > 0)
		format_bar(bar, sizeof(bar), width, out_int(slot, "percent"));
	if (out_is_int(slot, "eta_s"))
		format_seconds(eta, sizeof(eta), out_int(slot, "eta_s"));
	text_format(dst, size, "%s%*lld%% %*s%s%.60s", bar, width > 0 ? 4 : 3,
		    (long long)out_int(slot, "percent"), width > 0 ? 5 : 0, eta,
		    width > 0 || eta[0] != '\0' ? " " : "", work.s);
}

/* "FAIL: no-boot while booting", "PASS 2025.02 -> 2025.12, READY", "waiting". */
static void
describe_end(const json_t *slot, const struct row_widths *w, char *dst, size_t size)
{
	struct text verdict = out_text(slot, "verdict"), state = out_text(slot, "state");
	struct text before = out_text(slot, "version_before");
	struct text after = out_text(slot, "version_after");
	bool gone = !out_true(slot, "present") && w->plug == 0;
	char words[256], ready[160];

	for (char *c = verdict.s; *c != '\0'; c++)
		*c = (char)toupper((unsigned char)*c);
	slot_words(slot, words, sizeof(words));
	if (words[0] == '\0' && verdict.s[0] == '\0')
		text_format(words, sizeof(words), "%.60s", state.s);
	else if (words[0] == '\0')
		text_format(words, sizeof(words), "%.40s %.60s%s%.60s", verdict.s, before.s,
			    after.s[0] != '\0' && strcmp(before.s, after.s) != 0 ? " -> " : "",
			    strcmp(before.s, after.s) != 0 ? after.s : "");
	slot_ready_words(slot, ready, sizeof(ready));
	text_format(dst, size, "%s%s%s%s", words, ready[0] != '\0' ? ", " : "", ready,
		    gone ? " (gone)" : "");
}

static const char *
plug_word(const json_t *slot)
{
	static const char *const words[] = {
		[SLOT_FATE_NONE] = "-",	       [SLOT_FATE_ACTIVE] = "leave",
		[SLOT_FATE_WAITING] = "-",     [SLOT_FATE_DONE] = "unplug",
		[SLOT_FATE_ASIDE] = "aside",   [SLOT_FATE_ALONE] = "-",
		[SLOT_FATE_UNSURE] = "unsure",
	};

	return out_true(slot, "present") ? words[slot_place(slot)] : "gone";
}

void
row_draw(const json_t *slot, const struct row_widths *w, char *dst, size_t size)
{
	char name[ROW_NAME_MAX], what[512];
	struct text serial;

	slot_name(slot, name, sizeof(name));
	if (cells_width(name) > w->name)
		copy_text(name, sizeof(name), slot_label(slot).s);
	text_copy(&serial, slot_serial(slot));
	if (slot_is_active(slot))
		describe_work(slot, w, what, sizeof(what));
	else
		describe_end(slot, w, what, sizeof(what));
	add_row(dst, size, w, (const char *const[4]){ name, serial.s, plug_word(slot), what });
}
