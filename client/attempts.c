/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/attempts.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "client/command.h"
#include "client/fields.h"
#include "client/out.h"
#include "client/slots.h"

#define NARROW_SERIALS 120 /* columns; with fewer, serials are shortened */
#define NARROW_TIMES 100   /* likewise times: versions before and after fit beside them */
#define TIME_CELLS 19	   /* "2026-01-31 12:34:56" */
#define TIME_MINUTES 16	   /* where its seconds begin */
#define TIME_YEAR 5	   /* cells of its year */
#define FAULT_CELLS 12

/* The view "attempts" (doc/promises.md 4), in its order. */
/* clang-format off */
static const char *const columns[] = {
	"id", "started_at", "ended_at", "port", "label", "serial", "dfu_serial", "platform",
	"firmware_name", "firmware_version", "firmware_sha256", "version_before",
	"version_after", "verdict", "fault", "step", "address", "bytes_written",
	"sectors_erased", "transfers", "duration_ms", "message", "kind", "batch",
	"ready", "target", "path", "nrf_version", "uuid", "signer"
};
/* clang-format on */

/* "2026-01-31 12:34:56"; brief: "01-31 12:34". */
static void
started_cell(struct table *t, const json_t *a, bool brief)
{
	char started[40];

	format_time(started, sizeof(started), out_string(a, "started_at"));
	brief = brief && strlen(started) == TIME_CELLS;
	if (brief)
		started[TIME_MINUTES] = '\0';
	table_cell(t, started + (brief ? TIME_YEAR : 0), COLOUR_NONE);
}

static void
add_row(struct table *t, const json_t *a, size_t digits, bool brief)
{
	struct text verdict = out_text(a, "verdict"), fault = out_text(a, "fault");
	struct text step = out_text(a, "step"), kind = out_text(a, "kind");
	struct text before = out_text(a, "version_before"), after = out_text(a, "version_after");
	char id[24], what[160] = "", versions[160], ending[160];
	/* WHY named: a copy that was read is not a drone that was flashed. */
	bool other = kind.s[0] != '\0' && strcmp(kind.s, "flash") != 0;

	snprintf(id, sizeof(id), "%lld", (long long)out_int(a, "id"));
	if (fault.s[0] != '\0')
		snprintf(what, sizeof(what), "%.60s%s%.60s", fault.s, step.s[0] ? " while " : "",
			 step.s);
	snprintf(versions, sizeof(versions), "%.40s%s%.40s", before.s,
		 before.s[0] != '\0' || after.s[0] != '\0' ? " -> " : "", after.s);
	snprintf(ending, sizeof(ending), "%.40s%s%.40s", other ? kind.s : "", other ? ": " : "",
		 verdict.s[0] != '\0' ? verdict.s : "running");
	table_row(t, a);
	table_cell(t, id, COLOUR_NONE);
	started_cell(t, a, brief);
	table_cell(t, slot_label(a).s, COLOUR_NONE);
	table_cell(t, slot_short_serial(a, digits).s, COLOUR_NONE);
	table_cell(t, versions, COLOUR_NONE);
	table_cell(t, ending, colour_of_verdict(verdict.s));
	table_cell(t, out_string(a, "ready"), slot_ready_colour(a));
	table_cell(t, what, COLOUR_NONE);
}

int
attempts_table(const struct session *s, const json_t *attempts)
{
	static const struct table_column shown[] = {
		{ N_("ID"), .right = true },
		{ N_("STARTED") },
		{ N_("SLOT"), .cut = true },
		{ N_("SERIAL"), 5 },
		{ N_("FIRMWARE"), 1, .key = "firmware_name" },
		{ N_("VERSION"), 3 },
		{ N_("VERDICT") },
		{ N_("READY"), 6 },
		{ N_("TOOK"), 2, .right = true, .key = "duration_ms", FIELD_MS },
		{ N_("FAULT"), 4 },
		{ NULL },
	};
	unsigned room = out_columns();
	bool brief = room > 0 && room<NARROW_TIMES, narrow = room> 0 && room < NARROW_SERIALS;
	size_t i, digits = narrow ? slots_serial_digits(attempts) : SIZE_MAX;
	const json_t *a;
	struct table *t;
	int r;

	if (json_array_size(attempts) == 0) {
		puts("No attempts.");
		return EXIT_OK;
	}
	r = table_new(s, shown, FAULT_CELLS, &t);
	if (r != 0)
		return r;
	json_array_foreach(attempts, i, a)
		add_row(t, a, digits, brief);
	return table_finish(t);
}

static void
print_csv_text(const char *text)
{
	bool formula = text[0] != '\0' && strchr("=+-@", text[0]) != NULL;

	if (!formula && strpbrk(text, ",\"\r\n") == NULL) {
		fputs(text, stdout);
		return;
	}
	putchar('"');
	if (formula)
		putchar('\'');
	for (; *text != '\0'; text++) {
		if (*text == '"')
			putchar('"');
		putchar(*text);
	}
	putchar('"');
}

void
attempts_csv_heading(const char *const *more)
{
	for (size_t c = 0; c < ARRAY_LEN(columns); c++)
		printf("%s%s", c == 0 ? "" : ",", columns[c]);
	for (; *more != NULL; more++)
		printf(",%s", *more);
	fputs("\r\n", stdout);
}

static void
print_csv_cell(const json_t *a, const char *column)
{
	if (out_is_int(a, column))
		printf("%lld", (long long)out_int(a, column));
	else
		print_csv_text(out_text(a, column).s);
}

void
attempts_csv_rows(const json_t *attempts, const char *const *more)
{
	const json_t *a;
	size_t i;

	json_array_foreach(attempts, i, a) {
		for (size_t c = 0; c < ARRAY_LEN(columns); c++) {
			fputs(c > 0 ? "," : "", stdout);
			print_csv_cell(a, columns[c]);
		}
		for (const char *const *m = more; *m != NULL; m++) {
			putchar(',');
			print_csv_cell(a, *m);
		}
		fputs("\r\n", stdout);
	}
}

void
attempts_json_rows(const json_t *attempts, bool first)
{
	const json_t *a;
	size_t i;

	json_array_foreach(attempts, i, a) {
		fputs(first && i == 0 ? "{\"attempts\":[" : ",", stdout);
		(void)json_dumpf(a, stdout, OUT_JSON_FLAGS); /* WHY: main looks at the stream */
	}
}

void
attempts_json_end(bool empty, json_int_t next)
{
	fputs(empty ? "{\"attempts\":[" : "", stdout);
	fputs("],\"next\":", stdout);
	if (next > 0)
		printf("%lld}\n", (long long)next);
	else
		fputs("null}\n", stdout);
}

static void
print_stages(const json_t *stages)
{
	const json_t *stage;
	size_t i;

	if (json_array_size(stages) > 0)
		puts("  stages");
	json_array_foreach(stages, i, stage) {
		struct text step = out_text(stage, "step");
		char took[32];

		format_ms(took, sizeof(took), out_int(stage, "ms"));
		printf("    %-14s %s\n", step.s, took);
	}
}

static const struct field attempt_fields[] = {
	{ "message", N_("message"), FIELD_TEXT },
	{ "kind", N_("kind"), FIELD_TEXT },
	{ "target", N_("target"), FIELD_TEXT },
	{ "batch", N_("batch"), FIELD_TEXT },
	{ "ready", N_("ready"), FIELD_TEXT },
	{ "remaining", N_("remaining"), FIELD_REMAINING },
	{ "selftest", N_("self-test"), FIELD_TEXT },
	{ "crash", N_("last crash"), FIELD_TEXT },
	{ "fault", N_("fault"), FIELD_TEXT },
	{ "step", N_("step"), FIELD_TEXT },
	{ "address", N_("address"), FIELD_ADDRESS },
	{ "port", N_("port"), FIELD_TEXT },
	{ "label", N_("label"), FIELD_TEXT },
	{ "serial", N_("serial"), FIELD_TEXT },
	{ "dfu_serial", N_("DFU serial"), FIELD_TEXT },
	{ "platform", N_("platform"), FIELD_TEXT },
	{ "firmware_name", N_("firmware"), FIELD_TEXT },
	{ "firmware_version", N_("its version"), FIELD_TEXT },
	{ "firmware_sha256", N_("its SHA-256"), FIELD_TEXT },
	{ "version_before", N_("version before"), FIELD_TEXT },
	{ "version_after", N_("version after"), FIELD_TEXT },
	{ "started_at", N_("started"), FIELD_TIME },
	{ "ended_at", N_("ended"), FIELD_TIME },
	{ "duration_ms", N_("took"), FIELD_MS },
	{ "bytes_written", N_("bytes written"), FIELD_NUMBER },
	{ "sectors_erased", N_("sectors erased"), FIELD_NUMBER },
	{ "transfers", N_("transfers"), FIELD_NUMBER },
	{ "nrf_version", N_("nRF51"), FIELD_TEXT },
	{ "decks", N_("decks"), FIELD_DECKS },
	{ "radio", N_("radio"), FIELD_RADIO },
	{ "radio_before", N_("radio before"), FIELD_TEXT },
	{ "battery_mv", N_("battery"), FIELD_VOLTS },
	{ "signer", N_("signed by"), FIELD_TEXT },
	{ "uuid", N_("uuid"), FIELD_TEXT },
	{ NULL },
};

void
attempt_print(const struct session *s, const json_t *a, const json_t *stages)
{
	struct text verdict = out_text(a, "verdict");

	printf("Attempt %lld: %s%s%s\n", (long long)out_int(a, "id"),
	       paint_on(s, colour_of_verdict(verdict.s)),
	       verdict.s[0] != '\0' ? verdict.s : "running", paint_off(s));
	fields_print(a, attempt_fields, 16);
	print_stages(stages);
}
