/* SPDX-License-Identifier: MIT */
/* What is selected: in the store, and in force in the policy. */
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
bool find_keys(const struct api *api, struct call *call, const char *text,
	       struct target *ret_target, struct target_keys *ret_keys);

/* image and name NULL: nothing.  What was replaced goes to the list replaced, {target, name} each.
 * 0 or negative errno of the store or the policy. */
int selection_set(struct app *a, enum platform p, struct image *image, const char *name,
		  json_t *replaced) MUST_CHECK;
int selection_set_own(struct app *a, const struct target_keys *keys, struct image *image,
		      const char *name, json_t *replaced) MUST_CHECK;
int selection_set_rule(struct app *a, const struct target_keys *keys, enum platform p) MUST_CHECK;

/* Reads selections and rules from the store into the policy; the platform rules alone. */
int selection_load(struct app *a) MUST_CHECK;
int selection_load_rules(struct app *a) MUST_CHECK;
/* Each second, and when a file was stored: selections whose image was lost, and is there again. */
void selection_heal(struct app *a);

#endif
