/* SPDX-License-Identifier: MIT */
/*
 * The platform of a drone from three sources: the operator's rule, its firmware's own word over
 * CRTP, the board type in its OTP.  A Flapper is one only by the operator's rule.
 */
#ifndef CORE_PLATFORM_SOURCES_H
#define CORE_PLATFORM_SOURCES_H

#include "cfdfu/platform.h"

struct platform_sources {
	enum platform rule, crtp; /* UNKNOWN: says nothing */
	unsigned board;		  /* platforms that it may be; 0 says nothing */
};

/* NULL, or the sentence that says which source contradicts which. */
const char *platform_sources_conflict(const struct platform_sources *s);
/* Of sources that do not contradict one another; UNKNOWN: not decided. */
enum platform platform_sources_decide(const struct platform_sources *s);
/* All that it might be; every bit when no source says anything. */
unsigned platform_sources_possible(const struct platform_sources *s);

#endif
