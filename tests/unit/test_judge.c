/* SPDX-License-Identifier: MIT */
/* The judge against generated images of every kind, and against damage done to them
 * (doc/firmware.md 2-4, 6). */
#include "config.h"

#include "fw_help.h"

#include <stdio.h>

#include "cfdfu/layout.h"
#include "core/platform.h"
#include "firmware/fw.h"
#include "firmware/fw_make.h"

static const char *const platforms[] = { "cf2", "cf21bl", "bolt", "tag", "flapper" };

static struct judgement *
judge_bytes(uint32_t addr, const uint8_t *bytes, size_t size)
{
	struct image *image = image_at(0, addr, bytes, size);
	struct judgement *j = judged(image, NULL);

	image_unref(image);
	return j;
}

static struct judgement *
judge_spec(const struct mkimage_spec *spec, uint32_t addr)
{
	uint8_t *bytes;
	size_t size;
	struct judgement *j;

	assert_int_equal(mkimage_build(spec, &bytes, &size), 0);
	j = judge_bytes(addr, bytes, size);
	free(bytes);
	return j;
}

TEST(every_platform_and_seed_is_accepted_and_read_right)
{
	for (size_t p = 0; p < ARRAY_LEN(platforms); p++)
		for (uint32_t seed = 0; seed < 12; seed++) {
			struct mkimage_spec spec = { .platform = platforms[p],
						     .seed = seed,
						     .tag = "2026.04" };
			char revision[13];
			struct judgement *j = judge_spec(&spec, CRAZYFLIE_APP_ADDR);

			mkimage_revision(&spec, revision);
			if (!j->accepted)
				print_error("%s, seed %u: %s\n", platforms[p], seed,
					    judge_reason(j));
			assert_true(j->accepted);
			assert_int_equal(j->finding_count, 0);
			assert_int_equal(j->platforms, BIT(platform_by_name(platforms[p])));
			assert_string_equal(j->content.version, "2026.04");
			assert_string_equal(j->content.revision, revision);
			assert_int_equal(j->content.modified, CONTENT_NO);
			assert_int_equal(j->content.base, CONTENT_BASE_RIGHT);
			assert_int_equal(j->content.trailer, CONTENT_YES);
			assert_int_equal(j->sector_count, 6);
			assert_int_equal(j->erase_bytes, 368 * 1024);
		}
}

TEST(the_table_of_devices_is_read_record_by_record)
{
	const struct mkimage_spec bolt = { .platform = "bolt" };
	const struct content *c = &judge_spec(&bolt, CRAZYFLIE_APP_ADDR)->content;

	assert_int_equal(c->record_count, 3);
	assert_string_equal(c->records[0].type, "RZ10");
	assert_string_equal(c->records[0].name, "Crazyflie Bolt");
	assert_string_equal(c->records[1].type, "CB10");
	assert_string_equal(c->records[2].type, "CB11");
	assert_string_equal(c->records[2].name, "Crazyflie Bolt 1.1");
	assert_int_equal(c->records[0].addr, CRAZYFLIE_APP_ADDR + 281696 - 0xB0);
}

TEST(an_image_of_2021_fits_drone_and_bolt)
{
	const struct mkimage_spec old = { .old = true };
	struct judgement *j = judge_spec(&old, CRAZYFLIE_APP_ADDR);

	assert_true(j->accepted);
	assert_int_equal(j->platforms, BIT(PLATFORM_CF2) | BIT(PLATFORM_BOLT));
	assert_true(found(j, JUDGE_PLATFORM_SEVERAL));
	assert_string_equal(j->content.version, "2021.06");
	assert_int_equal(j->content.record_count, 4);
	assert_int_equal(j->content.modified, CONTENT_UNKNOWN); /* another order: not guessed */
	assert_false(found(j, JUDGE_MODIFIED));
	assert_int_equal(j->content.trailer, CONTENT_UNKNOWN);
	assert_int_equal(j->sector_count, 5);
}

TEST(the_modified_flag_is_read_and_warned_about)
{
	const struct mkimage_spec spec = { .modified = true, .tag = "2025.12 +3" };
	struct judgement *j = judge_spec(&spec, CRAZYFLIE_APP_ADDR);

	assert_true(j->accepted);
	assert_int_equal(j->content.modified, CONTENT_YES);
	assert_true(found(j, JUDGE_MODIFIED));
	assert_string_equal(j->content.version, "2025.12 +3");
}

TEST(every_form_of_tag_is_read)
{
	static const char *const tags[] = { "2025.12",	      "2024.10.2", "2025.12-rc9",
					    "2025.09.1 +100", "NA",	   "my-lab-7" };

	for (size_t i = 0; i < ARRAY_LEN(tags); i++)
		for (uint32_t seed = 0; seed < 4; seed++) {
			struct mkimage_spec spec = { .tag = tags[i], .size = 20000, .seed = seed };
			struct judgement *j = judge_spec(&spec, CRAZYFLIE_APP_ADDR);

			assert_true(j->accepted);
			assert_string_equal(j->content.version, tags[i]);
		}
}

TEST(an_image_linked_elsewhere_is_refused_for_any_range)
{
	static const uint32_t bases[] = { 0x08000000, 0x08003000, 0x08008000, 0x0800C000,
					  0x08010000 };

	for (size_t p = 0; p < ARRAY_LEN(platforms); p++)
		for (size_t i = 0; i < ARRAY_LEN(bases); i++)
			for (int old = 0; old < 2; old++) {
				struct mkimage_spec spec = { .platform = platforms[p],
							     .base = bases[i],
							     .old = old != 0,
							     .size = 250000 };
				struct judgement *j = judge_spec(&spec, CRAZYFLIE_APP_ADDR);

				assert_false(j->accepted);
				assert_int_equal(j->content.base, CONTENT_BASE_WRONG);
				assert_int_equal(j->content.linked_at, bases[i]);
				assert_int_equal(j->findings[0].code, JUDGE_BASE_WRONG);
			}
}

TEST(an_image_linked_right_but_packed_for_the_loaders_place_is_refused)
{
	const struct mkimage_spec spec = { 0 };
	struct judgement *j = judge_spec(&spec, 0x08000000);

	assert_false(j->accepted);
	assert_true(found(j, JUDGE_LOADER_GUARD));
	assert_true(found(j, JUDGE_BASE_WRONG));
}

/* Bytes of a small good image, for damage; free() them. */
static uint8_t *
small_image(size_t *ret_size)
{
	const struct mkimage_spec spec = { .size = 8192 };
	uint8_t *bytes;

	assert_int_equal(mkimage_build(&spec, &bytes, ret_size), 0);
	return bytes;
}

TEST(a_stack_pointer_needs_no_alignment_but_ram)
{
	static const struct {
		uint32_t sp;
		bool accepted;
	} cases[] = { { 0x20000000, false }, { 0x20000001, true },  { 0x2001FFFF, true },
		      { 0x20020000, true },  { 0x20020001, false }, { 0x1FFFFFFF, false },
		      { 0x10010000, true },  { 0x10010001, false }, { 0, false } };
	size_t size;
	uint8_t *bytes = small_image(&size);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct judgement *j;

		put_le32(bytes, cases[i].sp);
		j = judge_bytes(CRAZYFLIE_APP_ADDR, bytes, size);
		assert_int_equal(j->accepted, cases[i].accepted);
		assert_int_equal(found(j, JUDGE_STACK), !cases[i].accepted);
		assert_int_equal(found(j, JUDGE_STACK_CCM), cases[i].sp == 0x10010000);
	}
	put_le32(bytes, 0xFFFFFFFF);
	assert_true(found(judge_bytes(CRAZYFLIE_APP_ADDR, bytes, size), JUDGE_BLANK_START));
	free(bytes);
}

TEST(the_reset_vector_is_odd_and_inside)
{
	size_t size;
	uint8_t *bytes = small_image(&size);

	put_le32(bytes + 4, CRAZYFLIE_APP_ADDR + 0x200);
	assert_true(found(judge_bytes(CRAZYFLIE_APP_ADDR, bytes, size), JUDGE_RESET_EVEN));
	put_le32(bytes + 4, CRAZYFLIE_APP_ADDR + (uint32_t)size + 1);
	assert_true(found(judge_bytes(CRAZYFLIE_APP_ADDR, bytes, size), JUDGE_RESET_OUTSIDE));
	put_le32(bytes + 4, CRAZYFLIE_APP_ADDR + 8191); /* right behind an odd number of bytes */
	assert_true(found(judge_bytes(CRAZYFLIE_APP_ADDR, bytes, 8191), JUDGE_RESET_OUTSIDE));
	put_le32(bytes + 4, CRAZYFLIE_APP_ADDR + (uint32_t)size - 1);
	assert_true(judge_bytes(CRAZYFLIE_APP_ADDR, bytes, size)->accepted);
	free(bytes);
}

TEST(without_a_witness_for_the_base_the_range_decides)
{
	size_t size;
	uint8_t *bytes = small_image(&size);
	struct judgement *j;

	for (size_t i = 0; i + 1 < size; i += 2)
		if (bytes[i] == 0xFE && bytes[i + 1] == 0xE7)
			bytes[i + 1] = 0x47;
	bytes[size - 1] = 0; /* no trailer any more */
	j = judge_bytes(CRAZYFLIE_APP_ADDR, bytes, size);
	assert_true(j->accepted);
	assert_true(found(j, JUDGE_BASE_UNDECIDED));
	put_le32(bytes + 8, 0x08003001);
	j = judge_bytes(CRAZYFLIE_APP_ADDR, bytes, size);
	assert_false(j->accepted);
	assert_true(found(j, JUDGE_HANDLERS_OUTSIDE));
	/* Too short for a table: undecided, and the two words are right. */
	put_le32(bytes, 0x20001000);
	put_le32(bytes + 4, CRAZYFLIE_APP_ADDR + 9);
	memset(bytes + 8, 0, 56);
	j = judge_bytes(CRAZYFLIE_APP_ADDR, bytes, 200);
	assert_true(j->accepted);
	assert_true(found(j, JUDGE_BASE_UNDECIDED));
	for (size_t n = 1; n < 8; n++)
		assert_true(found(judge_bytes(CRAZYFLIE_APP_ADDR, bytes, n), JUDGE_TOO_SHORT));
	free(bytes);
}

TEST(one_byte_more_than_the_room_is_too_many)
{
	struct mkimage_spec spec = { .size = CRAZYFLIE_APP_BYTES_MAX };
	uint8_t *bytes;
	size_t size;
	struct judgement *j = judge_spec(&spec, CRAZYFLIE_APP_ADDR);

	assert_true(j->accepted);
	assert_int_equal(j->last_addr, 0x080FFFFF);
	assert_int_equal(j->sector_count, 11);
	assert_int_equal(mkimage_build(&spec, &bytes, &size), 0);
	bytes = realloc(bytes, size + 1);
	assert_non_null(bytes);
	bytes[size] = 0;
	j = judge_bytes(CRAZYFLIE_APP_ADDR, bytes, size + 1);
	assert_false(j->accepted);
	assert_true(found(j, JUDGE_TOO_BIG));
	free(bytes);
}

TEST(option_bytes_otp_and_feature_are_never_written)
{
	static const uint32_t places[] = { 0x1FFF7800, 0x1FFF7A0F, 0x1FFFC000, 0x1FFFC008,
					   0xFFFF0000 };
	uint8_t byte = 0;

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		struct judgement *j = judge_bytes(places[i], &byte, 1);

		assert_false(j->accepted);
		assert_true(found(j, JUDGE_OPTION_BYTES));
	}
	for (unsigned alt = 1; alt < 256; alt++) {
		struct image *image = image_at((uint8_t)alt, CRAZYFLIE_APP_ADDR, &byte, 1);
		struct judgement *j = judged(image, NULL);

		assert_false(j->accepted);
		assert_true(found(j, JUDGE_ALTERNATE));
		image_unref(image);
	}
}

TEST(the_last_byte_of_the_loader_is_guarded_too)
{
	uint8_t byte = 0;

	assert_true(found(judge_bytes(0x08003FFF, &byte, 1), JUDGE_LOADER_GUARD));
	assert_true(found(judge_bytes(0x08000000, &byte, 1), JUDGE_LOADER_GUARD));
	assert_false(found(judge_bytes(0x08004000, &byte, 1), JUDGE_LOADER_GUARD));
	assert_false(found(judge_bytes(0x07FFFFFF, &byte, 1), JUDGE_LOADER_GUARD));
	assert_true(found(judge_bytes(0x07FFFFFF, &byte, 1), JUDGE_RANGE));
}

TEST(words_about_the_platform_have_to_agree_with_the_bytes)
{
	const struct mkimage_spec bolt = { .platform = "bolt", .size = 16384 },
				  old = { .old = true };
	struct loaded b = load_made(&bolt, MKIMAGE_BIN), o = load_made(&old, MKIMAGE_BIN);
	struct judge_options words = { .manifest = PLATFORM_BOLT };

	assert_true(judged(b.image, &words)->accepted);
	words.manifest = PLATFORM_CF2;
	assert_false(judged(b.image, &words)->accepted);
	words.manifest = PLATFORM_UNKNOWN;
	words.user_platform = PLATFORM_FLAPPER;
	assert_false(judged(b.image, &words)->accepted);
	assert_true(found(judged(b.image, &words), JUDGE_PLATFORM));
	words.user_platform = PLATFORM_BOLT;
	assert_true(judged(b.image, &words)->accepted);
	assert_int_equal(judged(o.image, &words)->platforms, BIT(PLATFORM_BOLT));
	assert_true(judged(o.image, &words)->accepted);
	words.manifest = PLATFORM_CF2;
	assert_false(judged(o.image, &words)->accepted); /* they contradict each other */
	unload(&b);
	unload(&o);
}

/* A build of Bitcraze's sources without its table lacks more: the platform's name is not enough. */
TEST(an_image_that_names_no_platform_needs_a_second_word)
{
	const struct judge_options words = { .user_platform = PLATFORM_TAG };
	const struct judge_options both = { .user_platform = PLATFORM_TAG, .incomplete = true };
	size_t size;
	uint8_t *bytes = small_image(&size);
	struct image *image;
	struct judgement *j;

	memset(bytes + size - 0x90, 0x11, 0x70); /* the table of devices */
	j = judge_bytes(CRAZYFLIE_APP_ADDR, bytes, size);
	assert_false(j->accepted);
	assert_int_equal(j->findings[0].code, JUDGE_INCOMPLETE);
	assert_int_equal(j->platforms, 0);
	assert_true(found(j, JUDGE_PLATFORM_UNKNOWN));
	image = image_at(0, CRAZYFLIE_APP_ADDR, bytes, size);
	j = judged(image, &words);
	assert_false(j->accepted);
	assert_int_equal(j->findings[0].code, JUDGE_INCOMPLETE);
	j = judged(image, &both);
	assert_true(j->accepted);
	assert_int_equal(j->findings[0].code, JUDGE_INCOMPLETE);
	assert_int_equal(j->findings[0].level, JUDGE_WARN);
	assert_int_equal(j->platforms, BIT(PLATFORM_TAG));
	image_unref(image);
	free(bytes);
}

/* Firmware of other sources, of which nothing is known but its vectors. */
TEST(firmware_of_other_sources_is_taken_at_its_word)
{
	const struct judge_options words = { .user_platform = PLATFORM_BOLT };
	uint8_t bytes[2048];
	struct image *image;
	struct judgement *j;

	memset(bytes, 0x11, sizeof(bytes));
	put_le32(bytes, 0x20020000);
	for (unsigned i = 1; i < 98; i++)
		put_le32(bytes + 4 * i, CRAZYFLIE_APP_ADDR + (i == 1 ? 0x401 : 0x501));
	memset(bytes + 1024, 0, 1024); /* a tail of zeros says nothing */
	memcpy(bytes + 0x500, "\xFE\xE7", 2);
	image = image_at(0, CRAZYFLIE_APP_ADDR, bytes, sizeof(bytes));
	j = judged(image, &words);
	assert_true(j->accepted);
	assert_false(j->content.bitcraze);
	assert_int_equal(j->platforms, BIT(PLATFORM_BOLT));
	assert_true(found(j, JUDGE_PLATFORM_UNKNOWN));
	image_unref(image);
}

/* Judges as the daemon does: a DfuSe file made from the image is loaded and judged alone. */
static void
judge_as_daemon(const struct image *image, const struct judge_options *options,
		struct judgement *ret)
{
	struct fw_input in = { 0 };
	struct image *again = NULL;
	struct fw_error error;
	uint8_t *bytes;

	assert_int_equal(fw_make_from_image(image, &bytes, &in.size), 0);
	in.data = bytes;
	assert_int_equal(fw_dfuse_load(&in, &again, NULL, &error), 0);
	assert_true(image_same(image, again));
	assert_int_equal(judge_image(again, options, ret), 0);
	image_unref(again);
	free(bytes);
}

TEST(client_and_daemon_come_to_the_same_verdict)
{
	static struct judgement theirs;

	for (unsigned format = MKIMAGE_BIN; format < MKIMAGE_FORMAT_COUNT; format++)
		for (unsigned kind = 0; kind < 6; kind++) {
			struct mkimage_spec spec = { .size = 12000,
						     .platform = platforms[kind % 5],
						     .base = kind == 3 ? 0x08000000 : 0,
						     .old = kind == 5,
						     .modified = kind == 4,
						     .loader = kind == 2 };
			struct judge_options options = { 0 };
			struct loaded l = load_made(&spec, (enum mkimage_format)format);
			struct judgement *ours;

			if (format == MKIMAGE_ZIP3) {
				assert_true(l.result < 0);
				unload(&l);
				continue;
			}
			assert_int_equal(l.result, 0);
			options.manifest = l.facts->release.platform;
			ours = judged(l.image, &options);
			judge_as_daemon(l.image, &options, &theirs);
			assert_memory_equal(ours, &theirs, sizeof(theirs));
			unload(&l);
		}
}

TEST(other_devices_are_judged_by_their_description)
{
	struct device board;
	const struct judge_options options = { .device = &board };
	uint8_t bytes[64] = { 0 };
	struct image *image;
	char why[DEVICE_WHY_MAX];

	assert_int_equal(device_init(&board, "STM32F10x", why), 0);
	assert_int_equal(device_set(&board, "application-base", "0x08003000", why), 0);
	assert_int_equal(
	    device_set(&board, "map-0", "@Internal Flash  /0x08000000/06*002Ka,250*002Kg", why), 0);
	put_le32(bytes, 0x20005000);
	put_le32(bytes + 4, 0x08003021);
	image = image_at(0, 0x08003000, bytes, sizeof(bytes));
	assert_true(judged(image, &options)->accepted);
	assert_int_equal(judged(image, &options)->erase_bytes, 2048);
	image_unref(image);
	put_le32(bytes + 4, 0x08000021);
	image = image_at(0, 0x08000000, bytes, sizeof(bytes));
	assert_false(judged(image, &options)->accepted);
	assert_true(found(judged(image, &options), JUDGE_PROTECTED));
	image_unref(image);
	image = image_at(1, 0x00000000, bytes, sizeof(bytes));
	assert_true(found(judged(image, &options), JUDGE_ALTERNATE));
	image_unref(image);
	image = image_at(0, 0x08080000, bytes, sizeof(bytes));
	assert_true(found(judged(image, &options), JUDGE_RANGE));
	image_unref(image);
	/* In one sector of 2 KiB with what is protected, though not touching it. */
	assert_int_equal(device_set(&board, "protected", "0x08041000-0x080410FF", why), 0);
	image = image_at(0, 0x08041400, bytes, sizeof(bytes));
	assert_true(found(judged(image, &options), JUDGE_LOADER_GUARD));
	image_unref(image);
	image = image_at(0, 0x08041800, bytes, sizeof(bytes));
	assert_false(found(judged(image, &options), JUDGE_LOADER_GUARD));
	image_unref(image);
	assert_int_equal(device_set(&board, "map", "as it says", why), 0);
	assert_int_equal(device_set(&board, "protected", "", why), 0);
	assert_int_equal(
	    device_set(&board, "protected", "0x08000000-0x08002FFF 0x08040000-0x08040FFF", why), 0);
	image = image_at(0, 0x08002FFF, bytes, sizeof(bytes));
	assert_true(found(judged(image, &options), JUDGE_LOADER_GUARD));
	image_unref(image);
	image = image_at(0, 0x08040FFF, bytes, sizeof(bytes));
	assert_true(found(judged(image, &options), JUDGE_LOADER_GUARD));
	image_unref(image);
	image = image_at(0, 0x08041000, bytes, sizeof(bytes));
	assert_false(found(judged(image, &options), JUDGE_LOADER_GUARD));
	image_unref(image);
}

TEST(sectors_are_counted_once_in_order)
{
	uint8_t bytes[16] = { 0 };
	const struct segment segments[] = { { .addr = 0x08004000, .size = 4, .data = bytes },
					    { .addr = 0x08004010, .size = 16, .data = bytes },
					    { .addr = 0x08007FFC, .size = 8, .data = bytes },
					    { .addr = 0x08040000, .size = 1, .data = bytes } };
	struct image_label label = { 0 };
	struct sector sectors[2];
	struct image *image;

	assert_int_equal(image_new(segments, 4, &label, &image), 0);
	assert_int_equal(judge_sectors(image, 0, &device_crazyflie()->map[0], sectors, 2), 3);
	assert_int_equal(sectors[0].addr, 0x08004000);
	assert_int_equal(sectors[1].addr, 0x08008000);
	assert_int_equal(judge_sectors(image, 1, &device_crazyflie()->map[0], sectors, 2), 0);
	assert_true(found(judged(image, NULL), JUDGE_GAPS));
	image_unref(image);
}

TEST(every_finding_has_a_name_of_its_own)
{
	for (unsigned a = 0; a < JUDGE_CODE_COUNT; a++) {
		assert_string_not_equal(judge_code_name((enum judge_code)a), "unknown");
		for (unsigned b = 0; b < a; b++)
			assert_string_not_equal(judge_code_name((enum judge_code)a),
						judge_code_name((enum judge_code)b));
	}
	assert_string_equal(judge_code_name(JUDGE_CODE_COUNT), "unknown");
	assert_string_equal(judge_level_name(JUDGE_NOTE), "note");
	assert_string_equal(judge_level_name(JUDGE_WARN), "warning");
	assert_string_equal(judge_level_name(JUDGE_REFUSE), "refused");
}

TEST_MAIN(NULL)
