/* SPDX-License-Identifier: MIT */
/* cfdfuctl history: attempts, newest first, as a table, CSV or JSON. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "client/attempts.h"
#include "client/command.h"
#include "client/commands.h"
#include "client/conn.h"
#include "client/guess.h"
#include "client/out.h"
#include "client/params.h"
#include "client/when.h"

#define LIMIT_MAX 10000000U

static int
set_time(json_t *parameters, const char *key, const struct invocation *i, time_t now)
{
	const char *text = invocation_value(i, key);
	char iso[WHEN_TEXT_MAX];

	if (text == NULL)
		return 0;
	if (!when_parse(text, now, iso))
		return usage_error(i->command,
				   "--%s: not a time: \"%s\" (2h, 3d, today, 2026-01-31, "
				   "\"2026-01-31 12:00\")",
				   key, text);
	return params_text(parameters, key, iso);
}

/* "PASS" as people say it, "pass" as it is kept. */
static int
set_verdict(json_t *parameters, const struct invocation *i)
{
	static const char *const words[] = { "pass",	"unchanged",  "needs-power-cycle",
					     "fail",	"skipped",    "needs-button",
					     "running", "interrupted" };
	const char *text = invocation_value(i, "verdict");
	struct guess g = { .word = text };
	char guess[GUESS_TEXT_MAX];

	if (text == NULL)
		return 0;
	for (size_t n = 0; n < ARRAY_LEN(words); n++)
		if (strcasecmp(words[n], text) == 0)
			return params_text(parameters, "verdict", words[n]);
	for (size_t n = 0; n < ARRAY_LEN(words); n++)
		guess_add(&g, words[n]);
	guess_text(&g, "", guess);
	return usage_error(i->command,
			   "--verdict is pass, unchanged, needs-power-cycle, needs-button, fail, "
			   "skipped, interrupted or running, not \"%s\"%s",
			   text, guess);
}

static int
set_filters(json_t *parameters, const struct invocation *i)
{
	time_t now = time(NULL);
	int r = params_option(parameters, "serial", i, "serial");

	if (r == 0)
		r = params_option(parameters, "slot", i, "slot");
	if (r == 0)
		r = set_verdict(parameters, i);
	if (r == 0)
		r = set_time(parameters, "since", i, now);
	if (r == 0)
		r = set_time(parameters, "until", i, now);
	return r;
}

/* One page appended to all.  *ret_next: the id to go on with, 0 at the end. */
static int
add_page(struct conn *c, json_t *parameters, uint64_t left, json_t *all, json_int_t *ret_next)
{
	uint64_t limit = left < PROTO_HISTORY_MAX ? left : PROTO_HISTORY_MAX;
	json_t *reply = NULL, *list;
	int r = params_number(parameters, "limit", (json_int_t)limit);

	if (r == 0)
		r = conn_call(c, PROTO_METHOD("GetHistory"), json_incref(parameters), -1, &reply);
	if (r != 0)
		return r;
	list = json_object_get(reply, "attempts");
	*ret_next = out_int(reply, "next"); /* WHY: an empty page may have one, too */
	if (json_array_extend(all, list) < 0) {
		say_error("out of memory");
		r = EXIT_REFUSED;
	}
	json_decref(reply);
	return r;
}

/* LIMIT: the service answers at most PROTO_HISTORY_MAX at once; more are asked for page by page. */
static int
collect(const struct session *s, json_t *parameters, uint64_t limit, json_t *all,
	json_int_t *ret_next)
{
	struct conn *c = NULL;
	int r = conn_open(s, &c);

	*ret_next = 0;
	while (r == 0 && json_array_size(all) < limit) {
		r = add_page(c, parameters, limit - json_array_size(all), all, ret_next);
		if (r == 0 && *ret_next == 0)
			break;
		if (r == 0)
			r = params_number(parameters, "before", *ret_next);
	}
	conn_close(c);
	return r;
}

static int
print(const struct session *s, const struct invocation *i, const json_t *all, json_int_t next)
{
	json_t *document;

	if (invocation_has(i, "csv")) {
		attempts_csv(all);
		return EXIT_OK;
	}
	if (!s->json)
		return attempts_table(s, all);
	document = json_pack("{s:O,s:o}", "attempts", all, "next",
			     next > 0 ? json_integer(next) : json_null());
	if (document == NULL) {
		say_error("out of memory");
		return EXIT_REFUSED;
	}
	out_json(document);
	json_decref(document);
	return EXIT_OK;
}

static int
run(const struct session *s, const struct invocation *i)
{
	json_t *parameters = json_object(), *all = json_array();
	uint64_t limit = PROTO_HISTORY_DEFAULT;
	json_int_t next = 0;
	int r = invocation_number(i, "limit", 1, LIMIT_MAX, &limit);

	if (r == 0 && invocation_has(i, "csv") && s->json)
		r = usage_error(i->command, "either --csv or --json, not both");
	if (r == 0)
		r = set_filters(parameters, i);
	if (r == 0)
		r = collect(s, parameters, limit, all, &next);
	if (r == 0)
		r = print(s, i, all, next);
	json_decref(parameters);
	json_decref(all);
	return r;
}

const struct command_desc cmd_history = {
	.name = "history",
	.args = "",
	.help = "attempts, newest first",
	.run = run,
	.options = {
		{ "serial", 's', "S", "of this drone" },
		{ "slot", 'p', "P", "on this slot (port or label)" },
		{ "verdict", 'v', "V", "that ended so: pass, unchanged, fail, ..." },
		{ "since", 0, "T", "not before (2h, 3d, today, 2026-01-31, \"2026-01-31 12:00\")" },
		{ "until", 0, "T", "not after" },
		{ "limit", 'n', "N", "at most so many (default 50)" },
		{ "csv", 0, NULL, "comma-separated values with a heading line (RFC 4180)" },
	},
};
