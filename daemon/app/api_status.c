/* SPDX-License-Identifier: MIT */
/* The methods GetStatus, Watch and Plan: how it is, and what would happen now and why. */
#include "config.h"

#include "app/api.h"
#include "app/clock.h"
#include "app/ports.h"
#include "app/recorder.h"
#include "app/reply.h"
#include "app/status.h"
#include "app/status_stream.h"
#include "cfdfu/proto.h"

void
api_get_status(void *ctx, struct call *call, json_t *parameters)
{
	const struct services *sv = ctx;
	const char *text = param_text(parameters, "target");
	struct target target;
	json_t *slots;

	recorder_look(sv->recorder, false);
	if (text != NULL && !api_find_slots(sv, call, text, &target))
		return;
	slots = json_array();
	for (unsigned i = 0; i < fleet_slots(sv->fleet); i++) {
		if (text != NULL ? !target.slots[i] : !fleet_is_used(sv->fleet, i))
			continue;
		if (json_array_append_new(slots, status_slot(sv, i)) < 0)
			break;
	}
	call_reply(call,
		   json_pack("{s:o, s:o}", "station", status_station(sv, NULL), "slots", slots));
}

void
api_watch(void *ctx, struct call *call, json_t *parameters)
{
	const struct services *sv = ctx;
	const char *text = param_text(parameters, "target");
	struct target target;

	if (text == NULL || api_find_slots(sv, call, text, &target))
		status_stream_add(sv->stream, call, text != NULL ? target.key : NULL);
}

/* ---- the plan ------------------------------------------------------------------------------- */

static json_t *
plan_json(const struct services *sv, unsigned slot, const struct policy *with)
{
	const struct image_label *label = NULL;
	struct fleet_plan p;
	struct slot_view v;

	fleet_plan(sv->fleet, slot, with, &p);
	fleet_view(sv->fleet, slot, clock_now_us(), &v);
	if (p.image != NULL)
		label = image_label(p.image);
	if ((p.action == ACTION_FLASH || p.action == ACTION_CHECK || p.action == ACTION_LOOK) &&
	    !status_may_begin(sv)) {
		p.action = ACTION_WAIT;
		p.why = status_may_not_begin;
	}
	return json_pack("{s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:o}", "port", v.port, "label",
			 reply_text(ports_label(sv->ports, v.port)), "serial",
			 reply_text(v.serial[0] != '\0' ? v.serial : v.dfu_serial), "action",
			 fleet_plan_name(p.action), "firmware",
			 reply_text(label != NULL ? label->name : NULL), "version_before",
			 reply_text(p.version_before), "version_wanted",
			 reply_text(label != NULL ? label->version : NULL), "reason",
			 reply_words(p.why, v.port));
}

static json_t *
foreign_json(const struct services *sv, const struct sighting *s)
{
	return json_pack("{s:s, s:o, s:o, s:s, s:n, s:n, s:n, s:s}", "port", s->port, "label",
			 reply_text(ports_label(sv->ports, s->port)), "serial",
			 reply_text(s->serial), "action", fleet_plan_name(ACTION_NONE), "firmware",
			 "version_before", "version_wanted", "reason",
			 "This station does not use the port ('ports' in its configuration).");
}

/* The policy as it would be if this image were selected; NULL after having answered. */
static struct policy *
policy_with(const struct services *sv, struct call *call, const char *name, enum platform named)
{
	struct image *image = NULL;
	struct policy *p = NULL;
	unsigned chosen, kept;
	int r;

	if (api_image(sv, call, name, &image) < 0)
		return NULL;
	r = policy_platforms_for(fleet_policy(sv->fleet), image, named, &chosen, &kept);
	if (r < 0)
		api_refuse_platforms(sv, call, image, r);
	else if (policy_copy(fleet_policy(sv->fleet), &p) < 0)
		call_refuse(call, PROTO_ERROR("Failed"), "Out of memory.");
	for (enum platform i = PLATFORM_UNKNOWN + 1; p != NULL && i < PLATFORM_COUNT; i++)
		if ((chosen & BIT(i)) != 0)
			policy_select(p, i, image);
	image_unref(image);
	return p;
}

void
api_plan(void *ctx, struct call *call, json_t *parameters)
{
	const struct services *sv = ctx;
	const char *text = param_text(parameters, "target"), *name = param_text(parameters, "with");
	struct policy *other = NULL;
	struct target target;
	enum platform named;
	json_t *plans;

	if (!param_platform(call, parameters, "platform", &named) ||
	    (text != NULL && !api_find_slots(sv, call, text, &target)))
		return;
	if (name != NULL) {
		other = policy_with(sv, call, name, named);
		if (other == NULL)
			return;
	}
	plans = json_array();
	for (unsigned i = 0; i < fleet_slots(sv->fleet); i++) {
		struct slot_view v;

		fleet_view(sv->fleet, i, clock_now_us(), &v);
		if (text != NULL ? target.slots[i] : v.present)
			(void)json_array_append_new(
			    plans,
			    plan_json(sv, i, other != NULL ? other : fleet_policy(sv->fleet)));
	}
	for (size_t i = 0; text == NULL && ports_foreign_drone(sv->ports, i) != NULL; i++)
		(void)json_array_append_new(plans,
					    foreign_json(sv, ports_foreign_drone(sv->ports, i)));
	policy_free(other);
	call_reply(call, json_pack("{s:o}", "plans", plans));
}
