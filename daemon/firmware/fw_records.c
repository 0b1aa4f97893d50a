/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "firmware/fw_records.h"

#include <stdarg.h>
#include <stdio.h>

#define CTRL_Z 0x1A /* QUIRK: DOS tools end a text with it */

static bool
is_blank(uint8_t c)
{
	return c == '\r' || c == '\n' || c == ' ' || c == '\t';
}

/* To the next record; false at the end of the file. */
static bool
skip_blank(struct fw_records *r)
{
	const struct fw_loading *l = r->l;

	for (; r->at < l->size && is_blank(l->data[r->at]); r->at++)
		r->line += l->data[r->at] == '\n';
	return r->at < l->size && !(r->ended && l->data[r->at] == CTRL_Z && r->at + 1 == l->size);
}

int
fw_records_refuse(struct fw_records *r, size_t at, const char *format, ...)
{
	char words[160];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(words, sizeof(words), format, args); /* it fits */
	va_end(args);
	return fw_refuse(r->l, at, "line %u, offset %zu: %s", r->line, at, words);
}

int
fw_records_cut(struct fw_records *r)
{
	return fw_refuse(r->l, r->l->size,
			 "line %u: the record at offset %zu ends in the middle (truncated file?)",
			 r->line, r->record);
}

/* n bytes of the record, from this one on. */
static int
read_digits(struct fw_records *r, size_t head, size_t first, size_t n)
{
	size_t at = r->record + head + 2 * first, good;

	if (r->l->size - at < 2 * n)
		return fw_records_cut(r);
	good = fw_hex_decode(r->l->data + at, n, r->bytes + first);
	if (good == 2 * n)
		return 0;
	return fw_records_refuse(r, at + good, "hex digit expected, found 0x%02X",
				 r->l->data[at + good]);
}

/* Of n bytes; behind them stands nothing else in the line. */
static int
check_record(struct fw_records *r, const struct fw_record_format *f, size_t n)
{
	size_t end = r->record + f->head + 2 * n;
	const struct fw_loading *l = r->l;
	uint8_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum = (uint8_t)(sum + r->bytes[i]);
	if (sum != f->sum)
		return fw_records_refuse(r, end - 2, "checksum is 0x%02X, expected 0x%02X",
					 r->bytes[n - 1],
					 (uint8_t)(r->bytes[n - 1] + f->sum - sum));
	if (end < l->size && !is_blank(l->data[end]) &&
	    !(l->data[end] == CTRL_Z && end + 1 == l->size))
		return fw_records_refuse(r, end, "more text than the record announces");
	r->at = end;
	return 0;
}

static int
read_record(struct fw_records *r, const struct fw_record_format *f)
{
	uint8_t first = r->l->data[r->at];
	int least = 0, e;
	size_t n;

	r->record = r->at;
	if (first != (uint8_t)f->mark)
		return fw_records_refuse(r, r->at, "'%c' expected, found 0x%02X", f->mark, first);
	if (f->check_head != NULL)
		least = f->check_head(r);
	e = least < 0 ? least : read_digits(r, f->head, 0, 1);
	if (e < 0)
		return e;
	if (r->bytes[0] < least)
		return fw_records_refuse(r, r->record + f->head,
					 "%c%c record of %u bytes, at least %d expected", f->mark,
					 r->l->data[r->record + 1], r->bytes[0], least);
	n = r->bytes[0] + f->beside;
	e = read_digits(r, f->head, 1, n - 1);
	return e < 0 ? e : check_record(r, f, n);
}

static int
read_file(struct fw_records *r, const struct fw_record_format *f)
{
	int e = 0;

	while (e == 0 && skip_blank(r)) {
		if (r->ended)
			return fw_records_refuse(r, r->at, "text after the end record");
		e = read_record(r, f);
		if (e == 0)
			e = f->take(r);
	}
	if (e == 0 && !r->ended)
		return fw_refuse(r->l, r->l->size,
				 "no end record (%s) at the end of the file: truncated?", f->end);
	return e;
}

int
fw_records_load(struct fw_loading *l, const struct fw_record_format *format, void *ctx)
{
	struct fw_records r = { .l = l, .line = 1, .ctx = ctx };
	int e = fw_pieces_init(&r.pieces, l);

	if (fw_find_record(l->data, l->size, format->mark, &r.at))
		fw_note_preamble(l, r.at, &r.line);
	if (e == 0)
		e = read_file(&r, format);
	if (e == 0)
		e = fw_pieces_finish(&r.pieces, l);
	fw_pieces_done(&r.pieces);
	return e;
}
