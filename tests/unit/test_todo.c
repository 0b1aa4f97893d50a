/* SPDX-License-Identifier: MIT */
/* The next thing for hands: short enough for a wall, for every bad ending, and never beside the
 * point. */
#include "config.h"

#include "core/todo.h"

#include <string.h>

#include "test.h"

#include "core/fleet.h"
#include "core/outcome.h"
#include "core/readiness.h"

static const struct readiness nothing_left;
static const struct condition nothing_known;

static struct slot_view
ended(enum verdict_kind kind, enum fault fault, enum platform platform)
{
	return (struct slot_view){ .present = true,
				   .platform = platform,
				   .class =
				       (enum slot_class)(SLOT_CLASS_PASS + kind - VERDICT_PASS),
				   .verdict = { .kind = kind, .fault = fault },
				   .condition = &nothing_known,
				   .readiness = &nothing_left };
}

static void
check_words(const char *todo)
{
	assert_non_null(todo);
	assert_true(strlen(todo) < TODO_TEXT_MAX);
	assert_true(todo[strlen(todo) - 1] == '.');
	assert_null(strstr(todo, "SLOT")); /* it needs no filling in */
}

TEST(every_bad_ending_has_something_for_hands_that_a_wall_can_show)
{
	static const enum verdict_kind bad[] = { VERDICT_FAIL, VERDICT_NEEDS_BUTTON,
						 VERDICT_NEEDS_POWER_CYCLE, VERDICT_INTERRUPTED };

	for (size_t k = 0; k < ARRAY_LEN(bad); k++)
		for (enum fault f = FAULT_NONE; f < FAULT_COUNT; f++)
			for (unsigned p = PLATFORM_UNKNOWN; p < PLATFORM_COUNT; p++) {
				struct slot_view v = ended(bad[k], f, (enum platform)p);

				if (f == FAULT_NONE || fault_name(f) != NULL)
					check_words(todo_of(&v));
			}
}

TEST(every_thing_that_is_left_has_something_for_hands)
{
	for (enum rest i = 0; i < REST_COUNT; i++) {
		struct readiness r = { .ready = READY_NO, .rests = BIT(i) };
		struct slot_view v = ended(VERDICT_PASS, FAULT_NONE, PLATFORM_CF2);

		v.readiness = &r;
		check_words(todo_of(&v));
		v.present = false; /* it was taken away */
		assert_null(todo_of(&v));
	}
}

TEST(new_power_comes_before_the_self_test_that_it_cures)
{
	struct readiness r = { .ready = READY_NO,
			       .rests = BIT(REST_SELF_TEST) | BIT(REST_POWER_CYCLE) };
	struct condition lost = { .power_cycle = POWER_CYCLE_LOST };
	struct slot_view v = ended(VERDICT_PASS, FAULT_NONE, PLATFORM_CF2);

	v.readiness = &r;
	assert_string_equal(todo_of(&v), "Unplug it, then switch it off and on.");
	v.condition = &lost;
	assert_non_null(strstr(todo_of(&v), "power button"));
}

TEST(a_drone_that_was_pulled_with_half_an_image_needs_its_button)
{
	struct slot_view v = ended(VERDICT_FAIL, FAULT_GONE, PLATFORM_CF2);

	v.verdict.step = STEP_WRITING;
	assert_null(strstr(todo_of(&v), "button")); /* it is back */
	v.present = false;
	assert_non_null(strstr(todo_of(&v), "button"));
	v.verdict.step = STEP_COMPARING; /* nothing was erased */
	assert_null(strstr(todo_of(&v), "button"));
}

TEST(another_board_is_not_told_of_buttons_and_batteries)
{
	for (enum fault f = FAULT_NONE; f < FAULT_COUNT; f++) {
		struct slot_view v = ended(VERDICT_FAIL, f, PLATFORM_OTHER);

		if (f != FAULT_NONE && fault_name(f) == NULL)
			continue;
		assert_null(strstr(todo_of(&v), "button"));
		assert_null(strstr(todo_of(&v), "attery"));
	}
}

TEST(there_is_nothing_to_do_for_one_at_work_or_done_or_foreign)
{
	struct slot_view v = ended(VERDICT_PASS, FAULT_NONE, PLATFORM_CF2);

	assert_null(todo_of(&v));
	v = ended(VERDICT_FAIL, FAULT_GONE, PLATFORM_CF2);
	v.class = SLOT_CLASS_ACTIVE; /* it was plugged in again */
	assert_null(todo_of(&v));
	v.class = SLOT_CLASS_FOREIGN;
	assert_null(todo_of(&v));
	v.class = SLOT_CLASS_QUARANTINED;
	check_words(todo_of(&v));
	v.class = SLOT_CLASS_UNSERVED;
	check_words(todo_of(&v));
}

TEST_MAIN(NULL)
