/* SPDX-License-Identifier: MIT */
/*
 * cfdfuctl pause, resume, restart, retry, port release, platform set: the operator's word on the
 * station, its slots and its drones.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "client/commands.h"
#include "client/conn.h"
#include "client/out.h"

static int
print_paused(const struct session *s, const json_t *reply)
{
	(void)s;
	printf("Paused: no new drone is started, running ones end.  %lld at work.\n",
	       (long long)out_int(reply, "active"));
	return EXIT_OK;
}

/* brake: why the station had paused itself, and what is left to do. */
static int
print_resumed(const struct session *s, const json_t *reply)
{
	const json_t *brake = json_object_get(reply, "brake");
	struct text message = out_text(brake, "message"), name = out_text(brake, "firmware");

	(void)s;
	if (json_is_object(brake))
		printf("Resumed; the station had paused itself: %s.\n"
		       "%s stays set aside: select another firmware, or "
		       "'cfdfuctl firmware release %s'.\n",
		       message.s, name.s, name.s);
	else
		puts("Resumed.  Drones that are plugged in will be flashed.");
	return EXIT_OK;
}

static int
print_restarted(const struct session *s, const json_t *reply)
{
	(void)s;
	printf("The service restarts when running drones have ended.  %lld at work.\n",
	       (long long)out_int(reply, "active"));
	return EXIT_OK;
}

static int
print_queued(const struct session *s, const json_t *reply)
{
	(void)s;
	if (json_array_size(json_object_get(reply, "queued")) > 0) {
		out_names("Queued:", reply, "queued");
		if (json_is_string(json_object_get(reply, "note")))
			puts(out_text(reply, "note").s);
	} else if (json_array_size(json_object_get(reply, "refused")) == 0) {
		puts("Nothing to retry: no drone that is plugged in has failed.");
	}
	return EXIT_OK;
}

static int
run_retry(const struct session *s, const struct invocation *i)
{
	bool failed = invocation_has(i, "failed");

	if (failed == (i->arg_count > 0))
		return usage_error(i->command, failed ? N_("either --failed or drones, not both")
						      : N_("which drones? name them, or --failed"));
	return conn_run(s, i);
}

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

	if (all == (i->arg_count > 0))
		return usage_error(i->command, all ? N_("either --all or a slot, not both")
						   : N_("which slot? name it, or --all"));
	return conn_run(s, i);
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
	struct invocation taken_back = *i;

	if (r != 0)
		return r;
	taken_back.arg_count = 1;
	return conn_run(s, strcmp(platform, "none") == 0 ? &taken_back : i);
}

const struct command_desc cmd_pause = {
	.name = "pause",
	.args = "",
	.help = N_("start no new drone; running ones end"),
	.run = conn_run,
	.method = PROTO_METHOD("Pause"),
	.print = print_paused,
};

const struct command_desc cmd_resume = {
	.name = "resume",
	.args = "",
	.help = N_("start drones again"),
	.run = conn_run,
	.method = PROTO_METHOD("Resume"),
	.print = print_resumed,
};

const struct command_desc cmd_restart = {
	.name = "restart",
	.args = "",
	.help = N_("restart the service when running drones have ended"),
	.run = conn_run,
	.method = PROTO_METHOD("Restart"),
	.print = print_restarted,
};

const struct command_desc cmd_retry = {
	.name = "retry",
	.args = "SLOT|SERIAL...|--failed",
	.args_max = COMMAND_ARGS_ANY,
	.help = N_("flash drones again"),
	.run = run_retry,
	.print = print_queued,
	.method = PROTO_METHOD("Retry"),
	.parameters = {
		{ "targets", NULL, PARAMETER_TEXTS },
		{ "failed", "failed", PARAMETER_SWITCH },
		{ "force", "force", PARAMETER_SWITCH },
	},
	.options = {
		{ "failed", 0, NULL, N_("all present drones whose last attempt failed") },
		{ "force", 'f', NULL, N_("also what is already right, and what is set aside") },
	},
};

const struct command_desc cmd_port_release = {
	.name = "port release",
	.args = "SLOT|SERIAL|--all",
	.args_max = 1,
	.help = N_("lift the quarantine of a slot or a drone"),
	.run = run_release,
	.method = PROTO_METHOD("ReleasePort"),
	.parameters = { { "target" } },
	.print = print_released,
	.options = { { "all", 0, NULL, N_("of all of them") } },
};

const struct command_desc cmd_platform_set = {
	.name = "platform set",
	.args = "SLOT|SERIAL PLATFORM|none",
	.args_min = 2,
	.args_max = 2,
	.help = N_("say what a drone is (needed to tell a Flapper from the board inside it)"),
	.run = run_platform,
	.method = PROTO_METHOD("SetPlatformRule"),
	.parameters = { { "target" }, { "platform" } },
	.print = print_rules,
};
