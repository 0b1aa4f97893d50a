/* SPDX-License-Identifier: MIT */
/* Formats are found by content; every packing of an image gives the same image; raw and DFU 1.x
 * files. */
#include "config.h"

#include "fw_help.h"

#include <errno.h>

#include "fixtures/bad.h"
#include "cfdfu/platform.h"

static const struct {
	enum mkimage_format made;
	enum fw_format is;
	const char *name;
} packings[] = {
	{ MKIMAGE_BIN, FW_RAW, "raw" },	     { MKIMAGE_ZIP1, FW_RELEASE, "zip" },
	{ MKIMAGE_ZIP2, FW_RELEASE, "zip" }, { MKIMAGE_DFU, FW_DFUSE, "dfuse" },
	{ MKIMAGE_HEX, FW_IHEX, "ihex" },    { MKIMAGE_SREC, FW_SREC, "srec" },
};

TEST(every_packing_of_an_image_gives_the_same_image)
{
	const struct mkimage_spec spec = { .platform = "cf21bl", .seed = 7 };
	uint8_t sha256[DIGEST_BYTES];
	uint8_t *bytes;
	size_t size;

	assert_int_equal(mkimage_build(&spec, &bytes, &size), 0);
	digest_bytes(bytes, size, sha256);
	for (size_t i = 0; i < ARRAY_LEN(packings); i++) {
		struct loaded l = load_made(&spec, packings[i].made);
		const struct image_label *label;

		assert_int_equal(l.result, 0);
		label = image_label(l.image);
		assert_int_equal(l.facts->format, packings[i].is);
		assert_string_equal(fw_format_name(l.facts->format), packings[i].name);
		assert_int_equal(image_segment_count(l.image), 1);
		assert_int_equal(image_segment(l.image, 0)->addr, 0x08004000);
		assert_int_equal(image_bytes(l.image), size);
		assert_memory_equal(image_segment(l.image, 0)->data, bytes, size);
		assert_memory_equal(label->sha256, sha256, sizeof(sha256));
		assert_string_equal(label->name, "test");
		assert_string_equal(label->version, "2025.12");
		assert_int_equal(label->platforms, BIT(PLATFORM_CF21BL));
		assert_int_equal(l.facts->element_count, 1);
		unload(&l);
	}
	free(bytes);
}

TEST(a_user_override_restricts_the_platforms_of_an_image)
{
	const struct mkimage_spec spec = { .old = true };
	struct fw_input in = { .addr = FW_ADDR_DEFAULT, .platform = PLATFORM_BOLT };
	struct image *image = NULL;
	struct fw_error error;
	uint8_t *bytes;

	assert_int_equal(mkimage_build(&spec, &bytes, &in.size), 0);
	in.data = bytes;
	assert_int_equal(fw_load(&in, &image, NULL, &error), 0);
	assert_int_equal(image_label(image)->platforms, BIT(PLATFORM_BOLT));
	assert_string_equal(image_label(image)->name, "");
	image_unref(image);
	free(bytes);
}

TEST(a_plain_binary_gets_the_given_address)
{
	static const uint8_t bytes[] = { 0, 1, 2, 3, 4 };
	struct fw_input in = { .data = bytes, .size = sizeof(bytes), .addr = 0x64000000 };
	struct image *image = NULL;
	struct fw_error error;

	assert_int_equal(fw_load(&in, &image, NULL, &error), 0);
	assert_int_equal(image_segment(image, 0)->addr, 0x64000000);
	image_unref(image);
	in.addr = UINT32_MAX - 3;
	assert_int_equal(fw_load(&in, &image, NULL, &error), -EINVAL);
	assert_non_null(strstr(error.text, "beyond the end of the address space"));
	in.addr = UINT32_MAX - 4;
	assert_int_equal(fw_load(&in, &image, NULL, &error), 0);
	image_unref(image);
}

/* size bytes of image, and a suffix of these ids; free() it. */
static uint8_t *
with_suffix(uint16_t vid, uint16_t pid, uint16_t bcd, size_t *ret_size)
{
	const struct mkimage_spec spec = { .size = 4096 };
	uint8_t *bytes;

	assert_int_equal(mkimage_build(&spec, &bytes, ret_size), 0);
	bytes = realloc(bytes, *ret_size + 16);
	assert_non_null(bytes);
	memcpy(bytes + *ret_size, "\x23\x01....\x00\x01UFD\x10", 12);
	put_le16(bytes + *ret_size + 2, pid);
	put_le16(bytes + *ret_size + 4, vid);
	put_le16(bytes + *ret_size + 6, bcd);
	*ret_size += 16;
	bad_mend_crc(bytes, *ret_size);
	return bytes;
}

TEST(a_suffix_on_a_binary_is_checked_and_taken_off)
{
	static const struct {
		uint16_t vid, pid, bcd;
		bool good;
	} cases[] = { { 0x0483, 0xDF11, 0x0100, true },	 { 0x0483, 0xDF11, 0x0110, true },
		      { 0xFFFF, 0xFFFF, 0x0100, true },	 { 0x0483, 0xFFFF, 0x0100, true },
		      { 0xFFFF, 0xDF11, 0x0100, true },	 { 0x0483, 0xDF12, 0x0100, false },
		      { 0x1209, 0xDF11, 0x0100, false }, { 0x0483, 0xDF11, 0x011A, false } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t size;
		uint8_t *bytes = with_suffix(cases[i].vid, cases[i].pid, cases[i].bcd, &size);
		struct loaded l = load_bytes(bytes, size);

		assert_int_equal(l.result, cases[i].good ? 0 : -EINVAL);
		if (cases[i].good) {
			assert_int_equal(l.facts->format, FW_DFU);
			assert_true(l.facts->suffix);
			assert_int_equal(l.facts->device, 0x0123);
			assert_int_equal(image_bytes(l.image), 4096);
			assert_int_equal(l.facts->warning_count, 0);
		}
		unload(&l);
	}
}

TEST(other_ids_are_taken_where_they_are_expected_or_only_shown)
{
	size_t size;
	uint8_t *bytes = with_suffix(0x1209, 0x0001, 0x0100, &size);
	struct fw_input in = {
		.data = bytes, .size = size, .addr = FW_ADDR_DEFAULT, .vid = 0x1209, .pid = 0x0001
	};
	struct image *image = NULL;
	struct fw_facts *facts = NULL;
	struct fw_error error;

	assert_int_equal(fw_load(&in, &image, &facts, &error), 0);
	assert_int_equal(facts->warning_count, 0);
	image_unref(image);
	fw_facts_free(facts);
	in.vid = in.pid = 0;
	assert_int_equal(fw_load(&in, &image, &facts, &error), -EINVAL);
	in.any_ids = true;
	assert_int_equal(fw_load(&in, &image, &facts, &error), 0);
	assert_int_equal(facts->warning_count, 1);
	image_unref(image);
	fw_facts_free(facts);
	free(bytes);
}

TEST(any_change_of_a_suffix_byte_is_noticed)
{
	size_t size;
	uint8_t *bytes = with_suffix(0x0483, 0xDF11, 0x0100, &size);

	for (size_t i = size - 16; i < size; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			struct fw_input in = { .data = bytes,
					       .size = size,
					       .addr = FW_ADDR_DEFAULT };
			struct image *image = NULL;
			struct fw_facts *facts = NULL;
			struct fw_error error;
			int r;

			bytes[i] ^= (uint8_t)(1U << bit);
			r = fw_load(&in, &image, &facts, &error);
			/* Without its signature it is no suffix, and the file a plain binary. */
			if (i >= size - 8 && i < size - 5)
				assert_int_equal(facts->format, FW_RAW);
			else
				assert_int_equal(r, -EINVAL);
			image_unref(image);
			fw_facts_free(facts);
			bytes[i] ^= (uint8_t)(1U << bit);
		}
	free(bytes);
}

TEST(sniffing_looks_at_the_content_alone)
{
	static const struct {
		const char *text;
		enum fw_format is;
	} cases[] = { { "", FW_RAW },
		      { "D", FW_RAW },
		      { "DfuSe", FW_DFUSE },
		      { "PK\x03\x04", FW_RELEASE },
		      { "PK\x03", FW_RAW },
		      { "\x7F"
			"ELF",
			FW_ELF },
		      { ":00000001FF", FW_IHEX },
		      { "\r\n :00000001FF", FW_IHEX },
		      { ":0000000", FW_RAW },
		      { ":zzzzzzzz", FW_RAW },
		      { "S0030000FC", FW_SREC },
		      { "S00300", FW_RAW },
		      { "Station", FW_RAW },
		      { "UFD.....", FW_RAW },
		      { "........UFD.....", FW_DFU },
		      { "DfuSe...UFD.....", FW_DFUSE } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(fw_sniff((const uint8_t *)cases[i].text, strlen(cases[i].text)),
				 cases[i].is);
	assert_string_equal(fw_format_name(FW_FORMAT_COUNT), "unknown");
	assert_string_equal(fw_format_words(FW_UNKNOWN), "unknown file");
}

TEST(no_file_is_larger_than_the_limits)
{
	struct fw_input in = { .addr = 0, .size = IMAGE_BYTES_MAX + 1 };
	struct image *image = NULL;
	struct fw_error error;
	uint8_t *bytes = calloc(1, FW_FILE_BYTES_MAX + 1);

	assert_non_null(bytes);
	in.data = bytes;
	assert_int_equal(fw_load(&in, &image, NULL, &error), -EINVAL);
	assert_non_null(strstr(error.text, "67108865 bytes, the limit is 67108864"));
	in.size = FW_FILE_BYTES_MAX + 1;
	assert_int_equal(fw_load(&in, &image, NULL, &error), -EINVAL);
	assert_non_null(strstr(error.text, "the limit for a file is"));
	memcpy(bytes + IMAGE_BYTES_MAX + 1, "\0\0\xFF\xFF\xFF\xFF\0\x01UFD\x10", 12);
	bad_mend_crc(bytes, IMAGE_BYTES_MAX + 1 + 16);
	in.size = IMAGE_BYTES_MAX + 1 + 16;
	assert_int_equal(fw_load(&in, &image, NULL, &error), -EINVAL);
	assert_non_null(strstr(error.text, "67108865 bytes, the limit is 67108864"));
	free(bytes);
}

/* Every good file, cut at every of many places and changed at many: an answer, and no crash. */
TEST(damaged_files_end_in_an_answer)
{
	const struct mkimage_spec spec = { .size = 4096 };

	for (size_t i = 0; i < ARRAY_LEN(packings); i++) {
		struct loaded whole = load_made(&spec, packings[i].made);

		for (size_t n = 0; n < whole.size; n += 1 + n / 16) {
			uint8_t *copy = malloc(n + 1);
			struct loaded l;

			assert_non_null(copy);
			memcpy(copy, whole.bytes, n);
			l = load_bytes(copy, n);
			if (l.result < 0)
				assert_int_not_equal(l.error.text[0], '\0');
			else
				assert_int_equal(l.facts->format, FW_RAW);
			unload(&l);
			copy = malloc(whole.size);
			assert_non_null(copy);
			memcpy(copy, whole.bytes, whole.size);
			copy[n] ^= 0x5A;
			l = load_bytes(copy, whole.size);
			if (l.result < 0)
				assert_int_not_equal(l.error.text[0], '\0');
			unload(&l);
		}
		unload(&whole);
	}
}

TEST_MAIN(NULL)
