/* SPDX-License-Identifier: MIT */
/*
 * The texts of records with hex digits -> pieces: Intel HEX (Intel, "Hexadecimal Object File Format
 * Specification", rev. A) and Motorola S-records ("M68000 Family Programmer's Reference Manual",
 * appendix C; doc/protocol.md 7).  Count, digits and checksum of a record are checked alike; the
 * meaning of a record is its format's.
 */
#include "config.h"

#include "firmware/fw_loading.h"

#include <inttypes.h>
#include <stdarg.h>

#define CTRL_Z 0x1A /* QUIRK: DOS tools end a text with it */
#define RECORD_BYTES_MAX (1 + 2 + 1 + 255 + 1)

struct records {
	struct fw_loading *l;
	struct fw_pieces pieces;
	size_t at;     /* in the file */
	size_t record; /* where the record at hand begins */
	unsigned line;
	uint8_t bytes[RECORD_BYTES_MAX]; /* of the record at hand: count, ..., checksum */
	bool ended;			 /* the end record has been taken */
	void *ctx;			 /* the format's */
};

struct record_format {
	char mark;	 /* the first character of a record */
	size_t head;	 /* characters before the digits */
	size_t beside;	 /* bytes that the count does not count */
	uint8_t sum;	 /* of all bytes */
	const char *end; /* the end record, in words */
	/* The mark and the type: the least count, or a refusal.  May be NULL. */
	int (*check_head)(struct records *r);
	/* The whole record.  0 or a refusal. */
	int (*take)(struct records *r);
};

static bool
is_blank(uint8_t c)
{
	return c == '\r' || c == '\n' || c == ' ' || c == '\t';
}

/* To the next record; false at the end of the file. */
static bool
skip_blank(struct records *r)
{
	const struct fw_loading *l = r->l;

	for (; r->at < l->size && is_blank(l->data[r->at]); r->at++)
		r->line += l->data[r->at] == '\n';
	return r->at < l->size && !(r->ended && l->data[r->at] == CTRL_Z && r->at + 1 == l->size);
}

static int PRINTF_LIKE(3, 4) refuse_record(struct records *r, size_t at, const char *format, ...)
{
	char words[160];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(words, sizeof(words), format, args); /* it fits */
	va_end(args);
	return fw_refuse(r->l, at, "line %u, offset %zu: %s", r->line, at, words);
}

static int
cut_record(struct records *r)
{
	return fw_refuse(r->l, r->l->size,
			 "line %u: the record at offset %zu ends in the middle (truncated file?)",
			 r->line, r->record);
}

/* n bytes of the record, from this one on. */
static int
read_digits(struct records *r, size_t head, size_t first, size_t n)
{
	size_t at = r->record + head + 2 * first, good;

	if (r->l->size - at < 2 * n)
		return cut_record(r);
	good = fw_hex_decode(r->l->data + at, n, r->bytes + first);
	if (good == 2 * n)
		return 0;
	return refuse_record(r, at + good, "hex digit expected, found 0x%02X",
			     r->l->data[at + good]);
}

/* Of n bytes; behind them stands nothing else in the line. */
static int
check_record(struct records *r, const struct record_format *f, size_t n)
{
	size_t end = r->record + f->head + 2 * n;
	const struct fw_loading *l = r->l;
	uint8_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum = (uint8_t)(sum + r->bytes[i]);
	if (sum != f->sum)
		return refuse_record(r, end - 2, "checksum is 0x%02X, expected 0x%02X",
				     r->bytes[n - 1], (uint8_t)(r->bytes[n - 1] + f->sum - sum));
	if (end < l->size && !is_blank(l->data[end]) &&
	    !(l->data[end] == CTRL_Z && end + 1 == l->size))
		return refuse_record(r, end, "more text than the record announces");
	r->at = end;
	return 0;
}

static int
read_record(struct records *r, const struct record_format *f)
{
	uint8_t first = r->l->data[r->at];
	int least = 0, e;
	size_t n;

	r->record = r->at;
	if (first != (uint8_t)f->mark)
		return refuse_record(r, r->at, "'%c' expected, found 0x%02X", f->mark, first);
	if (f->check_head != NULL)
		least = f->check_head(r);
	e = least < 0 ? least : read_digits(r, f->head, 0, 1);
	if (e < 0)
		return e;
	if (r->bytes[0] < least)
		return refuse_record(r, r->record + f->head,
				     "%c%c record of %u bytes, at least %d expected", f->mark,
				     r->l->data[r->record + 1], r->bytes[0], least);
	n = r->bytes[0] + f->beside;
	e = read_digits(r, f->head, 1, n - 1);
	return e < 0 ? e : check_record(r, f, n);
}

static int
read_file(struct records *r, const struct record_format *f)
{
	int e = 0;

	while (e == 0 && skip_blank(r)) {
		if (r->ended)
			return refuse_record(r, r->at, "text after the end record");
		e = read_record(r, f);
		if (e == 0)
			e = f->take(r);
	}
	if (e == 0 && !r->ended)
		return fw_refuse(r->l, r->l->size,
				 "no end record (%s) at the end of the file: truncated?", f->end);
	return e;
}

static int
load_records(struct fw_loading *l, const struct record_format *format, void *ctx)
{
	struct records r = { .l = l, .line = 1, .ctx = ctx };
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

/* ---- Intel HEX ------------------------------------------------------------------------------ */

enum record_type {
	TYPE_DATA = 0,
	TYPE_END = 1,
	TYPE_SEGMENT_BASE = 2,
	TYPE_SEGMENT_START = 3,
	TYPE_LINEAR_BASE = 4,
	TYPE_LINEAR_START = 5,
};

/* As the last record of a base has set it. */
struct base {
	uint32_t addr;
	bool segmented; /* it was of type 2: offsets do not carry into it */
};

static int
take_hex_data(struct records *r)
{
	const struct base *base = r->ctx;
	uint32_t n = r->bytes[0], offset = (uint32_t)r->bytes[1] << 8 | r->bytes[2];
	struct fw_piece piece = { .addr = base->addr + offset, .size = n, .offset = r->record };

	if (base->segmented && offset + n > 0x10000)
		return refuse_record(r, r->record, "data runs over the end of its 64 KiB segment");
	return fw_pieces_add(&r->pieces, r->l, &piece, r->bytes + 4);
}

static int
want_count(struct records *r, unsigned count, const char *words)
{
	if (r->bytes[0] == count)
		return 0;
	return refuse_record(r, r->record + 1,
			     "a record of type %02X (%s) has %u data bytes, found %u", r->bytes[3],
			     words, count, r->bytes[0]);
}

static int
take_base(struct records *r, unsigned shift)
{
	struct base *base = r->ctx;
	int e = want_count(r, 2, shift == 16 ? "linear base" : "segment base");

	base->addr = ((uint32_t)r->bytes[4] << 8 | r->bytes[5]) << shift;
	base->segmented = shift != 16;
	return e;
}

static int
take_start(struct records *r)
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
take_hex_record(struct records *r)
{
	switch (r->bytes[3]) {
	case TYPE_DATA:
		return take_hex_data(r);
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
		return refuse_record(r, r->record + 7, "record type %02X, expected 00 to 05",
				     r->bytes[3]);
	}
}

int
fw_load_ihex(struct fw_loading *l)
{
	/* Address, type and checksum are not counted. */
	static const struct record_format format = {
		.mark = ':', .head = 1, .beside = 5, .end = "type 01", .take = take_hex_record
	};
	struct base base = { 0 };

	return load_records(l, &format, &base);
}

/* ---- S-records ------------------------------------------------------------------------------ */

/* Bytes of address by type; 0 for the reserved one. */
static const uint8_t address_bytes[] = { 2, 2, 3, 4, 0, 2, 3, 4, 3, 2 };

static char
type_of(const struct records *r)
{
	return (char)r->l->data[r->record + 1];
}

/* The type; the count has the address and the checksum at least. */
static int
check_type(struct records *r)
{
	char type;

	if (r->l->size - r->record < 2)
		return cut_record(r);
	type = type_of(r);
	if (type < '0' || type > '9' || type == '4')
		return refuse_record(r, r->record + 1,
				     "record type 0x%02X, expected '0' to '9' without '4'",
				     (uint8_t)type);
	return address_bytes[type - '0'] + 1;
}

static int
take_count(struct records *r, uint32_t count)
{
	const uint32_t *data_records = r->ctx;

	if (count == *data_records)
		return 0;
	return refuse_record(r, r->record, "counts %" PRIu32 " data records, found %" PRIu32, count,
			     *data_records);
}

static int
take_s_data(struct records *r, uint32_t addr, const uint8_t *data, uint32_t size)
{
	struct fw_piece piece = { .offset = r->record, .addr = addr, .size = size };
	uint32_t *data_records = r->ctx;

	++*data_records;
	return fw_pieces_add(&r->pieces, r->l, &piece, data);
}

static int
take_s_record(struct records *r)
{
	unsigned width = address_bytes[type_of(r) - '0'];
	const uint8_t *data = r->bytes + 1 + width;
	uint32_t size = r->bytes[0] - width - 1U, addr = 0;

	for (unsigned i = 0; i < width; i++)
		addr = addr << 8 | r->bytes[1 + i];
	switch (type_of(r)) {
	case '0':
		fw_clean_text(r->l->facts->header, sizeof(r->l->facts->header), data, size);
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
	default: /* S1, S2, S3: check_type() lets nothing else through */
		return take_s_data(r, addr, data, size);
	}
}

int
fw_load_srec(struct fw_loading *l)
{
	static const struct record_format format = { .mark = 'S',
						     .head = 2,
						     .beside = 1,
						     .sum = 0xFF,
						     .end = "S7, S8 or S9",
						     .check_head = check_type,
						     .take = take_s_record };
	uint32_t data_records = 0;

	return load_records(l, &format, &data_records);
}
