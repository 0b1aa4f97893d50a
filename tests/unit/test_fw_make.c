/* SPDX-License-Identifier: MIT */
/* DfuSe files made, read back, made again: several targets, names, both readings of the size
 * (UM0391). */
#include "config.h"

#include "fw_help.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "fixtures/bad.h"
#include "firmware/fw.h"
#include "firmware/fw_make.h"

static const struct segment internal[] = {
	{ .addr = 0x08003000, .size = 9, .data = (const uint8_t *)"internal\x80" },
	{ .addr = 0x08004000, .size = 4, .data = (const uint8_t *)"more" },
};
static const struct segment spi[] = { { .addr = 0, .size = 3, .data = (const uint8_t *)"spi" } };
static const struct segment nor[] = {
	{ .addr = 0x64020000, .size = 4, .data = (const uint8_t *)"high" },
	{ .addr = 0x64000000, .size = 3, .data = (const uint8_t *)"nor" },
};
static const struct fw_make_target targets[] = {
	{ .alt = 1, .name = "SPI Flash : M25P64", .elements = spi, .element_count = 1 },
	{ .alt = 0, .elements = internal, .element_count = 2 },
	{ .alt = 2, .name = "", .elements = nor, .element_count = 2 },
};
static const struct fw_make_file three = {
	.vid = 0x0483, .pid = 0xDF11, .device = 0x2200, .targets = targets, .target_count = 3
};

static struct loaded
load_file(const struct fw_make_file *file)
{
	uint8_t *bytes = NULL;
	size_t size = 0;

	assert_int_equal(fw_make(file, &bytes, &size), 0);
	return load_bytes(bytes, size);
}

TEST(three_targets_are_read_as_they_were_written)
{
	struct loaded l = load_file(&three);
	const struct fw_facts *f = l.facts;

	assert_int_equal(l.result, 0);
	assert_int_equal(f->format, FW_DFUSE);
	assert_int_equal(f->device, 0x2200);
	assert_int_equal(f->bcd_dfu, 0x011A);
	assert_false(f->size_counts_suffix);
	assert_int_equal(f->target_count, 3);
	assert_int_equal(f->targets[0].alt, 1);
	assert_true(f->targets[0].named);
	assert_string_equal(f->targets[0].name, "SPI Flash : M25P64");
	assert_false(f->targets[1].named);
	assert_int_equal(f->targets[1].element_count, 2);
	assert_true(f->targets[2].named);
	assert_int_equal(f->targets[2].element_first, 3);
	assert_int_equal(f->elements[3].addr, 0x64020000); /* file order is kept */
	assert_int_equal(f->elements[1].offset, 11 + 274 + 8 + 3 + 274 + 8);
	assert_int_equal(image_segment_count(l.image), 5);
	assert_int_equal(image_segment(l.image, 3)->addr, 0x64000000);
	assert_int_equal(image_segment(l.image, 4)->addr, 0x64020000);
	assert_memory_equal(image_segment(l.image, 0)->data, "internal\x80", 9);
	unload(&l);
}

TEST(the_bytes_are_those_of_um0391)
{
	uint8_t *bytes;
	size_t size;

	assert_int_equal(fw_make(&three, &bytes, &size), 0);
	assert_int_equal(size, 11 + 3 * 274 + 5 * 8 + 3 + 9 + 4 + 4 + 3 + 16);
	assert_memory_equal(bytes, "DfuSe\x01", 6);
	assert_int_equal(get_le32(bytes + 6), size - 16);
	assert_int_equal(bytes[10], 3);
	assert_memory_equal(bytes + 11, "Target\x01\x01\0\0\0SPI Flash : M25P64\0\0", 31);
	assert_int_equal(get_le32(bytes + 11 + 266), 11);
	assert_int_equal(get_le32(bytes + 11 + 270), 1);
	assert_int_equal(get_le32(bytes + 285), 0);
	assert_int_equal(get_le32(bytes + 289), 3);
	assert_memory_equal(bytes + 293, "spiTarget\0\0\0\0\0\0", 15);
	assert_memory_equal(bytes + size - 16, "\0\x22\x11\xDF\x83\x04\x1A\x01UFD\x10", 12);
	free(bytes);
}

/* doc/protocol.md 7: one target, one element of 243,176 bytes. */
TEST(the_documented_example_has_the_documented_sizes)
{
	uint8_t *data = calloc(1, 243176), *bytes;
	const struct segment s = { .addr = 0x08004000, .size = 243176, .data = data };
	const struct fw_make_target t = { .elements = &s, .element_count = 1 };
	const struct fw_make_file f = {
		.vid = 0x0483, .pid = 0xDF11, .targets = &t, .target_count = 1
	};
	size_t size;

	assert_non_null(data);
	assert_int_equal(fw_make(&f, &bytes, &size), 0);
	assert_int_equal(size, 243485);
	assert_int_equal(get_le32(bytes + 6), 243469);
	assert_int_equal(get_le32(bytes + 277), 243184);
	free(bytes);
	free(data);
}

static void
assert_made_again(struct loaded *l)
{
	uint8_t *again;
	size_t size;

	assert_int_equal(l->result, 0);
	assert_int_equal(fw_make_again(l->image, l->facts, &again, &size), 0);
	assert_int_equal(size, l->size);
	assert_memory_equal(again, l->bytes, size);
	free(again);
}

TEST(a_file_made_again_has_the_same_bytes)
{
	struct fw_make_file other = three;
	struct loaded l = load_file(&three);

	assert_made_again(&l);
	unload(&l);
	other.size_counts_suffix = true; /* as dfuse-pack writes it */
	l = load_file(&other);
	assert_true(l.facts->size_counts_suffix);
	assert_made_again(&l);
	unload(&l);
	other.bcd_dfu = 0x0100; /* an old tool's mistake: taken, with a warning */
	l = load_file(&other);
	assert_int_equal(l.facts->warning_count, 1);
	assert_made_again(&l);
	unload(&l);
}

/* Garbage in the upper bytes of bTargetNamed, and a name that is not terminated. */
TEST(other_writers_garbage_survives)
{
	struct loaded l = load_file(&three);
	uint8_t *bytes = malloc(l.size);
	size_t size = l.size;

	assert_non_null(bytes);
	memcpy(bytes, l.bytes, size);
	unload(&l);
	put_le32(bytes + 18, 0xCCCCCC01);
	memset(bytes + 22, 'x', 255);
	bad_mend_crc(bytes, size);
	l = load_bytes(bytes, size);
	assert_int_equal(l.result, 0);
	assert_true(l.facts->targets[0].named);
	assert_int_equal(strlen(l.facts->targets[0].name), 63);
	assert_made_again(&l);
	put_le32(bytes + 18, 0xCCCCCC00); /* only the low byte counts */
	bad_mend_crc(bytes, size);
	bytes = malloc(size);
	assert_non_null(bytes);
	memcpy(bytes, l.bytes, size);
	unload(&l);
	l = load_bytes(bytes, size);
	assert_false(l.facts->targets[0].named);
	assert_string_equal(l.facts->targets[0].name, "");
	assert_made_again(&l);
	unload(&l);
}

TEST(an_image_becomes_a_file_with_a_target_per_alternate)
{
	struct loaded l = load_file(&three);
	struct image *again = NULL;
	struct fw_facts *facts = NULL;
	struct fw_input in = { 0 };
	struct fw_error error;
	uint8_t *bytes;

	assert_int_equal(fw_make_from_image(l.image, &bytes, &in.size), 0);
	in.data = bytes;
	assert_int_equal(fw_dfuse_load(&in, &again, &facts, &error), 0);
	assert_true(image_same(l.image, again));
	assert_int_equal(facts->target_count, 3);
	assert_int_equal(facts->targets[0].alt, 0);
	assert_int_equal(facts->device, FW_MAKE_DEVICE);
	image_unref(again);
	fw_facts_free(facts);
	free(bytes);
	unload(&l);
}

/* A file of tests/fixtures/theirs; free() it by unload(). */
static struct loaded
load_theirs(const char *name)
{
	const char *srcdir = getenv("srcdir");
	uint8_t *bytes = malloc(4096);
	char path[4096];
	size_t size;
	FILE *f;

	snprintf(path, sizeof(path), "%s/tests/fixtures/theirs/%s", srcdir != NULL ? srcdir : ".",
		 name);
	f = fopen(path, "rb");
	assert_non_null(f);
	assert_non_null(bytes);
	size = fread(bytes, 1, 4096, f);
	assert_int_equal(fclose(f), 0);
	return load_bytes(bytes, size);
}

TEST(files_of_other_tools_survive_a_round_trip)
{
	struct loaded l = load_theirs("dfuse-pack.dfu");

	assert_made_again(&l);
	assert_true(l.facts->size_counts_suffix);
	assert_int_equal(l.facts->target_count, 2);
	assert_int_equal(l.facts->targets[1].alt, 1);
	unload(&l);
	l = load_theirs("fwupd.dfu");
	assert_made_again(&l);
	assert_false(l.facts->size_counts_suffix);
	assert_string_equal(l.facts->targets[0].name, "Internal");
	assert_string_equal(l.facts->targets[1].name, "NOR");
	assert_int_equal(l.facts->targets[1].alt, 2);
	assert_int_equal(l.facts->device, 0x2200);
	unload(&l);
	l = load_theirs("dfu-suffix.bin");
	assert_int_equal(l.result, 0);
	assert_int_equal(l.facts->format, FW_DFU);
	assert_int_equal(l.facts->device, 0x0123);
	assert_int_equal(image_bytes(l.image), 64);
	unload(&l);
}

TEST(only_dfuse_is_taken_where_dfuse_is_asked_for)
{
	const struct mkimage_spec spec = { .size = 4096 };
	struct image *image = NULL;
	struct fw_error error;

	for (unsigned f = 0; f < MKIMAGE_FORMAT_COUNT; f++) {
		struct fw_input in = { .addr = FW_ADDR_DEFAULT };
		uint8_t *bytes;

		assert_int_equal(mkimage_make(&spec, (enum mkimage_format)f, &bytes, &in.size), 0);
		in.data = bytes;
		if (f == MKIMAGE_DFU) {
			assert_int_equal(fw_dfuse_load(&in, &image, NULL, &error), 0);
			image_unref(image);
		} else {
			assert_int_equal(fw_dfuse_load(&in, &image, NULL, &error), -EINVAL);
			assert_non_null(strstr(error.text, "not a DfuSe file"));
		}
		free(bytes);
	}
}

TEST(an_empty_list_cannot_be_made_into_a_file)
{
	const struct segment empty = { .addr = 0, .size = 0, .data = NULL };
	struct segment big = { .addr = 0, .size = IMAGE_BYTES_MAX, .data = NULL };
	struct fw_make_target t[17] = { { .elements = &empty, .element_count = 1 } };
	struct fw_make_file f = { .targets = t };
	uint8_t *bytes;
	size_t size;

	assert_int_equal(fw_make(&f, &bytes, &size), -EINVAL);
	f.target_count = 1;
	assert_int_equal(fw_make(&f, &bytes, &size), -EINVAL);
	t[0].element_count = 0;
	assert_int_equal(fw_make(&f, &bytes, &size), -EINVAL);
	f.target_count = 17;
	assert_int_equal(fw_make(&f, &bytes, &size), -E2BIG);
	f.target_count = 2;
	t[0] = t[1] = (struct fw_make_target){ .elements = &big, .element_count = 1 };
	assert_int_equal(fw_make(&f, &bytes, &size), -E2BIG);
}

static int
on_piece_stop(void *ctx, const uint8_t *data, size_t size)
{
	unsigned *left = ctx;

	(void)data;
	(void)size;
	return (*left)-- == 0 ? -EIO : 0;
}

TEST(memories_do_not_overlap_one_another)
{
	static const struct segment a = { .addr = 0x1000,
					  .size = 8,
					  .data = (const uint8_t *)"12345678" };
	static const struct segment b = { .addr = 0x1004,
					  .size = 4,
					  .data = (const uint8_t *)"1234" };
	struct fw_make_target t[] = { { .alt = 0, .elements = &a, .element_count = 1 },
				      { .alt = 1, .elements = &b, .element_count = 1 } };
	const struct fw_make_file f = {
		.vid = 0x0483, .pid = 0xDF11, .targets = t, .target_count = 2
	};
	struct loaded l = load_file(&f);

	assert_int_equal(l.result, 0);
	unload(&l);
	t[1].alt = 0;
	l = load_file(&f);
	assert_int_equal(l.result, -EINVAL);
	assert_non_null(strstr(l.error.text, "overlap"));
	unload(&l);
}

TEST(a_stream_stops_where_it_is_told_to)
{
	static const uint8_t byte[1] = { 0 };
	const struct segment segments[] = {
		{ 0, 0x08004000, 1, byte }, { 0, 0x08005000, 1, byte }, { 1, 0, 1, byte },
		{ 2, 0, 1, byte },	    { 2, 16, 1, byte },
	};

	/* prefix, 3 targets, 5 elements of 2 pieces, suffix of 2 */
	for (unsigned n = 0; n < 16; n++) {
		unsigned left = n;

		assert_int_equal(fw_make_stream_segments(segments, 5, on_piece_stop, &left), -EIO);
		assert_int_equal(left, UINT_MAX);
	}
}

TEST(only_an_image_read_from_dfuse_is_made_into_its_file_again)
{
	const struct mkimage_spec spec = { .size = 4096 };
	struct loaded raw = load_made(&spec, MKIMAGE_BIN), l = load_file(&three);
	uint8_t *bytes;
	size_t size;

	assert_int_equal(fw_make_again(raw.image, raw.facts, &bytes, &size), -EINVAL);
	assert_int_equal(fw_make_again(raw.image, l.facts, &bytes, &size), -EINVAL);
	unload(&raw);
	unload(&l);
}

/* Sixteen targets, the most there can be, with 64 elements each. */
TEST(the_largest_number_of_targets_and_elements_survives)
{
	static struct segment elements[1024];
	struct fw_make_target t[16];
	struct fw_make_file f = { .vid = 0x0483, .pid = 0xDF11, .targets = t, .target_count = 16 };
	struct loaded l;

	for (unsigned i = 0; i < 1024; i++)
		elements[i] = (struct segment){ .addr = 0x1000 - 4 * (i % 64),
						.size = 4,
						.data = (const uint8_t *)"data" };
	for (unsigned i = 0; i < 16; i++)
		t[i] = (struct fw_make_target){ .alt = (uint8_t)(15 - i),
						.elements = elements + 64 * i,
						.element_count = 64 };
	l = load_file(&f);
	assert_int_equal(l.result, 0);
	assert_int_equal(image_segment_count(l.image), 1024);
	assert_made_again(&l);
	unload(&l);
	t[15].element_count = 65;
	assert_int_equal(fw_make(&f, &l.bytes, &l.size), -E2BIG);
}

TEST_MAIN(NULL)
