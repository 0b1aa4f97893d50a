/* SPDX-License-Identifier: MIT */
/* cfdfuctl history: attempts, newest first, as a table, CSV or JSON. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "client/attempts.h"
#include "client/commands.h"
#include "client/conn.h"
#include "client/guess.h"
#include "client/out.h"
#include "client/when.h"

#define LIMIT_MAX 10000000U

static int
set_time(struct params *p, const char *key, const struct invocation *i, time_t now)
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
	params_text(p, key, iso);
	return 0;
}

/* One of these words, however it is capitalised. */
static int
set_word(struct params *p, const struct invocation *i, const char *key, const char *const *words)
{
	const char *text = invocation_value(i, key);
	struct guess g = { .word = text };
	char guess[GUESS_TEXT_MAX], all[256] = "";

	if (text == NULL)
		return 0;
	for (size_t n = 0; words[n] != NULL; n++) {
		size_t used = strlen(all);

		if (strcasecmp(words[n], text) == 0) {
			params_text(p, key, words[n]);
			return 0;
		}
		guess_add(&g, words[n]);
		(void)snprintf(all + used, sizeof(all) - used, "%s%s",
			       n == 0		      ? ""
			       : words[n + 1] != NULL ? ", "
						      : " or ",
			       words[n]);
	}
	guess_text(&g, "", guess);
	return usage_error(i->command, "--%s is %s, not \"%s\"%s", key, all, text, guess);
}

/* "PASS" as people say it, "pass" as it is kept. */
static int
set_words(struct params *p, const struct invocation *i)
{
	static const char *const verdicts[] = { "pass",		"unchanged", "needs-power-cycle",
						"needs-button", "fail",	     "skipped",
						"interrupted",	"running",   NULL };
	static const char *const kinds[] = { "flash", "loader", "backup", NULL };
	int r = set_word(p, i, "verdict", verdicts);

	return r == 0 ? set_word(p, i, "kind", kinds) : r;
}

static int
set_filters(struct params *p, const struct invocation *i)
{
	time_t now = time(NULL);
	int r = set_words(p, i);

	if (r == 0)
		r = set_time(p, "since", i, now);
	return r == 0 ? set_time(p, "until", i, now) : r;
}

/* One listing: what is to be shown, and how far it has come. */
struct listing {
	const struct session *session;
	bool csv;
	uint64_t limit;	  /* UINT64_MAX: all */
	uint64_t shown;	  /* so far */
	json_int_t next;  /* the id to go on with; 0 at the end */
	json_t *attempts; /* NULL: each page is printed as it comes, and forgotten */
};

/* WHY page by page: a million attempts are not kept in memory to be printed. */
static int
take_page(struct listing *l, json_t *list)
{
	int r = 0;

	if (l->attempts != NULL && json_array_extend(l->attempts, list) < 0) {
		r = say_no_memory();
	} else if (l->csv) {
		attempts_csv_rows(list);
	} else if (l->attempts == NULL) {
		attempts_json_rows(list, l->shown == 0);
	}
	l->shown += json_array_size(list);
	return r;
}

/* LIMIT: the service answers at most PROTO_HISTORY_MAX at once; more are asked for page by page. */
static int
ask_page(struct listing *l, struct conn *c, struct params *p)
{
	uint64_t left = l->limit - l->shown;
	json_t *reply = NULL;
	int r;

	params_number(p, "limit",
		      (json_int_t)(left < PROTO_HISTORY_MAX ? left : PROTO_HISTORY_MAX));
	r = conn_call(c, PROTO_METHOD("GetHistory"), p, -1, &reply);
	if (r == 0)
		r = take_page(l, json_object_get(reply, "attempts"));
	l->next = out_int(reply, "next"); /* WHY: an empty page may have one, too */
	json_decref(reply);
	if (l->next != 0)
		params_number(p, "before", l->next);
	return r;
}

static int
list_all(struct listing *l, struct params *p)
{
	struct conn *c = NULL;
	int r = p->status != 0 ? p->status : conn_open(l->session, &c);

	if (r == 0 && l->csv)
		attempts_csv_heading();
	do
		r = r == 0 ? ask_page(l, c, p) : r;
	while (r == 0 && l->next != 0 && l->shown < l->limit && !ferror(stdout));
	conn_close(c);
	return r;
}

/* Says how a list that ends early goes on. */
static int
print_end(const struct listing *l)
{
	int r;

	if (l->csv)
		return EXIT_OK;
	if (l->attempts == NULL) {
		attempts_json_end(l->shown == 0, l->next);
		return EXIT_OK;
	}
	r = attempts_table(l->session, l->attempts);
	if (r == EXIT_OK && l->next != 0)
		printf("Older ones are not shown: --limit N shows more, --csv and --json show "
		       "all.\n");
	return r;
}

static int
run(const struct session *s, const struct invocation *i)
{
	struct listing l = { .session = s, .csv = invocation_has(i, "csv") };
	struct params p = params_of(i);
	int r;

	l.limit = l.csv || s->json ? UINT64_MAX : PROTO_HISTORY_DEFAULT;
	r = invocation_number(i, "limit", 1, LIMIT_MAX, &l.limit);
	if (r == 0 && l.csv && s->json)
		r = usage_error(i->command, "either --csv or --json, not both");
	if (r == 0)
		r = set_filters(&p, i);
	if (!l.csv && !s->json)
		l.attempts = json_array();
	if (r == 0)
		r = list_all(&l, &p);
	if (r == 0)
		r = print_end(&l);
	params_done(&p);
	json_decref(l.attempts);
	return r;
}

const struct command_desc cmd_history = {
	.name = "history",
	.args = "",
	.help = N_("attempts, newest first"),
	.run = run,
	.parameters = { { "serial", "serial" }, { "slot", "slot" } },
	.options = {
		{ "serial", 's', "S", N_("of this drone") },
		{ "slot", 'p', "P", N_("on this slot (port or label)") },
		{ "verdict", 'v', "V", N_("that ended so: pass, unchanged, fail, ...") },
		{ "kind", 'k', "K", N_("of this kind: flash, loader, backup") },
		{ "since", 0, "T",
		  N_("not before (2h, 3d, today, 2026-01-31, \"2026-01-31 12:00\")") },
		{ "until", 0, "T", N_("not after") },
		{ "limit", 'n', "N", N_("at most so many (default: 50 in a table, else all)") },
		{ "csv", 0, NULL, N_("comma-separated values with a heading line (RFC 4180)") },
	},
};
