/* SPDX-License-Identifier: MIT */
/* The methods ListDrones, ListDecks, UpdateDeck and Identify. */
#include "config.h"

#include <strings.h>

#include "app/api.h"
#include "app/clock.h"
#include "app/log.h"
#include "app/names.h"
#include "app/reply.h"
#include "core/deck_update.h"

/* ---- drones --------------------------------------------------------------------------------- */

enum { RECORDED_MAX = 256 }; /* LIMIT: of drones in the records beside those that are plugged in */

struct list {
	const struct services *sv;
	json_t *drones;
	unsigned recorded; /* of them looked at */
	char serials[RECORDED_MAX][SERIAL_TEXT_MAX];
};

static bool
is_listed(const struct list *l, const char *serial)
{
	const json_t *one;
	size_t i;

	json_array_foreach(l->drones, i, one) {
		const char *keys[] = { json_string_value(json_object_get(one, "serial")),
				       json_string_value(json_object_get(one, "dfu_serial")) };

		for (size_t k = 0; k < ARRAY_LEN(keys); k++)
			if (keys[k] != NULL && strcasecmp(keys[k], serial) == 0)
				return true;
	}
	return false;
}

static void
on_drone(void *ctx, const struct store_drone *d)
{
	struct list *l = ctx;
	const char *serial = d->serial != NULL ? d->serial : "";
	json_t *radio = d->radio != NULL ? json_loads(d->radio, 0, NULL) : NULL;

	(void)json_array_append_new(
	    l->drones,
	    json_pack("{s:o, s:o, s:o, s:o, s:n, s:s, s:o, s:o, s:o, s:o}", "serial",
		      reply_text(d->serial), "dfu_serial", reply_text(d->dfu_serial), "name",
		      reply_text(names_of(l->sv->names, serial)), "platform",
		      reply_text(d->platform), "port", "ready", "unknown", "nrf_version",
		      reply_text(d->nrf_version), "radio", radio != NULL ? radio : json_null(),
		      "version", reply_text(d->version), "last_seen", reply_time(d->last_seen_ms)));
}

static void
on_recorded(void *ctx, const char *serial, const char *dfu_serial)
{
	struct list *l = ctx;
	const char *known = serial != NULL && serial[0] != '\0' ? serial : dfu_serial;

	if (known != NULL && l->recorded < RECORDED_MAX && !is_listed(l, known))
		copy_text(l->serials[l->recorded++], SERIAL_TEXT_MAX, known);
}

/* A drone that has a name, and was perhaps never here. */
static void
on_named(void *ctx, const char *serial)
{
	struct list *l = ctx;

	if (!is_listed(l, serial))
		(void)json_array_append_new(
		    l->drones,
		    json_pack("{s:o, s:o, s:s}", "serial", reply_text(serial), "name",
			      reply_text(names_of(l->sv->names, serial)), "ready", "unknown"));
}

static void
add_present(struct list *l, const struct target *t)
{
	static const char *const keys[] = { "serial", "dfu_serial", "name",	  "platform",
					    "port",   "label",	    "verdict",	  "ready",
					    "nrf",    "decks",	    "battery_mv", "remaining",
					    "radio",  "selftest",   "crash",	  NULL };
	struct slot_view v;

	for (unsigned i = 0; i < fleet_slots(l->sv->fleet); i++) {
		json_t *one, *version;

		fleet_view(l->sv->fleet, i, clock_now_us(), &v);
		if (!v.present || v.state == SLOT_FOREIGN || (t != NULL && !t->slots[i]))
			continue;
		one = api_slot_part(l->sv, i, keys);
		version = json_object_get(json_object_get(one, "nrf"), "version");
		(void)json_object_set(one, "nrf_version", version != NULL ? version : json_null());
		(void)json_object_set_new(
		    one, "version",
		    reply_text(v.version_after[0] != '\0' ? v.version_after : v.version_before));
		(void)json_array_append_new(l->drones, one);
	}
}

static void
add_recorded(struct list *l, const struct target *t)
{
	int r = 0;

	if (t != NULL)
		for (size_t i = 0; i < t->drone_count; i++)
			on_recorded(l, t->drones[i].serial, t->drones[i].dfu_serial);
	else
		r = store_drone_begins(l->sv->store, "", RECORDED_MAX, on_recorded, l);
	for (unsigned i = 0; r >= 0 && i < l->recorded; i++)
		r = store_drone_find(l->sv->store, l->serials[i], l->serials[i], on_drone, l);
	if (r < 0)
		log_say(l->sv->log, LOG_WARNING, NULL, "the records of drones cannot be read");
}

void
api_list_drones(void *ctx, struct call *call, json_t *parameters)
{
	const char *text = param_text(parameters, "target");
	struct list l = { .sv = ctx };
	struct target t;

	if (text != NULL) {
		api_find(l.sv, text, true, &t);
		if (t.by == TARGET_NOTHING || t.by == TARGET_AMBIGUOUS) {
			api_refuse_target(l.sv, call, &t);
			return;
		}
	}
	l.drones = json_array();
	add_present(&l, text != NULL ? &t : NULL);
	add_recorded(&l, text != NULL ? &t : NULL);
	if (text == NULL)
		names_each(l.sv->names, on_named, &l);
	call_reply(call, json_pack("{s:o, s:b}", "drones", l.drones, "more",
				   text == NULL && l.recorded == RECORDED_MAX));
}

/* ---- decks ---------------------------------------------------------------------------------- */

/* The image that the slot's drone gets, whose release may have parts for its decks; or NULL. */
static struct image *
release_of(const struct services *sv, unsigned slot)
{
	struct fleet_plan p;

	fleet_plan(sv->fleet, slot, fleet_policy(sv->fleet), &p);
	return p.image;
}

/* Types SlotDeck of one slot.  due: those alone that would be written. */
static void
add_decks(const struct services *sv, unsigned slot, bool due, json_t *list)
{
	static const char *const keys[] = { "port", "label", "serial", "name", NULL };
	struct image *release = release_of(sv, slot);
	struct slot_view v;

	fleet_view(sv->fleet, slot, clock_now_us(), &v);
	for (unsigned i = 0; v.present && i < v.condition->deck_count; i++) {
		const struct deck *d = &v.condition->decks[i];
		const struct image_part *part = image_part_for(release, d->name);
		bool written = deck_update_is_due(d, part);
		json_t *one;

		if (due && !written)
			continue;
		one = api_slot_part(sv, slot, keys);
		(void)json_object_set_new(one, "deck", reply_text(d->name));
		(void)json_object_set_new(one, "state", json_string(deck_state_name(d->state)));
		(void)json_object_set_new(one, "version", reply_text(d->version));
		(void)json_object_set_new(one, "wanted",
					  reply_text(part != NULL ? part->version : NULL));
		(void)json_object_set_new(one, "due", json_boolean(written));
		(void)json_array_append_new(list, one);
	}
}

void
api_list_decks(void *ctx, struct call *call, json_t *parameters)
{
	const struct services *sv = ctx;
	const char *text = param_text(parameters, "target");
	struct target t;
	json_t *list;

	if (text != NULL && !api_find_slots(sv, call, text, &t))
		return;
	list = json_array();
	for (unsigned i = 0; i < fleet_slots(sv->fleet); i++)
		if (text == NULL || t.slots[i])
			add_decks(sv, i, false, list);
	call_reply(call, json_pack("{s:o}", "decks", list));
}

/* The first deck that is due: those behind it follow when the drone has been looked at again. */
static void
begin_deck(struct api_jobs *j, unsigned slot)
{
	struct job_setup setup = { .kind = JOB_DECK, .release = release_of(j->sv, slot) };
	struct slot_view v;

	fleet_view(j->sv->fleet, slot, clock_now_us(), &v);
	for (unsigned i = 0; i < v.condition->deck_count; i++) {
		const struct deck *d = &v.condition->decks[i];

		if (!deck_update_is_due(d, image_part_for(setup.release, d->name)))
			continue;
		copy_text(setup.deck, sizeof(setup.deck), d->name);
		api_jobs_begin(j, slot, &setup);
		return;
	}
}

void
api_update_deck(void *ctx, struct call *call, json_t *parameters)
{
	struct api_jobs j = { .sv = ctx, .call = call };
	json_t *targets = json_object_get(parameters, "targets"), *plans;
	bool wanted[FLEET_SLOTS_MAX] = { false };

	if (!api_find_wanted(j.sv, call, targets, wanted))
		return;
	plans = json_array();
	for (unsigned i = 0; i < fleet_slots(j.sv->fleet); i++)
		if (targets == NULL || wanted[i])
			add_decks(j.sv, i, true, plans);
	j.reply = json_pack("{s:o, s:[]}", "plans", plans, "results");
	for (unsigned i = 0; param_flag(parameters, "yes") && i < fleet_slots(j.sv->fleet); i++)
		if (targets == NULL || wanted[i])
			begin_deck(&j, i);
	api_jobs_wait(&j);
}

/* ---- lights --------------------------------------------------------------------------------- */

/* WHY answered at once: whether it shines, people see. */
void
api_identify(void *ctx, struct call *call, json_t *parameters)
{
	const struct services *sv = ctx;
	const struct job_setup setup = { .kind = JOB_IDENTIFY };
	bool wanted[FLEET_SLOTS_MAX] = { false };
	json_t *slots, *names, *refused;
	char name[API_SLOT_NAME_MAX];

	if (!api_find_wanted(sv, call, json_object_get(parameters, "targets"), wanted))
		return;
	slots = json_array();
	names = json_array();
	refused = json_array();
	for (unsigned i = 0; i < fleet_slots(sv->fleet); i++) {
		int r = wanted[i] ? fleet_special(sv->fleet, i, &setup, clock_now_us()) : 0;

		if (!wanted[i])
			continue;
		api_slot_name(sv, fleet_port(sv->fleet, i), name);
		if (r < 0) {
			reply_note(refused, "%s: no light: %s.", name, api_why_not(r));
			continue;
		}
		(void)json_array_append_new(slots, json_string(fleet_port(sv->fleet, i)));
		(void)json_array_append_new(names, reply_text(name));
	}
	call_reply(
	    call, json_pack("{s:o, s:o, s:o}", "slots", slots, "names", names, "refused", refused));
}
