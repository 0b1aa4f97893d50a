/* SPDX-License-Identifier: MIT */
/* Unit tests of core/platform: doc/protocol.md 9.4 and doc/firmware.md 3 as tables. */
#include "config.h"

#include "core/platform.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "test.h"

#include "cfdfu/util.h"

#define CF2 BIT(PLATFORM_CF2)
#define BL BIT(PLATFORM_CF21BL)
#define BOLT BIT(PLATFORM_BOLT)
#define TAG BIT(PLATFORM_TAG)
#define FLAPPER BIT(PLATFORM_FLAPPER)

TEST(every_platform_is_found_by_its_own_name)
{
	for (int p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT; p++)
		assert_int_equal(platform_by_name(platform_name((enum platform)p)), p);
	assert_string_equal(platform_name(PLATFORM_CF21BL), "cf21bl");
}

TEST(names_that_are_none_are_unknown)
{
	static const char *const none[] = { "", "CF2", "cf2 ", "cf", "unknown", "cf21", "Bolt" };

	assert_int_equal(platform_by_name(NULL), PLATFORM_UNKNOWN);
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		assert_int_equal(platform_by_name(none[i]), PLATFORM_UNKNOWN);
	assert_string_equal(platform_name(PLATFORM_UNKNOWN), "unknown");
	assert_string_equal(platform_name(PLATFORM_COUNT), "unknown");
	assert_string_equal(platform_name((enum platform) - 1), "unknown");
}

TEST(each_board_has_the_platforms_that_accept_it)
{
	assert_int_equal(platforms_of_board("CF20"), CF2);
	assert_int_equal(platforms_of_board("CF21"), CF2 | FLAPPER);
	assert_int_equal(platforms_of_board("C21B"), BL);
	assert_int_equal(platforms_of_board("RZ10"), BOLT);
	assert_int_equal(platforms_of_board("CB10"), BOLT | FLAPPER);
	assert_int_equal(platforms_of_board("CB11"), BOLT | FLAPPER);
	assert_int_equal(platforms_of_board("RR10"), TAG);
	assert_int_equal(platforms_of_board("CF2.1"), 0);
	assert_int_equal(platforms_of_board("cf21"), 0);
	assert_int_equal(platforms_of_board("CF2"), 0);
	assert_int_equal(platforms_of_board(""), 0);
	assert_int_equal(platforms_of_board(NULL), 0);
}

TEST(each_device_type_text_names_one_platform)
{
	assert_int_equal(platform_of_device_type("Crazyflie 2.0"), PLATFORM_CF2);
	assert_int_equal(platform_of_device_type("Crazyflie 2.1"), PLATFORM_CF2);
	assert_int_equal(platform_of_device_type("Crazyflie 2.1 Brushless"), PLATFORM_CF21BL);
	assert_int_equal(platform_of_device_type("Crazyflie Bolt"), PLATFORM_BOLT);
	assert_int_equal(platform_of_device_type("Crazyflie Bolt 1.1"), PLATFORM_BOLT);
	assert_int_equal(platform_of_device_type("Roadrunner 1.0"), PLATFORM_TAG);
	assert_int_equal(platform_of_device_type("Flapper (CF 2.1)"), PLATFORM_FLAPPER);
	assert_int_equal(platform_of_device_type("Flapper (Bolt 1.0)"), PLATFORM_FLAPPER);
	assert_int_equal(platform_of_device_type("Flapper (Bolt 1.1)"), PLATFORM_FLAPPER);
}

TEST(a_device_type_text_must_match_as_a_whole)
{
	assert_int_equal(platform_of_device_type("Crazyflie 2."), PLATFORM_UNKNOWN);
	assert_int_equal(platform_of_device_type("Crazyflie 2.1 "), PLATFORM_UNKNOWN);
	assert_int_equal(platform_of_device_type("Crazyflie 2.1 Brush"), PLATFORM_UNKNOWN);
	assert_int_equal(platform_of_device_type("crazyflie 2.1"), PLATFORM_UNKNOWN);
	assert_int_equal(platform_of_device_type(""), PLATFORM_UNKNOWN);
	assert_int_equal(platform_of_device_type(NULL), PLATFORM_UNKNOWN);
}

/* 16 blocks of 0xFF, with this text at the beginning of block nth; those before are struck out. */
static void
fill_otp(uint8_t otp[OTP_BYTES], unsigned nth, const char *text, size_t length)
{
	memset(otp, 0xFF, OTP_BYTES);
	memset(otp, 0x00, nth * 32);
	memcpy(otp + nth * 32, text, length);
}

TEST(every_board_type_is_read_from_every_block)
{
	static const char *const types[] = {
		"CF20", "CF21", "C21B", "RZ10", "CB10", "CB11", "RR10"
	};
	/* SPEC: doc/protocol.md 9.4: ended by NUL, by 0xFF, or by ';' and more. */
	static const char *const ends[] = { "", ";", ";serial=1;x", "\xFF" };
	uint8_t otp[OTP_BYTES];
	char text[32], type[BOARD_TYPE_MAX];

	for (size_t t = 0; t < ARRAY_LEN(types); t++)
		for (size_t e = 0; e < ARRAY_LEN(ends); e++)
			for (unsigned block = 0; block < 16; block++) {
				int n = snprintf(text, sizeof(text), "0;%s%s", types[t], ends[e]);

				fill_otp(otp, block, text, (size_t)n + 1);
				assert_int_equal(platform_parse_otp(otp, sizeof(otp), type), 1);
				assert_string_equal(type, types[t]);
			}
}

TEST(a_blank_or_struck_out_area_says_nothing)
{
	uint8_t otp[OTP_BYTES];
	char type[BOARD_TYPE_MAX] = "kept";

	for (unsigned block = 0; block <= 16; block++) {
		memset(otp, 0xFF, OTP_BYTES);
		memset(otp, 0x00, block * 32);
		assert_int_equal(platform_parse_otp(otp, sizeof(otp), type), 0);
	}
	assert_string_equal(type, "kept");
}

TEST(texts_that_are_no_board_type_are_refused)
{
	static const char *const bad[] = {
		"1;CF21",	"0,CF21",     "CF21",	   "0;", "0;;",
		"0;cf21",	"0;CF 21",    "0;CF2.1",   "0",	 "0;\x1b[2J",
		"0;LONGERTHAN", "0;EIGHTCHR", "\xFE;CF21",
	};
	uint8_t otp[OTP_BYTES];
	char type[BOARD_TYPE_MAX] = "kept";

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		fill_otp(otp, i % 16, bad[i], strlen(bad[i]) + 1);
		assert_int_equal(platform_parse_otp(otp, sizeof(otp), type), -EINVAL);
	}
	assert_string_equal(type, "kept");
}

TEST(a_type_of_seven_characters_is_the_longest)
{
	uint8_t otp[OTP_BYTES];
	char type[BOARD_TYPE_MAX];

	fill_otp(otp, 15, "0;SEVEN77", 10);
	assert_int_equal(platform_parse_otp(otp, sizeof(otp), type), 1);
	assert_string_equal(type, "SEVEN77");
}

TEST(a_short_area_is_refused_at_every_length)
{
	uint8_t otp[OTP_BYTES];
	char type[BOARD_TYPE_MAX];

	fill_otp(otp, 0, "0;CF21", 7);
	for (size_t length = 0; length < OTP_BYTES; length++)
		assert_int_equal(platform_parse_otp(otp, length, type), -EMSGSIZE);
	assert_int_equal(platform_parse_otp(otp, OTP_BYTES, type), 1);
}

TEST(table_entries_of_all_builds_name_their_platform)
{
	/* doc/firmware.md 3: the table of each build. */
	static const struct {
		const char *type, *name;
		unsigned platforms;
	} entries[] = {
		{ "CF20", "Crazyflie 2.0", CF2 },
		{ "CF21", "Crazyflie 2.1", CF2 },
		{ "C21B", "Crazyflie 2.1 Brushless", BL },
		{ "RZ10", "Crazyflie Bolt", BOLT },
		{ "CB10", "Crazyflie Bolt", BOLT },
		{ "CB11", "Crazyflie Bolt 1.1", BOLT },
		{ "RR10", "Roadrunner 1.0", TAG },
		{ "CF21", "Flapper (CF 2.1)", FLAPPER },
		{ "CB10", "Flapper (Bolt 1.0)", FLAPPER },
		{ "CB11", "Flapper (Bolt 1.1)", FLAPPER },
	};

	for (size_t i = 0; i < ARRAY_LEN(entries); i++)
		assert_int_equal(platforms_of_table_entry(entries[i].type, entries[i].name),
				 entries[i].platforms);
}

TEST(a_renamed_device_still_has_its_board)
{
	assert_int_equal(platforms_of_table_entry("CF21", "My drone"), CF2 | FLAPPER);
	assert_int_equal(platforms_of_table_entry("RR10", NULL), TAG);
	assert_int_equal(platforms_of_table_entry("CF20", "Flapper (CF 2.1)"), 0);
	assert_int_equal(platforms_of_table_entry("XX99", "Crazyflie 2.1"), 0);
	assert_int_equal(platforms_of_table_entry(NULL, "Crazyflie 2.1"), 0);
}

TEST_MAIN(NULL)
