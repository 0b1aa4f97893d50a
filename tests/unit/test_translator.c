/* SPDX-License-Identifier: MIT */
/* Unit tests of core/translator, with translators that are played by hand. */
#include "config.h"

#include "core/translator.h"

#include <string.h>

#include "sim/rng.h"
#include "test.h"

/* One that works through blocks one after the other: so long alone, and of that exclusively; each
 * of more than crowd at once makes it longer by a quarter. */
struct played {
	unsigned alone_us, exclusive_us, crowd;
};

static const struct played wire_limited = { 5000, 1750, 0 };
static const struct played serial = { 5000, 4200, 0 };
static const struct played thrashing = { 5000, 4200, 8 };

/* A block that comes when n - 1 others are there, of which the first is done in part. */
static unsigned
takes_us(const struct played *p, unsigned n, struct rng *rng)
{
	unsigned exclusive = p->exclusive_us;

	if (p->crowd > 0 && n > p->crowd)
		exclusive += exclusive / 4 * (n - p->crowd);
	return p->alone_us + (n > 1 ? exclusive * (n - 1) : 0) -
	       (n > 1 ? (unsigned)rng_between(rng, 0, exclusive) : 0);
}

/* So many blocks of drones, of which up to that many want to be on their way at once. */
static void
play(struct translator *t, const struct played *p, unsigned blocks, unsigned drones)
{
	static struct rng rng; /* the same blocks on each machine, and no two turns alike */

	for (unsigned i = 0; i < blocks; i++) {
		unsigned n = (unsigned)rng_between(&rng, 1, drones);

		t->at_once = 0;
		while (t->at_once < n && translator_has_room(t))
			t->at_once++;
		translator_learn(t, t->at_once, takes_us(p, t->at_once, &rng));
	}
	t->at_once = 0;
}

TEST(a_translator_that_carries_no_less_the_more_there_are_is_not_limited)
{
	static const unsigned drones[] = { 1, 2, 4, 7, 10, 16, 24, 32, 60 };
	static const struct played *const all[] = { &wire_limited, &serial };

	for (unsigned k = 0; k < 2; k++)
		for (unsigned i = 0; i < sizeof(drones) / sizeof(drones[0]); i++) {
			struct translator t = { 0 };
			unsigned limited = 0;

			for (unsigned n = 0; n < 1000; n++) {
				play(&t, all[k], 20, drones[i]);
				limited += t.most != 0 && t.most < drones[i];
			}
			/* Only for the moment in which fewer are tried. */
			assert_in_range(limited, 0, 50);
		}
}

TEST(one_that_thrashes_gets_as_many_as_it_carries_well)
{
	struct translator t = { 0 };

	play(&t, &thrashing, 2000, 16);
	assert_in_range(t.most, 7, 9);
}

/* All begin their next block as soon as they may. */
static void
play_in_step(struct translator *t, const struct played *p, unsigned blocks, unsigned drones)
{
	static struct rng rng;

	for (unsigned i = 0; i < blocks; i++) {
		unsigned n = t->most > 0 && t->most < drones ? t->most : drones;

		translator_learn(t, n, takes_us(p, n, &rng));
	}
}

TEST(drones_in_step_show_what_fewer_would_be_like_for_a_moment)
{
	struct translator good = { 0 }, bad = { 0 };
	unsigned limited = 0;

	for (unsigned i = 0; i < 3000; i++) {
		play_in_step(&good, &wire_limited, 1, 16);
		limited += good.most != 0;
	}
	assert_in_range(limited, 1, 64);
	play_in_step(&bad, &thrashing, 3000, 24);
	assert_in_range(bad.most, 6, 10);
}

TEST(few_blocks_prove_nothing)
{
	struct translator t = { 0 };

	play(&t, &thrashing, 31 * 2, 16);
	assert_int_equal(t.most, 0);
}

TEST(too_few_drones_to_make_it_thrash_are_not_limited)
{
	struct translator t = { 0 };

	play(&t, &thrashing, 4000, 8);
	assert_int_equal(t.most, 0);
}

TEST(a_limit_is_tried_again_and_given_up_when_it_is_not_needed_any_more)
{
	struct translator t = { 0 };
	unsigned highest = 0;

	play(&t, &thrashing, 2000, 16);
	for (unsigned i = 0; i < 5000; i++) {
		play(&t, &thrashing, 10, 16);
		highest = t.most > highest ? t.most : highest;
		assert_int_not_equal(t.most, 0);
	}
	assert_in_range(highest, 9, 10); /* one more than carried well, at times */
	play(&t, &serial, 40000, 16);
	assert_true(t.most == 0 || t.most >= 16);
}

TEST(a_host_that_stands_still_limits_nothing)
{
	struct translator t = { 0 };

	for (unsigned i = 0; i < 500; i++) {
		play(&t, &wire_limited, 50, 16);
		translator_learn(&t, i % 16 + 1, 3000000);
		assert_int_equal(t.most, 0);
	}
}

TEST(more_at_once_than_are_told_apart_teach_nothing)
{
	struct translator t = { 0 };

	for (unsigned i = 0; i < 1000; i++) {
		translator_learn(&t, 0, 1);
		translator_learn(&t, 1, 5000);
		translator_learn(&t, TRANSLATOR_DEEP + 1, 5000000);
	}
	assert_int_equal(t.most, 0);
}

TEST_MAIN(NULL)
