/* SPDX-License-Identifier: MIT */
/*
 * Every fault at every request of one drone's update, and every pair of them close together.
 *
 *   sweep.c        which, where, how often; the report
 *   sweep_trial.c  one trial: a station, a drone, one or two faults, its ending, its recovery
 *   sweep_rules.c  what has to come of each: the table
 */
#ifndef FLOW_SWEEP_H
#define FLOW_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfdfu/outcome.h"
#include "cfdfu/util.h"
#include "sim/fate.h"

struct image;

#define SWEEP_REQUESTS_MAX 512
#define SWEEP_FATES_MAX 2
#define SWEEP_LIGHT STEP_NONE /* requests after the verdict: the light on the drone */

/* How the drone comes to the station. */
enum sweep_start {
	SWEEP_RUNTIME, /* plugged in with old firmware */
	SWEEP_ADOPTED, /* with the button held */
	SWEEP_RESUMED, /* the daemon was killed in the middle of its update */
	SWEEP_START_COUNT
};

/* How its attempt may end. */
enum sweep_end {
	END_NOTHING, /* no attempt: left alone */
	END_PASS,    /* PASS or UNCHANGED, and the drone holds the image */
	END_CYCLE,   /* NEEDS-POWER-CYCLE */
	END_BUTTON,  /* NEEDS-BUTTON */
	END_GONE,    /* FAIL: unplugged, or lost by the bus */
	END_SILENT,  /* FAIL: no answer */
	END_STUCK,   /* FAIL: busy for ever, or longer than an attempt may take */
	END_STALL,   /* FAIL: kept stalling */
	END_REFUSED, /* FAIL: said that it will not */
	END_ODD,     /* FAIL: said what it may not say here */
	END_VERIFY,  /* FAIL: reads back wrong */
	END_STRANGE, /* FAIL: its memory or its descriptors cannot be read */
	END_NO_DFU,  /* FAIL: asked to reboot, did not come */
	END_DARK,    /* FAIL: asked to reboot, left, did not come */
	END_NO_BOOT, /* FAIL: did not come back */
	END_OTHER,   /* FAIL: another drone came back */
	END_VERSION, /* FAIL: ... with another version */
	END_BUS,     /* FAIL: bus errors */
	END_HOST,    /* FAIL: the computer's side */
	END_SKIPPED, /* its platform could not be told: nothing was written */
	SWEEP_END_COUNT
};

struct sweep_trial {
	enum sweep_start start;
	struct fate fates[SWEEP_FATES_MAX];
	unsigned count;
	bool verbose;
};

struct sweep_outcome {
	enum sweep_end end; /* of the first attempt */
	bool struck;	    /* the faults came about */
	bool broken;
	char text[256]; /* what was broken */
	unsigned requests;
	uint8_t step[SWEEP_REQUESTS_MAX]; /* of each request until the first ending and its light */
};

/* Images are borrowed for the trial: what the drone holds at first, and what it is to hold. */
void sweep_try(const struct sweep_trial *t, struct image *old, struct image *now,
	       struct sweep_outcome *ret);

/* A rule: this fault, while the job is at one of these steps, ends in one of these ways. */
struct sweep_rule {
	const char *fate; /* its text without at=; NULL: any */
	uint32_t steps;	  /* BIT(step) */
	uint32_t ends;	  /* BIT(end) */
};

/* BIT(end) of what is right; every fault has at least one rule for every step. */
uint32_t sweep_ends(const char *fate, enum step step);
/* The fault's name when it strikes at the last try: after another fault. */
uint32_t sweep_last_straw(const char *fate);
const char *sweep_end_name(enum sweep_end end);

#endif
