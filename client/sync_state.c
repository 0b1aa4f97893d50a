/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/sync_state.h"

#include "cfdfu/system.h"
#include "client/conn.h"
#include "client/out.h"

json_t *
sync_state_read(void)
{
	json_t *state = json_load_file(environment(SYNC_STATE_ENV, SYNC_STATE_FILE), 0, NULL);

	if (json_is_object(state))
		return state;
	json_decref(state);
	return NULL;
}

int
sync_state_ask(const struct session *s, json_t *state)
{
	struct params p = { .object = json_pack("{s:i, s:i}", "after", 0, "limit", 0) };
	json_t *reply = NULL;
	int r = conn_ask(s, PROTO_METHOD("GetEndings"), &p, &reply);

	if (r == 0)
		(void)json_object_set_new(
		    state, "behind",
		    json_integer(out_int(reply, "total") - out_int(state, "endings")));
	json_decref(reply);
	return r;
}
