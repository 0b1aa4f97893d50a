/* SPDX-License-Identifier: MIT */
/* Motorola S-records ("M68000 Family Programmer's Reference Manual", appendix C; doc/protocol.md 7)
 * -> pieces. */
#include "config.h"

#include "firmware/fw_parts.h"

#include <inttypes.h>
#include <string.h>

#define RECORD_BYTES_MAX 256 /* the count, and what it counts: address, data, checksum */

struct reader {
	struct fw_loading *l;
	struct fw_pieces pieces;
	size_t at;     /* in the file */
	size_t record; /* where the record at hand begins */
	unsigned line;
	char type;
	uint8_t bytes[RECORD_BYTES_MAX];
	uint32_t data_records;
	bool ended;
};

/* What each type means: bytes of address; 0 for the reserved one. */
static const uint8_t address_bytes[] = { 2, 2, 3, 4, 0, 2, 3, 4, 3, 2 };

static bool
is_blank(uint8_t c)
{
	return c == '\r' || c == '\n' || c == ' ' || c == '\t';
}

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
	size_t at = r->record + 2 + 2 * first, left = r->l->size - at, good;

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
read_type(struct reader *r)
{
	const struct fw_loading *l = r->l;

	r->record = r->at;
	if (l->data[r->at] != 'S')
		return fw_refuse(r->l, r->at, "line %u, offset %zu: 'S' expected, found 0x%02X",
				 r->line, r->at, l->data[r->at]);
	if (l->size - r->at < 2)
		return fw_refuse(
		    r->l, l->size,
		    "line %u: the record at offset %zu ends in the middle (truncated file?)",
		    r->line, r->record);
	r->type = (char)l->data[r->at + 1];
	if (r->type < '0' || r->type > '9' || r->type == '4')
		return fw_refuse(
		    r->l, r->at + 1,
		    "line %u, offset %zu: record type 0x%02X, expected '0' to '9' without '4'",
		    r->line, r->at + 1, l->data[r->at + 1]);
	return 0;
}

static int
read_record(struct reader *r)
{
	struct fw_loading *l = r->l;
	size_t n, end;
	uint8_t sum = 0;
	int e = read_type(r);

	if (e == 0)
		e = read_digits(r, 0, 1);
	if (e < 0)
		return e;
	n = (size_t)r->bytes[0] + 1;
	if (r->bytes[0] < address_bytes[r->type - '0'] + 1)
		return fw_refuse(
		    l, r->record + 2,
		    "line %u, offset %zu: S%c record of %u bytes, at least %u expected", r->line,
		    r->record + 2, r->type, r->bytes[0], address_bytes[r->type - '0'] + 1U);
	e = read_digits(r, 1, n - 1);
	if (e < 0)
		return e;
	for (size_t i = 0; i < n; i++)
		sum = (uint8_t)(sum + r->bytes[i]);
	end = r->record + 2 + 2 * n;
	if (sum != 0xFF)
		return fw_refuse(
		    l, end - 2, "line %u, offset %zu: checksum is 0x%02X, expected 0x%02X", r->line,
		    end - 2, r->bytes[n - 1], (uint8_t)(r->bytes[n - 1] + 0xFF - sum));
	if (end < l->size && !is_blank(l->data[end]) &&
	    !(l->data[end] == 0x1A && end + 1 == l->size))
		return fw_refuse(l, end, "line %u, offset %zu: more text than the record announces",
				 r->line, end);
	r->at = end;
	return 0;
}

static int
take_count(struct reader *r, uint32_t count)
{
	if (count == r->data_records)
		return 0;
	return fw_refuse(r->l, r->record,
			 "line %u, offset %zu: counts %" PRIu32 " data records, found %" PRIu32,
			 r->line, r->record, count, r->data_records);
}

static int
take_record(struct reader *r)
{
	unsigned width = address_bytes[r->type - '0'];
	uint32_t addr = 0;
	struct fw_piece piece = { .offset = r->record };

	for (unsigned i = 0; i < width; i++)
		addr = addr << 8 | r->bytes[1 + i];
	switch (r->type) {
	case '0':
		fw_clean_text(r->l->facts->header, sizeof(r->l->facts->header),
			      r->bytes + 1 + width, r->bytes[0] - width - 1U);
		return 0;
	case '5':
	case '6':
		return take_count(r, addr);
	case '7':
	case '8':
	case '9':
		r->ended = true;
		r->l->facts->start_given = true;
		r->l->facts->start = addr;
		return 0;
	default: /* S1, S2, S3: read_type() lets nothing else through */
		r->data_records++;
		piece.addr = addr;
		piece.size = r->bytes[0] - width - 1U;
		return fw_pieces_add(&r->pieces, r->l, &piece, r->bytes + 1 + width);
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
				 "no end record (S7, S8 or S9) at the end of the file: truncated?");
	return e;
}

int
fw_load_srec(struct fw_loading *l)
{
	struct reader r = { .l = l, .line = 1 };
	int e = fw_pieces_init(&r.pieces, l);

	if (fw_find_record(l->data, l->size, 'S', &r.at))
		fw_note_preamble(l, r.at, &r.line);
	if (e == 0)
		e = read_file(&r);
	if (e == 0)
		e = fw_pieces_finish(&r.pieces, l);
	fw_pieces_done(&r.pieces);
	return e;
}
