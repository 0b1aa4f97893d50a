/* SPDX-License-Identifier: MIT */
/* A report as one page that stands alone: no script, no file beside it; prints on A4. */
#include "config.h"

#include "client/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "client/slots.h"

#define BAR_WIDTH 200.0

/* WHY these colours: told apart with any vision, and in grey. */
static const char head[] =
    "<meta charset=utf-8><meta name=viewport content=\"width=device-width\">"
    "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src "
    "'unsafe-inline'\">\n<style>\n"
    "@page{size:A4;margin:14mm}\n"
    "body{font:13px/1.4 sans-serif;color:#10141a;max-width:62em;margin:2em auto;padding:0 1em}\n"
    "h1{font-size:24px;margin:0}h2{font-size:16px;margin:1.6em 0 .4em;break-after:avoid}\n"
    ".sum{font-size:17px;margin:.3em 0 1em}.two{display:flex;flex-wrap:wrap;gap:0 4em}\n"
    "table{border-collapse:collapse}td,th{text-align:left;vertical-align:top;"
    "padding:.25em .8em .25em 0;font-weight:normal;unicode-bidi:isolate;overflow-wrap:anywhere}\n"
    "th{color:#4a5568}.all td,.all th{border-bottom:1px solid #ccd2da}.all{width:100%}\n"
    "thead{display:table-header-group}tr{break-inside:avoid}.bad td{background:#fff3d6}\n"
    "svg{display:block;margin-top:.25em}.light{fill:#b8cfe4}.solid{fill:#005fa3}\n"
    "code{overflow-wrap:anywhere}\n"
    "@media print{body{margin:0;padding:0;font-size:9pt;max-width:none}"
    ".bad td{print-color-adjust:exact;-webkit-print-color-adjust:exact}}\n"
    "</style>\n";

static void
put_escaped(const char *text)
{
	static const char *const escapes[] = {
		['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;"
	};
	struct text clean;

	text_copy(&clean, text);
	for (const char *c = clean.s; *c != '\0'; c++) {
		unsigned char u = (unsigned char)*c;

		if (u < ARRAY_LEN(escapes) && escapes[u] != NULL)
			fputs(escapes[u], stdout);
		else
			putchar(u);
	}
}

/* The one way of a text into the page: each @ of the markup is the next text, escaped. */
static void
put(const char *markup, const char *const *texts)
{
	for (; *markup != '\0'; markup++)
		if (*markup != '@')
			putchar(*markup);
		else
			put_escaped(*texts++);
}
#define PUT(markup, ...) put(markup, (const char *const[]){ __VA_ARGS__, NULL })

static struct text PRINTF_LIKE(1, 2) words(const char *fmt, ...)
{
	struct text t;
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(t.s, sizeof(t.s), fmt, args); /* WHY: cut is fine */
	va_end(args);
	return t;
}

static void
put_row(int width, const char *title, const char *text)
{
	(void)width;
	PUT("<tr><th>@<td>@\n", title, text);
}

/* The images that its drones have got, each once. */
static void
put_firmware(const struct report *r)
{
	json_t *seen = json_object();
	const json_t *d;
	size_t i;

	json_array_foreach(r->drones, i, d) {
		struct text sum = out_text(d, "firmware_sha256");

		if (sum.s[0] == '\0' || json_object_get(seen, sum.s) != NULL)
			continue;
		(void)json_object_set_new(seen, sum.s,
					  json_true()); /* WHY: else it is said twice */
		PUT("<tr><th>firmware<td>@ @<br><code>@</code>\n", out_text(d, "firmware_name").s,
		    out_text(d, "firmware_version").s, sum.s);
	}
	json_decref(seen);
}

static void
put_sums(const struct report *r)
{
	char now[64] = "";
	time_t t = time(NULL);
	struct tm tm;

	puts("<div class=two><table>");
	fields_each(r->batch, report_asked, 0, put_row);
	put_firmware(r);
	if (localtime_r(&t, &tm) != NULL)
		(void)strftime(now, sizeof(now), "%Y-%m-%d %H:%M %Z", &tm); /* WHY: it fits */
	put_row(0, "written", now);
	puts("</table><table>");
	fields_each(r->batch, report_reached, 0, put_row);
	put_row(0, "first pass", yield_first_pass(json_object_get(r->by_slot, "total")).s);
	fields_each(r->by_slot, report_findings, 0, put_row);
	puts("</table></div>");
}

/* One bar; light and solid: of its width, 0 to 1. */
static void
put_bar(const char *title, double light, double solid, const char *text)
{
	PUT("<tr><th>@<td><svg width=200 height=13 viewBox=\"0 0 200 13\">"
	    "<rect class=light width=@ height=13 /><rect class=solid width=@ y=3 height=7 />"
	    "</svg><td>@\n",
	    title, words("%.1f", light * BAR_WIDTH).s, words("%.1f", solid * BAR_WIDTH).s, text);
}

static void
put_stages(const json_t *stages)
{
	json_int_t longest = 1;
	const json_t *one;
	size_t i;

	json_array_foreach(stages, i, one)
		if (out_int(one, "p95_ms") > longest)
			longest = out_int(one, "p95_ms");
	if (i > 0)
		puts("<h2>Stages: median (dark) and 95 % (light)</h2><table>");
	json_array_foreach(stages, i, one) {
		json_int_t half = out_int(one, "p50_ms"), most = out_int(one, "p95_ms");
		char p50[32], p95[32];

		format_ms(p50, sizeof(p50), half);
		format_ms(p95, sizeof(p95), most);
		put_bar(out_text(one, "step").s, (double)most / (double)longest,
			(double)half / (double)longest,
			words("%s, 95 %% within %s; %lld times", p50, p95,
			      (long long)out_int(one, "count"))
			    .s);
	}
	if (i > 0)
		puts("</table>");
}

/* Those that failed, as the service has them: the worst first. */
static void
put_failures(const char *heading, const json_t *reply)
{
	const json_t *groups = json_object_get(reply, "groups"), *g;
	bool any = false;
	size_t i;

	json_array_foreach(groups, i, g) {
		long long failed = out_int(g, "failed"), attempts = out_int(g, "attempts");

		if (failed == 0)
			continue;
		if (!any)
			PUT("<h2>@: failed attempts (dark) of all (light)</h2><table>\n", heading);
		any = true;
		put_bar(yield_called(g).s, 1, (double)failed / (double)attempts,
			words("%lld of %lld, %lld drones; first pass %s", failed, attempts,
			      (long long)out_int(g, "drones"), yield_first_pass(g).s)
			    .s);
	}
	puts(any ? "</table>" : "");
}

/* Good ones have a proof, the others words. */
static void
put_drone(const json_t *d)
{
	bool good = colour_of_verdict(out_string(d, "verdict")) == COLOUR_GOOD;
	const char *how = out_int(d, "transfers") > 0 ? "read back equal to" : "says that it runs";
	struct text sum = out_sum(d, "firmware_sha256"), message = out_text(d, "message");
	char slot[96], left[128];

	slot_name(d, slot, sizeof(slot));
	slot_remaining(d, left, sizeof(left));
	PUT("<tr class=@><td>@<td>@ <code>@</code><td>@ &rarr; @<td>@ @ @<td>@ @<td>@\n",
	    good ? "good" : "bad", slot, out_text(d, "name").s, slot_serial(d),
	    out_text(d, "version_before").s, out_text(d, "version_after").s,
	    good ? "\u2714" : "\u2716", out_text(d, "verdict").s,
	    out_int(d, "attempts") > 1
		? words("(%lld attempts)", (long long)out_int(d, "attempts")).s
		: "",
	    slot_ready_word(d), left,
	    good ? words("attempt %lld: %s %s", (long long)out_int(d, "id"), how, sum.s).s
		 : message.s);
}

static void
put_drones(const json_t *drones)
{
	const json_t *d;
	size_t i;

	puts("<h2>Drones</h2><table class=all><thead><tr><th>Slot<th>Drone<th>Before &rarr; after"
	     "<th>Result<th>Ready<th>Proof, or what happened</thead>");
	json_array_foreach(drones, i, d)
		put_drone(d);
	puts("</table>");
}

void
report_html(const struct report *r)
{
	const json_t *b = r->batch;
	json_int_t lacking = out_int(b, "expect") - out_int(b, "drones");

	PUT("<!DOCTYPE html>\n<html lang=en><title>Batch @</title>\n", out_text(b, "name").s);
	fputs(head, stdout);
	PUT("<h1>Batch @</h1><p class=sum>@@\n", out_text(b, "name").s,
	    words("%lld of %lld drones are good, %lld ready to fly; %lld failed",
		  (long long)out_int(b, "good"), (long long)out_int(b, "drones"),
		  (long long)out_int(b, "ready"), (long long)out_int(b, "failed"))
		.s,
	    lacking > 0 ? words("; %lld were not there.", (long long)lacking).s : ".");
	put_sums(r);
	put_failures("Slots", r->by_slot);
	put_failures("Drones", r->by_drone);
	put_stages(json_object_get(json_object_get(r->by_slot, "total"), "stages"));
	put_drones(r->drones);
	PUT("<h2>Record</h2><p>The station keeps its records as a chain of hashes; its head at the "
	    "batch's end, of which everything above is a part: <code>@</code>\n",
	    out_text(b, "record_hash").s);
}
