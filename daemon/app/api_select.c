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

/* A call that changes the selection: the members of its answer beside the selection itself. */
struct change {
	const struct api *api;
	struct call *call;
	struct image *image; /* that is selected; NULL: what was is taken back */
	enum platform named;
	json_t *replaced, *kept, *notes, *affected;
};

static void
drop(struct change *c)
{
	json_decref(c->replaced);
	json_decref(c->kept);
	json_decref(c->notes);
	json_decref(c->affected);
	image_unref(c->image);
}

/* False after having refused the parameters; else drop() it. */
static bool
begin(const struct api *a, struct call *call, json_t *parameters, struct change *ret_c)
{
	*ret_c = (struct change){ .api = a, .call = call };
	if (!param_platform(call, parameters, "platform", &ret_c->named))
		return false;
	if (param_text(parameters, "target") != NULL && ret_c->named != PLATFORM_UNKNOWN) {
		call_refuse(call, PROTO_ERROR("Refused"),
			    "Either a target or a platform, not both; what a drone is, is said "
			    "with 'cfdfuctl platform set SLOT PLATFORM'.");
		return false;
	}
	ret_c->replaced = json_array();
	ret_c->kept = json_array();
	ret_c->notes = json_array();
	return true;
}

/* Appends {target, name}, a Named of the interface. */
static void
add_named(json_t *list, const char *target, const char *name)
{
	(void)json_array_append_new(list, json_pack("{s:s, s:s}", "target", target, "name", name));
}

static void
on_replaced(void *ctx, const char *target, const char *name)
{
	struct change *c = ctx;

	add_named(c->replaced, target, name);
	if (c->image != NULL)
		reply_note(c->notes, "%s: it replaces %s.", target, name);
	else
		reply_note(c->notes, "%s: %s is not selected any more.", target, name);
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

static void
say_kept_platforms(struct change *c, unsigned platforms)
{
	const char *name = image_label(c->image)->name;

	for (enum platform p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT; p++) {
		const char *other;

		if ((platforms & BIT(p)) == 0)
			continue;
		other = image_label(policy_selected(fleet_policy(c->api->fleet), p))->name;
		add_named(c->kept, platform_name(p), other);
		reply_note(c->notes,
			   "%s keeps %s: 'cfdfuctl firmware select %s --platform %s' changes "
			   "that.",
			   platform_name(p), other, name, platform_name(p));
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
select_platforms(struct change *c)
{
	const struct api *a = c->api;
	unsigned chosen, kept;
	int r = policy_platforms_for(fleet_policy(a->fleet), c->image, c->named, &chosen, &kept);

	if (r < 0) {
		api_refuse_platforms(a, c->call, c->image, r);
		return -EALREADY;
	}
	for (enum platform p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT && r == 0; p++)
		if ((chosen & BIT(p)) != 0)
			r = selection_set(a->selection, p, c->image, on_replaced, c);
	if (r < 0)
		return r;
	say_kept_platforms(c, kept);
	c->affected = notes_on_effect(a, NULL, c->image, c->notes);
	return 0;
}

static int
select_target(struct change *c, const char *text)
{
	struct target target;
	struct target_keys keys;
	int r;

	if (!find_keys(c->api, c->call, text, &target, &keys))
		return -EALREADY;
	r = selection_set_own(c->api->selection, &keys, c->image, on_replaced, c);
	if (r < 0)
		return r;
	notes_on_kept(c->api, &target, c->image, c->kept, c->notes);
	c->affected = notes_on_effect(c->api, &target, c->image, c->notes);
	return 0;
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

/* An image that the brake has stopped is selected only after it was released. */
static bool
refuse_quarantined(const struct api *a, struct call *call, const struct image *image)
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
	const char *name = param_text(parameters, "name"), *text = param_text(parameters, "target");
	struct change c;
	int r;

	if (!begin(a, call, parameters, &c))
		return;
	if (api_image(a, call, name, &c.image) < 0 || refuse_quarantined(a, call, c.image)) {
		drop(&c);
		return;
	}
	recorder_look(a->recorder, true);
	r = text != NULL ? select_target(&c, text) : select_platforms(&c);
	if (r == 0) {
		(void)recorder_commit(a->recorder);
		call_reply(call, json_pack("{s:o, s:o, s:O, s:O, s:O, s:O}", "firmware",
					   api_firmware_row(a, name), "selected",
					   status_selected(a), "replaced", c.replaced, "kept",
					   c.kept, "affected", c.affected, "notes", c.notes));
		fleet_selection_changed(a->fleet, clock_now_us());
	} else if (r != -EALREADY) {
		refuse_store(call, a->store, r, "The selection cannot be kept");
	}
	drop(&c);
}

/* ---- taking back ---------------------------------------------------------------------------- */

static int
deselect_target(struct change *c, const char *text)
{
	struct target target;
	struct target_keys keys;
	int r;

	if (!find_keys(c->api, c->call, text, &target, &keys))
		return -EALREADY;
	r = selection_set_own(c->api->selection, &keys, NULL, on_replaced, c);
	if (r < 0)
		return r;
	if (json_array_size(c->replaced) == 0)
		reply_note(c->notes, "%s had no firmware of its own.", text);
	notes_on_what_is_in_force(c->api, &target, c->notes);
	return 0;
}

static int
deselect_platforms(struct change *c)
{
	json_t *one;
	size_t i;
	int r = 0;

	for (enum platform p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT && r == 0; p++)
		if (c->named == PLATFORM_UNKNOWN || c->named == p)
			r = selection_set(c->api->selection, p, NULL, on_replaced, c);
	if (r < 0)
		return r;
	json_decref(c->kept);
	c->kept = status_own(c->api);
	json_array_foreach(c->kept, i, one) {
		const char *target = json_string_value(json_object_get(one, "target"));

		reply_note(c->notes,
			   "%s still has %s of its own: 'cfdfuctl firmware deselect --for %s' "
			   "takes that back.",
			   target, json_string_value(json_object_get(one, "name")), target);
	}
	return 0;
}

void
api_deselect_firmware(void *ctx, struct call *call, json_t *parameters)
{
	const struct api *a = ctx;
	const char *text = param_text(parameters, "target");
	struct change c;
	int r;

	if (!begin(a, call, parameters, &c))
		return;
	recorder_look(a->recorder, true);
	r = text != NULL ? deselect_target(&c, text) : deselect_platforms(&c);
	(void)recorder_commit(a->recorder);
	if (r == 0)
		call_reply(call,
			   json_pack("{s:o, s:O, s:O, s:O}", "selected", status_selected(a),
				     "removed", c.replaced, "kept", c.kept, "notes", c.notes));
	else if (r != -EALREADY)
		refuse_store(call, a->store, r, "The selection cannot be changed");
	drop(&c);
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
