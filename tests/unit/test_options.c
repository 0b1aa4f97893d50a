/* SPDX-License-Identifier: MIT */
/* Unit tests of core/options and core/release: what two short texts of a drone say of it. */
#include "config.h"

#include "core/options.h"

#include <string.h>

#include "test.h"

#include "cfdfu/util.h"
#include "core/release.h"

TEST(each_bit_that_is_zero_protects_its_sector)
{
	uint8_t bytes[OPTIONS_BYTES];

	memset(bytes, 0xFF, sizeof(bytes));
	bytes[1] = 0xAA;
	assert_int_equal(options_write_protected(bytes), 0);
	for (unsigned sector = 0; sector < 16; sector++) {
		put_le16(bytes + 8, (uint16_t)~BIT(sector));
		/* The upper four bits are reserved. */
		assert_int_equal(options_write_protected(bytes), sector < 12 ? BIT(sector) : 0);
	}
	put_le16(bytes + 8, 0x0FF8);
	assert_int_equal(options_write_protected(bytes), 7);
}

TEST(option_bytes_are_believed_without_read_protection_only)
{
	uint8_t bytes[OPTIONS_BYTES] = { 0 };

	for (unsigned rdp = 0; rdp < 256; rdp++) {
		bytes[1] = (uint8_t)rdp;
		assert_int_equal(options_write_protected(bytes), rdp == 0xAA ? 0xFFF : 0);
	}
}

TEST(a_version_tells_its_age_when_it_is_a_releases)
{
	static const struct {
		const char *version;
		enum release_age age;
	} cases[] = {
		{ "2022.03", RELEASE_NOT_OLDER },
		{ "2022.03.1", RELEASE_NOT_OLDER },
		{ "2022.02", RELEASE_OLDER },
		{ "2021.06.2", RELEASE_OLDER },
		{ "2021.06-rc1", RELEASE_OLDER },
		{ "2021.12", RELEASE_OLDER },
		{ "2025.02 +3", RELEASE_NOT_OLDER },
		{ "2020.09 +30", RELEASE_UNKNOWN },
		{ "", RELEASE_UNKNOWN },
		{ "NA", RELEASE_UNKNOWN },
		{ "nightly", RELEASE_UNKNOWN },
		{ "v1.0 +59", RELEASE_UNKNOWN },
		{ "2022", RELEASE_UNKNOWN },
		{ "2022.3", RELEASE_UNKNOWN },
		{ "2022.031", RELEASE_UNKNOWN },
		{ "20220.3", RELEASE_UNKNOWN },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (release_age(cases[i].version, 2022, 3) != cases[i].age)
			fail_msg("\"%s\"", cases[i].version);
}

TEST_MAIN(NULL)
