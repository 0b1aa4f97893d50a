/* SPDX-License-Identifier: MIT */
/* Intel HEX (Intel, "Hexadecimal Object File Format Specification", rev. A; doc/protocol.md 7) ->
 * pieces. */
#include "config.h"

#include "firmware/fw_records.h"

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
take_data(struct fw_records *r)
{
	const struct base *base = r->ctx;
	uint32_t n = r->bytes[0], offset = (uint32_t)r->bytes[1] << 8 | r->bytes[2];
	struct fw_piece piece = { .addr = base->addr + offset, .size = n, .offset = r->record };

	if (base->segmented && offset + n > 0x10000)
		return fw_records_refuse(r, r->record,
					 "data runs over the end of its 64 KiB segment");
	return fw_pieces_add(&r->pieces, r->l, &piece, r->bytes + 4);
}

static int
want_count(struct fw_records *r, unsigned count, const char *words)
{
	if (r->bytes[0] == count)
		return 0;
	return fw_records_refuse(r, r->record + 1,
				 "a record of type %02X (%s) has %u data bytes, found %u",
				 r->bytes[3], words, count, r->bytes[0]);
}

static int
take_base(struct fw_records *r, unsigned shift)
{
	struct base *base = r->ctx;
	int e = want_count(r, 2, shift == 16 ? "linear base" : "segment base");

	base->addr = ((uint32_t)r->bytes[4] << 8 | r->bytes[5]) << shift;
	base->segmented = shift != 16;
	return e;
}

static int
take_start(struct fw_records *r)
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
take_record(struct fw_records *r)
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
		return fw_records_refuse(r, r->record + 7, "record type %02X, expected 00 to 05",
					 r->bytes[3]);
	}
}

int
fw_load_ihex(struct fw_loading *l)
{
	/* Address, type and checksum are not counted. */
	static const struct fw_record_format format = {
		.mark = ':', .head = 1, .beside = 5, .end = "type 01", .take = take_record
	};
	struct base base = { 0 };

	return fw_records_load(l, &format, &base);
}
