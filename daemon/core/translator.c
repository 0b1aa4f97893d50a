/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/translator.h"

#include <assert.h>

enum {
	COUNT_ENOUGH = 32, /* blocks that make a mean */
	COUNT_MAX = 128,   /* ... and those before are forgotten by halves */
	TOOK_MAX_US = 1000000,
	LATE_FACTOR = 4,   /* later than so many times the mean, it was the host that stood still */
	RECKON_EVERY = 32, /* blocks */
	CALM_MAX = 128,	   /* reckonings until one more is tried: about 14 drones */
	SLACK_PART = 3,	   /* so much less has to get through to be measurably less */
};

bool
translator_has_room(const struct translator *t)
{
	return t->most == 0 || t->at_once < t->most;
}

/* How much gets through with n at once; 0 not known. */
static uint64_t
rate(const struct translator *t, unsigned n)
{
	uint64_t us = t->took[n].sum_us;

	return t->took[n].count < COUNT_ENOUGH || us == 0
		   ? 0
		   : UINT64_C(1000000000) * n * t->took[n].count / us;
}

/* The most at once of which no less gets through than of fewer; 0: that is so of all numbers. */
static unsigned
worthwhile(const struct translator *t)
{
	uint64_t best = 0;
	unsigned most = 0;

	for (unsigned n = 1; n <= TRANSLATOR_DEEP; n++) {
		uint64_t r = rate(t, n);

		if (r == 0)
			continue;
		if (r + r / SLACK_PART < best)
			return most;
		best = r > best ? r : best;
		most = n;
	}
	return 0;
}

/* From now on so many at once, as a trial. */
static void
try_with(struct translator *t, unsigned most)
{
	t->calm = 0;
	t->most = most <= TRANSLATOR_DEEP ? most : 0;
	if (t->most > 0)
		t->took[most].count = t->took[most].sum_us = 0;
}

static unsigned
deepest_known(const struct translator *t)
{
	unsigned n = TRANSLATOR_DEEP;

	while (n > 0 && rate(t, n) == 0)
		n--;
	return n;
}

/* Half as many and fewer are not known: drones are in step from their first block on. */
static bool
are_in_step(const struct translator *t, unsigned deepest)
{
	assert(deepest <= TRANSLATOR_DEEP);
	/* cppcheck-suppress arrayIndexOutOfBoundsCond */
	if (deepest < 4 || t->took[deepest].count < 2 * COUNT_ENOUGH)
		return false;
	for (unsigned n = 1; n <= deepest / 2; n++)
		if (rate(t, n) > 0)
			return false;
	return true;
}

/* Forgets what is known of more than one above the limit: the hub may be another one by then. */
static void
limit_to(struct translator *t, unsigned most)
{
	t->calm = most == t->most ? t->calm + 1 : 0;
	t->most = most;
	for (unsigned n = most + 2; n <= TRANSLATOR_DEEP; n++)
		t->took[n].count = t->took[n].sum_us = 0;
	if (t->calm >= CALM_MAX)
		try_with(t, most + 1);
}

static void
reckon(struct translator *t)
{
	unsigned most = worthwhile(t), deepest = deepest_known(t);

	t->learned = 0;
	if (t->most > 0 && t->took[t->most].count < COUNT_ENOUGH)
		return; /* a trial under way, or there are not so many now */
	if (are_in_step(t, deepest))
		t->most = deepest / 2; /* for a moment: what would fewer be like? */
	else if (most > 0)
		limit_to(t, most);
	else if (deepest > t->most + 1)
		t->most = 0; /* fewer are no better */
	else if (t->most > 0)
		try_with(t, t->most + 1); /* WHY: that went well */
}

void
translator_learn(struct translator *t, unsigned at_once, uint64_t took_us)
{
	uint32_t us = took_us < TOOK_MAX_US ? (uint32_t)took_us : TOOK_MAX_US;
	uint32_t mean;

	if (at_once == 0 || at_once > TRANSLATOR_DEEP)
		return;
	mean = t->took[at_once].count > 0 ? t->took[at_once].sum_us / t->took[at_once].count : us;
	t->took[at_once].sum_us += us / LATE_FACTOR < mean ? us : mean * LATE_FACTOR;
	if (++t->took[at_once].count == COUNT_MAX) {
		t->took[at_once].count /= 2;
		t->took[at_once].sum_us /= 2;
	}
	if (++t->learned >= RECKON_EVERY)
		reckon(t);
}
