/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/brake.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cfdfu/util.h"

const char *
brake_deed(enum fault fault)
{
	static const char *const deeds[FAULT_COUNT] = {
		[FAULT_NO_BOOT] = "did not start",
		[FAULT_WRONG_VERSION] = "reported another version",
		[FAULT_SILENT] = "did not answer after the start",
		[FAULT_VERIFY] = "did not read back equal",
	};

	return (unsigned)fault < FAULT_COUNT ? deeds[fault] : NULL;
}

static bool
counts(const struct update_ending *e)
{
	if (e->verdict.kind != VERDICT_FAIL || brake_deed(e->verdict.fault) == NULL)
		return false;
	/* WHY: before it was written, silence is the drone's or the cable's. */
	return e->verdict.fault != FAULT_SILENT || e->verdict.step == STEP_CONFIRMING;
}

static bool
is_of(const struct brake_run *run, const struct update_ending *e)
{
	return run->fault != FAULT_NONE && memcmp(run->sha256, e->sha256, sizeof(run->sha256)) == 0;
}

struct brake_drone
brake_drone(const struct update_ending *e)
{
	struct brake_drone d = { "" };

	copy_text(d.serial, sizeof(d.serial), e->serial);
	copy_text(d.dfu_serial, sizeof(d.dfu_serial), e->dfu_serial);
	copy_text(d.port, sizeof(d.port), e->port);
	return d;
}

bool
brake_is_same_drone(const struct brake_drone *a, const struct brake_drone *b)
{
	if (a->serial[0] != '\0' && b->serial[0] != '\0')
		return strcasecmp(a->serial, b->serial) == 0;
	if (a->dfu_serial[0] != '\0' && b->dfu_serial[0] != '\0')
		return strcasecmp(a->dfu_serial, b->dfu_serial) == 0;
	return strcmp(a->port, b->port) == 0;
}

/* The run of this image and kind; else a free one, else the one that was added to longest ago. */
static struct brake_run *
find_run(struct brake *b, const struct update_ending *e)
{
	struct brake_run *place = &b->runs[0];

	for (size_t i = 0; i < BRAKE_RUNS_MAX; i++) {
		struct brake_run *run = &b->runs[i];

		if (is_of(run, e) && run->fault == e->verdict.fault)
			return run;
		if (run->order < place->order)
			place = run;
	}
	memset(place, 0, sizeof(*place));
	memcpy(place->sha256, e->sha256, sizeof(place->sha256));
	copy_text(place->firmware, sizeof(place->firmware), e->firmware);
	place->fault = e->verdict.fault;
	return place;
}

static void
add_drone(struct brake_run *run, const struct update_ending *e)
{
	struct brake_drone d = brake_drone(e);

	for (unsigned i = 0; i < run->count; i++)
		if (brake_is_same_drone(&run->drones[i], &d))
			return;
	if (run->count < BRAKE_DRONES_MAX)
		run->drones[run->count++] = d;
}

const struct brake_run *
brake_ended(struct brake *b, unsigned limit, const struct update_ending *e)
{
	struct brake_run *run;

	if (e->verdict.kind == VERDICT_PASS || e->verdict.kind == VERDICT_UNCHANGED)
		for (size_t i = 0; i < BRAKE_RUNS_MAX; i++)
			if (is_of(&b->runs[i], e))
				memset(&b->runs[i], 0, sizeof(b->runs[i]));
	if (limit == 0 || !counts(e))
		return NULL;
	run = find_run(b, e);
	run->order = ++b->order;
	add_drone(run, e);
	return run->count >= limit ? run : NULL;
}

void
brake_forget(struct brake *b)
{
	memset(b, 0, sizeof(*b));
}

void
brake_reason(const struct brake_run *run, char out[POLICY_REASON_MAX])
{
	(void)snprintf(out, POLICY_REASON_MAX, "%u drone%s in a row %s with it", run->count,
		       run->count == 1 ? "" : "s", brake_deed(run->fault));
}
