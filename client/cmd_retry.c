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
	const json_t *refused = json_object_get(reply, "refused");

	for (size_t i = 0; i < json_array_size(refused); i++)
		say_note("%s", out_item(refused, i).s);
	if (json_array_size(json_object_get(reply, "queued")) > 0) {
		out_names("Queued:", reply, "queued");
		if (json_is_string(json_object_get(reply, "note")))
			puts(out_text(reply, "note").s);
	} else if (json_array_size(refused) == 0) {
		puts("Nothing to retry: no drone that is plugged in has failed.");
	}
}

static int
run(const struct session *s, const struct invocation *i)
{
	bool failed = invocation_has(i, "failed");
	json_t *reply = NULL;
	struct params p;
	int r;

	if (failed == (i->arg_count > 0))
		return usage_error(i->command, failed ? N_("either --failed or drones, not both")
						      : N_("which drones? name them, or --failed"));
	p = params_new();
	if (i->arg_count > 0)
		params_texts(&p, "targets", i->args, i->arg_count);
	params_switch(&p, "failed", i, "failed");
	params_switch(&p, "force", i, "force");
	r = conn_ask(s, PROTO_METHOD("Retry"), &p, &reply);
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
	.help = N_("flash drones again"),
	.run = run,
	.options = {
		{ "failed", 0, NULL, N_("all present drones whose last attempt failed") },
		{ "force", 'f', NULL, N_("also what is already right, and what is set aside") },
	},
};
