/* SPDX-License-Identifier: MIT */
/* cfdfuctl batch: a named span of the station's work, what was asked of it, and what it came to. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "client/commands.h"
#include "client/conn.h"
#include "client/out.h"
#include "client/report.h"

#define COUNT_MAX 1000000 /* LIMIT: the service has its own, smaller ones */
#define STATE_CELLS 20

const struct command_desc cmd_batch_start = {
	.name = "batch start",
	.args = "NAME",
	.args_min = 1,
	.args_max = 1,
	.help = N_("begin a batch: its drones are counted by themselves"),
	.run = conn_run,
	.method = PROTO_METHOD("StartBatch"),
	.parameters = {
		{ "name" },
		{ "expect", "expect", PARAMETER_NUMBER, .min = 1, .max = COUNT_MAX },
		{ "canary", "canary", PARAMETER_NUMBER, .max = COUNT_MAX },
		{ "stop_after", "stop-after", PARAMETER_NUMBER, .max = COUNT_MAX },
	},
	.print = report_print_batch,
	.options = {
		{ "expect", 'e', "N", N_("so many drones; missing ones are named") },
		{ "canary", 'c', "N", N_("the first N have to end well before others begin") },
		{ "stop-after", 0, "N", N_("stop when N different drones have failed") },
	},
};

/* form: "html", "csv"; NULL: text, or JSON. */
static int
show_report(const struct session *s, const char *name, const char *form)
{
	struct report r;
	int status = report_ask(s, name, &r);

	if (status != 0)
		return status;
	if (form != NULL && strcmp(form, "html") == 0)
		report_html(&r);
	else if (form != NULL)
		report_csv(&r);
	else if (s->json)
		out_json_new(report_json(&r));
	else
		status = report_print(s, &r);
	report_done(&r);
	return status;
}

static int
run_end(const struct session *s, const struct invocation *i)
{
	json_t *reply = NULL;
	int r = conn_ask(s, i->command->method, NULL, &reply);

	if (r == 0 && s->json)
		out_json(reply);
	else if (r == 0)
		r = show_report(s, out_string(json_object_get(reply, "batch"), "name"), NULL);
	json_decref(reply);
	return r;
}

const struct command_desc cmd_batch_end = {
	.name = "batch end",
	.args = "",
	.help = N_("end the batch, and print what it came to"),
	.run = run_end,
	.method = PROTO_METHOD("EndBatch"),
};

static int
print_batches(const struct session *s, const json_t *reply)
{
	static const struct table_column columns[] = {
		{ N_("NAME"), .cut = true },
		{ N_("STARTED") },
		{ N_("ENDED"), 1 },
		{ N_("EXPECTED"), 2, .right = true },
		{ N_("DRONES"), .right = true },
		{ N_("GOOD"), .right = true },
		{ N_("READY"), 3, .right = true },
		{ N_("FAILED"), .right = true },
		{ N_("STATE") },
		{ NULL },
	};
	static const char *const numbers[] = { "expect", "drones", "good", "ready", "failed" };
	const json_t *batches = json_object_get(reply, "batches"), *b;
	struct table *t;
	size_t i;
	int r;

	if (json_array_size(batches) == 0) {
		puts("No batch yet: cfdfuctl batch start NAME.");
		return EXIT_OK;
	}
	r = table_new(s, columns, STATE_CELLS, &t);
	if (r != 0)
		return r;
	json_array_foreach(batches, i, b) {
		struct text stopped = out_text(b, "stopped");
		bool ended = out_string(b, "ended_at") != NULL;
		char cell[64];

		table_row(t);
		table_cell(t, out_string(b, "name"), COLOUR_NONE);
		format_time(cell, sizeof(cell), out_string(b, "started_at"));
		table_cell(t, cell, COLOUR_NONE);
		format_time(cell, sizeof(cell), out_string(b, "ended_at"));
		table_cell(t, cell, COLOUR_NONE);
		for (size_t n = 0; n < ARRAY_LEN(numbers); n++) {
			format_number(cell, sizeof(cell), out_int(b, numbers[n]));
			table_cell(t, out_is_int(b, numbers[n]) ? cell : "", COLOUR_NONE);
		}
		table_cell(t,
			   stopped.s[0] != '\0' ? stopped.s
			   : ended		? "ended"
						: "running",
			   stopped.s[0] != '\0' ? COLOUR_ATTENTION : COLOUR_NONE);
	}
	r = table_finish(t);
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
	.help = N_("how far a batch is, and what is missing (default: the running or last one)"),
	.run = conn_run,
	.method = PROTO_METHOD("GetBatch"),
	.parameters = { { "name" } },
	.print = report_print_batch,
};

static int
run_report(const struct session *s, const struct invocation *i)
{
	bool html = invocation_has(i, "html"), csv = invocation_has(i, "csv");

	if (html + csv + s->json > 1)
		return usage_error(i->command, "one of --html, --csv and --json, not more");
	return show_report(s, i->arg_count > 0 ? i->args[0] : NULL,
			   html	 ? "html"
			   : csv ? "csv"
				 : NULL);
}

const struct command_desc cmd_batch_report = {
	.name = "batch report",
	.args = "[NAME]",
	.args_max = 1,
	.help = N_("what was asked of a batch and reached, with each drone's proof"),
	.run = run_report,
	.options = {
		{ "html", 0, NULL, N_("one self-contained page, also for paper: > FILE.html") },
		{ "csv", 0, NULL, N_("a drone a line, for a spreadsheet (RFC 4180)") },
	},
};
