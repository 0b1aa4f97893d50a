/* SPDX-License-Identifier: MIT */
/* SHA-256, its text, and which bytes of an image it is of. */
#include "config.h"

#include "fw_help.h"

#include <errno.h>

#include "firmware/fw_make.h"

static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(the_standards_example_is_right)
{
	uint8_t sha256[DIGEST_BYTES], parsed[DIGEST_BYTES];
	char text[DIGEST_TEXT_MAX];

	digest_bytes((const uint8_t *)"abc", 3, sha256);
	digest_format(sha256, text);
	assert_string_equal(text, abc);
	assert_true(digest_parse(abc, parsed));
	assert_memory_equal(parsed, sha256, sizeof(parsed));
}

TEST(only_64_hex_digits_are_a_digest)
{
	char text[80];
	uint8_t parsed[DIGEST_BYTES] = { 1 };

	for (size_t n = 0; n < 64; n++) {
		memcpy(text, abc, sizeof(abc));
		text[n] = 'g';
		assert_false(digest_parse(text, parsed));
		text[n] = '\0';
		assert_false(digest_parse(text, parsed));
	}
	memcpy(text, abc, sizeof(abc));
	memcpy(text + 64, "0", 2);
	assert_false(digest_parse(text, parsed));
	assert_int_equal(parsed[0], 1); /* written only on success */
	assert_true(digest_parse("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
				 parsed));
}

TEST(one_segment_has_the_digest_of_its_bytes_wherever_it_lies)
{
	struct segment s = { .alt = 3, .addr = 0x1234, .size = 3, .data = (const uint8_t *)"abc" };
	uint8_t sha256[DIGEST_BYTES];
	char text[DIGEST_TEXT_MAX];

	assert_int_equal(digest_segments(&s, 1, sha256), 0);
	digest_format(sha256, text);
	assert_string_equal(text, abc);
	assert_int_equal(digest_segments(&s, 0, sha256), -EINVAL);
}

TEST(several_segments_have_the_digest_of_the_file_made_of_them)
{
	const struct segment s[] = {
		{ .addr = 0x1000, .size = 3, .data = (const uint8_t *)"abc" },
		{ .alt = 1, .addr = 0x1000, .size = 3, .data = (const uint8_t *)"abc" }
	};
	struct image_label label = { 0 };
	uint8_t of_segments[DIGEST_BYTES], of_file[DIGEST_BYTES];
	struct image *image;
	uint8_t *bytes;
	size_t size;

	assert_int_equal(digest_segments(s, 2, of_segments), 0);
	assert_int_equal(image_new(s, 2, &label, &image), 0);
	assert_int_equal(fw_make_from_image(image, &bytes, &size), 0);
	digest_bytes(bytes, size, of_file);
	assert_memory_equal(of_segments, of_file, DIGEST_BYTES);
	free(bytes);
	image_unref(image);
}

TEST_MAIN(NULL)
