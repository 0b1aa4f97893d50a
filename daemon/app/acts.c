/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "app/acts.h"

#include <stdlib.h>
#include <string.h>

#include "app/clock.h"
#include "app/log.h"
#include "app/reply.h"
#include "app/services.h"

/* LIMIT: refusals recorded in a minute: users without permission cannot fill the disk. */
enum { DENIED_MAX = 20, OUTCOME_MAX = 512, LINE_ARGUMENTS_MAX = 400 };

static int
record(const struct services *sv, const struct peer *peer, const char *method,
       const char *arguments)
{
	struct store_time now = clock_time(sv->clock);
	struct store_act act = { .uid = (int64_t)peer->uid,
				 .pid = peer->pid,
				 .user = peer->user,
				 .method = method,
				 .arguments = arguments };

	return store_act(sv->store, &act, &now);
}

/* The row has the outcome among the arguments, as the first: what is too long is cut at the end. */
static char *
arguments_of(const struct call *call, const char *outcome)
{
	json_t *all = json_object(), *parameters = call_parameters(call);
	char *text = NULL;

	if ((outcome == NULL || json_object_set_new(all, "outcome", reply_text(outcome)) == 0) &&
	    json_object_update(all, parameters) == 0) {
		(void)json_object_del(all, "signature"); /* WHY: long, and of no use to readers */
		(void)json_object_del(all, "selection");
		text = json_dumps(all, JSON_COMPACT);
	}
	json_decref(all);
	return text;
}

static void
tell(const struct services *sv, struct call *call, const char *outcome)
{
	const struct peer *peer = call_peer(call);
	const char *method = strrchr(call_method(call), '.') + 1;
	char *row = arguments_of(call, outcome), *line = arguments_of(call, NULL);
	struct log_about about = { .id = LOG_ID_OPERATOR_ACT };
	int r = record(sv, peer, method, row);

	/* WHY cut: the outcome stands behind the arguments, and a line's length is limited. */
	log_say(sv->log, LOG_NOTICE, &about, "%s: %s %.*s: %s%s", peer->user, method,
		LINE_ARGUMENTS_MAX, line != NULL ? line : "{}", outcome,
		r < 0 ? " (not recorded)" : "");
	free(row);
	free(line);
}

/* A call that goes on for a while: the audit does not wait for its end. */
void
acts_begun(struct services *sv, struct call *call)
{
	call_set_data(call, sv); /* WHY: that it was told, nothing else */
	tell(sv, call, "begun");
}

void
acts_answered(void *ctx, struct call *call, const char *error, const json_t *parameters)
{
	struct services *sv = ctx;
	const char *reason = json_string_value(json_object_get(parameters, "reason"));
	char outcome[OUTCOME_MAX];

	if (error == NULL) {
		if (call_data(call) == NULL)
			tell(sv, call, "done");
		return; /* WHY: an act that began an attempt has its outcome there */
	}
	(void)snprintf(outcome, sizeof(outcome), "%s: %s",
		       call_data(call) == NULL ? "refused" : "failed",
		       reason != NULL ? reason : strrchr(error, '.') + 1);
	tell(sv, call, outcome);
}

void
acts_denied(void *ctx, const struct peer *peer, const char *method)
{
	struct services *sv = ctx;
	struct log_about about = { .id = LOG_ID_OPERATOR_ACT };
	uint64_t minute = clock_now_us() / 60000000;
	int r;

	if (minute != sv->denied.minute)
		sv->denied.count = 0;
	sv->denied.minute = minute;
	if (sv->denied.count++ >= DENIED_MAX)
		return;
	r = record(sv, peer, "Denied", method);
	log_say(sv->log, LOG_WARNING, &about, "%s may not call %s%s%s", peer->user, method,
		r < 0 ? " (not recorded)" : "",
		sv->denied.count == DENIED_MAX ? "; more of this minute is not told" : "");
}
