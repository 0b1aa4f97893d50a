/* SPDX-License-Identifier: MIT */
/* Intel HEX (Intel, "Hexadecimal Object File Format Specification", rev. A; doc/protocol.md 7) ->
 * pieces. */
#include "config.h"

#include "firmware/fw_parts.h"

#include <inttypes.h>
#include <string.h>

#define RECORD_BYTES_MAX (1 + 2 + 1 + 255 + 1)

enum record_type {
	TYPE_DATA = 0,
	TYPE_END = 1,
	TYPE_SEGMENT_BASE = 2,
	TYPE_SEGMENT_START = 3,
	TYPE_LINEAR_BASE = 4,
	TYPE_LINEAR_START = 5,
};

struct reader {
	struct fw_loading *l;
	struct fw_pieces pieces;
	size_t at;     /* in the file */
	size_t record; /* where the record at hand begins */
	unsigned line;
	uint8_t bytes[RECORD_BYTES_MAX]; /* count, address, type, data, checksum */
	uint32_t base;
	bool segmented; /* base is from a type 2 record: offsets do not carry into it */
	bool ended;
};

static bool
is_blank(uint8_t c)
{
	return c == '\r' || c == '\n' || c == ' ' || c == '\t';
}

/* To the next record; false at the end of the file. */
static bool
skip_blank(struct reader *r)
{
	const struct fw_loading *l = r->l;

	for (; r->at < l->size && is_blank(l->data[r->at]); r->at++)
		r->line += l->data[r->at] == '\n';
	/* QUIRK: DOS tools end a text with Ctrl-Z. */
	return r->at < l->size && !(r->ended && l->data[r->at] == 0x1A && r->at + 1 == l->size);
}

static int
read_digits(struct reader *r, size_t first, size_t n)
{
	size_t at = r->record + 1 + 2 * first, left = r->l->size - at, good;

	if (left < 2 * n)
		return fw_refuse(
		    r->l, r->l->size,
		    "line %u: the record at offset %zu ends in the middle (truncated file?)",
		    r->line, r->record);
	good = fw_hex_decode(r->l->data + at, n, r->bytes + first);
	if (good == 2 * n)
		return 0;
	return fw_refuse(r->l, at + good, "line %u, offset %zu: hex digit expected, found 0x%02X",
			 r->line, at + good, r->l->data[at + good]);
}

static int
read_record(struct reader *r)
{
	struct fw_loading *l = r->l;
	size_t n, end;
	uint8_t sum = 0;
	int e;

	r->record = r->at;
	if (l->data[r->at] != ':')
		return fw_refuse(l, r->at, "line %u, offset %zu: ':' expected, found 0x%02X",
				 r->line, r->at, l->data[r->at]);
	e = read_digits(r, 0, 1);
	if (e < 0)
		return e;
	n = (size_t)r->bytes[0] + 5;
	e = read_digits(r, 1, n - 1);
	if (e < 0)
		return e;
	for (size_t i = 0; i < n; i++)
		sum = (uint8_t)(sum + r->bytes[i]);
	end = r->record + 1 + 2 * n;
	if (sum != 0)
		return fw_refuse(
		    l, end - 2, "line %u, offset %zu: checksum is 0x%02X, expected 0x%02X", r->line,
		    end - 2, r->bytes[n - 1], (uint8_t)(r->bytes[n - 1] - sum));
	if (end < l->size && !is_blank(l->data[end]) &&
	    !(l->data[end] == 0x1A && end + 1 == l->size))
		return fw_refuse(l, end, "line %u, offset %zu: more text than the record announces",
				 r->line, end);
	r->at = end;
	return 0;
}

static int
take_data(struct reader *r)
{
	uint32_t n = r->bytes[0], offset = (uint32_t)r->bytes[1] << 8 | r->bytes[2];
	struct fw_piece piece = { .addr = r->base + offset, .size = n, .offset = r->record };

	if (r->segmented && offset + n > 0x10000)
		return fw_refuse(
		    r->l, r->record,
		    "line %u, offset %zu: data runs over the end of its 64 KiB segment", r->line,
		    r->record);
	return fw_pieces_add(&r->pieces, r->l, &piece, r->bytes + 4);
}

static int
want_count(struct reader *r, unsigned count, const char *words)
{
	if (r->bytes[0] == count)
		return 0;
	return fw_refuse(
	    r->l, r->record + 1,
	    "line %u, offset %zu: a record of type %02X (%s) has %u data bytes, found %u", r->line,
	    r->record + 1, r->bytes[3], words, count, r->bytes[0]);
}

static int
take_base(struct reader *r, unsigned shift)
{
	int e = want_count(r, 2, shift == 16 ? "linear base" : "segment base");

	r->base = ((uint32_t)r->bytes[4] << 8 | r->bytes[5]) << shift;
	r->segmented = shift != 16;
	return e;
}

static int
take_start(struct reader *r)
{
	int e = want_count(r, 4, "start address");
	uint32_t high = (uint32_t)r->bytes[4] << 8 | r->bytes[5];
	uint32_t low = (uint32_t)r->bytes[6] << 8 | r->bytes[7];

	r->l->facts->start_given = true;
	r->l->facts->start =
	    r->bytes[3] == TYPE_LINEAR_START ? high << 16 | low : (high << 4) + low;
	return e;
}

static int
take_record(struct reader *r)
{
	switch (r->bytes[3]) {
	case TYPE_DATA:
		return take_data(r);
	case TYPE_END:
		r->ended = true;
		return want_count(r, 0, "end of file");
	case TYPE_SEGMENT_BASE:
		return take_base(r, 4);
	case TYPE_LINEAR_BASE:
		return take_base(r, 16);
	case TYPE_SEGMENT_START:
	case TYPE_LINEAR_START:
		return take_start(r);
	default:
		return fw_refuse(r->l, r->record + 7,
				 "line %u, offset %zu: record type %02X, expected 00 to 05",
				 r->line, r->record + 7, r->bytes[3]);
	}
}

static int
read_file(struct reader *r)
{
	int e = 0;

	while (e == 0 && skip_blank(r)) {
		if (r->ended)
			return fw_refuse(r->l, r->at,
					 "line %u, offset %zu: text after the end record", r->line,
					 r->at);
		e = read_record(r);
		if (e == 0)
			e = take_record(r);
	}
	if (e == 0 && !r->ended)
		return fw_refuse(r->l, r->l->size,
				 "no end record (type 01) at the end of the file: truncated?");
	return e;
}

int
fw_load_ihex(struct fw_loading *l)
{
	struct reader r = { .l = l, .line = 1 };
	int e = fw_pieces_init(&r.pieces, l);

	if (fw_find_record(l->data, l->size, ':', &r.at))
		fw_note_preamble(l, r.at, &r.line);
	if (e == 0)
		e = read_file(&r);
	if (e == 0)
		e = fw_pieces_finish(&r.pieces, l);
	fw_pieces_done(&r.pieces);
	return e;
}
