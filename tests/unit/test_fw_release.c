/* SPDX-License-Identifier: MIT */
/* The release zip: what its manifest says, what it cannot bring, what both versions have in common.
 */
#include "config.h"

#include "fw_help.h"

#include <errno.h>
#include <stdio.h>

#include "core/platform.h"
#include "cfdfu/platform.h"

/* A zip of this manifest and cf2.bin; the files it names beside are not in it. */
static struct loaded
load_manifest(const char *manifest)
{
	const struct mkimage_spec spec = { .size = 8192 };
	struct mkimage_member members[2] = { { "manifest.json", manifest, strlen(manifest) },
					     { "cf2.bin", NULL, 0 } };
	uint8_t *bytes, *zip;
	size_t size;

	assert_int_equal(mkimage_build(&spec, &bytes, &members[1].size), 0);
	members[1].data = bytes;
	assert_int_equal(mkimage_zip(members, 2, &zip, &size), 0);
	free(bytes);
	return load_bytes(zip, size);
}

TEST(both_manifest_versions_say_what_is_in_the_zip)
{
	for (int version = 1; version <= 2; version++) {
		const struct mkimage_spec spec = { .platform = "bolt",
						   .tag = "2024.10.2",
						   .size = 8192 };
		struct loaded l = load_made(&spec, version == 1 ? MKIMAGE_ZIP1 : MKIMAGE_ZIP2);
		const struct fw_release_facts *f;

		assert_int_equal(l.result, 0);
		f = &l.facts->release;
		assert_int_equal(f->manifest_version, version);
		assert_int_equal(f->platform, PLATFORM_BOLT);
		assert_string_equal(f->fw_platform, "bolt");
		assert_string_equal(f->release, "2024.10.2");
		assert_string_equal(f->stm32_file, "bolt-2024.10.2.bin");
		assert_string_equal(f->stm32_release, "2024.10.2");
		assert_true(f->nrf);
		assert_string_equal(f->nrf_release, "2025.02");
		assert_int_equal(f->deck_files, 2);
		assert_int_equal(l.facts->warning_count, 1);
		assert_string_equal(l.facts->warnings[0],
				    "DFU mode installs the STM32's part; beside it: the nRF51's "
				    "firmware 2025.02 (by radio only) and 2 deck firmware files");
		assert_int_equal(f->part_count, version == 1 ? 4 : 5);
		assert_string_equal(f->parts[0].part.target, "nrf51");
		assert_string_equal(f->parts[0].part.version, "2025.02");
		assert_string_equal(f->parts[0].soft_device, version == 1 ? "" : "sd-s130");
		unload(&l);
	}
}

TEST(every_platform_of_fw_platform_is_known)
{
	static const char *const names[] = { "cf2", "cf21bl", "bolt", "tag", "flapper" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct mkimage_spec spec = { .platform = names[i], .size = 8192 };
		struct loaded l = load_made(&spec, MKIMAGE_ZIP2);

		assert_int_equal(l.result, 0);
		assert_int_equal(l.facts->release.platform, platform_by_name(names[i]));
		assert_int_equal(image_label(l.image)->platforms, BIT(platform_by_name(names[i])));
		unload(&l);
	}
}

TEST(a_manifest_without_fw_platform_is_taken_with_a_warning)
{
	struct loaded l = load_manifest(
	    "{\"version\":1,\"subversion\":2,\"files\":{"
	    "\"cf1.bin\":{\"platform\":\"cf1\",\"target\":\"stm32\",\"type\":\"fw\"},"
	    "\"cf2.bin\":{\"platform\":\"cf2\",\"target\":\"stm32\",\"type\":\"fw\"}}}");

	assert_int_equal(l.result, 0);
	assert_int_equal(l.facts->release.platform, PLATFORM_UNKNOWN);
	assert_int_equal(l.facts->warning_count, 1);
	assert_non_null(strstr(l.facts->warnings[0], "no fw_platform"));
	assert_int_equal(image_label(l.image)->platforms, BIT(PLATFORM_CF2)); /* as the bytes say */
	unload(&l);
}

TEST(targets_come_as_text_and_as_list)
{
	struct loaded l = load_manifest(
	    "{\"version\":2,\"fw_platform\":\"cf2\",\"files\":{"
	    "\"cf2.bin\":{\"platform\":\"cf2\",\"target\":[\"stm32\"],\"type\":\"fw\"},"
	    "\"sd.bin\":{\"platform\":\"cf2\",\"target\":\"nrf51\",\"type\":\"bootloader+"
	    "softdevice\"},"
	    "\"x.bin\":{\"platform\":\"cf2\",\"target\":[\"fpga\"],\"type\":\"fw\"},"
	    "\"a.bin\":{\"platform\":\"deck\",\"target\":[\"bcAI:esp\",7],\"type\":\"fw\"},"
	    "\"b.bin\":{\"platform\":\"deck\",\"target\":\"bcLighthouse4\",\"type\":\"fw\"}}}");

	assert_int_equal(l.result, 0);
	assert_int_equal(l.facts->release.deck_files, 2);
	/* None of the three is in the zip; what is no text is no target. */
	assert_int_equal(l.facts->warning_count, 4);
	assert_int_equal(l.facts->release.part_count, 0);
	for (size_t i = 1; i < 4; i++)
		assert_non_null(strstr(l.facts->warnings[i], ": not in the archive"));
	unload(&l);
}

TEST(manifest_texts_are_shown_without_control_characters)
{
	struct loaded l = load_manifest("{\"version\":2,\"fw_platform\":\"cf2\","
					"\"release\":\"\\u001b[31m\\u00e5\\n\","
					"\"files\":{\"cf2.bin\":{\"platform\":\"cf2\",\"target\":"
					"\"stm32\",\"type\":\"fw\"}}}");

	assert_int_equal(l.result, 0);
	assert_string_equal(l.facts->release.release, "?[31m???");
	unload(&l);
}

TEST(the_address_of_a_release_is_fixed)
{
	const struct mkimage_spec spec = { .size = 8192 };
	struct fw_input in = { .addr = 0x08000000 };
	struct image *image = NULL;
	struct fw_error error;
	uint8_t *bytes;

	assert_int_equal(mkimage_make(&spec, MKIMAGE_ZIP2, &bytes, &in.size), 0);
	in.data = bytes;
	assert_int_equal(fw_load(&in, &image, NULL, &error), 0);
	assert_int_equal(image_segment(image, 0)->addr, 0x08004000);
	image_unref(image);
	free(bytes);
}

/* Every byte of the archive's own structure changed in turn: refused, or the same image. */
TEST(a_changed_archive_never_gives_another_image)
{
	const struct mkimage_spec spec = { .size = 4096 };
	struct loaded whole = load_made(&spec, MKIMAGE_ZIP2);

	for (size_t i = 0; i < whole.size; i++) {
		uint8_t *copy = malloc(whole.size);
		struct loaded l;

		assert_non_null(copy);
		memcpy(copy, whole.bytes, whole.size);
		copy[i] ^= (uint8_t)(1U << i % 8);
		l = load_bytes(copy, whole.size);
		if (i < 4) /* its signature: a plain binary then, which the judge refuses */
			assert_false(judged(l.image, NULL)->accepted);
		else if (l.result == 0)
			assert_true(image_same(l.image, whole.image));
		else
			assert_null(l.image);
		unload(&l);
	}
	unload(&whole);
}

TEST_MAIN(NULL)
