/* SPDX-License-Identifier: MIT */
/* cfdfuctl show: one attempt with its stages and times, or one drone with its life. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "client/attempts.h"
#include "client/commands.h"
#include "client/conn.h"
#include "client/fields.h"
#include "client/out.h"

#define ATTEMPT_DIGITS_MAX 11 /* WHY: a DFU serial has 12 hex digits and may look like a number */

static const struct field known_fields[] = {
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
	struct text serial = out_text(d, "serial"), dfu = out_text(d, "dfu_serial");
	struct text port = out_text(d, "port");
	const json_t *attempts = json_object_get(reply, "attempts");
	int r;

	printf("Drone %s\n", serial.s[0] != '\0' ? serial.s : dfu.s);
	fields_print(d, known_fields, 16);
	printf("  %-16s %s\n", "plugged in", port.s[0] != '\0' ? port.s : "no");
	fields_print(d, past_fields, 16);
	if (out_int(d, "failures_in_row") > 0)
		printf("  %-16s %lld\n", "failures in row",
		       (long long)out_int(d, "failures_in_row"));
	if (out_true(d, "quarantined"))
		printf("  %-16s yes; cfdfuctl port release %s\n", "quarantined",
		       serial.s[0] != '\0' ? serial.s : dfu.s);
	fields_print(d, quirk_fields, 16);
	putchar('\n');
	r = attempts_table(s, attempts);
	/* LIMIT: the service sends so many along */
	if (r == EXIT_OK && json_array_size(attempts) >= PROTO_HISTORY_DEFAULT)
		printf("Older ones are not shown: cfdfuctl history --serial %s --limit N\n",
		       serial.s[0] != '\0' ? serial.s : dfu.s);
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
run(const struct session *s, const struct invocation *i)
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
	.run = run,
	.method = PROTO_METHOD("GetDrone"),
	.parameters = { { "serial" } },
	.print = print_drone,
};
