/* SPDX-License-Identifier: MIT */
/*
 * Unit tests of core/batch: random lives of a rack against a model that is written from the rule's
 * words; then canaries, the threshold, counting and what the records recall, one by one.
 */
#include "config.h"

#include "core/batch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "test.h"

#include "sim/rng.h"

static const char *const ports[] = { "1-1", "1-2", "1-3", "1-4", "1-5", "1-6", "1-7", "1-8" };
static const char *const serials[] = { "A", "B", "C", "D", "E", "F", "G", "H" };

enum { RACK = sizeof(ports) / sizeof(ports[0]) };

static struct batch *
begin(unsigned canary, unsigned stop_after)
{
	const struct batch_terms terms = { .name = "spring",
					   .canary = canary,
					   .stop_after = stop_after };
	struct batch *b = NULL;

	assert_int_equal(batch_new(&terms, &b), 0);
	return b;
}

static struct update_ending
ending(unsigned drone, enum verdict_kind kind, enum fault fault)
{
	return (struct update_ending){ .serial = serials[drone],
				       .dfu_serial = "",
				       .port = ports[drone],
				       .label = "",
				       .verdict = {
					   .kind = kind, .fault = fault, .step = STEP_WRITING } };
}

static bool
ended(struct batch *b, unsigned drone, enum verdict_kind kind, enum fault fault)
{
	const struct update_ending e = ending(drone, kind, fault);

	return batch_ended(b, &e);
}

/* A whole attempt, from its permit. */
static bool
does(struct batch *b, unsigned drone, enum verdict_kind kind, enum fault fault)
{
	assert_true(batch_admits(b));
	batch_begun(b, ports[drone]);
	return ended(b, drone, kind, fault);
}

static struct batch_counts
counts(const struct batch *b)
{
	struct batch_counts c;

	batch_counts(b, &c);
	return c;
}

static unsigned
waits(const struct batch *b)
{
	const char *list[BATCH_CANARY_MAX];

	return batch_waits_for(b, list);
}

TEST(without_terms_nothing_is_held_back_and_nothing_stops)
{
	struct batch *b = begin(0, 0);

	for (unsigned i = 0; i < RACK; i++) {
		assert_true(batch_admits(b));
		batch_begun(b, ports[i]);
	}
	for (unsigned i = 0; i < RACK; i++)
		assert_false(ended(b, i, VERDICT_FAIL, FAULT_VERIFY));
	assert_int_equal(waits(b), 0);
	assert_string_equal(batch_stopped(b), "");
	assert_string_equal(batch_stopped(NULL), "");
	assert_string_equal(batch_terms(b)->name, "spring");
	batch_free(b);
	batch_free(NULL);
}

TEST(so_many_canaries_are_admitted_and_the_others_when_all_of_them_are_good)
{
	const char *list[BATCH_CANARY_MAX];
	struct batch *b = begin(2, 0);

	batch_begun(b, ports[0]);
	assert_true(batch_admits(b));
	batch_begun(b, ports[1]);
	assert_false(batch_admits(b));
	assert_int_equal(batch_waits_for(b, list), 2);
	assert_string_equal(list[1], ports[1]);
	assert_false(ended(b, 0, VERDICT_PASS, FAULT_NONE));
	assert_false(batch_admits(b));
	assert_int_equal(batch_waits_for(b, list), 1);
	assert_string_equal(list[0], ports[1]);
	assert_false(ended(b, 1, VERDICT_UNCHANGED, FAULT_NONE));
	assert_true(batch_admits(b));
	assert_int_equal(waits(b), 0);
	batch_free(b);
}

TEST(a_canary_that_fails_or_needs_the_button_stops_it)
{
	static const struct {
		enum verdict_kind kind;
		enum fault fault;
		const char *words;
	} bad[] = {
		{ VERDICT_FAIL, FAULT_NO_BOOT,
		  "Batch \"spring\" has stopped: its canary failed on A2 (1-2) (no-boot). "
		  "'cfdfuctl resume' goes on." },
		{ VERDICT_NEEDS_BUTTON, FAULT_NONE,
		  "Batch \"spring\" has stopped: its canary failed on A2 (1-2) (needs-button). "
		  "'cfdfuctl resume' goes on." },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct update_ending e = ending(1, bad[i].kind, bad[i].fault);
		struct batch *b = begin(3, 0);

		e.label = "A2";
		batch_begun(b, ports[0]);
		batch_begun(b, ports[1]);
		assert_true(batch_ended(b, &e));
		assert_string_equal(batch_stopped(b), bad[i].words);
		assert_false(batch_admits(b));
		assert_false(ended(b, 0, VERDICT_FAIL, FAULT_NO_BOOT)); /* once */
		assert_string_equal(batch_stopped(b), bad[i].words);
		batch_free(b);
	}
}

TEST(a_canary_without_a_failure_of_its_own_leaves_its_place_to_another)
{
	static const struct {
		enum verdict_kind kind;
		enum fault fault;
	} neither[] = {
		{ VERDICT_SKIPPED, FAULT_PLATFORM },
		{ VERDICT_INTERRUPTED, FAULT_STOPPED },
		{ VERDICT_FAIL, FAULT_GONE },
		{ VERDICT_FAIL, FAULT_DARK },
		{ VERDICT_NEEDS_BUTTON, FAULT_DARK },
		{ VERDICT_FAIL, FAULT_SUSPEND },
		{ VERDICT_NEEDS_POWER_CYCLE, FAULT_DARK },
	};

	for (size_t i = 0; i < ARRAY_LEN(neither); i++) {
		struct batch *b = begin(1, 0);

		assert_false(does(b, 0, neither[i].kind, neither[i].fault));
		batch_begun(b, ports[1]);
		assert_false(batch_admits(b));
		(void)batch_left(b, ports[1]); /* without an ending */
		assert_true(batch_admits(b));
		assert_false(does(b, 2, VERDICT_PASS, FAULT_NONE));
		batch_begun(b, ports[3]);
		assert_true(batch_admits(b));
		batch_free(b);
	}
}

TEST(one_drone_that_ends_well_twice_is_one_canary)
{
	struct batch *b = begin(2, 0);

	assert_false(does(b, 0, VERDICT_PASS, FAULT_NONE));
	assert_false(does(b, 0, VERDICT_UNCHANGED, FAULT_NONE));
	batch_begun(b, ports[1]);
	assert_false(batch_admits(b));
	batch_free(b);
}

TEST(an_ending_without_a_permit_is_none_of_a_canary)
{
	struct batch *b = begin(1, 0);

	assert_false(ended(b, 0, VERDICT_PASS, FAULT_NONE));
	assert_false(ended(b, 1, VERDICT_FAIL, FAULT_VERIFY));
	batch_begun(b, ports[2]);
	assert_false(batch_admits(b));
	assert_int_equal(counts(b).drones, 2);
	batch_free(b);
}

TEST(different_drones_that_fail_stop_it_and_resumed_they_are_counted_anew)
{
	struct batch *b = begin(0, 2);

	for (unsigned n = 0; n < 3; n++)
		assert_false(does(b, 0, VERDICT_FAIL, FAULT_VERIFY)); /* one drone */
	assert_false(does(b, 1, VERDICT_INTERRUPTED, FAULT_STOPPED));
	assert_true(does(b, 1, VERDICT_FAIL, FAULT_GONE));
	assert_string_equal(batch_stopped(b),
			    "Batch \"spring\" has stopped: 2 drones have failed, the last on 1-2 "
			    "(gone). 'cfdfuctl resume' goes on.");
	batch_resume(b);
	assert_string_equal(batch_stopped(b), "");
	assert_false(does(b, 0, VERDICT_FAIL, FAULT_VERIFY));
	assert_false(does(b, 2, VERDICT_PASS, FAULT_NONE));
	assert_true(does(b, 3, VERDICT_NEEDS_BUTTON, FAULT_NONE));
	batch_free(b);
}

TEST(resumed_after_a_canary_it_waits_for_as_many_canaries_again)
{
	struct batch *b = begin(2, 0);

	assert_false(does(b, 0, VERDICT_PASS, FAULT_NONE));
	assert_true(does(b, 1, VERDICT_FAIL, FAULT_NO_BOOT));
	batch_resume(b);
	assert_false(does(b, 2, VERDICT_PASS, FAULT_NONE));
	batch_begun(b, ports[3]);
	assert_false(batch_admits(b));
	batch_resume(b); /* it had not stopped: nothing of the canaries changes */
	assert_false(batch_admits(b));
	assert_false(ended(b, 3, VERDICT_PASS, FAULT_NONE));
	assert_true(batch_admits(b));
	batch_resume(b);
	assert_int_equal(waits(b), 0);
	assert_true(batch_admits(b));
	batch_free(b);
}

TEST(different_drones_are_counted_by_their_first_and_their_last_ending)
{
	struct batch *b = begin(0, 0);
	struct batch_counts c;
	struct update_ending e;

	(void)does(b, 0, VERDICT_FAIL, FAULT_VERIFY);
	(void)does(b, 0, VERDICT_PASS, FAULT_NONE);
	(void)does(b, 1, VERDICT_UNCHANGED, FAULT_NONE);
	(void)does(b, 2, VERDICT_INTERRUPTED, FAULT_STOPPED);
	(void)does(b, 3, VERDICT_SKIPPED, FAULT_PLATFORM);
	e = ending(1, VERDICT_NONE, FAULT_NONE);
	e.ready = true;
	batch_judged(b, &e);
	e = ending(4, VERDICT_NONE, FAULT_NONE);
	batch_judged(b, &e); /* not of the batch */
	c = counts(b);
	assert_int_equal(c.drones, 4);
	assert_int_equal(c.good, 2);
	assert_int_equal(c.ready, 1);
	assert_int_equal(c.failed, 1);
	assert_int_equal(c.first_good, 1);
	(void)does(b, 1, VERDICT_FAIL, FAULT_VERIFY);
	c = counts(b);
	assert_int_equal(c.good, 1);
	assert_int_equal(c.ready, 0);
	assert_int_equal(c.failed, 2);
	assert_int_equal(c.first_good, 1);
	batch_free(b);
}

TEST(a_drone_is_known_by_all_that_it_has_shown_of_itself)
{
	struct batch *b = begin(0, 0);
	struct update_ending e = { .serial = "", .dfu_serial = "D", .port = "1-1", .label = "" };

	e.verdict.kind = VERDICT_FAIL;
	(void)batch_ended(b, &e); /* adopted in DFU mode */
	e.serial = "S";
	(void)batch_ended(b, &e);
	e.dfu_serial = "";
	e.port = "1-2";
	(void)batch_ended(b, &e);
	assert_int_equal(counts(b).drones, 1);
	e.serial = "";
	(void)batch_ended(b, &e);
	assert_int_equal(counts(b).drones, 2);
	batch_free(b);
}

TEST(a_drone_that_was_met_by_either_serial_is_one_when_it_shows_both)
{
	struct batch *b = begin(0, 2);
	struct update_ending e = { .serial = "S", .dfu_serial = "", .port = "1-1", .label = "" };
	struct batch_counts c;

	e.verdict.kind = VERDICT_PASS;
	(void)batch_ended(b, &e);
	e.verdict.kind = VERDICT_FAIL;
	e.serial = "";
	e.dfu_serial = "D";
	(void)batch_ended(b, &e); /* in the same slot: it may be another */
	assert_int_equal(counts(b).drones, 2);
	e.serial = "S";
	assert_false(batch_ended(b, &e)); /* the second failure of one drone */
	c = counts(b);
	assert_int_equal(c.drones, 1);
	assert_int_equal(c.failed, 1);
	assert_int_equal(c.first_good, 1);
	e.serial = "T";
	e.dfu_serial = "";
	assert_true(batch_ended(b, &e));
	batch_free(b);
}

TEST(after_a_drone_that_showed_no_serial_the_next_one_there_is_another)
{
	struct batch *b = begin(0, 0);
	struct update_ending e = { .serial = "", .dfu_serial = "", .port = "1-1", .label = "" };

	e.verdict.kind = VERDICT_FAIL;
	(void)batch_ended(b, &e);
	(void)batch_ended(b, &e);
	assert_int_equal(counts(b).drones, 1);
	e.serial = "S";
	e.verdict.kind = VERDICT_PASS;
	(void)batch_ended(b, &e);
	assert_int_equal(counts(b).drones, 2);
	assert_int_equal(counts(b).failed, 1);
	batch_free(b);
}

TEST(more_drones_than_there_is_room_for_are_not_counted_and_canaries_are_few)
{
	const struct batch_terms many = { .name = "many", .canary = BATCH_CANARY_MAX + 1 };
	struct batch *b = begin(0, 0), *none;

	assert_int_equal(batch_new(&many, &none), -ERANGE);
	for (unsigned i = 0; i < BATCH_DRONES_MAX / 8; i++) {
		char serial[16];
		struct update_ending e = ending(0, VERDICT_PASS, FAULT_NONE);

		(void)snprintf(serial, sizeof(serial), "%u", i);
		e.serial = serial;
		(void)batch_ended(b, &e);
	}
	assert_int_equal(counts(b).good, BATCH_DRONES_MAX / 8);
	batch_free(b);
}

/* ---- random lives --------------------------------------------------------------------------- */

/* The rule in other words: the whole life is kept, and read from its beginning each time. */
enum { LIFE_MAX = 60 };

struct deed {
	bool resume;
	unsigned drone;
	enum verdict_kind kind;
	enum fault fault;
	bool canary; /* had one of the permits that canaries get */
};

struct verdicts {
	bool open, stopped;
	unsigned proven;
};

static bool
is_failure(const struct deed *d)
{
	return d->kind == VERDICT_FAIL || d->kind == VERDICT_NEEDS_BUTTON;
}

static struct verdicts
model(const struct deed *life, unsigned length, unsigned canary, unsigned stop_after)
{
	struct verdicts v = { .open = canary == 0 };
	unsigned good = 0, bad = 0;

	for (unsigned i = 0; i < length; i++) {
		const struct deed *d = &life[i];

		if (d->resume) {
			v.stopped = false;
			bad = 0;
			continue;
		}
		if (d->canary && !v.open &&
		    (d->kind == VERDICT_PASS || d->kind == VERDICT_UNCHANGED))
			good |= BIT(d->drone);
		if (is_failure(d))
			bad |= BIT(d->drone);
		if (is_failure(d) && !v.open && d->canary && d->fault != FAULT_GONE) {
			v.stopped = true;
			good = 0;
		}
		if (is_failure(d) && stop_after > 0 &&
		    (unsigned)__builtin_popcount(bad) >= stop_after)
			v.stopped = true;
		v.open = v.open || (unsigned)__builtin_popcount(good) >= canary;
	}
	v.proven = (unsigned)__builtin_popcount(good);
	return v;
}

struct life {
	struct deed deeds[LIFE_MAX];
	unsigned length, busy, canaries; /* drones at work; of these the canaries */
};

static void
one_deed(struct batch *b, struct life *l, bool open, struct rng *r)
{
	static const enum verdict_kind kinds[] = { VERDICT_PASS, VERDICT_UNCHANGED, VERDICT_FAIL,
						   VERDICT_NEEDS_BUTTON, VERDICT_INTERRUPTED };
	unsigned drone = (unsigned)rng_between(r, 0, RACK - 1);
	struct deed d = { .drone = drone, .resume = rng_chance(r, 10) };

	if (d.resume) {
		batch_resume(b);
	} else if ((l->busy & BIT(drone)) == 0) {
		if (!batch_admits(b))
			return;
		l->busy |= BIT(drone);
		batch_begun(b, ports[drone]);
		l->canaries = open ? l->canaries & ~BIT(drone) : l->canaries | BIT(drone);
		return;
	} else {
		d.canary = (l->canaries & BIT(drone)) != 0;
		d.kind = kinds[rng_between(r, 0, ARRAY_LEN(kinds) - 1)];
		d.fault = is_failure(&d) && rng_chance(r, 40) ? FAULT_GONE : FAULT_NONE;
		l->busy &= ~BIT(drone);
		(void)ended(b, drone, d.kind, d.fault);
	}
	l->deeds[l->length++] = d;
}

TEST(in_every_life_it_admits_and_stops_as_the_rule_says)
{
	struct rng r;

	rng_init(&r, 13);
	for (unsigned n = 0; n < 20000; n++) {
		unsigned canary = (unsigned)rng_between(&r, 0, 3);
		unsigned stop_after = (unsigned)rng_between(&r, 0, 4);
		struct batch *b = begin(canary, stop_after);
		struct life l = { .length = 0 };

		for (unsigned i = 0; i < LIFE_MAX; i++) {
			struct verdicts v = model(l.deeds, l.length, canary, stop_after);

			one_deed(b, &l, v.open, &r);
			v = model(l.deeds, l.length, canary, stop_after);
			assert_int_equal(batch_stopped(b)[0] != '\0', v.stopped);
			if (v.stopped)
				assert_false(batch_admits(b));
			else if (v.open)
				assert_true(batch_admits(b));
			else
				assert_int_equal(batch_admits(b), v.proven + waits(b) < canary);
		}
		batch_free(b);
	}
}

/* ---- after a restart ------------------------------------------------------------------------ */

TEST(recalled_it_is_where_it_was)
{
	struct batch *b = begin(2, 2);
	struct update_ending e = ending(0, VERDICT_PASS, FAULT_NONE);

	assert_false(batch_recall(b, &e));
	assert_true(batch_admits(b));
	e = ending(1, VERDICT_FAIL, FAULT_TOO_OLD);
	e.verdict.step = STEP_ASKING; /* it was no canary */
	assert_false(batch_recall(b, &e));
	e = ending(2, VERDICT_FAIL, FAULT_NO_BOOT);
	assert_true(batch_recall(b, &e));
	assert_non_null(strstr(batch_stopped(b), "its canary failed on 1-3 (no-boot)"));
	batch_free(b);
}

TEST(recalled_endings_before_the_operator_resumed_are_forgiven)
{
	struct batch *b = begin(1, 2);
	struct update_ending e = ending(0, VERDICT_FAIL, FAULT_NO_BOOT);

	e.forgiven = true;
	assert_false(batch_recall(b, &e)); /* had stopped it */
	e = ending(1, VERDICT_PASS, FAULT_NONE);
	e.forgiven = true;
	assert_false(batch_recall(b, &e));
	e = ending(2, VERDICT_FAIL, FAULT_NO_BOOT);
	e.forgiven = true;
	assert_false(batch_recall(b, &e));
	e.forgiven = false;
	assert_false(batch_recall(b, &e)); /* one since then, and no canary */
	e = ending(3, VERDICT_FAIL, FAULT_NO_BOOT);
	assert_true(batch_recall(b, &e));
	assert_int_equal(counts(b).drones, 4);
	batch_free(b);
}

TEST_MAIN(NULL)
