/* SPDX-License-Identifier: MIT */
/* What a change of the selection means for the drones that are plugged in, in sentences. */
#ifndef APP_SELECT_NOTES_H
#define APP_SELECT_NOTES_H

#include <jansson.h>

#include "app/selection.h"

void selection_name_slot(const struct api *a, const char *port, char *ret_name, size_t size);
/* The effect of selecting this image on the drones that are plugged in (t: on those of the
 * target); ports of those that are written. */
json_t *selection_effect(const struct api *a, const struct target *t, const struct image *image,
			 json_t *notes);
void selection_say_in_force(const struct api *a, const struct target *t, json_t *notes);
void selection_say_kept(const struct api *a, const struct target *t, const struct image *image,
			json_t *kept, json_t *notes);

#endif
