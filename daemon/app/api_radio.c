/* SPDX-License-Identifier: MIT */
/*
 * The methods SetDrone and AssignDrones: names and radio configurations.  A plan is answered first;
 * only with the operator's word it is carried out.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "app/api.h"
#include "app/clock.h"
#include "app/names.h"
#include "app/ports.h"
#include "app/reply.h"
#include "app/status_stream.h"
#include "app/whole.h"
#include "cfdfu/proto.h"
#include "core/radio_block.h"

enum { ADDRESS_DIGITS = 10 };

static const char *const rates[] = { "250K", "1M", "2M" };

struct radio_plan {
	unsigned slot;
	struct radio_block now, then;
};

/* One call: plans of slots, none twice. */
struct radio_change {
	struct services *sv;
	struct call *call;
	struct radio_plan plans[FLEET_SLOTS_MAX];
	size_t count;
};

/* False after having refused it. */
static bool
take_address(struct call *call, const char *text, uint64_t *ret_address)
{
	if (strncmp(text, "0x", 2) == 0)
		text += 2;
	if (strlen(text) != ADDRESS_DIGITS ||
	    strspn(text, "0123456789abcdefABCDEF") != ADDRESS_DIGITS) {
		call_refuse(call, PROTO_ERROR("Refused"),
			    "An address is 10 hexadecimal digits, such as E7E7E7E701.");
		return false;
	}
	*ret_address = strtoull(text, NULL, 16);
	return true;
}

static bool
is_same(const struct radio_block *a, const struct radio_block *b)
{
	return a->valid && a->channel == b->channel && a->rate == b->rate &&
	       a->address == b->address;
}

/* The slot's radio configuration as it was read; false with why not: a sentence's end. */
static bool
read_radio(const struct services *sv, unsigned slot, struct radio_block *ret_radio,
	   const char **ret_why)
{
	struct slot_view v;

	fleet_view(sv->fleet, slot, clock_now_us(), &v);
	*ret_why = NULL;
	if (!v.present)
		*ret_why = "nothing is plugged in there";
	else if (v.state == SLOT_FOREIGN)
		*ret_why = "what is plugged in there is not a Crazyflie";
	else if (v.active)
		*ret_why = "it is being worked on";
	else if (!v.condition->radio.read)
		*ret_why = "its radio configuration has not been read; that is done when the drone "
			   "is looked at after its update";
	else
		*ret_radio = v.condition->radio;
	return *ret_why == NULL;
}

/* Which radio configuration this slot's drone will have; false: not known. */
static bool
radio_then(const struct radio_change *c, unsigned slot, struct radio_block *ret_radio)
{
	struct slot_view v;

	for (size_t i = 0; i < c->count; i++)
		if (c->plans[i].slot == slot) {
			*ret_radio = c->plans[i].then;
			return true;
		}
	fleet_view(c->sv->fleet, slot, clock_now_us(), &v);
	*ret_radio = v.condition->radio;
	return v.present && v.condition->radio.read;
}

/* False after having refused what would give two drones that are here one address and channel. */
static bool
is_alone(const struct radio_change *c, const struct radio_plan *p)
{
	char name[API_SLOT_NAME_MAX], other[API_SLOT_NAME_MAX];
	struct radio_block b;

	for (unsigned i = 0; i < fleet_slots(c->sv->fleet); i++) {
		if (i == p->slot || !radio_then(c, i, &b) || !radio_block_collides(&b, &p->then))
			continue;
		api_slot_name(c->sv, fleet_port(c->sv->fleet, p->slot), name);
		api_slot_name(c->sv, fleet_port(c->sv->fleet, i), other);
		call_refuse(c->call, PROTO_ERROR("Refused"),
			    "%s would have the address and the channel of %s (%010llX, %d): one "
			    "command would reach both.  Nothing was written.",
			    name, other, (unsigned long long)b.address, b.channel);
		return false;
	}
	return true;
}

/* Types RadioPlan. */
static json_t *
plans_json(const struct radio_change *c)
{
	static const char *const keys[] = { "port", "label", "serial", "name", NULL };
	json_t *list = json_array();

	for (size_t i = 0; i < c->count; i++) {
		const struct radio_plan *p = &c->plans[i];
		json_t *one = api_slot_part(c->sv, p->slot, keys);

		(void)json_object_set_new(one, "now", whole_radio(&p->now));
		(void)json_object_set_new(one, "then", whole_radio(&p->then));
		(void)json_object_set_new(one, "same", json_boolean(is_same(&p->now, &p->then)));
		(void)json_array_append_new(list, one);
	}
	return list;
}

/* Answers with the plan, or has it carried out. */
static void
carry_out(struct radio_change *c, bool yes, json_t *name)
{
	struct api_jobs jobs = { .sv = c->sv, .call = c->call };

	jobs.reply = json_pack("{s:o, s:o, s:[]}", "plans", plans_json(c), "name", name, "results");
	for (size_t i = 0; yes && i < c->count; i++) {
		/* WHY by force where it is not valid: that it is not was shown. */
		struct job_setup setup = { .kind = JOB_EEPROM,
					   .radio = c->plans[i].then,
					   .force = !c->plans[i].now.valid };

		if (!is_same(&c->plans[i].now, &c->plans[i].then))
			api_jobs_begin(&jobs, c->plans[i].slot, &setup);
	}
	api_jobs_wait(&jobs);
}

/* ---- one drone ------------------------------------------------------------------------------ */

static void
on_attempt(void *ctx, const struct store_attempt *a)
{
	struct radio_block *old = ctx;
	const char *hex = a->radio_before;

	if (old->read || hex == NULL || strlen(hex) != 2 * RADIO_BLOCK_BYTES)
		return;
	for (size_t i = 0; i < RADIO_BLOCK_BYTES; i++) {
		char digits[3] = { hex[2 * i], hex[2 * i + 1], '\0' };

		old->bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	old->read = true;
}

/* The one that was replaced last, byte for byte.  False after having refused. */
static bool
find_old(struct radio_change *c, const char *serial, struct radio_block *ret_old)
{
	struct store_filter f = { .serial = serial, .kind = "eeprom", .limit = 50 };
	struct radio_block old = { .read = false };
	uint8_t bytes[RADIO_BLOCK_BYTES];
	int r = store_history(c->sv->store, &f, on_attempt, &old);

	if (r < 0)
		refuse_store(c->call, c->sv->store, r, "Its records cannot be read");
	else if (!old.read)
		call_refuse(c->call, PROTO_ERROR("Refused"),
			    "This station has not replaced the radio configuration of %s: there "
			    "is nothing to restore.",
			    serial);
	if (r < 0 || !old.read)
		return false;
	memcpy(bytes, old.bytes, sizeof(bytes));
	radio_block_decode(ret_old, bytes);
	ret_old->read = true;
	return true;
}

/* False after having refused a value. */
static bool
take_values(struct call *call, json_t *parameters, struct radio_block *b)
{
	const char *address = param_text(parameters, "address");
	const char *rate = param_text(parameters, "rate");
	json_t *channel = json_object_get(parameters, "channel");
	size_t n = 0;

	while (rate != NULL && n < ARRAY_LEN(rates) && strcasecmp(rates[n], rate) != 0)
		n++;
	if (address != NULL && !take_address(call, address, &b->address))
		return false;
	if (n == ARRAY_LEN(rates) || json_integer_value(channel) > RADIO_CHANNEL_MAX) {
		call_refuse(call, PROTO_ERROR("Refused"),
			    n == ARRAY_LEN(rates) ? "A rate is 250K, 1M or 2M."
						  : "A channel is 0 to 125.");
		return false;
	}
	if (rate != NULL)
		b->rate = (uint8_t)n;
	if (channel != NULL)
		b->channel = (uint8_t)json_integer_value(channel);
	return true;
}

static bool
wants_radio(json_t *parameters)
{
	return param_text(parameters, "address") != NULL ||
	       param_text(parameters, "rate") != NULL ||
	       json_object_get(parameters, "channel") != NULL || param_flag(parameters, "restore");
}

/* Plans for the one slot that is meant; false after having refused. */
static bool
plan_one(struct radio_change *c, const struct target *t, json_t *parameters)
{
	struct radio_plan *p = &c->plans[0];
	const char *why;
	char name[API_SLOT_NAME_MAX];

	if (t->slot_count == 0) {
		call_refuse(c->call, PROTO_ERROR("Refused"),
			    "%s is not plugged in: its radio configuration cannot be written.",
			    t->text);
		return false;
	}
	if (api_refuse_several(c->call, t))
		return false;
	while (!t->slots[p->slot])
		p->slot++;
	if (!read_radio(c->sv, p->slot, &p->now, &why)) {
		api_slot_name(c->sv, fleet_port(c->sv->fleet, p->slot), name);
		call_refuse(c->call, PROTO_ERROR("Refused"), "%s: nothing was written: %s.", name,
			    why);
		return false;
	}
	p->then = p->now;
	p->then.read = false;
	p->then.valid = true;
	c->count = 1;
	if (param_flag(parameters, "restore") && !find_old(c, t->key, &p->then))
		return false;
	(void)take_values(c->call, parameters, &p->then); /* they were looked at before */
	return is_alone(c, p);
}

/* The drone's run-time serial, by which it is named, in t->key; false after having refused. */
static bool
find_drone(struct radio_change *c, const char *text, struct target *t)
{
	struct slot_view v;

	api_find(c->sv, text, true, t);
	if (t->by == TARGET_NOTHING || t->by == TARGET_AMBIGUOUS) {
		api_refuse_target(c->sv, c->call, t);
		return false;
	}
	if (t->by == TARGET_SERIAL && t->drones[0].serial[0] != '\0')
		return true;
	if (api_refuse_several(c->call, t))
		return false;
	t->key[0] = '\0';
	for (unsigned i = 0; i < fleet_slots(c->sv->fleet); i++) {
		fleet_view(c->sv->fleet, i, clock_now_us(), &v);
		if (t->slots[i])
			copy_text(t->key, sizeof(t->key), v.serial);
	}
	if (t->key[0] == '\0')
		call_refuse(c->call, PROTO_ERROR("Refused"),
			    "No drone with a known serial is at %s: it is known once it was seen "
			    "running.",
			    text);
	return t->key[0] != '\0';
}

/* False after having refused the name.  "": none any more. */
static bool
give_name(struct radio_change *c, const char *serial, const char *name)
{
	char why[SETTINGS_WHY_MAX];
	struct target other;
	int r;

	api_find(c->sv, name, false, &other);
	if (name[0] != '\0' && other.by != TARGET_NOTHING &&
	    names_serial(c->sv->names, name) == NULL) {
		call_refuse(c->call, PROTO_ERROR("Refused"),
			    "\"%s\" names a slot or a serial already: the name is not given.",
			    name);
		return false;
	}
	r = names_set(c->sv->names, serial, name[0] != '\0' ? name : NULL, why);
	if (r == 0) {
		status_stream_renew(c->sv->stream);
		return true;
	}
	if (why[0] != '\0')
		call_refuse(c->call, PROTO_ERROR("Refused"), "The name is not given: %s.", why);
	else
		refuse_store(c->call, c->sv->store, r, "The name is not given");
	return false;
}

void
api_set_drone(void *ctx, struct call *call, json_t *parameters)
{
	struct radio_change c = { .sv = ctx, .call = call };
	const char *name = param_text(parameters, "name");
	bool yes = param_flag(parameters, "yes"), radio = wants_radio(parameters);
	struct radio_block values;
	struct target t;

	if (!radio && name == NULL)
		call_invalid(call, "name");
	else if (take_values(call, parameters, &values) &&
		 find_drone(&c, param_text(parameters, "target"), &t) &&
		 (!radio || plan_one(&c, &t, parameters)) &&
		 (name == NULL || (radio && !yes) || give_name(&c, t.key, name)))
		carry_out(&c, yes, reply_text(names_of(c.sv->names, t.key)));
}

/* ---- all of them ---------------------------------------------------------------------------- */

struct candidate {
	unsigned slot;
	char key[PATH_TEXT_MAX]; /* they are in this order */
};

static int
compare(const void *a, const void *b)
{
	return strverscmp(((const struct candidate *)a)->key, ((const struct candidate *)b)->key);
}

/* The drones that are plugged in, in order; false after having refused because of one of them. */
static bool
find_candidates(struct radio_change *c, bool by_name, struct candidate *list, size_t *ret_count)
{
	size_t count = 0;

	for (unsigned i = 0; i < fleet_slots(c->sv->fleet); i++) {
		char slot_name[API_SLOT_NAME_MAX];
		const char *why, *name;
		struct radio_block unused;
		struct slot_view v;

		fleet_view(c->sv->fleet, i, clock_now_us(), &v);
		if (!v.present || v.state == SLOT_FOREIGN)
			continue;
		name = names_of(c->sv->names, v.serial);
		if (read_radio(c->sv, i, &unused, &why) && by_name && name == NULL)
			why = "it has no name";
		api_slot_name(c->sv, v.port, slot_name);
		if (why != NULL) {
			call_refuse(c->call, PROTO_ERROR("Refused"),
				    "%s cannot be given an address now: %s.  Nothing was written.",
				    slot_name, why);
			return false;
		}
		list[count].slot = i;
		copy_text(list[count++].key, PATH_TEXT_MAX, by_name ? name : v.port);
	}
	qsort(list, count, sizeof(*list), compare);
	*ret_count = count;
	return true;
}

/* The n-th of them gets base + n. */
static bool
plan_all(struct radio_change *c, uint64_t base, bool by_name)
{
	struct candidate list[FLEET_SLOTS_MAX];
	const char *why;
	size_t count = 0;

	if (!find_candidates(c, by_name, list, &count))
		return false;
	if (count == 0 || base + count - 1 > RADIO_ADDRESS_MAX) {
		call_refuse(c->call, PROTO_ERROR("Refused"),
			    count == 0 ? "No drone is plugged in."
				       : "There are not so many addresses from that one on.");
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		struct radio_plan *p = &c->plans[c->count++];

		p->slot = list[i].slot;
		(void)read_radio(c->sv, p->slot, &p->now, &why); /* as a moment ago */
		p->then = p->now;
		p->then.read = false;
		p->then.valid = true;
		p->then.address = base + i;
	}
	for (size_t i = 0; i < count; i++)
		if (!is_alone(c, &c->plans[i]))
			return false;
	return true;
}

void
api_assign_drones(void *ctx, struct call *call, json_t *parameters)
{
	struct radio_change c = { .sv = ctx, .call = call };
	const char *by = param_text(parameters, "by");
	uint64_t base = 0;

	if (by != NULL && strcmp(by, "slot") != 0 && strcmp(by, "name") != 0)
		call_invalid(call, "by");
	else if (take_address(call, param_text(parameters, "base"), &base) &&
		 plan_all(&c, base, by != NULL && strcmp(by, "name") == 0))
		carry_out(&c, param_flag(parameters, "yes"), json_null());
}
