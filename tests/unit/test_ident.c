/* SPDX-License-Identifier: MIT */
/* Unit tests of core/ident: every published serial pair (doc/protocol.md 1.3 and 2.3) and every
 * variant. */
#include "config.h"

#include "core/ident.h"

#include <string.h>

#include "test.h"

static struct sighting
sighting(uint16_t vid, uint16_t pid, const char *manufacturer)
{
	struct sighting s = { .vid = vid, .pid = pid };

	copy_text(s.manufacturer, sizeof(s.manufacturer), manufacturer);
	return s;
}

TEST(only_bitcraze_and_the_boot_loader_are_ours)
{
	static const struct {
		uint16_t vid, pid;
		const char *manufacturer;
		enum ident_kind kind;
	} cases[] = {
		{ 0x0483, 0x5740, "Bitcraze AB", IDENT_RUNTIME },
		{ 0x0483, 0x5740, "STMicroelectronics", IDENT_OTHER },
		{ 0x0483, 0x5740, "Bitcraze AB ", IDENT_OTHER },
		{ 0x0483, 0x5740, "Bitcraze", IDENT_OTHER },
		{ 0x0483, 0x5740, "bitcraze ab", IDENT_OTHER },
		{ 0x0483, 0x5740, "", IDENT_OTHER },
		{ 0x0483, 0xDF11, "STMicroelectronics", IDENT_DFU },
		{ 0x0483, 0xDF11, "", IDENT_DFU },
		{ 0x0483, 0x374B, "Bitcraze AB", IDENT_OTHER },
		{ 0x28E9, 0xDF11, "STMicroelectronics", IDENT_OTHER },
		{ 0x1209, 0x5740, "Bitcraze AB", IDENT_OTHER },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sighting s = sighting(cases[i].vid, cases[i].pid, cases[i].manufacturer);

		assert_int_equal(ident_kind_of(&s), cases[i].kind);
	}
}

TEST(a_runtime_serial_is_24_hex_digits)
{
	assert_true(ident_runtime_serial_valid("51004F000551343036333233"));
	assert_true(ident_runtime_serial_valid("51004f000551343036333233"));
	assert_true(ident_runtime_serial_valid("abcdefABCDEF012345678901"));
	assert_false(ident_runtime_serial_valid(""));
	assert_false(ident_runtime_serial_valid("51004F00055134303633323"));
	assert_false(ident_runtime_serial_valid("51004F0005513430363332333"));
	assert_false(ident_runtime_serial_valid("51004F00055134303633323G"));
	assert_false(ident_runtime_serial_valid("51004F00055134303633323:"));
	assert_false(ident_runtime_serial_valid("/1004F000551343036333233"));
	assert_false(ident_runtime_serial_valid("@1004F000551343036333233"));
	assert_false(ident_runtime_serial_valid("`1004F000551343036333233"));
	assert_false(ident_runtime_serial_valid("51004F000551 43036333233"));
	assert_false(ident_runtime_serial_valid("338133873034"));
}

TEST(a_dfu_serial_is_12_hex_digits_and_no_constant)
{
	assert_true(ident_dfu_serial_valid("338133873034"));
	assert_true(ident_dfu_serial_valid("377a364d3234"));
	assert_false(ident_dfu_serial_valid("FFFFFFFEFFFF"));
	assert_false(ident_dfu_serial_valid("fffffffeffff"));
	assert_false(ident_dfu_serial_valid("FFFFFFFFFFFF"));
	assert_false(ident_dfu_serial_valid("000000000000"));
	assert_false(ident_dfu_serial_valid(""));
	assert_false(ident_dfu_serial_valid("33813387303"));
	assert_false(ident_dfu_serial_valid("3381338730344"));
	assert_false(ident_dfu_serial_valid("STM32FxSTM32"));
}

/* The pairs of doc/protocol.md 2.3, which the first choice predicts. */
static const struct {
	const char *runtime, *dfu;
} pairs[] = {
	{ "30002D000B51343333353132", "325E35633334" }, /* published */
	{ "51004F000551343036333233", "338133873034" },
	{ "1C0043001951353530393937", "377C394C3535" },
};

TEST(published_pairs_are_one_drone_and_their_mixtures_are_not)
{
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		for (size_t k = 0; k < ARRAY_LEN(pairs); k++)
			assert_int_equal(ident_runtime_dfu(pairs[i].runtime, pairs[k].dfu),
					 i == k ? IDENT_SAME : IDENT_DIFFERENT);
	assert_int_equal(ident_runtime_dfu("51004f000551343036333233", "338133873034"), IDENT_SAME);
	assert_int_equal(ident_runtime_dfu("1C0043001951353530393937", "377c394c3535"), IDENT_SAME);
}

TEST(the_f412_pair_with_its_offset_is_one_drone)
{
	/* doc/protocol.md 1.3: UID bytes 1F00230009513735 31373736, low half-word + 0x0A. */
	assert_int_equal(ident_runtime_dfu("1F0023000951373531373736", "365A375A3537"), IDENT_SAME);
	assert_int_equal(ident_runtime_dfu("1F0023000951373531373736", "365A37503537"), IDENT_SAME);
	assert_int_equal(ident_runtime_dfu("1F0023000951373531373736", "365A375B3537"),
			 IDENT_DIFFERENT);
}

TEST(every_variant_of_the_addition_is_accepted)
{
	/* U0 = FFFF80FF, U2 = 00018001: every carry there is.  b7 b6 = 1234. */
	static const char runtime[] = "FF80FFFF0000341201800100";
	static const char *const same[] = {
		"000101001234", /* carry everywhere: 1'0001'0100 */
		"000001001234", /* none between half-words */
		"FF0000001234", /* none between bytes */
		"0001010A1234", /* the same with the offset */
		"0000010A1234", "FF00000A1234",
	};
	static const char *const different[] = {
		"000101011234", "0001010B1234", "000201001234", "000101001235",
		"FF0001001234", "000001091234", "000101101234",
	};

	for (size_t i = 0; i < ARRAY_LEN(same); i++)
		assert_int_equal(ident_runtime_dfu(runtime, same[i]), IDENT_SAME);
	for (size_t i = 0; i < ARRAY_LEN(different); i++)
		assert_int_equal(ident_runtime_dfu(runtime, different[i]), IDENT_DIFFERENT);
}

TEST(the_offset_may_carry_out_of_the_byte_and_half_word_or_not)
{
	/* U0 = 1111FFF0, U2 = 2222000E: the sum's low half-word is FFFE. */
	static const char runtime[] = "F0FF1111000034120E002222";

	assert_int_equal(ident_runtime_dfu(runtime, "3333FFFE1234"), IDENT_SAME);
	assert_int_equal(ident_runtime_dfu(runtime, "3333FF081234"), IDENT_SAME); /* in its byte */
	assert_int_equal(ident_runtime_dfu(runtime, "333300081234"), IDENT_SAME); /* half-word */
	assert_int_equal(ident_runtime_dfu(runtime, "333400081234"), IDENT_SAME); /* through */
	assert_int_equal(ident_runtime_dfu(runtime, "3334FFFE1234"), IDENT_DIFFERENT);
}

TEST(missing_malformed_and_constant_serials_say_nothing)
{
	static const char runtime[] = "51004F000551343036333233", dfu[] = "338133873034";
	static const char *const no_runtime[] = { "",
						  "51004F",
						  "xx004F000551343036333233",
						  "FFFFFFFFFFFFFFFFFFFFFFFF",
						  "ffffffffffffffffffffffff",
						  "000000000000000000000000" };
	static const char *const no_dfu[] = { "", "3381", "33813387303x", "FFFFFFFEFFFF",
					      "000000000000" };

	for (size_t i = 0; i < ARRAY_LEN(no_runtime); i++) {
		assert_int_equal(ident_runtime_dfu(no_runtime[i], dfu), IDENT_UNKNOWN);
		assert_int_equal(ident_runtime_runtime(no_runtime[i], runtime), IDENT_UNKNOWN);
		assert_int_equal(ident_runtime_runtime(runtime, no_runtime[i]), IDENT_UNKNOWN);
		assert_int_equal(ident_runtime_runtime(no_runtime[i], no_runtime[i]),
				 IDENT_UNKNOWN);
	}
	for (size_t i = 0; i < ARRAY_LEN(no_dfu); i++) {
		assert_int_equal(ident_runtime_dfu(runtime, no_dfu[i]), IDENT_UNKNOWN);
		assert_int_equal(ident_dfu_dfu(no_dfu[i], dfu), IDENT_UNKNOWN);
		assert_int_equal(ident_dfu_dfu(dfu, no_dfu[i]), IDENT_UNKNOWN);
		assert_int_equal(ident_dfu_dfu(no_dfu[i], no_dfu[i]), IDENT_UNKNOWN);
	}
}

TEST(serials_of_one_kind_are_compared_without_case)
{
	assert_int_equal(
	    ident_runtime_runtime("51004F000551343036333233", "51004f000551343036333233"),
	    IDENT_SAME);
	assert_int_equal(
	    ident_runtime_runtime("51004F000551343036333233", "51004F000551343036333234"),
	    IDENT_DIFFERENT);
	assert_int_equal(ident_dfu_dfu("377A364D3234", "377a364d3234"), IDENT_SAME);
	assert_int_equal(ident_dfu_dfu("377A364D3234", "377A364D3235"), IDENT_DIFFERENT);
}

TEST(every_predicted_serial_matches_and_every_damaged_digit_does_not)
{
	uint64_t seed = 0x9E3779B97F4A7C15;
	char runtime[25], dfu[13];
	uint8_t uid[12];

	for (int round = 0; round < 2000; round++) {
		for (size_t i = 0; i < 12; i++) {
			seed = seed * 6364136223846793005 + 1442695040888963407;
			uid[i] = (uint8_t)(seed >> 56);
			(void)snprintf(runtime + 2 * i, 3, "%02X", uid[i]);
		}
		(void)snprintf(dfu, sizeof(dfu), "%08X%02X%02X",
			       (unsigned)(get_le32(uid) + get_le32(uid + 8)), uid[7], uid[6]);
		assert_int_equal(ident_runtime_dfu(runtime, dfu), IDENT_SAME);
		dfu[8 + round % 4] = dfu[8 + round % 4] == '0' ? '1' : '0';
		assert_int_equal(ident_runtime_dfu(runtime, dfu), IDENT_DIFFERENT);
	}
}

TEST_MAIN(NULL)
