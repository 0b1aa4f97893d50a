/* SPDX-License-Identifier: MIT */
/* The methods StartBatch, EndBatch, ListBatches and GetBatch. */
#include "config.h"

#include <errno.h>
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
};

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

static void
add_slots(struct missing *m)
{
	for (unsigned i = 0; i < fleet_slots(m->sv->fleet); i++) {
		const char *port = fleet_port(m->sv->fleet, i);
		const char *label = ports_label(m->sv->ports, port);
		char place[API_SLOT_NAME_MAX], text[2 * API_SLOT_NAME_MAX];

		if (label == NULL || m->seen[i])
			continue;
		api_slot_name(m->sv, port, place);
		(void)snprintf(text, sizeof(text), "No drone was flashed in slot %s.", place);
		(void)json_array_append_new(
		    m->list, json_pack("{s:s, s:o, s:n, s:n, s:n, s:o}", "port", port, "label",
				       reply_text(label), "name", "serial", "last_seen", "text",
				       reply_text(text)));
	}
}

static void
on_absent(void *ctx, const struct store_absent *a)
{
	struct missing *m = ctx;
	const char *serial = a->serial != NULL ? a->serial : a->dfu_serial;
	const char *name = names_of(m->sv->names, a->serial);
	char place[BATCH_PLACE_MAX], text[512];

	if (m->drones++ == MISSING_MAX)
		return;
	batch_place(a->label != NULL ? a->label : "", a->port != NULL ? a->port : "", place);
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
		on_absent(m, &(struct store_absent){ .serial = serial });
}

/* ---- answers -------------------------------------------------------------------------------- */

struct one {
	const struct services *sv;
	int64_t id;
	unsigned expect;
	json_t *batch;
};

static void
on_batch(void *ctx, const struct store_batch *row)
{
	struct one *one = ctx;

	one->id = row->id;
	one->expect = row->expect;
	one->batch = batches_json(one->sv->batches, row);
}

static int
add_missing(const struct one *one)
{
	struct missing m = { .sv = one->sv };
	int r = store_batch_ports(one->sv->store, one->id, on_port, &m);

	m.list = json_array();
	if (r == 0) {
		add_slots(&m);
		r = store_batch_absent(one->sv->store, one->id, MISSING_MAX, on_absent, &m);
	}
	if (r == 0)
		names_each(one->sv->names, on_named, &m);
	(void)json_object_set_new(one->batch, "missing", m.list);
	return r;
}

/* Of the one of this name; NULL: the newest.  False: there is none; or after having answered. */
static bool
answer(const struct services *sv, struct call *call, const char *name)
{
	struct one one = { .sv = sv };
	int r = store_batch_find(sv->store, name, on_batch, &one);

	if (r == 0)
		return false;
	if (r > 0 && json_integer_value(json_object_get(one.batch, "drones")) < one.expect)
		r = add_missing(&one);
	if (r >= 0) {
		call_reply(call, json_pack("{s:o}", "batch", one.batch));
		return true;
	}
	json_decref(one.batch);
	refuse_store(call, sv->store, r, "The records cannot be read");
	return true;
}

static void
refuse_unknown(struct call *call, const char *name)
{
	call_error(call, PROTO_ERROR("NoSuchBatch"), json_pack("{s:s}", "name", name));
}

bool
api_find_batch(const struct services *sv, struct call *call, const char *name, int64_t *ret_id)
{
	struct one one = { .sv = sv };
	int r = store_batch_find(sv->store, name, on_batch, &one);

	json_decref(one.batch);
	*ret_id = one.id;
	if (r == 0)
		refuse_unknown(call, name);
	else if (r < 0)
		refuse_store(call, sv->store, r, "The records cannot be read");
	return r > 0;
}

void
api_get_batch(void *ctx, struct call *call, json_t *parameters)
{
	const char *name = param_text(parameters, "name");

	if (!answer(ctx, call, name))
		refuse_unknown(call, name != NULL ? name : "");
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
	int r = store_batch_each(l.sv->store, on_listed, &l);

	(void)parameters;
	if (r < 0) {
		json_decref(l.batches);
		refuse_store(call, l.sv->store, r, "The records cannot be read");
		return;
	}
	call_reply(call, json_pack("{s:o, s:b}", "batches", l.batches, "more", r > 0));
}

/* False after having answered that it makes no sense. */
static bool
count_parameter(struct call *call, const char *name, unsigned max, unsigned *count)
{
	json_t *value = json_object_get(call_parameters(call), name);
	json_int_t n = json_integer_value(value);

	if (json_is_integer(value) && (n < 0 || n > max)) {
		call_invalid(call, name);
		return false;
	}
	if (json_is_integer(value))
		*count = (unsigned)n;
	return true;
}

static void
refuse_start(const struct services *sv, struct call *call, const char *name, int error)
{
	const struct batch *batch = fleet_batch(sv->fleet);
	char reason[256];

	switch (error) {
	case -EINVAL:
		call_invalid(call, "name");
		return;
	case -EEXIST:
		(void)snprintf(reason, sizeof(reason),
			       "There was a batch \"%s\" already: each has a name of its own.",
			       name);
		call_error(call, PROTO_ERROR("NameTaken"),
			   json_pack("{s:s, s:o}", "name", name, "reason", reply_text(reason)));
		return;
	case -EBUSY:
		call_refuse(call, PROTO_ERROR("Refused"),
			    "Batch \"%s\" runs; 'cfdfuctl batch end' ends it.",
			    batch != NULL ? batch_terms(batch)->name : "");
		return;
	default:
		refuse_store(call, sv->store, error, "The batch was not begun");
	}
}

void
api_start_batch(void *ctx, struct call *call, json_t *parameters)
{
	const struct services *sv = ctx;
	const char *name = param_text(parameters, "name");
	struct batch_terms terms = { .canary = sv->settings->batch_canary,
				     .stop_after = sv->settings->batch_stop_after };
	int r = -EINVAL;

	if (!count_parameter(call, "expect", BATCH_DRONES_MAX, &terms.expect) ||
	    !count_parameter(call, "canary", BATCH_CANARY_MAX, &terms.canary) ||
	    !count_parameter(call, "stop_after", BATCH_DRONES_MAX, &terms.stop_after))
		return;
	recorder_look(sv->recorder, true);
	if (strlen(name) < sizeof(terms.name)) {
		copy_text(terms.name, sizeof(terms.name), name);
		r = batches_start(sv->batches, &terms, call_peer(call)->user);
	}
	if (r < 0)
		refuse_start(sv, call, name, r);
	else
		(void)answer(sv, call, name);
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
		(void)answer(sv, call, NULL);
}
