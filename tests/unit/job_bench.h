/* SPDX-License-Identifier: MIT */
/* One drone's job by way of a whole station on simulated hardware; included after cmocka. */
#ifndef TESTS_JOB_BENCH_H
#define TESTS_JOB_BENCH_H

#include "core/outcome.h"
#include "flow/station.h"
#include "sim/world.h"

#define PORT "1-4"
#define MINUTES 60000000ULL

/* A station with one image selected and one drone on PORT, not plugged in yet. */
struct bench {
	struct station_options options;
	struct drone_config config;
	struct station *station;
	struct image *image;
};

static inline void
prepare(struct bench *b, uint64_t seed)
{
	station_options_init(&b->options, seed);
	drone_config_init(&b->config, seed);
	drone_timing_fast(&b->config.timing);
	b->station = NULL;
}

/* before: the version of the firmware that runs on the drone already; NULL: it has none. */
static inline void
set_up_with(struct bench *b, const char *before)
{
	struct image *image = before != NULL ? station_image("cf2", before, 0, 3) : NULL;

	assert_int_equal(station_new(&b->options, &b->station), 0);
	station_add(b->station, PORT, &b->config, image);
	image_unref(image);
	b->image = station_select(b->station, "cf2", "2026.08", 0, 4);
}

static inline void
set_up(struct bench *b, bool old)
{
	set_up_with(b, old ? "2024.10" : NULL);
}

static inline void
arm(struct bench *b, const char *text)
{
	char error[128] = "";
	struct fate fate;

	if (fate_parse(text, &fate, error, sizeof(error)) < 0)
		fail_msg("%s: %s", text, error);
	assert_int_equal(world_arm(station_world(b->station), PORT, &fate), 0);
}

static inline void
plug(struct bench *b)
{
	assert_int_equal(world_plug(station_world(b->station), PORT), 0);
}

static inline void
button(struct bench *b)
{
	assert_int_equal(world_button_entry(station_world(b->station), PORT), 0);
}

static inline struct verdict
ending(struct bench *b)
{
	const struct station_row *row;
	bool settled = station_settle(b->station, 30 * MINUTES);

	if (station_broken(b->station) != NULL)
		fail_msg("%s", station_broken(b->station));
	if (!settled)
		fail_msg("the job does not end");
	row = station_last(b->station, PORT);
	return row != NULL ? row->verdict : (struct verdict){ .kind = VERDICT_NONE };
}

static inline void
assert_ends(struct bench *b, enum verdict_kind kind, enum fault fault)
{
	struct verdict v = ending(b);

	if (v.kind != kind || v.fault != fault)
		fail_msg("ended as %s (%s, step %s) rather than %s (%s)", verdict_name(v.kind),
			 fault_name(v.fault), step_name(v.step), verdict_name(kind),
			 fault_name(fault));
	if (kind == VERDICT_PASS)
		assert_true(station_holds(b->station, PORT, b->image));
}

static inline const struct drone_counters *
counters(struct bench *b)
{
	return drone_counters(world_drone(station_world(b->station), PORT));
}

/* Nothing that changes a device, and no reset. */
static inline void
assert_untouched(struct bench *b)
{
	assert_int_equal(counters(b)->erases, 0);
	assert_int_equal(counters(b)->blocks_written, 0);
	assert_int_equal(counters(b)->resets, 0);
	assert_int_equal(counters(b)->leaves, 0);
}

static inline void
tear_down(struct bench *b)
{
	station_free(b->station);
}

#endif
