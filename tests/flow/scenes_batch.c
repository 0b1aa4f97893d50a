/* SPDX-License-Identifier: MIT */
/* Scenes of a batch: canaries, the threshold, pauses, restarts, and what the operator reads. */
#include "config.h"

#include "flow/scenes.h"

#include <errno.h>
#include <stdio.h>

#include "sim/fate.h"

enum { RACK = 25 };

static const char *
port_of(unsigned i)
{
	static char ports[RACK][24];

	(void)snprintf(ports[i], sizeof(ports[i]), "%u-%u", 1 + i / 8, 1 + i % 8);
	return ports[i];
}

/* An image whose vectors are there, and the rest of it is not: no drone starts with it. */
static void
select_bad(struct scene *x)
{
	struct image *whole = station_image("cf2", "2026.09", 20000, 9), *bad = NULL;
	struct segment segment = *image_segment(whole, 0);
	struct image_label label = *image_label(whole);

	copy_text(label.name, sizeof(label.name), "bad");
	label.sha256[0] ^= 0xFF;
	segment.size /= 4;
	assert_int_equal(image_new(&segment, 1, &label, &bad), 0);
	station_use(x->s, PLATFORM_CF2, bad);
	image_unref(bad); /* the station's now */
	image_unref(whole);
}

static void
begin_batch(struct scene *x, unsigned canary, unsigned stop_after)
{
	const struct batch_terms terms = { .name = "spring",
					   .canary = canary,
					   .stop_after = stop_after };

	station_begin_batch(x->s, &terms);
}

/* The rack beside its ports, and the batch; the brake is not what is tried here. */
static void
begin_rack(struct scene *x, unsigned canary, unsigned stop_after)
{
	x->options.fleet.brake = 0;
	x->options.fleet.limits.active_max = 0;
	begin(x);
	for (unsigned i = 0; i < RACK; i++) {
		x->config.address = 0xE7E7E7E700 + i;
		add(x, port_of(i));
	}
	begin_batch(x, canary, stop_after);
}

static void
plug_all(struct scene *x)
{
	for (unsigned i = 0; i < RACK; i++)
		plug(x, port_of(i));
}

static const struct batch *
batch(struct scene *x)
{
	return fleet_batch(station_fleet(x->s));
}

static bool
has_stopped(struct scene *x)
{
	bool stopped = batch_stopped(batch(x))[0] != '\0';

	if (stopped)
		assert_true(fleet_paused(station_fleet(x->s)));
	return stopped;
}

static struct batch_counts
counts(struct scene *x)
{
	struct batch_counts c;

	batch_counts(batch(x), &c);
	return c;
}

static unsigned
changed(struct scene *x)
{
	unsigned n = 0;

	for (unsigned i = 0; i < RACK; i++)
		n += drone_counters(drone_at(x, port_of(i)))->erases > 0;
	return n;
}

static bool
has_begun(struct scene *x, const char *port)
{
	struct slot_view v;

	return station_view(x->s, port, &v) && v.begun;
}

/* A moment more of what has to end within half a minute. */
static void
wait_for(struct scene *x, unsigned *moments)
{
	assert_true(++*moments < 120000);
	wait_us(x, MS / 4);
}

/* The first of the rack that has its permit; what: it is not this one. */
static const char *
wait_for_canary(struct scene *x, const char *but)
{
	unsigned moments = 0;

	for (unsigned i = 0;; i = (i + 1) % RACK) {
		if (has_begun(x, port_of(i)) && (but == NULL || strcmp(but, port_of(i)) != 0))
			return port_of(i);
		if (i == 0)
			wait_for(x, &moments);
	}
}

/* By hand: drones that do not run are put into DFU mode, and then given new power. */
static void
mend(struct scene *x)
{
	struct world *w = station_world(x->s);

	for (unsigned i = 0; i < RACK; i++)
		if (drone_personality(drone_at(x, port_of(i))) != DRONE_RUNTIME)
			(void)world_button_entry(w, port_of(i));
	settle(x);
	for (unsigned i = 0; i < RACK; i++)
		if (drone_personality(drone_at(x, port_of(i))) != DRONE_RUNTIME)
			(void)world_power_cycle(w, port_of(i));
	settle(x);
}

static void
expect_all_good(struct scene *x)
{
	for (unsigned i = 0; i < RACK; i++)
		expect_good(x, port_of(i));
	assert_int_equal(counts(x).drones, RACK);
	assert_int_equal(counts(x).good, RACK);
}

static void
expect_plan(struct scene *x, const char *port, enum plan_action action, const char *why)
{
	struct fleet *f = station_fleet(x->s);
	struct fleet_plan plan;

	fleet_plan(f, (unsigned)fleet_find(f, port), fleet_policy(f), &plan);
	assert_int_equal(plan.action, action);
	assert_string_equal(plan.why, why);
}

/* ---- canaries ------------------------------------------------------------------------------- */

SCENE(the_canaries_stop_a_bad_image_after_two_drones)
{
	struct scene *x = *state;
	unsigned untouched = 0;

	begin_rack(x, 2, 0);
	select_bad(x);
	plug_all(x);
	settle(x);
	assert_true(has_stopped(x));
	assert_non_null(
	    strstr(batch_stopped(batch(x)), "Batch \"spring\" has stopped: its canary"));
	assert_int_equal(changed(x), 2);
	assert_int_equal(counts(x).failed, 2);
	for (unsigned i = 0; i < RACK; i++) {
		struct slot_view v = view(x, port_of(i));

		if (attempts(x, port_of(i)) > 0)
			continue;
		untouched++;
		assert_int_equal(v.class, SLOT_CLASS_UNSERVED);
		assert_string_equal(v.message, batch_stopped(batch(x)));
		assert_int_equal(drone_personality(drone_at(x, port_of(i))), DRONE_RUNTIME);
	}
	assert_int_equal(untouched, RACK - 2);
}

SCENE(with_another_image_and_resumed_the_batch_goes_on_by_its_canaries)
{
	struct scene *x = *state;

	begin_rack(x, 2, 0);
	select_bad(x);
	plug_all(x);
	settle(x);
	station_use(x->s, PLATFORM_CF2, x->now);
	settle(x);
	assert_int_equal(changed(x), 2);
	station_pause(x->s, false);
	settle(x);
	assert_false(has_stopped(x));
	mend(x);
	expect_all_good(x);
	assert_int_equal(counts(x).first_good, RACK - 2);
	assert_int_equal(counts(x).failed, 0);
}

SCENE(while_the_canaries_are_at_work_the_others_say_what_they_wait_for)
{
	struct scene *x = *state;
	struct fleet *f;
	const char *canaries[BATCH_CANARY_MAX], *waits = NULL;
	unsigned moments = 0;
	char words[200];

	begin_rack(x, 2, 0);
	f = station_fleet(x->s);
	for (unsigned i = 0; i < RACK; i++) {
		assert_int_equal(fleet_recall_port(f, port_of(i), 0, PORT_QUARANTINE_NONE), 0);
		fleet_configure_slot(f, (unsigned)fleet_find(f, port_of(i)), true, "A");
	}
	plug_all(x);
	while (batch_waits_for(batch(x), canaries) < 2)
		wait_for(x, &moments);
	for (unsigned i = 0; waits == NULL; i = (i + 1) % RACK) {
		wait_for(x, &moments);
		if (view(x, port_of(i)).message[0] != '\0')
			waits = port_of(i);
	}
	assert_int_equal(batch_waits_for(batch(x), canaries), 2);
	(void)snprintf(words, sizeof(words),
		       "It waits for the canaries of batch \"spring\": A (%s), A (%s).",
		       canaries[0], canaries[1]);
	assert_int_equal(view(x, waits).state, SLOT_WAITING);
	assert_int_equal(view(x, waits).class, SLOT_CLASS_ACTIVE);
	assert_string_equal(view(x, waits).message, words);
	expect_plan(x, waits, ACTION_WAIT, words);
	expect_plan(x, canaries[0], ACTION_RUNNING, "It is at work.");
	settle(x);
	expect_all_good(x);
	assert_int_equal(changed(x), RACK);
}

/* Half way through its canaries a rack of large images has the other half of its time before it. */
SCENE(the_estimate_counts_the_canaries_time_and_then_the_others)
{
	struct scene *x = *state;
	uint64_t begun, estimated;
	unsigned moments = 0;
	int eta;

	x->options.fleet.brake = 0;
	x->options.fleet.limits.active_max = 0;
	begin(x);
	x->now = station_select(x->s, "cf2", "2026.08", 300000, 4);
	for (unsigned i = 0; i < 4; i++) {
		drone_config_init(&x->config, 700 + i); /* as slow as they are */
		add(x, port_of(i));
	}
	begin_batch(x, 1, 0);
	for (unsigned i = 0; i < 4; i++)
		plug(x, port_of(i));
	wait_for_step(x, wait_for_canary(x, NULL), STEP_WRITING);
	begun = world_now_us(station_world(x->s));
	eta = fleet_eta_s(station_fleet(x->s), begun);
	for (unsigned i = 0; i < 4; i++)
		while (station_last(x->s, port_of(i)) == NULL ||
		       station_last(x->s, port_of(i))->verdict.kind == VERDICT_NONE)
			wait_for(x, &moments);
	estimated = (uint64_t)eta * SECOND * 100 / (world_now_us(station_world(x->s)) - begun);
	if (estimated < 70 || estimated > 140)
		fail_msg("%d s are estimated, %u percent", eta, (unsigned)estimated);
}

/* Pulled in mid-write, left by the service, of another platform: each time one more begins. */
SCENE(a_canary_that_is_pulled_leaves_its_place_to_another)
{
	struct scene *x = *state;
	const char *canary;

	begin_rack(x, 1, 0);
	plug_all(x);
	canary = wait_for_canary(x, NULL);
	wait_for_step(x, canary, STEP_WRITING);
	assert_int_equal(changed(x), 1);
	unplug(x, canary);
	(void)wait_for_canary(x, canary);
	assert_int_equal(last(x, canary)->verdict.fault, FAULT_GONE);
	assert_int_equal(changed(x), 1);
	settle(x);
	assert_false(has_stopped(x));
	assert_int_equal(counts(x).good, RACK - 1);
	plug(x, canary);
	mend(x);
	expect_all_good(x);
}

SCENE(a_canary_of_another_platform_is_skipped_and_leaves_its_place_to_another)
{
	struct scene *x = *state;

	x->options.fleet.limits.active_max = 0;
	x->config.no_type = true; /* what it is shows in DFU mode */
	copy_text(x->config.otp, sizeof(x->config.otp), "Bolt");
	begin(x);
	add(x, port_of(0));
	for (unsigned i = 1; i < RACK; i++)
		add(x, port_of(i));
	begin_batch(x, 1, 0);
	plug(x, port_of(0));
	wait_us(x, 50 * MS);
	for (unsigned i = 1; i < RACK; i++)
		plug(x, port_of(i));
	settle(x);
	assert_false(has_stopped(x));
	assert_int_equal(drone_counters(drone_at(x, port_of(0)))->erases, 0);
	for (unsigned i = 1; i < RACK; i++)
		expect_good(x, port_of(i));
}

SCENE(interrupted_by_a_restart_the_canary_is_another_one_or_itself_again)
{
	struct scene *x = *state;
	const char *canary;

	begin_rack(x, 1, 0);
	plug_all(x);
	canary = wait_for_canary(x, NULL);
	wait_for_step(x, canary, STEP_WRITING);
	station_restart(x->s);
	assert_non_null(batch(x));
	assert_int_equal(changed(x), 1);
	settle(x);
	expect_all_good(x);
	assert_int_equal(counts(x).first_good, RACK - 1);
}

SCENE(paused_and_resumed_in_between_the_canaries_are_still_waited_for)
{
	struct scene *x = *state;
	const char *canary;

	begin_rack(x, 1, 0);
	x->now = station_select(x->s, "cf2", "2026.08", 60000, 4);
	plug_all(x);
	canary = wait_for_canary(x, NULL);
	wait_for_step(x, canary, STEP_WRITING);
	station_pause(x->s, true);
	wait_us(x, 5 * MS);
	station_pause(x->s, false);
	wait_us(x, 5 * MS);
	assert_int_equal(changed(x), 1);
	assert_true(view(x, canary).active);
	station_pause(x->s, true);
	wait_us(x, 10 * SECOND);
	assert_int_equal(last(x, canary)->verdict.kind, VERDICT_PASS);
	assert_int_equal(changed(x), 1); /* the canary is good, and the station paused */
	station_pause(x->s, false);
	settle(x);
	expect_all_good(x);
}

/* ---- the threshold -------------------------------------------------------------------------- */

SCENE(three_drones_that_fail_stop_a_batch_that_drifts_and_it_can_go_on)
{
	struct scene *x = *state;
	unsigned i = 0;

	begin_rack(x, 1, 3);
	for (; i < RACK && !has_stopped(x); i++) {
		if (i % 3 == 2)
			arm(x, port_of(i), "leave-nothing at=1");
		plug(x, port_of(i));
		settle(x);
	}
	assert_int_equal(i, 9);
	assert_non_null(strstr(batch_stopped(batch(x)), "3 drones have failed, the last on 2-1"));
	for (; i < RACK; i++)
		plug(x, port_of(i));
	settle(x);
	assert_int_equal(changed(x), 9);
	assert_int_equal(counts(x).failed, 3);
	station_pause(x->s, false);
	settle(x);
	assert_false(has_stopped(x));
	assert_int_equal(counts(x).good, RACK - 3);
	mend(x);
	expect_all_good(x);
	assert_int_equal(counts(x).first_good, RACK - 3);
}

SCENE(drones_that_have_their_permit_when_it_stops_go_on)
{
	struct scene *x = *state;
	unsigned moments = 0;

	begin_rack(x, 0, 1);
	x->now = station_select(x->s, "cf2", "2026.08", 60000, 4);
	for (unsigned i = 0; i < 6; i++)
		plug(x, port_of(i));
	wait_for_step(x, port_of(5), STEP_WRITING);
	arm(x, port_of(0), "leave-nothing at=1");
	while (!has_stopped(x))
		wait_for(x, &moments);
	for (unsigned i = 6; i < RACK; i++)
		plug(x, port_of(i));
	settle(x);
	for (unsigned i = 1; i < 6; i++)
		expect_good(x, port_of(i));
	assert_int_equal(changed(x), 6);
}

SCENE(one_drone_that_fails_again_and_again_is_one)
{
	struct scene *x = *state;

	begin_rack(x, 0, 2);
	plug(x, port_of(0));
	for (unsigned n = 0; n < 2; n++) {
		arm(x, port_of(0), "no-switch at=1");
		settle(x);
		(void)station_retry(x->s, port_of(0), true);
	}
	settle(x);
	assert_false(has_stopped(x));
	assert_int_equal(counts(x).drones, 1);
}

/* ---- beside the brake, and across restarts -------------------------------------------------- */

SCENE(brake_and_batch_stop_at_once_and_one_resume_is_for_both)
{
	struct scene *x = *state;

	begin_rack(x, 2, 0);
	x->options.fleet.brake = 1;
	station_configure(x->s, &x->options.fleet);
	select_bad(x);
	plug_all(x);
	settle(x);
	assert_true(has_stopped(x));
	assert_non_null(fleet_brake(station_fleet(x->s)));
	assert_int_equal(changed(x), 2);
	station_pause(x->s, false);
	settle(x);
	assert_false(has_stopped(x));
	assert_null(fleet_brake(station_fleet(x->s)));
	assert_int_equal(changed(x), 2); /* the image is set aside */
	station_use(x->s, PLATFORM_CF2, x->now);
	mend(x);
	expect_all_good(x);
}

SCENE(a_batch_that_has_stopped_has_stopped_after_a_restart_too)
{
	struct scene *x = *state;
	char words[BATCH_REASON_MAX];

	begin_rack(x, 2, 0);
	select_bad(x);
	plug_all(x);
	settle(x);
	copy_text(words, sizeof(words), batch_stopped(batch(x)));
	station_restart(x->s);
	settle(x);
	assert_true(has_stopped(x));
	assert_string_equal(batch_stopped(batch(x)), words);
	assert_int_equal(changed(x), 2);
	station_use(x->s, PLATFORM_CF2, x->now);
	station_pause(x->s, false);
	station_restart(x->s);
	assert_false(has_stopped(x));
	settle(x);
	mend(x);
	expect_all_good(x);
}

SCENE(canaries_that_were_good_are_good_after_a_restart)
{
	struct scene *x = *state;

	begin_rack(x, 2, 0);
	plug(x, port_of(0));
	settle(x);
	station_restart(x->s);
	assert_true(batch_admits(batch(x)));
	plug(x, port_of(1));
	settle(x);
	station_restart(x->s);
	plug_all(x);
	settle(x);
	expect_all_good(x);
}

/* ---- its beginning and its end -------------------------------------------------------------- */

SCENE(drones_at_work_when_it_begins_are_not_of_it)
{
	struct scene *x = *state;

	x->options.fleet.limits.active_max = 0;
	begin(x);
	for (unsigned i = 0; i < RACK; i++)
		add(x, port_of(i));
	plug(x, port_of(0));
	wait_for_step(x, port_of(0), STEP_WRITING);
	begin_batch(x, 1, 0);
	assert_int_equal(
	    fleet_begin_batch(station_fleet(x->s), &(struct batch_terms){ .name = "other" }),
	    -EBUSY);
	plug(x, port_of(1));
	plug(x, port_of(2));
	(void)wait_for_canary(x, port_of(0));
	assert_true(view(x, port_of(0)).active);
	settle(x);
	assert_int_equal(counts(x).drones, 2);
	assert_int_equal(counts(x).good, 2);
	assert_int_equal(station_retry(x->s, port_of(0), false), 0);
	settle(x);
	assert_int_equal(counts(x).drones, 3);
}

SCENE(its_end_lets_the_others_begin)
{
	struct scene *x = *state;

	begin_rack(x, 1, 0);
	plug_all(x);
	wait_for_step(x, wait_for_canary(x, NULL), STEP_WRITING);
	assert_int_equal(changed(x), 1);
	station_end_batch(x->s);
	assert_null(batch(x));
	settle(x);
	for (unsigned i = 0; i < RACK; i++)
		expect_good(x, port_of(i));
}

/* Else a whole rack would begin with what has stopped it. */
SCENE(the_end_of_a_batch_that_has_stopped_leaves_the_station_paused)
{
	struct scene *x = *state;

	begin_rack(x, 2, 0);
	select_bad(x);
	plug_all(x);
	settle(x);
	station_end_batch(x->s);
	settle(x);
	assert_true(fleet_paused(station_fleet(x->s)));
	assert_int_equal(changed(x), 2);
	station_use(x->s, PLATFORM_CF2, x->now);
	station_pause(x->s, false);
	settle(x);
	mend(x);
	for (unsigned i = 0; i < RACK; i++)
		expect_good(x, port_of(i));
}

/* Whole drones are ready after their check-up, which is after their ending. */
SCENE(drones_that_are_ready_are_counted)
{
	struct scene *x = *state;
	unsigned ready = 0;

	begin_rack(x, 1, 0);
	plug_all(x);
	settle(x);
	for (unsigned i = 0; i < RACK; i++)
		ready += view(x, port_of(i)).readiness->ready == READY_YES;
	assert_int_equal(counts(x).ready, ready);
	assert_true(ready > 0);
}
