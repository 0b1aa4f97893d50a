/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ctl/share.h"

void
share_begin(struct share *s, uint64_t now_us)
{
	s->from_us = now_us;
}

bool
share_is_spent(const struct share *s, uint64_t now_us)
{
	return now_us - s->from_us >= SHARE_US;
}

uint64_t
share_end(const struct share *s, uint64_t now_us, bool drones_at_work)
{
	uint64_t took_us = now_us - s->from_us;

	if (!drones_at_work)
		return 0;
	return took_us < SHARE_REST_MAX_US / SHARE_REST ? took_us * SHARE_REST : SHARE_REST_MAX_US;
}
