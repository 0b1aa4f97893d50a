/* SPDX-License-Identifier: MIT */
/*
 * core/sched against a model of it that looks at all slots for each question: the same permits in
 * the same order, whatever slots, clock and limits do.
 */
#include "config.h"

#include "core/sched.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/rng.h"
#include "test.h"

enum { SLOTS = 24, CONTROLLERS = 3, HUBS = 6, TRANSLATORS = 5, STEPS = 4000, SEEDS = 60 };

struct slot {
	unsigned controller, hub, translator, endpoints;
	bool placed;
	unsigned waiting, granted; /* BIT(permit) */
	uint64_t asked_us[PERMIT_COUNT], order[PERMIT_COUNT];
};

struct model {
	struct sched_limits limits;
	struct slot slots[SLOTS];
	unsigned seen[CONTROLLERS]; /* endpoints */
	uint64_t switch_free_us[CONTROLLERS + HUBS];
	bool held;
	uint64_t order, next_us;
};

/* Translator 0 is none; two hubs are on each controller. */
static const char *const controller_names[CONTROLLERS] = { "", "usb1", "usb3" };
static const char *const translator_names[TRANSLATORS] = { "", "1-1", "1-2", "3-1", "3-1.4" };
static const char *const hub_ports[HUBS] = { "", "0-1.1", "1-1", "1-2.1", "3-1", "3-1.4.2" };

/* ---- the model ------------------------------------------------------------------------------ */

/* Endpoints on a controller now; arrived: with those that are on their way. */
static unsigned
endpoints_at(const struct model *m, unsigned controller, bool arrived)
{
	unsigned n = 0;

	for (unsigned i = 0; i < SLOTS; i++) {
		const struct slot *p = &m->slots[i];
		bool leaves = arrived && (p->granted & BIT(PERMIT_LEAVE)) != 0;

		if (!p->placed || p->controller != controller)
			continue;
		n += leaves && p->endpoints < SCHED_RUNTIME_ENDPOINTS ? SCHED_RUNTIME_ENDPOINTS
								      : p->endpoints;
	}
	return n;
}

static void
model_moved(struct model *m)
{
	for (unsigned h = 0; h < CONTROLLERS + HUBS; h++) {
		unsigned members = 0;

		for (unsigned i = 0; i < SLOTS; i++)
			members += m->slots[i].placed && (m->slots[i].controller == h ||
							  m->slots[i].hub + CONTROLLERS == h);
		if (members == 0)
			m->switch_free_us[h] = 0;
	}
	for (unsigned c = 0; c < CONTROLLERS; c++) {
		unsigned now = endpoints_at(m, c, false), members = 0;

		for (unsigned i = 0; i < SLOTS; i++)
			members += m->slots[i].placed && m->slots[i].controller == c;
		if (now > m->seen[c] || members == 0)
			m->seen[c] = now;
	}
}

/* Where a mode switch has to be apart from the last one. */
static unsigned
switch_place(const struct model *m, const struct slot *p)
{
	return m->limits.stagger_hubs ? CONTROLLERS + p->hub : p->controller;
}

static unsigned
granted_beside(const struct model *m, const struct slot *p, enum permit permit)
{
	unsigned n = 0;

	for (unsigned i = 0; i < SLOTS; i++) {
		const struct slot *q = &m->slots[i];

		if ((q->granted & BIT(permit)) == 0 ||
		    (permit == PERMIT_WRITE && q->translator != p->translator) ||
		    (permit == PERMIT_SWITCH && q->controller != p->controller))
			continue;
		n++;
	}
	return n;
}

static bool
model_is_free(const struct model *m, const struct slot *p, enum permit permit, uint64_t now_us,
	      uint64_t *ret_at)
{
	const struct sched_limits *l = &m->limits;
	unsigned beside = granted_beside(m, p, permit), after;

	*ret_at = SCHED_NEVER;
	if (permit == PERMIT_START)
		return !m->held && (l->active_max == 0 || beside < l->active_max);
	if (permit == PERMIT_BLOCK)
		return true; /* nothing was learned */
	if (permit == PERMIT_WRITE)
		return p->translator == 0 || l->writers_max == 0 || beside < l->writers_max;
	if (permit == PERMIT_SWITCH) {
		if (l->switch_max > 0 && beside >= l->switch_max)
			return false;
		*ret_at = m->switch_free_us[switch_place(m, p)];
		return now_us >= *ret_at;
	}
	after = endpoints_at(m, p->controller, true) - p->endpoints + SCHED_RUNTIME_ENDPOINTS;
	if (l->endpoints_max == 0 || after <= l->endpoints_max ||
	    m->seen[p->controller] > l->endpoints_max)
		return true;
	*ret_at = p->asked_us[permit] + l->leave_wait_us;
	return now_us >= *ret_at;
}

/* The slot that gets the next permit, or -1. */
static int
model_next(struct model *m, uint64_t now_us, enum permit *ret_permit)
{
	int best = -1;
	uint64_t at;

	m->next_us = SCHED_NEVER;
	for (int i = 0; i < SLOTS; i++)
		for (enum permit t = PERMIT_START; t < PERMIT_COUNT; t++) {
			const struct slot *p = &m->slots[i];

			if ((p->waiting & BIT(t)) == 0)
				continue;
			if (!model_is_free(m, p, t, now_us, &at)) {
				m->next_us = at < m->next_us ? at : m->next_us;
			} else if (best < 0 || p->order[t] < m->slots[best].order[*ret_permit]) {
				best = i;
				*ret_permit = t;
			}
		}
	if (best < 0)
		return -1;
	m->slots[best].waiting &= ~BIT(*ret_permit);
	m->slots[best].granted |= BIT(*ret_permit);
	if (*ret_permit == PERMIT_SWITCH)
		m->switch_free_us[switch_place(m, &m->slots[best])] = now_us + m->limits.stagger_us;
	return best;
}

/* ---- both, side by side --------------------------------------------------------------------- */

struct pair {
	struct rng rng;
	struct model m;
	struct sched *s;
	uint64_t now_us;
};

static unsigned
draw(struct pair *x, unsigned count)
{
	return (unsigned)rng_between(&x->rng, 0, count - 1);
}

static void
place(struct pair *x, unsigned slot)
{
	static const unsigned endpoints[] = { 0, 1, 6, 6, 9 };
	struct slot *p = &x->m.slots[slot];
	struct sighting where = { .port = "" };
	bool moves = p->placed ? draw(x, 4) == 0 : draw(x, 8) > 0;

	if (moves) {
		p->controller = draw(x, CONTROLLERS);
		p->hub = 2 * p->controller + draw(x, 2);
		p->translator = draw(x, TRANSLATORS);
	}
	p->placed = true;
	p->endpoints = endpoints[draw(x, ARRAY_LEN(endpoints))];
	copy_text(where.port, sizeof(where.port), hub_ports[p->hub]);
	copy_text(where.controller, sizeof(where.controller), controller_names[p->controller]);
	copy_text(where.translator, sizeof(where.translator), translator_names[p->translator]);
	sched_place(x->s, slot, moves || draw(x, 2) == 0 ? &where : NULL, p->endpoints);
	model_moved(&x->m);
}

static void
ask(struct pair *x, unsigned slot, enum permit permit)
{
	struct slot *p = &x->m.slots[slot];

	if (!p->placed)
		return;
	sched_ask(x->s, slot, permit, x->now_us);
	if (((p->waiting | p->granted) & BIT(permit)) != 0)
		return;
	p->waiting |= BIT(permit);
	p->asked_us[permit] = x->now_us;
	p->order[permit] = ++x->m.order;
}

static void
release(struct pair *x, unsigned slot, enum permit permit)
{
	sched_release(x->s, slot, permit);
	x->m.slots[slot].waiting &= ~BIT(permit);
	x->m.slots[slot].granted &= ~BIT(permit);
}

static void
forget(struct pair *x, unsigned slot)
{
	sched_forget(x->s, slot);
	memset(&x->m.slots[slot], 0, sizeof(x->m.slots[slot]));
	model_moved(&x->m);
}

static void
set_limits(struct pair *x)
{
	x->m.limits = (struct sched_limits){ .active_max = draw(x, 3) * 8,
					     .switch_max = draw(x, 4),
					     .writers_max = draw(x, 4),
					     .endpoints_max = draw(x, 2) * 24,
					     .stagger_us = draw(x, 2) * 30,
					     .stagger_hubs = draw(x, 2) == 0,
					     .leave_wait_us = 500 };
	sched_set_limits(x->s, &x->m.limits);
}

static void
step(struct pair *x)
{
	enum permit permit = PERMIT_START + draw(x, PERMIT_COUNT - 1);
	unsigned slot = draw(x, SLOTS);

	switch (draw(x, 40)) {
	case 0:
		set_limits(x);
		break;
	case 1:
		x->m.held = draw(x, 3) == 0;
		sched_hold_starts(x->s, x->m.held);
		break;
	case 2:
		forget(x, slot);
		break;
	case 3:
		for (enum permit t = PERMIT_START; t < PERMIT_COUNT; t++)
			release(x, slot, t);
		break;
	case 4 ... 9:
		place(x, slot);
		break;
	case 10 ... 14:
		x->now_us += draw(x, 60);
		break;
	case 15 ... 24:
		release(x, slot, permit);
		break;
	default:
		ask(x, slot, permit);
		break;
	}
}

static void
compare(struct pair *x)
{
	enum permit permit, expected = PERMIT_NONE;
	unsigned slot;

	for (;;) {
		int best = model_next(&x->m, x->now_us, &expected);

		assert_int_equal(sched_next(x->s, x->now_us, &slot, &permit), best >= 0);
		if (best < 0)
			break;
		assert_int_equal(slot, best);
		assert_int_equal(permit, expected);
	}
	assert_true(sched_deadline_us(x->s) == x->m.next_us);
	for (unsigned i = 0; i < SLOTS; i++)
		for (enum permit t = PERMIT_START; t < PERMIT_COUNT; t++) {
			assert_int_equal(sched_has(x->s, i, t),
					 (x->m.slots[i].granted & BIT(t)) != 0);
			assert_int_equal(sched_waits(x->s, i, t),
					 (x->m.slots[i].waiting & BIT(t)) != 0);
		}
}

/* SCHED_SEED=N: that seed alone. */
TEST(permits_come_as_if_all_slots_were_looked_at)
{
	const char *wanted = getenv("SCHED_SEED");

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct pair x = { .now_us = 1 };

		if (wanted != NULL && strtoull(wanted, NULL, 10) != seed)
			continue;
		printf("seed %u\n", (unsigned)seed);
		rng_init(&x.rng, seed);
		assert_int_equal(sched_new(&x.m.limits, &x.s), 0);
		for (unsigned n = 0; n < STEPS; n++) {
			step(&x);
			if (draw(&x, 3) > 0)
				compare(&x);
		}
		sched_free(x.s);
	}
}

TEST_MAIN(NULL)
