/* SPDX-License-Identifier: MIT */
/*
 * Racks as an operator plugs them in: with the kernel that enumerates them and the translators
 * between, all at one instant, under the settings that the product has by default.  Each is held
 * against its bound (sim/bound.h), which knows nothing of the product.
 */
#include "config.h"

#include "flow/figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/settings.h"
#include "cfdfu/util.h"
#include "core/outcome.h"

#define GROWTH 1.02 /* of a rack's makespan, for looking at drones as a whole */

enum kernel { KERNEL_NONE, KERNEL_STOCK, KERNEL_FAST };
enum wire { WIRE_NONE, WIRE_LIMITED, WIRE_SERIAL, WIRE_THRASHING };

struct placement {
	const char *name;
	unsigned hubs, per_hub, controllers;
	bool root;
	enum kernel kernel;
	enum wire wire;
	double bar, bar_small; /* against the bound, of each image; 0 told */
	double bar_twice;      /* against two enumerations of all and a life; 0 told */
	double bar_eta;	       /* worst error of the ETA of a drone and of the rack; 0 told */
	double before_s, before_small_s; /* the last verdict, before drones were looked at whole */
};

/*
 * WHY some have no bar against the bound: aims of 1.20 (49 on one controller, large image) and 1.10
 * (on two) are below what any order of enumerations leaves, and 1.05 (7 on a hub) is 0.2 s above
 * it, less than the hub's worker spends on empty ports; 1.25 of a serial translator is below what
 * its ends leave (doc/rack.md 4, 6).  WHY an ETA of 16 on a translator may be worse than 0.15:
 * doc/rack.md 12.  Of 7-hub-fast a hundredth more than before each drone was linked 30 ms
 * after it appeared, and its boot text read: 94 ms of a life, and a pass of the hub's worker.
 */
static const struct placement placements[] = {
	{ "1", 1, 1, 1, true, KERNEL_STOCK, WIRE_NONE, 1.05, 1.05, 1.03, 0.15, 16.318, 13.422 },
	{ "8-bus", 1, 8, 1, true, KERNEL_STOCK, WIRE_NONE, 0, 0, 1.05, 0.15, 21.892, 18.996 },
	{ "8-bus-fast", 1, 8, 1, true, KERNEL_FAST, WIRE_NONE, 0, 0, 1.05, 0.15, 19.765, 16.869 },
	{ "15-bus", 1, 15, 1, true, KERNEL_STOCK, WIRE_NONE, 0, 0, 1.05, 0.15, 27.912, 25.016 },
	{ "15-bus-fast", 1, 15, 1, true, KERNEL_FAST, WIRE_NONE, 0, 0, 1.05, 0.15, 24.385, 21.489 },
	{ "7-hub", 1, 7, 1, false, KERNEL_STOCK, WIRE_LIMITED, 0, 0, 1.07, 0.15, 19.604, 16.570 },
	{ "7-hub-fast", 1, 7, 1, false, KERNEL_FAST, WIRE_LIMITED, 1.06, 1.06, 1.06, 0.15, 17.652,
	  14.632 },
	{ "16-tt", 1, 16, 1, false, KERNEL_STOCK, WIRE_LIMITED, 1.25, 1.25, 1.09, 0.20, 25.293,
	  21.484 },
	{ "16-tt-serial", 1, 16, 1, false, KERNEL_STOCK, WIRE_SERIAL, 1.40, 1.40, 0, 0, 30.911,
	  26.682 },
	{ "16-tt-thrashing", 1, 16, 1, false, KERNEL_STOCK, WIRE_THRASHING, 0, 0, 0, 0, 31.667,
	  27.820 },
	{ "16-4x4", 4, 4, 1, false, KERNEL_STOCK, WIRE_LIMITED, 1.10, 1.105, 1.05, 0.15, 20.040,
	  17.035 },
	{ "49-7x7", 7, 7, 1, false, KERNEL_STOCK, WIRE_LIMITED, 0, 1.20, 1.05, 0.15, 30.156,
	  27.112 },
	{ "49-7x7-fast", 7, 7, 1, false, KERNEL_FAST, WIRE_LIMITED, 1.20, 1.20, 1.10, 0.15, 21.059,
	  18.040 },
	{ "49-7x7-2", 7, 7, 2, false, KERNEL_STOCK, WIRE_LIMITED, 0, 0, 1.05, 0.15, 23.734,
	  20.719 },
	{ "120-12x10-4", 12, 10, 4, false, KERNEL_STOCK, WIRE_LIMITED, 1.25, 1.25, 1.05, 0.15,
	  24.525, 21.480 },
	{ "120-8x15", 8, 15, 8, true, KERNEL_NONE, WIRE_NONE, 0, 0, 0, 0.15, 15.223, 12.327 },
};

static void
make_place(const struct placement *p, struct rack_place *ret)
{
	*ret =
	    (struct rack_place){ .hubs = p->hubs, .controllers = p->controllers, .root = p->root };
	if (p->kernel != KERNEL_NONE)
		world_kernel_init(&ret->kernel, p->kernel == KERNEL_FAST);
	if (p->wire == WIRE_NONE)
		return;
	world_translators_init(&ret->translators, p->wire == WIRE_LIMITED  ? WORLD_WIRE_LIMITED
						  : p->wire == WIRE_SERIAL ? WORLD_SERIAL
									   : WORLD_THRASHING);
}

/* An empty configuration. */
static struct sched_limits
default_limits(void)
{
	static const char *const none[] = { NULL };
	char error[SETTINGS_ERROR_MAX];
	struct sched_limits limits;
	struct settings *s;

	if (settings_load(NULL, none, &s, error) < 0)
		abort();
	limits = settings_fleet_options(s).limits;
	settings_free(s);
	return limits;
}

static double
ratio(uint64_t a, uint64_t b)
{
	return b > 0 ? (double)a / (double)b : 0;
}

/* Of one image. */
struct conditions {
	uint32_t image_bytes;
	const char *words; /* of the image, behind the rack's name */
	struct sched_limits limits;
	uint64_t alone_us; /* one drone without costs */
};

static void
figures_of_eta(struct table *t, const struct placement *p, const char *words,
	       const struct rack_seen *seen)
{
	enum relation relation = p->bar_eta > 0 ? AT_MOST : TOLD;
	char text[96];

	(void)snprintf(text, sizeof(text), "rack %s%s: ETA of a drone, worst error", p->name,
		       words);
	figure(t, text, seen->eta_drone, relation, p->bar_eta);
	(void)snprintf(text, sizeof(text), "rack %s%s: ETA of the rack, worst error", p->name,
		       words);
	figure(t, text, seen->eta_rack, relation, p->bar_eta);
	(void)snprintf(text, sizeof(text), "rack %s%s: times a drone's percent fell", p->name,
		       words);
	figure(t, text, seen->percent_falls, EXACTLY, 0);
}

static void
place_figure(struct table *t, const struct placement *p, const struct conditions *c)
{
	bool small = c->image_bytes == RACK_SMALL_IMAGE_BYTES;
	double before_s = small ? p->before_small_s : p->before_s;
	double bar = small ? p->bar_small : p->bar;
	struct rack_place place;
	struct rack_plan plan = { .count = p->hubs * p->per_hub,
				  .per_hub = p->per_hub,
				  .image_bytes = c->image_bytes,
				  .place = &place,
				  .limits = &c->limits };
	struct rack_seen seen;
	struct bound b;
	char text[96];

	make_place(p, &place);
	rack_bound(&plan, &b);
	figure_run(t, p->name, &plan, &seen);
	(void)snprintf(text, sizeof(text), "rack %s%s: plugged in -> last verdict, s", p->name,
		       c->words);
	figure(t, text, (double)seen.all_us / 1e6, AT_MOST, GROWTH * before_s);
	(void)snprintf(text, sizeof(text), "rack %s%s: against its bound", p->name, c->words);
	figure(t, text, ratio(seen.all_us, b.all_us), bar > 0 ? AT_MOST : TOLD, bar);
	figures_of_eta(t, p, c->words, &seen);
	if (p->kernel == KERNEL_NONE) {
		(void)snprintf(text, sizeof(text), "rack %s%s: against one alone", p->name,
			       c->words);
		figure(t, text, ratio(seen.all_us, c->alone_us), AT_MOST, 1.02);
		return;
	}
	(void)snprintf(text, sizeof(text), "rack %s%s: against two enumerations of all, a life",
		       p->name, c->words);
	figure(t, text, ratio(seen.all_us, b.twice_us), p->bar_twice > 0 ? AT_MOST : TOLD,
	       p->bar_twice);
}

void
place_figures(struct table *t)
{
	struct conditions images[] = {
		{ .image_bytes = RACK_IMAGE_BYTES, .words = "" },
		{ .image_bytes = RACK_SMALL_IMAGE_BYTES, .words = ", small image" },
	};

	for (size_t k = 0; k < ARRAY_LEN(images); k++) {
		struct conditions *c = &images[k];
		const struct rack_plan alone = { .count = 1, .image_bytes = c->image_bytes };
		struct rack_seen seen;

		figure_run(t, "one alone", &alone, &seen);
		c->alone_us = seen.all_us;
		c->limits = default_limits();
		for (size_t i = 0; i < ARRAY_LEN(placements); i++)
			place_figure(t, &placements[i], c);
	}
}

/* ---- one alone --------------------------------------------------------------------------- */

struct alone {
	struct rack_place place;
	struct rack_plan plan;
	struct sched_limits limits;
};

/* False: it is none. */
static bool
set(struct alone *a, const char *text)
{
	const struct {
		const char *key;
		uint32_t *at;
	} numbers[] = {
		{ "writers", &a->limits.writers_max },
		{ "stagger", &a->limits.stagger_us },
		{ "switch", &a->limits.switch_max },
		{ "active", &a->limits.active_max },
		{ "endpoints", &a->limits.endpoints_max },
		{ "bytes", &a->plan.image_bytes },
		{ "root", &a->place.kernel.root_us },
		{ "hub", &a->place.kernel.hub_us },
		{ "disconnect", &a->place.kernel.disconnect_us },
		{ "lock", &a->place.kernel.address_us },
		{ "block", &a->place.translators.block_us },
		{ "exclusive", &a->place.translators.exclusive_us },
		{ "crowd", &a->place.translators.crowd },
	};
	size_t length = strcspn(text, "=");

	if (text[length] == '\0')
		return false;
	if (strncmp(text, "told=", 5) == 0) {
		a->place.kernel.told_each = strcmp(text + 5, "each") == 0;
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		if (strlen(numbers[i].key) != length || strncmp(text, numbers[i].key, length) != 0)
			continue;
		*numbers[i].at = (uint32_t)strtoul(text + length + 1, NULL, 0);
		return true;
	}
	return false;
}

static void
tell(const char *what, uint64_t us, uint64_t all_us)
{
	printf("  %-44s %9.3f s  %6.3f\n", what, (double)us / 1e6, ratio(all_us, us));
}

static void
tell_all(const struct alone *a, const struct rack_seen *seen, const struct bound *b)
{
	printf("plugged in -> last verdict %.3f s, against the bound %.3f\n",
	       (double)seen->all_us / 1e6, ratio(seen->all_us, b->all_us));
	tell("bound: one life", b->life_us, seen->all_us);
	tell("bound: last one enumerated, then its life", b->last_us, seen->all_us);
	tell("bound: translator", b->translator_us, seen->all_us);
	tell("bound: hub's worker", b->hub_us, seen->all_us);
	tell("bound: controller's lock", b->controller_us, seen->all_us);
	tell("all enumerated twice, then DFU mode and a boot", b->twice_us, seen->all_us);
	printf("  DFU mode, the slowest %.3f s, its bound %.3f s; a translator's blocks %.3f s\n",
	       (double)seen->dfu_us / 1e6, (double)b->dfu_us / 1e6,
	       (double)seen->translator_us / 1e6);
	printf("  ETA, worst error: of a drone %.3f, of the rack %.3f\n", seen->eta_drone,
	       seen->eta_rack);
	printf("  %-14s %9s %9s\n", "stage", "mean s", "worst s");
	for (enum step step = STEP_ASKING; step < STEP_COUNT; step++)
		if (seen->stage_max_us[step] > 0)
			printf("  %-14s %9.3f %9.3f\n", step_name(step),
			       (double)seen->stage_sum_us[step] / a->plan.count / 1e6,
			       (double)seen->stage_max_us[step] / 1e6);
}

bool
place_alone(struct table *t, const char *name, char *const *settings)
{
	const struct placement *p = placements;
	struct alone a = { .limits = default_limits() };
	struct rack_seen seen;
	struct bound b;

	while (p < placements + ARRAY_LEN(placements) && strcmp(p->name, name) != 0)
		p++;
	if (p == placements + ARRAY_LEN(placements))
		return false;
	make_place(p, &a.place);
	a.plan = (struct rack_plan){ .count = p->hubs * p->per_hub,
				     .per_hub = p->per_hub,
				     .place = &a.place,
				     .limits = &a.limits };
	for (; *settings != NULL; settings++)
		if (!set(&a, *settings))
			return false;
	rack_bound(&a.plan, &b);
	figure_run(t, name, &a.plan, &seen);
	tell_all(&a, &seen, &b);
	return true;
}

void
place_names(void)
{
	for (size_t i = 0; i < ARRAY_LEN(placements); i++)
		(void)fprintf(stderr, " %s", placements[i].name);
	(void)fprintf(stderr, "\n");
}
