/* SPDX-License-Identifier: MIT */
/*
 * The end of an image by its own words.
 *
 * A build of Bitcraze's sources ends with the initial values of its variables (sections_FLASH.ld:
 * .data, then .ccmdata, both ">... AT> FLASH", nothing behind them), and the code that runs after a
 * reset (startup_stm32f40xx.S, the same from 2021.06 to 2026.08) copies them by addresses that
 * stand right behind it: so the image itself says where it ends.  Read in the published sources and
 * in what GNU binutils makes of them, and true to the byte of twelve files of other people's builds
 * from 2020 to 2025.  The end mark (doc/firmware.md 4) is a second witness, which some builds do
 * not have.
 */
#include "config.h"

#include "firmware/content_end.h"

#include "firmware/content_text.h"

#define START_BYTES_MAX 0x100U /* LIMIT: 0x80 in every build seen */
#define START_WORDS 8	       /* those of ten that say where initial values lie, and where to */
#define MARK_SLACK 16U	       /* the mark stands at the end of the values, or close behind it */
#define BLOCK_BYTES 2048U
#define VECTOR_BYTES 392U
#define CODE_BYTES_MAX 512U /* the code begins before this */
#define ALIGN_MAX 16U	    /* of a section, but the code's: a lost record is as long, or longer */

static bool
is_within(uint32_t addr, uint32_t first, uint32_t bytes)
{
	return addr >= first && addr - first <= bytes;
}

static bool
is_ram(uint32_t addr)
{
	return is_within(addr, 0x20000000U, 0x20000U);
}

static bool
is_ccm(uint32_t addr)
{
	return is_within(addr, 0x10000000U, 0x10000U);
}

/*
 * _sidata, _sdata, _edata, _sbss, _ebss, and since 2021 _siccmdata, _sccmdata, _eccmdata at p: the
 * address behind the last initial value; 0 when p holds something else.
 */
static uint32_t
end_of_values(const uint8_t *p, uint32_t first)
{
	uint32_t w[START_WORDS], end, ccm_end;
	uint32_t room = 0x08100000U - first;

	for (unsigned i = 0; i < START_WORDS; i++)
		w[i] = get_le32(p + 4 * i);
	if (!is_within(w[0], first, room))
		return 0;
	for (unsigned i = 1; i <= 4; i++)
		if (!is_ram(w[i]) || (i > 1 && w[i] < w[i - 1]))
			return 0;
	end = w[0] + (w[2] - w[1]);
	if (!is_within(w[5], first, room) || !is_ccm(w[6]) || !is_ccm(w[7]) || w[7] < w[6])
		return end;
	ccm_end = w[5] + (w[7] - w[6]);
	return ccm_end > end ? ccm_end : end;
}

static uint32_t
find_data_end(const uint8_t *data, size_t size, const struct content *c)
{
	uint32_t at = (c->reset & ~1U) - c->addr;

	if (!c->vectors || c->reset < c->addr || at % 4 != 0 || at >= size)
		return 0;
	for (uint32_t i = 0; i < START_BYTES_MAX && size - at >= 4U * START_WORDS + i; i += 4) {
		uint32_t end = end_of_values(data + at + i, c->addr);

		if (end != 0)
			return end;
	}
	return 0;
}

/* How many bytes before end have one value, 0x00 or 0xFF. */
static uint32_t
count_blank(const uint8_t *data, size_t end)
{
	size_t n = 0;

	if (end == 0 || (data[end - 1] != 0x00 && data[end - 1] != 0xFF))
		return 0;
	while (n < end && data[end - 1 - n] == data[end - 1])
		n++;
	return (uint32_t)n;
}

/*
 * Zeros that whole images without a mark were seen to end with: the C library's locale, and its
 * state with the seed of its random numbers.  Exactly so many of them.
 */
static bool
is_library_tail(const uint8_t *data, size_t end, uint32_t zeros)
{
	static const struct {
		uint32_t zeros, bytes;
		const char *before;
	} tails[] = {
		{ 29, 5, "ASCII" },
		{ 339, 13, "\x0E\x33\xCD\xAB\x34\x12\x6D\xE6\xEC\xDE\x05\x00\x0B" },
	};

	for (size_t i = 0; i < ARRAY_LEN(tails); i++)
		if (zeros == tails[i].zeros && end >= zeros + tails[i].bytes &&
		    data[end - 1] == 0x00 &&
		    memcmp(data + end - zeros - tails[i].bytes, tails[i].before, tails[i].bytes) ==
			0)
			return true;
	return false;
}

/* The mark at the end of the values, or of the file, or before what pads the file. */
static uint32_t
find_mark(const uint8_t *data, size_t size, const struct content *c)
{
	uint32_t padding = count_blank(data, size);
	size_t last = size - padding;

	if (c->end.data > c->addr && c->end.data - c->addr <= size) {
		size_t end = c->end.data - c->addr;

		for (size_t at = end; at <= size && at <= end + MARK_SLACK; at += 4)
			if (content_trailer_fits(data, at, c->addr))
				return c->addr + (uint32_t)at;
	}
	return content_trailer_fits(data, last, c->addr) ? c->addr + (uint32_t)last : 0;
}

/* doc/firmware.md 1: no 2 KiB block of any build is all 0x00 or all 0xFF. */
static uint32_t
find_hole(const uint8_t *data, size_t end, const struct content *c)
{
	for (size_t at = 0; at + BLOCK_BYTES <= end; at += BLOCK_BYTES)
		if (count_blank(data + at, BLOCK_BYTES) == BLOCK_BYTES)
			return c->addr + (uint32_t)at;
	return 0;
}

/* Where the image ends by its own words; where the last piece does when it has none. */
static uint32_t
find_last(const struct content *c, size_t size)
{
	if (c->end.mark != 0)
		return c->end.mark;
	if (c->end.data > c->addr && c->end.data - c->addr < size)
		return c->end.data;
	return c->addr + (uint32_t)size;
}

void
content_find_end(const uint8_t *data, size_t size, struct content *c)
{
	size_t end;

	c->end.data = find_data_end(data, size, c);
	c->end.mark = find_mark(data, size, c);
	end = find_last(c, size) - c->addr;
	c->end.blank_bytes = count_blank(data, end);
	if (is_library_tail(data, end, c->end.blank_bytes))
		c->end.blank_bytes = 0;
	c->end.hole_addr = find_hole(data, end, c);
}

/*
 * Is it what a linker leaves so that the next section begins at a multiple of 2, 4, 8...?  The code
 * begins at one of 64 in builds seen, 56 bytes behind the vectors.
 */
static bool
is_alignment(const struct content *c, uint32_t from, uint32_t to)
{
	bool before_code = from - c->addr == VECTOR_BYTES && to - c->addr <= CODE_BYTES_MAX;
	uint32_t align = 2;

	while (align <= to - from)
		align *= 2;
	return to % align == 0 && (align <= ALIGN_MAX || before_code);
}

void
content_find_gap(const struct segment *pieces, size_t count, struct content *c)
{
	uint32_t end = find_last(c, c->size);

	for (size_t i = 0; i < count; i++) {
		uint64_t from = (uint64_t)pieces[i].addr + pieces[i].size;
		uint32_t to = end;

		if (pieces[i].alt != 0 || from <= c->addr || from >= end)
			continue;
		for (size_t k = 0; k < count; k++)
			if (pieces[k].alt == 0 && pieces[k].addr >= from && pieces[k].addr < to)
				to = pieces[k].addr;
		if (to == from || is_alignment(c, (uint32_t)from, to) ||
		    (c->end.gap_addr != 0 && c->end.gap_addr < from))
			continue;
		c->end.gap_addr = (uint32_t)from;
		c->end.gap_bytes = to - c->end.gap_addr;
	}
}
