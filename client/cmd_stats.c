/* SPDX-License-Identifier: MIT */
/* cfdfuctl stats: yield, and whose fault the failures are; the service computes all of it. */
#include "config.h"

#include <stdio.h>

#include "client/commands.h"
#include "client/conn.h"
#include "client/out.h"
#include "client/report.h"

#define FAULTS_CELLS 20
#define FINDINGS_CELLS 12

static void
add_faults(struct table *t, const json_t *faults)
{
	char all[256] = "";
	const json_t *f;
	size_t i;

	json_array_foreach(faults, i, f)
		text_add(all, sizeof(all), "%s%.60s %lld", i > 0 ? ", " : "",
			 out_text(f, "fault").s, (long long)out_int(f, "count"));
	table_cell(t, all, COLOUR_NONE);
}

static void
add_group(struct table *t, const json_t *g)
{
	struct text called = yield_called(g);

	table_cell(t, called.s[0] != '\0' ? called.s : "all", COLOUR_NONE);
	table_cell(t, yield_first_pass(g).s, COLOUR_NONE);
	add_faults(t, json_object_get(g, "faults"));
}

static const struct table_list groups_table = {
	.none = N_("No attempts."),
	.row = add_group,
	.last_min = FAULTS_CELLS,
	.columns = {
		{ N_("GROUP"), .cut = true },
		{ N_("FIRST PASS (95 %)") },
		{ N_("ATTEMPTS"), 7, .right = true, .key = "attempts", FIELD_NUMBER },
		{ N_("DRONES"), 6, .right = true, .key = "drones", FIELD_NUMBER },
		{ N_("PASS"), 4, .right = true, .key = "pass", FIELD_NUMBER },
		{ N_("UNCHANGED"), 3, .right = true, .key = "unchanged", FIELD_NUMBER },
		{ N_("FAILED"), .right = true, .key = "failed", FIELD_NUMBER },
		{ N_("SKIPPED"), 1, .right = true, .key = "skipped", FIELD_NUMBER },
		{ N_("INTERRUPTED"), 2, .right = true, .key = "interrupted", FIELD_NUMBER },
		{ N_("FAULTS"), 5 },
	},
};

static const struct table_list stages_table = {
	.columns = {
		{ N_("STAGE"), .key = "step" },
		{ N_("MEDIAN"), .right = true, .key = "p50_ms", FIELD_MS },
		{ N_("95 %"), .right = true, .key = "p95_ms", FIELD_MS },
		{ N_("99 %"), .right = true, .key = "p99_ms", FIELD_MS },
	},
};

static int
print_stats(const struct session *s, const json_t *reply)
{
	json_t *total = json_object_get(reply, "total"), *stages = json_object_get(total, "stages");
	json_t *rows = json_copy(json_object_get(reply, "groups"));
	int r;

	if (out_int(reply, "attempts") > 0)
		(void)json_array_append(rows, total); /* WHY: then the sum is missing */
	r = table_list(s, &groups_table, rows);
	json_decref(rows);
	if (r != EXIT_OK)
		return r;
	if (out_true(reply, "more"))
		puts("Others, of which more went well, are only in the sum.");
	fields_print(reply, report_findings, FINDINGS_CELLS);
	if (json_array_size(stages) == 0)
		return EXIT_OK;
	putchar('\n');
	return table_list(s, &stages_table, stages);
}

static const char *const groups[] = { "slot", "hub", "fault", "firmware", "drone", "batch", NULL };

const struct command_desc cmd_stats = {
	.name = "stats",
	.args = "",
	.help = N_("first-pass yield, times, and the slot or drone at fault"),
	.run = conn_run,
	.method = PROTO_METHOD("Stats"),
	.parameters = {
		{ "by", "by", PARAMETER_WORD, .words = groups },
		{ "batch", "batch" },
		{ "since", "since", PARAMETER_TIME },
		{ "until", "until", PARAMETER_TIME },
	},
	.print = print_stats,
	.options = {
		{ "by", 0, "WORD", N_("slot (default), hub, fault, firmware, drone or batch") },
		{ "batch", 'b', "B", N_("of this batch") },
		{ "since", 0, "T", N_("not before (2h, 3d, today, 2026-01-31)") },
		{ "until", 0, "T", N_("not after") },
	},
};
