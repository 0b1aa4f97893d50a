/* SPDX-License-Identifier: MIT */
/* Motorola S-records ("M68000 Family Programmer's Reference Manual", appendix C; doc/protocol.md 7)
 * -> pieces. */
#include "config.h"

#include "firmware/fw_records.h"

#include <inttypes.h>

/* Bytes of address by type; 0 for the reserved one. */
static const uint8_t address_bytes[] = { 2, 2, 3, 4, 0, 2, 3, 4, 3, 2 };

static char
type_of(const struct fw_records *r)
{
	return (char)r->l->data[r->record + 1];
}

/* The type; the count has the address and the checksum at least. */
static int
check_type(struct fw_records *r)
{
	char type;

	if (r->l->size - r->record < 2)
		return fw_records_cut(r);
	type = type_of(r);
	if (type < '0' || type > '9' || type == '4')
		return fw_records_refuse(r, r->record + 1,
					 "record type 0x%02X, expected '0' to '9' without '4'",
					 (uint8_t)type);
	return address_bytes[type - '0'] + 1;
}

static int
take_count(struct fw_records *r, uint32_t count)
{
	const uint32_t *data_records = r->ctx;

	if (count == *data_records)
		return 0;
	return fw_records_refuse(r, r->record, "counts %" PRIu32 " data records, found %" PRIu32,
				 count, *data_records);
}

static int
take_data(struct fw_records *r, uint32_t addr, const uint8_t *data, uint32_t size)
{
	struct fw_piece piece = { .offset = r->record, .addr = addr, .size = size };
	uint32_t *data_records = r->ctx;

	++*data_records;
	return fw_pieces_add(&r->pieces, r->l, &piece, data);
}

static int
take_record(struct fw_records *r)
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
		return take_data(r, addr, data, size);
	}
}

int
fw_load_srec(struct fw_loading *l)
{
	static const struct fw_record_format format = { .mark = 'S',
							.head = 2,
							.beside = 1,
							.sum = 0xFF,
							.end = "S7, S8 or S9",
							.check_head = check_type,
							.take = take_record };
	uint32_t data_records = 0;

	return fw_records_load(l, &format, &data_records);
}
