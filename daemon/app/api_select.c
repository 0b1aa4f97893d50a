/* SPDX-License-Identifier: MIT */
/* Which firmware goes on which drones, over the control socket. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "app/api.h"
#include "app/clock.h"
#include "app/recorder.h"
#include "app/reply.h"
#include "app/repository.h"
#include "app/select_notes.h"
#include "app/selection.h"
#include "app/status.h"
#include "cfdfu/proto.h"
#include "core/platform.h"

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

static void
on_replaced(void *ctx, const char *target, const char *name)
{
	struct told *t = ctx;

	(void)json_array_append_new(t->replaced,
				    json_pack("{s:s, s:s}", "target", target, "name", name));
}

/* WHY refused: what is said of a slot that does not exist would be kept, and do nothing. */
static bool
find_keys(const struct api *a, struct call *call, const char *text, struct target *ret_target,
	  struct target_keys *ret_keys)
{
	api_find(a, text, true, ret_target);
	if (selection_keys(a->selection, ret_target, ret_keys))
		return true;
	api_refuse_target(a, call, ret_target);
	return false;
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
			reply_note(t->notes, "%s: it replaces %s.", target, old);
		else
			reply_note(t->notes, "%s: %s is not selected any more.", target, old);
	}
}

static void
say_kept_platforms(const struct api *a, struct told *t, const char *name, unsigned platforms)
{
	for (enum platform p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT; p++) {
		const struct image *other;

		if ((platforms & BIT(p)) == 0)
			continue;
		other = policy_selected(fleet_policy(a->fleet), p);
		(void)json_array_append_new(t->kept,
					    json_pack("{s:s, s:s}", "target", platform_name(p),
						      "name", image_label(other)->name));
		reply_note(t->notes,
			   "%s keeps %s: 'cfdfuctl firmware select %s --platform %s' changes "
			   "that.",
			   platform_name(p), image_label(other)->name, name, platform_name(p));
	}
}

void
api_refuse_platforms(const struct api *a, struct call *call, const struct image *image, int error)
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
		char one[128];

		if ((image_label(image)->platforms & BIT(p)) == 0)
			continue;
		(void)snprintf(one, sizeof(one), "%s has %s", platform_name(p),
			       image_label(policy_selected(fleet_policy(a->fleet), p))->name);
		reply_join(taken, sizeof(taken), one);
	}
	call_refuse(call, PROTO_ERROR("Refused"),
		    "%s is for several platforms, and each has other firmware selected (%s): say "
		    "with --platform which one is to change.",
		    name, taken);
}

/* -EALREADY: refused, and said why. */
static int
select_platforms(const struct api *a, struct call *call, struct image *image, enum platform named,
		 struct told *t)
{
	const char *name = image_label(image)->name;
	unsigned chosen, kept;
	int r = policy_platforms_for(fleet_policy(a->fleet), image, named, &chosen, &kept);

	if (r < 0) {
		api_refuse_platforms(a, call, image, r);
		return -EALREADY;
	}
	for (enum platform p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT && r == 0; p++)
		if ((chosen & BIT(p)) != 0)
			r = selection_set(a->selection, p, image, on_replaced, t);
	if (r == 0) {
		say_replaced(t, name);
		say_kept_platforms(a, t, name, kept);
		t->affected = notes_on_effect(a, NULL, image, t->notes);
	}
	return r;
}

static int
select_target(const struct api *a, struct call *call, struct image *image, const char *text,
	      struct told *t)
{
	struct target target;
	struct target_keys keys;
	int r;

	if (!find_keys(a, call, text, &target, &keys))
		return -EALREADY;
	r = selection_set_own(a->selection, &keys, image, on_replaced, t);
	if (r == 0) {
		say_replaced(t, image_label(image)->name);
		notes_on_kept(a, &target, image, t->kept, t->notes);
		t->affected = notes_on_effect(a, &target, image, t->notes);
	}
	return r;
}

/* 0, or -EALREADY after having answered. */
int
api_image(const struct api *a, struct call *call, const char *name, struct image **ret_image)
{
	char why[STORE_WHY_MAX];
	int r = repository_image(a->repository, name, ret_image, why);

	if (r == 0)
		return 0;
	if (r == -ENOENT)
		refuse_unknown_firmware(call, name);
	else
		call_refuse(call, PROTO_ERROR("Refused"), "%s: %s.", name, why);
	return -EALREADY;
}

static void
answer_selected(const struct api *a, struct call *call, const struct image *image, struct told *t)
{
	call_reply(call, json_pack("{s:o, s:o, s:O, s:O, s:O, s:O}", "firmware",
				   api_firmware_row(a, image_label(image)->name), "selected",
				   status_selected(a), "replaced", t->replaced, "kept", t->kept,
				   "affected", t->affected, "notes", t->notes));
}

/* An image that the brake has stopped is selected only after it was released. */
static bool
refuse_aside(const struct api *a, struct call *call, const struct image *image)
{
	const char *name = image_label(image)->name;
	const char *why = policy_quarantined(fleet_policy(a->fleet), image_label(image)->sha256);

	if (why != NULL)
		call_refuse(call, PROTO_ERROR("Refused"),
			    "%s is set aside: %s. 'cfdfuctl firmware release %s' lifts that.", name,
			    why, name);
	return why != NULL;
}

void
api_select_firmware(void *ctx, struct call *call, json_t *parameters)
{
	const struct api *a = ctx;
	const char *target = param_text(parameters, "target");
	struct image *image = NULL;
	struct told t = { 0 };
	enum platform named;
	int r;

	if (!param_platform(call, parameters, "platform", &named))
		return;
	if (target != NULL && named != PLATFORM_UNKNOWN) {
		call_refuse(call, PROTO_ERROR("Refused"),
			    "Either a target or a platform, not both; what a drone is, is said "
			    "with 'cfdfuctl platform set SLOT PLATFORM'.");
		return;
	}
	if (api_image(a, call, param_text(parameters, "name"), &image) < 0)
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
		refuse_store(call, a->store, r, "The selection cannot be kept");
	}
	told_drop(&t);
	image_unref(image);
}

/* ---- taking back ---------------------------------------------------------------------------- */

static int
deselect_target(const struct api *a, struct call *call, const char *text, struct told *t)
{
	struct target target;
	struct target_keys keys;
	int r;

	if (!find_keys(a, call, text, &target, &keys))
		return -EALREADY;
	r = selection_set_own(a->selection, &keys, NULL, on_replaced, t);
	if (r < 0)
		return r;
	if (json_array_size(t->replaced) == 0)
		reply_note(t->notes, "%s had no firmware of its own.", text);
	say_replaced(t, NULL);
	notes_on_what_is_in_force(a, &target, t->notes);
	return 0;
}

static int
deselect_platforms(const struct api *a, enum platform named, struct told *t)
{
	json_t *own, *one;
	size_t i;
	int r = 0;

	for (enum platform p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT && r == 0; p++)
		if (named == PLATFORM_UNKNOWN || named == p)
			r = selection_set(a->selection, p, NULL, on_replaced, t);
	if (r < 0)
		return r;
	say_replaced(t, NULL);
	own = status_own(a);
	json_array_foreach(own, i, one) {
		(void)json_array_append(t->kept, one);
		reply_note(t->notes,
			   "%s still has %s of its own: 'cfdfuctl firmware deselect --for %s' "
			   "takes that back.",
			   json_string_value(json_object_get(one, "target")),
			   json_string_value(json_object_get(one, "name")),
			   json_string_value(json_object_get(one, "target")));
	}
	json_decref(own);
	return 0;
}

void
api_deselect_firmware(void *ctx, struct call *call, json_t *parameters)
{
	const struct api *a = ctx;
	const char *target = param_text(parameters, "target");
	enum platform named;
	struct told t;
	int r;

	if (!param_platform(call, parameters, "platform", &named))
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
			   json_pack("{s:o, s:O, s:O, s:O}", "selected", status_selected(a),
				     "removed", t.replaced, "kept", t.kept, "notes", t.notes));
	else if (r != -EALREADY)
		refuse_store(call, a->store, r, "The selection cannot be changed");
	told_drop(&t);
	fleet_selection_changed(a->fleet, clock_now_us());
}

/* ---- rules ---------------------------------------------------------------------------------- */

void
api_set_platform_rule(void *ctx, struct call *call, json_t *parameters)
{
	const struct api *a = ctx;
	struct target target;
	struct target_keys keys;
	enum platform p;
	int r;

	if (!param_platform(call, parameters, "platform", &p) ||
	    !find_keys(a, call, param_text(parameters, "target"), &target, &keys))
		return;
	recorder_look(a->recorder, true);
	r = selection_set_rule(a->selection, &keys, p);
	(void)recorder_commit(a->recorder);
	if (r < 0) {
		refuse_store(call, a->store, r, "The rule cannot be kept");
	} else {
		call_reply(call, json_pack("{s:o}", "rules", status_rules(a)));
		fleet_selection_changed(a->fleet, clock_now_us());
	}
}
