/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/status.h"

#include <string.h>

#include "app/api.h"
#include "app/batches.h"
#include "app/clock.h"
#include "app/names.h"
#include "app/ports.h"
#include "app/quarantine.h"
#include "app/reply.h"
#include "app/rack.h"
#include "app/repository.h"
#include "app/whole.h"
#include "core/outcome.h"
#include "core/platform.h"
#include "core/todo.h"
#include "firmware/digest.h"

enum { ALIKE_MIN = 3 }; /* so many failures of the computer's side have one cause */

const char *
status_quarantined(const struct services *sv, const char *sha256_text)
{
	uint8_t sha256[DIGEST_BYTES];

	if (sha256_text == NULL || !digest_parse(sha256_text, sha256))
		return NULL;
	return policy_quarantined(fleet_policy(sv->fleet), sha256);
}

static json_t *
selection(const struct services *sv, enum platform p, const struct image *image)
{
	const struct image_label *label = image_label(image);
	char sha256[DIGEST_TEXT_MAX], problem[STORE_WHY_MAX];

	digest_format(label->sha256, sha256);
	(void)repository_trouble(sv->repository, label->name, problem);
	return json_pack("{s:s, s:s, s:o, s:s, s:b, s:b, s:o}", "platform", platform_name(p),
			 "name", label->name, "version", reply_text(label->version), "sha256",
			 sha256, "incomplete", label->incomplete, "quarantined",
			 policy_quarantined(fleet_policy(sv->fleet), label->sha256) != NULL,
			 "problem", reply_text(problem));
}

static void
on_row(void *ctx, const struct store_firmware *f)
{
	json_t *one = ctx;

	(void)json_object_set_new(one, "version", reply_text(f->version));
	(void)json_object_set_new(one, "sha256", reply_text(f->sha256));
	(void)json_object_set_new(one, "incomplete", json_boolean(f->incomplete));
}

/* The members of a selection that its row of the catalogue tells, and what is wrong with it. */
static void
add_row(const struct services *sv, json_t *one, const char *name)
{
	char problem[STORE_WHY_MAX];

	(void)json_object_set_new(one, "version", json_null());
	(void)json_object_set_new(one, "sha256", json_string("")); /* not a ?string */
	if (repository_trouble(sv->repository, name, problem))
		(void)json_object_set_new(one, "problem", reply_text(problem));
	/* That the database cannot be read is said by health. */
	(void)!store_firmware_find(sv->store, name, on_row, one);
}

/* One whose image cannot be used is as selected as the others: only the records know of it. */
static json_t *
lost_selection(const struct services *sv, enum platform p)
{
	char name[STORE_NAME_MAX];
	json_t *one;

	if (store_get(sv->store, STORE_SELECTED, platform_name(p), name, sizeof(name)) <= 0)
		return NULL;
	one = json_pack("{s:s, s:s}", "platform", platform_name(p), "name", name);
	add_row(sv, one, name);
	(void)json_object_del(one, "incomplete"); /* it says nothing of an image that is lost */
	return one;
}

json_t *
status_selected(const struct services *sv)
{
	const struct policy *policy = fleet_policy(sv->fleet);
	json_t *list = json_array();

	for (enum platform p = PLATFORM_UNKNOWN + 1; p < PLATFORM_COUNT; p++) {
		const struct image *image = policy_selected(policy, p);
		json_t *one = image != NULL		  ? selection(sv, p, image)
			      : policy_is_lost(policy, p) ? lost_selection(sv, p)
							  : NULL;

		if (one != NULL && json_array_append_new(list, one) < 0)
			break;
	}
	return list;
}

static json_t *
counts(const struct services *sv)
{
	struct fleet_counts c;

	fleet_counts(sv->fleet, &c);
	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}",
			 "present", (int)c.present, "active", (int)c.active, "pass",
			 (int)c.ended[VERDICT_PASS], "unchanged", (int)c.ended[VERDICT_UNCHANGED],
			 "failed", (int)c.failed, "skipped", (int)c.ended[VERDICT_SKIPPED],
			 "needs_power_cycle", (int)c.ended[VERDICT_NEEDS_POWER_CYCLE],
			 "needs_button", (int)c.ended[VERDICT_NEEDS_BUTTON], "interrupted",
			 (int)c.ended[VERDICT_INTERRUPTED], "waiting",
			 (int)c.of[SLOT_CLASS_WAITING], "quarantined",
			 (int)c.of[SLOT_CLASS_QUARANTINED], "foreign",
			 (int)c.of[SLOT_CLASS_FOREIGN], "unserved", (int)c.of[SLOT_CLASS_UNSERVED]);
}

struct setting_list {
	json_t *list;
	const char *value_name;
};

static void
on_setting(void *ctx, const char *name, const char *value)
{
	struct setting_list *l = ctx;

	(void)json_array_append_new(l->list,
				    json_pack("{s:s, s:s}", "target", name, l->value_name, value));
}

static json_t *
settings(const struct services *sv, enum store_scope scope, const char *value_name)
{
	struct setting_list l = { json_array(), value_name };

	if (l.list != NULL && store_each(sv->store, scope, on_setting, &l) < 0)
		(void)json_array_clear(l.list); /* the database cannot be read: health says so */
	return l.list;
}

json_t *
status_rules(const struct services *sv)
{
	return settings(sv, STORE_PLATFORM, "platform");
}

/* OwnSelection: the name is remembered by target, the rest by name. */
json_t *
status_own(const struct services *sv)
{
	json_t *list = settings(sv, STORE_OWN, "name"), *own;
	size_t i;

	json_array_foreach(list, i, own) {
		const char *sum;

		add_row(sv, own, json_string_value(json_object_get(own, "name")));
		sum = json_string_value(json_object_get(own, "sha256"));
		(void)json_object_set_new(own, "quarantined",
					  json_boolean(status_quarantined(sv, sum) != NULL));
	}
	return list;
}

static json_t *
foreign(const struct services *sv)
{
	json_t *list = json_array();

	for (size_t i = 0; ports_foreign_drone(sv->ports, i) != NULL; i++)
		(void)json_array_append_new(list,
					    json_string(ports_foreign_drone(sv->ports, i)->port));
	return list;
}

static void
add_note(json_t *notes, const char *text)
{
	json_t *note;
	size_t i;

	json_array_foreach(notes, i, note) {
		if (strcmp(json_string_value(note), text) == 0)
			return;
	}
	(void)json_array_append_new(notes, json_string(text));
}

/* Sentences that hold for several slots, told once. */
static json_t *
notes(const struct services *sv)
{
	unsigned alike[FAULT_COUNT] = { 0 };
	json_t *list = json_array();
	char text[512];

	if (ports_refused(sv->ports) > 0) {
		(void)snprintf(text, sizeof(text),
			       "%zu more plugged in than the station has slots (%d): not looked "
			       "at until others are unplugged.",
			       ports_refused(sv->ports), FLEET_SLOTS_MAX);
		add_note(list, text);
	}
	for (unsigned i = 0; i < fleet_slots(sv->fleet); i++) {
		const char *cause = fleet_common_cause(sv->fleet, i);
		struct slot_view v;

		fleet_view(sv->fleet, i, clock_now_us(), &v);
		if (cause != NULL)
			add_note(list, cause);
		if (v.verdict.kind == VERDICT_FAIL)
			alike[v.verdict.fault]++;
	}
	for (enum fault f = FAULT_NONE + 1; f < FAULT_COUNT; f++) {
		if (alike[f] < ALIKE_MIN || fault_class_of(f) != CLASS_HOST)
			continue;
		(void)snprintf(text, sizeof(text), "%u drones failed alike: %s %s", alike[f],
			       fault_sentence(f), fault_advice(f));
		add_note(list, text);
	}
	return list;
}

static json_t *
paused_by(const struct services *sv)
{
	if (!fleet_paused(sv->fleet))
		return json_null();
	if (quarantine_brake(sv->quarantine) != NULL)
		return json_string("brake");
	return json_string(batch_stopped(fleet_batch(sv->fleet))[0] != '\0' ? "batch" : "operator");
}

const char *
status_health(const struct services *sv, char ret_why[STORE_WHY_MAX])
{
	ret_why[0] = '\0';
	return store_health(sv->store, ret_why) == STORE_DEGRADED ? "degraded" : "ok";
}

const char status_may_not_begin[] =
    "No drone is flashed while the records cannot be written: 'cfdfuctl doctor' says why.";

bool
status_may_begin(const struct services *sv)
{
	return store_health(sv->store, NULL) != STORE_DEGRADED;
}

static json_t *
rules(const struct services *sv, const json_t *known)
{
	json_t *list = json_object_get(known, "rules");

	return list != NULL ? json_incref(list) : status_rules(sv);
}

/* Each member has parts that change without a record. */
static json_t *
own(const struct services *sv, const json_t *known)
{
	json_t *list = json_object_get(known, "own");

	return list != NULL && json_array_size(list) == 0 ? json_incref(list) : status_own(sv);
}

json_t *
status_station(const struct services *sv, const json_t *known)
{
	char why[STORE_WHY_MAX];
	const char *health = status_health(sv, why);

	return json_pack(
	    "{s:s, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:s, s:o, s:o, s:O?, s:o, s:o, s:o}", "state",
	    fleet_paused(sv->fleet) ? "paused" : "armed", "selected", status_selected(sv), "counts",
	    counts(sv), "own", own(sv, known), "rules", rules(sv, known), "health", health,
	    "reason", reply_text(why), "eta_s",
	    reply_number(fleet_eta_s(sv->fleet, clock_now_us()), -1), "version", PACKAGE_VERSION,
	    "outside", foreign(sv), "paused_by", paused_by(sv), "brake",
	    quarantine_brake(sv->quarantine), "notes", notes(sv), "rack", rack_size(sv), "batch",
	    batches_json(sv->batches, NULL));
}

static const char *
mode_name(enum slot_mode mode)
{
	switch (mode) {
	case SLOT_RUNTIME:
		return "runtime";
	case SLOT_DFU:
		return "dfu";
	case SLOT_NONE:
		break;
	}
	return "none";
}

static const char *
advice_of(const struct slot_view *v)
{
	if (v->whole_words != NULL)
		return v->whole_words;
	if (v->verdict.fault != FAULT_NONE)
		return fault_advice(v->verdict.fault);
	return v->verdict.kind != VERDICT_NONE ? verdict_advice(v->verdict.kind) : NULL;
}

static const char *
message_of(const struct services *sv, const struct slot_view *v)
{
	bool waits = v->state == SLOT_IDLE || v->state == SLOT_WAITING;

	if (waits && v->present && v->verdict.kind == VERDICT_NONE && !status_may_begin(sv))
		return status_may_not_begin;
	return v->message;
}

static json_t *
message_json(const struct services *sv, const struct slot_view *v)
{
	char text[JOB_MESSAGE_MAX + 256];
	const char *message = message_of(sv, v);
	const char *more = v->quarantine_words != NULL ? v->quarantine_words : v->whole_words;

	/* One that is at work has no message. */
	if (message[0] == '\0' || more == NULL)
		more = "";
	(void)snprintf(text, sizeof(text), "%s%s%s", message, more[0] != '\0' ? " " : "", more);
	return reply_words(text, v->port);
}

json_t *
status_slot(const struct services *sv, unsigned slot)
{
	struct rack_place place = rack_place(sv, slot);
	struct slot_view v;
	json_t *one, *whole;

	fleet_view(sv->fleet, slot, clock_now_us(), &v);
	one = json_pack(
	    "{s:s, s:o, s:b, s:s, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
	    "s:b, s:o, s:s, s:o, s:b, s:o, s:o, s:o, s:o}",
	    "port", v.port, "label", reply_text(ports_label(sv->ports, v.port)), "present",
	    v.present, "mode", mode_name(v.mode), "serial", reply_text(v.serial), "dfu_serial",
	    reply_text(v.dfu_serial), "platform", reply_platform(v.platform), "state",
	    slot_state_name(v.state, v.step), "percent", reply_number(v.percent, -1), "eta_s",
	    reply_number(fleet_slot_eta_s(sv->fleet, slot, clock_now_us()), -1), "verdict",
	    reply_text(verdict_name(v.verdict.kind)), "fault",
	    reply_text(fault_name(v.verdict.fault)), "step", reply_text(step_name(v.step)),
	    "message", message_json(sv, &v), "version_before", reply_text(v.version_before),
	    "version_after", reply_text(v.version_after), "attempt", reply_number(v.attempt, 0),
	    "safe_to_unplug", !v.active, "advice", reply_words(advice_of(&v), v.port), "class",
	    slot_class_name(v.class), "name", reply_text(names_of(sv->names, v.serial)), "checking",
	    v.readiness->under_way, "batch",
	    reply_text(v.in_batch ? batch_terms(fleet_batch(sv->fleet))->name : NULL), "row",
	    reply_number(place.row, 0), "column", reply_number(place.column, 0), "todo",
	    reply_text(todo_of(&v)));
	whole = whole_slot(sv, slot, &v);
	(void)json_object_update(one, whole); /* without memory the answer is not sent */
	json_decref(whole);
	return one;
}
