/* SPDX-License-Identifier: MIT */
/*
 * cfdfuctl history: attempts, newest first, as a table, CSV or JSON.  show: one attempt with its
 * stages and times, or one drone with its life.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "client/attempts.h"
#include "client/commands.h"
#include "client/conn.h"
#include "client/fields.h"
#include "client/out.h"
#include "client/slots.h"

#define LIMIT_MAX 10000000U

static const char *const no_more[] = { NULL }; /* columns */

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
		attempts_csv_rows(list, no_more);
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
		attempts_csv_heading(no_more);
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
run_history(const struct session *s, const struct invocation *i)
{
	struct listing l = { .session = s, .csv = invocation_has(i, "csv") };
	struct params p = params_of(i);
	int r = p.status;

	l.limit = l.csv || s->json ? UINT64_MAX : PROTO_HISTORY_DEFAULT;
	if (r == 0)
		r = invocation_number(i, "limit", 1, LIMIT_MAX, &l.limit);
	if (r == 0 && l.csv && s->json)
		r = usage_error(i->command, "either --csv or --json, not both");
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

static const char *const verdicts[] = { "pass",		"unchanged", "needs-power-cycle",
					"needs-button", "fail",	     "skipped",
					"interrupted",	"running",   NULL };
static const char *const kinds[] = { "flash", "loader", "backup", "deck", "eeprom", NULL };

const struct command_desc cmd_history = {
	.name = "history",
	.args = "",
	.help = N_("attempts, newest first"),
	.run = run_history,
	.parameters = {
		{ "serial", "serial" },
		{ "slot", "slot" },
		{ "batch", "batch" },
		{ "verdict", "verdict", PARAMETER_WORD, .words = verdicts },
		{ "kind", "kind", PARAMETER_WORD, .words = kinds },
		{ "since", "since", PARAMETER_TIME },
		{ "until", "until", PARAMETER_TIME },
	},
	.options = {
		{ "serial", 's', "S", N_("of this drone") },
		{ "slot", 'p', "P", N_("on this slot (port or label)") },
		{ "verdict", 'v', "V", N_("that ended so: pass, unchanged, fail, ...") },
		{ "kind", 'k', "K", N_("of this kind: flash, loader, backup, deck, eeprom") },
		{ "batch", 'b', "B", N_("of this batch") },
		{ "since", 0, "T",
		  N_("not before (2h, 3d, today, 2026-01-31, \"2026-01-31 12:00\")") },
		{ "until", 0, "T", N_("not after") },
		{ "limit", 'n', "N", N_("at most so many (default: 50 in a table, else all)") },
		{ "csv", 0, NULL, N_("comma-separated values with a heading line (RFC 4180)") },
	},
};

#define ATTEMPT_DIGITS_MAX 11 /* WHY: a DFU serial has 12 hex digits and may look like a number */

static const struct field known_fields[] = {
	{ "name", N_("name"), FIELD_TEXT },
	{ "dfu_serial", N_("DFU serial"), FIELD_TEXT },
	{ "platform", N_("platform"), FIELD_TEXT },
	{ "device_type", N_("calls itself"), FIELD_TEXT },
	{ "board", N_("board"), FIELD_TEXT },
	{ "loader_sha256", N_("boot loader"), FIELD_TEXT },
	{ NULL },
};

static const struct field past_fields[] = {
	{ "first_seen", N_("first seen"), FIELD_TIME },
	{ "last_seen", N_("last seen"), FIELD_TIME },
	{ "last_version", N_("last version"), FIELD_TEXT },
	{ "last_verdict", N_("last verdict"), FIELD_TEXT },
	{ "nrf_version", N_("nRF51"), FIELD_TEXT },
	{ "decks", N_("decks"), FIELD_DECKS },
	{ "radio", N_("radio"), FIELD_RADIO },
	{ "ready", N_("ready"), FIELD_TEXT },
	{ "ready_note", "", FIELD_TEXT },
	{ "remaining", N_("remaining"), FIELD_REMAINING },
	{ "selftest", N_("self-test"), FIELD_TEXT },
	{ "battery_mv", N_("battery"), FIELD_VOLTS },
	{ "crash", N_("last crash"), FIELD_TEXT },
	{ NULL },
};

static const struct field quirk_fields[] = {
	{ "quirks", N_("quirks"), FIELD_TEXTS },
	{ NULL },
};

static int
print_drone(const struct session *s, const json_t *reply)
{
	const json_t *d = json_object_get(reply, "drone");
	struct text serial, port = out_text(d, "port");
	const json_t *attempts = json_object_get(reply, "attempts");
	int r;

	text_copy(&serial, slot_serial(d));
	printf("Drone %s\n", serial.s);
	fields_print(d, known_fields, 16);
	printf("  %-16s %s\n", "plugged in", port.s[0] != '\0' ? port.s : "no");
	fields_print(d, past_fields, 16);
	if (out_int(d, "failures_in_row") > 0)
		printf("  %-16s %lld\n", "failures in row",
		       (long long)out_int(d, "failures_in_row"));
	if (out_true(d, "quarantined"))
		printf("  %-16s yes; cfdfuctl port release %s\n", "quarantined", serial.s);
	fields_print(d, quirk_fields, 16);
	putchar('\n');
	r = attempts_table(s, attempts);
	/* LIMIT: the service sends so many along */
	if (r == EXIT_OK && json_array_size(attempts) >= PROTO_HISTORY_DEFAULT)
		printf("Older ones are not shown: cfdfuctl history --serial %s --limit N\n",
		       serial.s);
	return r;
}

static bool
is_attempt(const char *word, uint64_t *ret_id)
{
	return strlen(word) <= ATTEMPT_DIGITS_MAX && strspn(word, "0123456789") == strlen(word) &&
	       number_parse(word, INT64_MAX, ret_id);
}

static int
print_attempt(const struct session *s, const json_t *reply)
{
	attempt_print(s, json_object_get(reply, "attempt"), json_object_get(reply, "stages"));
	return EXIT_OK;
}

static int
run_show(const struct session *s, const struct invocation *i)
{
	struct params p;
	uint64_t id = 0;

	if (!is_attempt(i->args[0], &id))
		return conn_run(s, i);
	p = params_new();
	params_number(&p, "id", (json_int_t)id);
	return conn_show(s, PROTO_METHOD("GetAttempt"), &p, print_attempt);
}

const struct command_desc cmd_show = {
	.name = "show",
	.args = "ATTEMPT|SLOT|SERIAL",
	.args_min = 1,
	.args_max = 1,
	.help = N_("one attempt with its stages and times; one drone with its life"),
	.run = run_show,
	.method = PROTO_METHOD("GetDrone"),
	.parameters = { { "serial" } },
	.print = print_drone,
};
