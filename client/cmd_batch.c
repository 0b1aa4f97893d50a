/* SPDX-License-Identifier: MIT */
/* cfdfuctl batch: a named span of the station's work, what was asked, and what was reached. */
#include "config.h"

#include <stdio.h>

#include "client/commands.h"
#include "client/conn.h"
#include "client/out.h"
#include "client/report.h"

#define COUNT_MAX 1000000 /* LIMIT: the service has its own, smaller ones */
#define STOPPED_CELLS 20

const struct command_desc cmd_batch_start = {
	.name = "batch start",
	.args = "NAME",
	.args_min = 1,
	.args_max = 1,
	.help = N_("begin a batch; its drones are counted separately"),
	.run = conn_run,
	.method = PROTO_METHOD("StartBatch"),
	.parameters = {
		{ "name" },
		{ "expect", "expect", PARAMETER_NUMBER, .min = 1, .max = COUNT_MAX },
		{ "canary", "canary", PARAMETER_NUMBER, .max = COUNT_MAX },
		{ "stop_after", "stop-after", PARAMETER_NUMBER, .max = COUNT_MAX },
	},
	.print = report_print_asked,
	.options = {
		{ "expect", 'e', "N", N_("expect N drones; missing ones are named") },
		{ "canary", 'c', "N", N_("no other begins until the first N have ended well") },
		{ "stop-after", 0, "N", N_("stop when N different drones have failed") },
	},
};

/* show: NULL: as text. */
static int
run_report_with(const struct session *s, struct params *take_p, void (*show)(const struct report *))
{
	struct report r;
	int status = report_ask(s, take_p, &r);

	if (status == 0 && show != NULL)
		show(&r);
	else if (status == 0)
		status = report_print(s, &r);
	report_done(&r);
	params_done(take_p);
	return status;
}

static int
print_end(const struct session *s, const json_t *reply)
{
	struct params p = params_new();

	params_text(&p, "name", out_string(json_object_get(reply, "batch"), "name"));
	return run_report_with(s, &p, NULL);
}

const struct command_desc cmd_batch_end = {
	.name = "batch end",
	.args = "",
	.help = N_("end the batch, and print its report"),
	.run = conn_run,
	.method = PROTO_METHOD("EndBatch"),
	.print = print_end,
};

static int
print_batches(const struct session *s, const json_t *reply)
{
	static const struct table_list how = {
		.none = N_("No batch yet: cfdfuctl batch start NAME."),
		.last_min = STOPPED_CELLS,
		.columns = {
			{ N_("NAME"), .cut = true, .key = "name" },
			{ N_("STARTED"), 4, .key = "started_at", FIELD_TIME },
			{ N_("ENDED"), 1, .key = "ended_at", FIELD_TIME },
			{ N_("EXPECTED"), 2, .right = true, .key = "expect", FIELD_NUMBER },
			{ N_("DRONES"), .right = true, .key = "drones", FIELD_NUMBER },
			{ N_("GOOD"), .right = true, .key = "good", FIELD_NUMBER },
			{ N_("READY"), 3, .right = true, .key = "ready", FIELD_NUMBER },
			{ N_("FAILED"), .right = true, .key = "failed", FIELD_NUMBER },
			{ N_("STOPPED"), .key = "stopped" },
		},
	};
	int r = table_list(s, &how, json_object_get(reply, "batches"));

	if (r == EXIT_OK && out_true(reply, "more"))
		puts("Older ones are not shown: cfdfuctl batch show NAME.");
	return r;
}

const struct command_desc cmd_batch_list = {
	.name = "batch list",
	.args = "",
	.help = N_("all batches, newest first"),
	.run = conn_run,
	.method = PROTO_METHOD("ListBatches"),
	.print = print_batches,
};

const struct command_desc cmd_batch_show = {
	.name = "batch show",
	.args = "[NAME]",
	.args_max = 1,
	.help = N_("how far a batch is, and what is missing (default: the newest batch)"),
	.run = conn_run,
	.method = PROTO_METHOD("GetBatch"),
	.parameters = { { "name" } },
	.print = report_print_batch,
};

static int
run_report(const struct session *s, const struct invocation *i)
{
	bool html = invocation_has(i, "html"), csv = invocation_has(i, "csv");
	struct params p = params_of(i);

	if (html + csv + s->json > 1)
		p.status = usage_error(i->command, "one of --html, --csv and --json, not more");
	return run_report_with(s, &p,
			       html	 ? report_html
			       : csv	 ? report_csv
			       : s->json ? report_json
					 : NULL);
}

const struct command_desc cmd_batch_report = {
	.name = "batch report",
	.args = "[NAME]",
	.args_max = 1,
	.help = N_("what was asked of a batch, what was reached, and each drone's proof"),
	.run = run_report,
	.parameters = { { "name" } },
	.options = {
		{ "html", 0, NULL, N_("one self-contained page, to print or file (> FILE.html)") },
		{ "csv", 0, NULL, N_("one line per drone, for a spreadsheet (RFC 4180)") },
	},
};
