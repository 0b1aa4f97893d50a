/* SPDX-License-Identifier: MIT */
/*
 * cfdfuctl pause, resume: whether new drones are started.  firmware release: what the brake has set
 * aside.
 */
#include "config.h"

#include <stdio.h>

#include "client/command.h"
#include "client/commands.h"
#include "client/conn.h"
#include "client/out.h"
#include "client/params.h"

/* The reason why the station had paused itself, and what is left to do. */
static void
print_brake(const json_t *brake)
{
	struct text message = out_text(brake, "message"), name = out_text(brake, "firmware");

	printf("Resumed; the station had paused itself: %s.\n"
	       "%s stays set aside: select another firmware, or 'cfdfuctl firmware release %s'.\n",
	       message.s, name.s, name.s);
}

static int
ask(const struct session *s, const char *method, bool is_pause)
{
	json_t *reply = NULL;
	int r = conn_ask(s, method, NULL, &reply);

	if (r != 0)
		return r;
	if (s->json)
		out_json(reply);
	else if (json_is_object(json_object_get(reply, "brake")))
		print_brake(json_object_get(reply, "brake"));
	else if (is_pause)
		printf("Paused: no new drone is started, running ones end.  %lld at work.\n",
		       (long long)out_int(reply, "active"));
	else
		puts("Resumed.  Drones that are plugged in will be flashed.");
	json_decref(reply);
	return EXIT_OK;
}

static int
run_release(const struct session *s, const struct invocation *i)
{
	json_t *parameters = json_object(), *reply = NULL;
	int r = params_text(parameters, "name", i->args[0]);

	if (r == 0)
		r = conn_ask(s, PROTO_METHOD("ReleaseFirmware"), json_incref(parameters), &reply);
	json_decref(parameters);
	if (r != 0)
		return r;
	if (s->json)
		out_json(reply);
	else
		printf("Released: where it is selected, drones are flashed with it again%s\n",
		       out_true(reply, "paused") ? ", after 'cfdfuctl resume'." : ".");
	json_decref(reply);
	return EXIT_OK;
}

static int
run_pause(const struct session *s, const struct invocation *i)
{
	(void)i;
	return ask(s, PROTO_METHOD("Pause"), true);
}

static int
run_resume(const struct session *s, const struct invocation *i)
{
	(void)i;
	return ask(s, PROTO_METHOD("Resume"), false);
}

const struct command_desc cmd_pause = {
	.name = "pause",
	.args = "",
	.help = "start no new drone; running ones end",
	.run = run_pause,
};

const struct command_desc cmd_resume = {
	.name = "resume",
	.args = "",
	.help = "start drones again",
	.run = run_resume,
};

const struct command_desc cmd_firmware_release = {
	.name = "firmware release",
	.args = "NAME",
	.args_min = 1,
	.args_max = 1,
	.help = "give drones a firmware again that the station has set aside",
	.run = run_release,
};
