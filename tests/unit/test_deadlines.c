/* SPDX-License-Identifier: MIT */
/* The heap of deadlines, beside a plain list that is searched. */
#include "config.h"

#include "core/deadlines.h"

#include "unit/test.h"

static uint64_t
draw(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return *seed >> 33;
}

/* The first of a plain list; NEVER none. */
static uint64_t
search(const uint64_t *at_us, unsigned *ret_slot)
{
	uint64_t first = SCHED_NEVER;

	for (unsigned i = 0; i < SCHED_SLOTS_MAX; i++)
		if (at_us[i] < first) {
			first = at_us[i];
			*ret_slot = i;
		}
	return first;
}

TEST(an_empty_one_has_no_first)
{
	struct deadlines d = { 0 };
	unsigned slot = 77;

	assert_true(deadlines_first(&d, &slot) == SCHED_NEVER);
	assert_int_equal(slot, 77);
	deadlines_set(&d, 3, SCHED_NEVER);
	assert_true(deadlines_first(&d, &slot) == SCHED_NEVER);
}

TEST(of_equal_deadlines_the_lowest_slot_is_first)
{
	struct deadlines d = { 0 };
	unsigned slot = 0;

	for (unsigned i = SCHED_SLOTS_MAX; i > 0; i--)
		deadlines_set(&d, i - 1, 1000);
	for (unsigned i = 0; i < SCHED_SLOTS_MAX; i++) {
		assert_int_equal(deadlines_first(&d, &slot), 1000);
		assert_int_equal(slot, i);
		deadlines_set(&d, i, SCHED_NEVER);
	}
	assert_true(deadlines_first(&d, &slot) == SCHED_NEVER);
}

TEST(the_first_is_that_of_a_plain_list_after_every_change)
{
	static uint64_t list[SCHED_SLOTS_MAX];
	struct deadlines d = { 0 };
	uint64_t seed = 11;

	for (unsigned i = 0; i < SCHED_SLOTS_MAX; i++)
		list[i] = SCHED_NEVER;
	for (unsigned n = 0; n < 20000; n++) {
		unsigned changed = (unsigned)(draw(&seed) % SCHED_SLOTS_MAX), slot = 0, want = 0;
		uint64_t at = draw(&seed) % 4 == 0 ? SCHED_NEVER : draw(&seed) % 5000;

		list[changed] = at;
		deadlines_set(&d, changed, at);
		at = search(list, &want);
		assert_true(deadlines_first(&d, &slot) == at);
		assert_int_equal(slot, want);
	}
}

TEST_MAIN(NULL)
