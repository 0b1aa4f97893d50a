/* SPDX-License-Identifier: MIT */
/* How slots count: each combination of what can be known of a slot has one class, the right one. */
#include "config.h"

#include "core/slot_class.h"

#include <string.h>

#include "test.h"

#include "cfdfu/util.h"
#include "core/outcome.h"

enum { FLAGS = 6 };

static struct slot_facts
facts_of(unsigned flags, enum verdict_kind verdict)
{
	return (struct slot_facts){ .present = (flags & 1) != 0,
				    .running = (flags & 2) != 0,
				    .again = (flags & 4) != 0,
				    .quarantined = (flags & 8) != 0,
				    .foreign = (flags & 16) != 0,
				    .held = (flags & 32) != 0,
				    .verdict = verdict };
}

static bool
is_good(enum slot_class c)
{
	return c == SLOT_CLASS_PASS || c == SLOT_CLASS_UNCHANGED;
}

/* INVARIANT: nothing is good that was not seen to be good (doc/promises.md 1, promise 10). */
TEST(a_slot_is_good_after_a_good_ending_with_nothing_pending)
{
	for (unsigned flags = 0; flags < 1U << FLAGS; flags++)
		for (enum verdict_kind v = VERDICT_NONE; v < VERDICT_COUNT; v++) {
			struct slot_facts f = facts_of(flags, v);
			enum slot_class c = slot_class_of(&f);
			bool ended_well = v == VERDICT_PASS || v == VERDICT_UNCHANGED;
			bool over = !f.running && !(f.present && (f.again || f.quarantined));

			assert_true(c < SLOT_CLASS_COUNT);
			assert_int_equal(is_good(c), ended_well && over);
			if (over && v != VERDICT_NONE)
				assert_string_equal(slot_class_name(c), verdict_name(v));
			if (slot_class_failed(v) && over)
				assert_true(c == SLOT_CLASS_FAIL || c == SLOT_CLASS_INTERRUPTED ||
					    c == SLOT_CLASS_NEEDS_BUTTON);
		}
}

TEST(a_slot_without_an_ending_counts_by_its_device)
{
	static const struct {
		struct slot_facts facts;
		enum slot_class class;
	} rows[] = {
		{ { .present = false }, SLOT_CLASS_ABSENT },
		{ { .present = false, .held = true }, SLOT_CLASS_ABSENT },
		{ { .present = false, .quarantined = true }, SLOT_CLASS_ABSENT },
		{ { .present = false, .running = true },
		  SLOT_CLASS_ACTIVE }, /* between two modes */
		{ { .present = true, .running = true, .quarantined = true }, SLOT_CLASS_ACTIVE },
		{ { .present = true }, SLOT_CLASS_UNSERVED },
		{ { .present = true, .held = true }, SLOT_CLASS_WAITING },
		{ { .present = true, .foreign = true }, SLOT_CLASS_FOREIGN },
		{ { .present = true, .foreign = true, .held = true }, SLOT_CLASS_FOREIGN },
		{ { .present = true, .quarantined = true }, SLOT_CLASS_QUARANTINED },
		{ { .present = true, .quarantined = true, .again = true }, SLOT_CLASS_QUARANTINED },
		{ { .present = true, .quarantined = true, .verdict = VERDICT_FAIL },
		  SLOT_CLASS_QUARANTINED },
		{ { .present = true, .quarantined = true, .verdict = VERDICT_PASS },
		  SLOT_CLASS_QUARANTINED },
		{ { .present = false, .quarantined = true, .verdict = VERDICT_FAIL },
		  SLOT_CLASS_FAIL },
		{ { .present = true, .again = true, .verdict = VERDICT_INTERRUPTED },
		  SLOT_CLASS_WAITING },
		{ { .present = true, .held = true, .verdict = VERDICT_FAIL }, SLOT_CLASS_FAIL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(slot_class_of(&rows[i].facts), rows[i].class);
}

TEST(each_class_has_a_name_of_its_own)
{
	for (enum slot_class a = 0; a < SLOT_CLASS_COUNT; a++)
		for (enum slot_class b = 0; b < a; b++)
			assert_string_not_equal(slot_class_name(a), slot_class_name(b));
}

TEST_MAIN(NULL)
