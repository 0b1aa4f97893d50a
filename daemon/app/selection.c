/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/selection.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/clock.h"
#include "app/log.h"
#include "app/ports.h"
#include "app/recorder.h"
#include "app/repository.h"
#include "app/services.h"
#include "app/settings.h"
#include "core/image.h"
#include "core/platform.h"

enum { UID_DIGITS = 24, DFU_DIGITS = 12, SERIAL_DIGITS_MIN = 8 };

static bool
is_set(const struct services *sv, enum store_scope scope, const char *key)
{
	char value[STORE_NAME_MAX];

	return store_get(sv->store, scope, key, value, sizeof(value)) != 0;
}

/* ---- what a target stands for --------------------------------------------------------------- */

/* A port, or a serial, of what may be plugged in one day. */
static bool
may_come(const char *target)
{
	bool bus = target[0] >= '0' && target[0] <= '9' && strchr(target, '-') != NULL;

	if (bus && strspn(target, "0123456789-.") == strlen(target))
		return strlen(target) < PORT_TEXT_MAX;
	if (strstr(target, "-usb-0:") != NULL)
		return strlen(target) < PATH_TEXT_MAX;
	return strlen(target) >= SERIAL_DIGITS_MIN && strlen(target) < SERIAL_TEXT_MAX &&
	       strpbrk(target, " \t/") == NULL && strpbrk(target, "0123456789") != NULL;
}

/* How many lines of the configuration give this label; open: one of them with wildcards. */
static unsigned
label_lines(const struct settings *c, const char *label, bool *ret_open)
{
	unsigned n = 0;

	*ret_open = false;
	for (size_t i = 0; label != NULL && i < c->label_count; i++) {
		if (strcmp(c->labels[i].label, label) != 0)
			continue;
		n++;
		*ret_open |= strpbrk(c->labels[i].glob, "*?[") != NULL;
	}
	return n;
}

static void
add_key(struct target_keys *k, const char *key)
{
	if (key == NULL || key[0] == '\0' || k->count == TARGET_KEYS_MAX)
		return;
	for (size_t i = 0; i < k->count; i++)
		if (strcmp(k->key[i], key) == 0)
			return;
	copy_text(k->key[k->count++], TARGET_TEXT_MAX, key);
}

/* A Crazyflie's serial is kept in capitals, as the drone says it. */
static void
add_serial(struct target_keys *k, const char *serial)
{
	size_t digits = strspn(serial, "0123456789abcdefABCDEF");
	char text[TARGET_TEXT_MAX];

	copy_text(text, sizeof(text), serial);
	if ((digits == UID_DIGITS || digits == DFU_DIGITS) && serial[digits] == '\0')
		for (char *c = text; *c != '\0'; c++)
			*c = (char)toupper((unsigned char)*c);
	add_key(k, text);
}

/* Does the configuration name this slot by its device path? */
static bool
has_own_line(const struct settings *c, const char *path)
{
	for (size_t i = 0; i < c->label_count; i++)
		if (path[0] != '\0' && strcmp(c->labels[i].glob, path) == 0)
			return true;
	return false;
}

/* all: every word for the slots of the target; else the one that they are kept by. */
static void
add_slots(const struct services *sv, const struct target *t, bool all, struct target_keys *k)
{
	for (unsigned i = 0; i < fleet_slots(sv->fleet); i++) {
		const char *path = fleet_path(sv->fleet, i);
		bool by_path = has_own_line(sv->settings, path);

		if (!t->slots[i])
			continue;
		if (all || by_path)
			add_key(k, path);
		if (all || !by_path)
			add_key(k, fleet_port(sv->fleet, i));
	}
}

/* WHY: a label with wildcards stands for slots that are to come, too. */
static void
keys_of_label(const struct services *sv, const struct target *t, struct target_keys *k)
{
	bool open;

	(void)label_lines(sv->settings, t->key, &open);
	if (open || t->slot_count == 0)
		add_key(k, t->key);
	else
		add_slots(sv, t, false, k);
	k->own_count = k->count;
	add_key(k, t->key);
	add_slots(sv, t, true, k);
}

static unsigned
only_slot(const struct target *t)
{
	unsigned i = 0;

	while (i + 1 < FLEET_SLOTS_MAX && !t->slots[i])
		i++;
	return i;
}

/* By the word that was used: a port goes with its bus's number, a device path stays. */
static void
keys_of_port(const struct services *sv, const struct target *t, struct target_keys *k)
{
	const char *label = ports_label(sv->ports, fleet_port(sv->fleet, only_slot(t)));
	bool open;

	add_key(k, t->key);
	k->own_count = k->count;
	add_slots(sv, t, true, k);
	/* WHY: it was the same slot's by another name; others that carry the label keep theirs. */
	if (label_lines(sv->settings, label, &open) == 1 && !open)
		add_key(k, label);
}

static void
keys_of_serial(const struct target *t, struct target_keys *k)
{
	add_serial(k, t->key);
	k->own_count = k->count;
	add_serial(k, t->drones[0].dfu_serial);
}

bool
selection_keys(const struct services *sv, const struct target *t, struct target_keys *ret_keys)
{
	bool open;

	memset(ret_keys, 0, sizeof(*ret_keys));
	switch (t->by) {
	case TARGET_SERIAL:
		keys_of_serial(t, ret_keys);
		return true;
	case TARGET_PORT:
	case TARGET_PATH:
		keys_of_port(sv, t, ret_keys);
		return true;
	case TARGET_LABEL:
	case TARGET_LABEL_NEARLY:
		keys_of_label(sv, t, ret_keys);
		return true;
	case TARGET_NOTHING:
		if (label_lines(sv->settings, t->text, &open) > 0)
			add_key(ret_keys, t->text);
		else if (may_come(t->text))
			add_serial(ret_keys, t->text);
		else if (is_set(sv, STORE_OWN, t->text) || is_set(sv, STORE_PLATFORM, t->text))
			add_key(ret_keys, t->text); /* WHY: a label that was; to be taken back */
		break;
	case TARGET_NAME:
	case TARGET_PREFIX:
	case TARGET_AMBIGUOUS:
		break;
	}
	ret_keys->own_count = ret_keys->count;
	return ret_keys->count > 0;
}

/* ---- changes -------------------------------------------------------------------------------- */

static void
tell_replaced(selection_replaced *replaced, void *ctx, const char *target, const struct image *old,
	      const struct image *image)
{
	if (old != NULL && !image_same(old, image))
		replaced(ctx, target, image_label(old)->name);
}

int
selection_set(const struct services *sv, enum platform p, struct image *image,
	      selection_replaced *replaced, void *ctx)
{
	struct store_time now = clock_time(sv->clock);
	struct policy *policy = fleet_policy(sv->fleet);
	const char *name = image != NULL ? image_label(image)->name : NULL;
	int r = 0;

	if (name != NULL || is_set(sv, STORE_SELECTED, platform_name(p)))
		r = store_set(sv->store, STORE_SELECTED, platform_name(p), name, &now);
	if (r < 0)
		return r;
	tell_replaced(replaced, ctx, platform_name(p), policy_selected(policy, p), image);
	policy_select(policy, p, image);
	return 0;
}

int
selection_set_own(const struct services *sv, const struct target_keys *keys, struct image *image,
		  selection_replaced *replaced, void *ctx)
{
	struct store_time now = clock_time(sv->clock);
	struct policy *policy = fleet_policy(sv->fleet);
	int r = 0;

	for (size_t i = 0; i < keys->count && r == 0; i++) {
		const char *key = keys->key[i];
		struct image *taken = i < keys->own_count ? image : NULL;
		struct image *old = policy_own(policy, key);

		if (taken == NULL && old == NULL && !is_set(sv, STORE_OWN, key))
			continue;
		r = store_set(sv->store, STORE_OWN, key,
			      taken != NULL ? image_label(taken)->name : NULL, &now);
		if (r < 0)
			break;
		tell_replaced(replaced, ctx, key, old, taken);
		r = policy_select_own(policy, key, taken);
	}
	return r;
}

/* The configuration's word on a target is in force where the operator says nothing. */
static enum platform
configured_platform(const struct settings *c, const char *key)
{
	for (size_t i = 0; i < c->rule_count; i++)
		if (strcasecmp(c->rules[i].target, key) == 0)
			return c->rules[i].platform;
	return PLATFORM_UNKNOWN;
}

int
selection_set_rule(const struct services *sv, const struct target_keys *keys, enum platform p)
{
	struct store_time now = clock_time(sv->clock);
	int r = 0;

	for (size_t i = 0; i < keys->count && r == 0; i++) {
		const char *key = keys->key[i];
		bool takes = p != PLATFORM_UNKNOWN && i < keys->own_count;

		if (!takes && !is_set(sv, STORE_PLATFORM, key))
			continue;
		r = store_set(sv->store, STORE_PLATFORM, key, takes ? platform_name(p) : NULL,
			      &now);
		if (r == 0)
			r = policy_set_platform(fleet_policy(sv->fleet), key,
						takes ? p : configured_platform(sv->settings, key));
	}
	return r;
}

/* ---- after the start ------------------------------------------------------------------------ */

static bool
is_lost(const struct services *sv, enum store_scope scope, const char *key)
{
	const struct policy *policy = fleet_policy(sv->fleet);

	return scope == STORE_SELECTED ? policy_is_lost(policy, platform_by_name(key))
				       : policy_own_is_lost(policy, key);
}

/* WHY: a selection that cannot be followed stays one: its drones get nothing else instead. */
static int
apply_image(const struct services *sv, enum store_scope scope, const char *key, const char *name,
	    char *why)
{
	struct policy *policy = fleet_policy(sv->fleet);
	struct image *image = NULL;
	int r = repository_image(sv->repository, name, &image, why), e = 0;

	if (r < 0 && scope == STORE_SELECTED)
		policy_select_lost(policy, platform_by_name(key));
	else if (r < 0)
		e = policy_select_own_lost(policy, key);
	else if (scope == STORE_SELECTED)
		policy_select(policy, platform_by_name(key), image);
	else
		e = policy_select_own(policy, key, image);
	if (e < 0)
		copy_text(why, STORE_WHY_MAX, "there are too many rules");
	image_unref(image);
	return r < 0 ? r : e;
}

static void
apply_setting(const struct services *sv, enum store_scope scope, const char *key, const char *value,
	      struct image *unused)
{
	char why[STORE_WHY_MAX] = "there are too many rules";
	int r;

	(void)unused;
	if (scope == STORE_PLATFORM)
		r = policy_set_platform(fleet_policy(sv->fleet), key, platform_by_name(value));
	else
		r = apply_image(sv, scope, key, value, why);
	if (r < 0)
		log_say(sv->log, LOG_ERR, NULL, "%s, selected for %s: %s", value, key, why);
}

/* The store allows no call into it from its callbacks: settings are collected first. */
struct collected {
	char key[SERIAL_TEXT_MAX], value[STORE_NAME_MAX];
};

struct collection {
	struct collected *list;
	size_t count;
};

static void
on_setting(void *ctx, const char *name, const char *value)
{
	struct collection *c = ctx;

	if (c->count == POLICY_RULES_MAX)
		return;
	copy_text(c->list[c->count].key, sizeof(c->list->key), name);
	copy_text(c->list[c->count].value, sizeof(c->list->value), value);
	c->count++;
}

typedef void apply_function(const struct services *sv, enum store_scope scope, const char *key,
			    const char *value, struct image *image);

static int
load_scopes(const struct services *sv, enum store_scope first, enum store_scope last,
	    apply_function *apply, struct image *image)
{
	struct collection c = { calloc(POLICY_RULES_MAX, sizeof(*c.list)), 0 };
	int r = c.list != NULL ? 0 : -ENOMEM;

	for (enum store_scope s = first; s <= last && r >= 0; s++) {
		c.count = 0;
		r = store_each(sv->store, s, on_setting, &c);
		for (size_t i = 0; i < c.count && r >= 0; i++)
			apply(sv, s, c.list[i].key, c.list[i].value, image);
	}
	free(c.list);
	return r < 0 ? r : 0;
}

int
selection_load(const struct services *sv)
{
	int r;

	_Static_assert(STORE_SELECTED + 1 == STORE_OWN && STORE_OWN + 1 == STORE_PLATFORM,
		       "the scopes of a selection stand together");
	r = load_scopes(sv, STORE_SELECTED, STORE_PLATFORM, apply_setting, NULL);
	if (r == 0)
		fleet_selection_changed(sv->fleet, clock_now_us());
	return r;
}

/* Selections whose image was lost and is there again. */
static void
heal_setting(const struct services *sv, enum store_scope scope, const char *key, const char *value,
	     struct image *unused)
{
	char why[STORE_WHY_MAX];

	(void)unused;
	if (!is_lost(sv, scope, key))
		return;
	if (repository_trouble(sv->repository, value, why) ||
	    apply_image(sv, scope, key, value, why) < 0)
		return;
	log_say(sv->log, LOG_NOTICE, NULL, "%s, selected for %s: it can be used again", value, key);
	fleet_selection_changed(sv->fleet, clock_now_us());
}

void
selection_heal(const struct services *sv)
{
	if (recorder_loaded(sv->recorder) && policy_any_lost(fleet_policy(sv->fleet)))
		(void)!load_scopes(sv, STORE_SELECTED, STORE_OWN, heal_setting,
				   NULL); /* next second */
}

/* WHY not where it was lost: that is healed by its file. */
static void
renew_setting(const struct services *sv, enum store_scope scope, const char *key, const char *value,
	      struct image *image)
{
	struct policy *policy = fleet_policy(sv->fleet);

	if (strcmp(value, image_label(image)->name) != 0 || is_lost(sv, scope, key))
		return;
	if (scope == STORE_SELECTED)
		policy_select(policy, platform_by_name(key), image);
	else
		(void)!policy_select_own(policy, key, image); /* it has a place there already */
}

struct renewal {
	const char *name;
	bool selected;
};

static void
on_selected(void *ctx, const char *key, const char *value)
{
	struct renewal *renewal = ctx;

	(void)key;
	renewal->selected = renewal->selected || strcmp(value, renewal->name) == 0;
}

void
selection_renew(const struct services *sv, const char *name)
{
	struct renewal renewal = { name, false };
	char why[STORE_WHY_MAX];
	struct image *image = NULL;

	(void)!store_each(sv->store, STORE_SELECTED, on_selected, &renewal); /* then: not renewed */
	(void)!store_each(sv->store, STORE_OWN, on_selected, &renewal);
	if (!renewal.selected || !recorder_loaded(sv->recorder) ||
	    repository_image(sv->repository, name, &image, why) < 0)
		return;
	(void)!load_scopes(sv, STORE_SELECTED, STORE_OWN, renew_setting, image); /* at the start */
	fleet_selection_changed(sv->fleet, clock_now_us());
	image_unref(image);
}
