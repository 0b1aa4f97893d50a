/* SPDX-License-Identifier: MIT */
/*
 * Drones behind one translator: does what is learned of it (core/translator) ever cost anything,
 * and does it pay where more blocks at once get less through?
 */
#include "config.h"

#include "flow/figures.h"

#include <stdio.h>

#include "cfdfu/util.h"

/* WHY these: they fit into one round of eight writers, just do not, and fill two and three. */
static const unsigned counts[] = { 4, 7, 10, 16, 24 };

#define CROWDED 16 /* so many make the translator of the simulator thrash */

/* Plugged in together -> last verdict; wire WORLD_THRASHING + 1: no translator. */
static uint64_t
time_of(struct table *t, unsigned count, unsigned wire, bool learned)
{
	struct rack_place place = { .hubs = 1, .controllers = 1, .root = wire > WORLD_THRASHING };
	const struct sched_limits limits = { .blocks_learned = learned };
	const struct rack_plan plan = { .count = count,
					.per_hub = count,
					.image_bytes = RACK_SMALL_IMAGE_BYTES,
					.place = &place,
					.limits = &limits };
	struct rack_seen seen;

	world_kernel_init(&place.kernel, false);
	if (!place.root)
		world_translators_init(&place.translators, (enum world_translating)wire);
	figure_run(t, "behind one translator", &plan, &seen);
	return seen.all_us;
}

static double
learned_part(struct table *t, unsigned count, unsigned wire)
{
	uint64_t unlimited_us = time_of(t, count, wire, false);

	return unlimited_us > 0 ? (double)time_of(t, count, wire, true) / (double)unlimited_us : 0;
}

void
writers_figures(struct table *t)
{
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		double worst = 0;
		char text[96];

		for (unsigned wire = 0; wire <= WORLD_THRASHING + 1; wire++) {
			double part = learned_part(t, counts[i], wire);

			worst = part > worst ? part : worst;
			if (wire != WORLD_THRASHING || counts[i] < CROWDED)
				continue;
			(void)snprintf(text, sizeof(text),
				       "%u behind a thrashing translator: learned against no limit",
				       counts[i]);
			figure(t, text, part, AT_MOST, 0.95);
		}
		(void)snprintf(text, sizeof(text),
			       "%u behind any translator: learned against no limit, the worst",
			       counts[i]);
		figure(t, text, worst, AT_MOST, 1.01);
	}
}
