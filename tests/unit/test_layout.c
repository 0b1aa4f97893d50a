/* SPDX-License-Identifier: MIT */
/* Unit tests of core/layout: the strings of real devices (doc/protocol.md 8), hostile ones,
 * arithmetic. */
#include "config.h"

#include "cfdfu/device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#define F405_TEXT "@Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg"
#define R LAYOUT_READABLE
#define E LAYOUT_ERASABLE
#define W LAYOUT_WRITABLE

/* Parses a copy of exactly this size, so that the sanitizer sees a read behind its end. */
static int
parse(const char *text, size_t length, struct layout *ret_layout, const char **ret_why,
      size_t *ret_at)
{
	char *copy = malloc(length > 0 ? length : 1);
	int r;

	assert_non_null(copy);
	memcpy(copy, text, length);
	r = layout_parse(copy, length, ret_layout, ret_why, ret_at);
	free(copy);
	return r;
}

static struct layout
parsed(const char *text)
{
	struct layout l;

	assert_int_equal(parse(text, strlen(text), &l, NULL, NULL), 0);
	return l;
}

static void
assert_run(const struct layout *l, size_t i, struct layout_run expected)
{
	assert_true(i < l->run_count);
	assert_int_equal(l->runs[i].addr, expected.addr);
	assert_int_equal(l->runs[i].count, expected.count);
	assert_int_equal(l->runs[i].sector_bytes, expected.sector_bytes);
	assert_int_equal(l->runs[i].access, expected.access);
}

TEST(the_four_strings_of_the_f405_rom_are_read)
{
	struct layout l = parsed(F405_TEXT);

	assert_string_equal(l.name, "Internal Flash");
	assert_int_equal(l.run_count, 3);
	assert_run(&l, 0, (struct layout_run){ 0x08000000, 4, 16 * 1024, R | E | W });
	assert_run(&l, 1, (struct layout_run){ 0x08010000, 1, 64 * 1024, R | E | W });
	assert_run(&l, 2, (struct layout_run){ 0x08020000, 7, 128 * 1024, R | E | W });
	assert_true(layout_same(&l, &device_crazyflie()->map[0]));

	l = parsed("@Option Bytes  /0x1FFFC000/01*016 e");
	assert_string_equal(l.name, "Option Bytes");
	assert_int_equal(l.run_count, 1);
	assert_run(&l, 0, (struct layout_run){ 0x1FFFC000, 1, 16, R | W });

	l = parsed("@OTP Memory /0x1FFF7800/01*512 e,01*016 e");
	assert_string_equal(l.name, "OTP Memory");
	assert_run(&l, 0, (struct layout_run){ 0x1FFF7800, 1, 512, R | W });
	assert_run(&l, 1, (struct layout_run){ 0x1FFF7A00, 1, 16, R | W });

	l = parsed("@Device Feature/0xFFFF0000/01*004 e");
	assert_string_equal(l.name, "Device Feature");
	assert_run(&l, 0, (struct layout_run){ 0xFFFF0000, 1, 4, R | W });
}

TEST(wild_strings_of_other_devices_are_read)
{
	static const struct {
		const char *text;
		size_t run_count;
		struct layout_run last;
	} wild[] = {
		{ "@Option byte   /0x1FFFC000/01*4096 g", 1, { 0x1FFFC000, 1, 4096, R | E | W } },
		{ "@Option Bytes   /0x1FFF7800/01*048 e/0x1FFFF800/01*048 e",
		  2,
		  { 0x1FFFF800, 1, 48, R | W } },
		{ "@Option Bytes  /0x1FFFC000/01*016e", 1, { 0x1FFFC000, 1, 16, R | W } },
		{ "@Internal Flash  /0x08000000/03*016Ka,01*016Kg,01*064Kg,07*128Kg",
		  4,
		  { 0x08020000, 7, 128 * 1024, R | E | W } },
		{ "@Internal Flash  /0x08000000/06*002Ka,250*002Kg",
		  2,
		  { 0x08003000, 250, 2048, R | E | W } },
		{ "@Internal Flash  /0x08000000/12*001Ka,116*001Kg",
		  2,
		  { 0x08003000, 116, 1024, R | E | W } },
		{ "@SPI Flash : M25P64/0x00000000/128*64Kg", 1, { 0, 128, 65536, R | E | W } },
		{ "@NOR Flash : M29W128F/0x64000000/0256*64Kg",
		  1,
		  { 0x64000000, 256, 65536, R | E | W } },
		{ "@Flash/0x0/0256*0002Kg", 1, { 0, 256, 2048, R | E | W } },
		{ "@Flash/0x00000000/1024*2Kg", 1, { 0, 1024, 2048, R | E | W } },
		{ "@Odd pages/0x1000/3*384Bd", 1, { 0x1000, 3, 384, W } },
		{ "@Big/0x90000000/2*4Mf", 1, { 0x90000000, 2, 4U << 20, E | W } },
		{ "Internal Flash/0X08000000/04*016Kg", 1, { 0x08000000, 4, 16384, R | E | W } },
		{ "@Internal Flash/0x08000000/04*016Kg   ",
		  1,
		  { 0x08000000, 4, 16384, R | E | W } },
		{ "@Internal Flash/0x08000000/02*016Kg, 02*016Kb", 2, { 0x08008000, 2, 16384, E } },
		{ "@Device Feature/0xFFFF0000/01*004 ", 1, { 0xFFFF0000, 1, 4, R | W } },
		{ "@Device Feature/0xFFFF0000/01*004 a", 1, { 0xFFFF0000, 1, 4, R | W } },
		{ "@/0xfffffffe/1*2a", 1, { 0xFFFFFFFE, 1, 2, R } },
	};

	for (size_t i = 0; i < ARRAY_LEN(wild); i++) {
		struct layout l = parsed(wild[i].text);

		assert_int_equal(l.run_count, wild[i].run_count);
		assert_run(&l, l.run_count - 1, wild[i].last);
	}
}

TEST(each_access_letter_means_its_low_three_bits)
{
	char text[] = "@X/0x0/1*1Ka";

	for (char c = 'a'; c <= 'g'; c++) {
		struct layout l;

		text[sizeof(text) - 2] = c;
		l = parsed(text);
		assert_int_equal(l.runs[0].access, c - 'a' + 1);
	}
}

TEST(bytes_after_a_nul_are_not_text)
{
	static const char text[] = F405_TEXT "\0\0,99*999Mg\xFF";
	struct layout l;

	assert_int_equal(parse(text, sizeof(text), &l, NULL, NULL), 0);
	assert_true(layout_same(&l, &device_crazyflie()->map[0]));
	assert_int_equal(parse("\0" F405_TEXT, 10, &l, NULL, NULL), -EINVAL);
}

TEST(names_are_trimmed_cut_and_printable)
{
	struct layout l = parsed("@  \x1b[2J\xC3\xA9 ok  /0x0/1*1Kg");

	assert_string_equal(l.name, "?[2J?? ok");
	l = parsed("@0123456789012345678901234567890123456789012345678901234567890123/0x0/1*1Kg");
	assert_int_equal(strlen(l.name), LAYOUT_NAME_MAX - 1);
	l = parsed("@   /0x0/1*1Kg");
	assert_string_equal(l.name, "");
}

TEST(each_syntax_error_is_refused_with_its_position)
{
	static const struct {
		const char *text, *why;
		size_t at;
	} bad[] = {
		{ "", "before an address", 0 },
		{ "    ", "before an address", 0 },
		{ "@Internal Flash", "before an address", 15 },
		{ "@X/", "begin with 0x", 3 },
		{ "@X/08000000/1*1Kg", "begin with 0x", 4 },
		{ "@X/x8000000/1*1Kg", "begin with 0x", 3 },
		{ "@X/0xG/1*1Kg", "number is missing", 5 },
		{ "@X/0x100000000/1*1Kg", "32 bits", 13 },
		{ "@X/0x08000000", "after the address", 13 },
		{ "@X/0x08000000 /1*1Kg", "after the address", 13 },
		{ "@X/0x0/", "number is missing", 7 },
		{ "@X/0x0/-1*1Kg", "number is missing", 7 },
		{ "@X/0x0/1", "'*' is missing", 8 },
		{ "@X/0x0/1x1Kg", "'*' is missing", 8 },
		{ "@X/0x0/1*", "number is missing", 9 },
		{ "@X/0x0/1*Kg", "number is missing", 9 },
		{ "@X/0x0/1*-1Kg", "number is missing", 9 },
		{ "@X/0x0/4294967296*1Kg", "32 bits", 16 },
		{ "@X/0x0/1*99999999999999999999g", "32 bits", 18 },
		{ "@X/0x0/1*1K", "access letter", 11 },
		{ "@X/0x0/1*016 ", "access letter", 12 },
		{ "@X/0x0/1*1Kh", "access letter", 11 },
		{ "@X/0x0/1*1KG", "access letter", 11 },
		{ "@X/0x0/1*1kg", "access letter", 10 },
		{ "@X/0x0/1*1K`", "access letter", 11 },
		{ "@X/0x0/0*1Kg", "no sectors", 7 },
		{ "@X/0x0/1*0Kg", "no bytes", 7 },
		{ "@X/0x0/65537*1g", "more sectors", 7 },
		{ "@X/0x0/65536*1g,1*1g", "more sectors", 16 },
		{ "@X/0x0/65536*65537g", "beyond the end", 7 },
		{ "@X/0x0/1*4294967295Kg", "beyond the end", 7 },
		{ "@X/0xFFFFFFFF/1*2g", "beyond the end", 14 },
		{ "@X/0xFFFF0000/1*64Kg,1*1g", "beyond the end", 21 },
		{ "@X/0x1000/2*1Kg/0x1400/1*1Kg", "overlap or descend", 16 },
		{ "@X/0x1000/2*1Kg/0x0800/1*1Kg", "overlap or descend", 16 },
		{ "@X/0x0/1*1Kg,", "number is missing", 13 },
		{ "@X/0x0/1*1Kg;", "before an address", 12 },
		{ "@X/0x0/1*1Kgg", "before an address", 12 },
		{ "@X/0x0/1*1Kg/", "begin with 0x", 13 },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct layout l = { .run_count = 77 };
		const char *why = NULL;
		size_t at = 9999;

		assert_int_equal(parse(bad[i].text, strlen(bad[i].text), &l, &why, &at), -EINVAL);
		if (strstr(why, bad[i].why) == NULL || at != bad[i].at)
			fail_msg("\"%s\": %s at %zu", bad[i].text, why, at);
		assert_int_equal(l.run_count, 77);
	}
}

TEST(the_most_runs_are_taken_and_one_more_is_refused)
{
	char text[LAYOUT_TEXT_MAX] = "@X/0x0/1*1g";
	const char *why;
	struct layout l;

	for (size_t i = 1; i < LAYOUT_RUNS_MAX; i++)
		strcat(text, ",1*1g");
	l = parsed(text);
	assert_int_equal(l.run_count, LAYOUT_RUNS_MAX);
	strcat(text, ",1*1g");
	assert_int_equal(parse(text, strlen(text), &l, &why, NULL), -EINVAL);
	assert_non_null(strstr(why, "more runs"));
}

TEST(the_longest_text_is_taken_and_one_more_is_refused)
{
	char text[LAYOUT_TEXT_MAX + 1];
	struct layout l;
	size_t at;

	memset(text, ' ', sizeof(text));
	memcpy(text, F405_TEXT, sizeof(F405_TEXT) - 1);
	assert_int_equal(parse(text, LAYOUT_TEXT_MAX, &l, NULL, NULL), 0);
	assert_int_equal(parse(text, LAYOUT_TEXT_MAX + 1, &l, NULL, &at), -EINVAL);
	assert_int_equal(at, LAYOUT_TEXT_MAX);
}

/* Asserts the invariants of an accepted layout. */
static void
assert_sound(const struct layout *l)
{
	uint64_t end = 0, sectors = 0;

	assert_in_range(l->run_count, 1, LAYOUT_RUNS_MAX);
	for (size_t i = 0; i < l->run_count; i++) {
		const struct layout_run *run = &l->runs[i];

		assert_true(run->addr >= end);
		assert_true(run->count > 0 && run->sector_bytes > 0);
		assert_in_range(run->access, 1, 7);
		end = run->addr + (uint64_t)run->count * run->sector_bytes;
		assert_true(end <= (uint64_t)1 << 32);
		sectors += run->count;
	}
	assert_true(sectors <= LAYOUT_SECTORS_MAX);
}

TEST(every_damage_to_one_byte_is_refused_or_sound)
{
	char text[] = F405_TEXT;
	struct layout l;

	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		char good = text[i];

		for (int c = 0; c < 256; c++) {
			text[i] = (char)c;
			if (parse(text, sizeof(text) - 1, &l, NULL, NULL) == 0)
				assert_sound(&l);
		}
		text[i] = good;
	}
}

TEST(every_truncation_is_refused_or_sound)
{
	struct layout l;
	size_t whole = 0;

	for (size_t length = 0; length < sizeof(F405_TEXT); length++)
		if (parse(F405_TEXT, length, &l, NULL, NULL) == 0) {
			assert_sound(&l);
			whole++;
		}
	assert_int_equal(whole, 3); /* after each run */
}

TEST(the_f405_has_its_twelve_sectors)
{
	static const uint32_t starts[] = {
		0x08000000, 0x08004000, 0x08008000, 0x0800C000, 0x08010000, 0x08020000, 0x08040000,
		0x08060000, 0x08080000, 0x080A0000, 0x080C0000, 0x080E0000, 0x08100000,
	};
	const struct layout *l = &device_crazyflie()->map[0];
	struct sector s, next;

	assert_false(layout_sector_at(l, 0x07FFFFFF, &s));
	for (uint32_t i = 0; i < 12; i++) {
		assert_true(layout_sector_at(l, starts[i], &s));
		assert_int_equal(s.addr, starts[i]);
		assert_int_equal(s.addr + s.size, starts[i + 1]);
		assert_int_equal(s.index, i);
		assert_int_equal(s.access, R | E | W);
		assert_true(layout_sector_at(l, starts[i + 1] - 1, &next));
		assert_memory_equal(&s, &next, sizeof(s));
		assert_int_equal(layout_next_sector(l, &s, &next), i < 11);
		if (i < 11)
			assert_int_equal(next.addr, starts[i + 1]);
	}
	assert_false(layout_sector_at(l, 0x08100000, &s));
}

TEST(sectors_follow_one_another_across_a_gap_to_the_end_of_the_address_space)
{
	struct layout l = parsed("@X/0x1000/2*384a/0xFFFFFF00/2*128Bg");
	static const uint32_t starts[] = { 0x1000, 0x1180, 0xFFFFFF00, 0xFFFFFF80 };
	struct sector s;

	assert_true(layout_sector_at(&l, 0x1000, &s));
	for (uint32_t i = 0;; i++) {
		assert_int_equal(s.addr, starts[i]);
		assert_int_equal(s.index, i);
		assert_int_equal(s.size, i < 2 ? 384 : 128);
		if (!layout_next_sector(&l, &s, &s)) {
			assert_int_equal(i, 3);
			break;
		}
	}
	assert_true(layout_sector_at(&l, 0xFFFFFFFF, &s));
	assert_int_equal(s.addr, 0xFFFFFF80);
	assert_false(layout_sector_at(&l, 0x1300, &s));
}

/* Compares with a byte-for-byte picture, for every range and every set of access bits. */
TEST(covering_agrees_with_a_picture_for_every_range)
{
	struct layout l = parsed("@X/0x10/2*2Be,1*3Bg/0x18/2*2Ba,1*1Bd");
	enum { SPAN = 0x22 };
	unsigned picture[SPAN] = { 0 };

	for (uint32_t a = 0; a < SPAN; a++) {
		struct sector s;

		if (layout_sector_at(&l, a, &s))
			picture[a] = s.access;
	}
	for (uint32_t from = 0; from < SPAN; from++)
		for (uint32_t n = 0; from + n <= SPAN; n++)
			for (unsigned access = 1; access < 8; access++) {
				bool expected = true;

				for (uint32_t a = from; a < from + n; a++)
					expected = expected && (picture[a] & access) == access;
				assert_int_equal(layout_covers(&l, from, n, access), expected);
			}
}

TEST(a_range_that_wraps_is_never_covered)
{
	struct layout l = parsed("@X/0xFFFFFF00/2*128Bg");

	assert_true(layout_covers(&l, 0xFFFFFF00, 0x100, R | E | W));
	assert_false(layout_covers(&l, 0xFFFFFF00, 0x101, R));
	assert_false(layout_covers(&l, 0xFFFFFF00, UINT32_MAX, R));
	assert_true(layout_covers(&device_crazyflie()->map[0], 0x08004000, 1008 * 1024, R | E | W));
	assert_false(layout_covers(&device_crazyflie()->map[0], 0x08004000, 1008 * 1024 + 1, R));
}

TEST(the_same_memory_may_be_written_differently)
{
	static const char *const same[] = {
		"@Flash/0x08000000/02*016Kg,02*016Kg,01*064Kg,07*128Kg",
		"@x/0x08000000/1*16384g,3*16Kg,1*64Kg/0x08020000/6*128Kg,1*131072Bg",
	};
	static const char *const different[] = {
		"@x/0x08000000/04*016Kg,01*064Kg",
		"@x/0x08000000/04*016Kg,01*064Kg,06*128Kg",
		"@x/0x08000000/04*016Kg,01*064Kg,08*128Kg",
		"@x/0x08000000/04*016Kg,01*064Kg,07*128Ka",
		"@x/0x08000000/03*016Ka,01*016Kg,01*064Kg,07*128Kg",
		"@x/0x08000000/02*032Kg,01*064Kg,07*128Kg",
		"@x/0x08000000/04*016Kg,01*064Kg/0x08040000/07*128Kg",
		"@x/0x00000000/04*016Kg,01*064Kg,07*128Kg",
	};

	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		struct layout l = parsed(same[i]);

		assert_true(layout_same(&l, &device_crazyflie()->map[0]) &&
			    layout_same(&device_crazyflie()->map[0], &l));
	}
	for (size_t i = 0; i < ARRAY_LEN(different); i++) {
		struct layout l = parsed(different[i]);

		assert_false(layout_same(&l, &device_crazyflie()->map[0]) ||
			     layout_same(&device_crazyflie()->map[0], &l));
	}
}

TEST_MAIN(NULL)
