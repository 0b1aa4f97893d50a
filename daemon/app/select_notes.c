/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/select_notes.h"

#include <stdio.h>
#include <string.h>

#include "app/api.h"
#include "app/clock.h"
#include "app/ports.h"
#include "app/reply.h"
#include "app/status.h"

struct drones {
	unsigned count;
	char names[512];
};

struct effect {
	struct drones due, check, look, held;
	json_t *affected;
};

static void
add(const struct api *a, struct drones *d, unsigned slot)
{
	d->count++;
	reply_join(d->names, sizeof(d->names), ports_name(a->ports, fleet_port(a->fleet, slot)));
}

static void
look_at_slot(const struct api *a, unsigned slot, const struct image *image, struct effect *e)
{
	struct fleet_plan p;

	fleet_plan(a->fleet, slot, fleet_policy(a->fleet), &p);
	if (p.action == ACTION_LOOK)
		add(a, &e->look, slot);
	if (p.action == ACTION_WAIT && p.image == NULL)
		add(a, &e->held, slot);
	if (p.image == NULL || !image_same(p.image, image))
		return;
	if (p.action == ACTION_CHECK)
		add(a, &e->check, slot);
	if (!p.due)
		return;
	add(a, &e->due, slot);
	(void)json_array_append_new(e->affected, json_string(fleet_port(a->fleet, slot)));
}

static const char *
when(const struct api *a)
{
	if (!status_may_begin(a))
		return "as soon as the records can be written ('cfdfuctl doctor')";
	return fleet_paused(a->fleet) ? "when the station is resumed ('cfdfuctl resume')" : "now";
}

json_t *
notes_on_effect(const struct api *a, const struct target *t, const struct image *image,
		json_t *notes)
{
	struct effect e = { .affected = json_array() };

	for (unsigned i = 0; i < fleet_slots(a->fleet); i++)
		if (t == NULL || t->slots[i])
			look_at_slot(a, i, image, &e);
	if (e.due.count > 0)
		reply_note(notes, "%u drone%s plugged in %s flashed %s: %s.", e.due.count,
			   e.due.count == 1 ? "" : "s", e.due.count == 1 ? "is" : "are", when(a),
			   e.due.names);
	if (e.check.count > 0)
		reply_note(notes, "%u sa%s that version already and %s looked at %s: %s.",
			   e.check.count, e.check.count == 1 ? "ys it runs" : "y they run",
			   e.check.count == 1 ? "is" : "are", when(a), e.check.names);
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
notes_on_what_is_in_force(const struct api *a, const struct target *t, json_t *notes)
{
	char name[API_SLOT_NAME_MAX];
	struct fleet_plan p;
	struct slot_view v;

	for (unsigned i = 0; i < fleet_slots(a->fleet); i++) {
		if (!t->slots[i])
			continue;
		fleet_plan(a->fleet, i, fleet_policy(a->fleet), &p);
		fleet_view(a->fleet, i, clock_now_us(), &v);
		api_slot_name(a, v.port, name);
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
		reply_note(notes, "What is selected for its slot or its platform is in force.");
}

/* Drones of the target that keep another image all the same, or cannot take this one. */
void
notes_on_kept(const struct api *a, const struct target *t, const struct image *image, json_t *kept,
	      json_t *notes)
{
	char name[API_SLOT_NAME_MAX];
	struct fleet_plan p;
	struct slot_view v;

	for (unsigned i = 0; i < fleet_slots(a->fleet); i++) {
		const char *serial;

		fleet_view(a->fleet, i, clock_now_us(), &v);
		if (!t->slots[i] || !v.present)
			continue;
		fleet_plan(a->fleet, i, fleet_policy(a->fleet), &p);
		api_slot_name(a, v.port, name);
		serial = v.serial[0] != '\0' ? v.serial : v.dfu_serial;
		if (p.action == ACTION_SKIPPED)
			reply_note(notes, "%s: %s", name, p.why);
		if (p.image == NULL || image_same(p.image, image))
			continue;
		(void)json_array_append_new(kept, json_pack("{s:s, s:s}", "target", serial, "name",
							    image_label(p.image)->name));
		reply_note(notes,
			   "%s keeps %s, selected for %s: 'cfdfuctl firmware deselect --for "
			   "%s' takes that back.",
			   name, image_label(p.image)->name, whose(p.by), serial);
	}
}
