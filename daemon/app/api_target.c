/* SPDX-License-Identifier: MIT */
/* Parameters that name slots or drones: found, or refused. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "app/api.h"
#include "app/clock.h"
#include "app/log.h"
#include "app/names.h"
#include "app/ports.h"
#include "app/reply.h"
#include "cfdfu/proto.h"

static void
on_recorded(void *ctx, const char *serial, const char *dfu_serial)
{
	target_offer_drone(ctx, serial, dfu_serial);
}

void
api_find(const struct services *sv, const char *text, bool records, struct target *ret_target)
{
	const char *named = names_serial(sv->names, text);

	target_begin(ret_target, text, named);
	for (unsigned i = 0; i < fleet_slots(sv->fleet); i++) {
		struct slot_view v;

		fleet_view(sv->fleet, i, clock_now_us(), &v);
		target_offer_slot(ret_target, i,
				  &(struct target_slot){ .port = v.port,
							 .path = fleet_path(sv->fleet, i),
							 .label = ports_label(sv->ports, v.port),
							 .serial = v.serial,
							 .dfu_serial = v.dfu_serial,
							 .present = v.present });
	}
	if (records && named != NULL)
		target_offer_drone(ret_target, named, NULL);
	if (records && strlen(text) >= TARGET_PREFIX_MIN &&
	    store_drone_begins(sv->store, text, TARGET_CANDIDATES_MAX, on_recorded, ret_target) < 0)
		log_say(sv->log, LOG_WARNING, NULL, "the records of drones cannot be read");
	target_end(ret_target);
}

void
api_refuse_target(const struct services *sv, struct call *call, const struct target *t)
{
	json_t *candidates;

	if (t->by != TARGET_AMBIGUOUS) {
		call_error(call, PROTO_ERROR("NoSuchSlot"),
			   ports_is_foreign(sv->ports, t->text)
			       ? json_pack("{s:s, s:s}", "target", t->text, "reason",
					   "This station does not use that port ('ports' in its "
					   "configuration).")
			       : json_pack("{s:s}", "target", t->text));
		return;
	}
	candidates = json_array();
	for (size_t i = 0; i < t->drone_count; i++)
		(void)json_array_append_new(candidates,
					    reply_text(target_drone_name(&t->drones[i])));
	call_error(call, PROTO_ERROR("AmbiguousTarget"),
		   json_pack("{s:s, s:o, s:s}", "target", t->text, "candidates", candidates,
			     "reason", "Several drones' serials begin so: say more of it."));
}

bool
api_find_slots(const struct services *sv, struct call *call, const char *text,
	       struct target *ret_target)
{
	api_find(sv, text, false, ret_target);
	if (ret_target->slot_count > 0 && ret_target->by != TARGET_AMBIGUOUS)
		return true;
	api_refuse_target(sv, call, ret_target);
	return false;
}

bool
api_refuse_several(struct call *call, const struct target *t)
{
	if (t->slot_count > 1)
		call_refuse(call, PROTO_ERROR("Refused"),
			    "%s is the name of several slots: say which port.", t->text);
	return t->slot_count > 1;
}

void
api_slot_name(const struct services *sv, const char *port, char ret_name[API_SLOT_NAME_MAX])
{
	batch_place(ports_label(sv->ports, port), port, ret_name);
}

const char *
api_why_not(int error)
{
	switch (error) {
	case -ENODEV:
		return "nothing is plugged in there";
	case -EBUSY:
		return "it is being worked on already";
	case -EPERM:
		return "it is quarantined; 'cfdfuctl port release SLOT' lifts that, or --force";
	case -EINVAL:
		return "what is plugged in there is not a Crazyflie";
	case -EAGAIN:
		return "the station is paused; 'cfdfuctl resume', then once more";
	default:
		return strerror(-error);
	}
}
