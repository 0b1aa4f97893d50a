/* SPDX-License-Identifier: MIT */
/* cfdfuctl metrics: the station in numbers, as Prometheus reads them. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/commands.h"
#include "client/conn.h"
#include "client/file.h"
#include "client/out.h"
#include "client/remote.h"
#include "client/sync_state.h"

enum { LABELS_MAX = 3 };

enum family_type { GAUGE, COUNTER, HISTOGRAM, INFO };

struct page {
	FILE *out;
	bool open_metrics; /* else the text format 0.0.4, which node_exporter takes from files */
};

/* Left out where its member of its object of the document is not there. */
struct family {
	const char *name;	     /* without "cfdfu_" and the suffix of its type */
	const char *object, *member; /* NULL: the document; the object itself */
	const char *help;
	enum family_type type;
	void (*print)(const struct page *p, const struct family *f, const json_t *member);
	const char *words[14]; /* of print_items(), print_counts() */
	const char *key;
};

static const char *const suffixes[] = { "", "_total", "", "_info" };

/* labels: names and values in turn; NULL ends them. */
static void
sample(const struct page *p, const struct family *f, const char *suffix, const char *const *labels,
       double value)
{
	const char *before = "{";

	fprintf(p->out, "cfdfu_%s%s", f->name, suffix);
	for (; *labels != NULL; labels += 2, before = ",") {
		fprintf(p->out, "%s%s=\"", before, labels[0]);
		for (const char *c = labels[1]; *c != '\0'; c++)
			fprintf(p->out, "%s%c", *c == '"' || *c == '\\' ? "\\" : "", *c);
		putc('"', p->out);
	}
	fprintf(p->out, "%s %.15g\n", *before == ',' ? "}" : "", value);
}

/* Times are in seconds since 1970, gaps of the loop in microseconds. */
static void
print_value(const struct page *p, const struct family *f, const json_t *member)
{
	double value = json_is_true(member) ? 1 : json_number_value(member);
	struct tm utc = { .tm_sec = 0 };

	if (json_is_string(member) &&
	    strptime(json_string_value(member), "%Y-%m-%dT%H:%M:%S", &utc) != NULL)
		value = (double)timegm(&utc);
	if (strcmp(f->member, "longest_gap_us") == 0)
		value /= 1e6;
	sample(p, f, suffixes[f->type], (const char *[]){ NULL }, value);
}

/* An object is a list of one. */
static const json_t *
item(const json_t *of, size_t i)
{
	return json_is_array(of) ? json_array_get(of, i) : i == 0 ? of : NULL;
}

/* A sample for each item, with the words as labels, and the value under the key, or 1. */
static void
print_items(const struct page *p, const struct family *f, const json_t *list)
{
	const json_t *one;

	for (size_t i = 0; (one = item(list, i)) != NULL; i++) {
		const char *labels[2 * LABELS_MAX + 1] = { NULL };
		struct text values[LABELS_MAX];

		for (size_t n = 0; n < LABELS_MAX && f->words[n] != NULL; n++) {
			values[n] = out_text(one, f->words[n]);
			labels[2 * n] = f->words[n];
			labels[2 * n + 1] = values[n].s[0] != '\0' ? values[n].s : "none";
		}
		sample(p, f, suffixes[f->type], labels,
		       f->key != NULL ? (double)out_int(one, f->key) : 1);
	}
}

/* A sample for each word: the items that have it under the key, or as what in a list there. */
static void
print_counts(const struct page *p, const struct family *f, const json_t *list)
{
	const json_t *one, *part;
	size_t j;

	for (const char *const *word = f->words; *word != NULL; word++) {
		unsigned count = 0;

		for (size_t i = 0; (one = item(list, i)) != NULL; i++) {
			if (json_is_false(json_object_get(one, "present")) &&
			    strcmp(f->key, "class") != 0)
				continue; /* a class is the slot's; the rest is its drone's */
			count += out_is(one, f->key, *word);
			json_array_foreach(json_object_get(one, f->key), j, part)
				count += out_is(part, "what", *word);
		}
		sample(p, f, "", (const char *[]){ f->key, *word, NULL }, count);
	}
}

static void
print_stages(const struct page *p, const struct family *f, const json_t *list)
{
	const json_t *one, *bucket;
	size_t i, j;

	json_array_foreach(list, i, one) {
		struct text step = out_text(one, "step");
		const char *labels[] = { "step", step.s, NULL, NULL, NULL };
		char le[32];

		sample(p, f, "_count", labels, (double)out_int(one, "count"));
		sample(p, f, "_sum", labels, (double)out_int(one, "sum_ms") / 1000);
		labels[2] = "le";
		labels[3] = le;
		json_array_foreach(json_object_get(one, "buckets"), j, bucket) {
			(void)snprintf(le, sizeof(le), "%.1f",
				       (double)out_int(bucket, "le_ms") / 1000);
			sample(p, f, "_bucket", labels, (double)out_int(bucket, "count"));
		}
		labels[3] = "+Inf";
		sample(p, f, "_bucket", labels, (double)out_int(one, "count"));
	}
}

/* clang-format off */
static const struct family families[] = {
	{ "up", NULL, "up", "Whether the station's service answers." },
	{ "build", "station", NULL, "Version of the station's service.",
	  INFO, print_items, { "version" } },
	{ "start_time_seconds", NULL, "since", "Start of the service, where counters begin." },
	{ "attempts", NULL, "endings", "Attempts that have ended.",
	  COUNTER, print_items, { "kind", "verdict", "fault" }, "count" },
	{ "stage_seconds", NULL, "stages", "Time in each stage of flashing a drone.",
	  HISTOGRAM, print_stages },
	{ "written_bytes", NULL, "bytes_written", "Bytes written to drones.", COUNTER },
	{ "erased_sectors", NULL, "sectors_erased", "Sectors of drones erased.", COUNTER },
	{ "slots", "slots", NULL, "Slots by how they count.", GAUGE, print_counts,
	  { "absent", "active", "waiting", "pass", "unchanged", "needs-power-cycle",
	    "needs-button", "fail", "skipped", "interrupted", "quarantined", "foreign",
	    "unserved" }, "class" },
	{ "drones", "slots", NULL, "Drones that are plugged in, by whether they are ready.",
	  GAUGE, print_counts, { "yes", "no", "unknown" }, "ready" },
	{ "remaining", "slots", NULL, "Drones by what is left to do.", GAUGE, print_counts,
	  { "self-test", "power-cycle", "deck", "nrf51", "address", "battery" }, "remaining" },
	{ "paused", "station", NULL, "Whether the station is paused, and by what.",
	  GAUGE, print_counts, { "operator", "brake", "batch" }, "paused_by" },
	{ "health", "station", NULL, "Degraded: nothing can be recorded, so nothing is flashed.",
	  GAUGE, print_counts, { "ok", "degraded" }, "health" },
	{ "checks", "checks", NULL, "Checks of the service by result (cfdfuctl doctor).",
	  GAUGE, print_counts, { "ok", "warn", "fail" }, "level" },
	{ "firmware", "station", "selected", "Firmware selected for each platform.",
	  INFO, print_items, { "platform", "name", "version" } },
	{ "batch_expected", "batch", "expect", "Drones expected in the batch that runs." },
	{ "batch_drones", "batch", "drones", "Drones of the running batch that have ended." },
	{ "batch_good", "batch", "good", "Drones of the running batch that ended well." },
	{ "batch_ready", "batch", "ready", "Drones of the running batch that are ready." },
	{ "batch_failed", "batch", "failed", "Drones of the running batch that failed." },
	{ "loop_longest_gap_seconds", "loop", "longest_gap_us",
	  "Longest time without a look at the drones since the start." },
	{ "sync_ok", "sync", "ok", "Whether cfdfu-sync sent all there was when it ran last." },
	{ "sync_behind", "sync", "behind", "Endings that the central database does not have." },
	{ "sync_success_seconds", "sync", "success_at", "When cfdfu-sync sent all there was." },
};
/* clang-format on */

static void
print_family(const struct page *p, const struct family *f, const json_t *member)
{
	static const char *const types[] = { "gauge", "counter", "histogram", "info" };
	const char *suffix = p->open_metrics ? "" : suffixes[f->type];
	const char *unit = strrchr(f->name, '_');

	fprintf(p->out, "# HELP cfdfu_%s%s %s\n# TYPE cfdfu_%s%s %s\n", f->name, suffix, f->help,
		f->name, suffix, p->open_metrics || f->type != INFO ? types[f->type] : "gauge");
	if (p->open_metrics && unit != NULL &&
	    (strcmp(unit, "_seconds") == 0 || strcmp(unit, "_bytes") == 0))
		fprintf(p->out, "# UNIT cfdfu_%s %s\n", f->name, unit + 1);
	(f->print != NULL ? f->print : print_value)(p, f, member);
}

static void
print_page(const struct page *p, const json_t *document)
{
	for (const struct family *f = families; f < families + ARRAY_LEN(families); f++) {
		const json_t *of = document;

		if (f->object != NULL)
			of = json_object_get(of, f->object);
		if (f->member != NULL)
			of = json_object_get(of, f->member);
		if (of != NULL && !json_is_null(of))
			print_family(p, f, of);
	}
	if (p->open_metrics)
		fputs("# EOF\n", p->out);
}

/* The members of several answers.  That the service does not answer is to be seen, too. */
static int
gather(const struct session *s, json_t *document)
{
	static const char *const methods[] = { PROTO_METHOD("GetStatus"), PROTO_METHOD("GetHealth"),
					       PROTO_METHOD("GetCounters") };
	json_t *sync = sync_state_read();
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(methods) && r == 0; i++) {
		json_t *reply = NULL;

		r = conn_ask(s, methods[i], NULL, &reply);
		if (r == 0 && json_object_update(document, reply) < 0)
			r = say_no_memory();
		json_decref(reply);
	}
	if (r == 0 && sync != NULL)
		(void)!sync_state_ask(s, sync); /* said; the rest is true all the same */
	(void)json_object_set_new(document, "sync", sync != NULL ? sync : json_null());
	(void)json_object_set_new(document, "up", json_boolean(r == 0));
	(void)json_object_set(document, "batch",
			      json_object_get(json_object_get(document, "station"), "batch"));
	return r;
}

static int
run(const struct session *s, const struct invocation *i)
{
	const char *path = invocation_value(i, "textfile");
	struct page p = { .open_metrics = path == NULL };
	json_t *document;
	char *text = NULL;
	size_t bytes = 0;
	int r, written = 0;

	if (s->host != NULL && path != NULL)
		return usage_error(i->command, "--textfile is for the station on this machine");
	if (s->host != NULL)
		return remote_run(s, i, -1, -1);
	document = json_object();
	r = gather(s, document);
	p.out = open_memstream(&text, &bytes);
	if (p.out != NULL)
		print_page(&p, document);
	if (p.out == NULL || fclose(p.out) != 0)
		written = say_no_memory();
	else if (s->json)
		out_json(document);
	else
		written = file_write(path != NULL ? path : "-", (uint8_t *)text, bytes);
	free(text);
	json_decref(document);
	return written != 0 ? written : r;
}

const struct command_desc cmd_metrics = {
	.name = "metrics",
	.stations = STATIONS_ONE,
	.live = true,
	.args = "",
	.help = N_("the station in numbers, for Prometheus (OpenMetrics)"),
	.run = run,
	.options = { { "textfile", 0, "FILE", N_("into FILE, as node_exporter reads it") } },
};
