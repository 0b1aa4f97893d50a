/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/report.h"

#include <stdio.h>
#include <string.h>

#include "client/attempts.h"
#include "client/conn.h"
#include "client/slots.h"

#define TITLE_CELLS 12

/* ---- asking --------------------------------------------------------------------------------- */

/* WHY by both serials: a drone may have been seen with one of them only.  NULL: it is new. */
static json_t *
drone_of(const struct report *r, const char *const serials[2])
{
	json_t *d = json_object_get(r->known, serials[0]);
	const char *serial;

	if (d != NULL)
		return d;
	d = json_object_get(r->known, serials[1]);
	serial = out_string(d, "serial");
	/* WHY: different drones may show one DFU serial. */
	return serial != NULL && serials[0] != NULL && strcmp(serial, serials[0]) != 0 ? NULL : d;
}

static int
add_attempt(struct report *r, json_t *attempt)
{
	const char *serials[] = { out_string(attempt, "serial"),
				  out_string(attempt, "dfu_serial") };
	json_t *before = json_object_get(attempt, "version_before"), *d;
	int failed = 0;

	if (slot_verdict(attempt) == NULL)
		return 0;
	if (serials[0] == NULL && serials[1] == NULL)
		serials[1] = out_string(attempt, "port"); /* as the station counts them */
	d = drone_of(r, serials);
	/* WHY the first one: the newest attempts come first. */
	if (d == NULL) {
		d = attempt;
		failed |= json_array_append(r->drones, d);
	}
	if (serials[0] != NULL)
		failed |= json_object_set(d, "serial", json_object_get(attempt, "serial"));
	for (size_t k = 0; k < ARRAY_LEN(serials); k++)
		if (serials[k] != NULL)
			failed |= json_object_set(r->known, serials[k], d);
	if (json_is_string(before))
		failed |= json_object_set(d, "version_before", before);
	failed |= json_object_set(d, "first_verdict", json_object_get(attempt, "verdict"));
	failed |= json_object_set_new(d, "attempts", json_integer(out_int(d, "attempts") + 1));
	return failed;
}

/* The questions of one report: after one that failed no other is asked. */
struct asking {
	struct conn *conn;
	int status;
};

static void
ask(struct asking *a, const char *method, json_t *take_parameters, json_t **ret_reply)
{
	struct params p = { .object = take_parameters };

	if (a->status == 0 && take_parameters == NULL)
		a->status = say_no_memory();
	if (a->status == 0)
		a->status = conn_call(a->conn, method, &p, -1, ret_reply);
	params_done(&p);
}

static void
ask_drones(struct report *r, struct asking *a, const char *batch)
{
	json_int_t next = INT64_MAX;

	while (a->status == 0 && next != 0) {
		json_t *reply = NULL, *attempt;
		size_t i;

		ask(a, PROTO_METHOD("GetHistory"),
		    json_pack("{s:s,s:s,s:i,s:I}", "batch", batch, "kind", "flash", "limit",
			      PROTO_HISTORY_MAX, "before", next),
		    &reply);
		json_array_foreach(json_object_get(reply, "attempts"), i, attempt)
			if (add_attempt(r, attempt) < 0)
				a->status = say_no_memory();
		next = out_int(reply, "next");
		json_decref(reply);
	}
}

/* WHY names from there: attempts have none. */
static void
ask_yield(struct report *r, struct asking *a, const char *batch)
{
	const json_t *g;
	size_t i;

	ask(a, PROTO_METHOD("Stats"), json_pack("{s:s,s:s}", "by", "slot", "batch", batch),
	    &r->by_slot);
	ask(a, PROTO_METHOD("Stats"), json_pack("{s:s,s:s}", "by", "drone", "batch", batch),
	    &r->by_drone);
	json_array_foreach(json_object_get(r->by_drone, "groups"), i, g) {
		json_t *d = json_object_get(r->known, out_string(g, "key"));

		if (d != NULL && json_object_set(d, "name", json_object_get(g, "name")) < 0)
			a->status = say_no_memory();
	}
}

int
report_ask(const struct session *s, const struct params *p, struct report *r)
{
	struct asking a = { .conn = NULL };
	const char *name;
	json_t *sorted;

	*r = (struct report){ .drones = json_array(), .known = json_object() };
	a.status = p->status != 0 ? p->status : conn_open(s, &a.conn);
	ask(&a, PROTO_METHOD("GetBatch"), json_incref(p->object), &r->reply);
	r->batch = json_object_get(r->reply, "batch");
	name = out_string(r->batch, "name");
	ask_drones(r, &a, name);
	ask_yield(r, &a, name);
	conn_close(a.conn);
	sorted = slots_sort(r->drones);
	if (sorted == NULL || slots_put_bad_first(sorted) < 0)
		a.status = say_no_memory();
	json_decref(r->drones);
	r->drones = sorted;
	return a.status;
}

void
report_done(struct report *r)
{
	json_decref(r->reply);
	json_decref(r->drones);
	json_decref(r->known);
	json_decref(r->by_slot);
	json_decref(r->by_drone);
}

/* ---- printing ------------------------------------------------------------------------------- */

struct text
yield_first_pass(const json_t *yield)
{
	struct text t = { "" };

	if (out_int(yield, "first") > 0)
		text_format(t.s, sizeof(t.s), "%lld of %lld (%.0f-%.0f %%)",
			    (long long)out_int(yield, "first_good"),
			    (long long)out_int(yield, "first"),
			    100 * json_number_value(json_object_get(yield, "low")),
			    100 * json_number_value(json_object_get(yield, "high")));
	return t;
}

struct text
yield_called(const json_t *yield)
{
	struct text key = out_text(yield, "key"), name = out_text(yield, "name"), both;

	text_format(both.s, sizeof(both.s), "%.200s (%.200s)", name.s, key.s);
	return name.s[0] != '\0' ? both : key;
}

const struct field report_asked[] = {
	{ "started_at", N_("begun"), FIELD_TIME },
	{ "started_by", N_("by"), FIELD_TEXT },
	{ "ended_at", N_("ended"), FIELD_TIME },
	{ "expect", N_("expected"), FIELD_NUMBER },
	{ "canary", N_("canaries"), FIELD_NUMBER },
	{ "stop_after", N_("stops after"), FIELD_NUMBER },
	{ NULL },
};

const struct field report_reached[] = {
	{ "drones", N_("drones"), FIELD_NUMBER },
	{ "good", N_("good"), FIELD_NUMBER },
	{ "first_good", N_("good at once"), FIELD_NUMBER },
	{ "ready", N_("ready to fly"), FIELD_NUMBER },
	{ "failed", N_("failed"), FIELD_NUMBER },
	{ "waits_for", N_("waits for"), FIELD_TEXTS },
	{ "stopped", N_("STOPPED"), FIELD_TEXT },
	{ "missing", N_("missing"), FIELD_SENTENCES },
	{ "record_hash", N_("record chain"), FIELD_TEXT },
	{ NULL },
};

const struct field report_findings[] = {
	{ "findings", N_("at fault"), FIELD_SENTENCES },
	{ NULL },
};

int
report_print_asked(const struct session *s, const json_t *reply)
{
	const json_t *batch = json_object_get(reply, "batch");

	(void)s;
	printf("Batch %s\n", out_text(batch, "name").s);
	fields_print(batch, report_asked, TITLE_CELLS);
	return EXIT_OK;
}

int
report_print_batch(const struct session *s, const json_t *reply)
{
	(void)report_print_asked(s, reply);
	fields_print(json_object_get(reply, "batch"), report_reached, TITLE_CELLS);
	return EXIT_OK;
}

int
report_print(const struct session *s, const struct report *r)
{
	(void)report_print_batch(s, r->reply);
	fields_print(r->by_slot, report_findings, TITLE_CELLS);
	puts("\nEach drone by its last attempt:");
	return attempts_table(s, r->drones);
}

void
report_csv(const struct report *r)
{
	static const char *const more[] = { "name", "attempts", "first_verdict", NULL };

	attempts_csv_heading(more);
	attempts_csv_rows(r->drones, more);
}

void
report_json(const struct report *r)
{
	out_json_new(json_pack("{s:O,s:O,s:{s:O,s:O}}", "batch", r->batch, "drones", r->drones,
			       "stats", "slot", r->by_slot, "drone", r->by_drone));
}
