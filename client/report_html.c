/* SPDX-License-Identifier: MIT */
/* A report as one page that stands alone: no script, no file beside it; prints on A4. */
#include "config.h"

#include "client/report.h"

#include <limits.h>
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
    "h1{font-size:24px;margin:0}h2{font-size:16px;margin:1.4em 0 .4em;break-after:avoid}\n"
    ".sum{font-size:17px;margin:.3em 0 1em}.two{display:flex;flex-wrap:wrap;gap:0 2em}\n"
    ".two th{white-space:nowrap}.two table{flex:1 1 20em;align-self:start}\n"
    "table{border-collapse:collapse}"
    "td,th{text-align:left;vertical-align:top;padding:.2em .8em .2em 0;font-weight:normal;"
    "unicode-bidi:isolate}th{color:#4a5568}td,th{overflow-wrap:anywhere}\n"
    ".all{width:100%;table-layout:fixed}.all td,.all th{border-bottom:1px solid #ccd2da}"
    ".all code{font-size:85%}thead{display:table-header-group}tr{break-inside:avoid}"
    ".bad td{background:#fff3d6}\n"
    "svg{display:block;max-width:30vw;margin-top:.25em}.light{fill:#b8cfe4}.solid{fill:#005fa3}\n"
    "@media print{body{margin:0;padding:0;font-size:8.5pt;max-width:none}"
    ".bad td{print-color-adjust:exact;-webkit-print-color-adjust:exact}}\n"
    "</style>\n";

/* The one way of a text into the page: each @ of the markup is the next text, escaped. */
static void
put(const char *markup, const char *const *texts)
{
	static const char *const escapes[UCHAR_MAX + 1] = {
		['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;"
	};

	for (; *markup != '\0'; markup++) {
		struct text t = { { *markup } };

		if (*markup == '@')
			text_copy(&t, *texts++);
		for (const char *c = t.s; *c != '\0'; c++)
			if (*markup == '@' && escapes[(unsigned char)*c] != NULL)
				fputs(escapes[(unsigned char)*c], stdout);
			else
				putchar(*c);
	}
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

static void
put_firmware(const json_t *drones)
{
	json_t *seen = json_object();
	const json_t *d;
	size_t i;

	json_array_foreach(drones, i, d) {
		struct text sum = out_text(d, "firmware_sha256");

		if (sum.s[0] != '\0' && json_object_get(seen, sum.s) == NULL)
			PUT("<tr><th>firmware<td>@ @ <code>@</code>\n",
			    out_text(d, "firmware_name").s, out_text(d, "firmware_version").s,
			    sum.s);
		(void)json_object_set_new(seen, sum.s, json_true());
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
	put_firmware(r->drones);
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
	double longest = 1;
	const json_t *one;
	size_t i;

	json_array_foreach(stages, i, one)
		if ((double)out_int(one, "p95_ms") > longest)
			longest = (double)out_int(one, "p95_ms");
	puts("<h2>Stages: median (dark) and 95 % (light)</h2><table>");
	json_array_foreach(stages, i, one) {
		json_int_t half = out_int(one, "p50_ms"), most = out_int(one, "p95_ms");
		struct text text = words("; %lld times", (long long)out_int(one, "count"));
		char p50[32], p95[32];

		format_ms(p50, sizeof(p50), half);
		format_ms(p95, sizeof(p95), most);
		put_bar(out_text(one, "step").s, (double)most / longest, (double)half / longest,
			words("%s, 95 %% within %s%s", p50, p95, text.s).s);
	}
	puts("</table>");
}

/* Those that failed, as the service has them: the worst first. */
static void
put_failures(const char *heading, const json_t *reply)
{
	const json_t *groups = json_object_get(reply, "groups"), *g;
	size_t i;

	PUT("<h2>@: failed attempts (dark) of all (light)</h2><table>\n", heading);
	json_array_foreach(groups, i, g) {
		long long failed = out_int(g, "failed"), attempts = out_int(g, "attempts");

		if (failed == 0)
			continue;
		put_bar(
		    yield_called(g).s, 1, (double)failed / (double)attempts,
		    words("%lld of %lld; first pass %s", failed, attempts, yield_first_pass(g).s)
			.s);
	}
	puts("</table>");
}

/* Good ones have a proof, the others words. */
static void
put_drone(const json_t *d)
{
	bool good = colour_of_verdict(out_string(d, "verdict")) == COLOUR_GOOD;
	const char *how = out_int(d, "transfers") > 0 ? "read back:" : "it says so:";
	struct text proof = words("attempt %lld, %s %s", (long long)out_int(d, "id"), how,
				  out_sum(d, "firmware_sha256").s);
	struct text tries = words("(%lld attempts)", (long long)out_int(d, "attempts"));
	char slot[96], left[128];

	slot_name(d, slot, sizeof(slot));
	slot_remaining(d, left, sizeof(left));
	PUT("<tr class=@><td>@<td>@ <code>@</code><td>@ &rarr; @<td>@ @ @<td>@ @<td>@\n",
	    good ? "good" : "bad", slot, out_text(d, "name").s, slot_serial(d),
	    out_text(d, "version_before").s, out_text(d, "version_after").s,
	    good ? "\u2714" : "\u2716", out_text(d, "verdict").s,
	    out_int(d, "attempts") > 1 ? tries.s : "", slot_ready_word(d), left,
	    good ? proof.s : out_text(d, "message").s);
}

void
report_html(const struct report *r)
{
	const json_t *b = r->batch, *one;
	size_t i;
	json_int_t lacking = out_int(b, "expect") - out_int(b, "drones");

	PUT("<!DOCTYPE html>\n<html lang=en><title>Batch @</title>\n", out_text(b, "name").s);
	fputs(head, stdout);
	PUT("<h1>Batch @</h1><p class=sum>@@\n", out_text(b, "name").s,
	    words("%lld of %lld drones are good, %lld ready to fly; %lld failed",
		  (long long)out_int(b, "good"), (long long)out_int(b, "drones"),
		  (long long)out_int(b, "ready"), (long long)out_int(b, "failed"))
		.s,
	    lacking > 0 ? words("; %lld missing.", (long long)lacking).s : ".");
	put_sums(r);
	put_failures("Slots", r->by_slot);
	put_failures("Drones", r->by_drone);
	put_stages(json_object_get(json_object_get(r->by_slot, "total"), "stages"));
	puts("<h2>Drones</h2><table class=all><thead><tr><th width=10%>Slot<th width=23%>Drone"
	     "<th width=18%>Before &rarr; after<th width=13%>Result<th width=9%>Ready"
	     "<th width=27%>Proof, or what happened</thead>");
	json_array_foreach(r->drones, i, one)
		put_drone(one);
	puts("</table>");
}
