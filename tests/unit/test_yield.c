/* SPDX-License-Identifier: MIT */
/* core/yield: sums against an independent computation, and culprits in random rosters. */
#include "config.h"

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/outcome.h"
#include "core/yield.h"

#define FACTS_MAX 512

/* ---- a roster: drones that are plugged in somewhere, and elsewhere when they fail ------------ */

static uint64_t seed = UINT64_C(88172645463325252);

static unsigned
dice(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)((seed >> 16) % n);
}

struct roster {
	unsigned slots, drones, images, retries;
	unsigned fail_permille;			    /* of any drone in any slot */
	unsigned bad_slot, bad_drone, bad_permille; /* number from 1; 0 none */
	unsigned slow_slot, slow_percent;
};

static const struct yield_group *
group(const struct yield *y, unsigned i)
{
	return i < yield_sums(y)->group_count ? yield_sums(y)->groups[i] : NULL;
}

static const struct yield_culprit *
culprit(const struct yield *y, unsigned i)
{
	return i < yield_sums(y)->culprit_count ? &yield_sums(y)->culprits[i] : NULL;
}

static void
conclude(struct yield *y)
{
	while (yield_conclude(y))
		;
}

static bool
attempt(struct yield *y, const struct roster *r, unsigned drone, unsigned slot, unsigned image)
{
	char port[16], stages[64];
	unsigned permille = slot + 1 == r->bad_slot || drone + 1 == r->bad_drone ? r->bad_permille
										 : r->fail_permille;
	bool bad = dice(1000) < permille;
	/* 6.8 s, a tenth more or less */
	unsigned ms = 5800 + dice(500) + dice(500) + dice(500) + dice(500);
	struct yield_fact f = { .drone = 1 + drone,
				.image = 1 + image,
				.port = port,
				.verdict = bad ? VERDICT_FAIL : VERDICT_PASS,
				.fault = bad ? FAULT_VERIFY : FAULT_NONE,
				.bytes_written = 262144,
				.stages = stages };

	if (slot + 1 == r->slow_slot)
		ms = ms * (100 + r->slow_percent) / 100;
	(void)snprintf(port, sizeof(port), "1-%u.%u", 1 + slot / 7, 1 + slot % 7);
	(void)snprintf(stages, sizeof(stages), "[[\"asking\",120],[\"writing\",%u]]", ms);
	yield_add(y, &f);
	return !bad;
}

/* Each drone with each image: in any slot, after a failure in another one. */
static struct yield *
play(const struct roster *r)
{
	struct yield *y;

	assert_int_equal(yield_new(YIELD_SLOT, FACTS_MAX, &y), 0);
	for (unsigned image = 0; image < r->images; image++)
		for (unsigned drone = 0; drone < r->drones; drone++)
			for (unsigned i = 0, slot = dice(r->slots);
			     i <= r->retries && !attempt(y, r, drone, slot, image); i++)
				slot = (slot + 1 + dice(r->slots - 1)) % r->slots;
	conclude(y);
	return y;
}

static unsigned
named(const struct yield *y, enum yield_kind kind)
{
	const struct yield_culprit *c;
	unsigned n = 0;

	for (unsigned i = 0; (c = culprit(y, i)) != NULL; i++)
		n += c->kind == kind;
	return n;
}

TEST(where_none_is_to_blame_seldom_one_is_named)
{
	static const unsigned slots[] = { 4, 8, 16, 25, 49, 120 };
	unsigned wrong = 0, slow = 0;

	for (unsigned i = 0; i < 10000; i++) {
		struct roster r = { .slots = slots[i % 6],
				    .drones = 10 + dice(60),
				    .images = 1 + dice(2),
				    .retries = dice(3),
				    .fail_permille = dice(100) };
		struct yield *y = play(&r);

		wrong += named(y, YIELD_BAD_SLOT) + named(y, YIELD_BAD_DRONE) > 0;
		slow += named(y, YIELD_SLOW_SLOT);
		yield_free(y);
	}
	print_message("%u of 10000 healthy rosters with a culprit, %u with a slow slot\n", wrong,
		      slow);
	assert_in_range(wrong, 1, 250);
	assert_in_range(slow, 0, 2);
}

static bool
is_named(const struct yield *y, enum yield_kind kind, const char *port, int64_t drone)
{
	const struct yield_culprit *c;

	for (unsigned i = 0; (c = culprit(y, i)) != NULL; i++)
		if (c->kind == kind && strcmp(c->port, port) == 0 && c->drone == drone)
			return true;
	return false;
}

/* 25 drones in 8 slots: 3 in a slot.  Where chance has put fewer than two into the bad slot, or the
 * bad drone there, none could tell. */
TEST(a_bad_slot_and_a_bad_drone_are_told_apart)
{
	unsigned slot = 0, drone = 0, wrong = 0;

	for (unsigned i = 0; i < 1000; i++) {
		struct roster r = { .slots = 8,
				    .drones = 25,
				    .images = 1,
				    .retries = 3,
				    .bad_slot = 2,
				    .bad_drone = 7,
				    .bad_permille = 1000 };
		struct yield *y = play(&r);

		slot += is_named(y, YIELD_BAD_SLOT, "1-1.2", 0);
		drone += is_named(y, YIELD_BAD_DRONE, "", 7);
		wrong += named(y, YIELD_BAD_SLOT) + named(y, YIELD_BAD_DRONE) -
			 is_named(y, YIELD_BAD_SLOT, "1-1.2", 0) -
			 is_named(y, YIELD_BAD_DRONE, "", 7);
		yield_free(y);
	}
	print_message("of 1000: slot %u, drone %u, wrongly named %u\n", slot, drone, wrong);
	assert_in_range(slot, 750, 1000);
	assert_in_range(drone, 950, 1000);
	assert_int_equal(wrong, 0);
}

/* All that fails in the slots is theirs. */
TEST(two_bad_drones_do_not_blame_the_slots_in_which_both_were)
{
	struct roster fine = { 0 }, bad = { .fail_permille = 1000 };
	struct yield *y;

	assert_int_equal(yield_new(YIELD_SLOT, FACTS_MAX, &y), 0);
	for (unsigned slot = 0; slot < 3; slot++)
		for (unsigned drone = 0; drone < 40; drone++)
			if (drone < 2 || drone % 3 == slot)
				(void)attempt(y, drone < 2 ? &bad : &fine, drone, slot, 0);
	conclude(y);
	assert_true(is_named(y, YIELD_BAD_DRONE, "", 1));
	assert_true(is_named(y, YIELD_BAD_DRONE, "", 2));
	assert_null(culprit(y, 2));
	yield_free(y);
}

TEST(of_two_bad_slots_of_a_small_hub_the_hub_is_named_too)
{
	struct yield *y;
	struct roster fine = { 0 }, bad = { .bad_slot = 0, .fail_permille = 1000 };
	char text[YIELD_TEXT_MAX];

	assert_int_equal(yield_new(YIELD_SLOT, FACTS_MAX, &y), 0);
	for (unsigned drone = 0; drone < 60; drone++)
		(void)attempt(y, drone % 20 < 2 ? &bad : &fine, drone, 5 + drone % 20, 0);
	conclude(y);
	assert_true(is_named(y, YIELD_BAD_SLOT, "1-1.6", 0));
	assert_true(is_named(y, YIELD_BAD_SLOT, "1-1.7", 0));
	assert_true(is_named(y, YIELD_BAD_HUB, "1-1", 0));
	assert_int_equal(named(y, YIELD_BAD_DRONE), 0);
	assert_null(culprit(y, 3));
	yield_text(culprit(y, 0), "A6", text);
	assert_string_equal(text,
			    "Slot A6 is bad: 3 of 3 drones failed there at first, elsewhere 3 of "
			    "57.  Change its cable, then its port.");
	yield_text(culprit(y, 1), "A7",
		   text); /* what the first one explains has failed all the same */
	assert_string_equal(text,
			    "Slot A7 is bad: 3 of 3 drones failed there at first, elsewhere 3 of "
			    "57.  Change its cable, then its port.");
	yield_text(culprit(y, 2), "1-1", text);
	assert_string_equal(text,
			    "Hub 1-1 is bad: 2 of its 2 slots are.  Look at its power supply and "
			    "its cable.");
	yield_free(y);
}

TEST(a_slot_that_writes_slower_than_its_hubs_others_is_named)
{
	struct roster r = {
		.slots = 7, .drones = 60, .images = 2, .slow_slot = 3, .slow_percent = 40
	};
	struct yield *y = play(&r);

	assert_int_equal(named(y, YIELD_SLOW_SLOT), 1);
	assert_true(is_named(y, YIELD_SLOW_SLOT, "1-1.3", 0));
	assert_null(culprit(y, 1));
	yield_free(y);
}

TEST(one_drone_that_fails_in_one_slot_again_and_again_blames_neither)
{
	struct roster fine = { 0 }, bad = { .fail_permille = 1000 };
	struct yield *y;

	assert_int_equal(yield_new(YIELD_SLOT, FACTS_MAX, &y), 0);
	for (unsigned i = 0; i < 40; i++) {
		(void)attempt(y, &fine, 1 + i, i % 8, 0);
		(void)attempt(y, &bad, 0, 0, i);
	}
	conclude(y);
	assert_null(culprit(y, 0));
	yield_free(y);
}

TEST(faults_of_host_and_image_and_the_dice_of_a_reset_blame_neither)
{
	static const struct {
		enum verdict_kind verdict;
		enum fault fault;
	} ends[] = { { VERDICT_FAIL, FAULT_STORAGE },
		     { VERDICT_FAIL, FAULT_PLATFORM },
		     { VERDICT_FAIL, FAULT_DARK },
		     { VERDICT_SKIPPED, FAULT_QUARANTINED },
		     { VERDICT_NEEDS_BUTTON, FAULT_TOO_OLD },
		     { VERDICT_INTERRUPTED, FAULT_STOPPED } };
	struct roster fine = { 0 };

	for (size_t e = 0; e < ARRAY_LEN(ends); e++) {
		struct yield *y;

		assert_int_equal(yield_new(YIELD_SLOT, FACTS_MAX, &y), 0);
		for (unsigned i = 0; i < 40; i++) {
			struct yield_fact f = { .drone = 100 + i,
						.image = 1,
						.port = "1-1.1",
						.verdict = ends[e].verdict,
						.fault = ends[e].fault };

			(void)attempt(y, &fine, i, 1 + i % 8, 0);
			yield_add(y, &f);
		}
		conclude(y);
		assert_null(culprit(y, 0));
		yield_free(y);
	}
}

/* ---- figures --------------------------------------------------------------------------------- */

TEST(the_interval_is_wilsons)
{
	static const struct {
		unsigned good, of;
		double low, high;
	} known[] = { { 30, 100, 0.2189, 0.3958 },
		      { 1, 3, 0.0615, 0.7923 },
		      { 0, 10, 0, 0.2775 },
		      { 10, 10, 0.7225, 1 },
		      { 0, 0, 0, 1 },
		      { 1, 1, 0.2065, 1 },
		      { 950000, 1000000, 0.9496, 0.9504 } };
	double low, high;

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		yield_wilson(known[i].good, known[i].of, &low, &high);
		assert_float_equal(low, known[i].low, 0.0001);
		assert_float_equal(high, known[i].high, 0.0001);
	}
}

static int
by_value(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

TEST(percentiles_are_those_of_the_sorted_list_and_at_most_a_thirtieth_above)
{
	enum { N = 500 };
	static const unsigned spans[] = { 1, 40, 70, 3000, 100000, 4000000 };
	unsigned ms[N];

	for (size_t s = 0; s < ARRAY_LEN(spans); s++) {
		struct yield *y;
		struct yield_times t;

		assert_int_equal(yield_new(YIELD_DRONE, N, &y), 0);
		for (unsigned i = 0; i < N; i++) {
			char stages[64];
			struct yield_fact f = {
				.drone = 1, .port = "1-1", .stages = stages, .verdict = VERDICT_PASS
			};

			ms[i] = dice(spans[s]);
			(void)snprintf(stages, sizeof(stages), "[[\"asking\",1],[\"erasing\",%u]]",
				       ms[i]);
			yield_add(y, &f);
		}
		conclude(y);
		qsort(ms, N, sizeof(ms[0]), by_value);
		t = yield_times(group(y, 0), STEP_ERASING);
		assert_int_equal(t.count, N);
		assert_in_range(t.p50_ms, ms[N / 2 - 1], ms[N / 2 - 1] * 33 / 32);
		assert_in_range(t.p95_ms, ms[N * 95 / 100 - 1], ms[N * 95 / 100 - 1] * 33 / 32);
		assert_in_range(t.p99_ms, ms[N * 99 / 100 - 1], ms[N * 99 / 100 - 1] * 33 / 32);
		assert_int_equal(yield_times(&yield_sums(y)->total, STEP_ASKING).p99_ms, 1);
		assert_int_equal(yield_times(&yield_sums(y)->total, STEP_WRITING).count, 0);
		yield_free(y);
	}
}

TEST(each_stages_text_is_read_as_far_as_it_makes_sense)
{
	static const struct {
		const char *text;
		unsigned erasing, writing;
	} known[] = { { "[[\"erasing\",7],[\"writing\",8]]", 7, 8 },
		      { "[[\"erasing\",3],[\"nonsense\",1],[\"erasing\",4],[\"writing\",8]]", 7,
			8 },
		      { "[[\"erasing\",7],[\"writing\"", 7, 0 },
		      { "[[\"erasing\",7],[\"wri", 7, 0 },
		      { "[[\"", 0, 0 },
		      { "[]", 0, 0 },
		      { "[[\"erasing\",99999999999999999999]]", BIT(22) - 1, 0 },
		      { NULL, 0, 0 } };

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		struct yield_fact f = { .port = "1-1",
					.verdict = VERDICT_PASS,
					.stages = known[i].text };
		struct yield *y;

		assert_int_equal(yield_new(YIELD_SLOT, 1, &y), 0);
		yield_add(y, &f);
		assert_int_equal(yield_times(&yield_sums(y)->total, STEP_ERASING).count,
				 known[i].erasing > 0);
		if (known[i].erasing > 0)
			assert_int_equal(yield_times(&yield_sums(y)->total, STEP_ERASING).p50_ms,
					 known[i].erasing);
		assert_int_equal(yield_times(&yield_sums(y)->total, STEP_WRITING).count,
				 known[i].writing > 0);
		yield_free(y);
	}
}

/* ---- sums, against another computation ------------------------------------------------------- */

static struct yield_fact facts[FACTS_MAX];
static char ports[FACTS_MAX][PORT_TEXT_MAX];

static void
any_facts(void)
{
	static const enum fault any[] = { FAULT_NONE, FAULT_VERIFY, FAULT_GONE, FAULT_BUSY };

	for (unsigned i = 0; i < FACTS_MAX; i++) {
		(void)snprintf(ports[i], sizeof(ports[i]), "%u-%u.%u", 1 + dice(2), 1 + dice(2),
			       1 + dice(4));
		facts[i] = (struct yield_fact){ .drone = dice(30),
						.image = dice(4),
						.batch = dice(5),
						.port = ports[i],
						.verdict = VERDICT_PASS + dice(VERDICT_COUNT - 1),
						.fault = any[dice(4)] };
	}
}

static bool
is_member(enum yield_by by, const struct yield_group *g, const struct yield_fact *f)
{
	size_t hub = strlen(g->port);

	switch (by) {
	case YIELD_SLOT:
		return strcmp(g->port, f->port) == 0;
	case YIELD_HUB:
		return strncmp(g->port, f->port, hub) == 0 && f->port[hub] == '.';
	case YIELD_DRONE:
		return g->id == f->drone;
	case YIELD_FAULT:
		return g->id == (int64_t)f->fault;
	case YIELD_FIRMWARE:
		return g->id == f->image;
	case YIELD_BATCH:
		return g->id == f->batch;
	}
	return false;
}

static bool
is_first(enum yield_by by, unsigned n)
{
	const struct yield_fact *f = &facts[n];

	if (f->drone == 0 || f->image == 0 || f->verdict == VERDICT_SKIPPED)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (facts[i].drone == f->drone && facts[i].image == f->image &&
		    facts[i].verdict != VERDICT_SKIPPED &&
		    (by != YIELD_BATCH || facts[i].batch == f->batch))
			return false;
	return true;
}

static void
assert_sums(enum yield_by by, const struct yield_group *g, bool all)
{
	unsigned attempts = 0, first = 0, good = 0, ended[VERDICT_COUNT] = { 0 }, busy = 0,
		 drones = 0;
	bool seen[30] = { true };

	for (unsigned i = 0; i < FACTS_MAX; i++) {
		const struct yield_fact *f = &facts[i];

		if (!all && !is_member(by, g, f))
			continue;
		attempts++;
		ended[f->verdict]++;
		busy += f->fault == FAULT_BUSY;
		drones += !seen[f->drone];
		seen[f->drone] = true;
		first += is_first(by, i);
		good += is_first(by, i) &&
			(f->verdict == VERDICT_PASS || f->verdict == VERDICT_UNCHANGED);
	}
	assert_int_equal(g->attempts, attempts);
	assert_memory_equal(g->ended, ended, sizeof(ended));
	assert_int_equal(g->drones, drones);
	assert_int_equal(g->first, first);
	assert_int_equal(g->first_good, good);
	assert_int_equal(g->detail->faults[FAULT_BUSY], busy);
}

TEST(every_grouping_sums_up_as_counting_by_hand_does)
{
	static const unsigned groups[] = { 16, 29, 4, 3, 3, 4 };

	for (unsigned round = 0; round < 20; round++)
		for (enum yield_by by = YIELD_SLOT; by <= YIELD_BATCH; by++) {
			const struct yield_group *g;
			struct yield *y;
			unsigned n = 0;
			double high = 0;

			any_facts();
			assert_int_equal(yield_new(by, FACTS_MAX, &y), 0);
			for (unsigned i = 0; i < FACTS_MAX; i++)
				yield_add(y, &facts[i]);
			conclude(y);
			assert_sums(by, &yield_sums(y)->total, true);
			for (; (g = group(y, n)) != NULL; n++) {
				assert_sums(by, g, false);
				assert_true(g->high >= high);
				high = g->high;
			}
			assert_int_equal(n, groups[by]);
			assert_false(yield_sums(y)->more);
			yield_free(y);
		}
}

TEST(of_very_many_groups_the_worst_are_given_back)
{
	enum { DRONES = 3000, BAD = 40 };
	struct yield *y;

	assert_int_equal(yield_new(YIELD_DRONE, DRONES, &y), 0);
	for (unsigned i = 0; i < DRONES; i++) {
		struct yield_fact f = { .drone = 1 + i,
					.image = 1,
					.port = "1-1",
					.verdict =
					    i % (DRONES / BAD) == 7 ? VERDICT_FAIL : VERDICT_PASS };

		yield_add(y, &f);
	}
	conclude(y);
	assert_true(yield_sums(y)->more);
	assert_non_null(group(y, YIELD_GROUPS_MAX - 1));
	assert_null(group(y, YIELD_GROUPS_MAX));
	for (unsigned i = 0; i < YIELD_GROUPS_MAX; i++)
		assert_int_equal(group(y, i)->ended[VERDICT_FAIL], i < BAD);
	assert_int_equal(yield_sums(y)->total.drones, DRONES);
	yield_free(y);
}

TEST_MAIN(NULL)
