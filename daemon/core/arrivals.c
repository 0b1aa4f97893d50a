/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/arrivals.h"

#include <string.h>

#include "cfdfu/util.h"

enum {
	MOST_US = 1000000, /* further apart, the one did not wait for the other */
	MEAN_PART = 8,	   /* so much of the mean is what came last */
	/* WHY: between two queues none comes for a while, which says nothing of the next queue. */
	GROWS_PART = 32,
	GROWS_US = 10000,
};

static unsigned
find(struct arrivals *a, const char *controller)
{
	unsigned at = 0;

	for (unsigned i = 0; i < ARRAY_LEN(a->of); i++) {
		if (a->of[i].came_us > 0 && strcmp(a->of[i].controller, controller) == 0)
			return i;
		if (a->of[i].came_us < a->of[at].came_us)
			at = i;
	}
	memset(&a->of[at], 0, sizeof(a->of[at]));
	copy_text(a->of[at].controller, sizeof(a->of[at].controller), controller);
	return at;
}

unsigned
arrivals_came(struct arrivals *a, const char *controller, uint64_t now_us)
{
	unsigned at = find(a, controller);
	uint64_t apart = now_us - a->of[at].came_us, mean = a->of[at].apart_us;
	uint64_t most = mean + mean / GROWS_PART + GROWS_US;

	if (a->of[at].came_us > 0 && apart <= MOST_US) {
		a->of[at].apart_us =
		    mean == 0 ? apart : (mean * (MEAN_PART - 1) + apart) / MEAN_PART;
		if (mean > 0 && a->of[at].apart_us > most)
			a->of[at].apart_us = most;
	}
	a->of[at].came_us = now_us;
	return at;
}
