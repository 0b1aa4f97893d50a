/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/sched.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

struct waiter {
	char controller[PORT_TEXT_MAX];
	char translator[PORT_TEXT_MAX];
	unsigned endpoints;
	unsigned endpoints_seen; /* most that its controller has shown to hold at once */
	uint8_t waiting;	 /* BIT(permit) */
	uint8_t granted;
	uint64_t asked_us[PERMIT_COUNT];
	uint64_t order[PERMIT_COUNT];
};

struct sched {
	struct sched_limits limits;
	struct waiter waiters[SCHED_SLOTS_MAX];
	unsigned used; /* waiters [0, used) have ever been named */
	unsigned waiting_count;
	bool starts_held;
	uint64_t order;
	uint64_t switch_free_us; /* no mode switch before this */
	uint64_t next_us;	 /* answer of the last sched_next() */
};

int
sched_new(const struct sched_limits *limits, struct sched **ret_sched)
{
	struct sched *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return -ENOMEM;
	s->limits = *limits;
	s->next_us = SCHED_NEVER;
	*ret_sched = s;
	return 0;
}

void
sched_free(struct sched *s)
{
	free(s);
}

void
sched_set_limits(struct sched *s, const struct sched_limits *limits)
{
	s->limits = *limits;
}

void
sched_hold_starts(struct sched *s, bool hold)
{
	s->starts_held = hold;
}

/* A controller can hold again as much as it has held once, whatever the limit says. */
static void
remember_endpoints(struct sched *s, const struct waiter *placed)
{
	unsigned now = 0, seen = 0;

	for (unsigned i = 0; i < s->used; i++) {
		const struct waiter *p = &s->waiters[i];

		if (strcmp(p->controller, placed->controller) != 0)
			continue;
		now += p->endpoints;
		seen = p->endpoints_seen > seen ? p->endpoints_seen : seen;
	}
	seen = now > seen ? now : seen;
	for (unsigned i = 0; i < s->used; i++)
		if (strcmp(s->waiters[i].controller, placed->controller) == 0)
			s->waiters[i].endpoints_seen = seen;
}

void
sched_place(struct sched *s, unsigned slot, const char *controller, const char *translator,
	    unsigned endpoints)
{
	struct waiter *p;

	assert(slot < SCHED_SLOTS_MAX);
	if (slot >= s->used)
		s->used = slot + 1;
	p = &s->waiters[slot];
	if (controller != NULL)
		copy_text(p->controller, sizeof(p->controller), controller);
	if (translator != NULL)
		copy_text(p->translator, sizeof(p->translator), translator);
	p->endpoints = endpoints;
	remember_endpoints(s, p);
}

void
sched_ask(struct sched *s, unsigned slot, enum permit permit, uint64_t now_us)
{
	struct waiter *p = &s->waiters[slot];

	assert(slot < s->used);
	if (((p->waiting | p->granted) & BIT(permit)) != 0)
		return;
	p->waiting |= (uint8_t)BIT(permit);
	p->asked_us[permit] = now_us;
	p->order[permit] = ++s->order;
	s->waiting_count++;
}

void
sched_release(struct sched *s, unsigned slot, enum permit permit)
{
	struct waiter *p = &s->waiters[slot];

	if ((p->waiting & BIT(permit)) != 0)
		s->waiting_count--;
	p->waiting &= (uint8_t)~BIT(permit);
	p->granted &= (uint8_t)~BIT(permit);
}

void
sched_release_all(struct sched *s, unsigned slot)
{
	for (enum permit t = PERMIT_START; t < PERMIT_COUNT; t++)
		sched_release(s, slot, t);
}

bool
sched_has(const struct sched *s, unsigned slot, enum permit permit)
{
	return (s->waiters[slot].granted & BIT(permit)) != 0;
}

bool
sched_waits(const struct sched *s, unsigned slot, enum permit permit)
{
	return (s->waiters[slot].waiting & BIT(permit)) != 0;
}

/* How many have this permit already, in the same group as p. */
static unsigned
granted_beside(const struct sched *s, const struct waiter *p, enum permit permit)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->used; i++) {
		const struct waiter *q = &s->waiters[i];

		if ((q->granted & BIT(permit)) == 0)
			continue;
		if (permit == PERMIT_WRITE && strcmp(p->translator, q->translator) != 0)
			continue;
		if (permit != PERMIT_START && permit != PERMIT_WRITE &&
		    strcmp(p->controller, q->controller) != 0)
			continue;
		n++;
	}
	return n;
}

static bool
below(unsigned limit, unsigned n)
{
	return limit == 0 || n < limit;
}

/* Endpoint contexts in use on p's controller, counting those that are on their way as arrived. */
static unsigned
endpoints_beside(const struct sched *s, const struct waiter *p)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->used; i++) {
		const struct waiter *q = &s->waiters[i];

		if (strcmp(p->controller, q->controller) != 0)
			continue;
		n += (q->granted & BIT(PERMIT_LEAVE)) != 0 && q->endpoints < SCHED_RUNTIME_ENDPOINTS
			 ? SCHED_RUNTIME_ENDPOINTS
			 : q->endpoints;
	}
	return n;
}

/* May slot have this permit now?  If only time is missing, ret_at says when. */
static bool
is_free(const struct sched *s, const struct waiter *p, enum permit permit, uint64_t now_us,
	uint64_t *ret_at)
{
	uint64_t patience = p->asked_us[permit] + s->limits.leave_wait_us;
	unsigned after;

	*ret_at = SCHED_NEVER;
	switch (permit) {
	case PERMIT_START:
		return !s->starts_held && below(s->limits.active_max, granted_beside(s, p, permit));
	case PERMIT_SWITCH:
		if (!below(s->limits.switch_max, granted_beside(s, p, permit)))
			return false;
		*ret_at = s->switch_free_us;
		return now_us >= s->switch_free_us;
	case PERMIT_WRITE:
		/* WHY: without a translator no other device shares the wire. */
		return p->translator[0] == '\0' ||
		       below(s->limits.writers_max, granted_beside(s, p, permit));
	case PERMIT_LEAVE:
		after = endpoints_beside(s, p) - p->endpoints + SCHED_RUNTIME_ENDPOINTS;
		if (s->limits.endpoints_max == 0 || after <= s->limits.endpoints_max ||
		    after <= p->endpoints_seen)
			return true;
		/* WHY: waiting for ever would be worse than a controller that refuses one device.
		 */
		*ret_at = patience;
		return now_us >= patience;
	case PERMIT_NONE:
	case PERMIT_COUNT:
		break;
	}
	return false;
}

static void
grant(struct sched *s, struct waiter *p, enum permit permit, uint64_t now_us)
{
	p->waiting &= (uint8_t)~BIT(permit);
	p->granted |= (uint8_t)BIT(permit);
	s->waiting_count--;
	if (permit == PERMIT_SWITCH)
		s->switch_free_us = now_us + s->limits.stagger_us;
}

bool
sched_next(struct sched *s, uint64_t now_us, unsigned *ret_slot, enum permit *ret_permit)
{
	struct waiter *best = NULL;
	uint64_t at;

	s->next_us = SCHED_NEVER;
	if (s->waiting_count == 0)
		return false;
	for (unsigned i = 0; i < s->used; i++) {
		struct waiter *p = &s->waiters[i];

		for (enum permit t = PERMIT_START; t < PERMIT_COUNT && p->waiting != 0; t++) {
			if ((p->waiting & BIT(t)) == 0)
				continue;
			if (!is_free(s, p, t, now_us, &at)) {
				s->next_us = at < s->next_us ? at : s->next_us;
				continue;
			}
			if (best != NULL && best->order[*ret_permit] < p->order[t])
				continue;
			best = p;
			*ret_slot = i;
			*ret_permit = t;
		}
	}
	if (best == NULL)
		return false;
	grant(s, best, *ret_permit, now_us);
	return true;
}

uint64_t
sched_deadline_us(const struct sched *s)
{
	return s->waiting_count > 0 ? s->next_us : SCHED_NEVER;
}
