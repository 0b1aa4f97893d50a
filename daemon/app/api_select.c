/* SPDX-License-Identifier: MIT */
/* The selection of firmware for drones, over the control socket. */
#include "config.h"

#include <errno.h>

#include "app/api.h"
#include "app/clock.h"
#include "app/ports.h"
#include "app/recorder.h"
#include "app/reply.h"
#include "app/repository.h"
#include "app/selection.h"
#include "app/status.h"
#include "cfdfu/proto.h"
#include "core/platform.h"

/* ---- a change ------------------------------------------------------------------------------- */

/* A call that changes the selection: the members of its answer beside the selection itself. */
struct change {
	const struct services *sv;
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
begin(const struct services *sv, struct call *call, json_t *parameters, struct change *ret_c)
{
	*ret_c = (struct change){ .sv = sv, .call = call };
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

/* ---- sentences for the operator ------------------------------------------------------------- */

struct drones {
	unsigned count;
	char names[512];
};

struct effect {
	struct drones due, check, look, held;
	json_t *affected;
};

static void
add(const struct services *sv, struct drones *d, unsigned slot)
{
	d->count++;
	reply_join(d->names, sizeof(d->names), ports_name(sv->ports, fleet_port(sv->fleet, slot)));
}

static void
look_at_slot(const struct services *sv, unsigned slot, const struct image *image, struct effect *e)
{
	struct fleet_plan p;

	fleet_plan(sv->fleet, slot, fleet_policy(sv->fleet), &p);
	if (p.action == ACTION_LOOK)
		add(sv, &e->look, slot);
	if (p.action == ACTION_WAIT && p.image == NULL)
		add(sv, &e->held, slot);
	if (p.image == NULL || !image_same(p.image, image))
		return;
	if (p.action == ACTION_CHECK)
		add(sv, &e->check, slot);
	if (!p.due)
		return;
	add(sv, &e->due, slot);
	(void)json_array_append_new(e->affected, json_string(fleet_port(sv->fleet, slot)));
}

static const char *
when(const struct services *sv)
{
	if (!status_may_begin(sv))
		return "as soon as the records can be written ('cfdfuctl doctor')";
	return fleet_paused(sv->fleet) ? "when the station is resumed ('cfdfuctl resume')" : "now";
}

/* The effect on the drones that are plugged in (t: on those of the target). */
static void
say_effect(struct change *c, const struct target *t)
{
	const struct services *sv = c->sv;
	json_t *notes = c->notes;
	struct effect e = { .affected = json_array() };

	for (unsigned i = 0; i < fleet_slots(sv->fleet); i++)
		if (t == NULL || t->slots[i])
			look_at_slot(sv, i, c->image, &e);
	if (e.due.count > 0)
		reply_note(notes, "%u drone%s plugged in %s flashed %s: %s.", e.due.count,
			   e.due.count == 1 ? "" : "s", e.due.count == 1 ? "is" : "are", when(sv),
			   e.due.names);
	if (e.check.count > 0)
		reply_note(notes, "%u sa%s that version already and %s looked at %s: %s.",
			   e.check.count, e.check.count == 1 ? "ys it runs" : "y they run",
			   e.check.count == 1 ? "is" : "are", when(sv), e.check.names);
	if (e.look.count > 0)
		reply_note(notes, "%u ha%s to be looked at in DFU mode first: %s.", e.look.count,
			   e.look.count == 1 ? "s" : "ve", e.look.names);
	if (e.held.count > 0)
		reply_note(notes,
			   "%u drone%s plugged in %s asked what %s when the station is "
			   "resumed ('cfdfuctl resume'): %s.",
			   e.held.count, e.held.count == 1 ? "" : "s",
			   e.held.count == 1 ? "is" : "are",
			   e.held.count == 1 ? "it is" : "they are", e.held.names);
	if (e.due.count + e.check.count + e.look.count + e.held.count == 0)
		reply_note(notes, "No drone that is plugged in needs it.");
	c->affected = e.affected;
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

/* The firmware of the target's drones, now that it has no selection of its own. */
static void
say_in_force(struct change *c, const struct target *t)
{
	const struct services *sv = c->sv;
	json_t *notes = c->notes;
	char name[API_SLOT_NAME_MAX];
	struct fleet_plan p;
	struct slot_view v;

	for (unsigned i = 0; i < fleet_slots(sv->fleet); i++) {
		if (!t->slots[i])
			continue;
		fleet_plan(sv->fleet, i, fleet_policy(sv->fleet), &p);
		fleet_view(sv->fleet, i, clock_now_us(), &v);
		api_slot_name(sv, v.port, name);
		if (!v.present)
			reply_note(notes,
				   "%s: nothing is plugged in; what is selected for its "
				   "drone is in force then.",
				   name);
		else if (p.image == NULL)
			reply_note(notes, "%s: %s", name, p.why);
		else
			reply_note(notes, "%s: %s is in force, selected for %s.", name,
				   image_label(p.image)->name, whose(p.by));
	}
	if (t->slot_count == 0)
		reply_note(notes, "The selection for its slot or its platform is in force.");
}

/* Drones of the target that keep another image all the same, or cannot take this one. */
static void
say_kept(struct change *c, const struct target *t)
{
	const struct services *sv = c->sv;
	json_t *notes = c->notes;
	char name[API_SLOT_NAME_MAX];
	struct fleet_plan p;
	struct slot_view v;

	for (unsigned i = 0; i < fleet_slots(sv->fleet); i++) {
		const char *serial;

		fleet_view(sv->fleet, i, clock_now_us(), &v);
		if (!t->slots[i] || !v.present)
			continue;
		fleet_plan(sv->fleet, i, fleet_policy(sv->fleet), &p);
		api_slot_name(sv, v.port, name);
		serial = v.serial[0] != '\0' ? v.serial : v.dfu_serial;
		if (p.action == ACTION_SKIPPED)
			reply_note(notes, "%s: %s", name, p.why);
		if (p.image == NULL || image_same(p.image, c->image))
			continue;
		add_named(c->kept, serial, image_label(p.image)->name);
		reply_note(notes,
			   "%s keeps %s, selected for %s: 'cfdfuctl firmware deselect --for "
			   "%s' takes that back.",
			   name, image_label(p.image)->name, whose(p.by), serial);
	}
}

/* ---- selecting ------------------------------------------------------------------------------ */

/* WHY refused: a setting for a slot that does not exist would be kept without effect. */
static bool
find_keys(const struct services *sv, struct call *call, const char *text, struct target *ret_target,
	  struct target_keys *ret_keys)
{
	api_find(sv, text, true, ret_target);
	if (selection_keys(sv, ret_target, ret_keys))
		return true;
	api_refuse_target(sv, call, ret_target);
	return false;
}

static void
say_kept_platforms(struct change *c, unsigned platforms)
{
	const char *name = image_label(c->image)->name;

	for (enum platform p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT; p++) {
		const char *other;

		if ((platforms & BIT(p)) == 0)
			continue;
		other = image_label(policy_selected(fleet_policy(c->sv->fleet), p))->name;
		add_named(c->kept, platform_name(p), other);
		reply_note(c->notes,
			   "%s keeps %s: 'cfdfuctl firmware select %s --platform %s' changes "
			   "that.",
			   platform_name(p), other, name, platform_name(p));
	}
}

void
api_refuse_platforms(const struct services *sv, struct call *call, const struct image *image,
		     int error)
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
			       image_label(policy_selected(fleet_policy(sv->fleet), p))->name);
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
	const struct services *sv = c->sv;
	unsigned chosen, kept;
	int r = policy_platforms_for(fleet_policy(sv->fleet), c->image, c->named, &chosen, &kept);

	if (r < 0) {
		api_refuse_platforms(sv, c->call, c->image, r);
		return -EALREADY;
	}
	for (enum platform p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT && r == 0; p++)
		if ((chosen & BIT(p)) != 0)
			r = selection_set(sv, p, c->image, on_replaced, c);
	if (r < 0)
		return r;
	say_kept_platforms(c, kept);
	say_effect(c, NULL);
	return 0;
}

static int
select_target(struct change *c, const char *text)
{
	struct target target;
	struct target_keys keys;
	int r;

	if (!find_keys(c->sv, c->call, text, &target, &keys))
		return -EALREADY;
	r = selection_set_own(c->sv, &keys, c->image, on_replaced, c);
	if (r < 0)
		return r;
	say_kept(c, &target);
	say_effect(c, &target);
	return 0;
}

/* 0, or -EALREADY after having answered. */
int
api_image(const struct services *sv, struct call *call, const char *name, struct image **ret_image)
{
	char why[STORE_WHY_MAX];
	int r = repository_image(sv->repository, name, ret_image, why);

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
refuse_quarantined(const struct services *sv, struct call *call, const struct image *image)
{
	const char *name = image_label(image)->name;
	const char *why = policy_quarantined(fleet_policy(sv->fleet), image_label(image)->sha256);

	if (why != NULL)
		call_refuse(call, PROTO_ERROR("Refused"),
			    "%s is set aside: %s. 'cfdfuctl firmware release %s' lifts that.", name,
			    why, name);
	return why != NULL;
}

void
api_select_firmware(void *ctx, struct call *call, json_t *parameters)
{
	const struct services *sv = ctx;
	const char *name = param_text(parameters, "name"), *text = param_text(parameters, "target");
	struct change c;
	int r;

	if (!begin(sv, call, parameters, &c))
		return;
	if (api_image(sv, call, name, &c.image) < 0 || refuse_quarantined(sv, call, c.image)) {
		drop(&c);
		return;
	}
	recorder_look(sv->recorder, true);
	r = text != NULL ? select_target(&c, text) : select_platforms(&c);
	if (r == 0) {
		(void)recorder_commit(sv->recorder);
		call_reply(call, json_pack("{s:o, s:o, s:O, s:O, s:O, s:O}", "firmware",
					   api_firmware_row(sv, name), "selected",
					   status_selected(sv), "replaced", c.replaced, "kept",
					   c.kept, "affected", c.affected, "notes", c.notes));
		fleet_selection_changed(sv->fleet, clock_now_us());
	} else if (r != -EALREADY) {
		refuse_store(call, sv->store, r, "The selection cannot be kept");
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

	if (!find_keys(c->sv, c->call, text, &target, &keys))
		return -EALREADY;
	r = selection_set_own(c->sv, &keys, NULL, on_replaced, c);
	if (r < 0)
		return r;
	if (json_array_size(c->replaced) == 0)
		reply_note(c->notes, "%s had no firmware of its own.", text);
	say_in_force(c, &target);
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
			r = selection_set(c->sv, p, NULL, on_replaced, c);
	if (r < 0)
		return r;
	json_decref(c->kept);
	c->kept = status_own(c->sv);
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
	const struct services *sv = ctx;
	const char *text = param_text(parameters, "target");
	struct change c;
	int r;

	if (!begin(sv, call, parameters, &c))
		return;
	recorder_look(sv->recorder, true);
	r = text != NULL ? deselect_target(&c, text) : deselect_platforms(&c);
	(void)recorder_commit(sv->recorder);
	if (r == 0)
		call_reply(call,
			   json_pack("{s:o, s:O, s:O, s:O}", "selected", status_selected(sv),
				     "removed", c.replaced, "kept", c.kept, "notes", c.notes));
	else if (r != -EALREADY)
		refuse_store(call, sv->store, r, "The selection cannot be changed");
	drop(&c);
	fleet_selection_changed(sv->fleet, clock_now_us());
}

/* ---- rules ---------------------------------------------------------------------------------- */

void
api_set_platform_rule(void *ctx, struct call *call, json_t *parameters)
{
	const struct services *sv = ctx;
	struct target target;
	struct target_keys keys;
	enum platform p;
	int r;

	if (!param_platform(call, parameters, "platform", &p) ||
	    !find_keys(sv, call, param_text(parameters, "target"), &target, &keys))
		return;
	recorder_look(sv->recorder, true);
	r = selection_set_rule(sv, &keys, p);
	(void)recorder_commit(sv->recorder);
	if (r < 0) {
		refuse_store(call, sv->store, r, "The rule cannot be kept");
	} else {
		call_reply(call, json_pack("{s:o}", "rules", status_rules(sv)));
		fleet_selection_changed(sv->fleet, clock_now_us());
	}
}
