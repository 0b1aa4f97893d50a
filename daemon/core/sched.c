/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/sched.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "core/translator.h"

enum group_kind { GROUP_CONTROLLER, GROUP_HUB, GROUP_TRANSLATOR, GROUP_COUNT };

/* Slots that share a limit, and how much of it they use. */
struct group {
	char name[PORT_TEXT_MAX];
	unsigned members;	 /* 0: the entry is free */
	unsigned granted;	 /* PERMIT_SWITCH of a controller, PERMIT_WRITE of a translator */
	uint64_t switch_free_us; /* of a controller or a hub: no mode switch before this */
	/* Of a controller: */
	unsigned endpoints;	 /* what its devices take now */
	unsigned endpoints_more; /* ... and will, those that are on their way */
	unsigned endpoints_seen; /* the most that it has shown to hold at once */
	struct translator flow;	 /* of a translator */
};

struct waiter {
	unsigned at[GROUP_COUNT];
	unsigned endpoints;
	bool placed;
	uint8_t waiting; /* BIT(permit) */
	uint8_t granted;
	uint64_t asked_us[PERMIT_COUNT];
	uint64_t order[PERMIT_COUNT];
	uint64_t block_us;    /* when its block began */
	unsigned blocks_then; /* so many were on their way then */
	bool teaches;	      /* how long its block takes is learned from */
	unsigned before[PERMIT_COUNT], after[PERMIT_COUNT]; /* in its lane, by order; or NO_SLOT */
};

/* Those that wait for the same thing: when it is there, it is there for all of them. */
struct lane {
	enum permit permit;
	unsigned group;
	unsigned endpoints; /* PERMIT_LEAVE: that its waiters take already */
	unsigned first, last;
};

#define NO_SLOT SCHED_SLOTS_MAX
#define LANES_MAX (SCHED_SLOTS_MAX * (PERMIT_COUNT - 1)) /* LIMIT: each waits alone, for each */

struct sched {
	struct sched_limits limits;
	struct waiter waiters[SCHED_SLOTS_MAX];
	struct group groups[GROUP_COUNT][SCHED_SLOTS_MAX];
	unsigned group_counts[GROUP_COUNT]; /* entries that have ever been used */
	struct lane lanes[LANES_MAX];
	unsigned lane_count; /* those with a waiter come first */
	unsigned started;    /* PERMIT_START granted */
	bool starts_held;
	bool settled; /* nothing has changed since sched_next() found nothing */
	uint64_t order;
	uint64_t next_us; /* answer of the last sched_next() */
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
	s->settled = false;
}

void
sched_hold_starts(struct sched *s, bool hold)
{
	s->starts_held = hold;
	s->settled = false;
}

/* ---- groups --------------------------------------------------------------------------------- */

static struct group *
group_of(struct sched *s, const struct waiter *p, enum group_kind kind)
{
	return &s->groups[kind][p->at[kind]];
}

/* Puts what p uses of its groups' limits to their account (+1), or takes it from there (-1). */
static void
account(struct sched *s, const struct waiter *p, int sign)
{
	struct group *controller = group_of(s, p, GROUP_CONTROLLER);
	unsigned n = (unsigned)sign;

	s->settled = false;
	controller->endpoints += n * p->endpoints;
	if ((p->granted & BIT(PERMIT_LEAVE)) != 0 && p->endpoints < SCHED_RUNTIME_ENDPOINTS)
		controller->endpoints_more += n * (SCHED_RUNTIME_ENDPOINTS - p->endpoints);
	if ((p->granted & BIT(PERMIT_START)) != 0)
		s->started += n;
	if ((p->granted & BIT(PERMIT_SWITCH)) != 0)
		controller->granted += n;
	if ((p->granted & BIT(PERMIT_WRITE)) != 0)
		group_of(s, p, GROUP_TRANSLATOR)->granted += n;
	if ((p->granted & BIT(PERMIT_BLOCK)) != 0)
		group_of(s, p, GROUP_TRANSLATOR)->flow.at_once += n;
	if (controller->endpoints > controller->endpoints_seen)
		controller->endpoints_seen = controller->endpoints;
}

static void
leave_group(struct sched *s, const struct waiter *p, enum group_kind kind)
{
	struct group *g = group_of(s, p, kind);

	if (--g->members == 0)
		memset(g, 0, sizeof(*g));
}

static void
join_group(struct sched *s, struct waiter *p, enum group_kind kind, const char *name)
{
	struct group *groups = s->groups[kind];
	unsigned count = s->group_counts[kind], at = count;

	for (unsigned i = 0; i < count; i++) {
		if (groups[i].members == 0)
			at = i;
		if (groups[i].members > 0 && strcmp(groups[i].name, name) == 0) {
			at = i;
			break;
		}
	}
	if (at == count)
		s->group_counts[kind]++;
	if (groups[at].members++ == 0)
		copy_text(groups[at].name, sizeof(groups[at].name), name);
	p->at[kind] = at;
}

static void
move_to_group(struct sched *s, struct waiter *p, enum group_kind kind, const char *name)
{
	if (strcmp(group_of(s, p, kind)->name, name) == 0)
		return;
	leave_group(s, p, kind);
	join_group(s, p, kind, name);
}

/* "1-4.2" is on the hub "1-4", and "1-4" on the root hub "1". */
static void
move(struct sched *s, struct waiter *p, const struct sighting *where)
{
	char hub[PORT_TEXT_MAX];
	char *end;

	copy_text(hub, sizeof(hub), where->port);
	end = strrchr(hub, '.');
	if (end == NULL)
		end = strrchr(hub, '-');
	if (end != NULL)
		*end = '\0';
	move_to_group(s, p, GROUP_CONTROLLER, where->controller);
	move_to_group(s, p, GROUP_HUB, hub);
	move_to_group(s, p, GROUP_TRANSLATOR, where->translator);
}

/* ---- lanes ---------------------------------------------------------------------------------- */

static struct lane
lane_for(const struct waiter *p, enum permit permit)
{
	struct lane lane = { .permit = permit, .first = NO_SLOT, .last = NO_SLOT };

	if (permit == PERMIT_SWITCH)
		lane.group = p->at[GROUP_HUB];
	if (permit == PERMIT_WRITE || permit == PERMIT_BLOCK)
		lane.group = p->at[GROUP_TRANSLATOR];
	if (permit == PERMIT_LEAVE) {
		lane.group = p->at[GROUP_CONTROLLER];
		lane.endpoints = p->endpoints;
	}
	return lane;
}

/* The lane that slot waits in for this permit, or would; a new one where there is none. */
static struct lane *
find_lane(struct sched *s, unsigned slot, enum permit permit)
{
	struct lane wanted = lane_for(&s->waiters[slot], permit);

	for (unsigned i = 0; i < s->lane_count; i++) {
		struct lane *l = &s->lanes[i];

		if (l->permit == permit && l->group == wanted.group &&
		    l->endpoints == wanted.endpoints)
			return l;
	}
	assert(s->lane_count < LANES_MAX);
	s->lanes[s->lane_count] = wanted;
	return &s->lanes[s->lane_count++];
}

/* By its order: at the end, but for a slot that was placed anew. */
static void
enter_lane(struct sched *s, unsigned slot, enum permit permit)
{
	struct lane *l = find_lane(s, slot, permit);
	struct waiter *p = &s->waiters[slot];
	unsigned before = l->last, after = NO_SLOT;

	while (before != NO_SLOT && s->waiters[before].order[permit] > p->order[permit]) {
		after = before;
		before = s->waiters[before].before[permit];
	}
	p->before[permit] = before;
	p->after[permit] = after;
	*(before == NO_SLOT ? &l->first : &s->waiters[before].after[permit]) = slot;
	*(after == NO_SLOT ? &l->last : &s->waiters[after].before[permit]) = slot;
	s->settled = false;
}

static void
leave_lane(struct sched *s, unsigned slot, enum permit permit)
{
	struct lane *l = find_lane(s, slot, permit);
	unsigned before = s->waiters[slot].before[permit], after = s->waiters[slot].after[permit];

	*(before == NO_SLOT ? &l->first : &s->waiters[before].after[permit]) = after;
	*(after == NO_SLOT ? &l->last : &s->waiters[after].before[permit]) = before;
	if (l->first == NO_SLOT)
		*l = s->lanes[--s->lane_count];
	s->settled = false;
}

static void
leave_lanes(struct sched *s, unsigned slot)
{
	for (enum permit t = PERMIT_START; t < PERMIT_COUNT; t++)
		if (sched_waits(s, slot, t))
			leave_lane(s, slot, t);
}

/* ---- what slots do -------------------------------------------------------------------------- */

void
sched_place(struct sched *s, unsigned slot, const struct sighting *where, unsigned endpoints)
{
	struct waiter *p;

	assert(slot < SCHED_SLOTS_MAX);
	p = &s->waiters[slot];
	if (!p->placed) {
		for (enum group_kind k = 0; k < GROUP_COUNT; k++)
			join_group(s, p, k, "");
		p->placed = true;
	}
	leave_lanes(s, slot);
	account(s, p, -1);
	if (where != NULL)
		move(s, p, where);
	p->endpoints = endpoints;
	account(s, p, 1);
	for (enum permit t = PERMIT_START; t < PERMIT_COUNT; t++)
		if (sched_waits(s, slot, t))
			enter_lane(s, slot, t);
}

void
sched_forget(struct sched *s, unsigned slot)
{
	struct waiter *p = &s->waiters[slot];

	if (!p->placed)
		return;
	sched_release_all(s, slot);
	account(s, p, -1);
	for (enum group_kind k = 0; k < GROUP_COUNT; k++)
		leave_group(s, p, k);
	memset(p, 0, sizeof(*p));
}

void
sched_ask(struct sched *s, unsigned slot, enum permit permit, uint64_t now_us)
{
	struct waiter *p = &s->waiters[slot];

	assert(p->placed);
	if (((p->waiting | p->granted) & BIT(permit)) != 0)
		return;
	p->waiting |= (uint8_t)BIT(permit);
	p->asked_us[permit] = now_us;
	p->order[permit] = ++s->order;
	enter_lane(s, slot, permit);
}

void
sched_release(struct sched *s, unsigned slot, enum permit permit)
{
	struct waiter *p = &s->waiters[slot];

	if (((p->waiting | p->granted) & BIT(permit)) == 0)
		return;
	if ((p->waiting & BIT(permit)) != 0) {
		leave_lane(s, slot, permit);
		p->waiting &= (uint8_t)~BIT(permit);
	}
	if ((p->granted & BIT(permit)) != 0) {
		account(s, p, -1);
		p->granted &= (uint8_t)~BIT(permit);
		account(s, p, 1);
	}
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

/* ---- what they get -------------------------------------------------------------------------- */

/* The one whose mode switches are kept apart. */
static struct group *
staggered(struct sched *s, const struct waiter *p)
{
	return group_of(s, p, s->limits.stagger_hubs ? GROUP_HUB : GROUP_CONTROLLER);
}

static bool
below(unsigned limit, unsigned n)
{
	return limit == 0 || n < limit;
}

/* May slot have this permit now?  If only time is missing, ret_at says when. */
static bool
is_free(struct sched *s, const struct waiter *p, enum permit permit, uint64_t now_us,
	uint64_t *ret_at)
{
	const struct group *controller = group_of(s, p, GROUP_CONTROLLER);
	const struct group *translator = group_of(s, p, GROUP_TRANSLATOR);
	unsigned after;

	*ret_at = SCHED_NEVER;
	switch (permit) {
	case PERMIT_START:
		return !s->starts_held && below(s->limits.active_max, s->started);
	case PERMIT_SWITCH:
		if (!below(s->limits.switch_max, controller->granted))
			return false;
		*ret_at = staggered(s, p)->switch_free_us;
		return now_us >= *ret_at;
	case PERMIT_WRITE:
		/* WHY: without a translator no other device shares the wire. */
		return translator->name[0] == '\0' ||
		       below(s->limits.writers_max, translator->granted);
	case PERMIT_LEAVE:
		after = controller->endpoints + controller->endpoints_more - p->endpoints +
			SCHED_RUNTIME_ENDPOINTS;
		/* WHY: the limit is for those with few contexts, and this one is none of them. */
		if (after <= s->limits.endpoints_max || s->limits.endpoints_max == 0 ||
		    controller->endpoints_seen > s->limits.endpoints_max)
			return true;
		/* WHY: waiting for ever would be worse than a controller that refuses one device.
		 */
		*ret_at = p->asked_us[permit] + s->limits.leave_wait_us;
		return now_us >= *ret_at;
	case PERMIT_BLOCK:
		return translator_has_room(&translator->flow);
	case PERMIT_NONE:
	case PERMIT_COUNT:
		break;
	}
	return false;
}

static void
grant(struct sched *s, unsigned slot, enum permit permit, uint64_t now_us)
{
	struct waiter *p = &s->waiters[slot];

	account(s, p, -1);
	p->granted |= (uint8_t)BIT(permit);
	account(s, p, 1);
	if (permit == PERMIT_SWITCH)
		staggered(s, p)->switch_free_us = now_us + s->limits.stagger_us;
	if (permit == PERMIT_BLOCK) {
		p->blocks_then = group_of(s, p, GROUP_TRANSLATOR)->flow.at_once;
		p->block_us = now_us;
	}
}

bool
sched_next(struct sched *s, uint64_t now_us, unsigned *ret_slot, enum permit *ret_permit)
{
	const struct lane *best = NULL;
	uint64_t at, best_order = SCHED_NEVER;

	if (s->settled && now_us < s->next_us)
		return false;
	s->next_us = SCHED_NEVER;
	for (unsigned i = 0; i < s->lane_count; i++) {
		const struct lane *l = &s->lanes[i];
		const struct waiter *p = &s->waiters[l->first];

		if (!is_free(s, p, l->permit, now_us, &at)) {
			s->next_us = at < s->next_us ? at : s->next_us;
		} else if (p->order[l->permit] < best_order) {
			best = l;
			best_order = p->order[l->permit];
		}
	}
	s->settled = best == NULL;
	if (best == NULL)
		return false;
	*ret_slot = best->first;
	*ret_permit = best->permit;
	s->waiters[*ret_slot].waiting &= (uint8_t)~BIT(*ret_permit);
	leave_lane(s, *ret_slot, *ret_permit);
	grant(s, *ret_slot, *ret_permit, now_us);
	return true;
}

uint64_t
sched_deadline_us(const struct sched *s)
{
	return s->lane_count > 0 ? s->next_us : SCHED_NEVER;
}

/* ---- blocks --------------------------------------------------------------------------------- */

bool
sched_block(struct sched *s, unsigned slot, bool teaches, uint64_t now_us)
{
	struct waiter *p = &s->waiters[slot];
	struct group *translator = group_of(s, p, GROUP_TRANSLATOR);

	if (!s->limits.blocks_learned || !sched_has(s, slot, PERMIT_WRITE) ||
	    translator->name[0] == '\0')
		return true;
	sched_block_ended(s, slot, false, now_us);
	p->teaches = teaches;
	/* WHY not where others may wait: they were first. */
	if (translator->flow.most > 0 &&
	    (s->lane_count > 0 || !translator_has_room(&translator->flow))) {
		sched_ask(s, slot, PERMIT_BLOCK, now_us);
		return false;
	}
	grant(s, slot, PERMIT_BLOCK, now_us);
	return true;
}

void
sched_block_ended(struct sched *s, unsigned slot, bool well, uint64_t now_us)
{
	struct waiter *p = &s->waiters[slot];
	struct group *translator = group_of(s, p, GROUP_TRANSLATOR);

	if (!sched_has(s, slot, PERMIT_BLOCK))
		return;
	sched_release(s, slot, PERMIT_BLOCK);
	if (well && p->teaches)
		translator_learn(&translator->flow, p->blocks_then, now_us - p->block_us);
}
