/* SPDX-License-Identifier: MIT */
/*
 * Selections, target by target: the keys that a target stands for, changes to them that are
 * remembered first and in force then, and the sentences that say what a change meant.
 *
 * INVARIANT: one target has one selection.  What was said of the same drone or slot by another name
 * is taken back by the next selection for it [find_keys].
 */
#include "config.h"

#include "app/selection.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "app/app_parts.h"
#include "core/platform.h"

enum { UID_DIGITS = 24, DFU_DIGITS = 12, SERIAL_DIGITS_MIN = 8 };

static bool
is_set(struct app *a, enum store_scope scope, const char *key)
{
	char value[STORE_NAME_MAX];

	return store_get(a->store, scope, key, value, sizeof(value)) != 0;
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
add_slots(struct app *a, const struct target *t, bool all, struct target_keys *k)
{
	for (unsigned i = 0; i < fleet_slots(a->fleet); i++) {
		const char *path = fleet_path(a->fleet, i);
		bool by_path = has_own_line(a->settings, path);
		struct slot_view v;

		if (!t->slots[i])
			continue;
		fleet_view(a->fleet, i, clock_now_us(), &v);
		if (all || by_path)
			add_key(k, path);
		if (all || !by_path)
			add_key(k, v.port);
	}
}

/* WHY: a label with wildcards stands for slots that are to come, too. */
static void
keys_of_label(struct app *a, const struct target *t, struct target_keys *k)
{
	bool open;

	(void)label_lines(a->settings, t->key, &open);
	if (open || t->slot_count == 0)
		add_key(k, t->key);
	else
		add_slots(a, t, false, k);
	k->own_count = k->count;
	add_key(k, t->key);
	add_slots(a, t, true, k);
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
keys_of_port(struct app *a, const struct target *t, struct target_keys *k)
{
	const char *label;
	struct slot_view v;
	bool open;

	fleet_view(a->fleet, only_slot(t), clock_now_us(), &v);
	label = apply_label(a, v.port);
	add_key(k, t->key);
	k->own_count = k->count;
	add_slots(a, t, true, k);
	/* WHY: it was the same slot's by another name; others that carry the label keep theirs. */
	if (label_lines(a->settings, label, &open) == 1 && !open)
		add_key(k, label);
}

static void
keys_of_serial(const struct target *t, struct target_keys *k)
{
	add_serial(k, t->key);
	k->own_count = k->count;
	add_serial(k, t->drones[0].dfu_serial);
}

/* WHY refused: what is said of a slot that does not exist would be kept, and do nothing. */
bool
find_keys(struct app *a, struct call *call, const char *text, struct target *ret_target,
	  struct target_keys *ret_keys)
{
	bool open;

	memset(ret_keys, 0, sizeof(*ret_keys));
	find_target(a, text, true, ret_target);
	switch (ret_target->by) {
	case TARGET_SERIAL:
		keys_of_serial(ret_target, ret_keys);
		return true;
	case TARGET_PORT:
	case TARGET_PATH:
		keys_of_port(a, ret_target, ret_keys);
		return true;
	case TARGET_LABEL:
	case TARGET_LABEL_NEARLY:
		keys_of_label(a, ret_target, ret_keys);
		return true;
	case TARGET_NOTHING:
		if (label_lines(a->settings, text, &open) > 0)
			add_key(ret_keys, text);
		else if (may_come(text))
			add_serial(ret_keys, text);
		else if (is_set(a, STORE_OWN, text) || is_set(a, STORE_PLATFORM, text))
			add_key(ret_keys, text); /* WHY: of a label that was; to be taken back */
		break;
	case TARGET_PREFIX:
	case TARGET_AMBIGUOUS:
		break;
	}
	ret_keys->own_count = ret_keys->count;
	if (ret_keys->count == 0)
		find_refuse(a, call, ret_target);
	return ret_keys->count > 0;
}

/* ---- changes -------------------------------------------------------------------------------- */

static void
say_replaced(json_t *replaced, const char *target, const struct image *old,
	     const struct image *image)
{
	if (old != NULL && !image_same(old, image))
		(void)json_array_append_new(replaced, json_pack("{s:s, s:s}", "target", target,
								"name", image_label(old)->name));
}

int
selection_set(struct app *a, enum platform p, struct image *image, const char *name,
	      json_t *replaced)
{
	struct store_time now = clock_time(a->clock);
	struct policy *policy = fleet_policy(a->fleet);
	int r = 0;

	if (name != NULL || is_set(a, STORE_SELECTED, platform_name(p)))
		r = store_set(a->store, STORE_SELECTED, platform_name(p), name, &now);
	if (r < 0)
		return r;
	say_replaced(replaced, platform_name(p), policy_selected(policy, p), image);
	policy_select(policy, p, image);
	return 0;
}

int
selection_set_own(struct app *a, const struct target_keys *keys, struct image *image,
		  const char *name, json_t *replaced)
{
	struct store_time now = clock_time(a->clock);
	struct policy *policy = fleet_policy(a->fleet);
	int r = 0;

	for (size_t i = 0; i < keys->count && r == 0; i++) {
		const char *key = keys->key[i];
		bool takes = image != NULL && i < keys->own_count;
		struct image *old = policy_own(policy, key);

		if (!takes && old == NULL && !is_set(a, STORE_OWN, key))
			continue;
		r = store_set(a->store, STORE_OWN, key, takes ? name : NULL, &now);
		if (r < 0)
			break;
		say_replaced(replaced, key, old, takes ? image : NULL);
		r = policy_select_own(policy, key, takes ? image : NULL);
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
selection_set_rule(struct app *a, const struct target_keys *keys, enum platform p)
{
	struct store_time now = clock_time(a->clock);
	int r = 0;

	for (size_t i = 0; i < keys->count && r == 0; i++) {
		const char *key = keys->key[i];
		bool takes = p != PLATFORM_UNKNOWN && i < keys->own_count;

		if (!takes && !is_set(a, STORE_PLATFORM, key))
			continue;
		r = store_set(a->store, STORE_PLATFORM, key, takes ? platform_name(p) : NULL, &now);
		if (r == 0)
			r = policy_set_platform(fleet_policy(a->fleet), key,
						takes ? p : configured_platform(a->settings, key));
	}
	return r;
}

/* ---- sentences ------------------------------------------------------------------------------ */

void
selection_say(json_t *notes, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args); /* cut is fine */
	va_end(args);
	(void)json_array_append_new(notes, status_text(text));
}

void
selection_name_slot(struct app *a, const char *port, char *ret_name, size_t size)
{
	const char *label = apply_label(a, port);

	(void)snprintf(ret_name, size, label != NULL ? "%s (%s)" : "%s%s",
		       label != NULL ? label : port, label != NULL ? port : "");
}

/* "A1, A2, 1-7", cut where there is no room for more. */
static void
add_name(struct app *a, char *names, size_t size, const char *port)
{
	const char *label = apply_label(a, port);
	size_t used = strlen(names);

	(void)snprintf(names + used, size - used, "%s%s", used > 0 ? ", " : "",
		       label != NULL ? label : port);
}

struct effect {
	unsigned due, check, look, held;
	char due_names[512], check_names[512], look_names[512], held_names[512];
	json_t *affected;
};

static void
look_at_slot(struct app *a, unsigned slot, const struct image *image, struct effect *e)
{
	struct fleet_plan p;
	struct slot_view v;

	fleet_plan(a->fleet, slot, fleet_policy(a->fleet), &p);
	fleet_view(a->fleet, slot, clock_now_us(), &v);
	if (p.action == ACTION_LOOK) {
		e->look++;
		add_name(a, e->look_names, sizeof(e->look_names), v.port);
	}
	if (p.action == ACTION_WAIT && p.image == NULL) {
		e->held++;
		add_name(a, e->held_names, sizeof(e->held_names), v.port);
	}
	if (p.image == NULL || !image_same(p.image, image))
		return;
	if (p.action == ACTION_CHECK) {
		e->check++;
		add_name(a, e->check_names, sizeof(e->check_names), v.port);
	}
	if (!p.due)
		return;
	e->due++;
	add_name(a, e->due_names, sizeof(e->due_names), v.port);
	(void)json_array_append_new(e->affected, json_string(v.port));
}

static const char *
when(struct app *a)
{
	if (store_health(a->store, NULL) == STORE_DEGRADED)
		return "as soon as the records can be written ('cfdfuctl doctor')";
	return fleet_paused(a->fleet) ? "when the station is resumed ('cfdfuctl resume')" : "now";
}

json_t *
selection_effect(struct app *a, const struct target *t, const struct image *image, json_t *notes)
{
	struct effect e = { .affected = json_array() };

	for (unsigned i = 0; i < fleet_slots(a->fleet); i++)
		if (t == NULL || t->slots[i])
			look_at_slot(a, i, image, &e);
	if (e.due > 0)
		selection_say(notes, "%u drone%s plugged in %s flashed %s: %s.", e.due,
			      e.due == 1 ? "" : "s", e.due == 1 ? "is" : "are", when(a),
			      e.due_names);
	if (e.check > 0)
		selection_say(notes, "%u sa%s that version already and %s looked at %s: %s.",
			      e.check, e.check == 1 ? "ys it runs" : "y they run",
			      e.check == 1 ? "is" : "are", when(a), e.check_names);
	if (e.look > 0)
		selection_say(notes, "%u ha%s to be looked at in DFU mode first: %s.", e.look,
			      e.look == 1 ? "s" : "ve", e.look_names);
	if (e.held > 0)
		selection_say(notes,
			      "%u drone%s plugged in %s asked what %s when the station is "
			      "resumed ('cfdfuctl resume'): %s.",
			      e.held, e.held == 1 ? "" : "s", e.held == 1 ? "is" : "are",
			      e.held == 1 ? "it is" : "they are", e.held_names);
	if (e.due + e.check + e.look + e.held == 0)
		selection_say(notes, "No drone that is plugged in needs it.");
	return e.affected;
}

static const char *
whose(enum policy_by by)
{
	switch (by) {
	case POLICY_BY_SERIAL:
		return "its serial";
	case POLICY_BY_SLOT:
		return "its slot";
	case POLICY_BY_LABEL:
		return "its label";
	case POLICY_BY_PLATFORM:
		return "its platform";
	case POLICY_BY_NOTHING:
		break;
	}
	return "it";
}

void
selection_say_in_force(struct app *a, const struct target *t, json_t *notes)
{
	char name[2 * SETTINGS_LABEL_TEXT_MAX];
	struct fleet_plan p;
	struct slot_view v;

	for (unsigned i = 0; i < fleet_slots(a->fleet); i++) {
		if (!t->slots[i])
			continue;
		fleet_plan(a->fleet, i, fleet_policy(a->fleet), &p);
		fleet_view(a->fleet, i, clock_now_us(), &v);
		selection_name_slot(a, v.port, name, sizeof(name));
		if (!v.present)
			selection_say(notes,
				      "%s: nothing is plugged in; what is selected for its "
				      "drone is in force then.",
				      name);
		else if (p.image == NULL)
			selection_say(notes, "%s: %s", name, p.why);
		else
			selection_say(notes, "%s: %s is in force, selected for %s.", name,
				      image_label(p.image)->name, whose(p.by));
	}
	if (t->slot_count == 0)
		selection_say(notes, "What is selected for its slot or its platform is in force.");
}

/* Drones of the target that keep another image all the same, or cannot take this one. */
void
selection_say_kept(struct app *a, const struct target *t, const struct image *image, json_t *kept,
		   json_t *notes)
{
	char name[2 * SETTINGS_LABEL_TEXT_MAX];
	struct fleet_plan p;
	struct slot_view v;

	for (unsigned i = 0; i < fleet_slots(a->fleet); i++) {
		const char *serial;

		fleet_view(a->fleet, i, clock_now_us(), &v);
		if (!t->slots[i] || !v.present)
			continue;
		fleet_plan(a->fleet, i, fleet_policy(a->fleet), &p);
		selection_name_slot(a, v.port, name, sizeof(name));
		serial = v.serial[0] != '\0' ? v.serial : v.dfu_serial;
		if (p.action == ACTION_SKIPPED)
			selection_say(notes, "%s: %s", name, p.why);
		if (p.image == NULL || image_same(p.image, image))
			continue;
		(void)json_array_append_new(kept, json_pack("{s:s, s:s}", "target", serial, "name",
							    image_label(p.image)->name));
		selection_say(notes,
			      "%s keeps %s, selected for %s: 'cfdfuctl firmware deselect --for "
			      "%s' takes that back.",
			      name, image_label(p.image)->name, whose(p.by), serial);
	}
}
