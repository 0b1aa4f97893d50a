/* SPDX-License-Identifier: MIT */
/* Scenes of hubs that are cabled anew: more ports than a station has slots. */
#include "config.h"

#include "flow/scenes.h"

#include <stdio.h>

#include "sim/rng.h"

enum { CABLED = 360, RECORDED = 450, AT_ONCE = 12, PORT_TEXT = PORT_TEXT_MAX };

static const char *
name_port(char out[PORT_TEXT], unsigned n)
{
	(void)snprintf(out, PORT_TEXT, "%u-%u.%u", 1 + n / 500, 1 + n % 500 / 10, 1 + n % 10);
	return out;
}

/* Something that strikes at some of the moves. */
static void
draw_fault(struct scene *x, struct rng *rng, const char *port)
{
	static const char *const faults[] = {
		"stall at=20 in=dfu on=getstatus",
		"disconnect at=40 in=dfu on=any back=500",
		"garbage at=30 in=dfu on=upload",
		"no-answer at=25 in=dfu on=any count=1",
	};

	if (rng_next(rng) % 4 == 0)
		arm(x, port, faults[rng_next(rng) % ARRAY_LEN(faults)]);
}

/*
 * Twelve drones are carried from port to port, some while they are at work: with the ports that the
 * records know that is more than there are slots.
 */
SCENE(drones_are_flashed_while_hubs_are_cabled_anew_and_anew)
{
	struct scene *x = *state;
	char from[PORT_TEXT], to[PORT_TEXT];
	unsigned at[AT_ONCE], good = 0;
	struct image *images[2];
	struct rng rng;

	rng_init(&rng, 5);
	begin(x);
	for (unsigned i = 0; i < RECORDED; i++)
		assert_int_equal(fleet_recall_port(station_fleet(x->s), name_port(from, 2500 + i),
						   0, PORT_QUARANTINE_NONE),
				 0);
	images[0] = x->old;
	images[1] = x->now;
	for (unsigned i = 0; i < AT_ONCE; i++) {
		at[i] = i;
		add(x, name_port(from, i));
		plug(x, from);
	}
	for (unsigned n = AT_ONCE; n < CABLED; n++) {
		unsigned i = n % AT_ONCE;

		if (i == 0)
			station_use(x->s, PLATFORM_CF2, images[n / AT_ONCE % 2]);
		wait_us(x, 400 * MS);
		assert_int_equal(station_move(x->s, name_port(from, at[i]), name_port(to, n)), 0);
		at[i] = n;
		plug(x, to);
		draw_fault(x, &rng, to);
		assert_null(station_broken(x->s));
		assert_true(fleet_slots(station_fleet(x->s)) <= FLEET_SLOTS_MAX);
	}
	settle(x);
	assert_int_equal(fleet_slots(station_fleet(x->s)), FLEET_SLOTS_MAX);
	for (unsigned i = 0; i < AT_ONCE; i++) {
		const struct station_row *row = station_last(x->s, name_port(to, at[i]));

		good += row != NULL && (row->verdict.kind == VERDICT_PASS ||
					row->verdict.kind == VERDICT_UNCHANGED);
	}
	assert_true(good >= AT_ONCE / 2);
	assert_true(fleet_given_back(station_fleet(x->s)) > 100);
}
