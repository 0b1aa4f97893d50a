/* SPDX-License-Identifier: MIT */
/* The methods SetBatchDefaults, StartBatch, EndBatch, ListBatches and GetBatch. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/api.h"
#include "app/batches.h"
#include "app/clock.h"
#include "app/names.h"
#include "app/ports.h"
#include "app/recorder.h"
#include "app/reply.h"
#include "app/settings.h"
#include "app/status_stream.h"
#include "cfdfu/proto.h"
#include "store/batch.h"

enum {
	MISSING_MAX = 20, /* LIMIT: of drones that are named as missing */
	LIST_US = 10000,  /* LIMIT: of counting what came of batches, for a list of them */
	DEFAULTS_MAX = 128,
};
#define DEFAULTS "batch-defaults" /* of STORE_STATION: parameters of SetBatchDefaults */

/* ---- what is missing ------------------------------------------------------------------------ */

struct missing {
	const struct services *sv;
	json_t *list;
	bool seen[FLEET_SLOTS_MAX]; /* something was flashed there */
	unsigned drones;	    /* in the list */
};

static void
on_port(void *ctx, const char *port)
{
	struct missing *m = ctx;
	int slot = fleet_find(m->sv->fleet, port);

	if (slot >= 0)
		m->seen[slot] = true;
}

/* Is it in one of the slots that are named? */
static bool
is_named_by_slot(const struct missing *m, const char *serial)
{
	struct slot_view v;

	for (unsigned i = 0; i < fleet_slots(m->sv->fleet); i++) {
		fleet_view(m->sv->fleet, i, clock_now_us(), &v);
		if (v.present && !m->seen[i] && ports_label(m->sv->ports, v.port) != NULL &&
		    strcmp(v.serial, serial) == 0)
			return true;
	}
	return false;
}

/* A drone, a slot, or a drone that is in a slot now (without a last time). */
static void
on_missing(void *ctx, const struct store_absent *a)
{
	struct missing *m = ctx;
	const char *serial = a->serial != NULL ? a->serial : a->dfu_serial;
	const char *name = names_of(m->sv->names, a->serial);
	char place[BATCH_PLACE_MAX] = "", text[512];

	if (serial != NULL && a->last_ms != 0 && is_named_by_slot(m, serial))
		return;
	m->drones += serial != NULL;
	if (a->port != NULL)
		batch_place(a->label, a->port, place);
	if (serial == NULL)
		(void)snprintf(text, sizeof(text), "No drone was flashed in slot %s.", place);
	else if (a->port != NULL && a->last_ms == 0)
		(void)snprintf(text, sizeof(text), "Drone %s, in slot %s, was not flashed.",
			       name != NULL ? name : serial, place);
	else
		(void)snprintf(text, sizeof(text), "Drone %s was not flashed%s%s.",
			       name != NULL ? name : serial,
			       a->port != NULL ? "; it was last in slot " : "", place);
	(void)json_array_append_new(
	    m->list,
	    json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "port", reply_text(a->port), "label",
		      reply_text(a->label), "name", reply_text(name), "serial", reply_text(serial),
		      "last_seen", reply_time(a->last_ms), "text", reply_text(text)));
}

static void
add_slots(struct missing *m)
{
	struct slot_view v;

	for (unsigned i = 0; i < fleet_slots(m->sv->fleet); i++) {
		const char *label = ports_label(m->sv->ports, fleet_port(m->sv->fleet, i));

		fleet_view(m->sv->fleet, i, clock_now_us(), &v);
		if (label != NULL && !m->seen[i])
			on_missing(
			    m, &(struct store_absent){
				   .port = v.port,
				   .label = label,
				   .serial = v.present && v.serial[0] != '\0' ? v.serial : NULL });
	}
}

static void
on_known(void *ctx, const struct store_drone *d)
{
	(void)ctx; /* only whether there is one matters */
	(void)d;
}

/* One with a name that was never here. */
static void
on_named(void *ctx, const char *serial)
{
	struct missing *m = ctx;

	if (m->drones < MISSING_MAX &&
	    store_drone_find(m->sv->store, serial, NULL, on_known, NULL) == 0)
		on_missing(m, &(struct store_absent){ .serial = serial });
}

/* It cannot be read: then nothing is missing that is known; health says so. */
static json_t *
missing(const struct services *sv, int64_t batch)
{
	struct missing m = { .sv = sv, .list = json_array() };

	if (store_batch_ports(sv->store, batch, on_port, &m) < 0)
		return m.list;
	add_slots(&m);
	if (store_batch_absent(sv->store, batch, MISSING_MAX, on_missing, &m) == 0)
		names_each(sv->names, on_named, &m);
	return m.list;
}

/* ---- answers -------------------------------------------------------------------------------- */

struct one {
	const struct services *sv;
	int64_t id;
	unsigned expect;
	json_t *batch;
};

static bool
on_batch(void *ctx, const struct store_batch *row)
{
	struct one *one = ctx;

	one->id = row->id;
	one->expect = row->expect;
	one->batch = batches_json(one->sv->batches, row);
	return false;
}

/* The one of this name; NULL: the newest.  False after having answered that it cannot be. */
static bool
find(struct one *one, struct call *call, const char *name)
{
	int r = store_batch_each(one->sv->store, name, on_batch, one);

	if (r == 0)
		call_error(call, PROTO_ERROR("NoSuchBatch"),
			   json_pack("{s:s}", "name", name != NULL ? name : ""));
	else if (r < 0)
		refuse_store(call, one->sv->store, r, "The records cannot be read");
	return r > 0;
}

bool
api_find_batch(const struct services *sv, struct call *call, const char *name, int64_t *ret_id)
{
	struct one one = { .sv = sv };
	bool found = find(&one, call, name);

	json_decref(one.batch);
	*ret_id = one.id;
	return found;
}

static void
answer(const struct services *sv, struct call *call, const char *name)
{
	struct one one = { .sv = sv };

	if (!find(&one, call, name))
		return;
	if (json_integer_value(json_object_get(one.batch, "drones")) < one.expect)
		(void)json_object_set_new(one.batch, "missing", missing(sv, one.id));
	call_reply(call, json_pack("{s:o}", "batch", one.batch));
}

void
api_get_batch(void *ctx, struct call *call, json_t *parameters)
{
	answer(ctx, call, param_text(parameters, "name"));
}

struct list {
	const struct services *sv;
	json_t *batches;
	uint64_t from_us;
};

static bool
on_listed(void *ctx, const struct store_batch *row)
{
	struct list *l = ctx;

	return clock_now_us() - l->from_us < LIST_US &&
	       json_array_append_new(l->batches, batches_json(l->sv->batches, row)) == 0;
}

void
api_list_batches(void *ctx, struct call *call, json_t *parameters)
{
	struct list l = { .sv = ctx, .batches = json_array(), .from_us = clock_now_us() };
	int r = store_batch_each(l.sv->store, NULL, on_listed, &l);

	(void)parameters;
	if (r >= 0) {
		call_reply(call, json_pack("{s:o, s:b}", "batches", l.batches, "more", r > 0));
		return;
	}
	json_decref(l.batches);
	refuse_store(call, l.sv->store, r, "The records cannot be read");
}

/* False after having answered that it makes no sense. */
static bool
read_count(struct call *call, const json_t *said, const char *name, unsigned max, unsigned *count)
{
	json_t *value = json_object_get(said, name);
	json_int_t n = json_is_integer(value) ? json_integer_value(value) : *count;

	if (n < 0 || n > max) {
		call_invalid(call, name);
		return false;
	}
	*count = (unsigned)n;
	return true;
}

/* Those of a call, or kept ones, over what is there. */
static bool
read_terms(struct call *call, const json_t *said, struct batch_terms *t)
{
	return read_count(call, said, "expect", BATCH_DRONES_MAX, &t->expect) &&
	       read_count(call, said, "canary", BATCH_CANARY_MAX, &t->canary) &&
	       read_count(call, said, "stop_after", BATCH_DRONES_MAX, &t->stop_after);
}

void
api_set_batch_defaults(void *ctx, struct call *call, json_t *parameters)
{
	const struct services *sv = ctx;
	struct store_time now = clock_time(sv->clock);
	struct batch_terms terms = { .expect = 0 };
	char *text;
	int r;

	if (!read_terms(call, parameters, &terms))
		return;
	recorder_look(sv->recorder, true);
	text = json_dumps(parameters, JSON_COMPACT);
	r = text != NULL ? store_set(sv->store, STORE_STATION, DEFAULTS, text, &now) : -ENOMEM;
	free(text);
	if (r == 0)
		r = store_commit(sv->store, &now);
	if (r == 0)
		call_reply(call, json_object());
	else
		refuse_store(call, sv->store, r, "The defaults of batches cannot be kept");
}

void
api_start_batch(void *ctx, struct call *call, json_t *parameters)
{
	const struct services *sv = ctx;
	const char *name = param_text(parameters, "name");
	struct batch_terms terms = { .canary = sv->settings->batch_canary,
				     .stop_after = sv->settings->batch_stop_after };
	char text[DEFAULTS_MAX] = "";
	json_t *kept;
	bool fine;
	int r = -EINVAL;

	(void)!store_get(sv->store, STORE_STATION, DEFAULTS, text, sizeof(text)); /* none */
	kept = json_loads(text, 0, NULL);
	fine = read_terms(call, kept, &terms) && read_terms(call, parameters, &terms);
	json_decref(kept);
	if (!fine)
		return;
	recorder_look(sv->recorder, true);
	copy_text(terms.name, sizeof(terms.name), name);
	if (strcmp(terms.name, name) == 0)
		r = batches_start(sv->batches, &terms, call_peer(call)->user);
	if (r == 0)
		answer(sv, call, name);
	else if (r == -EINVAL)
		call_invalid(call, "name");
	else if (r == -EEXIST)
		call_error(call, PROTO_ERROR("NameTaken"),
			   json_pack("{s:s, s:s}", "name", name, "reason",
				     "There is a batch of this name already; choose another."));
	else if (r == -EBUSY)
		call_refuse(call, PROTO_ERROR("Refused"),
			    "A batch runs; 'cfdfuctl batch end' ends it.");
	else
		refuse_store(call, sv->store, r, "The batch was not begun");
}

void
api_end_batch(void *ctx, struct call *call, json_t *parameters)
{
	const struct services *sv = ctx;
	int r;

	(void)parameters;
	recorder_look(sv->recorder, true);
	r = batches_end(sv->batches);
	status_stream_renew(sv->stream); /* the slots of its drones change */
	if (r == -ENOENT)
		call_refuse(call, PROTO_ERROR("Refused"), "No batch runs.");
	else if (r < 0)
		refuse_store(call, sv->store, r, "The end of the batch is not recorded yet");
	else
		answer(sv, call, NULL);
}
