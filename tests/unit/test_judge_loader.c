/* SPDX-License-Identifier: MIT */
/* Loader recovery: what is fit for sector 0, and that nothing else is (doc/firmware.md 6). */
#include "config.h"

#include "fw_help.h"

#include "fixtures/bad.h"

TEST(the_loader_is_known_by_content_and_goes_to_its_own_place_only)
{
	const struct mkimage_spec loader = { .loader = true }, app = { .size = 8192 },
				  app_there = { .size = 8192, .base = 0x08000000 };
	struct loaded l = load_made(&loader, MKIMAGE_DFU), a = load_made(&app, MKIMAGE_BIN),
		      t = load_made(&app_there, MKIMAGE_DFU), raw = load_made(&loader, MKIMAGE_BIN);
	const struct fw_input in = { .data = t.bytes, .size = t.size };
	struct image *nameless = NULL;
	struct fw_error error;
	struct judgement j;

	assert_false(judged(l.image, NULL)->accepted);
	assert_true(found(judged(l.image, NULL), JUDGE_IS_LOADER));
	assert_int_equal(judge_loader(l.image, &j), 0);
	assert_true(j.accepted);
	assert_int_equal(j.finding_count, 0);
	assert_int_equal(j.sector_count, 1);
	assert_int_equal(judge_loader(a.image, &j), 0);
	assert_false(j.accepted);
	assert_int_equal(judge_loader(t.image, &j),
			 0); /* a normal image, linked for the loader's place */
	assert_false(j.accepted);
	assert_true(found(&j, JUDGE_NOT_LOADER));
	/* Its table of devices gives it away without a version too. */
	memset(t.bytes + 293 + 0x1800, 0x11, 0x400);
	bad_mend_crc(t.bytes, t.size);
	assert_int_equal(fw_load(&in, &nameless, NULL, &error), 0);
	assert_int_equal(judge_loader(nameless, &j), 0);
	assert_string_equal(j.content.version, "");
	assert_true(!j.accepted && found(&j, JUDGE_NOT_LOADER));
	image_unref(nameless);
	assert_int_equal(judge_loader(raw.image, &j), 0); /* at 0x08004000 */
	assert_false(j.accepted);
	assert_true(found(&j, JUDGE_START));
	unload(&l);
	unload(&a);
	unload(&t);
	unload(&raw);
}

TEST(a_loader_that_does_not_fit_its_sector_or_starts_outside_is_refused)
{
	static uint8_t bytes[0x4001];
	struct image *image;
	struct judgement j;

	memset(bytes, 0, sizeof(bytes));
	put_le32(bytes, 0x20005000);
	put_le32(bytes + 4, 0x08000101);
	image = image_at(0, 0x08000000, bytes, 0x4000);
	assert_int_equal(judge_loader(image, &j), 0);
	assert_true(j.accepted);
	assert_true(found(&j, JUDGE_NOT_LOADER)); /* a warning: not cf2loader as we know it */
	image_unref(image);
	image = image_at(0, 0x08000000, bytes, 0x4001);
	assert_int_equal(judge_loader(image, &j), 0);
	assert_true(!j.accepted && found(&j, JUDGE_TOO_BIG));
	image_unref(image);
	image = image_at(1, 0x08000000, bytes, 0x4000);
	assert_int_equal(judge_loader(image, &j), 0);
	assert_true(!j.accepted && found(&j, JUDGE_RANGE));
	image_unref(image);
	put_le32(bytes + 4, 0x08004001);
	image = image_at(0, 0x08000000, bytes, 0x4000);
	assert_int_equal(judge_loader(image, &j), 0);
	assert_true(!j.accepted && found(&j, JUDGE_RESET_OUTSIDE));
	image_unref(image);
}

TEST_MAIN(NULL)
