/* SPDX-License-Identifier: MIT */
/*
 * Unit tests of core/brake: every sequence of six endings against a model that is written
 * from the rule's words, for every limit; then which drones are told apart, what is full, and what
 * becomes of a quarantined image.
 */
#include "config.h"

#include "core/brake.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "test.h"

#include "cfdfu/util.h"

#define PORT "1-4.2"

enum { LENGTH_MAX = 6, LIMIT_MAX = 4 };

static const uint8_t image_a[IMAGE_SHA256_BYTES] = { 1 }, image_b[IMAGE_SHA256_BYTES] = { 2 };

/* The endings that can come next.  drone: its letter. */
static const struct {
	const uint8_t *sha256;
	char drone;
	enum verdict_kind verdict;
	enum fault fault;
	enum step step;
} events[] = {
	{ image_a, 'P', VERDICT_FAIL, FAULT_NO_BOOT, STEP_BOOTING },
	{ image_a, 'Q', VERDICT_FAIL, FAULT_NO_BOOT, STEP_BOOTING },
	{ image_a, 'R', VERDICT_FAIL, FAULT_NO_BOOT, STEP_BOOTING },
	{ image_a, 'Q', VERDICT_FAIL, FAULT_WRONG_VERSION, STEP_CONFIRMING },
	{ image_b, 'R', VERDICT_FAIL, FAULT_NO_BOOT, STEP_BOOTING },
	{ image_a, 'S', VERDICT_PASS, FAULT_NONE, STEP_CONFIRMING },
	{ image_a, 'T', VERDICT_FAIL, FAULT_GONE, STEP_WRITING },
};

static struct update_ending
ending(unsigned event, char serial[2])
{
	serial[0] = events[event].drone;
	serial[1] = '\0';
	return (struct update_ending){ .sha256 = events[event].sha256,
				       .firmware = events[event].sha256 == image_a ? "a" : "b",
				       .verdict = { .kind = events[event].verdict,
						    .fault = events[event].fault,
						    .step = events[event].step },
				       .serial = serial,
				       .dfu_serial = "",
				       .port = "1-4" };
}

/* Backwards from the last one: how many different drones, until one passed with this image? */
static unsigned
model(const unsigned *sequence, unsigned length)
{
	unsigned last = sequence[length - 1], n = 0;
	bool seen[128] = { false };

	for (unsigned i = length; i-- > 0;) {
		unsigned e = sequence[i];

		if (events[e].sha256 != events[last].sha256)
			continue;
		if (events[e].verdict == VERDICT_PASS)
			break;
		if (events[e].fault != events[last].fault || seen[(int)events[e].drone])
			continue;
		seen[(int)events[e].drone] = true;
		n++;
	}
	return n;
}

TEST(every_sequence_of_endings_stops_where_the_rule_says)
{
	static struct brake b;
	unsigned long sequences = 1;

	for (unsigned i = 0; i < LENGTH_MAX; i++)
		sequences *= ARRAY_LEN(events);
	for (unsigned limit = 0; limit <= LIMIT_MAX; limit++)
		for (unsigned long n = 0; n < sequences; n++) {
			unsigned sequence[LENGTH_MAX];
			unsigned long rest = n;

			brake_forget(&b);
			for (unsigned i = 0; i < LENGTH_MAX; i++, rest /= ARRAY_LEN(events)) {
				char serial[2];
				struct update_ending e;
				bool due;

				sequence[i] = rest % ARRAY_LEN(events);
				e = ending(sequence[i], serial);
				due = limit > 0 && e.verdict.kind == VERDICT_FAIL &&
				      e.verdict.fault != FAULT_GONE &&
				      model(sequence, i + 1) >= limit;
				assert_int_equal(brake_ended(&b, limit, &e) != NULL, due);
			}
		}
}

TEST(faults_that_no_image_can_cause_are_not_counted)
{
	static struct brake b;
	unsigned kinds = 0;

	for (enum verdict_kind v = VERDICT_NONE; v < VERDICT_COUNT; v++)
		for (enum fault f = FAULT_NONE; f < FAULT_COUNT; f++)
			for (enum step s = STEP_NONE; s < STEP_COUNT; s++) {
				struct update_ending e = { .sha256 = image_a,
							   .firmware = "a",
							   .verdict = { v, f, s },
							   .serial = "P",
							   .dfu_serial = "DFU",
							   .port = "1-4" };
				bool counts = v == VERDICT_FAIL &&
					      (f == FAULT_NO_BOOT || f == FAULT_WRONG_VERSION ||
					       f == FAULT_VERIFY ||
					       (f == FAULT_SILENT && s == STEP_CONFIRMING));

				brake_forget(&b);
				assert_int_equal(brake_ended(&b, 1, &e) != NULL, counts);
				kinds += counts;
			}
	assert_int_equal(kinds, 3 * STEP_COUNT + 1);
}

TEST(endings_are_of_one_drone_by_the_best_identity_that_both_have)
{
	static const struct {
		const char *a[3], *b[3]; /* serial, DFU serial, port */
		bool same;
	} pairs[] = {
		{ { "AB", "1", "1-1" }, { "ab", "2", "1-2" }, true },
		{ { "AB", "1", "1-1" }, { "CD", "1", "1-1" }, false },
		{ { "AB", "1", "1-1" }, { "", "1", "1-2" }, true },
		{ { "", "1", "1-1" }, { "", "2", "1-1" }, false },
		{ { "AB", "", "1-1" }, { "", "1", "1-1" }, true },
		{ { "", "", "1-1" }, { "", "", "1-1" }, true },
		{ { "", "", "1-1" }, { "", "", "1-2" }, false },
	};
	static struct brake b;

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct update_ending e = { .sha256 = image_a,
					   .firmware = "a",
					   .verdict = { VERDICT_FAIL, FAULT_VERIFY,
							STEP_VERIFYING },
					   .serial = NULL,
					   .dfu_serial = NULL,
					   .port = pairs[i].a[2] };

		brake_forget(&b);
		e.serial = pairs[i].a[0];
		e.dfu_serial = pairs[i].a[1];
		assert_null(brake_ended(&b, 2, &e));
		e.serial = pairs[i].b[0];
		e.dfu_serial = pairs[i].b[1];
		e.port = pairs[i].b[2];
		assert_int_equal(brake_ended(&b, 2, &e) == NULL, pairs[i].same);
	}
}

TEST(with_more_images_than_there_are_places_the_newest_are_counted)
{
	static struct brake b;
	uint8_t sha256[IMAGE_SHA256_BYTES] = { 0 };
	struct update_ending e = { .sha256 = sha256,
				   .firmware = "x",
				   .verdict = { VERDICT_FAIL, FAULT_NO_BOOT, STEP_BOOTING },
				   .serial = "P",
				   .dfu_serial = "",
				   .port = "1-1" };

	for (unsigned i = 0; i <= BRAKE_RUNS_MAX; i++) {
		sha256[0] = (uint8_t)i;
		assert_null(brake_ended(&b, 2, &e));
	}
	e.serial = "Q";
	assert_non_null(brake_ended(&b, 2, &e));
	sha256[0] = 1;
	assert_non_null(brake_ended(&b, 2, &e));
	sha256[0] = 0; /* its place was given away */
	assert_null(brake_ended(&b, 2, &e));
}

TEST(as_many_drones_as_can_be_configured_are_told_apart)
{
	static struct brake b;
	const struct brake_run *run = NULL;
	char serial[8], reason[POLICY_REASON_MAX];
	struct update_ending e = { .sha256 = image_a,
				   .firmware = "a",
				   .verdict = { VERDICT_FAIL, FAULT_WRONG_VERSION,
						STEP_CONFIRMING },
				   .serial = serial,
				   .dfu_serial = "",
				   .port = "1-1" };

	for (unsigned i = 0; i < BRAKE_DRONES_MAX + 8; i++) {
		(void)snprintf(serial, sizeof(serial), "%u", i);
		run = brake_ended(&b, BRAKE_DRONES_MAX, &e);
		assert_int_equal(run != NULL, i + 1 >= BRAKE_DRONES_MAX);
	}
	assert_int_equal(run->count, BRAKE_DRONES_MAX);
	brake_reason(run, reason);
	assert_string_equal(reason, "32 drones in a row reported another version with it");
}

/* An image with this digest, held by the policy alone once it is selected. */
static struct image *
select_digest(struct policy *p, enum platform platform, uint8_t first)
{
	static const uint8_t bytes[4];
	struct image_label label = { .platforms = BIT(platform), .sha256 = { first } };
	const struct segment segment = { 0, 0x08004000, sizeof(bytes), bytes };
	struct image *image = NULL;

	assert_int_equal(image_new(&segment, 1, &label, &image), 0);
	policy_select(p, platform, image);
	image_unref(image);
	return image;
}

TEST(a_quarantined_image_is_given_to_no_drone_until_it_is_released)
{
	const uint8_t one[IMAGE_SHA256_BYTES] = { 1 }, two[IMAGE_SHA256_BYTES] = { 2 };
	struct policy_drone d = { .port = PORT, .runtime_serial = "", .dfu_serial = "" };
	struct policy_choice choice;
	struct policy *p = NULL;
	struct image *image;

	assert_int_equal(policy_new(&p), 0);
	image = select_digest(p, PLATFORM_CF2, 1);
	assert_int_equal(policy_quarantine(p, one, "it is tried here"), 0);
	assert_int_equal(policy_quarantine(p, one, "a second time"), 0);
	assert_true(policy_any_selected(p));
	assert_false(policy_any_to_give(p));
	/* Neither the drone that is known, nor one that would have to be asked in DFU mode. */
	for (int known = 0; known < 2; known++) {
		d.crtp = known ? PLATFORM_CF2 : PLATFORM_UNKNOWN;
		assert_int_equal(policy_choose(p, &d, &choice), POLICY_QUARANTINED);
		assert_ptr_equal(choice.image, image);
		assert_string_equal(choice.why, "it is tried here");
	}
	/* Another platform's image may be what the unknown one is to get. */
	(void)select_digest(p, PLATFORM_BOLT, 2);
	assert_true(policy_any_to_give(p));
	d.crtp = PLATFORM_UNKNOWN;
	assert_int_equal(policy_choose(p, &d, &choice), POLICY_ASK_OTP);
	/* An own image is not another one. */
	assert_int_equal(policy_select_own(p, PORT, image), 0);
	assert_int_equal(policy_choose(p, &d, &choice), POLICY_QUARANTINED);
	d.crtp = PLATFORM_CF2;
	assert_int_equal(policy_choose(p, &d, &choice), POLICY_QUARANTINED);
	assert_false(policy_release(p, two));
	assert_true(policy_release(p, one));
	assert_false(policy_release(p, one));
	assert_int_equal(policy_choose(p, &d, &choice), POLICY_USE);
	policy_free(p);
}

TEST(the_number_of_quarantined_images_is_limited)
{
	uint8_t sha256[IMAGE_SHA256_BYTES] = { 0 };
	struct policy *p = NULL;

	assert_int_equal(policy_new(&p), 0);
	for (sha256[0] = 0; sha256[0] < POLICY_QUARANTINED_MAX; sha256[0]++)
		assert_int_equal(policy_quarantine(p, sha256, "one of many"), 0);
	assert_int_equal(policy_quarantine(p, sha256, "one too many"), -E2BIG);
	assert_null(policy_quarantined(p, sha256));
	sha256[0] = 7;
	assert_true(policy_release(p, sha256));
	sha256[0] = POLICY_QUARANTINED_MAX;
	assert_int_equal(policy_quarantine(p, sha256, "in the place of another"), 0);
	policy_free(p);
}

TEST_MAIN(NULL)
