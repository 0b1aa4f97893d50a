/* SPDX-License-Identifier: MIT */
/* Unit tests of core/outcome: every number has its words, and the words say what to do. */
#include "config.h"

#include "core/outcome.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "cfdfu/dfu.h"
#include "cfdfu/util.h"

#define MESSAGE_MAX 2048

/* All that is stored in databases, under its name: a renamed or renumbered one fails here. */
static const struct fault_row {
	enum fault fault;
	int number;
	const char *name, *class;
} all_faults[] = {
	{ FAULT_SILENT, 1, "silent", "device" },
	{ FAULT_STALL, 2, "stall", "device" },
	{ FAULT_STUCK, 3, "stuck", "device" },
	{ FAULT_PROTOCOL, 4, "protocol", "device" },
	{ FAULT_REFUSED, 5, "refused", "device" },
	{ FAULT_VERIFY, 6, "verify", "device" },
	{ FAULT_PROTECTED, 7, "protected", "device" },
	{ FAULT_WRONG_CHIP, 8, "wrong-chip", "device" },
	{ FAULT_DESCRIPTOR, 9, "descriptor", "device" },
	{ FAULT_LOADER_BLANK, 10, "loader-blank", "device" },
	{ FAULT_NO_DFU, 11, "no-dfu", "device" },
	{ FAULT_NO_BOOT, 12, "no-boot", "device" },
	{ FAULT_WRONG_VERSION, 13, "wrong-version", "device" },
	{ FAULT_WRONG_SERIAL, 14, "wrong-serial", "device" },
	{ FAULT_NO_LEAVE, 15, "no-leave", "device" },
	{ FAULT_TOO_OLD, 16, "too-old", "device" },
	{ FAULT_DEADLINE, 17, "deadline", "device" },
	{ FAULT_DARK, 18, "dark", "device" },
	{ FAULT_GONE, 32, "gone", "port" },
	{ FAULT_BUS, 33, "bus", "port" },
	{ FAULT_FLAP, 34, "flap", "port" },
	{ FAULT_PLATFORM, 48, "platform", "image" },
	{ FAULT_PLATFORM_UNKNOWN, 49, "platform-unknown", "image" },
	{ FAULT_IMAGE, 50, "image", "image" },
	{ FAULT_OPEN, 64, "open", "host" },
	{ FAULT_PERMISSION, 65, "permission", "host" },
	{ FAULT_BUSY, 66, "busy", "host" },
	{ FAULT_NO_MEMORY, 67, "no-memory", "host" },
	{ FAULT_STORAGE, 68, "storage", "host" },
	{ FAULT_SUSPEND, 69, "suspend", "host" },
	{ FAULT_QUARANTINED, 80, "quarantined", "operator" },
	{ FAULT_STOPPED, 81, "stopped", "operator" },
	{ FAULT_IMAGE_QUARANTINED, 82, "set-aside", "operator" },
};

static void
assert_is_name(const char *name)
{
	assert_non_null(name);
	assert_in_range(strlen(name), 2, 20);
	assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name));
}

/* One sentence (or two), ended, printable, short enough to be read while standing. */
static void
assert_is_sentence(const char *text)
{
	size_t length = strlen(text);

	assert_in_range(length, 10, 400);
	assert_true(text[0] >= 'A' && text[0] <= 'Z');
	assert_int_equal(text[length - 1], '.');
	assert_null(strstr(text, ".."));
	assert_null(strstr(text, "  "));
	for (size_t i = 0; i < length; i++)
		assert_in_range(text[i], ' ', '~');
}

/* The row of this number, or NULL. */
static const struct fault_row *
row_of(int number)
{
	for (size_t i = 0; i < ARRAY_LEN(all_faults); i++)
		if (all_faults[i].number == number)
			return &all_faults[i];
	return NULL;
}

/* A constant as the header has it. */
static void
check_constant(const char *constant, int number)
{
	enum fault f = (enum fault)number;

	if (fault_name(f) == NULL || fault_class_of(f) == CLASS_NONE)
		fail_msg("core/outcome.c: %s has no name, or no class", constant);
	if (fault_sentence(f) == NULL || fault_sentence(f) == fault_sentence(FAULT_NONE))
		fail_msg("core/outcome.c: %s has no sentence", constant);
	if (fault_advice(f) == NULL || fault_advice(f) == fault_advice(FAULT_NONE))
		fail_msg("core/outcome.c: %s has no advice", constant);
	if (row_of(number) == NULL)
		fail_msg("test_outcome.c: all_faults has no row for %s", constant);
}

TEST(each_constant_of_the_header_has_its_words_and_its_row_here)
{
	const char *source = getenv("srcdir");
	char path[512], line[256], constant[64];
	size_t constants = 0;
	int number;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/include/cfdfu/outcome.h",
		       source != NULL ? source : ".");
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, " %63[A-Z_0-9] = %d,", constant, &number) == 2 &&
		    strncmp(constant, "FAULT_", 6) == 0 && number != FAULT_NONE &&
		    number != FAULT_COUNT) {
			check_constant(constant, number);
			constants++;
		}
	(void)fclose(f);
	assert_int_equal(constants, ARRAY_LEN(all_faults));
}

TEST(each_fault_keeps_its_number_its_name_and_its_class)
{
	for (size_t i = 0; i < ARRAY_LEN(all_faults); i++) {
		enum fault f = all_faults[i].fault;

		assert_int_equal(f, all_faults[i].number);
		assert_string_equal(fault_name(f), all_faults[i].name);
		assert_int_equal(fault_by_name(all_faults[i].name), f);
		assert_string_equal(fault_class_name(fault_class_of(f)), all_faults[i].class);
		assert_is_name(fault_name(f));
	}
}

TEST(each_fault_says_what_happened_and_what_to_do)
{
	for (size_t i = 0; i < ARRAY_LEN(all_faults); i++) {
		assert_is_sentence(fault_sentence(all_faults[i].fault));
		assert_is_sentence(fault_advice(all_faults[i].fault));
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(fault_sentence(all_faults[i].fault),
						fault_sentence(all_faults[k].fault));
	}
}

TEST(verdicts_and_steps_have_their_names)
{
	static const char *const verdicts[] = { NULL,		"pass",
						"unchanged",	"needs-power-cycle",
						"needs-button", "fail",
						"skipped",	"interrupted" };
	static const char *const steps[] = { NULL,	   "asking",   "rebooting",    "probing",
					     "comparing",  "erasing",  "writing",      "verifying",
					     "first-page", "leaving",  "booting",      "confirming",
					     "backing-up", "checking", "power-cycling" };

	assert_int_equal(ARRAY_LEN(verdicts), VERDICT_COUNT);
	assert_int_equal(ARRAY_LEN(steps), STEP_COUNT);
	assert_null(verdict_name(VERDICT_NONE));
	assert_null(step_name(STEP_NONE));
	for (int v = 1; v < VERDICT_COUNT; v++) {
		assert_string_equal(verdict_name((enum verdict_kind)v), verdicts[v]);
		assert_int_equal(verdict_by_name(verdicts[v]), v);
		assert_is_name(verdicts[v]);
	}
	for (int v = 0; v < VERDICT_COUNT; v++) {
		assert_is_sentence(verdict_advice((enum verdict_kind)v));
	}
	for (int s = 1; s < STEP_COUNT; s++)
		assert_string_equal(step_name((enum step)s), steps[s]);
}

TEST(numbers_and_names_out_of_range_are_harmless)
{
	static const int wild[] = { -1, FAULT_COUNT, 1000, INT32_MAX, INT32_MIN };

	for (int unused = 1; unused < FAULT_COUNT; unused++)
		if (row_of(unused) == NULL) {
			assert_null(fault_name((enum fault)unused));
			assert_int_equal(fault_class_of((enum fault)unused), CLASS_NONE);
			assert_is_sentence(fault_sentence((enum fault)unused));
			assert_is_sentence(fault_advice((enum fault)unused));
		}
	for (size_t i = 0; i < ARRAY_LEN(wild); i++) {
		assert_null(fault_name((enum fault)wild[i]));
		assert_int_equal(fault_class_of((enum fault)wild[i]), CLASS_NONE);
		assert_is_sentence(fault_sentence((enum fault)wild[i]));
		assert_is_sentence(fault_advice((enum fault)wild[i]));
		assert_null(verdict_name((enum verdict_kind)wild[i]));
		assert_non_null(verdict_advice((enum verdict_kind)wild[i]));
		assert_null(step_name((enum step)wild[i]));
		assert_null(fault_class_name((enum fault_class)wild[i]));
	}
	assert_null(fault_class_name(CLASS_NONE));
	assert_int_equal(fault_by_name(NULL), FAULT_NONE);
	assert_int_equal(fault_by_name("Verify"), FAULT_NONE);
	assert_int_equal(fault_by_name(""), FAULT_NONE);
	assert_int_equal(verdict_by_name(NULL), VERDICT_NONE);
	assert_int_equal(verdict_by_name("PASS"), VERDICT_NONE);
}

static const char *
message(struct verdict v)
{
	static char text[MESSAGE_MAX];

	outcome_message(&v, NULL, text, sizeof(text));
	return text;
}

static void
assert_says(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, text);
}

TEST(dfu_names_are_spelled_as_the_standard_spells_them)
{
	/* SPEC: DFU 1.1, section 6.1.2. */
	static const char *const statuses[] = {
		"OK",	      "errTARGET",	 "errFILE",	"errWRITE",
		"errERASE",   "errCHECK_ERASED", "errPROG",	"errVERIFY",
		"errADDRESS", "errNOTDONE",	 "errFIRMWARE", "errVENDOR",
		"errUSBR",    "errPOR",		 "errUNKNOWN",	"errSTALLEDPKT",
	};

	for (unsigned i = 1; i < 256; i++) {
		char part[64];

		(void)snprintf(part, sizeof(part), "(device status %s)",
			       i < ARRAY_LEN(statuses) ? statuses[i] : "unknown");
		assert_says(message((struct verdict){ .kind = VERDICT_FAIL,
						      .fault = FAULT_REFUSED,
						      .dfu_status = (uint8_t)i }),
			    part);
	}
}

TEST(the_place_stands_inside_the_sentence)
{
	assert_string_equal(
	    message((struct verdict){ .kind = VERDICT_FAIL,
				      .fault = FAULT_REFUSED,
				      .step = STEP_PROBING,
				      .addr = 0x1FFF7800,
				      .has_addr = true,
				      .dfu_status = DFU_STATUS_ERR_VENDOR }),
	    "The drone reported an error (step probing, address 0x1FFF7800, device status "
	    "errVENDOR). Unplug it, remove the battery, and plug it in again; set it aside if "
	    "it says so twice.");
	assert_says(message((struct verdict){
			.kind = VERDICT_FAIL, .fault = FAULT_STORAGE, .sys_errno = ENOSPC }),
		    "cannot be written (system error: No space left on device). ");
	assert_says(message((struct verdict){ .kind = VERDICT_FAIL,
					      .fault = FAULT_VERIFY,
					      .addr = 0x08004000,
					      .has_addr = true }),
		    " (address 0x08004000). ");
	assert_says(message((struct verdict){
			.kind = VERDICT_FAIL, .fault = FAULT_VERIFY, .has_addr = true }),
		    " (address 0x00000000). "); /* of a second memory */
	assert_says(message((struct verdict){ .kind = VERDICT_FAIL, .fault = FAULT_BUSY }),
		    "holds the drone. Close it");
}

TEST(an_old_firmware_needs_the_button_with_all_its_steps)
{
	const char *text = message((struct verdict){
	    .kind = VERDICT_NEEDS_BUTTON, .fault = FAULT_TOO_OLD, .step = STEP_REBOOTING });
	static const char *const steps[] = { "2022.03",
					     "disconnect the battery",
					     "hold down the push button (on/off) while inserting",
					     "about 5 seconds",
					     "blue LED",
					     "second",
					     "slower",
					     "1 Hz",
					     "release it" };
	const char *at = text;

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		at = strstr(at, steps[i]); /* in this order */
		assert_non_null(at);
	}
	assert_says(message((struct verdict){ .kind = VERDICT_NEEDS_BUTTON }),
		    "hold down the push");
}

TEST(a_drone_that_did_not_restart_is_told_to_be_good_and_to_need_power_off)
{
	const char *text = message((struct verdict){
	    .kind = VERDICT_NEEDS_POWER_CYCLE, .fault = FAULT_NO_BOOT, .step = STEP_BOOTING });

	assert_says(text, "read back equal");
	assert_says(text, "Remove USB and, if there is one, the battery, then plug it in again.");
}

TEST(good_endings_promise_no_more_than_the_bytes_of_a_drone)
{
	const struct verdict pass = { .kind = VERDICT_PASS };
	const struct verdict unchanged = { .kind = VERDICT_UNCHANGED };
	char text[256];

	assert_null(strstr(message(pass), "unplug"));
	assert_null(strstr(message(unchanged), "unplug"));
	outcome_described_message(&unchanged, NULL, text, sizeof(text));
	assert_says(text, "safe to unplug");
	assert_says(message((struct verdict){ .kind = VERDICT_NONE }), "Do not unplug");
}

TEST(a_drone_left_with_half_an_image_says_so_and_how_to_help_it)
{
	for (int s = STEP_NONE; s < STEP_COUNT; s++) {
		bool half = s == STEP_ERASING || s == STEP_WRITING || s == STEP_VERIFYING ||
			    s == STEP_FIRST_PAGE;
		const char *text = message((struct verdict){
		    .kind = VERDICT_FAIL, .fault = FAULT_GONE, .step = (enum step)s });

		assert_int_equal(strstr(text, "incomplete") != NULL, half);
		assert_int_equal(strstr(text, "hold down the push button") != NULL, half);
		text =
		    message((struct verdict){ .kind = VERDICT_INTERRUPTED, .step = (enum step)s });
		assert_int_equal(strstr(text, "incomplete") != NULL, half);
	}
}

/* Every combination, in every buffer size up to beyond its length: terminated, never beyond the
 * end. */
TEST(messages_are_cut_to_any_buffer_and_always_terminated)
{
	struct verdict v = { .kind = VERDICT_FAIL,
			     .fault = FAULT_VERIFY,
			     .step = STEP_FIRST_PAGE,
			     .addr = 0x08004000,
			     .has_addr = true,
			     .dfu_status = 0xEE,
			     .sys_errno = EACCES };
	const char *whole = message(v);
	size_t length = strlen(whole);

	for (size_t size = 0; size <= length + 2; size++) {
		char *out = malloc(size + 1);

		memset(out, 'x', size + 1);
		outcome_message(&v, NULL, out, size);
		assert_int_equal(out[size], 'x');
		if (size > 0) {
			assert_int_equal(strlen(out), size > length ? length : size - 1);
			assert_memory_equal(out, whole, strlen(out));
		}
		free(out);
	}
}

TEST(configured_devices_get_no_advice_about_batteries_and_buttons)
{
	for (enum fault f = FAULT_NONE; f < FAULT_COUNT; f++)
		for (enum step step = STEP_PROBING; step <= STEP_LEAVING; step++) {
			struct verdict v = { .kind = VERDICT_FAIL, .fault = f, .step = step };
			char text[MESSAGE_MAX];

			if (f == FAULT_TOO_OLD)
				continue; /* it gets no reboot request */
			outcome_described_message(&v, NULL, text, sizeof(text));
			assert_null(strstr(text, "button"));
			assert_null(strstr(text, "battery"));
			assert_true(strlen(text) > 40);
		}
}

TEST(every_ending_has_a_whole_message)
{
	for (int kind = 0; kind < VERDICT_COUNT; kind++)
		for (int f = 0; f < FAULT_COUNT; f++)
			for (int s = 0; s < STEP_COUNT; s++) {
				const char *text =
				    message((struct verdict){ .kind = (enum verdict_kind)kind,
							      .fault = (enum fault)f,
							      .step = (enum step)s,
							      .addr = 1,
							      .has_addr = true,
							      .dfu_status = 3 });

				assert_in_range(strlen(text), 20, 1000);
				assert_int_equal(text[strlen(text) - 1], '.');
				assert_null(strstr(text, ".."));
			}
}

TEST_MAIN(NULL)
