/* SPDX-License-Identifier: MIT */
/*
 * The boot text of a drone: lines out of pieces that are cut anywhere.  The real one is of the
 * firmware of 2026.08 (tests/fixtures/crtp-2026.08.txt); other lines are written from
 * doc/beyond-dfu.md 7 and the firmware's own words.
 */
#include "config.h"

#include "core/console.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "cfdfu/util.h"

static uint8_t text[2048];
static size_t text_bytes;

/* The packets of the first section: "   00 2d 2d 2d 0a   b'---\n'", header first. */
static int
read_boot_text(void **state)
{
	const char *srcdir = getenv("srcdir");
	char path[4096], line[4096];
	FILE *f;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/tests/fixtures/crtp-2026.08.txt",
		       srcdir != NULL ? srcdir : ".");
	f = fopen(path, "re");
	assert_non_null(f);
	text_bytes = 0;
	assert_non_null(fgets(line, sizeof(line), f));
	while (fgets(line, sizeof(line), f) != NULL && line[0] == ' ') {
		unsigned byte;
		int n, at = 0;

		for (unsigned i = 0; sscanf(line + at, " %2x%n", &byte, &n) == 1; i++, at += n) {
			if (line[at + n] != ' ')
				break;
			if (i > 0)
				text[text_bytes++] = (uint8_t)byte;
		}
	}
	(void)fclose(f);
	assert_in_range(text_bytes, 600, 700);
	return 0;
}

static struct condition
heard(const uint8_t *bytes, size_t length, size_t cut, size_t piece)
{
	struct condition c = { .looked = false };
	struct console k = { .length = 0 };

	console_take(&k, bytes, cut, &c);
	while (cut < length) {
		size_t n = length - cut < piece ? length - cut : piece;

		console_take(&k, bytes + cut, n, &c);
		cut += n;
	}
	return c;
}

static struct condition
said(const char *line)
{
	return heard((const uint8_t *)line, strlen(line), 0, 30);
}

TEST_WITH(the_real_boot_text_is_read_wherever_it_is_cut, read_boot_text, NULL)
{
	for (size_t piece = 1; piece < 32; piece++) {
		size_t last = piece == 31 ? text_bytes : piece;

		for (size_t cut = 0; cut < last; cut++) {
			struct condition c = heard(text, text_bytes, cut, piece);

			assert_int_equal(c.selftest, SELFTEST_PASS);
			assert_string_equal(c.nrf_version, "2026.01");
			assert_string_equal(c.failed_module, "");
			assert_string_equal(c.crash, "");
		}
	}
}

TEST_WITH(nothing_is_read_from_the_beginning_of_a_text_that_is_not_there_yet, read_boot_text, NULL)
{
	for (size_t length = 0; length <= text_bytes; length++) {
		struct condition c = heard(text, length, 0, 30);

		assert_true(c.selftest != SELFTEST_FAIL);
		assert_true(c.nrf_version[0] == '\0' || strcmp(c.nrf_version, "2026.01") == 0);
	}
}

TEST(the_nrf51s_version_is_taken_whole_or_not_at_all)
{
	static const struct {
		const char *line, *version;
	} lines[] = {
		{ "SYS: NRF51 version: 2025.12 (CF21)\n", "2025.12" },
		{ "NRF51 version: 2025.12* (CF20)\n", "2025.12*" },
		{ "PM: NRF51 version: 2025.12 +3* (CF21)\r\n", "2025.12 +3*" },
		{ "SYS: NRF51 version: 2025.1<F>\n", "" },
		{ "SYS: NRF51 version: 2025.12 (CF\n", "" },
		{ "SYS: NRF51 version:  (CF21)\n", "" },
		{ "SYS: NRF51 version: 2025.12 (CF21)", "" },
		{ "SYS: NRF51 version: 0123456789012345678901234567890 (CF21)\n",
		  "012345678901234" },
	};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		assert_string_equal(said(lines[i].line).nrf_version, lines[i].version);
}

TEST(a_failed_module_is_told_from_a_test_within_one)
{
	static const struct {
		const char *text, *module;
	} texts[] = {
		{ "SYS: cfAssertNormalStart [FAIL]\n", "cfAssertNormalStart" },
		{ "cfAssertNormalStart [FAIL]\n", "cfAssertNormalStart" },
		{ "SYS: CRTP mem [FAIL]\n", "CRTP mem" },
		{ "SYS: deck [FAIL]\nSYS: mem [FAIL]\n", "deck" },
		{ "STORAGE: Storage check [FAIL].\n", "" },
		{ "CFGBLK: Verification [FAIL]\n", "" },
		{ "DECK_CORE: Deck 0 test [FAIL].\n", "" },
		{ "LHFL: Bitstream CRC32: 563A0D3E [FAIL]\n", "" },
		{ "SYS: deck [FAIL", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct condition c = said(texts[i].text);

		assert_string_equal(c.failed_module, texts[i].module);
		assert_int_equal(c.selftest,
				 texts[i].module[0] != '\0' ? SELFTEST_FAIL : SELFTEST_UNKNOWN);
	}
}

TEST(the_last_runs_crash_is_reported_once_it_is_told)
{
	static const struct {
		const char *text, *crash;
	} texts[] = {
		{ "SYS: The system resumed after a failed assert [WARNING]\n", "a failed assert" },
		{ "SYS: The system resumed after a failed assert [WARNING]\n"
		  "CFASSERT: Assert failed at vendor/FreeRTOS/queue.c:765\n",
		  "vendor/FreeRTOS/queue.c:765" },
		{ "SYS: Hardfault. r0: 1, r1: 20001234, r2: 3, r3: 4, r12: 5, lr: 8004321, "
		  "pc: 801ABCD, psr: 61000000\n",
		  "Hardfault, pc 801ABCD, lr 8004321" },
		{ "SYS: Hardfault. r0: 1, r1:\n", "Hardfault" },
		{ "SYS: Assert failed: stack overflow\n", "stack overflow" },
		{ "SYS: Assert failed at \n", "" },
		{ "SYS: No assert information found\n", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_string_equal(said(texts[i].text).crash, texts[i].crash);
}

TEST(what_is_no_text_is_left_out_and_a_line_without_an_end_is_bounded)
{
	static const uint8_t nul[] = "SYS: x <F>\n\0SYS: Self test\0 passed!\n";
	struct condition c = heard(nul, sizeof(nul) - 1, 0, 30);
	struct console k = { .length = 0 };
	uint8_t longest[4000];

	assert_int_equal(c.selftest, SELFTEST_PASS);
	memset(longest, 'x', sizeof(longest));
	memset(&c, 0, sizeof(c));
	console_take(&k, longest, sizeof(longest), &c);
	console_take(&k, (const uint8_t *)" [FAIL]\nSYS: Self test passed!\n", 31, &c);
	assert_int_equal(c.selftest, SELFTEST_PASS);
	assert_string_equal(c.failed_module, "");
}

TEST_MAIN(NULL)
