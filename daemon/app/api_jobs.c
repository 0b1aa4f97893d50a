/* SPDX-License-Identifier: MIT */
/* Calls that have jobs begun on several slots: answered when all of them have ended. */
#include "config.h"

#include <errno.h>

#include "app/acts.h"
#include "app/api.h"
#include "app/reply.h"
#include "app/rescue.h"
#include "app/status.h"
#include "cfdfu/proto.h"
#include "core/outcome.h"

/* Type JobEnding.  verdict NULL: it came to nothing. */
static void
add_result(const struct services *sv, json_t *reply, const char *port,
	   const struct job_record *record, const char *message)
{
	json_t *results = json_object_get(reply, "results");
	bool ended = record != NULL && record->verdict.kind != VERDICT_NONE;
	char name[API_SLOT_NAME_MAX];

	api_slot_name(sv, port, name);
	(void)json_array_append_new(
	    results,
	    json_pack("{s:s, s:o, s:o, s:o, s:o}", "port", port, "name", reply_text(name),
		      "attempt", reply_number(record != NULL ? record->id : 0, 0), "verdict",
		      reply_text(ended ? verdict_name(record->verdict.kind) : NULL), "message",
		      reply_words(message, port)));
}

void
api_jobs_begin(struct api_jobs *j, unsigned slot, const struct job_setup *setup)
{
	struct rescue_request request = {
		.owner = j->call, .setup = *setup, .fd = -1, .answer = j->reply
	};
	int r = rescue_begin(j->sv->rescue, slot, &request);
	char why[256];

	if (r == 0) {
		j->begun++;
		return;
	}
	(void)snprintf(why, sizeof(why), "Not begun: %s.",
		       r == -EINVAL ? "no Crazyflie is running there" : api_why_not(r));
	add_result(j->sv, j->reply, fleet_port(j->sv->fleet, slot), NULL, why);
}

void
api_jobs_wait(struct api_jobs *j)
{
	json_t *results = json_object_get(j->reply, "results");

	if (j->begun == 0 && json_array_size(results) == 1) {
		const json_t *why = json_object_get(json_array_get(results, 0), "message");

		call_refuse(j->call, PROTO_ERROR("Refused"), "%s", json_string_value(why));
		json_decref(j->reply);
		return;
	}
	if (j->begun == 0) {
		call_reply(j->call, j->reply);
		return;
	}
	acts_begun(j->sv, j->call);
	json_decref(j->reply); /* the requests have it */
}

void
api_jobs_ended(struct call *call, const struct rescue_result *result)
{
	const struct job_record *r = result->record;

	add_result(result->sv, result->answer, r->port, result->trouble == NULL ? r : NULL,
		   result->trouble != NULL ? result->trouble : r->message);
	if (result->last)
		call_reply(call, json_incref(result->answer));
}

bool
api_find_wanted(const struct services *sv, struct call *call, json_t *targets,
		bool ret_wanted[FLEET_SLOTS_MAX])
{
	struct target t;
	json_t *target;
	size_t n;

	json_array_foreach(targets, n, target) {
		if (!api_find_slots(sv, call, json_string_value(target), &t))
			return false;
		for (unsigned i = 0; i < FLEET_SLOTS_MAX; i++)
			ret_wanted[i] |= t.slots[i];
	}
	return true;
}

json_t *
api_slot_part(const struct services *sv, unsigned slot, const char *const *keys)
{
	json_t *whole = status_slot(sv, slot), *part = json_object();

	for (; *keys != NULL; keys++) {
		json_t *value = json_object_get(whole, *keys);

		(void)json_object_set(part, *keys, value != NULL ? value : json_null());
	}
	json_decref(whole);
	return part;
}
