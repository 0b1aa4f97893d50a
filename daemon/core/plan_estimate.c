/* SPDX-License-Identifier: MIT */
/* The time that a plan's work is expected to take. */
#include "config.h"

#include "core/plan.h"

#include "core/plan_internal.h"

/* The work that is left with the part, as far as is known. */
static unsigned
todo_of(const struct plan *p, size_t i)
{
	/* WHY: between releases every sector differs. */
	return p->phase == PLAN_COMPARE ? p->parts[i].todo | TODO_CHANGE : p->parts[i].todo;
}

static unsigned
all_of(const struct plan *p, size_t i)
{
	bool differs = p->phase == PLAN_COMPARE || p->parts[i].content != CONTENT_EQUAL ||
		       (i == p->boot && p->boot_changed);

	return differs ? TODO_COMPARE | TODO_CHANGE : TODO_COMPARE;
}

/* Sums that stay the same until another part or another phase is under way. */
static void
add_up(struct plan *p, const struct pace *pace)
{
	struct plan_reckoning *r = &p->reckoning;
	uint32_t block = p->options.block_bytes;

	r->done = true;
	r->phase = p->phase;
	r->at = p->at;
	r->others = r->total = (struct part_sum){ 0 };
	for (size_t i = 0; i < p->count; i++) {
		struct part_work all = { .todo = all_of(p, i) }, left = { .todo = todo_of(p, i) };

		part_add(&r->total, &p->parts[i], all, pace, block);
		if (i != p->at)
			part_add(&r->others, &p->parts[i], left, pace, block);
	}
}

void
plan_reckon(struct plan *p, const struct pace *pace)
{
	struct plan_reckoning *r = &p->reckoning;
	uint32_t block = p->options.block_bytes;
	const struct part *part;
	struct part_sum left;
	uint32_t done;

	if (p->phase == PLAN_DONE || p->phase == PLAN_FAILED) {
		r->left_us = 0;
		return;
	}
	if (!r->done || r->phase != p->phase || r->at != p->at)
		add_up(p, pace);
	part = &p->parts[p->at];
	done = p->pos > part->is.from ? p->pos - part->is.from : 0;
	left = r->others;
	part_add(&left, part, (struct part_work){ todo_of(p, p->at), p->under_way, done }, pace,
		 block);
	r->left_us = part_sum_us(&left, pace, block);
	r->total_us = part_sum_us(&r->total, pace, block);
	if (r->total_us < r->left_us)
		r->total_us = r->left_us;
}

void
plan_estimate(const struct plan *p, uint64_t *ret_left_us, uint64_t *ret_total_us)
{
	*ret_left_us = p->reckoning.left_us;
	*ret_total_us = p->reckoning.total_us;
}
