/* SPDX-License-Identifier: MIT */
/* Unit tests of core/image: order, refusals, limits, references, copying across gaps. */
#include "config.h"

#include "core/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

/* Linked in place of calloc() (-Wl,--wrap): the next call fails when told so. */
static bool out_of_memory;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *
__wrap_calloc(size_t count, size_t size)
{
	return out_of_memory ? NULL : __real_calloc(count, size);
}

static const uint8_t bytes[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
static const struct image_label label = { .name = "cf2-2025.12", .version = "2025.12" };

static struct image *
build(const struct segment *segments, size_t count)
{
	struct image *image = NULL;

	assert_int_equal(image_new(segments, count, &label, &image), 0);
	assert_non_null(image);
	return image;
}

static int
refusal(const struct segment *segments, size_t count)
{
	struct image *image = (struct image *)&image;
	int r = image_new(segments, count, &label, &image);

	assert_ptr_equal(image, &image); /* written only on success */
	return r;
}

TEST(segments_are_sorted_by_alternate_and_address)
{
	static const struct segment given[] = {
		{ 1, 0x00000000, 4, bytes },	 { 0, 0x08008000, 3, bytes + 4 },
		{ 0, 0x08004000, 2, bytes + 7 }, { 2, 0x64000000, 1, bytes + 9 },
		{ 0, 0x08004002, 1, bytes },
	};
	struct image *image = build(given, 5);

	assert_int_equal(image_segment_count(image), 5);
	assert_int_equal(image_segment(image, 0)->addr, 0x08004000);
	assert_int_equal(image_segment(image, 1)->addr, 0x08004002);
	assert_int_equal(image_segment(image, 2)->addr, 0x08008000);
	assert_int_equal(image_segment(image, 3)->alt, 1);
	assert_int_equal(image_segment(image, 4)->alt, 2);
	assert_memory_equal(image_segment(image, 0)->data, bytes + 7, 2);
	assert_memory_equal(image_segment(image, 4)->data, bytes + 9, 1);
	assert_int_equal(image_bytes(image), 11);
	image_unref(image);
}

TEST(bytes_and_texts_are_copies)
{
	uint8_t mine[2] = { 0xAA, 0xBB };
	struct image_label my_label;
	struct image *image = NULL;

	memset(&my_label, 'x', sizeof(my_label));
	assert_int_equal(image_new(&(struct segment){ 0, 16, 2, mine }, 1, &my_label, &image), 0);
	memset(mine, 0, sizeof(mine));
	memset(&my_label, 0, sizeof(my_label));
	assert_int_equal(image_segment(image, 0)->data[1], 0xBB);
	assert_int_equal(strlen(image_label(image)->name), IMAGE_TEXT_MAX - 1);
	assert_int_equal(strlen(image_label(image)->version), 31);
	assert_int_equal(strlen(image_label(image)->revision), 15);
	image_unref(image);
}

TEST(invalid_segments_and_images_are_refused)
{
	static const struct segment empty[] = { { 0, 0, 4, bytes }, { 0, 8, 0, NULL } };
	static const struct segment wraps[] = { { 0, 0xFFFFFFFE, 3, bytes } };
	static const struct segment overlap[] = { { 0, 4, 4, bytes }, { 0, 0, 5, bytes } };
	static const struct segment twice[] = { { 0, 4, 4, bytes }, { 0, 4, 4, bytes } };

	assert_int_equal(refusal(NULL, 0), -EINVAL);
	assert_int_equal(refusal(empty, 2), -EINVAL);
	assert_int_equal(refusal(wraps, 1), -EINVAL);
	assert_int_equal(refusal(overlap, 2), -EINVAL);
	assert_int_equal(refusal(twice, 2), -EINVAL);
}

TEST(neighbours_and_the_last_byte_of_the_address_space_are_fine)
{
	static const struct segment given[] = {
		{ 0, 0xFFFFFFFE, 2, bytes },
		{ 0, 0xFFFFFFFC, 2, bytes },
		{ 1, 0xFFFFFFFE, 2, bytes }, /* same place, other memory */
	};
	struct image *image = build(given, 3);

	assert_int_equal(image_segment(image, 1)->addr, 0xFFFFFFFE);
	assert_memory_equal(image_segment(image, 1)->data, bytes, 2);
	image_unref(image);
}

TEST(the_most_segments_are_taken_and_one_more_is_refused)
{
	struct segment *given = calloc(IMAGE_SEGMENTS_MAX + 1, sizeof(*given));
	struct image *image;

	for (uint32_t i = 0; i <= IMAGE_SEGMENTS_MAX; i++)
		given[i] = (struct segment){ 0, (IMAGE_SEGMENTS_MAX - i) * 4, 2, bytes };
	image = build(given, IMAGE_SEGMENTS_MAX); /* in descending order: the worst to sort */
	for (size_t i = 1; i < IMAGE_SEGMENTS_MAX; i++)
		assert_true(image_segment(image, i - 1)->addr < image_segment(image, i)->addr);
	image_unref(image);
	assert_int_equal(refusal(given, IMAGE_SEGMENTS_MAX + 1), -E2BIG);
	free(given);
}

TEST(the_most_targets_are_taken_and_one_more_is_refused)
{
	struct segment given[IMAGE_TARGETS_MAX + 1];

	for (uint8_t i = 0; i <= IMAGE_TARGETS_MAX; i++)
		given[i] = (struct segment){ i, 0, 1, bytes };
	image_unref(build(given, IMAGE_TARGETS_MAX));
	assert_int_equal(refusal(given, IMAGE_TARGETS_MAX + 1), -E2BIG);
}

TEST(the_most_bytes_are_taken_and_one_more_is_refused)
{
	uint8_t *big = calloc(1, IMAGE_BYTES_MAX);
	struct segment given[] = { { 0, 0, IMAGE_BYTES_MAX, big }, { 1, 0, 1, big } };
	struct image *image;

	assert_non_null(big);
	image = build(given, 1);
	assert_int_equal(image_bytes(image), IMAGE_BYTES_MAX);
	image_unref(image);
	assert_int_equal(refusal(given, 2), -E2BIG);
	free(big);
}

TEST(an_image_lives_as_long_as_its_last_reference)
{
	struct image *image = build(&(struct segment){ 0, 0, 4, bytes }, 1);

	assert_ptr_equal(image_ref(image), image);
	image_unref(image);
	assert_int_equal(image_segment(image, 0)->data[3], 3);
	image_unref(image);
	image_unref(NULL);
}

TEST(images_are_the_same_by_digest_and_place)
{
	static const struct segment here[] = { { 0, 0, 4, bytes }, { 0, 8, 4, bytes } };
	static const struct segment there[] = { { 0, 0, 4, bytes }, { 0, 12, 4, bytes } };
	static const struct segment other_alt[] = { { 0, 0, 4, bytes }, { 1, 8, 4, bytes } };
	static const struct segment longer[] = { { 0, 0, 4, bytes }, { 0, 8, 5, bytes } };
	struct image *a = build(here, 2), *b = build(here, 2), *others[4];
	struct image_label other = label;

	other.sha256[31] = 1;
	others[0] = build(there, 2);
	others[1] = build(other_alt, 2);
	others[2] = build(longer, 2);
	assert_int_equal(image_new(here, 2, &other, &others[3]), 0);
	assert_true(image_same(a, a) && image_same(a, b) && image_same(NULL, NULL));
	assert_false(image_same(a, NULL) || image_same(NULL, a));
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		assert_false(image_same(a, others[i]));
		image_unref(others[i]);
	}
	image_unref(a);
	image_unref(b);
	a = build(here, 1);
	b = build(here, 2);
	assert_false(image_same(a, b));
	image_unref(a);
	image_unref(b);
}

TEST(without_memory_there_is_no_image)
{
	out_of_memory = true;
	assert_int_equal(refusal(&(struct segment){ 0, 0, 4, bytes }, 1), -ENOMEM);
	out_of_memory = false;
}

TEST(a_name_is_neither_an_option_nor_a_path)
{
	static const char *const fine[] = { "a", "cf2 (1)", "2025.12", "a-b", "~" };
	static const char *const wrong[] = { "", "-a", "a/b", " a", "a ", "a\tb", "caf\xC3\xA9" };
	char longest[IMAGE_TEXT_MAX + 1];

	for (size_t i = 0; i < ARRAY_LEN(fine); i++)
		assert_true(image_name_is_fine(fine[i]));
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_false(image_name_is_fine(wrong[i]));
	memset(longest, 'x', IMAGE_TEXT_MAX);
	longest[IMAGE_TEXT_MAX] = '\0';
	assert_false(image_name_is_fine(longest));
	assert_true(image_name_is_fine(longest + 1));
}

TEST(the_name_of_a_file_becomes_one_that_is_typed_without_quotes)
{
	static const char *const names[][2] = {
		{ "firmware-cf2-2025.12.zip", "cf2-2025.12" },
		{ "dir/firmware-bolt-2024.10.2.zip", "bolt-2024.10.2" },
		{ "/tmp/cf2-2025.12.bin", "cf2-2025.12" },
		{ "cf2 (1).bin", "cf2__1_" },
		{ "-x.bin", "_x" },
		{ "firmware-.zip", "firmware-" },
		{ "firmware-", "firmware-" },
		{ "firmware.dfu", "firmware" },
		{ ".bin", ".bin" },
		{ "dir/", "" },
		{ "", "" },
	};
	char name[IMAGE_TEXT_MAX], longest[2 * IMAGE_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		image_name_of_file(names[i][0], name, sizeof(name));
		assert_string_equal(name, names[i][1]);
		assert_true(name[0] == '\0' || image_name_is_fine(name));
	}
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	image_name_of_file(longest, name, sizeof(name));
	assert_int_equal(strlen(name), IMAGE_TEXT_MAX - 1);
	assert_true(image_name_is_fine(name));
}

TEST_MAIN(NULL)
