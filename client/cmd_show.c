/* SPDX-License-Identifier: MIT */
/* cfdfuctl show: one attempt with its stages and times, or one drone with its life. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "client/attempts.h"
#include "client/command.h"
#include "client/commands.h"
#include "client/conn.h"
#include "client/out.h"
#include "client/params.h"

#define ATTEMPT_DIGITS_MAX 11 /* WHY: a DFU serial has 12 hex digits and may look like a number */

static void
print_field(const json_t *d, const char *key, const char *title)
{
	struct text t = out_text(d, key);

	if (t.s[0] != '\0')
		printf("  %-16s %s\n", title, t.s);
}

static void
print_time(const json_t *d, const char *key, const char *title)
{
	char time[40];

	format_time(time, sizeof(time), out_string(d, key));
	if (time[0] != '\0')
		printf("  %-16s %s\n", title, time);
}

static void
print_quirks(const json_t *drone)
{
	const json_t *quirks = json_object_get(drone, "quirks");

	for (size_t i = 0; i < json_array_size(quirks); i++)
		printf("  %-16s %s\n", i == 0 ? "quirks" : "", out_item(quirks, i).s);
}

static int
print_drone(const struct session *s, const json_t *reply)
{
	const json_t *d = json_object_get(reply, "drone");
	struct text serial = out_text(d, "serial"), dfu = out_text(d, "dfu_serial");
	struct text port = out_text(d, "port");
	const json_t *attempts = json_object_get(reply, "attempts");
	int r;

	printf("Drone %s\n", serial.s[0] != '\0' ? serial.s : dfu.s);
	print_field(d, "dfu_serial", "DFU serial");
	print_field(d, "platform", "platform");
	print_field(d, "device_type", "calls itself");
	print_field(d, "board", "board");
	print_field(d, "loader_sha256", "boot loader");
	printf("  %-16s %s\n", "plugged in", port.s[0] != '\0' ? port.s : "no");
	print_time(d, "first_seen", "first seen");
	print_time(d, "last_seen", "last seen");
	print_field(d, "last_version", "last version");
	print_field(d, "last_verdict", "last verdict");
	if (out_int(d, "failures_in_row") > 0)
		printf("  %-16s %lld\n", "failures in row",
		       (long long)out_int(d, "failures_in_row"));
	if (out_true(d, "quarantined"))
		printf("  %-16s yes; cfdfuctl port release %s\n", "quarantined",
		       serial.s[0] != '\0' ? serial.s : dfu.s);
	print_quirks(d);
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
	struct params p = params_new();
	uint64_t id = 0;

	if (is_attempt(i->args[0], &id)) {
		params_number(&p, "id", (json_int_t)id);
		return conn_show(s, PROTO_METHOD("GetAttempt"), &p, print_attempt);
	}
	params_argument(&p, "serial", i);
	return conn_show(s, PROTO_METHOD("GetDrone"), &p, print_drone);
}

const struct command_desc cmd_show = {
	.name = "show",
	.args = "ATTEMPT|SLOT|SERIAL",
	.args_min = 1,
	.args_max = 1,
	.help = N_("one attempt with its stages and times; one drone with its life"),
	.run = run,
};
