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
print_released(const struct session *s, const json_t *reply)
{
	(void)s;
	if (out_true(reply, "paused"))
		puts("Released: where it is selected, drones are flashed with it again, after "
		     "'cfdfuctl resume'.");
	else
		puts("Released: where it is selected, drones are flashed with it again.");
	return EXIT_OK;
}

static int
run_pause(const struct session *s, const struct invocation *i)
{
	(void)i;
	return conn_show(s, PROTO_METHOD("Pause"), NULL, print_paused);
}

static int
run_resume(const struct session *s, const struct invocation *i)
{
	(void)i;
	return conn_show(s, PROTO_METHOD("Resume"), NULL, print_resumed);
}

static int
run_release(const struct session *s, const struct invocation *i)
{
	struct params p = params_new();

	params_argument(&p, "name", i);
	return conn_show(s, PROTO_METHOD("ReleaseFirmware"), &p, print_released);
}

const struct command_desc cmd_pause = {
	.name = "pause",
	.args = "",
	.help = N_("start no new drone; running ones end"),
	.run = run_pause,
};

const struct command_desc cmd_resume = {
	.name = "resume",
	.args = "",
	.help = N_("start drones again"),
	.run = run_resume,
};

const struct command_desc cmd_firmware_release = {
	.name = "firmware release",
	.args = "NAME",
	.args_min = 1,
	.args_max = 1,
	.help = N_("give drones a firmware again that the station has set aside"),
	.run = run_release,
};
