/* SPDX-License-Identifier: MIT */
/* Unit tests of core/pace: the data sheet's times, what a device teaches, what it cannot spoil. */
#include "config.h"

#include "core/pace.h"

#include <stdio.h>
#include <string.h>

#include "test.h"

#include "cfdfu/util.h"

#define STATUS_US 350U
#define BLOCK 2048U
#define KIB 1024U

static struct pace
fresh(bool obey)
{
	struct pace p;

	pace_init(&p, obey);
	return p;
}

/*
 * One operation on a device that takes took_us and holds its answer back until then: waits as pace
 * says, asks, teaches.  Returns when the host knew that it was over.
 */
static uint32_t
operate(struct pace *p, enum pace_op op, uint32_t bytes, uint32_t took_us)
{
	uint32_t asked = pace_wait_us(p, op, bytes, 104);
	uint32_t known =
	    asked + STATUS_US > took_us + STATUS_US ? asked + STATUS_US : took_us + STATUS_US;

	pace_learn(p, op, bytes, known, known - asked);
	return known;
}

TEST(it_begins_with_the_data_sheet)
{
	struct pace p = fresh(false);

	assert_int_equal(pace_expected_us(&p, PACE_ERASE, 16 * KIB), 400000);
	assert_int_equal(pace_expected_us(&p, PACE_ERASE, 64 * KIB), 1200000);
	assert_int_equal(pace_expected_us(&p, PACE_ERASE, 128 * KIB), 2000000);
	assert_int_equal(pace_expected_us(&p, PACE_PROGRAM, BLOCK), 2048 * 16);
	assert_int_equal(pace_expected_us(&p, PACE_COMMAND, 5), 0);
	pace_set_word(&p, true);
	assert_int_equal(pace_expected_us(&p, PACE_ERASE, 128 * KIB), 1000000);
	assert_int_equal(pace_expected_us(&p, PACE_PROGRAM, BLOCK), 512 * 16);
	pace_set_word(&p, false);
	assert_int_equal(pace_expected_us(&p, PACE_PROGRAM, BLOCK), 2048 * 16);
}

TEST(a_block_is_known_to_be_over_within_half_a_millisecond)
{
	static const uint32_t per_byte_ns[] = { 4000, 8000, 12000, 16000, 24000, 40000, 100000 };

	for (size_t k = 0; k < ARRAY_LEN(per_byte_ns); k++) {
		struct pace p = fresh(false);
		uint32_t took = BLOCK * (per_byte_ns[k] / 1000);
		uint64_t waited = 0;

		for (unsigned i = 0; i < 20; i++)
			(void)operate(&p, PACE_PROGRAM, BLOCK, took);
		for (unsigned i = 0; i < 100; i++)
			waited += operate(&p, PACE_PROGRAM, BLOCK, took) - took;
		/* The cost of the status request, and little more than a hundredth of the block. */
		assert_true(waited / 100 <= STATUS_US + took / 50);
	}
}

TEST(an_erase_that_was_measured_is_asked_after_in_time)
{
	struct pace p = fresh(false);

	(void)operate(&p, PACE_ERASE, 16 * KIB, 520000);
	/* A slow device is slow with all of its sectors. */
	assert_in_range(pace_expected_us(&p, PACE_ERASE, 128 * KIB), 2500000, 2700000);
	for (unsigned i = 0; i < 5; i++)
		assert_true(operate(&p, PACE_ERASE, 128 * KIB, 2600000) <=
			    2600000 + STATUS_US + 2600000 / 16);
	assert_in_range(pace_expected_us(&p, PACE_ERASE, 128 * KIB), 2340000, 2700000);
}

TEST(kinds_of_operations_are_learned_apart)
{
	struct pace p = fresh(false);

	for (unsigned i = 0; i < 50; i++)
		(void)operate(&p, PACE_PROGRAM, BLOCK, 80000);
	assert_int_equal(pace_expected_us(&p, PACE_ERASE, 16 * KIB), 400000);
	assert_in_range(pace_expected_us(&p, PACE_PROGRAM, BLOCK), 70000, 90000);
}

TEST(short_blocks_and_commands_teach_nothing)
{
	struct pace p = fresh(false);

	for (unsigned i = 0; i < 50; i++) {
		pace_learn(&p, PACE_PROGRAM, 64, 900000, 900000);
		pace_learn(&p, PACE_COMMAND, 5, 900000, 900000);
	}
	assert_int_equal(pace_expected_us(&p, PACE_PROGRAM, BLOCK), 2048 * 16);
	assert_int_equal(pace_expected_us(&p, PACE_COMMAND, 5), 0);
}

TEST(one_late_answer_of_a_busy_host_is_soon_forgotten)
{
	struct pace p = fresh(false);
	uint32_t usual, late;

	for (unsigned i = 0; i < 20; i++)
		(void)operate(&p, PACE_PROGRAM, BLOCK, 32768);
	usual = pace_expected_us(&p, PACE_PROGRAM, BLOCK);
	pace_learn(&p, PACE_PROGRAM, BLOCK, 500000, 470000);
	late = pace_expected_us(&p, PACE_PROGRAM, BLOCK);
	assert_true(late <= usual + usual / 8 + 1);
	for (unsigned i = 0; i < 10; i++)
		(void)operate(&p, PACE_PROGRAM, BLOCK, 32768);
	assert_true(pace_expected_us(&p, PACE_PROGRAM, BLOCK) <= usual + usual / 16);
}

/* The host stood still during the first operation of a kind: no measure of the device. */
TEST(a_first_answer_that_comes_seconds_late_costs_little_more_than_that)
{
	struct pace p = fresh(false);
	uint32_t asked = pace_wait_us(&p, PACE_PROGRAM, BLOCK, 104);
	uint64_t blocks = 0, sectors = 0;

	pace_learn(&p, PACE_PROGRAM, BLOCK, 5000000, 5000000 - asked);
	for (unsigned i = 0; i < 100; i++)
		blocks += operate(&p, PACE_PROGRAM, BLOCK, 32768);
	assert_true(blocks < 110 * 32768);
	assert_in_range(pace_expected_us(&p, PACE_PROGRAM, BLOCK), 32000, 36000);

	asked = pace_wait_us(&p, PACE_ERASE, 16 * KIB, 100);
	pace_learn(&p, PACE_ERASE, 16 * KIB, 5000000, 5000000 - asked);
	for (unsigned i = 0; i < 3; i++)
		sectors += operate(&p, PACE_ERASE, 16 * KIB, 400000);
	sectors += operate(&p, PACE_ERASE, 64 * KIB, 1200000);
	for (unsigned i = 0; i < 7; i++)
		sectors += operate(&p, PACE_ERASE, 128 * KIB, 2000000);
	assert_true(sectors < 3 * 400000 + 1200000 + 7 * 2000000 + 1500000);
}

TEST(a_device_far_slower_than_the_data_sheet_is_known_after_a_few)
{
	struct pace p = fresh(false);

	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(operate(&p, PACE_PROGRAM, BLOCK, 1000000), 1000000 + STATUS_US);
	assert_in_range(pace_expected_us(&p, PACE_PROGRAM, BLOCK), 900000, 1000000);
}

/*
 * Every wake-up and every answer is late, by 0.3 to 8 ms: sixteen drones on a loaded host.  A block
 * must not take longer than flash and lateness together, whatever was believed at first.
 */
TEST(a_host_that_is_always_late_does_not_get_later)
{
	static const uint32_t truths[] = { 8192, 32768, 60000 };
	uint32_t random = 4711;

	for (size_t k = 0; k < ARRAY_LEN(truths); k++) {
		struct pace p = fresh(false);
		uint64_t spent = 0, unavoidable = 0;

		pace_set_word(&p, truths[k] == 8192);
		for (unsigned i = 0; i < 500; i++) {
			uint32_t wake_late, answer_late, asked, known;

			random = random * 1103515245 + 12345;
			wake_late = 300 + (random >> 16) % 7700;
			random = random * 1103515245 + 12345;
			answer_late = 300 + (random >> 16) % 7700;
			asked = pace_wait_us(&p, PACE_PROGRAM, BLOCK, 104) + wake_late;
			known = (asked > truths[k] ? asked : truths[k]) + STATUS_US + answer_late;
			pace_learn(&p, PACE_PROGRAM, BLOCK, known, known - asked);
			spent += known;
			unavoidable += truths[k] + STATUS_US + wake_late + answer_late;
		}
		assert_true(spent <= unavoidable);
		assert_true(pace_expected_us(&p, PACE_PROGRAM, BLOCK) < truths[k] + 16000);
	}
}

TEST(a_device_that_becomes_slower_is_followed_without_losing_time)
{
	struct pace p = fresh(false);

	for (unsigned i = 0; i < 20; i++)
		(void)operate(&p, PACE_PROGRAM, BLOCK, 20000);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(operate(&p, PACE_PROGRAM, BLOCK, 40000), 40000 + STATUS_US);
	assert_in_range(pace_expected_us(&p, PACE_PROGRAM, BLOCK), 20001, 40000);
}

TEST(a_device_that_answers_busy_is_polled_later_the_next_time)
{
	struct pace p = fresh(false);
	uint32_t before;

	(void)operate(&p, PACE_PROGRAM, BLOCK, 32768); /* measured once */
	before = pace_expected_us(&p, PACE_PROGRAM, BLOCK);
	pace_learn_slow(&p, PACE_PROGRAM, BLOCK);
	assert_true(pace_expected_us(&p, PACE_PROGRAM, BLOCK) > before);
	assert_true(pace_expected_us(&p, PACE_PROGRAM, BLOCK) <= before + before / 8);
}

TEST(nothing_that_a_device_does_makes_the_wait_longer_than_the_limit)
{
	static const uint32_t sizes[] = {
		1 * KIB, 4 * KIB, 16 * KIB, 128 * KIB, 256 * KIB, 1U << 30
	};
	struct pace p = fresh(false);

	for (unsigned i = 0; i < 2000; i++)
		for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
			pace_learn_slow(&p, PACE_ERASE, sizes[k]);
			pace_learn(&p, PACE_ERASE, sizes[k], UINT32_MAX, UINT32_MAX);
			pace_learn_slow(&p, PACE_PROGRAM, BLOCK);
			pace_learn(&p, PACE_PROGRAM, BLOCK, UINT32_MAX, UINT32_MAX);
		}
	assert_true(pace_wait_us(&p, PACE_PROGRAM, BLOCK, UINT32_MAX) <=
		    pace_limit_us(PACE_PROGRAM, BLOCK));
	for (size_t k = 0; k + 1 < ARRAY_LEN(sizes); k++)
		assert_true(pace_wait_us(&p, PACE_ERASE, sizes[k], UINT32_MAX) <=
			    pace_limit_us(PACE_ERASE, sizes[k]));
}

TEST(a_device_with_more_kinds_of_sectors_than_told_apart_is_flashed_all_the_same)
{
	struct pace p = fresh(false);

	for (uint32_t k = 1; k <= 4 * PACE_ERASE_KINDS; k++) {
		(void)operate(&p, PACE_ERASE, k * KIB, 20000 + k * 16000);
		assert_true(pace_expected_us(&p, PACE_ERASE, k * KIB) > 0);
	}
	assert_true(pace_expected_us(&p, PACE_ERASE, 128 * KIB) > 0);
}

TEST(obey_waits_for_what_the_device_says)
{
	struct pace p = fresh(true);

	assert_int_equal(pace_wait_us(&p, PACE_PROGRAM, BLOCK, 104), 104000);
	assert_int_equal(pace_wait_us(&p, PACE_ERASE, 128 * KIB, 100), 100000);
	/* SPEC: doc/faults.md P8: a wild value is clamped, zero is not asked at once. */
	assert_int_equal(pace_wait_us(&p, PACE_PROGRAM, BLOCK, 0xFFFFFF), 1000000);
	assert_int_equal(pace_wait_us(&p, PACE_ERASE, BLOCK, 0xFFFFFF), 5000000);
	assert_int_equal(pace_wait_us(&p, PACE_PROGRAM, BLOCK, 0), 1000);
	(void)operate(&p, PACE_PROGRAM, BLOCK, 1);
	assert_int_equal(pace_wait_us(&p, PACE_PROGRAM, BLOCK, 104), 104000);
}

TEST(a_device_that_stalls_early_polls_is_polled_late)
{
	struct pace p = fresh(true);

	p.stalls_early = true;
	/* Its poll value of an erase is far too short. */
	assert_true(pace_wait_us(&p, PACE_ERASE, 128 * KIB, 100) > 2000000);
	/* ... and that of a block is long enough. */
	assert_int_equal(pace_wait_us(&p, PACE_PROGRAM, BLOCK, 104), 104000);
}

TEST(a_device_that_stalls_early_is_not_expected_to_have_the_constants_of_the_rom)
{
	struct pace p = fresh(true);

	pace_stalls_early(&p, true);
	assert_int_equal(pace_whole_us(&p, PACE_PROGRAM, BLOCK), 2048 * 16 * 9 / 8);
	(void)pace_wait_us(&p, PACE_PROGRAM, BLOCK, 40);
	assert_int_equal(pace_whole_us(&p, PACE_PROGRAM, BLOCK), 40000);
}

TEST(the_expected_time_is_the_longer_of_flash_and_wait)
{
	struct pace p = fresh(false), o = fresh(true);

	assert_int_equal(pace_whole_us(&p, PACE_PROGRAM, BLOCK), 2048 * 16);
	/* Before the first answer: the ROM's constants. */
	assert_int_equal(pace_whole_us(&o, PACE_PROGRAM, BLOCK), 104000);
	assert_int_equal(pace_whole_us(&o, PACE_ERASE, 128 * KIB), 2000000);
	(void)pace_wait_us(&o, PACE_PROGRAM, BLOCK, 250);
	assert_int_equal(pace_whole_us(&o, PACE_PROGRAM, BLOCK), 250000);
}

TEST(every_size_has_a_limit_above_what_is_expected)
{
	struct pace p = fresh(false);

	for (uint32_t bytes = 1; bytes <= 1024 * KIB; bytes += 511)
		assert_true(pace_limit_us(PACE_ERASE, bytes) >
			    pace_expected_us(&p, PACE_ERASE, bytes));
	for (uint32_t bytes = 2; bytes <= 4096; bytes += 2)
		assert_true(pace_limit_us(PACE_PROGRAM, bytes) >
			    pace_expected_us(&p, PACE_PROGRAM, bytes));
}

TEST_MAIN(NULL)
