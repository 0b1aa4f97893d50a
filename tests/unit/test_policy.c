/* SPDX-License-Identifier: MIT */
/* Unit tests of core/policy: every word against every other, own images, limits, references. */
#include "config.h"

#include "core/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "core/platform.h"
#include "policy_help.h"

/* Linked in place of calloc() (-Wl,--wrap): the next call fails when told so. */
static bool out_of_memory;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *
__wrap_calloc(size_t count, size_t size)
{
	return out_of_memory ? NULL : __real_calloc(count, size);
}

static const struct policy_drone unknown_drone = { .port = PORT,
						   .runtime_serial = "",
						   .dfu_serial = "" };

/* The boards that each firmware's own table accepts, as bits (doc/protocol.md 9.4). */
static const char *const boards[] = { "", "CF20", "CF21", "C21B", "RZ10", "CB10", "CB11", "RR10" };
static const unsigned accepts[PLATFORM_COUNT] = {
	[PLATFORM_CF2] = BIT(1) | BIT(2),
	[PLATFORM_CF21BL] = BIT(3),
	[PLATFORM_BOLT] = BIT(4) | BIT(5) | BIT(6),
	[PLATFORM_TAG] = BIT(7),
	[PLATFORM_FLAPPER] = BIT(2) | BIT(5) | BIT(6),
};

/*
 * The truth by counting: which boards are left when each source has excluded its own.  None left is
 * a contradiction.  Without a rule and without CRTP a board is what it is sold as; but where
 * Flappers are known of, one that they are built on is nothing (doc/faults.md D4).
 */
static enum policy_answer
expected(enum platform rule, enum platform crtp, unsigned board, bool flappers,
	 enum platform *ret_platform)
{
	unsigned left = board != 0 ? BIT(board) : 0xFE;

	*ret_platform = PLATFORM_UNKNOWN;
	if (rule != PLATFORM_UNKNOWN && rule == crtp && rule == PLATFORM_OTHER && board == 0) {
		*ret_platform = rule;
		return POLICY_USE;
	}
	if (rule == PLATFORM_OTHER && crtp == PLATFORM_UNKNOWN && board == 0) {
		*ret_platform = rule;
		return POLICY_USE;
	}
	if (crtp == PLATFORM_OTHER && rule == PLATFORM_UNKNOWN && board == 0) {
		*ret_platform = crtp;
		return POLICY_USE;
	}
	left &= rule != PLATFORM_UNKNOWN ? accepts[rule] : 0xFF;
	left &= crtp != PLATFORM_UNKNOWN ? accepts[crtp] : 0xFF;
	if (left == 0)
		return POLICY_DISAGREE;
	if (rule != PLATFORM_UNKNOWN) {
		*ret_platform = rule;
		return POLICY_USE;
	}
	if (crtp == PLATFORM_FLAPPER)
		return POLICY_UNKNOWN;
	*ret_platform = crtp;
	if (crtp == PLATFORM_UNKNOWN && flappers && (accepts[PLATFORM_FLAPPER] & BIT(board)) != 0)
		return POLICY_UNKNOWN;
	for (int i = PLATFORM_CF2; i < PLATFORM_FLAPPER && *ret_platform == 0 && board != 0; i++)
		if ((accepts[i] & BIT(board)) != 0)
			*ret_platform = (enum platform)i;
	return *ret_platform != PLATFORM_UNKNOWN ? POLICY_USE : POLICY_UNKNOWN;
}

TEST(every_rule_against_every_crtp_type_against_every_board)
{
	struct policy *p = policy_with_all_selected();
	unsigned used = 0, disagreed = 0;

	for (int rule = 0; rule < PLATFORM_COUNT; rule++)
		for (int crtp = 0; crtp < PLATFORM_COUNT; crtp++)
			for (unsigned b = 0; b < ARRAY_LEN(boards); b++) {
				struct policy_drone d = unknown_drone;
				struct policy_choice choice;
				enum platform platform;
				enum policy_answer answer, wanted;

				d.crtp = (enum platform)crtp;
				d.board = platforms_of_board(boards[b]);
				d.board_read = true;
				assert_int_equal(policy_set_platform(p, PORT, (enum platform)rule),
						 0);
				answer = choose(p, &d, &choice);
				wanted = expected((enum platform)rule, (enum platform)crtp, b, true,
						  &platform);
				assert_int_equal(answer, wanted);
				assert_int_equal(choice.platform, platform);
				if (answer == POLICY_USE)
					assert_ptr_equal(choice.image,
							 policy_selected(p, platform));
				used += answer == POLICY_USE;
				disagreed += answer == POLICY_DISAGREE;
			}
	assert_true(used > 50 && disagreed > 100);
	policy_free(p);
}

TEST(every_otp_type_against_every_image_platform)
{
	for (unsigned b = 1; b < ARRAY_LEN(boards); b++)
		for (unsigned bits = 0; bits < BIT(PLATFORM_COUNT); bits += 2) {
			struct policy_drone d = unknown_drone;
			struct policy_choice choice;
			struct policy *p = NULL;
			struct image *image = image_for(bits);
			enum platform is;

			d.board = platforms_of_board(boards[b]);
			d.board_read = true;
			(void)expected(PLATFORM_UNKNOWN, PLATFORM_UNKNOWN, b, false, &is);
			assert_int_equal(policy_new(&p), 0);
			policy_select(p, is, image);
			assert_int_equal(choose(p, &d, &choice), bits == 0 || (bits & BIT(is)) != 0
								     ? POLICY_USE
								     : POLICY_DISAGREE);
			assert_int_equal(choice.platform, is);
			policy_free(p);
			image_unref(image);
		}
}

TEST(a_flapper_is_a_flapper_only_by_the_operators_word)
{
	struct policy *p = policy_with_all_selected();
	struct policy_drone d = unknown_drone;
	struct policy_choice choice;

	d.crtp = PLATFORM_FLAPPER;
	assert_int_equal(choose(p, &d, &choice), POLICY_UNKNOWN);
	assert_non_null(strstr(choice.why, "platform rule"));
	d.board = platforms_of_board("CF21");
	d.board_read = true;
	assert_int_equal(choose(p, &d, &choice), POLICY_UNKNOWN);
	assert_int_equal(policy_set_platform(p, PORT, PLATFORM_FLAPPER), 0);
	assert_int_equal(choose(p, &d, &choice), POLICY_USE);
	assert_ptr_equal(choice.image, policy_selected(p, PLATFORM_FLAPPER));
	/* someone flashed a Crazyflie's firmware on a Flapper: it shall become one again */
	d.crtp = PLATFORM_CF2;
	assert_int_equal(choose(p, &d, &choice), POLICY_USE);
	assert_int_equal(choice.platform, PLATFORM_FLAPPER);
	policy_free(p);
}

TEST(a_flapper_image_does_not_go_on_a_plain_drone)
{
	struct policy *p = policy_with_all_selected();
	struct image *flapper = image_for(BIT(PLATFORM_FLAPPER));
	struct policy_drone d = unknown_drone;
	struct policy_choice choice;

	d.crtp = PLATFORM_CF2;
	d.board = platforms_of_board("CF21");
	d.board_read = true;
	assert_int_equal(policy_select_own(p, PORT, flapper), 0);
	assert_int_equal(choose(p, &d, &choice), POLICY_DISAGREE);
	assert_non_null(strstr(choice.why, "platform rule"));
	policy_select(p, PLATFORM_CF2, flapper);
	assert_int_equal(policy_select_own(p, PORT, NULL), 0);
	assert_int_equal(choose(p, &d, &choice), POLICY_DISAGREE);
	policy_free(p);
	image_unref(flapper);
}

TEST(any_word_of_a_flapper_keeps_the_otp_from_deciding_alone)
{
	struct image *image = image_for(BIT(PLATFORM_CF2)),
		     *flapper = image_for(BIT(PLATFORM_FLAPPER));
	struct policy_choice choice;

	for (unsigned way = 0; way < 5; way++) {
		struct policy_drone d = unknown_drone;
		struct policy *p = NULL;

		assert_int_equal(policy_new(&p), 0);
		policy_select(p, PLATFORM_CF2, image);
		if (way == 1)
			assert_int_equal(policy_set_platform(p, "3-3", PLATFORM_FLAPPER), 0);
		else if (way == 2)
			policy_select(p, PLATFORM_FLAPPER, flapper);
		else if (way == 3)
			policy_select_lost(p, PLATFORM_FLAPPER);
		else if (way == 4)
			assert_int_equal(policy_select_own(p, "3-3", flapper), 0);
		assert_int_equal(policy_knows_flappers(p), way != 0);
		d.board_read = true;
		d.board = platforms_of_board("CF21");
		assert_int_equal(choose(p, &d, &choice), way == 0 ? POLICY_USE : POLICY_UNKNOWN);
		assert_true(way == 0 || strstr(choice.why, "may be a Flapper") != NULL);
		d.board = platforms_of_board("CF20"); /* no Flapper is built on that */
		assert_int_equal(choose(p, &d, &choice), POLICY_USE);
		d.board = platforms_of_board("CF21");
		d.crtp = PLATFORM_CF2; /* it said so */
		assert_int_equal(choose(p, &d, &choice), POLICY_USE);
		policy_free(p);
	}
	image_unref(flapper);
	image_unref(image);
}

TEST(with_nothing_selected_every_drone_is_left_alone)
{
	struct policy *p = NULL;
	struct policy_choice choice;

	assert_int_equal(policy_new(&p), 0);
	assert_false(policy_any_selected(p));
	for (int crtp = 0; crtp < PLATFORM_COUNT; crtp++)
		for (unsigned b = 0; b < ARRAY_LEN(boards); b++) {
			struct policy_drone d = unknown_drone;

			d.crtp = (enum platform)crtp;
			d.board = platforms_of_board(boards[b]);
			d.board_read = b % 2 == 0;
			assert_int_equal(choose(p, &d, &choice), POLICY_NO_IMAGE);
		}
	policy_free(p);
}

TEST(a_drone_for_which_nothing_is_selected_is_left_alone)
{
	struct policy *p = policy_with_all_selected();
	struct policy_drone d = unknown_drone;
	struct policy_choice choice;

	policy_select(p, PLATFORM_TAG, NULL);
	d.crtp = PLATFORM_TAG;
	assert_int_equal(choose(p, &d, &choice), POLICY_NO_IMAGE);
	assert_int_equal(choice.platform, PLATFORM_TAG);
	d.crtp = PLATFORM_UNKNOWN;
	d.board = platforms_of_board("RR10");
	assert_int_equal(choose(p, &d, &choice), POLICY_NO_IMAGE);
	assert_int_equal(policy_set_platform(p, PORT, PLATFORM_TAG), 0);
	assert_int_equal(choose(p, &d, &choice), POLICY_NO_IMAGE);
	/* only a Flapper's is selected, and this may be one or not */
	for (int i = PLATFORM_CF2; i < PLATFORM_COUNT; i++)
		if (i != PLATFORM_FLAPPER)
			policy_select(p, (enum platform)i, NULL);
	assert_int_equal(policy_set_platform(p, PORT, PLATFORM_UNKNOWN), 0);
	d.board = platforms_of_board("CF21");
	d.board_read = true;
	assert_int_equal(choose(p, &d, &choice), POLICY_UNKNOWN);
	d.board = platforms_of_board("CF20");
	assert_int_equal(choose(p, &d, &choice), POLICY_NO_IMAGE);
	/* contradictions of a drone that nothing is selected for do not matter */
	d.crtp = PLATFORM_TAG;
	d.board = platforms_of_board("C21B");
	assert_int_equal(choose(p, &d, &choice), POLICY_NO_IMAGE);
	policy_free(p);
}

TEST(a_silent_drone_is_asked_for_its_otp_and_then_believed)
{
	struct policy *p = policy_with_all_selected();
	struct policy_drone d = unknown_drone;
	struct policy_choice choice;

	assert_int_equal(choose(p, &d, &choice), POLICY_ASK_OTP);
	d.board_read = true;
	assert_int_equal(choose(p, &d, &choice), POLICY_UNKNOWN);
	d.board = BIT(PLATFORM_CF2); /* blank */
	assert_int_equal(choose(p, &d, &choice), POLICY_USE);
	assert_int_equal(choice.platform, PLATFORM_CF2);
	d.board = BIT(PLATFORM_CF2) | BIT(PLATFORM_BOLT); /* no board is both */
	assert_int_equal(choose(p, &d, &choice), POLICY_UNKNOWN);
	policy_free(p);
}

TEST(an_image_that_says_nothing_is_taken_at_the_operators_word)
{
	struct policy *p = policy_with_all_selected();
	struct image *mute = image_for(0);
	struct policy_drone d = unknown_drone;
	struct policy_choice choice;

	policy_select(p, PLATFORM_BOLT, mute);
	d.crtp = PLATFORM_BOLT;
	assert_int_equal(choose(p, &d, &choice), POLICY_USE);
	assert_ptr_equal(choice.image, mute);
	/* but of a drone something has to be known */
	d.crtp = PLATFORM_UNKNOWN;
	assert_int_equal(policy_select_own(p, PORT, mute), 0);
	assert_int_equal(choose(p, &d, &choice), POLICY_ASK_OTP);
	d.board_read = true;
	assert_int_equal(choose(p, &d, &choice), POLICY_UNKNOWN);
	policy_free(p);
	image_unref(mute);
}

TEST(a_drones_own_image_beats_its_slots_labels_and_the_selected_one)
{
	struct policy *p = policy_with_all_selected();
	struct image *slots = image_for(BIT(PLATFORM_CF2)), *drones = image_for(BIT(PLATFORM_CF2));
	struct image *labels = image_for(BIT(PLATFORM_CF2));
	struct policy_drone d = { PORT, RUNTIME, DFU, PLATFORM_CF2, 0, false, "front", NULL };
	struct policy_choice choice;

	assert_int_equal(policy_select_own(p, "back", slots), 0);
	assert_int_equal(choose(p, &d, &choice), POLICY_USE);
	assert_ptr_equal(choice.image, policy_selected(p, PLATFORM_CF2));
	assert_int_equal(policy_select_own(p, "front", labels), 0);
	assert_int_equal(choose(p, &d, &choice), POLICY_USE);
	assert_ptr_equal(choice.image, labels);
	assert_int_equal(policy_select_own(p, PORT, slots), 0);
	assert_int_equal(choose(p, &d, &choice), POLICY_USE);
	assert_ptr_equal(choice.image, slots);
	assert_int_equal(policy_select_own(p, RUNTIME, drones), 0);
	assert_int_equal(choose(p, &d, &choice), POLICY_USE);
	assert_ptr_equal(choice.image, drones);
	assert_int_equal(policy_select_own(p, RUNTIME, NULL), 0);
	assert_int_equal(choose(p, &d, &choice), POLICY_USE);
	assert_ptr_equal(choice.image, slots);
	d.port = "1-4"; /* a slot's name is its whole name */
	assert_int_equal(choose(p, &d, &choice), POLICY_USE);
	assert_ptr_equal(choice.image, labels);
	d.label = "";
	assert_int_equal(choose(p, &d, &choice), POLICY_USE);
	assert_ptr_equal(choice.image, policy_selected(p, PLATFORM_CF2));
	policy_free(p);
	image_unref(labels);
	image_unref(slots);
	image_unref(drones);
}

TEST(a_serial_names_the_drone_in_both_its_modes)
{
	static const struct {
		const char *key, *runtime, *dfu;
		bool named;
	} cases[] = {
		{ RUNTIME, RUNTIME, "", true },
		{ "51004f000551343036333233", RUNTIME, "", true },
		{ DFU, "", DFU, true },
		{ DFU, RUNTIME, DFU, true },
		{ RUNTIME, "", DFU, true }, /* computed from it */
		{ DFU, RUNTIME, "", true }, /* the same, the other way round */
		{ RUNTIME, "", "325E35633334", false },
		{ RUNTIME, "30002D000B51343333353132", DFU, false }, /* equality decides */
		{ DFU, RUNTIME, "325E35633334", false },
		{ RUNTIME, "", "", false },
		{ RUNTIME, NULL, NULL, false },
		{ "FFFFFFFFFFFFFFFFFFFFFFFF", "", "FFFFFFFEFFFF", false },
	};
	struct image *own = image_for(BIT(PLATFORM_CF2));

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct policy *p = NULL;
		struct policy_drone d = {
			NULL, cases[i].runtime, cases[i].dfu, PLATFORM_CF2, 0, false, NULL, NULL
		};
		struct policy_choice choice;

		assert_int_equal(policy_new(&p), 0);
		assert_int_equal(policy_select_own(p, cases[i].key, own), 0);
		assert_int_equal(choose(p, &d, &choice),
				 cases[i].named ? POLICY_USE : POLICY_NO_IMAGE);
		policy_free(p);
	}
	image_unref(own);
}

TEST(rules_of_slot_and_serial_must_not_contradict)
{
	struct policy *p = policy_with_all_selected();
	struct policy_drone d = { PORT, RUNTIME, "", PLATFORM_CF2, 0, false, NULL, NULL };
	struct policy_choice choice;

	assert_int_equal(policy_set_platform(p, PORT, PLATFORM_FLAPPER), 0);
	assert_int_equal(policy_set_platform(p, RUNTIME, PLATFORM_FLAPPER), 0);
	assert_int_equal(choose(p, &d, &choice), POLICY_USE);
	assert_int_equal(choice.platform, PLATFORM_FLAPPER);
	assert_int_equal(policy_set_platform(p, RUNTIME, PLATFORM_CF2), 0);
	assert_int_equal(choose(p, &d, &choice), POLICY_DISAGREE);
	assert_int_equal(policy_set_platform(p, PORT, PLATFORM_UNKNOWN), 0);
	assert_int_equal(choose(p, &d, &choice), POLICY_USE);
	assert_int_equal(choice.platform, PLATFORM_CF2);
	policy_free(p);
}

TEST(names_that_can_name_nothing_are_refused)
{
	char longest[PATH_TEXT_MAX + 1];
	struct policy *p = policy_with_all_selected();

	memset(longest, '7', sizeof(longest));
	longest[PATH_TEXT_MAX] = '\0';
	assert_int_equal(policy_set_platform(p, longest, PLATFORM_CF2), -EINVAL);
	longest[PATH_TEXT_MAX - 1] = '\0';
	assert_int_equal(policy_set_platform(p, longest, PLATFORM_CF2), 0);
	assert_int_equal(policy_set_platform(p, "", PLATFORM_CF2), -EINVAL);
	assert_int_equal(policy_set_platform(p, NULL, PLATFORM_CF2), -EINVAL);
	assert_int_equal(policy_select_own(p, "", NULL), -EINVAL);
	policy_free(p);
}

TEST(the_most_rules_are_taken_and_one_more_is_refused)
{
	struct image *image = image_for(0);
	struct policy *p = NULL;
	char key[16];

	assert_int_equal(policy_new(&p), 0);
	for (int i = 0; i < POLICY_RULES_MAX; i++) {
		(void)snprintf(key, sizeof(key), "1-%d", i + 1);
		if (i % 2 == 0)
			assert_int_equal(policy_select_own(p, key, image), 0);
		else
			assert_int_equal(policy_set_platform(p, key, PLATFORM_CF2), 0);
	}
	assert_true(policy_any_selected(p));
	assert_int_equal(policy_select_own(p, "9-9", image), -E2BIG);
	assert_int_equal(policy_set_platform(p, "9-9", PLATFORM_CF2), -E2BIG);
	assert_int_equal(policy_select_own(p, "9-9", NULL), 0);
	assert_int_equal(policy_set_platform(p, "9-9", PLATFORM_UNKNOWN), 0);
	assert_int_equal(policy_set_platform(p, "1-1", PLATFORM_CF2), 0); /* joins the one there */
	assert_int_equal(policy_select_own(p, "1-1", NULL), 0);
	assert_int_equal(policy_select_own(p, "9-9", image), -E2BIG);
	assert_int_equal(policy_set_platform(p, "1-1", PLATFORM_UNKNOWN), 0);
	assert_int_equal(policy_select_own(p, "9-9", image), 0); /* its place is free again */
	policy_free(p);
	image_unref(image);
}

TEST(all_images_can_be_lost_at_once)
{
	const struct policy_drone drone = {
		.port = PORT, .runtime_serial = RUNTIME, .dfu_serial = "", .crtp = PLATFORM_CF2
	};
	struct image *image = image_for(0);
	struct policy *p = policy_with_all_selected();
	struct policy_choice choice;

	policy_lose(p);
	assert_int_equal(choose(p, &drone, &choice), POLICY_NO_IMAGE);
	assert_non_null(strstr(choice.why, "cannot be used"));
	policy_select(p, PLATFORM_CF2, image);
	assert_int_equal(policy_select_own(p, PORT, image), 0);
	assert_int_equal(policy_set_platform(p, RUNTIME, PLATFORM_CF2), 0);
	policy_lose(p);
	assert_true(policy_own_is_lost(p, PORT) && !policy_own_is_lost(p, RUNTIME));
	policy_select(p, PLATFORM_CF2, image);
	assert_int_equal(choose(p, &drone, &choice), POLICY_NO_IMAGE); /* its slot's was lost */
	policy_free(p);
	p = policy_with_all_selected();
	policy_select(p, PLATFORM_CF2, NULL);
	policy_lose(p);
	assert_false(policy_is_lost(p, PLATFORM_CF2)); /* nothing was selected for it */
	policy_free(p);
	image_unref(image);
}

/* A selection whose image cannot be used is not one of something else. */
TEST(an_image_that_is_lost_leaves_its_drones_alone)
{
	const struct policy_drone drone = {
		.port = PORT, .runtime_serial = RUNTIME, .dfu_serial = "", .crtp = PLATFORM_CF2
	};
	struct image *image = image_for(0);
	struct policy *p = policy_with_all_selected();
	struct policy_choice choice;

	policy_select_lost(p, PLATFORM_CF2);
	assert_null(policy_selected(p, PLATFORM_CF2));
	assert_int_equal(choose(p, &drone, &choice), POLICY_NO_IMAGE);
	assert_non_null(strstr(choice.why, "cannot be used"));
	policy_select(p, PLATFORM_CF2, NULL);
	assert_int_equal(choose(p, &drone, &choice), POLICY_NO_IMAGE);
	assert_null(strstr(choice.why, "cannot be used"));
	policy_select(p, PLATFORM_CF2, image);
	for (int i = 0; i < 2; i++) { /* by its slot; by its serial, with an image for its slot */
		const char *target = i == 0 ? PORT : RUNTIME;

		assert_int_equal(policy_select_own_lost(p, target), 0);
		assert_int_equal(choose(p, &drone, &choice), POLICY_NO_IMAGE);
		assert_non_null(strstr(choice.why, "cannot be used"));
		assert_int_equal(policy_select_own(p, target, i == 0 ? image : NULL), 0);
		assert_int_equal(choose(p, &drone, &choice), POLICY_USE);
	}
	assert_int_equal(policy_set_platform(p, RUNTIME, PLATFORM_CF2), 0);
	assert_int_equal(policy_select_own_lost(p, RUNTIME), 0);
	assert_int_equal(policy_set_platform(p, RUNTIME, PLATFORM_UNKNOWN), 0);
	assert_int_equal(choose(p, &drone, &choice), POLICY_NO_IMAGE);
	assert_int_equal(policy_select_own_lost(p, ""), -EINVAL);
	policy_free(p);
	image_unref(image);
}

/* The sanitizer counts: what is selected lives, what is replaced, removed or left at the end does
 * not. */
TEST(the_policy_holds_its_own_references)
{
	struct image *image = image_for(BIT(PLATFORM_CF2));
	struct policy *p = NULL;

	policy_free(NULL);
	assert_int_equal(policy_new(&p), 0);
	policy_select(p, PLATFORM_CF2, image);
	policy_select(p, PLATFORM_CF2, image);
	assert_int_equal(policy_select_own(p, PORT, image), 0);
	assert_int_equal(policy_select_own(p, PORT, image), 0);
	image_unref(image);
	assert_ptr_equal(policy_selected(p, PLATFORM_CF2), image);
	assert_int_equal(image_bytes(image), 4);
	policy_select(p, PLATFORM_CF2, policy_selected(p, PLATFORM_CF2));
	policy_select(p, PLATFORM_CF2, NULL);
	assert_null(policy_selected(p, PLATFORM_CF2));
	assert_null(policy_selected(p, PLATFORM_COUNT));
	assert_int_equal(image_bytes(image), 4);
	policy_free(p);
}

TEST(without_memory_there_is_no_policy_and_with_one_no_rule_needs_any)
{
	struct policy *p = (struct policy *)&p;

	out_of_memory = true;
	assert_int_equal(policy_new(&p), -ENOMEM);
	assert_ptr_equal(p, &p);
	out_of_memory = false;
	assert_int_equal(policy_new(&p), 0);
	out_of_memory = true;
	assert_int_equal(policy_set_platform(p, PORT, PLATFORM_FLAPPER), 0);
	out_of_memory = false;
	policy_free(p);
}

TEST_MAIN(NULL)
