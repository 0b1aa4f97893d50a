/* SPDX-License-Identifier: MIT */
/*
 * Faults of many drones are reported once: the brake stops an image that harms several drones in a
 * row (doc/promises.md 1, promise 13), and drones that vanish with their hub have one cause.
 */
#include "config.h"

#include "flow/scenes.h"

#include <stdio.h>
#include <string.h>

enum { RACK = 24, LIMIT = 3 };

/* A defect of an image, and the fault that it leads to. */
enum defect { CUT_OFF, MISLABELLED, DEFECTS };
static const enum fault faults[DEFECTS] = { FAULT_NO_BOOT, FAULT_WRONG_VERSION };

static const char *
port_of(unsigned i)
{
	static char ports[RACK][24];

	(void)snprintf(ports[i], sizeof(ports[i]), "%u-%u", 1 + i / 8, 1 + i % 8);
	return ports[i];
}

/* An image that its label does not tell the truth of, selected. */
static struct image *
select_bad(struct scene *x, enum defect defect, uint32_t seed)
{
	struct image *whole = station_image("cf2", "2026.09", 20000, seed), *bad = NULL;
	struct segment segment = *image_segment(whole, 0);
	struct image_label label = *image_label(whole);

	copy_text(label.name, sizeof(label.name), "bad");
	label.sha256[0] ^= 0xFF;
	if (defect == CUT_OFF)
		segment.size /= 4; /* its vectors are there, its table of platforms is not */
	else
		copy_text(label.version, sizeof(label.version), "2027.01");
	assert_int_equal(image_new(&segment, 1, &label, &bad), 0);
	station_use(x->s, PLATFORM_CF2, bad);
	image_unref(bad); /* the station's now */
	image_unref(whole);
	return bad;
}

static void
begin_rack(struct scene *x, unsigned limit)
{
	x->options.fleet.brake = limit;
	begin(x);
	for (unsigned i = 0; i < RACK; i++)
		add(x, port_of(i));
}

/* Plugs one in and waits until it has ended, or is left alone. */
static void
plug_and_settle(struct scene *x, unsigned i)
{
	plug(x, port_of(i));
	settle(x);
}

static unsigned
harmed(struct scene *x)
{
	unsigned n = 0;

	for (unsigned i = 0; i < RACK; i++)
		n += drone_counters(drone_at(x, port_of(i)))->erases > 0;
	return n;
}

static bool
is_paused(struct scene *x)
{
	return fleet_paused(station_fleet(x->s));
}

static void
expect_fallen(struct scene *x, enum fault fault, unsigned count)
{
	const struct brake_run *run = fleet_brake(station_fleet(x->s));

	assert_true(is_paused(x));
	assert_non_null(run);
	assert_int_equal(run->fault, fault);
	assert_int_equal(run->count, count);
	assert_string_equal(run->firmware, "bad");
}

SCENE_WITH(of_a_rack_plugged_in_one_by_one_three_drones_are_harmed_and_the_others_are_not_touched,
	   NULL, scene_tear_down)
{
	for (enum defect defect = 0; defect < DEFECTS; defect++) {
		struct scene *x;

		assert_int_equal(scene_set_up(state), 0);
		x = *state;
		begin_rack(x, LIMIT);
		select_bad(x, defect, 9);
		for (unsigned i = 0; i < RACK; i++)
			plug_and_settle(x, i);
		expect_fallen(x, faults[defect], LIMIT);
		assert_int_equal(harmed(x), LIMIT);
		for (unsigned i = LIMIT; i < RACK; i++) {
			assert_int_equal(attempts(x, port_of(i)), 0);
			assert_int_equal(drone_personality(drone_at(x, port_of(i))), DRONE_RUNTIME);
		}
		if (defect + 1 < DEFECTS)
			assert_int_equal(scene_tear_down(state), 0);
	}
}

/*
 * Plugged in a fifth of a second apart: when the brake falls some have erased and go on; the rest
 * start their old firmware again, or never left it.
 */
SCENE(the_brake_spares_drones_of_a_quick_rack_that_are_not_erased_yet)
{
	struct scene *x = *state;
	unsigned dark = 0;

	begin_rack(x, LIMIT);
	select_bad(x, CUT_OFF, 9);
	for (unsigned i = 0; i < RACK; i++) {
		plug(x, port_of(i));
		wait_us(x, 1200 * MS);
	}
	settle(x);
	expect_fallen(x, FAULT_NO_BOOT, LIMIT);
	for (unsigned i = 0; i < RACK; i++) {
		struct drone *d = drone_at(x, port_of(i));
		bool boots = drone_would_boot(d, world_now_us(station_world(x->s)));

		assert_int_equal(boots, drone_counters(d)->erases == 0);
		dark += !boots;
	}
	assert_in_range(dark, LIMIT, RACK - 1);
	assert_int_equal(harmed(x), dark);
}

SCENE(a_pass_in_between_restarts_the_count)
{
	struct scene *x = *state;

	begin_rack(x, LIMIT);
	for (unsigned i = 0; i < 5; i++) { /* two that fail, one that passes, two that fail */
		if (i != 2)
			arm(x, port_of(i), "leave-nothing at=1");
		plug_and_settle(x, i);
	}
	assert_false(is_paused(x));
	expect_good(x, port_of(2));
	arm(x, port_of(5), "leave-nothing at=1");
	plug_and_settle(x, 5);
	assert_true(is_paused(x));
}

SCENE(one_drone_that_fails_again_and_again_does_not_stop_the_others)
{
	struct scene *x = *state;

	x->options.fleet.quarantine = 0;
	begin_rack(x, LIMIT);
	select_bad(x, MISLABELLED, 9);
	for (unsigned i = 0; i < 2 * LIMIT; i++) {
		plug_and_settle(x, 0);
		expect_fault(x, port_of(0), FAULT_WRONG_VERSION);
		unplug(x, port_of(0));
		settle(x);
	}
	plug_and_settle(x, 1);
	expect_fault(x, port_of(1), FAULT_WRONG_VERSION);
	assert_false(is_paused(x));
	plug_and_settle(x, 2);
	expect_fallen(x, FAULT_WRONG_VERSION, LIMIT);
}

SCENE(another_image_has_a_count_of_its_own)
{
	struct scene *x = *state;

	begin_rack(x, LIMIT);
	select_bad(x, CUT_OFF, 9);
	plug_and_settle(x, 0);
	plug_and_settle(x, 1);
	station_use(x->s, PLATFORM_CF2, x->now);
	settle(x);
	arm(x, port_of(2), "leave-nothing at=1");
	plug_and_settle(x, 2);
	assert_false(is_paused(x));
	select_bad(x, CUT_OFF, 9);
	settle(x);
	plug_and_settle(x, 3);
	expect_fallen(x, FAULT_NO_BOOT, LIMIT);
}

SCENE(failures_before_a_restart_are_counted_too)
{
	struct scene *x = *state;

	begin_rack(x, LIMIT);
	select_bad(x, CUT_OFF, 9);
	plug_and_settle(x, 0);
	plug_and_settle(x, 1);
	station_restart(x->s);
	settle(x);
	assert_false(is_paused(x));
	plug_and_settle(x, 2);
	assert_true(is_paused(x));
	station_restart(x->s);
	settle(x);
	assert_true(is_paused(x));
	plug_and_settle(x, 3);
	assert_int_equal(harmed(x), LIMIT);
}

SCENE(resumed_the_station_still_spares_its_drones_that_image_until_it_is_released)
{
	struct scene *x = *state;
	struct image *bad;
	struct slot_view v;

	begin_rack(x, LIMIT);
	bad = select_bad(x, CUT_OFF, 9);
	for (unsigned i = 0; i < LIMIT; i++)
		plug_and_settle(x, i);
	station_pause(x->s, false);
	plug_and_settle(x, 3);
	assert_false(is_paused(x));
	v = view(x, port_of(3));
	assert_int_equal(v.state, SLOT_IDLE);
	assert_string_equal(v.message,
			    "Its firmware bad is set aside: 3 drones in a row did not start with "
			    "it. Select another, or lift that with 'cfdfuctl firmware release "
			    "bad'.");
	assert_int_equal(station_retry(x->s, port_of(3), true), 0);
	settle(x);
	assert_int_equal(attempts(x, port_of(3)), 0);
	assert_true(station_release_image(x->s, bad));
	settle(x);
	expect_fault(x, port_of(3), FAULT_NO_BOOT);
	assert_false(is_paused(x)); /* the count has restarted */
	assert_false(station_release_image(x->s, bad));
}

SCENE(selecting_another_image_and_resuming_releases_the_brake)
{
	struct scene *x = *state;

	begin_rack(x, LIMIT);
	select_bad(x, MISLABELLED, 9);
	for (unsigned i = 0; i < 6; i++)
		plug_and_settle(x, i);
	station_use(x->s, PLATFORM_CF2, x->now);
	assert_int_equal(attempts(x, port_of(5)), 0);
	station_pause(x->s, false);
	settle(x);
	for (unsigned i = 0; i < 6; i++)
		expect_good(x, port_of(i));
}

/* Nothing is erased while it waits for its turn to write; released, it is flashed. */
SCENE(a_drone_that_waits_for_its_turn_to_write_leaves_dfu_mode_as_it_came)
{
	struct scene *x = *state;

	const char *writes = "1-4.1", *waits = "1-4.2";

	x->options.fleet.limits.writers_max = 1;
	begin(x);
	add(x, writes);
	add(x, waits);
	plug(x, writes);
	plug(x, waits);
	wait_for_step(x, waits, STEP_ERASING);
	if (view(x, writes).step != STEP_ERASING) { /* the other one was there first */
		writes = "1-4.2";
		waits = "1-4.1";
		wait_for_step(x, waits, STEP_ERASING);
	}
	assert_int_equal(policy_quarantine(fleet_policy(station_fleet(x->s)),
					   image_label(x->now)->sha256, "it is tried here"),
			 0);
	settle(x);
	assert_int_equal(last(x, writes)->verdict.kind, VERDICT_PASS);
	assert_int_equal(last(x, waits)->verdict.kind, VERDICT_SKIPPED);
	assert_int_equal(last(x, waits)->verdict.fault, FAULT_IMAGE_QUARANTINED);
	assert_int_equal(drone_counters(drone_at(x, waits))->erases, 0);
	assert_int_equal(drone_personality(drone_at(x, waits)), DRONE_RUNTIME);
	assert_true(station_release_image(x->s, x->now));
	settle(x);
	expect_good(x, waits);
}

static bool
has_begun(struct scene *x, const char *port)
{
	struct slot_view v;

	return station_view(x->s, port, &v) && v.begun;
}

/* Its row is written, and it waits for others to change their mode. */
SCENE(a_drone_that_waits_for_its_turn_to_reboot_stays_as_it_is)
{
	struct scene *x = *state;
	const char *first = port_of(0), *second = port_of(1);

	x->options.fleet.limits.switch_max = 1;
	begin(x);
	add(x, first);
	add(x, second);
	plug(x, first);
	plug(x, second);
	for (unsigned n = 0; !has_begun(x, first) || !has_begun(x, second); n++) {
		assert_true(n < 30000);
		wait_us(x, MS / 4);
	}
	if (drone_counters(drone_at(x, first))->reboots == 0) { /* the other one is before it */
		first = port_of(1);
		second = port_of(0);
	}
	assert_int_equal(policy_quarantine(fleet_policy(station_fleet(x->s)),
					   image_label(x->now)->sha256, "it is tried here"),
			 0);
	settle(x);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(last(x, port_of(i))->verdict.kind, VERDICT_SKIPPED);
		assert_int_equal(last(x, port_of(i))->verdict.fault, FAULT_IMAGE_QUARANTINED);
		assert_int_equal(drone_counters(drone_at(x, port_of(i)))->erases, 0);
		assert_int_equal(drone_personality(drone_at(x, port_of(i))), DRONE_RUNTIME);
	}
	assert_int_equal(drone_counters(drone_at(x, second))->reboots, 0);
}

SCENE(drones_that_wait_to_begin_are_called_back_and_nothing_waits_for_them)
{
	struct scene *x = *state;
	unsigned unserved = 0, skipped = 0;

	x->options.fleet.limits.active_max = 1;
	begin_rack(x, 1);
	select_bad(x, CUT_OFF, 9);
	for (unsigned i = 0; i < 4; i++)
		plug(x, port_of(i));
	settle(x);
	assert_int_equal(harmed(x), 1);
	for (unsigned i = 0; i < 4; i++) {
		enum slot_class class = view(x, port_of(i)).class;

		unserved += class == SLOT_CLASS_UNSERVED && attempts(x, port_of(i)) == 0;
		skipped += class == SLOT_CLASS_SKIPPED;
	}
	/* The next one had its turn to begin, and its row, when the first one's ending was told. */
	assert_int_equal(skipped, 1);
	assert_int_equal(unserved, 2);
}

SCENE(with_the_brake_off_nothing_is_stopped)
{
	struct scene *x = *state;

	begin_rack(x, 0);
	select_bad(x, MISLABELLED, 9);
	for (unsigned i = 0; i < RACK; i++)
		plug_and_settle(x, i);
	assert_int_equal(harmed(x), RACK);
	assert_false(is_paused(x));
}

/* ---- one power dip -------------------------------------------------------------------------- */

enum { HUB_PORTS = 7 };

static const char *
on_hub(unsigned hub, unsigned port)
{
	static char ports[4][HUB_PORTS][24];

	(void)snprintf(ports[hub - 1][port - 1], sizeof(ports[0][0]), "1-1.%u.%u", hub, port);
	return ports[hub - 1][port - 1];
}

static void
wait_for_erase(struct scene *x, const char *port)
{
	for (unsigned ms = 0; drone_counters(drone_at(x, port))->erases == 0; ms++) {
		assert_true(ms < 30000);
		wait_us(x, MS);
	}
}

/* Two hubs of seven behind hub 1-1, all being written; nothing is forgiven twice. */
static void
begin_hubs(struct scene *x)
{
	x->options.fleet.quarantine = 1;
	x->options.fleet.limits.writers_max = 0;
	begin(x);
	x->now = station_select(x->s, "cf2", "2026.08", 300000, 4); /* takes seconds */
	for (unsigned i = 0; i < 2 * HUB_PORTS; i++) {
		drone_config_init(&x->config, 700 + i); /* as slow as they are */
		add(x, on_hub(1 + i / HUB_PORTS, 1 + i % HUB_PORTS));
	}
	for (unsigned i = 0; i < 2 * HUB_PORTS; i++)
		plug(x, on_hub(1 + i / HUB_PORTS, 1 + i % HUB_PORTS));
	for (unsigned i = 0; i < 2 * HUB_PORTS; i++)
		wait_for_erase(x, on_hub(1 + i / HUB_PORTS, 1 + i % HUB_PORTS));
}

static void
expect_cause(struct scene *x, const char *port, const char *words)
{
	expect_fault(x, port, FAULT_GONE);
	if (words == NULL)
		assert_null(strstr(last(x, port)->record.message, "vanished within"));
	else if (strstr(last(x, port)->record.message, words) == NULL)
		fail_msg("%s: %s", port, last(x, port)->record.message);
	assert_int_equal(last(x, port)->record.common, words != NULL);
}

SCENE(drones_of_one_hub_that_vanish_together_are_told_once_and_blame_no_port)
{
	struct scene *x = *state;

	begin_hubs(x);
	for (unsigned port = 1; port <= 6; port++) {
		unplug(x, on_hub(1, port));
		wait_us(x, 30 * MS);
	}
	unplug(x, on_hub(2, 1)); /* one of the other hub's is pulled by hand */
	settle(x);
	for (unsigned port = 1; port <= 6; port++) {
		expect_cause(x, on_hub(1, port),
			     "6 drones of hub 1-1.1 vanished within 1 s: hub or its supply.");
		assert_int_equal(view(x, on_hub(1, port)).state, SLOT_ABSENT);
	}
	expect_cause(x, on_hub(2, 1), NULL);
	for (unsigned port = 2; port <= HUB_PORTS; port++)
		expect_good(x, on_hub(2, port));
	/* Plugged in again none of them is quarantined, except the one unplugged by hand. */
	for (unsigned port = 1; port <= 6; port++)
		assert_int_equal(world_button_entry(station_world(x->s), on_hub(1, port)), 0);
	assert_int_equal(world_button_entry(station_world(x->s), on_hub(2, 1)), 0);
	settle(x);
	for (unsigned port = 1; port <= 6; port++)
		assert_int_not_equal(view(x, on_hub(1, port)).state, SLOT_QUARANTINED);
	assert_int_equal(view(x, on_hub(2, 1)).state, SLOT_QUARANTINED);
}

SCENE(when_both_hubs_go_it_is_the_hub_above_them)
{
	struct scene *x = *state;

	begin_hubs(x);
	for (unsigned i = 0; i < 2 * HUB_PORTS; i++)
		unplug(x, on_hub(1 + i / HUB_PORTS, 1 + i % HUB_PORTS));
	settle(x);
	for (unsigned i = 0; i < 2 * HUB_PORTS; i++)
		expect_cause(x, on_hub(1 + i / HUB_PORTS, 1 + i % HUB_PORTS),
			     "14 drones of hub 1-1 vanished within 1 s");
}

SCENE(two_drones_or_three_one_by_one_that_vanish_are_not_blamed_on_a_hub)
{
	struct scene *x = *state;

	begin_hubs(x);
	unplug(x, on_hub(1, 1));
	unplug(x, on_hub(1, 2));
	wait_us(x, 1100 * MS);
	unplug(x, on_hub(1, 3));
	settle(x);
	for (unsigned port = 1; port <= 3; port++)
		expect_cause(x, on_hub(1, port), NULL);
}

SCENE(a_finished_rack_is_unplugged_without_a_fault)
{
	struct scene *x = *state;

	begin_hubs(x);
	settle(x);
	for (unsigned i = 0; i < 2 * HUB_PORTS; i++)
		unplug(x, on_hub(1 + i / HUB_PORTS, 1 + i % HUB_PORTS));
	settle(x);
	for (unsigned i = 0; i < 2 * HUB_PORTS; i++) {
		const char *port = on_hub(1 + i / HUB_PORTS, 1 + i % HUB_PORTS);

		assert_int_equal(attempts(x, port), 1);
		assert_int_equal(last(x, port)->verdict.kind, VERDICT_PASS);
	}
}

/* It is off the bus as it should be when the hub goes, and does not come back. */
SCENE(a_drone_between_two_modes_vanishes_with_its_hub)
{
	struct scene *x = *state;

	x->options.fleet.brake = 1;
	begin_hubs(x);
	arm(x, on_hub(1, 7), "leave-nothing at=1");
	wait_for_step(x, on_hub(1, 7), STEP_BOOTING);
	for (unsigned port = 1; port <= 6; port++)
		if (view(x, on_hub(1, port)).active)
			unplug(x, on_hub(1, port));
	settle(x);
	expect_fault(x, on_hub(1, 7), FAULT_NO_BOOT);
	assert_non_null(strstr(last(x, on_hub(1, 7))->record.message, "of hub 1-1.1 vanished"));
	assert_false(is_paused(x));
}

/* It has outlived the dip: what happens to it later has another cause. */
SCENE(a_drone_pulled_after_a_power_dip_is_not_blamed_on_the_hub)
{
	struct scene *x = *state;

	x->options.fleet.limits.writers_max = 0;
	begin(x);
	x->now = station_select(x->s, "cf2", "2026.08", 300000, 4); /* takes seconds */
	for (unsigned port = 1; port <= HUB_PORTS; port++) {
		drone_config_init(&x->config, 700 + port);
		if (port == HUB_PORTS) /* on its way to DFU mode while the others are there */
			x->config.timing.gap_min_ms = x->config.timing.gap_max_ms = 4000;
		add(x, on_hub(1, port));
	}
	for (unsigned port = 1; port <= HUB_PORTS; port++)
		plug(x, on_hub(1, port));
	for (unsigned port = 1; port < HUB_PORTS; port++)
		wait_for_erase(x, on_hub(1, port));
	for (unsigned port = 1; port < HUB_PORTS; port++)
		unplug(x, on_hub(1, port));
	wait_for_erase(x, on_hub(1, HUB_PORTS));
	expect_cause(x, on_hub(1, 1), "6 drones of hub 1-1.1 vanished within 1 s");
	unplug(x, on_hub(1, HUB_PORTS));
	settle(x);
	expect_cause(x, on_hub(1, HUB_PORTS), NULL);
}
