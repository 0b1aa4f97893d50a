/* SPDX-License-Identifier: MIT */
/* Tests of one drone's job: an ending says what the job knows, and nothing that contradicts it. */
#include "config.h"

#include <string.h>

#include "test.h"

#include "job_bench.h"

TEST(only_success_without_a_reboot_means_that_the_firmware_is_too_old)
{
	/* The version that it reports, how often its request is lost, and what is concluded. */
	static const struct {
		const char *version;
		unsigned ignored;
		enum verdict_kind kind;
		enum fault fault;
	} cases[] = {
		{ "2021.06", 9, VERDICT_NEEDS_BUTTON, FAULT_TOO_OLD },
		{ "2022.02.1", 9, VERDICT_NEEDS_BUTTON, FAULT_TOO_OLD },
		{ "nightly", 9, VERDICT_NEEDS_BUTTON, FAULT_TOO_OLD },
		{ "2020.09 +30", 9, VERDICT_NEEDS_BUTTON, FAULT_TOO_OLD },
		{ "nightly", 2, VERDICT_PASS, FAULT_NONE },
		{ "2020.09 +30", 1, VERDICT_PASS, FAULT_NONE },
		{ "2022.03", 1, VERDICT_PASS, FAULT_NONE },
		{ "2025.02", 2, VERDICT_PASS, FAULT_NONE },
		{ "2025.02", 3, VERDICT_FAIL, FAULT_NO_DFU },
		{ "2022.03", 9, VERDICT_FAIL, FAULT_NO_DFU },
	};
	struct bench b;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		prepare(&b, 17 + i);
		b.config.ignored_requests = cases[i].ignored;
		set_up_with(&b, cases[i].version);
		plug(&b);
		assert_ends(&b, cases[i].kind, cases[i].fault);
		tear_down(&b);
	}

	prepare(&b, 17);
	set_up(&b, true);
	arm(&b, "stall at=2 in=runtime on=vendor count=20"); /* the first is the link's */
	plug(&b);
	assert_ends(&b, VERDICT_FAIL, FAULT_NO_DFU);
	tear_down(&b);
}

/* The first fault is reported, not the result of asking a device in mid-operation again. */
TEST(a_request_that_is_never_answered_is_told_as_that)
{
	static const struct {
		const char *fate, *words;
		enum step step;
	} cases[] = {
		{ "no-answer at=5 in=dfu on=data count=20", "did not answer the write, 3 times",
		  STEP_WRITING },
		{ "no-answer at=3 in=dfu on=upload count=20", "did not answer the read, 4 times",
		  STEP_PROBING },
		{ "late at=5 in=dfu on=data count=20 value=5000", "did not answer the write",
		  STEP_WRITING },
	};
	struct bench b;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct station_row *row;

		prepare(&b, 30 + i);
		set_up(&b, true);
		arm(&b, cases[i].fate);
		plug(&b);
		assert_ends(&b, VERDICT_FAIL, FAULT_SILENT);
		row = station_last(b.station, PORT);
		assert_int_equal(row->verdict.step, cases[i].step);
		if (strstr(row->record.message, cases[i].words) == NULL)
			fail_msg("%s: %s", cases[i].fate, row->record.message);
		tear_down(&b);
	}
}

TEST_MAIN(NULL)
