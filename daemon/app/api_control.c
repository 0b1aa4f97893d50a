/* SPDX-License-Identifier: MIT */
/* Pausing, trying again, lifting quarantines: the levers of the station. */
#include "config.h"

#include <string.h>

#include "app/api.h"
#include "app/batches.h"
#include "app/clock.h"
#include "app/log.h"
#include "app/quarantine.h"
#include "app/recorder.h"
#include "app/reply.h"
#include "cfdfu/proto.h"

static int
active_count(const struct services *sv)
{
	struct fleet_counts c;

	fleet_counts(sv->fleet, &c);
	return (int)c.active;
}

/* Kept over a restart: a station that was paused stays so until it is resumed. */
static void
set_paused(const struct services *sv, struct call *call, bool paused)
{
	struct store_time now = clock_time(sv->clock);
	json_t *reply, *brake = NULL;
	int r;

	recorder_look(sv->recorder, true);
	r = store_set(sv->store, STORE_STATION, "paused", paused ? "yes" : NULL, &now);
	if (r < 0)
		log_say(sv->log, LOG_WARNING, NULL,
			"whether the station is paused is not recorded: %s", strerror(-r));
	if (paused) {
		fleet_pause(sv->fleet);
	} else {
		store_acknowledge(sv->store); /* the operator has seen what status repeats */
		brake = quarantine_resumed(sv->quarantine);
		fleet_resume(sv->fleet, clock_now_us());
		batches_resumed(sv->batches);
	}
	reply = json_pack("{s:i}", "active", active_count(sv));
	if (brake != NULL)
		(void)json_object_set_new(reply, "brake", brake);
	call_reply(call, reply);
}

void
api_pause(void *ctx, struct call *call, json_t *parameters)
{
	(void)parameters;
	set_paused(ctx, call, true);
}

void
api_resume(void *ctx, struct call *call, json_t *parameters)
{
	(void)parameters;
	set_paused(ctx, call, false);
}

void
api_restart(void *ctx, struct call *call, json_t *parameters)
{
	struct services *sv = ctx;

	(void)parameters;
	fleet_drain(sv->fleet, clock_now_us());
	sv->restart = true;
	call_reply(call, json_pack("{s:i}", "active", active_count(sv)));
}

static bool
is_failed(const struct services *sv, unsigned slot)
{
	struct slot_view v;

	fleet_view(sv->fleet, slot, clock_now_us(), &v);
	return v.present && v.retry_possible && slot_class_failed(v.verdict.kind);
}

/* The slots that are meant; false after having answered. */
static bool
find_wanted(const struct services *sv, struct call *call, json_t *targets, bool failed,
	    bool ret_wanted[FLEET_SLOTS_MAX])
{
	if (!api_find_wanted(sv, call, targets, ret_wanted))
		return false;
	for (unsigned i = 0; failed && i < fleet_slots(sv->fleet); i++)
		ret_wanted[i] = is_failed(sv, i);
	return true;
}

/* "A3 (1-4)" of each of these ports. */
static json_t *
names_of(const struct services *sv, const json_t *ports)
{
	json_t *list = json_array(), *port;
	char name[API_SLOT_NAME_MAX];
	size_t i;

	json_array_foreach(ports, i, port) {
		api_slot_name(sv, json_string_value(port), name);
		(void)json_array_append_new(list, reply_text(name));
	}
	return list;
}

static void
answer_retried(const struct services *sv, struct call *call, json_t *take_queued,
	       json_t *take_refused)
{
	json_t *reply = json_pack("{s:o, s:o, s:o}", "queued", take_queued, "names",
				  names_of(sv, take_queued), "refused", take_refused);
	const char *note = NULL;

	if (fleet_paused(sv->fleet))
		note = "The station is paused: nothing begins before 'cfdfuctl resume'.";
	else if (!policy_any_selected(fleet_policy(sv->fleet)))
		note = "No firmware is selected: nothing is written before 'cfdfuctl firmware "
		       "select'.";
	else if (!policy_any_to_give(fleet_policy(sv->fleet)))
		note = "The selected firmware is set aside: nothing is written before another is "
		       "selected, or 'cfdfuctl firmware release NAME'.";
	if (note != NULL && json_array_size(take_queued) > 0)
		(void)json_object_set_new(reply, "note", json_string(note));
	call_reply(call, reply);
}

void
api_retry(void *ctx, struct call *call, json_t *parameters)
{
	const struct services *sv = ctx;
	json_t *targets = json_object_get(parameters, "targets");
	bool failed = param_flag(parameters, "failed"), force = param_flag(parameters, "force");
	bool wanted[FLEET_SLOTS_MAX] = { false };
	json_t *queued, *refused;
	int error = 0;

	if (!failed && json_array_size(targets) == 0) {
		call_invalid(call, "targets");
		return;
	}
	if (!find_wanted(sv, call, targets, failed, wanted))
		return;
	queued = json_array();
	refused = json_array();
	for (unsigned i = 0; i < fleet_slots(sv->fleet); i++) {
		char name[API_SLOT_NAME_MAX];
		int r;

		if (!wanted[i])
			continue;
		r = fleet_retry(sv->fleet, i, force, clock_now_us());
		if (r == 0) {
			(void)json_array_append_new(queued, json_string(fleet_port(sv->fleet, i)));
			continue;
		}
		error = r;
		api_slot_name(sv, fleet_port(sv->fleet, i), name);
		reply_note(refused, "%s: not tried again: %s.", name, api_why_not(r));
	}
	if (error < 0 && json_array_size(queued) == 0 && !failed) {
		json_decref(queued);
		json_decref(refused);
		call_refuse(call, PROTO_ERROR("Refused"), "Not tried again: %s.",
			    api_why_not(error));
	} else {
		answer_retried(sv, call, queued, refused);
	}
}

void
api_release_port(void *ctx, struct call *call, json_t *parameters)
{
	const struct services *sv = ctx;
	const char *text = param_text(parameters, "target");
	struct target target;
	json_t *released;

	if (text != NULL && !api_find_slots(sv, call, text, &target))
		return;
	released = json_array();
	for (unsigned i = 0; i < fleet_slots(sv->fleet); i++)
		if ((text == NULL || target.slots[i]) && quarantine_release_slot(sv->quarantine, i))
			(void)json_array_append_new(released,
						    json_string(fleet_port(sv->fleet, i)));
	call_reply(call,
		   json_pack("{s:o, s:o}", "released", released, "names", names_of(sv, released)));
}
