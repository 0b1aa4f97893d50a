/* SPDX-License-Identifier: MIT */
/* Changes to what is selected, and their words; shared by methods_select.c and methods_plan.c. */
#ifndef APP_SELECTION_H
#define APP_SELECTION_H

#include "app/app_parts.h"

#define TARGET_KEYS_MAX (2 * FLEET_SLOTS_MAX + 2) /* ports and paths of all slots, a label */

/* The keys that a target is remembered by.  The first own_count are what it stands for; the others
 * name the same by another word, and lose what was said of them. */
struct target_keys {
	char key[TARGET_KEYS_MAX][TARGET_TEXT_MAX];
	size_t count, own_count;
};

/* False after having answered that the target names nothing, or several drones. */
bool find_keys(struct app *a, struct call *call, const char *text, struct target *ret_target,
	       struct target_keys *ret_keys);

/* image and name NULL: nothing.  What was replaced goes to the list replaced, {target, name} each.
 * 0 or negative errno of the store or the policy. */
int selection_set(struct app *a, enum platform p, struct image *image, const char *name,
		  json_t *replaced) MUST_CHECK;
int selection_set_own(struct app *a, const struct target_keys *keys, struct image *image,
		      const char *name, json_t *replaced) MUST_CHECK;
int selection_set_rule(struct app *a, const struct target_keys *keys, enum platform p) MUST_CHECK;

/* One more sentence for the operator. */
void selection_say(json_t *notes, const char *format, ...) PRINTF_LIKE(2, 3);
void selection_name_slot(struct app *a, const char *port, char *ret_name, size_t size);
/* The effect of selecting this image on the drones that are plugged in (t: on those of the
 * target); ports of those that are written. */
json_t *selection_effect(struct app *a, const struct target *t, const struct image *image,
			 json_t *notes);
void selection_say_in_force(struct app *a, const struct target *t, json_t *notes);
void selection_say_kept(struct app *a, const struct target *t, const struct image *image,
			json_t *kept, json_t *notes);

#endif
