/* SPDX-License-Identifier: MIT */
/* Scenes of the fault matrix (doc/faults.md A9) that need a station, a drone and a hand. */
#include "config.h"

#include "flow/scenes.h"

#include <stdlib.h>

#include "sim/fate.h"

#define SCENES_MAX 256

int
scene_set_up(void **state)
{
	struct scene *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return -1;
	station_options_init(&x->options, 5);
	drone_config_init(&x->config, 500);
	drone_timing_fast(&x->config.timing);
	*state = x;
	return 0;
}

void
end(struct scene *x)
{
	image_unref(x->old);
	station_free(x->s);
	x->old = NULL;
	x->s = NULL;
}

int
scene_tear_down(void **state)
{
	struct scene *x = *state;
	const char *broken = x->s != NULL ? station_broken(x->s) : NULL;
	int r = broken != NULL ? -1 : 0;

	if (broken != NULL)
		print_error("%s\n", broken);
	end(x);
	free(x);
	return r;
}

void
begin(struct scene *x)
{
	assert_null(x->s);
	assert_int_equal(station_new(&x->options, &x->s), 0);
	x->old = station_image("cf2", "2024.10", 20000, 3);
	x->now = station_select(x->s, "cf2", "2026.08", 20000, 4);
}

void
add(struct scene *x, const char *port)
{
	if (x->s == NULL)
		begin(x);
	station_add(x->s, port, &x->config, x->old);
	x->drones++;
	drone_config_init(&x->config, 500 + x->drones);
	drone_timing_fast(&x->config.timing);
}

struct drone *
drone_at(struct scene *x, const char *port)
{
	return world_drone(station_world(x->s), port);
}

void
plug(struct scene *x, const char *port)
{
	assert_int_equal(world_plug(station_world(x->s), port), 0);
}

void
unplug(struct scene *x, const char *port)
{
	assert_int_equal(world_unplug(station_world(x->s), port), 0);
}

void
arm(struct scene *x, const char *port, const char *text)
{
	char error[128] = "";
	struct fate f;

	if (fate_parse(text, &f, error, sizeof(error)) < 0)
		fail_msg("%s: %s", text, error);
	station_arm(x->s, port, &f);
}

void
wait_us(struct scene *x, uint64_t us)
{
	station_run(x->s, world_now_us(station_world(x->s)) + us);
}

void
settle(struct scene *x)
{
	assert_true(station_settle(x->s, world_now_us(station_world(x->s)) + 3600 * SECOND) ||
		    station_broken(x->s) != NULL);
}

void
wait_for_step(struct scene *x, const char *port, enum step step)
{
	for (unsigned i = 0; i < 600000; i++) { /* 30 s */
		struct slot_view v;

		if (station_view(x->s, port, &v) && v.active && v.step == step)
			return;
		wait_us(x, 50);
	}
	fail_msg("%s never gets to step %s", port, step_name(step));
}

const struct station_row *
last(struct scene *x, const char *port)
{
	const struct station_row *row = station_last(x->s, port);

	if (row == NULL)
		fail_msg("%s has no attempt", port);
	return row;
}

struct slot_view
view(struct scene *x, const char *port)
{
	struct slot_view v;

	if (!station_view(x->s, port, &v))
		fail_msg("%s is not known", port);
	return v;
}

unsigned
attempts(struct scene *x, const char *port)
{
	unsigned n = 0;

	for (size_t i = 0; i < station_rows(x->s); i++)
		n += strcmp(station_row(x->s, i)->port, port) == 0;
	return n;
}

void
expect_good(struct scene *x, const char *port)
{
	enum verdict_kind kind = last(x, port)->verdict.kind;

	if (kind != VERDICT_PASS && kind != VERDICT_UNCHANGED)
		fail_msg("%s: %s", port, last(x, port)->record.message);
	assert_true(station_holds(x->s, port, x->now));
	assert_int_equal(drone_personality(drone_at(x, port)), DRONE_RUNTIME);
}

void
expect_fault(struct scene *x, const char *port, enum fault fault)
{
	assert_int_equal(last(x, port)->verdict.kind, VERDICT_FAIL);
	assert_string_equal(fault_name(last(x, port)->verdict.fault), fault_name(fault));
}

static struct CMUnitTest scenes[SCENES_MAX];
static size_t scene_count;

void
scene_register(struct CMUnitTest scene)
{
	assert_true(scene_count < SCENES_MAX);
	scenes[scene_count++] = scene;
}

int
main(void)
{
	return _cmocka_run_group_tests("scenes", scenes, scene_count, NULL, NULL);
}
