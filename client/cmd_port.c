/* SPDX-License-Identifier: MIT */
/* cfdfuctl port release, platform set: the operator's word on slots and drones. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "client/command.h"
#include "client/commands.h"
#include "client/conn.h"
#include "client/out.h"
#include "client/params.h"

static int
print_released(const struct session *s, const json_t *reply)
{
	(void)s;
	if (json_array_size(json_object_get(reply, "released")) == 0)
		puts("Nothing was set aside.");
	else
		out_names("Released:", reply, "released");
	return EXIT_OK;
}

static int
run_release(const struct session *s, const struct invocation *i)
{
	bool all = invocation_has(i, "all");
	struct params p;

	if (all == (i->arg_count > 0))
		return usage_error(i->command, all ? N_("either --all or a slot, not both")
						   : N_("which slot? name it, or --all"));
	p = params_new();
	params_argument(&p, "target", i);
	return conn_show(s, PROTO_METHOD("ReleasePort"), &p, print_released);
}

static int
print_rules(const struct session *s, const json_t *reply)
{
	const json_t *rules = json_object_get(reply, "rules"), *rule;
	size_t i;

	(void)s;
	if (json_array_size(rules) == 0)
		puts("No rules: platforms are what the drones say.");
	json_array_foreach(rules, i, rule)
		printf("%s is %s\n", out_text(rule, "target").s, out_text(rule, "platform").s);
	return EXIT_OK;
}

static int
run_platform(const struct session *s, const struct invocation *i)
{
	const char *platform = i->args[1];
	int r = params_check_platform(i, platform, true);
	struct params p;

	if (r != 0)
		return r;
	p = params_new();
	params_argument(&p, "target", i);
	params_text(&p, "platform", strcmp(platform, "none") == 0 ? NULL : platform);
	return conn_show(s, PROTO_METHOD("SetPlatformRule"), &p, print_rules);
}

const struct command_desc cmd_port_release = {
	.name = "port release",
	.args = "SLOT|SERIAL|--all",
	.args_max = 1,
	.help = N_("lift the quarantine of a slot or a drone"),
	.run = run_release,
	.options = { { "all", 0, NULL, N_("of all of them") } },
};

const struct command_desc cmd_platform_set = {
	.name = "platform set",
	.args = "SLOT|SERIAL PLATFORM|none",
	.args_min = 2,
	.args_max = 2,
	.help = N_("say what a drone is (needed to tell a Flapper from the board inside it)"),
	.run = run_platform,
};
