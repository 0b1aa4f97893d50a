/* SPDX-License-Identifier: MIT */
/* Unit tests of core/sched: limits, order, patience, fairness. */
#include "config.h"

#include "core/sched.h"

#include <stdio.h>
#include <string.h>

#include "test.h"

#define MS 1000ULL

static struct sched *
made(const struct sched_limits *limits)
{
	struct sched *s;

	assert_int_equal(sched_new(limits, &s), 0);
	return s;
}

static void
place(struct sched *s, unsigned slot, const char *controller, const char *translator,
      unsigned endpoints)
{
	struct sighting where = { .port = "" };

	(void)snprintf(where.port, sizeof(where.port), "%.20s.%u",
		       translator[0] != '\0' ? translator : controller, slot);
	copy_text(where.controller, sizeof(where.controller), controller);
	copy_text(where.translator, sizeof(where.translator), translator);
	sched_place(s, slot, &where, endpoints);
}

/* Slots [0, n) on this controller and translator, in run-time mode. */
static void
place_all(struct sched *s, unsigned n, const char *translator, unsigned endpoints)
{
	for (unsigned i = 0; i < n; i++)
		place(s, i, "usb1", translator, endpoints);
}

static void
ask_all(struct sched *s, unsigned n, enum permit permit, uint64_t now_us)
{
	for (unsigned i = 0; i < n; i++)
		sched_ask(s, i, permit, now_us);
}

/* How many turns there are to be had now. */
static unsigned
granted_now(struct sched *s, uint64_t now_us)
{
	unsigned n = 0, slot;
	enum permit permit;

	while (sched_next(s, now_us, &slot, &permit))
		n++;
	return n;
}

TEST(without_limits_every_permit_is_granted_at_once)
{
	struct sched *s = made(&(struct sched_limits){ 0 });

	place_all(s, 120, "1-1", 6);
	for (enum permit t = PERMIT_START; t < PERMIT_COUNT; t++) {
		ask_all(s, 120, t, 0);
		assert_int_equal(granted_now(s, 0), 120);
	}
	assert_true(sched_deadline_us(s) == SCHED_NEVER);
	sched_free(s);
}

TEST(permits_are_granted_in_the_order_of_requests)
{
	static const unsigned order[] = { 7, 3, 5, 0, 6, 1, 4, 2 };
	struct sched *s = made(&(struct sched_limits){ .active_max = 1 });
	unsigned slot;
	enum permit permit;

	place_all(s, 8, "", 6);
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		sched_ask(s, order[i], PERMIT_START, i);
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		assert_true(sched_next(s, 100, &slot, &permit));
		assert_int_equal(slot, order[i]);
		assert_int_equal(permit, PERMIT_START);
		assert_false(sched_next(s, 100, &slot, &permit));
		sched_release(s, order[i], PERMIT_START);
	}
	sched_free(s);
}

TEST(asking_again_changes_nothing)
{
	struct sched *s = made(&(struct sched_limits){ .active_max = 1 });
	unsigned slot;
	enum permit permit;

	place_all(s, 2, "", 6);
	sched_ask(s, 0, PERMIT_START, 0);
	sched_ask(s, 1, PERMIT_START, 1);
	sched_ask(s, 0, PERMIT_START, 2);
	assert_true(sched_next(s, 3, &slot, &permit));
	assert_int_equal(slot, 0);
	sched_ask(s, 0, PERMIT_START, 4);
	assert_false(sched_waits(s, 0, PERMIT_START));
	sched_release(s, 0, PERMIT_START);
	assert_true(sched_next(s, 5, &slot, &permit));
	assert_int_equal(slot, 1);
	assert_int_equal(granted_now(s, 5), 0);
	sched_free(s);
}

TEST(starts_are_held_while_others_go_on)
{
	struct sched *s = made(&(struct sched_limits){ 0 });

	place_all(s, 3, "", 6);
	sched_hold_starts(s, true);
	ask_all(s, 3, PERMIT_START, 0);
	sched_ask(s, 0, PERMIT_WRITE, 0);
	assert_int_equal(granted_now(s, 0), 1);
	assert_true(sched_has(s, 0, PERMIT_WRITE));
	sched_hold_starts(s, false);
	assert_int_equal(granted_now(s, 0), 3);
	sched_free(s);
}

TEST(mode_switches_are_limited_and_apart)
{
	struct sched *s = made(&(struct sched_limits){ .switch_max = 2, .stagger_us = 30 * MS });
	unsigned slot;
	enum permit permit;

	place_all(s, 3, "", 6);
	ask_all(s, 3, PERMIT_SWITCH, 0);
	assert_true(sched_next(s, 10, &slot, &permit));
	assert_false(sched_next(s, 10, &slot, &permit));
	assert_true(sched_deadline_us(s) == 10 + 30 * MS);
	assert_false(sched_next(s, 9 + 30 * MS, &slot, &permit));
	assert_true(sched_next(s, 10 + 30 * MS, &slot, &permit));
	assert_int_equal(slot, 1);
	/* Two are under way: time alone does not help the third. */
	assert_false(sched_next(s, 1000 * MS, &slot, &permit));
	assert_true(sched_deadline_us(s) == SCHED_NEVER);
	sched_release(s, 0, PERMIT_SWITCH);
	assert_true(sched_next(s, 1000 * MS, &slot, &permit));
	assert_int_equal(slot, 2);
	sched_free(s);
}

TEST(controllers_do_not_share_a_limit_of_switches)
{
	struct sched *s = made(&(struct sched_limits){ .switch_max = 1 });

	place(s, 0, "usb1", "", 6);
	place(s, 1, "usb3", "", 6);
	place(s, 2, "usb1", "", 6);
	ask_all(s, 3, PERMIT_SWITCH, 0);
	assert_int_equal(granted_now(s, 0), 2);
	assert_true(sched_waits(s, 2, PERMIT_SWITCH));
	sched_free(s);
}

/* Ports of two hubs on one controller, and of one hub on another one, ask to switch: how many may
 * at once, and how many altogether when the time between two has passed? */
static void
expect_staggered(bool hubs, unsigned at_once, unsigned later)
{
	struct sched *s =
	    made(&(struct sched_limits){ .stagger_us = 30 * MS, .stagger_hubs = hubs });

	for (unsigned i = 0; i < 6; i++)
		place(s, i, i < 4 ? "usb1" : "usb3", i < 2 ? "1-1" : i < 4 ? "1-2" : "3-1", 6);
	ask_all(s, 6, PERMIT_SWITCH, 0);
	assert_int_equal(granted_now(s, 10), at_once);
	assert_int_equal(granted_now(s, 9 + 30 * MS), 0);
	assert_int_equal(granted_now(s, 10 + 30 * MS), later - at_once);
	sched_free(s);
}

TEST(mode_switches_are_kept_apart_on_each_controller)
{
	expect_staggered(false, 2, 4);
}

TEST(mode_switches_are_kept_apart_on_each_hub)
{
	expect_staggered(true, 3, 6);
}

TEST(without_time_between_mode_switches_none_is_waited_for)
{
	struct sched *s = made(&(struct sched_limits){ .switch_max = 2 });

	place_all(s, 3, "", 6);
	ask_all(s, 3, PERMIT_SWITCH, 0);
	assert_int_equal(granted_now(s, 10), 2);
	assert_true(sched_deadline_us(s) == SCHED_NEVER);
	sched_free(s);
}

TEST(a_slot_that_is_forgotten_leaves_its_limits_to_the_others)
{
	struct sched *s = made(&(struct sched_limits){
	    .active_max = 1, .writers_max = 1, .endpoints_max = 7, .leave_wait_us = MS });

	place_all(s, 3, "1-1", 1);
	for (unsigned i = 0; i < 3; i++)
		for (enum permit t = PERMIT_START; t <= PERMIT_LEAVE; t++)
			sched_ask(s, i, t, 0);
	/* All switch, one starts, one writes; three contexts and one that leaves are too many. */
	assert_int_equal(granted_now(s, 0), 3 + 1 + 1);
	sched_forget(s, 1);
	sched_forget(s, 1);
	assert_int_equal(granted_now(s, 0), 1);
	sched_forget(s, 0); /* the third one starts, writes and leaves */
	assert_int_equal(granted_now(s, 0), 3);
	sched_place(s, 0, NULL, 0);
	assert_false(sched_has(s, 0, PERMIT_START) || sched_waits(s, 0, PERMIT_START));
	sched_free(s);
}

TEST(writers_are_limited_behind_one_translator)
{
	struct sched *s = made(&(struct sched_limits){ .writers_max = 2 });

	for (unsigned i = 0; i < 12; i++)
		place(s, i, "usb1", i < 4 ? "1-1" : i < 8 ? "1-2" : "", 1);
	ask_all(s, 12, PERMIT_WRITE, 0);
	/* Two behind each hub; without a translator nothing is shared. */
	assert_int_equal(granted_now(s, 0), 2 + 2 + 4);
	sched_release(s, 0, PERMIT_WRITE);
	assert_int_equal(granted_now(s, 0), 1);
	assert_true(sched_has(s, 2, PERMIT_WRITE));
	sched_free(s);
}

TEST(endpoint_contexts_are_counted_as_if_those_on_their_way_were_there)
{
	struct sched *s =
	    made(&(struct sched_limits){ .endpoints_max = 20, .leave_wait_us = 5000 * MS });

	place_all(s, 6, "", 1); /* six in DFU mode: one context each */
	ask_all(s, 6, PERMIT_LEAVE, 0);
	/* 6 + 5 + 5 = 16; another one would make it 21. */
	assert_int_equal(granted_now(s, 0), 2);
	/* They come up, and have it no more: the same sum. */
	for (unsigned i = 0; i < 2; i++) {
		place(s, i, "usb1", "", 6);
		sched_release(s, i, PERMIT_LEAVE);
	}
	assert_int_equal(granted_now(s, 1), 0);
	/* One is pulled: 10, and room for two more. */
	sched_place(s, 0, NULL, 0);
	assert_int_equal(granted_now(s, 2), 2);
	sched_free(s);
}

TEST(waiting_for_endpoint_contexts_has_an_end)
{
	struct sched *s =
	    made(&(struct sched_limits){ .endpoints_max = 6, .leave_wait_us = 5000 * MS });

	place_all(s, 3, "", 1);
	sched_ask(s, 0, PERMIT_LEAVE, 100);
	sched_ask(s, 1, PERMIT_LEAVE, 100);
	assert_int_equal(granted_now(s, 100), 0);
	assert_true(sched_deadline_us(s) == 100 + 5000 * MS);
	assert_int_equal(granted_now(s, 99 + 5000 * MS), 0);
	assert_int_equal(granted_now(s, 100 + 5000 * MS), 2);
	sched_free(s);
}

TEST(a_controller_can_hold_again_as_many_as_it_held_before)
{
	struct sched *s = made(&(struct sched_limits){ .endpoints_max = 6 });

	place_all(s, 3, "", 6); /* 18 at once, beyond the limit */
	place_all(s, 3, "", 1);
	ask_all(s, 3, PERMIT_LEAVE, 0);
	assert_int_equal(granted_now(s, 0), 3);
	sched_free(s);
}

TEST(a_limit_can_be_changed_under_way)
{
	struct sched *s = made(&(struct sched_limits){ .active_max = 1 });

	place_all(s, 10, "", 6);
	ask_all(s, 10, PERMIT_START, 0);
	assert_int_equal(granted_now(s, 0), 1);
	sched_set_limits(s, &(struct sched_limits){ .active_max = 4 });
	assert_int_equal(granted_now(s, 0), 3);
	sched_set_limits(s, &(struct sched_limits){ .active_max = 2 });
	sched_release(s, 0, PERMIT_START);
	sched_release(s, 1, PERMIT_START);
	assert_int_equal(granted_now(s, 0), 0);
	sched_release(s, 2, PERMIT_START);
	assert_int_equal(granted_now(s, 0), 1);
	sched_free(s);
}

TEST(a_removed_drone_gives_up_its_permits_and_its_place_in_the_queue)
{
	struct sched *s = made(&(struct sched_limits){ .active_max = 1, .writers_max = 1 });

	place_all(s, 3, "1-1", 1);
	ask_all(s, 3, PERMIT_START, 0);
	ask_all(s, 3, PERMIT_WRITE, 0);
	assert_int_equal(granted_now(s, 0), 2);
	sched_release_all(s, 1);
	sched_release_all(s, 0);
	assert_int_equal(granted_now(s, 0), 2);
	assert_true(sched_has(s, 2, PERMIT_START) && sched_has(s, 2, PERMIT_WRITE));
	assert_false(sched_waits(s, 1, PERMIT_START));
	sched_free(s);
}

/* Drones finish at random; a waiting drone is passed only by drones that asked before. */
/* Ten drones behind one translator that carries four blocks at once, and of more a tenth; until
 * that is learned. */
static struct sched *
crowded(void)
{
	struct sched *s = made(&(struct sched_limits){ .blocks_learned = true });
	uint64_t now_us = 0;

	place_all(s, 10, "1-1", 1);
	ask_all(s, 10, PERMIT_WRITE, 0);
	assert_int_equal(granted_now(s, 0), 10);
	for (unsigned round = 0; round < 500; round++) {
		unsigned n = round % 10 + 1, begun = 0;

		while (begun < n && sched_block(s, begun, begun + 1 == n, now_us))
			begun++;
		now_us += begun <= 4 ? 5 * MS * begun : 50 * MS * begun;
		for (unsigned i = 0; i < begun; i++)
			sched_block_ended(s, i, true, now_us);
		for (unsigned i = 0; i < 10; i++)
			sched_release(s, i, PERMIT_BLOCK);
	}
	return s;
}

/* How many of slots [from, 10) may begin a block now. */
static unsigned
begin_all(struct sched *s, unsigned from)
{
	unsigned n = 0;

	for (unsigned i = from; i < 10; i++)
		n += sched_block(s, i, true, 0);
	return n;
}

TEST(blocks_wait_behind_a_translator_that_carries_less_of_more)
{
	struct sched *s = crowded();
	enum permit permit;
	unsigned slot;

	assert_int_equal(begin_all(s, 0), 4);
	assert_false(sched_next(s, 0, &slot, &permit));
	sched_block_ended(s, 2, true, 5 * MS);
	assert_true(sched_next(s, 0, &slot, &permit));
	assert_int_equal(slot, 4);
	assert_int_equal(permit, PERMIT_BLOCK);
	assert_false(sched_next(s, 0, &slot, &permit));
	/* One that has ended does not overtake those that wait. */
	sched_block_ended(s, 0, true, 5 * MS);
	assert_false(sched_block(s, 2, true, 0));
	assert_true(sched_next(s, 0, &slot, &permit));
	assert_int_equal(slot, 5);
	/* Those that are forgotten or go on to something else make room. */
	sched_forget(s, 1);
	sched_release_all(s, 3);
	assert_int_equal(granted_now(s, 0), 2);
	assert_true(sched_has(s, 7, PERMIT_BLOCK));
	sched_free(s);
}

TEST(blocks_wait_for_nothing_else)
{
	struct sched *s = crowded();

	place(s, 8, "usb1", "1-2", 1); /* behind another translator */
	place(s, 9, "usb1", "", 1);    /* behind none */
	assert_int_equal(begin_all(s, 0), 4 + 2);
	sched_release(s, 7, PERMIT_WRITE);
	assert_true(sched_block(s, 7, true, 0)); /* reads only */
	sched_free(s);
	s = crowded();
	sched_set_limits(s, &(struct sched_limits){ .writers_max = 10 });
	assert_int_equal(begin_all(s, 0), 10);
	sched_free(s);
}

TEST(no_drone_waits_longer_than_those_before_it_take)
{
	struct sched *s = made(&(struct sched_limits){ .writers_max = 8 });
	bool done[SCHED_SLOTS_MAX] = { false };
	unsigned slot, got = 0, writing = 0, next = 0;
	uint32_t random = 12345;
	enum permit permit;

	place_all(s, SCHED_SLOTS_MAX, "1-1", 1);
	ask_all(s, SCHED_SLOTS_MAX, PERMIT_WRITE, 0);
	while (got < SCHED_SLOTS_MAX) {
		while (sched_next(s, got, &slot, &permit)) {
			assert_int_equal(slot, next++);
			got++;
			writing++;
			assert_true(writing <= 8);
		}
		do {
			random = random * 1103515245 + 12345;
			slot = (random >> 16) % next;
		} while (done[slot]);
		done[slot] = true;
		writing--;
		sched_release(s, slot, PERMIT_WRITE);
	}
	assert_int_equal(next, SCHED_SLOTS_MAX);
	sched_free(s);
}

TEST_MAIN(NULL)
