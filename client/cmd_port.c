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
#include "core/platform.h"

static void
print_released(const json_t *reply)
{
	if (json_array_size(json_object_get(reply, "released")) == 0) {
		puts("Nothing was set aside.");
		return;
	}
	out_names("Released:", reply, "released");
}

static int
run_release(const struct session *s, const struct invocation *i)
{
	bool all = invocation_has(i, "all");
	json_t *parameters, *reply = NULL;
	int r;

	if (all == (i->arg_count > 0))
		return usage_error(i->command, all ? "either --all or a slot, not both"
						   : "which slot? name it, or --all");
	parameters = json_object();
	r = params_text(parameters, "target", all ? NULL : i->args[0]);
	if (r == 0)
		r = conn_ask(s, PROTO_METHOD("ReleasePort"), json_incref(parameters), &reply);
	json_decref(parameters);
	if (r != 0)
		return r;
	if (s->json)
		out_json(reply);
	else
		print_released(reply);
	json_decref(reply);
	return EXIT_OK;
}

static void
print_rules(const json_t *reply)
{
	const json_t *rules = json_object_get(reply, "rules"), *rule;
	size_t i;

	if (json_array_size(rules) == 0)
		puts("No rules: platforms are what the drones say.");
	json_array_foreach(rules, i, rule) {
		struct text target = out_text(rule, "target"),
			    platform = out_text(rule, "platform");

		printf("%s is %s\n", target.s, platform.s);
	}
}

static int
run_platform(const struct session *s, const struct invocation *i)
{
	const char *platform = i->args[1];
	bool none = strcmp(platform, "none") == 0;
	json_t *parameters, *reply = NULL;
	int r;

	if (!none && platform_by_name(platform) == PLATFORM_UNKNOWN)
		return params_no_platform(i, platform, true);
	parameters = json_object();
	r = params_text(parameters, "target", i->args[0]);
	if (r == 0)
		r = params_text(parameters, "platform", none ? NULL : platform);
	if (r == 0)
		r = conn_ask(s, PROTO_METHOD("SetPlatformRule"), json_incref(parameters), &reply);
	json_decref(parameters);
	if (r != 0)
		return r;
	if (s->json)
		out_json(reply);
	else
		print_rules(reply);
	json_decref(reply);
	return EXIT_OK;
}

const struct command_desc cmd_port_release = {
	.name = "port release",
	.args = "SLOT|SERIAL|--all",
	.args_max = 1,
	.help = "lift the quarantine of a slot or a drone",
	.run = run_release,
	.options = { { "all", 0, NULL, "of all of them" } },
};

const struct command_desc cmd_platform_set = {
	.name = "platform set",
	.args = "SLOT|SERIAL PLATFORM|none",
	.args_min = 2,
	.args_max = 2,
	.help = "say what a drone is (needed to tell a Flapper from the board inside it)",
	.run = run_platform,
};
