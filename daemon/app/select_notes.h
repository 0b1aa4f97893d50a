/* SPDX-License-Identifier: MIT */
/* What a change of the selection means for the drones that are plugged in, in sentences. */
#ifndef APP_SELECT_NOTES_H
#define APP_SELECT_NOTES_H

#include <jansson.h>

struct api;
struct image;
struct target;

/* The effect of selecting this image on the drones that are plugged in (t: on those of the target);
 * ports of those that are written. */
json_t *notes_on_effect(const struct api *a, const struct target *t, const struct image *image,
			json_t *notes);
/* What the target's drones get, now that it has no selection of its own. */
void notes_on_what_is_in_force(const struct api *a, const struct target *t, json_t *notes);
/* Drones of the target that keep another image all the same (also in kept), or cannot take it. */
void notes_on_kept(const struct api *a, const struct target *t, const struct image *image,
		   json_t *kept, json_t *notes);

#endif
