/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/report.h"

#include <stdio.h>

#include "client/attempts.h"
#include "client/conn.h"
#include "client/slots.h"

#define TITLE_CELLS 12

/* ---- asking --------------------------------------------------------------------------------- */

/* WHY by both serials: a drone may have been seen with one of them only. */
static int
add_attempt(struct report *r, json_t *attempt)
{
	const char *serials[] = { out_string(attempt, "serial"),
				  out_string(attempt, "dfu_serial") };
	json_t *before = json_object_get(attempt, "version_before");
	json_t *d = json_object_get(r->known, serials[0]);
	int failed = 0;

	if (slot_verdict(attempt) == NULL)
		return 0;
	if (d == NULL)
		d = json_object_get(r->known, serials[1]);
	/* WHY the first one: the newest attempts come first. */
	if (d == NULL) {
		d = attempt;
		failed |= json_array_append(r->drones, d);
	}
	for (size_t k = 0; k < ARRAY_LEN(serials); k++)
		if (serials[k] != NULL)
			failed |= json_object_set(r->known, serials[k], d);
	if (json_is_string(before))
		failed |= json_object_set(d, "version_before", before);
	failed |= json_object_set(d, "first_verdict", json_object_get(attempt, "verdict"));
	failed |= json_object_set_new(d, "attempts", json_integer(out_int(d, "attempts") + 1));
	return failed;
}

static int
ask_drones(struct report *r, struct conn *c, struct params *p)
{
	json_int_t next = 0;
	int status;

	params_text(p, "kind", "flash");
	params_number(p, "limit", PROTO_HISTORY_MAX);
	do {
		json_t *reply = NULL, *attempt;
		size_t i;

		status = conn_call(c, PROTO_METHOD("GetHistory"), p, -1, &reply);
		json_array_foreach(json_object_get(reply, "attempts"), i, attempt)
			if (status == 0 && add_attempt(r, attempt) < 0)
				status = say_no_memory();
		next = out_int(reply, "next");
		params_number(p, "before", next);
		json_decref(reply);
	} while (status == 0 && next != 0);
	return status;
}

/* WHY names from there: attempts have none. */
static int
ask_yield(struct report *r, struct conn *c, struct params *p)
{
	const json_t *g;
	size_t i;
	int status;

	params_text(p, "by", "slot");
	status = conn_call(c, PROTO_METHOD("Stats"), p, -1, &r->by_slot);
	params_text(p, "by", "drone");
	if (status == 0)
		status = conn_call(c, PROTO_METHOD("Stats"), p, -1, &r->by_drone);
	json_array_foreach(json_object_get(r->by_drone, "groups"), i, g) {
		json_t *d = json_object_get(r->known, out_string(g, "key"));

		if (d != NULL && json_object_set(d, "name", json_object_get(g, "name")) < 0)
			status = say_no_memory();
	}
	return status;
}

static int
ask_all(struct report *r, struct conn *c, const char *name)
{
	struct params of_name = params_new(), drones = params_new(), yield = params_new();
	json_t *reply = NULL;
	int status;

	params_text(&of_name, "name", name);
	status = conn_call(c, PROTO_METHOD("GetBatch"), &of_name, -1, &reply);
	r->batch = json_incref(json_object_get(reply, "batch"));
	json_decref(reply);
	params_text(&drones, "batch", out_string(r->batch, "name"));
	params_text(&yield, "batch", out_string(r->batch, "name"));
	if (status == 0)
		status = ask_drones(r, c, &drones);
	if (status == 0)
		status = ask_yield(r, c, &yield);
	params_done(&of_name);
	params_done(&drones);
	params_done(&yield);
	return status;
}

int
report_ask(const struct session *s, const char *name, struct report *ret_report)
{
	struct report r = { .drones = json_array(), .known = json_object() };
	struct conn *c = NULL;
	int status = conn_open(s, &c);
	json_t *sorted;

	if (status == 0)
		status = ask_all(&r, c, name);
	conn_close(c);
	sorted = slots_sort(r.drones);
	if (sorted == NULL || slots_put_bad_first(sorted) < 0)
		status = say_no_memory();
	json_decref(r.drones);
	r.drones = sorted;
	if (status == 0)
		*ret_report = r;
	else
		report_done(&r);
	return status;
}

void
report_done(struct report *r)
{
	json_decref(r->batch);
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
	{ NULL },
};

const struct field report_findings[] = {
	{ "findings", N_("at fault"), FIELD_SENTENCES },
	{ NULL },
};

int
report_print_batch(const struct session *s, const json_t *reply)
{
	static const struct field record[] = {
		{ "record_hash", N_("record"), FIELD_TEXT },
		{ NULL },
	};
	const json_t *batch = json_object_get(reply, "batch");

	(void)s;
	printf("Batch %s\n", out_text(batch, "name").s);
	fields_print(batch, report_asked, TITLE_CELLS);
	fields_print(batch, report_reached, TITLE_CELLS);
	fields_print(batch, record, TITLE_CELLS);
	return EXIT_OK;
}

json_t *
report_json(const struct report *r)
{
	return json_pack("{s:O,s:O,s:{s:O,s:O}}", "batch", r->batch, "drones", r->drones, "stats",
			 "slot", r->by_slot, "drone", r->by_drone);
}

int
report_print(const struct session *s, const struct report *r)
{
	json_t *all = report_json(r);

	(void)report_print_batch(s, all);
	json_decref(all);
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
