/* SPDX-License-Identifier: MIT */
/* Shared by the scenes of the fault matrix: a station, its images, its drones. */
#ifndef FLOW_SCENES_H
#define FLOW_SCENES_H

#include <stdbool.h>
#include <string.h>

#include "test.h"

#include "core/outcome.h"
#include "flow/station.h"

#define MS 1000ULL
#define SECOND 1000000ULL

/* One scene.  The options and the config may be changed before begin() and add(). */
struct scene {
	struct station_options options;
	struct drone_config config; /* of the drone that add() makes next */
	struct station *s;
	struct image *old; /* the scene's */
	struct image *now; /* the station's */
	unsigned drones;
};

int scene_set_up(void **state);
int scene_tear_down(void **state); /* fails when an invariant is broken */

void begin(struct scene *x);
/* Frees station and image, so that the next begin() or add() starts anew; tear-down does it too. */
void end(struct scene *x);
/* A drone with old firmware beside the port, unplugged. */
void add(struct scene *x, const char *port);
struct drone *drone_at(struct scene *x, const char *port);
void plug(struct scene *x, const char *port);
void unplug(struct scene *x, const char *port);
void arm(struct scene *x, const char *port, const char *text);
void wait_us(struct scene *x, uint64_t us);
/* Until nothing is under way. */
void settle(struct scene *x);
/* Until the drone is at this step of its attempt. */
void wait_for_step(struct scene *x, const char *port, enum step step);

const struct station_row *last(struct scene *x, const char *port);
struct slot_view view(struct scene *x, const char *port);
unsigned attempts(struct scene *x, const char *port);
void expect_good(struct scene *x, const char *port); /* PASS or UNCHANGED, and holds the image */
void expect_fault(struct scene *x, const char *port, enum fault fault);

/* Declares a scene and has it run; SCENE() with the set-up and tear-down of most. */
#define SCENE_WITH(name, set_up, tear_down)                                                        \
	static void name(void **state);                                                            \
	static void __attribute__((constructor)) register_##name(void)                             \
	{                                                                                          \
		scene_register((struct CMUnitTest){ #name, name, set_up, tear_down, NULL });       \
	}                                                                                          \
	static void name(void **state __attribute__((unused)))
#define SCENE(name) SCENE_WITH(name, scene_set_up, scene_tear_down)

void scene_register(struct CMUnitTest scene);

#endif
