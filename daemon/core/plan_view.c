/* SPDX-License-Identifier: MIT */
/* Questions to a plan that change nothing: how far it is, how it ended. */
#include "config.h"

#include "core/plan.h"

#include "core/plan_internal.h"

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

enum plan_failure
plan_failure(const struct plan *p, uint32_t *ret_addr)
{
	*ret_addr = p->wrong_addr;
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
		if (p->parts[i].is.alt != alt)
			continue;
		if (p->parts[i].todo != 0 || (i == p->boot && plan_page_is_due(p)))
			return 0;
		verified = 1;
	}
	return verified;
}
