/* SPDX-License-Identifier: MIT */
/* The methods GetStatus and Watch. */
#include "config.h"

#include "app/api.h"
#include "app/recorder.h"
#include "app/reply.h"
#include "app/status.h"
#include "app/status_stream.h"

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
		if (text != NULL && !target.slots[i])
			continue;
		if (json_array_append_new(slots, status_slot(sv, i)) < 0)
			break;
	}
	call_reply(call, json_pack("{s:o, s:o}", "station", status_station(sv), "slots", slots));
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
