/* SPDX-License-Identifier: MIT */
/* cfdfuctl retry: flash drones again. */
#include "config.h"

#include <stdio.h>

#include "client/command.h"
#include "client/commands.h"
#include "client/conn.h"
#include "client/out.h"
#include "client/params.h"

static void
print_queued(const json_t *reply)
{
	const json_t *queued = json_object_get(reply, "queued"), *one;
	const json_t *refused = json_object_get(reply, "refused");
	size_t i;

	json_array_foreach(refused, i, one) {
		struct text t;

		text_copy(&t, json_string_value(one));
		say_note("%s", t.s);
	}
	if (json_array_size(queued) == 0) {
		if (json_array_size(refused) == 0)
			puts("Nothing to retry: no drone that is plugged in has failed.");
		return;
	}
	out_names("Queued:", reply, "queued");
	if (json_is_string(json_object_get(reply, "note"))) {
		struct text t;

		text_copy(&t, json_string_value(json_object_get(reply, "note")));
		puts(t.s);
	}
}

static int
run(const struct session *s, const struct invocation *i)
{
	json_t *parameters, *reply = NULL;
	bool failed = invocation_has(i, "failed");
	int r = 0;

	if (failed == (i->arg_count > 0))
		return usage_error(i->command, failed ? "either --failed or drones, not both"
						      : "which drones? name them, or --failed");
	parameters = json_object();
	if (i->arg_count > 0)
		r = params_texts(parameters, "targets", i->args, i->arg_count);
	if (r == 0)
		r = params_switch(parameters, "failed", i, "failed");
	if (r == 0)
		r = params_switch(parameters, "force", i, "force");
	if (r == 0)
		r = conn_ask(s, PROTO_METHOD("Retry"), json_incref(parameters), &reply);
	json_decref(parameters);
	if (r != 0)
		return r;
	if (s->json)
		out_json(reply);
	else
		print_queued(reply);
	r = json_array_size(json_object_get(reply, "refused")) > 0 ? EXIT_REFUSED : EXIT_OK;
	json_decref(reply);
	return r;
}

const struct command_desc cmd_retry = {
	.name = "retry",
	.args = "SLOT|SERIAL...|--failed",
	.args_max = COMMAND_ARGS_ANY,
	.help = "flash drones again",
	.run = run,
	.options = {
		{ "failed", 0, NULL, "all present drones whose last attempt failed" },
		{ "force", 'f', NULL, "also what is already right, and what is set aside" },
	},
};
