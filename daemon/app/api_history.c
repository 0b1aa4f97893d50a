/* SPDX-License-Identifier: MIT */
/* Attempts and drones of the records, over the control socket. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/api.h"
#include "app/clock.h"
#include "app/names.h"
#include "app/recorder.h"
#include "app/reply.h"
#include "cfdfu/proto.h"
#include "core/outcome.h"

/* A value that the records keep as JSON; null where that cannot be read. */
static json_t *
kept_json(const char *text)
{
	json_t *value = text != NULL ? json_loads(text, 0, NULL) : NULL;

	return value != NULL ? value : json_null();
}

static void
add_condition(json_t *attempt, const char *text)
{
	static const char *const members[] = { "ready", "remaining",  "selftest", "decks",
					       "radio", "battery_mv", "crash" };
	json_t *c = kept_json(text);
	json_t *nrf = json_object_get(json_object_get(c, "nrf"), "version");

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		json_t *value = json_object_get(c, members[i]);

		(void)json_object_set_new(attempt, members[i],
					  value != NULL ? json_incref(value) : json_null());
	}
	(void)json_object_set_new(attempt, "nrf_version",
				  nrf != NULL ? json_incref(nrf) : json_null());
	json_decref(c);
}

static json_t *
attempt_json(const struct store_attempt *t)
{
	json_t *attempt = json_pack(
	    "{s:I, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
	    "s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o}",
	    "id", (json_int_t)t->id, "started_at", reply_moment(t->started_ms), "ended_at",
	    t->ended_ms >= 0 ? reply_moment(t->ended_ms) : json_null(), "port", t->port, "label",
	    reply_text(t->label), "serial", reply_text(t->serial), "dfu_serial",
	    reply_text(t->dfu_serial), "platform", reply_text(t->platform), "firmware_name",
	    reply_text(t->firmware_name), "firmware_version", reply_text(t->firmware_version),
	    "firmware_sha256", reply_text(t->firmware_sha256), "version_before",
	    reply_text(t->version_before), "version_after", reply_text(t->version_after), "verdict",
	    reply_text(t->verdict), "fault", reply_text(t->fault), "step", reply_text(t->step),
	    "address", reply_number(t->address, -1), "bytes_written",
	    reply_number(t->bytes_written, -1), "sectors_erased",
	    reply_number(t->sectors_erased, -1), "transfers", reply_number(t->transfers, -1),
	    "duration_ms", reply_number(t->duration_ms, -1), "message", reply_text(t->message),
	    "kind", reply_text(t->kind), "batch", reply_text(t->batch), "target",
	    reply_text(t->target), "path", "usb", "uuid", reply_text(t->uuid), "radio_before",
	    reply_text(t->radio_before), "signer", reply_text(t->signer));

	add_condition(attempt, t->condition);
	return attempt;
}

/* LIMIT: of looking for rows that fit; what is not found by then is on the next page. */
enum {
	PAGE_US = 10000,
	ENDINGS_US = 2000, /* less: a program takes one page behind the other */
};

struct page {
	json_t *list;
	uint64_t until_us;
};

static bool
is_long_enough(void *ctx)
{
	const struct page *p = ctx;

	return clock_now_us() >= p->until_us;
}

static void
on_attempt(void *ctx, const struct store_attempt *t)
{
	struct page *p = ctx;

	(void)json_array_append_new(p->list, attempt_json(t));
}

static void
cannot_read(struct call *call)
{
	call_refuse(call, PROTO_ERROR("Degraded"), "The records cannot be read now.");
}

/*
 * The whole serial of the drone that is meant, also of one that is not plugged in, or by its slot.
 * A text that names none stays as it is: the records may know it from before.  False after having
 * answered that several may be meant.
 */
static bool
serial_parameter(const struct services *sv, struct call *call, const char *text,
		 struct target *ret_target)
{
	struct slot_view v;

	api_find(sv, text, true, ret_target);
	if (ret_target->by == TARGET_AMBIGUOUS) {
		api_refuse_target(sv, call, ret_target);
		return false;
	}
	if (ret_target->by == TARGET_NOTHING)
		copy_text(ret_target->key, sizeof(ret_target->key), text);
	if (ret_target->by == TARGET_SERIAL || ret_target->slot_count == 0)
		return true;
	if (api_refuse_several(call, ret_target))
		return false;
	for (unsigned i = 0; i < fleet_slots(sv->fleet); i++) {
		if (!ret_target->slots[i])
			continue;
		fleet_view(sv->fleet, i, clock_now_us(), &v);
		/* WHY the text at last: no serial at all would ask for all drones. */
		copy_text(ret_target->key, sizeof(ret_target->key),
			  v.serial[0] != '\0'	    ? v.serial
			  : v.dfu_serial[0] != '\0' ? v.dfu_serial
						    : text);
	}
	return true;
}

/* The records have the port that a device path was then; now it is asked for as what it is now. */
static const char *
port_of_path(const struct services *sv, const char *text)
{
	for (unsigned i = 0; text != NULL && i < fleet_slots(sv->fleet); i++)
		if (text[0] != '\0' && strcmp(fleet_path(sv->fleet, i), text) == 0)
			return fleet_port(sv->fleet, i);
	return text;
}

bool
api_parse_time(const char *text, int64_t *ret_ms)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t ms = 0, unit = 100;

	if (end == NULL) {
		memset(&tm, 0, sizeof(tm));
		end = strptime(text, "%Y-%m-%d", &tm);
	}
	if (end == NULL)
		return false;
	if (*end == '.')
		for (end++; *end >= '0' && *end <= '9'; end++, unit /= 10)
			ms += (*end - '0') * unit;
	if (*end == 'Z')
		end++;
	*ret_ms = (int64_t)timegm(&tm) * 1000 + ms;
	return *end == '\0';
}

static bool
is_kind(const char *text)
{
	for (enum job_kind k = 0; k < JOB_KIND_COUNT; k++)
		if (recorder_kind_name(k) != NULL && strcmp(recorder_kind_name(k), text) == 0)
			return true;
	return false;
}

/* All but the serial and the slot.  NULL, or the parameter that makes no sense. */
static const char *
read_filter(json_t *parameters, struct store_filter *f)
{
	const char *since = param_text(parameters, "since"),
		   *until = param_text(parameters, "until");
	json_t *limit = json_object_get(parameters, "limit");

	f->verdict = param_text(parameters, "verdict");
	f->kind = param_text(parameters, "kind");
	f->before_id = json_integer_value(json_object_get(parameters, "before"));
	f->limit = limit != NULL ? (unsigned)json_integer_value(limit) : PROTO_HISTORY_DEFAULT;
	if (since != NULL && !api_parse_time(since, &f->since_ms))
		return "since";
	if (until != NULL && !api_parse_time(until, &f->until_ms))
		return "until";
	if (f->verdict != NULL && strcmp(f->verdict, "running") != 0 &&
	    verdict_by_name(f->verdict) == VERDICT_NONE)
		return "verdict";
	if (f->kind != NULL && !is_kind(f->kind))
		return "kind";
	if (limit != NULL && json_integer_value(limit) <= 0)
		return "limit";
	if (limit != NULL && json_integer_value(limit) > PROTO_HISTORY_MAX)
		f->limit = PROTO_HISTORY_MAX;
	return NULL;
}

void
api_get_history(void *ctx, struct call *call, json_t *parameters)
{
	const struct services *sv = ctx;
	const char *serial = param_text(parameters, "serial"), *invalid;
	const char *batch = param_text(parameters, "batch");
	struct store_filter f = { .slot = port_of_path(sv, param_text(parameters, "slot")),
				  .enough = is_long_enough };
	struct page page = { .until_us = clock_now_us() + PAGE_US };
	struct target t;
	int64_t next = 0;

	if (serial != NULL && !serial_parameter(sv, call, serial, &t))
		return;
	f.serial = serial != NULL ? t.key : NULL;
	if (batch != NULL && !api_find_batch(sv, call, batch, &f.batch))
		return;
	invalid = read_filter(parameters, &f);
	if (invalid != NULL) {
		call_invalid(call, invalid);
		return;
	}
	page.list = json_array();
	f.ret_next = &next;
	if (store_history(sv->store, &f, on_attempt, &page) < 0) {
		json_decref(page.list);
		cannot_read(call);
		return;
	}
	call_reply(call,
		   json_pack("{s:o, s:o}", "attempts", page.list, "next", reply_number(next, 0)));
}

static json_t *
stages_json(const struct store_attempt *t)
{
	json_t *stages = json_array();

	for (size_t i = 0; i < t->stage_count; i++)
		(void)json_array_append_new(stages,
					    json_pack("{s:s, s:I}", "step", t->stages[i].name, "ms",
						      (json_int_t)t->stages[i].ms));
	return stages;
}

struct one {
	json_t *attempt, *stages;
};

static void
on_one(void *ctx, const struct store_attempt *t)
{
	struct one *one = ctx;

	one->attempt = attempt_json(t);
	one->stages = stages_json(t);
}

void
api_get_attempt(void *ctx, struct call *call, json_t *parameters)
{
	const struct services *sv = ctx;
	json_int_t id = json_integer_value(json_object_get(parameters, "id"));
	struct one one = { NULL, NULL };
	int r = store_attempt_get(sv->store, id, on_one, &one);

	if (r >= 0 && one.attempt != NULL) {
		call_reply(call,
			   json_pack("{s:o, s:o}", "attempt", one.attempt, "stages", one.stages));
		return;
	}
	if (r == -ENOENT || r >= 0)
		call_error(call, PROTO_ERROR("NoSuchAttempt"), json_pack("{s:I}", "id", id));
	else
		cannot_read(call);
}

struct endings_page {
	struct page page; /* the first: for is_long_enough() */
	struct store_endings endings;
};

static void
on_ending(void *ctx, const struct store_attempt *t)
{
	struct endings_page *p = ctx;

	(void)json_array_append_new(
	    p->page.list, json_pack("{s:I, s:s, s:o, s:o}", "seq", (json_int_t)p->endings.next,
				    "what", p->endings.condition ? "condition" : "end", "attempt",
				    attempt_json(t), "stages", stages_json(t)));
}

void
api_get_endings(void *ctx, struct call *call, json_t *parameters)
{
	const struct services *sv = ctx;
	json_t *limit = json_object_get(parameters, "limit");
	json_int_t wanted =
	    json_is_integer(limit) ? json_integer_value(limit) : PROTO_ENDINGS_DEFAULT;
	struct endings_page p = { .page.until_us = clock_now_us() + ENDINGS_US,
				  .endings = { .enough = is_long_enough, .each = on_ending } };
	struct store_endings *e = &p.endings;
	char id[40], host[HOST_NAME_MAX + 1] = "";

	e->after = json_integer_value(json_object_get(parameters, "after"));
	e->limit = (unsigned)(wanted < PROTO_HISTORY_MAX ? wanted : PROTO_HISTORY_MAX);
	if (e->after < 0 || wanted < 0) {
		call_invalid(call, e->after < 0 ? "after" : "limit");
		return;
	}
	p.page.list = json_array();
	if (store_endings(sv->store, e, &p) < 0) {
		json_decref(p.page.list);
		cannot_read(call);
		return;
	}
	(void)snprintf(id, sizeof(id), "%.8s-%.4s-%.4s-%.4s-%.12s", e->station, e->station + 8,
		       e->station + 12, e->station + 16, e->station + 20);
	(void)gethostname(host, sizeof(host) - 1); /* WHY: a name too long is cut */
	call_reply(call,
		   json_pack("{s:s, s:o, s:o, s:o, s:I, s:o, s:I, s:I, s:b}", "station_id", id,
			     "host", reply_text(host), "after_hash", reply_text(e->after_hash),
			     "endings", p.page.list, "next", (json_int_t)e->next, "next_hash",
			     reply_text(e->next_hash), "head", (json_int_t)e->head, "total",
			     (json_int_t)e->total, "more", e->next < e->head));
}

/* ---- drones --------------------------------------------------------------------------------- */

static json_t *
words_of(const char *text)
{
	json_t *list = json_array();

	while (text != NULL && *text != '\0') {
		size_t n = strcspn(text, " ");

		if (n > 0)
			(void)json_array_append_new(list, json_stringn(text, n));
		text += n + (text[n] == ' ');
	}
	return list;
}

static void
on_drone(void *ctx, const struct store_drone *d)
{
	json_t **ret = ctx;

	*ret = json_pack(
	    "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:b, s:o, s:o, s:o, s:o}",
	    "serial", reply_text(d->serial), "dfu_serial", reply_text(d->dfu_serial), "platform",
	    reply_text(d->platform), "device_type", reply_text(d->device_type), "board",
	    reply_text(d->board_type), "loader_sha256", reply_text(d->loader_sha256), "first_seen",
	    reply_time(d->first_seen_ms), "last_seen", reply_time(d->last_seen_ms), "last_version",
	    reply_text(d->version), "last_verdict", reply_text(d->last_verdict), "last_sha256",
	    reply_text(d->last_sha256), "failures_in_row", (int)d->failures, "quarantined",
	    d->quarantined_ms != 0, "quirks", words_of(d->quirks), "nrf_version",
	    reply_text(d->nrf_version), "radio", kept_json(d->radio), "decks", kept_json(d->decks));
}

/* The port where it is plugged in now, and what is seen of it as a whole there. */
static void
add_present(const struct services *sv, const struct target *t, json_t *drone)
{
	static const char *const keys[] = { "port",	"ready",      "ready_note", "remaining",
					    "selftest", "battery_mv", "crash",	    NULL };

	for (unsigned i = 0; i < fleet_slots(sv->fleet); i++) {
		struct slot_view v;
		json_t *part;

		fleet_view(sv->fleet, i, clock_now_us(), &v);
		if (!v.present || !t->slots[i])
			continue;
		part = api_slot_part(sv, i, keys);
		(void)json_object_update(drone, part); /* without memory the answer is not sent */
		json_decref(part);
		return;
	}
	(void)json_object_set_new(drone, "port", json_null());
}

void
api_get_drone(void *ctx, struct call *call, json_t *parameters)
{
	const struct services *sv = ctx;
	const char *text = param_text(parameters, "serial");
	struct target t;
	struct store_filter f = { .serial = t.key,
				  .limit = PROTO_HISTORY_DEFAULT,
				  .enough = is_long_enough };
	struct page page = { .until_us = clock_now_us() + PAGE_US };
	json_t *drone = NULL;
	int r;

	if (!serial_parameter(sv, call, text, &t))
		return;
	r = store_drone_find(sv->store, t.key, t.key, on_drone, &drone);
	if (r == 0) {
		call_error(call, PROTO_ERROR("NoSuchDrone"), json_pack("{s:s}", "serial", text));
		return;
	}
	page.list = json_array();
	if (r > 0)
		r = store_history(sv->store, &f, on_attempt, &page);
	if (r < 0) {
		json_decref(page.list);
		json_decref(drone);
		cannot_read(call);
		return;
	}
	add_present(sv, &t, drone);
	(void)json_object_set_new(
	    drone, "name",
	    reply_text(names_of(sv->names, json_string_value(json_object_get(drone, "serial")))));
	call_reply(call, json_pack("{s:o, s:o}", "drone", drone, "attempts", page.list));
}
