/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "sim/bitstream.h"

#include <string.h>

#include "cfdfu/util.h"
#include "sim/rng.h"

static const uint32_t *
crc_table(void)
{
	static uint32_t table[256];

	if (table[1] != 0)
		return table;
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (unsigned bit = 0; bit < 8; bit++)
			c = c & 1 ? c >> 1 ^ 0xEDB88320U : c >> 1;
		table[i] = c;
	}
	return table;
}

static uint32_t
go_on(uint32_t c, const uint8_t *data, size_t n)
{
	const uint32_t *table = crc_table();

	for (size_t i = 0; i < n; i++)
		c = table[(c ^ data[i]) & 0xFF] ^ c >> 8;
	return c;
}

uint32_t
bitstream_crc(const uint8_t *data, size_t length)
{
	return ~go_on(0xFFFFFFFFU, data, length);
}

/* Its last four bytes are those that lead from what is before them to the CRC that is wanted. */
void
bitstream_make(uint32_t crc, uint8_t *to, size_t length)
{
	static const uint8_t version[4] = { 0xFF, 0x00, '6', 0x00 };
	const uint32_t *table = crc_table();
	uint32_t want = ~crc;
	struct rng noise;

	rng_init(&noise, crc);
	for (size_t i = 0; i < length; i++)
		to[i] = (uint8_t)rng_next(&noise);
	if (length >= 2 * sizeof(version))
		memcpy(to, version, sizeof(version));
	for (unsigned i = 0; i < 4; i++) {
		uint32_t top = 0;

		while (table[top] >> 24 != want >> 24)
			top++;
		want = (want ^ table[top]) << 8 | top;
	}
	put_le32(to + length - 4, want ^ go_on(0xFFFFFFFFU, to, length - 4));
}
