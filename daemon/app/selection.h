/* SPDX-License-Identifier: MIT */
/*
 * Selections, and the operator's word on what a drone is: remembered in the store first, in force
 * in the fleet's policy then.
 *
 * INVARIANT: one target has one selection.  The next one takes back those that the same drone or
 * slot had by another name [selection_keys].
 */
#ifndef APP_SELECTION_H
#define APP_SELECTION_H

#include "app/target.h"
#include "store/store.h"

struct image;
struct services;

#define TARGET_KEYS_MAX (2 * FLEET_SLOTS_MAX + 2) /* ports and paths of all slots, a label */

/* The keys that a target is remembered by.  The first own_count are what it stands for; the others
 * name the same by another word, and lose what was said of them. */
struct target_keys {
	char key[TARGET_KEYS_MAX][TARGET_TEXT_MAX];
	size_t count, own_count;
};

/* This firmware was selected for the target (a platform, slot or serial), and is not any more. */
typedef void selection_replaced(void *ctx, const char *target, const char *name);

/* False: the target names nothing that is there or may come, or several drones. */
bool selection_keys(const struct services *sv, const struct target *t,
		    struct target_keys *ret_keys);

/* image NULL: nothing.  0 or negative errno of the store or the policy.  The fleet follows at
 * fleet_selection_changed(). */
int selection_set(const struct services *sv, enum platform p, struct image *image,
		  selection_replaced *replaced, void *ctx) MUST_CHECK;
int selection_set_own(const struct services *sv, const struct target_keys *keys,
		      struct image *image, selection_replaced *replaced, void *ctx) MUST_CHECK;
int selection_set_rule(const struct services *sv, const struct target_keys *keys,
		       enum platform p) MUST_CHECK;

/* Reads selections and rules from the store into the policy, also when the settings have changed:
 * whom they trust decides which images may be used.  0 or negative errno. */
int selection_load(const struct services *sv) MUST_CHECK;
/* Each second, and when a file was stored: selections whose image was lost, and is there again. */
void selection_heal(const struct services *sv);
/* Where this firmware is selected: loads it again, with the parts of it that were added since. */
void selection_renew(const struct services *sv, const char *name);

#endif
