/* SPDX-License-Identifier: MIT */
/*
 * figures: how fast, on the simulator's clock; every figure beside its bar.  Deterministic: the
 * same tree gives the same figures on every machine.  Exit status 1 when a bar is missed.
 *
 *   figures [--json]
 *   figures --rack NAME [KEY=VALUE]...   one placement of figures_place.c alone, in detail
 */
#include "config.h"

#include "flow/figures.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfdfu/util.h"

/* Measured before drones were looked at as a whole: what that may cost is held against it. */
#define ONE_BEFORE_S 15.028
#define MANY_BEFORE_S 29.593 /* 120 on 12 hubs, mean of DRAWS */

enum { DRAWS = 10 };

struct table {
	json_t *list; /* NULL: printed as text */
	unsigned missed;
};

static bool
holds(enum relation relation, double value, double bar)
{
	switch (relation) {
	case AT_MOST:
		return value <= bar;
	case AT_LEAST:
		return value >= bar;
	case EXACTLY:
		return value >= bar && value <= bar;
	case TOLD:
		break;
	}
	return true;
}

void
figure(struct table *t, const char *name, double value, enum relation relation, double bar)
{
	static const char *const signs[] = { "<=", ">=", "=", "" };
	bool ok = holds(relation, value, bar);

	t->missed += !ok;
	if (t->list != NULL) {
		json_t *one = json_pack("{s:s, s:f, s:s, s:o, s:b}", "name", name, "value", value,
					"relation", signs[relation], "bar",
					relation == TOLD ? json_null() : json_real(bar), "ok", ok);

		if (one == NULL || json_array_append_new(t->list, one) < 0)
			abort();
		return;
	}
	if (relation == TOLD)
		printf("%-70s %9.3f\n", name, value);
	else
		printf("%-70s %9.3f  %2s %8.3f  %s\n", name, value, signs[relation], bar,
		       ok ? "" : "MISSED");
}

static double
ratio(uint64_t a, uint64_t b)
{
	return b > 0 ? (double)a / (double)b : 0;
}

static double
seconds(uint64_t us)
{
	return (double)us / 1e6;
}

void
figure_run(struct table *t, const char *name, const struct rack_plan *plan, struct rack_seen *seen)
{
	bool same = plan->before == RACK_SAME;
	unsigned well;

	rack_run(plan, seen);
	well = same ? seen->unchanged : seen->pass;
	if (seen->broken == NULL && well == plan->count)
		return;
	(void)fprintf(stderr, "%s: %s; %u of %u ended well\n", name,
		      seen->broken != NULL ? seen->broken : "not all ended as they should", well,
		      plan->count);
	t->missed++;
}

static void
told_of_eta(struct table *t, const char *name, const struct rack_seen *seen)
{
	char text[96];

	(void)snprintf(text, sizeof(text), "%s: ETA of a drone, worst error", name);
	figure(t, text, seen->eta_drone, AT_MOST, 0.15);
	(void)snprintf(text, sizeof(text), "%s: ETA of the rack, worst error", name);
	figure(t, text, seen->eta_rack, AT_MOST, 0.15);
	(void)snprintf(text, sizeof(text), "%s: times a drone's percent fell", name);
	figure(t, text, seen->percent_falls, EXACTLY, 0);
}

/* ---- one drone --------------------------------------------------------------------------- */

/* Sectors 1 to 5 alone. */
static void
small_image(struct table *t)
{
	const struct rack_plan plan = { .count = 1, .image_bytes = RACK_SMALL_IMAGE_BYTES };
	struct rack_seen seen;
	struct bound b;

	figure_run(t, "small image", &plan, &seen);
	rack_bound(&plan, &b);
	figure(t, "one drone, small image: in DFU mode, against its bound",
	       ratio(seen.dfu_us, b.dfu_us), AT_MOST, 1.03);
	figure(t, "one drone, small image: plugged in -> verdict, against its bound",
	       ratio(seen.all_us, b.all_us), AT_MOST, 1.05);
}

static void
one_drone(struct table *t, struct rack_seen *one)
{
	const struct rack_plan plan = { .count = 1 };
	struct bound b;

	figure_run(t, "one drone", &plan, one);
	rack_bound(&plan, &b);
	figure(t, "one drone: seen in DFU mode -> verified and left, s", seconds(one->dfu_us), TOLD,
	       0);
	figure(t, "one drone: in DFU mode, against its bound", ratio(one->dfu_us, b.dfu_us),
	       AT_MOST, 1.03);
	figure(t, "one drone: plugged in -> verdict, s", seconds(one->all_us), AT_MOST,
	       ONE_BEFORE_S + 0.15);
	figure(t, "one drone: plugged in -> verdict, against its bound",
	       ratio(one->all_us, b.all_us), AT_MOST, 1.05);
	/* Three for each block and three for each round's address (doc/rack.md 8). */
	figure(t, "one drone: control transfers per block, erase and verify apart",
	       ratio(one->writing_requests, one->blocks), AT_MOST, 3.15);
	figure(t, "one drone: control transfers in all", (double)one->requests, TOLD, 0);
	figure(t, "one drone: events of the loop per transfer", ratio(one->events, one->requests),
	       AT_MOST, 2.0);
	figure(t, "one drone: commits to the disk", (double)one->commits, AT_MOST, 3);
	told_of_eta(t, "one drone", one);
	small_image(t);
}

static void
only_what_is_needed(struct table *t)
{
	struct rack_seen seen;

	figure_run(t, "unchanged", &(struct rack_plan){ .count = 16, .before = RACK_SAME }, &seen);
	figure(t, "16 unchanged by read-back: erases", (double)seen.erases, EXACTLY, 0);
	figure(t, "16 unchanged by read-back: blocks written", (double)seen.blocks, EXACTLY, 0);
	figure(t, "16 unchanged by read-back: in DFU mode, s", seconds(seen.dfu_us), TOLD, 0);
	figure_run(t, "by version",
		   &(struct rack_plan){ .count = 16, .before = RACK_SAME, .by_version = true },
		   &seen);
	/* The drone's own boot after plugging it in is one second of this. */
	figure(t, "16 unchanged by version: seen -> UNCHANGED, s", seconds(seen.all_us) - 1.0,
	       AT_MOST, 1.0);
	figure(t, "16 unchanged by version: mode switches", (double)seen.reboots, EXACTLY, 0);
	figure_run(t, "edited", &(struct rack_plan){ .count = 1, .before = RACK_EDITED }, &seen);
	figure(t, "one changed byte in sector 5: sectors erased", (double)seen.erases, EXACTLY, 2);
	figure(t, "one changed byte in sector 5: in DFU mode, s", seconds(seen.dfu_us), TOLD, 0);
	told_of_eta(t, "one changed byte", &seen);
	figure_run(t, "cut off", &(struct rack_plan){ .count = 1, .before = RACK_CUT_OFF }, &seen);
	figure(t, "resumed after half the blocks: in DFU mode, s", seconds(seen.dfu_us), TOLD, 0);
	told_of_eta(t, "resumed", &seen);
}

/* ---- kinds of devices, settings ---------------------------------------------------------- */

static void
kinds(struct table *t, const struct rack_seen *one)
{
	static const struct {
		const char *name;
		struct rack_plan plan;
		double bar;
	} kinds[] = {
		{ "answers dfuDNBUSY again and again",
		  { .count = 1, .kind = DRONE_KIND_DNBUSY },
		  1.15 },
		{ "stalls when asked early", { .count = 1, .kind = DRONE_KIND_STALL_EARLY }, 4.0 },
		{ "pacing = obey", { .count = 1, .obey = true }, 4.0 },
		{ "pacing = obey, stalls when asked early",
		  { .count = 1, .obey = true, .kind = DRONE_KIND_STALL_EARLY },
		  4.0 },
	};
	struct rack_seen seen;
	char text[96];

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		figure_run(t, kinds[i].name, &kinds[i].plan, &seen);
		(void)snprintf(text, sizeof(text), "%s: in DFU mode, against the floor",
			       kinds[i].name);
		figure(t, text, ratio(seen.dfu_us, rack_floor_us(false, true, RACK_IMAGE_BYTES)),
		       AT_MOST, kinds[i].bar);
		told_of_eta(t, kinds[i].name, &seen);
	}
	figure_run(t, "stalls", &(struct rack_plan){ .count = 1, .kind = DRONE_KIND_STALL_EARLY },
		   &seen);
	figure(t, "stalls when asked early, the first time: stalls", (double)seen.stalls, TOLD, 0);
	figure_run(t, "stalls, known",
		   &(struct rack_plan){ .count = 1, .kind = DRONE_KIND_STALL_EARLY, .known = true },
		   &seen);
	figure(t, "stalls when asked early, the second time: stalls", (double)seen.stalls, AT_MOST,
	       1);
	figure_run(t, "word", &(struct rack_plan){ .count = 1, .word = true }, &seen);
	figure(t, "byte against word parallelism", ratio(one->dfu_us, seen.dfu_us), AT_LEAST, 1.8);
	figure(t, "word parallelism: against its own floor",
	       ratio(seen.dfu_us, rack_floor_us(true, true, RACK_IMAGE_BYTES)), AT_MOST, 1.15);
	told_of_eta(t, "word parallelism", &seen);
}

/* ---- racks ------------------------------------------------------------------------------- */

static void
racks(struct table *t, const struct rack_seen *one)
{
	struct rack_seen seen;

	figure_run(t, "16", &(struct rack_plan){ .count = 16, .switch_max = 16 }, &seen);
	figure(t, "16 drones: last one done against one alone", ratio(seen.all_us, one->all_us),
	       AT_MOST, 1.15);
	figure_run(
	    t, "16 drawn",
	    &(struct rack_plan){ .count = 16, .switch_max = 16, .drawn = true, .known = true },
	    &seen);
	told_of_eta(t, "16 drones, booting times drawn", &seen);
	figure_run(
	    t, "16 on a hub",
	    &(struct rack_plan){ .count = 16, .per_hub = 16, .writers_max = 8, .switch_max = 16 },
	    &seen);
	figure(t, "16 behind one translator, 8 write: most at one instant", seen.writing, EXACTLY,
	       8);
	told_of_eta(t, "16 behind one translator", &seen);
	figure_run(t, "16, 4 admitted", &(struct rack_plan){ .count = 16, .active_max = 4 }, &seen);
	figure(t, "16 drones, 4 admitted: against four rounds", ratio(seen.all_us, 4 * one->all_us),
	       AT_MOST, 1.0);
	told_of_eta(t, "16 drones, 4 admitted", &seen);
	figure_run(
	    t, "120",
	    &(struct rack_plan){ .count = 120, .per_hub = 10, .writers_max = 8, .switch_max = 16 },
	    &seen);
	figure(t, "120 drones on 12 hubs: plugged in -> last verdict, s", seconds(seen.all_us),
	       TOLD, 0);
	figure(t, "120 drones: most behind one translator at one instant", seen.writing, AT_MOST,
	       8);
	figure(t, "120 drones: most between two modes at one instant", seen.switching, AT_MOST, 16);
	figure(t, "120 drones: commits per attempt", ratio(seen.commits, 120), AT_MOST, 1.2);
	told_of_eta(t, "120 drones", &seen);
	figure_run(t, "endpoints",
		   &(struct rack_plan){ .count = 20, .endpoints_max = 48, .by_button = true },
		   &seen);
	figure(t, "20 drones in waves: most endpoint contexts of the controller", seen.endpoints,
	       AT_MOST, 48);
}

/* ---- the whole drone --------------------------------------------------------------------- */

/* No check-up delays a verdict of another drone; each is over when the drones' self-tests are. */
static void
whole(struct table *t)
{
	struct rack_plan plan = { .count = 16, .active_max = 4, .switch_max = 16, .whole = true };
	struct rack_seen quick, slow;

	figure_run(t, "whole", &plan, &quick);
	figure(t, "16 drones, 4 admitted: ready", quick.ready, EXACTLY, 16);
	figure(t, "16 drones: ready after verdict and self-test, the slowest, s",
	       seconds(quick.ready_us), AT_MOST, 1.5);
	figure(t, "16 bare drones: power cycles", (double)quick.vcc_cycles, EXACTLY, 0);
	plan.selftest_ms = 8000;
	figure_run(t, "whole, slow", &plan, &slow);
	figure(t, "16 drones, self-tests of 8 s: ready", slow.ready, EXACTLY, 16);
	figure(t, "16 drones, self-tests of 8 s: ready after them, the slowest, s",
	       seconds(slow.ready_us), AT_MOST, 1.5);
	figure(t, "16 drones, self-tests of 8 s: last verdict against quick ones",
	       ratio(slow.all_us, quick.all_us), AT_MOST, 1.002);
	figure(t, "16 bare drones, self-tests of 8 s: power cycles", (double)slow.vcc_cycles,
	       EXACTLY, 0);
}

/*
 * WHY a mean: who asks first is first to be switched, and the makespan of one draw depends on that
 * by 4 %.
 */
static void
many_drawn(struct table *t)
{
	struct rack_plan plan = { .count = 120, .per_hub = 10, .writers_max = 8, .switch_max = 16 };
	struct rack_seen seen;
	double sum = 0;

	for (plan.draw = 0; plan.draw < DRAWS; plan.draw++) {
		figure_run(t, "120 drawn", &plan, &seen);
		sum += seconds(seen.all_us);
	}
	figure(t, "120 drones on 12 hubs: plugged in -> last verdict, mean, s", sum / DRAWS,
	       AT_MOST, 1.02 * MANY_BEFORE_S);
}

static int
usage(void)
{
	(void)fprintf(stderr, "usage: figures [--json | --rack NAME [KEY=VALUE]...]\nracks:");
	place_names();
	return 2;
}

static void
all(struct table *t)
{
	struct rack_seen one;

	one_drone(t, &one);
	only_what_is_needed(t);
	kinds(t, &one);
	racks(t, &one);
	whole(t);
	many_drawn(t);
	place_figures(t);
	writers_figures(t);
}

int
main(int argc, char **argv)
{
	struct table t = { 0 };
	bool json = argc == 2 && strcmp(argv[1], "--json") == 0;
	json_t *document = NULL;

	if (argc > 2 && strcmp(argv[1], "--rack") == 0) {
		if (!place_alone(&t, argv[2], argv + 3))
			return usage();
		return t.missed > 0 ? 1 : 0;
	}
	if (argc > 1 && !json)
		return usage();
	if (json) {
		t.list = json_array();
		document = json_pack("{s:o}", "figures", t.list);
		if (document == NULL)
			abort();
	}
	all(&t);
	if (json)
		(void)json_dumpf(document, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
	json_decref(document);
	printf(json ? "\n" : "# %u missed\n", t.missed);
	return t.missed > 0 ? 1 : 0;
}
