/* SPDX-License-Identifier: MIT */
/* The parts of a release that DFU mode does not carry: which are fit to be kept, and why not. */
#include "config.h"

#include "fw_help.h"

#include "fixtures/foreign.h"
#include "fixtures/parts.h"
#include "firmware/judge_part.h"

#define BUNDLE "bootloader+softdevice"

/* The judgement of these bytes. */
static const struct judgement *
part_judged(const char *target, const char *type, const char *version, const uint8_t *bytes,
	    size_t size)
{
	static struct judgement j;
	struct image_part p = { .bytes = bytes, .length = (uint32_t)size };

	copy_text(p.target, sizeof(p.target), target);
	copy_text(p.type, sizeof(p.type), type);
	copy_text(p.version, sizeof(p.version), version);
	judge_part(&p, "sd-s130", &j);
	return &j;
}

static void
refused_for(const char *words, const struct judgement *j)
{
	assert_false(j->accepted);
	assert_non_null(strstr(judge_reason(j), words));
	assert_true(judge_says(j, JUDGE_PART));
}

TEST(a_lighthouse_bitstream_is_known_by_length_and_crc)
{
	static uint8_t b[PARTS_LIGHTHOUSE_BYTES];
	const struct judgement *j;

	parts_bitstream(b, PARTS_LIGHTHOUSE_BYTES, PARTS_LIGHTHOUSE_CRC);
	j = part_judged("bcLighthouse4", "fw", "V6", b, PARTS_LIGHTHOUSE_BYTES);
	assert_true(j->accepted && j->finding_count == 0);
	parts_bitstream(b, PARTS_LIGHTHOUSE_2026_08_BYTES, PARTS_LIGHTHOUSE_2026_08_CRC);
	j = part_judged("bcLighthouse4", "fw", "V7", b, PARTS_LIGHTHOUSE_2026_08_BYTES);
	assert_true(j->accepted && j->finding_count == 0);
	/* Neither the length alone nor the CRC alone. */
	parts_bitstream(b, PARTS_LIGHTHOUSE_2026_08_BYTES, PARTS_LIGHTHOUSE_CRC);
	j = part_judged("bcLighthouse4", "fw", "V7", b, PARTS_LIGHTHOUSE_2026_08_BYTES);
	assert_true(j->accepted && j->finding_count == 1);
	assert_int_equal(j->findings[0].level, JUDGE_WARN);
	assert_non_null(strstr(j->findings[0].text, "not a bitstream known here"));
	parts_bitstream(b, PARTS_LIGHTHOUSE_BYTES, PARTS_LIGHTHOUSE_CRC);
	b[100] ^= 1;
	j = part_judged("bcLighthouse4", "fw", "V6", b, PARTS_LIGHTHOUSE_BYTES);
	assert_true(j->accepted && j->finding_count == 1);
}

TEST(a_colour_led_deck_gets_what_an_stm32c0_can_run)
{
	static const struct {
		uint32_t bytes, sp, reset;
		const char *refused;
	} cases[] = {
		{ 20000, 0x20003000, 0x080000C1, NULL },
		{ 32768, 0x20001800, 0x08002101, NULL },
		{ 32769, 0x20003000, 0x080000C1, "32769 bytes" },
		{ 20000, 0x20000000, 0x080000C1, "initial stack pointer" },
		{ 20000, 0x20013000, 0x080000C1, "initial stack pointer" },
		{ 20000, 0x20003000, 0x080000C0, "reset vector" },
		{ 20000, 0x20003000, 0x080100C1, "reset vector" },
		{ 20000, 0x20003000, 0x200000C1, "reset vector" },
	};
	static uint8_t b[40000];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		parts_vectors(b, cases[i].bytes, cases[i].sp, cases[i].reset, NULL);
		for (int top = 0; top < 2; top++) {
			const struct judgement *j =
			    part_judged(top ? "bcColorLedTop:col" : "bcColorLedBot:col", "fw",
					"0.1.2", b, cases[i].bytes);

			if (cases[i].refused == NULL)
				assert_true(j->accepted && j->finding_count == 0);
			else
				refused_for(cases[i].refused, j);
		}
	}
	refused_for("4 bytes", part_judged("bcColorLedTop:col", "fw", "0.1.2", b, 4));
}

TEST(firmware_of_the_nrf51_is_judged_for_its_soft_device)
{
	static const struct {
		uint32_t bytes, sp, reset;
		const char *text, *refused;
	} cases[] = {
		{ 30000, 0x20004000, 0x1B0C1, "2025.12", NULL },
		{ 126976, 0x20004000, 0x39FFF, "2025.12", NULL },
		{ 126977, 0x20004000, 0x1B0C1, "2025.12", "126977 bytes" },
		{ 30000, 0x20004004, 0x1B0C1, "2025.12", "initial stack pointer" },
		{ 30000, 0xFFFFFFFF, 0xFFFFFFFF, "2025.12", "initial stack pointer" },
		{ 30000, 0x20004000, 0x1B0C0, "2025.12", "reset vector" },
		{ 30000, 0x20004000, 0x1AFFF, "2025.12", "reset vector" },
		{ 30000, 0x20004000, 0x1B000 + 30001, "2025.12", "reset vector" },
		{ 30000, 0x20004000, 0x160C1, "2025.12", "reset vector" },
		{ 30000, 0x20004000, 0x1B0C1, "2025.09", "the version that the release gives" },
	};
	static uint8_t b[130000];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct judgement *j;

		parts_vectors(b, cases[i].bytes, cases[i].sp, cases[i].reset, cases[i].text);
		j = part_judged("nrf51", "fw", "2025.12", b, cases[i].bytes);
		if (cases[i].refused == NULL)
			assert_true(j->accepted && j->finding_count == 0);
		else
			refused_for(cases[i].refused, j);
	}
}

TEST(a_release_that_names_no_soft_device_may_be_for_either)
{
	static uint8_t b[10000];
	static struct judgement j;
	struct image_part p = { "nrf51", "fw", "2021.06", b, sizeof(b), 0 };

	parts_vectors(b, sizeof(b), 0x20004000, 0x160C1, "2021.06");
	judge_part(&p, "", &j);
	assert_true(j.accepted);
	judge_part(&p, NULL, &j);
	assert_true(j.accepted);
	judge_part(&p, "sd-s110", &j);
	assert_true(j.accepted);
	judge_part(&p, "sd-s130", &j);
	assert_false(j.accepted);
	parts_vectors(b, sizeof(b), 0x20004000, 0x1B0C1, "2021.06");
	judge_part(&p, "sd-s110", &j);
	assert_false(j.accepted);
}

TEST(the_nrf51s_version_is_what_a_drone_says_of_it)
{
	static const char *const said[][2] = {
		{ "2025.12", "2025.12" },
		{ "2025.12 (CF21)", "2025.12" },
		{ "2025.12*", "2025.12" },
		{ "2024.10-rc1-of-my-own", "2024.10-rc1-of-" },
	};
	static uint8_t b[64];
	static struct judgement j;

	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		struct image_part p = { "nrf51", "fw", "", b, sizeof(b), 0 };

		copy_text(p.version, sizeof(p.version), said[i][0]);
		judge_part(&p, "sd-s130", &j);
		assert_string_equal(p.version, said[i][1]);
		copy_text(p.target, sizeof(p.target), "bcAI:esp");
		copy_text(p.version, sizeof(p.version), said[i][0]);
		judge_part(&p, "", &j);
		assert_string_equal(p.version, said[i][0]);
	}
}

TEST(a_bundle_is_whole_pages_with_a_page_of_flags)
{
	static uint8_t b[128 * 1024];

	parts_bundle(b, 94 * 1024);
	assert_true(part_judged("nrf51", BUNDLE, "2024.10", b, 94 * 1024)->accepted);
	refused_for("pages", part_judged("nrf51", BUNDLE, "2024.10", b, 94 * 1024 - 1));
	refused_for("pages", part_judged("nrf51", BUNDLE, "2024.10", b, 125 * 1024));
	refused_for("last page", part_judged("nrf51", BUNDLE, "2024.10", b, 93 * 1024));
	b[93 * 1024 + 6] ^= 1;
	refused_for("last page", part_judged("nrf51", BUNDLE, "2024.10", b, 94 * 1024));
}

TEST(what_nothing_is_known_of_is_kept_for_being_reported)
{
	static uint8_t b[PART_BYTES_MAX + 1];

	assert_true(part_judged("bcAI:gap8", "fw", "2025.02", b, 100000)->accepted);
	assert_true(part_judged("bcAI:esp", "fw", "2025.02", b, PART_BYTES_MAX)->accepted);
	refused_for("expected 1 to", part_judged("bcAI:esp", "fw", "1", b, PART_BYTES_MAX + 1));
	refused_for("expected 1 to", part_judged("bcAI:esp", "fw", "1", b, 0));
	refused_for("no target", part_judged("", "fw", "1", b, 10));
	refused_for("no target", part_judged("bcAI:esp", "", "1", b, 10));
	assert_int_equal(judge_part_use("bcAI:esp"), PART_REPORTED);
	assert_int_equal(judge_part_use("bcLighthouse4"), PART_DECK);
	assert_int_equal(judge_part_use("bcColorLedTop:col"), PART_DECK);
	assert_int_equal(judge_part_use("nrf51"), PART_RADIO);
	assert_string_equal(judge_part_words("bcLighthouse4", "bootloader"),
			    judge_part_words("bcAI:gap8", "fw"));
}

/* The foreign file of this name, loaded. */
static struct loaded
load_foreign(const char *name)
{
	const struct foreign_file *f;
	uint8_t *bytes = NULL;
	size_t size = 0;

	for (size_t i = 0; (f = foreign_file(i)) != NULL; i++)
		if (strcmp(f->name, name) == 0)
			break;
	assert_non_null(f);
	assert_int_equal(f->make(f, &bytes, &size), 0);
	return load_bytes(bytes, size);
}

TEST(a_release_brings_a_part_for_each_target)
{
	static const char *const targets[] = { "nrf51", "bcLighthouse4", "bcAI:esp",
					       "bcColorLedBot:col", "bcColorLedTop:col" };
	struct loaded l = load_foreign("release-decks.zip");

	assert_int_equal(l.result, 0);
	assert_int_equal(l.facts->release.part_count, ARRAY_LEN(targets));
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		const struct fw_part *p = &l.facts->release.parts[i];

		assert_string_equal(p->part.target, targets[i]);
		assert_string_equal(p->part.type, "fw");
		assert_non_null(p->part.bytes);
		assert_true(p->part.length > 0);
	}
	assert_int_equal(l.facts->release.parts[1].part.crc32, PARTS_LIGHTHOUSE_CRC);
	assert_string_equal(l.facts->release.parts[4].file, "color-led.bin");
	assert_int_equal(l.facts->warning_count, 1);
	unload(&l);
}

static bool
is_noted(const struct loaded *l, const char *words)
{
	for (size_t i = 0; i < l->facts->warning_count; i++)
		if (strstr(l->facts->warnings[i], words) != NULL)
			return true;
	return false;
}

TEST(bad_parts_are_named_and_left_out_and_the_image_stays_usable)
{
	struct loaded l = load_foreign("release-decks-bad.zip");

	assert_int_equal(l.result, 0);
	assert_string_equal(image_label(l.image)->version, "2025.12");
	assert_int_equal(l.facts->release.part_count, 1);
	assert_string_equal(l.facts->release.parts[0].part.target, "bcLighthouse4");
	assert_true(is_noted(&l, "left out: \"cf2_nrf-2025.12.bin\" for nrf51: initial stack"));
	assert_true(is_noted(&l, "\"lighthouse.bin\" for bcLighthouse4: not a bitstream known"));
	assert_true(is_noted(&l, "left out: \"aideck_esp.bin\" for bcAI:esp: not in the archive"));
	assert_true(is_noted(&l, "left out: \"color-led.bin\" for bcColorLedBot:col: reset"));
	assert_true(is_noted(&l, "left out: \"color-led.bin\" for bcColorLedTop:col: reset"));
	unload(&l);
}

TEST_MAIN(NULL)
