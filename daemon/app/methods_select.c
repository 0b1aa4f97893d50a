/* SPDX-License-Identifier: MIT */
/* Which firmware goes on which drones, over the control socket. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "app/app_parts.h"
#include "app/repository.h"
#include "app/select_notes.h"
#include "cfdfu/proto.h"
#include "core/platform.h"

static const char *
text_of(json_t *parameters, const char *name)
{
	return json_string_value(json_object_get(parameters, name));
}

/* The members of an answer beside the selection itself. */
struct told {
	json_t *replaced, *kept, *notes, *affected;
};

static struct told
told_new(void)
{
	return (struct told){ json_array(), json_array(), json_array(), NULL };
}

static void
told_drop(struct told *t)
{
	json_decref(t->replaced);
	json_decref(t->kept);
	json_decref(t->notes);
	json_decref(t->affected);
}

static json_t *
selected_json(struct app *a)
{
	json_t *station = status_station(a);
	json_t *selected = json_incref(json_object_get(station, "selected"));

	json_decref(station);
	return selected;
}

/* ---- selecting ------------------------------------------------------------------------------ */

/* "cf2: NAME replaces OLD." for what a change has replaced. */
static void
say_replaced(struct told *t, const char *name)
{
	json_t *one;
	size_t i;

	json_array_foreach(t->replaced, i, one) {
		const char *target = json_string_value(json_object_get(one, "target"));
		const char *old = json_string_value(json_object_get(one, "name"));

		if (name != NULL)
			selection_say(t->notes, "%s: it replaces %s.", target, old);
		else
			selection_say(t->notes, "%s: %s is not selected any more.", target, old);
	}
}

static void
say_kept_platforms(struct app *a, struct told *t, const char *name, unsigned platforms)
{
	for (enum platform p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT; p++) {
		const struct image *other;

		if ((platforms & BIT(p)) == 0)
			continue;
		other = policy_selected(fleet_policy(a->fleet), p);
		(void)json_array_append_new(t->kept,
					    json_pack("{s:s, s:s}", "target", platform_name(p),
						      "name", image_label(other)->name));
		selection_say(t->notes,
			      "%s keeps %s: 'cfdfuctl firmware select %s --platform %s' changes "
			      "that.",
			      platform_name(p), image_label(other)->name, name, platform_name(p));
	}
}

void
methods_refuse_platforms(struct app *a, struct call *call, const struct image *image, int error)
{
	const char *name = image_label(image)->name;
	char taken[256] = "";

	if (error == -EINVAL)
		call_refuse(call, PROTO_ERROR("Refused"),
			    "Nothing says which platform %s is for: name one with --platform.",
			    name);
	else if (error == -EPERM)
		call_refuse(call, PROTO_ERROR("Refused"), "%s is not for that platform.", name);
	if (error != -EEXIST)
		return;
	for (enum platform p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT; p++) {
		size_t used = strlen(taken);

		if ((image_label(image)->platforms & BIT(p)) != 0)
			(void)snprintf(
			    taken + used, sizeof(taken) - used, "%s%s has %s", used > 0 ? ", " : "",
			    platform_name(p),
			    image_label(policy_selected(fleet_policy(a->fleet), p))->name);
	}
	call_refuse(call, PROTO_ERROR("Refused"),
		    "%s is for several platforms, and each has other firmware selected (%s): say "
		    "with --platform which one is to change.",
		    name, taken);
}

/* -EALREADY: refused, and said why. */
static int
select_platforms(struct app *a, struct call *call, struct image *image, enum platform named,
		 struct told *t)
{
	const char *name = image_label(image)->name;
	unsigned chosen, kept;
	int r = policy_platforms_for(fleet_policy(a->fleet), image, named, &chosen, &kept);

	if (r < 0) {
		methods_refuse_platforms(a, call, image, r);
		return -EALREADY;
	}
	for (enum platform p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT && r == 0; p++)
		if ((chosen & BIT(p)) != 0)
			r = selection_set(a, p, image, name, t->replaced);
	if (r == 0) {
		say_replaced(t, name);
		say_kept_platforms(a, t, name, kept);
		t->affected = selection_effect(a, NULL, image, t->notes);
	}
	return r;
}

static int
select_target(struct app *a, struct call *call, struct image *image, const char *text,
	      struct told *t)
{
	struct target target;
	struct target_keys keys;
	int r;

	if (!find_keys(a, call, text, &target, &keys))
		return -EALREADY;
	r = selection_set_own(a, &keys, image, image_label(image)->name, t->replaced);
	if (r == 0) {
		say_replaced(t, image_label(image)->name);
		selection_say_kept(a, &target, image, t->kept, t->notes);
		t->affected = selection_effect(a, &target, image, t->notes);
	}
	return r;
}

/* 0, or -EALREADY after having answered. */
int
methods_image(struct app *a, struct call *call, const char *name, struct image **ret_image)
{
	char why[STORE_WHY_MAX];
	int r = repository_image(a->repository, name, ret_image, why);

	if (r == 0)
		return 0;
	if (r == -ENOENT)
		methods_no_firmware(call, name);
	else
		call_refuse(call, PROTO_ERROR("Refused"), "%s: %s.", name, why);
	return -EALREADY;
}

static void
answer_selected(struct app *a, struct call *call, const struct image *image, struct told *t)
{
	call_reply(call, json_pack("{s:o, s:o, s:O, s:O, s:O, s:O}", "firmware",
				   methods_firmware_row(a, image_label(image)->name), "selected",
				   selected_json(a), "replaced", t->replaced, "kept", t->kept,
				   "affected", t->affected, "notes", t->notes));
}

/* An image that the brake has stopped is selected only after it was released. */
static bool
refuse_aside(struct app *a, struct call *call, const struct image *image)
{
	const char *name = image_label(image)->name;
	const char *why = policy_aside(fleet_policy(a->fleet), image_label(image)->sha256);

	if (why != NULL)
		call_refuse(call, PROTO_ERROR("Refused"),
			    "%s is set aside: %s. 'cfdfuctl firmware release %s' lifts that.", name,
			    why, name);
	return why != NULL;
}

void
methods_select_firmware(void *ctx, struct call *call, json_t *parameters)
{
	struct app *a = ctx;
	const char *target = text_of(parameters, "target");
	struct image *image = NULL;
	struct told t = { 0 };
	enum platform named;
	int r;

	if (!methods_platform(call, parameters, "platform", &named))
		return;
	if (target != NULL && named != PLATFORM_UNKNOWN) {
		call_refuse(call, PROTO_ERROR("Refused"),
			    "Either a target or a platform, not both; what a drone is, is said "
			    "with 'cfdfuctl platform set SLOT PLATFORM'.");
		return;
	}
	if (methods_image(a, call, text_of(parameters, "name"), &image) < 0)
		return;
	if (refuse_aside(a, call, image)) {
		image_unref(image);
		return;
	}
	recorder_look(a->recorder, true);
	t = told_new();
	if (target != NULL)
		r = select_target(a, call, image, target, &t);
	else
		r = select_platforms(a, call, image, named, &t);
	if (r == 0) {
		(void)recorder_commit(a->recorder);
		answer_selected(a, call, image, &t);
		fleet_selection_changed(a->fleet, clock_now_us());
	} else if (r != -EALREADY) {
		methods_refuse_store(a, call, r, "The selection cannot be kept");
	}
	told_drop(&t);
	image_unref(image);
}

/* ---- taking back ---------------------------------------------------------------------------- */

static int
deselect_target(struct app *a, struct call *call, const char *text, struct told *t)
{
	struct target target;
	struct target_keys keys;
	int r;

	if (!find_keys(a, call, text, &target, &keys))
		return -EALREADY;
	r = selection_set_own(a, &keys, NULL, NULL, t->replaced);
	if (r < 0)
		return r;
	if (json_array_size(t->replaced) == 0)
		selection_say(t->notes, "%s had no firmware of its own.", text);
	say_replaced(t, NULL);
	selection_say_in_force(a, &target, t->notes);
	return 0;
}

static int
deselect_platforms(struct app *a, enum platform named, struct told *t)
{
	json_t *station, *own, *one;
	size_t i;
	int r = 0;

	for (enum platform p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT && r == 0; p++)
		if (named == PLATFORM_UNKNOWN || named == p)
			r = selection_set(a, p, NULL, NULL, t->replaced);
	if (r < 0)
		return r;
	say_replaced(t, NULL);
	station = status_station(a);
	own = json_object_get(station, "own");
	json_array_foreach(own, i, one) {
		(void)json_array_append(t->kept, one);
		selection_say(t->notes,
			      "%s still has %s of its own: 'cfdfuctl firmware deselect --for %s' "
			      "takes that back.",
			      json_string_value(json_object_get(one, "target")),
			      json_string_value(json_object_get(one, "name")),
			      json_string_value(json_object_get(one, "target")));
	}
	json_decref(station);
	return 0;
}

void
methods_deselect_firmware(void *ctx, struct call *call, json_t *parameters)
{
	struct app *a = ctx;
	const char *target = text_of(parameters, "target");
	enum platform named;
	struct told t;
	int r;

	if (!methods_platform(call, parameters, "platform", &named))
		return;
	if (target != NULL && named != PLATFORM_UNKNOWN) {
		call_refuse(call, PROTO_ERROR("Refused"),
			    "Either a target or a platform, not both.");
		return;
	}
	recorder_look(a->recorder, true);
	t = told_new();
	if (target != NULL)
		r = deselect_target(a, call, target, &t);
	else
		r = deselect_platforms(a, named, &t);
	(void)recorder_commit(a->recorder);
	if (r == 0)
		call_reply(call,
			   json_pack("{s:o, s:O, s:O, s:O}", "selected", selected_json(a),
				     "removed", t.replaced, "kept", t.kept, "notes", t.notes));
	else if (r != -EALREADY)
		methods_refuse_store(a, call, r, "The selection cannot be changed");
	told_drop(&t);
	fleet_selection_changed(a->fleet, clock_now_us());
}

/* ---- rules ---------------------------------------------------------------------------------- */

void
methods_set_platform_rule(void *ctx, struct call *call, json_t *parameters)
{
	struct app *a = ctx;
	struct target target;
	struct target_keys keys;
	enum platform p;
	json_t *station;
	int r;

	if (!methods_platform(call, parameters, "platform", &p) ||
	    !find_keys(a, call, text_of(parameters, "target"), &target, &keys))
		return;
	recorder_look(a->recorder, true);
	r = selection_set_rule(a, &keys, p);
	(void)recorder_commit(a->recorder);
	if (r < 0) {
		methods_refuse_store(a, call, r, "The rule cannot be kept");
	} else {
		station = status_station(a);
		call_reply(call, json_pack("{s:O}", "rules", json_object_get(station, "rules")));
		json_decref(station);
		fleet_selection_changed(a->fleet, clock_now_us());
	}
}
