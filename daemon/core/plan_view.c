/* SPDX-License-Identifier: MIT */
/* Questions about a plan: how far it is, what is verified, how much is left. */
#include "config.h"

#include "core/plan_parts.h"

enum plan_phase
plan_phase(const struct plan *p)
{
	return p->phase;
}

bool
plan_unchanged(const struct plan *p)
{
	return p->phase == PLAN_DONE && !p->changed;
}

uint32_t
plan_wrong_addr(const struct plan *p)
{
	return p->wrong_addr;
}

enum plan_failure
plan_failure(const struct plan *p)
{
	return p->failure;
}

unsigned
plan_repairs(const struct plan *p)
{
	return p->repairs;
}

int
plan_target_verified(const struct plan *p, uint8_t alt)
{
	int verified = -1;

	for (size_t i = 0; i < p->count; i++) {
		if (p->parts[i].alt != alt)
			continue;
		if (p->parts[i].todo != 0 || (i == p->boot && plan_page_is_due(p)))
			return 0;
		verified = 1;
	}
	return verified;
}

static uint64_t
transfer_us(const struct plan *p, const struct pace *pace, uint32_t bytes, bool program)
{
	uint64_t blocks = (bytes + p->options.block_bytes - 1) / p->options.block_bytes;
	uint64_t us = (uint64_t)pace->block_us * bytes / p->options.block_bytes;

	if (program)
		us += pace_whole_us(pace, PACE_PROGRAM, p->options.block_bytes) * (uint64_t)bytes /
			  p->options.block_bytes +
		      blocks * pace->status_us * 2;
	return us;
}

static uint64_t
part_us(const struct plan *p, const struct pace *pace, const struct part *part, unsigned todo,
	uint32_t done)
{
	uint32_t bytes = part->to - part->from;
	uint64_t us = 0;

	if ((todo & TODO_COMPARE) != 0)
		us += pace->block_us; /* one block tells most sectors apart */
	if ((todo & TODO_ERASE) != 0)
		us += pace_whole_us(pace, PACE_ERASE, part->size) + 3 * (uint64_t)pace->status_us;
	if ((todo & TODO_WRITE) != 0)
		us += transfer_us(p, pace, p->phase == PLAN_WRITE ? bytes - done : bytes, true);
	if ((todo & TODO_VERIFY) != 0)
		us += transfer_us(p, pace, p->phase == PLAN_VERIFY ? bytes - done : bytes, false);
	return us;
}

void
plan_estimate(const struct plan *p, const struct pace *pace, uint64_t *ret_left_us,
	      uint64_t *ret_total_us)
{
	uint64_t left = 0, total = 0;

	for (size_t i = 0; i < p->count; i++) {
		const struct part *part = &p->parts[i];
		uint32_t done = i == p->at && p->pos > part->from ? p->pos - part->from : 0;
		unsigned all = TODO_COMPARE;
		unsigned todo = part->todo;

		if (p->phase == PLAN_COMPARE) /* WHY: between releases every sector differs */
			todo |= TODO_ERASE | TODO_WRITE | TODO_VERIFY;
		if (p->phase == PLAN_COMPARE || part->content != CONTENT_EQUAL ||
		    (i == p->boot && p->boot_changed))
			all |= TODO_ERASE | TODO_WRITE | TODO_VERIFY;
		left += part_us(p, pace, part, todo, done);
		total += part_us(p, pace, part, all, 0);
	}
	*ret_left_us = p->phase == PLAN_DONE || p->phase == PLAN_FAILED ? 0 : left;
	*ret_total_us = total > left ? total : left;
}
