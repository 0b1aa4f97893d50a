/* SPDX-License-Identifier: MIT */
/* cfdfuctl stats: yield, and whose fault the failures are; the service computes all of it. */
#include "config.h"

#include <stdio.h>
#include <string.h>

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

	json_array_foreach(faults, i, f) {
		size_t used = strlen(all);

		text_format(all + used, sizeof(all) - used, "%s%.60s %lld", i > 0 ? ", " : "",
			    out_text(f, "fault").s, (long long)out_int(f, "count"));
	}
	table_cell(t, all, COLOUR_NONE);
}

static void
add_group(struct table *t, const json_t *g, const char *called)
{
	table_row(t, g);
	table_cell(t, called, COLOUR_NONE);
	table_cell(t, yield_first_pass(g).s, COLOUR_NONE);
	add_faults(t, json_object_get(g, "faults"));
}

static int
print_groups(const struct session *s, const json_t *reply)
{
	static const struct table_column columns[] = {
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
		{ NULL },
	};
	const json_t *groups = json_object_get(reply, "groups"), *g;
	struct table *t;
	size_t i;
	int r = table_new(s, columns, FAULTS_CELLS, &t);

	if (r != 0)
		return r;
	json_array_foreach(groups, i, g)
		add_group(t, g, yield_called(g).s);
	add_group(t, json_object_get(reply, "total"), "all");
	return table_finish(t);
}

static void
print_stages(const json_t *stages)
{
	const json_t *one;
	size_t i;

	json_array_foreach(stages, i, one) {
		char p50[32], p95[32], p99[32];

		format_ms(p50, sizeof(p50), out_int(one, "p50_ms"));
		format_ms(p95, sizeof(p95), out_int(one, "p95_ms"));
		format_ms(p99, sizeof(p99), out_int(one, "p99_ms"));
		if (i == 0)
			puts("\nSTAGE            MEDIAN      95 %      99 %");
		printf("%-12s %10s %9s %9s\n", out_text(one, "step").s, p50, p95, p99);
	}
}

static int
print_stats(const struct session *s, const json_t *reply)
{
	int r;

	if (out_int(reply, "attempts") == 0) {
		puts("No attempts.");
		return EXIT_OK;
	}
	r = print_groups(s, reply);
	if (r != EXIT_OK)
		return r;
	if (out_true(reply, "more"))
		puts("Others, of which more went well, are only in the sum.");
	fields_print(reply, report_findings, FINDINGS_CELLS);
	print_stages(json_object_get(json_object_get(reply, "total"), "stages"));
	return EXIT_OK;
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
