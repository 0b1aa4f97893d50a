/* SPDX-License-Identifier: MIT */
/* Decisions of a job from given facts that no simulated device shows. */
#include "config.h"

#include <string.h>

#include "test.h"

#include "core/job_decide.h"
#include "flow/station.h"

/* A drone that we sent into DFU mode, with an image that its attempt began with. */
struct bench {
	struct job_options options;
	struct job_setup setup;
	struct job_record record;
	struct drone_history history;
	struct crtp_answers answers;
	struct dfu_probe found;
	struct policy *policy;
	struct image *image;
	struct job_facts facts;
};

static void
set_up(struct bench *b, const char *board)
{
	memset(b, 0, sizeof(*b));
	b->image = station_image("cf2", "2026.08", 0, 1);
	assert_int_equal(policy_new(&b->policy), 0);
	b->setup =
	    (struct job_setup){ .kind = JOB_UPDATE, .options = &b->options, .policy = b->policy };
	b->record.image = b->image;
	b->found.profile = device_crazyflie();
	b->found.otp = DFU_OTP_TYPE;
	copy_text(b->found.board, sizeof(b->found.board), board);
	b->facts = (struct job_facts){ .setup = &b->setup,
				       .record = &b->record,
				       .history = &b->history,
				       .answers = &b->answers,
				       .found = &b->found,
				       .sent_by_us = true,
				       .begun = true,
				       .touched = true };
}

static void
tear_down(struct bench *b)
{
	policy_free(b->policy);
	image_unref(b->image);
}

TEST(a_pinned_image_is_held_against_all_that_is_known_of_the_drone)
{
	static const struct {
		const char *board;
		unsigned platforms;   /* of the image */
		enum platform record; /* what the drone was taken for */
		enum decision_kind kind;
	} cases[] = {
		{ "CF21", BIT(PLATFORM_CF2), PLATFORM_UNKNOWN, DECIDE_GO_ON },
		{ "CB10", BIT(PLATFORM_CF2), PLATFORM_UNKNOWN, DECIDE_SKIP },
		{ "CB10", 0, PLATFORM_UNKNOWN, DECIDE_GO_ON },
		{ "ZZ99", BIT(PLATFORM_CF2), PLATFORM_UNKNOWN, DECIDE_GO_ON },
		{ "ZZ99", BIT(PLATFORM_CF2), PLATFORM_BOLT, DECIDE_SKIP },
		{ "CF21", BIT(PLATFORM_CF2), PLATFORM_BOLT, DECIDE_SKIP },
		{ "CB10", BIT(PLATFORM_CF2), PLATFORM_BOLT, DECIDE_SKIP },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct segment *s;
		struct image_label label;
		struct decision d;
		struct bench b;

		set_up(&b, cases[i].board);
		s = image_segment(b.image, 0);
		label = *image_label(b.image);
		label.platforms = cases[i].platforms;
		assert_int_equal(image_new(s, 1, &label, &b.record.image), 0);
		b.record.platform = cases[i].record;
		d = job_decide_in_dfu(&b.facts);
		if (d.kind != cases[i].kind)
			fail_msg("case %zu: %d, %s", i, d.kind, d.why);
		if (d.kind == DECIDE_SKIP)
			assert_int_equal(d.fault, FAULT_PLATFORM);
		image_unref(b.record.image);
		tear_down(&b);
	}
}

TEST(without_proof_nothing_passes)
{
	static const struct dfu_proof none = { .verified = false, .unchanged = true };
	static const struct dfu_proof written = { .verified = true };
	static const struct dfu_proof equal = { .verified = true, .unchanged = true };
	struct verdict v;

	for (enum job_kind kind = JOB_UPDATE; kind <= JOB_RECOVER_LOADER; kind++) {
		v = job_proven_verdict(kind, none, 0, STEP_CONFIRMING);
		assert_true(v.kind == VERDICT_FAIL && v.fault == FAULT_VERIFY);
		assert_int_equal(v.step, STEP_VERIFYING);
		v = job_proven_verdict(kind, written, 0, STEP_LEAVING);
		assert_true(v.kind == VERDICT_PASS && v.step == STEP_LEAVING);
		v = job_proven_verdict(kind, equal, 0, STEP_CONFIRMING);
		assert_int_equal(v.kind, VERDICT_UNCHANGED);
	}
	v = job_proven_verdict(JOB_BACKUP, none, 0, STEP_CONFIRMING);
	assert_int_equal(v.kind, VERDICT_UNCHANGED); /* it was to be read, and was */
	v = job_proven_verdict(JOB_BACKUP, none, -28, STEP_CONFIRMING);
	assert_true(v.kind == VERDICT_FAIL && v.fault == FAULT_STORAGE && v.sys_errno == 28);
}

TEST_MAIN(NULL)
