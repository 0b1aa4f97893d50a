/* SPDX-License-Identifier: MIT */
/* Facts read from an image's bytes, and look-alikes that are ignored (doc/firmware.md 2-4, 6). */
#include "config.h"

#include "fw_help.h"

#include "core/platform.h"
#include "firmware/content.h"

#define ADDR 0x08004000U

/* A page of nothing in which tests place things. */
struct page {
	uint8_t bytes[4096];
};

static struct page
blank_page(void)
{
	struct page p;

	memset(p.bytes, 0xC3, sizeof(p.bytes));
	return p;
}

static struct content
read_page(const struct page *p)
{
	struct content c;

	content_read_bytes(p->bytes, sizeof(p->bytes), ADDR, &c);
	return c;
}

#define PLACE(page, offset, text) memcpy((page).bytes + (offset), text, sizeof(text))

TEST(tag_and_revision_side_by_side_are_read)
{
	struct page p = blank_page();
	struct content c;

	PLACE(p, 1001,
	      "2025.12\0"
	      "0123456789ab");
	c = read_page(&p);
	assert_string_equal(c.version, "2025.12");
	assert_string_equal(c.revision, "0123456789ab");
	assert_int_equal(c.modified, CONTENT_UNKNOWN);
	PLACE(p, 2001,
	      "2025.12\0"
	      "0123456789ab"); /* the same again is no contradiction */
	assert_string_equal(read_page(&p).version, "2025.12");
	PLACE(p, 3001,
	      "2026.04\0"
	      "0123456789ab"); /* another one is */
	c = read_page(&p);
	assert_string_equal(c.version, "");
	assert_string_equal(c.revision, "");
}

TEST(a_tag_right_behind_printable_bytes_is_read)
{
	struct page p = blank_page();

	PLACE(p, 1000,
	      "zz7:2024.10.2 +17\0"
	      "00aabbccddee");
	assert_string_equal(read_page(&p).version, "2024.10.2 +17");
}

TEST(tag_and_revision_apart_are_read_when_there_is_one_of_each)
{
	struct page p = blank_page();
	struct content c;

	PLACE(p, 1000,
	      "\0"
	      "0123456789ab");
	PLACE(p, 1016, "2025.12");
	c = read_page(&p);
	assert_string_equal(c.version, "2025.12");
	assert_string_equal(c.revision, "0123456789ab");
	PLACE(p, 2000,
	      "\0"
	      "ba9876543210");
	PLACE(p, 3000,
	      "\0"
	      "2022.01");
	c = read_page(&p);
	assert_string_equal(c.version, "");
	assert_string_equal(c.revision, "");
}

TEST(look_alikes_of_a_version_are_ignored)
{
	static const char *const texts[] = { "2025.1",	  "2025.123456x", "025.12",   "2025-12",
					     "20255.12x", "2025.12-rc",	  "2025.12+", "2025.12 + 3",
					     "NA",	  "v2025.12.x" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct page p = blank_page();

		memcpy(p.bytes + 1000, texts[i], strlen(texts[i]) + 1);
		assert_string_equal(read_page(&p).version, "");
	}
}

TEST(a_private_tag_counts_only_with_the_number_of_the_revision)
{
	struct page p = blank_page();

	PLACE(p, 1000,
	      "\0lab-3.1\0"
	      "0123456789ab");
	assert_string_equal(read_page(&p).version, "");
	put_le32(p.bytes + 2000, 0x01234567);
	assert_string_equal(read_page(&p).version, "lab-3.1");
	assert_string_equal(read_page(&p).revision, "0123456789ab");
}

TEST(the_modified_flag_needs_the_whole_revision_before_it)
{
	struct page p = blank_page();

	PLACE(p, 1001,
	      "2025.12\0"
	      "0123456789ab");
	put_le16(p.bytes + 2000, 0x89AB);
	put_le32(p.bytes + 2004, 0x01234567);
	p.bytes[2008] = 0;
	p.bytes[2009] = 1;
	assert_int_equal(read_page(&p).modified, CONTENT_YES);
	p.bytes[2009] = 0;
	assert_int_equal(read_page(&p).modified, CONTENT_NO);
	p.bytes[2008] = 1; /* production */
	assert_int_equal(read_page(&p).modified, CONTENT_NO);
	p.bytes[2009] = 2;
	assert_int_equal(read_page(&p).modified, CONTENT_UNKNOWN);
	p.bytes[2009] = 1;
	put_le16(p.bytes + 2000, 0x89AC);
	assert_int_equal(read_page(&p).modified, CONTENT_UNKNOWN);
}

/* A record of the table of devices, as doc/firmware.md 3 has it. */
static void
place_record(struct page *p, size_t at, const char *type, const char *name, bool old)
{
	uint8_t *r = p->bytes + at;
	size_t bytes = old ? 32 : 44;

	memset(r, 0, bytes);
	memcpy(r, type, 4);
	memcpy(r + 5, name, strlen(name));
	r[old ? 25 : 35] = 2;
	put_le32(r + bytes - 4, 0x20000100);
}

TEST(records_of_both_lengths_are_found)
{
	struct page p = blank_page();
	struct content c;

	place_record(&p, 1000, "CF21", "Flapper (CF 2.1)", false);
	place_record(&p, 1044, "CB11", "Flapper (Bolt 1.1)", false);
	place_record(&p, 2000, "RR10", "Roadrunner 1.0", true);
	c = read_page(&p);
	assert_int_equal(c.record_count, 3);
	assert_int_equal(c.platforms, BIT(PLATFORM_FLAPPER) | BIT(PLATFORM_TAG));
	assert_int_equal(c.records[1].addr, ADDR + 1044);
	assert_string_equal(c.records[2].name, "Roadrunner 1.0");
}

/* Each byte of a record that is not free: changed, it is no record any more. */
TEST(a_record_with_any_other_byte_wrong_is_none)
{
	static const struct {
		size_t at;
		uint8_t value;
	} wrong[] = { { 0, 'c' },   { 3, ' ' }, { 4, 'X' }, { 5, 0 },  { 18, 7 },
		      { 34, 'x' },  { 35, 16 }, { 36, 2 },  { 37, 1 }, { 39, 1 },
		      { 43, 0x30 }, { 43, 0 },	{ 20, 'x' } };

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct page p = blank_page();

		place_record(&p, 1000, "CF21", "Crazyflie 2.1", false);
		assert_int_equal(read_page(&p).record_count, 1);
		p.bytes[1000 + wrong[i].at] = wrong[i].value;
		assert_int_equal(read_page(&p).record_count, 0);
	}
}

TEST(a_name_has_at_least_four_characters)
{
	struct page p = blank_page();

	place_record(&p, 1000, "RR10", "Tags", false);
	assert_int_equal(read_page(&p).record_count, 1);
	place_record(&p, 1000, "RR10", "Tag", false);
	assert_int_equal(read_page(&p).record_count, 0);
}

/* doc/firmware.md 2: a chance hit away from a sector's start; nothing else speaks for that place.
 * */
TEST(a_chance_loop_does_not_make_a_base)
{
	struct page p = blank_page();
	struct content c;

	for (unsigned i = 0; i < 98; i++)
		put_le32(p.bytes + 4 * i, ADDR + 0xC01);
	put_le16(p.bytes + 0x400, 0xE7FE); /* as if linked 2 KiB further up: not a sector */
	c = read_page(&p);
	assert_int_equal(c.default_count, 97);
	assert_int_equal(c.base, CONTENT_BASE_UNDECIDED);
	put_le16(p.bytes + 0xC00, 0xE7FE);
	assert_int_equal(read_page(&p).base, CONTENT_BASE_RIGHT);
}

TEST(an_override_restricts_the_platforms_that_it_agrees_with)
{
	const unsigned both = BIT(PLATFORM_CF2) | BIT(PLATFORM_BOLT);

	assert_int_equal(content_narrow(both, PLATFORM_UNKNOWN, PLATFORM_UNKNOWN), both);
	assert_int_equal(content_narrow(both, PLATFORM_BOLT, PLATFORM_UNKNOWN), BIT(PLATFORM_BOLT));
	assert_int_equal(content_narrow(both, PLATFORM_UNKNOWN, PLATFORM_CF2), BIT(PLATFORM_CF2));
	assert_int_equal(content_narrow(both, PLATFORM_BOLT, PLATFORM_CF2), BIT(PLATFORM_BOLT));
	assert_int_equal(content_narrow(both, PLATFORM_TAG, PLATFORM_UNKNOWN), both);
	assert_int_equal(content_narrow(0, PLATFORM_TAG, PLATFORM_UNKNOWN), BIT(PLATFORM_TAG));
	assert_int_equal(content_narrow(0, PLATFORM_UNKNOWN, PLATFORM_UNKNOWN), 0);
}

TEST(a_record_that_is_not_aligned_or_has_no_room_is_none)
{
	struct page p = blank_page();
	struct content c;

	place_record(&p, 1002, "CF21", "Crazyflie 2.1", false);
	assert_int_equal(read_page(&p).record_count, 0);
	p = blank_page();
	place_record(&p, sizeof(p.bytes) - 44, "CF21", "Crazyflie 2.1", false);
	assert_int_equal(read_page(&p).record_count, 1);
	content_read_bytes(p.bytes, sizeof(p.bytes) - 1, ADDR, &c);
	assert_int_equal(c.record_count, 0);
}

TEST(no_more_records_are_kept_than_there_is_room_for)
{
	struct page p = blank_page();

	for (size_t i = 0; i < 40; i++)
		place_record(&p, 1000 + 44 * i, "RR10", "Roadrunner 1.0", false);
	assert_int_equal(read_page(&p).record_count, CONTENT_RECORDS_MAX);
}

/* Pieces in any order, with a gap, beginning before the flash and in other memories. */
TEST(pieces_are_read_as_one)
{
	const struct mkimage_spec spec = { .size = 16384 };
	struct content whole, pieces;
	uint8_t *bytes;
	size_t size;

	assert_int_equal(mkimage_build(&spec, &bytes, &size), 0);
	content_read_bytes(bytes, size, ADDR, &whole);
	{
		const struct segment s[] = {
			{ .addr = ADDR + 8192, .size = 8192, .data = bytes + 8192 },
			{ .alt = 1, .addr = ADDR - 4, .size = 4, .data = bytes },
			{ .addr = 0x1FFFC000, .size = 4, .data = bytes },
			{ .addr = ADDR, .size = 5000, .data = bytes },
			{ .addr = ADDR + 5000, .size = 3192, .data = bytes + 5000 },
		};

		assert_int_equal(content_read(s, ARRAY_LEN(s), &pieces), 0);
		assert_memory_equal(&pieces, &whole, sizeof(whole));
		assert_int_equal(content_read(s + 1, 2, &pieces), 0);
		assert_int_equal(pieces.size, 0);
		assert_false(pieces.vectors);
	}
	free(bytes);
}

TEST(a_piece_that_reaches_out_of_the_flash_is_read_as_far_as_it_lies_within)
{
	static uint8_t bytes[64];
	const struct segment before = { .addr = 0x07FFFFF0, .size = 64, .data = bytes };
	const struct segment behind = { .addr = 0x080FFFF0, .size = 64, .data = bytes };
	struct content c;

	put_le32(bytes + 16, 0x11223344);
	assert_int_equal(content_read(&before, 1, &c), 0);
	assert_int_equal(c.addr, 0x08000000);
	assert_int_equal(c.size, 48);
	assert_int_equal(c.initial_sp, 0x11223344);
	assert_int_equal(content_read(&behind, 1, &c), 0);
	assert_int_equal(c.addr, 0x080FFFF0);
	assert_int_equal(c.size, 16);
}

TEST(no_length_is_too_short_to_be_read)
{
	const struct mkimage_spec spec = { .size = 8192 };
	struct content c;
	uint8_t *bytes, *copy;
	size_t size;

	assert_int_equal(mkimage_build(&spec, &bytes, &size), 0);
	for (size_t n = 0; n < 600; n++) {
		copy = malloc(n > 0 ? n : 1); /* of exactly this length: ASan sees one byte more */
		assert_non_null(copy);
		memcpy(copy, bytes, n);
		content_read_bytes(copy, n, ADDR, &c);
		assert_int_equal(c.vectors, n >= 8);
		content_read_bytes(copy, n, 0xFFFFFFF0, &c);
		free(copy);
	}
	free(bytes);
}

/* Found by fuzzing: at address 0 the last vector there can be had an offset that wrapped. */
TEST(no_handler_leads_out_of_the_image)
{
	static const uint32_t addrs[] = { 0, 1, 0x08004000, 0x08004001, 0xFFFFF000 };
	struct page p = blank_page();
	struct content c;

	for (size_t i = 0; i < ARRAY_LEN(addrs); i++)
		for (uint32_t handler = addrs[i] - 5; handler != addrs[i] + 5; handler++) {
			for (unsigned k = 0; k < 98; k++)
				put_le32(p.bytes + 4 * k, handler);
			content_read_bytes(p.bytes, sizeof(p.bytes), addrs[i], &c);
			assert_int_not_equal(c.base, CONTENT_BASE_RIGHT);
		}
}

/* A megabyte of what costs most to look into: it ends, soon. */
TEST(hostile_bytes_are_read_in_reasonable_time)
{
	const size_t size = 0x100000;
	uint8_t *bytes = malloc(size);
	struct content c;

	assert_non_null(bytes);
	for (size_t i = 0; i < size; i += 16)
		memcpy(bytes + i,
		       "\0a\0"
		       "0123456789ab\0",
		       16); /* own tags by the thousand */
	content_read_bytes(bytes, size, 0x08000000, &c);
	assert_string_equal(c.version, "");
	for (size_t i = 0; i < size; i += 4)
		memcpy(bytes + i, "2.0", 4); /* what ends like tags */
	put_le32(bytes + size - 4,
		 0xAAAAAAAA); /* and pointers that have to be tried at every base */
	put_le32(bytes + size - 12, 0x08080000);
	put_le32(bytes + size - 16, 0x08080000);
	content_read_bytes(bytes, size, 0x08000000, &c);
	assert_int_equal(c.trailer, CONTENT_NO);
	memset(bytes, 'C', size);
	content_read_bytes(bytes, size, 0x08000000, &c);
	free(bytes);
}

TEST(loader_tables_have_to_stand_together)
{
	const struct mkimage_spec spec = { .loader = true };
	struct content c;
	uint8_t *bytes;
	size_t size;

	assert_int_equal(mkimage_build(&spec, &bytes, &size), 0);
	content_read_bytes(bytes, size, 0x08000000, &c);
	assert_true(c.loader);
	assert_int_equal(c.base, CONTENT_BASE_RIGHT);
	assert_int_equal(c.record_count, 0);
	assert_string_equal(c.version, "");
	bytes[0x1C00] ^= 1;
	content_read_bytes(bytes, size, 0x08000000, &c);
	assert_false(c.loader);
	bytes[0x1C00] ^= 1;
	bytes[0x1C0C + 46] ^= 1;
	content_read_bytes(bytes, size, 0x08000000, &c);
	assert_false(c.loader);
	free(bytes);
}

TEST_MAIN(NULL)
