/* SPDX-License-Identifier: MIT */
/* cfdfuctl pause, resume: whether new drones are started. */
#include "config.h"

#include <stdio.h>

#include "client/command.h"
#include "client/commands.h"
#include "client/conn.h"
#include "client/out.h"

static int
ask(const struct session *s, const char *method, const char *done)
{
	json_t *reply = NULL;
	int r = conn_ask(s, method, NULL, &reply);

	if (r != 0)
		return r;
	if (s->json)
		out_json(reply);
	else
		printf("%s  %lld at work.\n", done, (long long)out_int(reply, "active"));
	json_decref(reply);
	return EXIT_OK;
}

static int
run_pause(const struct session *s, const struct invocation *i)
{
	(void)i;
	return ask(s, PROTO_METHOD("Pause"), "Paused: no new drone is started, running ones end.");
}

static int
run_resume(const struct session *s, const struct invocation *i)
{
	(void)i;
	return ask(s, PROTO_METHOD("Resume"),
		   "Resumed.  Drones that are plugged in will be flashed.");
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
