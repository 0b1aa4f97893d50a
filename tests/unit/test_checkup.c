/* SPDX-License-Identifier: MIT */
/* The decisions of a check-up: every need against every reason not to. */
#include "config.h"

#include "core/checkup.h"

#include <string.h>

#include "test.h"

#include "cfdfu/util.h"

enum { DECK_DEAD, CRASHED, ASSERTED, RADIO_WRITTEN, DECK_WRITTEN, NEEDS };

static struct condition
needy(unsigned need)
{
	struct condition c = { .looked = true,
			       .selftest = SELFTEST_PASS,
			       .can_power_cycle = true,
			       .decks_known = true,
			       .supervisor_known = true,
			       .supervisor = 0x020E };

	if (need == DECK_DEAD) {
		c.deck_count = 1;
		c.decks[0].state = DECK_NOT_STARTED;
	} else if (need == CRASHED) {
		c.selftest = SELFTEST_FAIL;
		c.crashed_early = true;
	} else if (need == ASSERTED) {
		c.selftest = SELFTEST_FAIL;
		copy_text(c.failed_module, sizeof(c.failed_module), "cfAssertNormalStart");
	} else if (need == RADIO_WRITTEN) {
		c.radio_pending = true;
	} else if (need == DECK_WRITTEN) {
		c.deck_pending = true;
		c.decks_written = BIT(2);
	}
	return c;
}

TEST(each_need_has_its_power_cycle_once_where_it_may_be_and_can)
{
	for (unsigned need = 0; need < NEEDS; need++) {
		struct job_options o = { .power_cycle = true };
		struct condition c = needy(need);

		assert_true(checkup_wants_power_cycle(&c, &o));
		o.power_cycle = false; /* never */
		assert_false(checkup_wants_power_cycle(&c, &o));
		o.power_cycle = true;
		c.can_power_cycle = false;
		assert_false(checkup_wants_power_cycle(&c, &o));
		c = needy(need);
		c.supervisor |= 0x10; /* it flies */
		assert_false(checkup_wants_power_cycle(&c, &o));
		c = needy(need);
		c.supervisor = 0x02; /* armed by hand */
		assert_false(checkup_wants_power_cycle(&c, &o));
		for (unsigned had = POWER_CYCLE_DONE; had <= POWER_CYCLE_LOST; had++) {
			c = needy(need);
			c.power_cycle = (enum power_cycle)had;
			assert_false(checkup_wants_power_cycle(&c, &o));
		}
	}
}

TEST(a_healthy_drone_and_one_with_a_broken_part_have_none)
{
	struct job_options o = { .power_cycle = true };
	struct condition c = needy(NEEDS);

	assert_false(checkup_wants_power_cycle(&c, &o));
	c.selftest = SELFTEST_FAIL;
	copy_text(c.failed_module, sizeof(c.failed_module), "bmi088");
	assert_false(checkup_wants_power_cycle(&c, &o));
	c = needy(NEEDS);
	c.selftest = SELFTEST_UNKNOWN;
	assert_false(checkup_wants_power_cycle(&c, &o));
}

TEST(a_drone_with_an_ai_deck_has_more_time_to_return)
{
	struct condition c = needy(DECK_DEAD);
	uint32_t usual = checkup_return_us(&c);

	copy_text(c.decks[0].name, sizeof(c.decks[0].name), "bcAI:esp");
	assert_int_equal(checkup_return_us(&c), usual + 5000000);
}

TEST(a_start_forgets_what_was_seen_but_the_crash_it_reported)
{
	for (unsigned need = 0; need < NEEDS; need++) {
		struct condition c = needy(need);

		copy_text(c.crash, sizeof(c.crash), "queue.c:1448");
		checkup_started_anew(&c, true);
		assert_false(c.looked || c.crashed_early || c.radio_pending || c.deck_pending);
		assert_int_equal(c.selftest, SELFTEST_UNKNOWN);
		assert_int_equal(c.deck_count, 0);
		assert_int_equal(c.power_cycle, POWER_CYCLE_DONE);
		assert_string_equal(c.crash, "queue.c:1448");
		c = needy(need);
		checkup_started_anew(&c, false);
		assert_int_equal(c.power_cycle, POWER_CYCLE_NONE);
		assert_int_equal(c.deck_pending, need == DECK_WRITTEN); /* decks had no new power */
		assert_int_equal(c.decks_written, need == DECK_WRITTEN ? BIT(2) : 0);
	}
}

TEST_MAIN(NULL)
