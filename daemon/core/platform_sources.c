/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/platform_sources.h"

#include <stdbool.h>
#include <stddef.h>

#include "cfdfu/util.h"

/* The platforms that share a board with another one: only firmware or the operator tells them
 * apart. */
#define FLAPPER_KIN (BIT(PLATFORM_FLAPPER) | BIT(PLATFORM_CF2) | BIT(PLATFORM_BOLT))

/* Can one and the same drone be called both? */
static bool
are_kin(enum platform a, enum platform b)
{
	if (a == b)
		return true;
	return (a == PLATFORM_FLAPPER || b == PLATFORM_FLAPPER) && (FLAPPER_KIN & BIT(a)) != 0 &&
	       (FLAPPER_KIN & BIT(b)) != 0;
}

const char *
platform_sources_conflict(const struct platform_sources *s)
{
	if (s->rule != PLATFORM_UNKNOWN && s->board != 0 && (s->board & BIT(s->rule)) == 0)
		return "The platform rule contradicts the board type in the drone's OTP.";
	if (s->rule != PLATFORM_UNKNOWN && s->crtp != PLATFORM_UNKNOWN &&
	    !are_kin(s->rule, s->crtp))
		return "The platform rule contradicts what the drone's firmware calls itself.";
	if (s->crtp != PLATFORM_UNKNOWN && s->board != 0 && (s->board & BIT(s->crtp)) == 0)
		return "The drone's firmware calls itself another platform than its OTP says.";
	return NULL;
}

/* A board without the operator's word for a Flapper: each has exactly one other platform. */
static enum platform
platform_of_boards(unsigned boards)
{
	unsigned plain = boards & ~BIT(PLATFORM_FLAPPER);

	for (unsigned p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT; p++)
		if (plain == BIT(p))
			return (enum platform)p;
	return PLATFORM_UNKNOWN;
}

enum platform
platform_sources_decide(const struct platform_sources *s)
{
	if (s->rule != PLATFORM_UNKNOWN)
		return s->rule;
	if (s->crtp == PLATFORM_FLAPPER)
		return PLATFORM_UNKNOWN;
	return s->crtp != PLATFORM_UNKNOWN ? s->crtp : platform_of_boards(s->board);
}

unsigned
platform_sources_possible(const struct platform_sources *s)
{
	unsigned said = s->board;

	if (s->rule != PLATFORM_UNKNOWN)
		said |= BIT(s->rule);
	if (s->crtp != PLATFORM_UNKNOWN)
		said |= s->crtp == PLATFORM_FLAPPER ? FLAPPER_KIN : BIT(s->crtp);
	return said != 0 ? said : ~0U;
}
