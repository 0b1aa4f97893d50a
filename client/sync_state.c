/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/sync_state.h"

json_t *
sync_state_read(void)
{
	json_t *state = json_load_file(sync_state_file(), 0, NULL);

	if (json_is_object(state))
		return state;
	json_decref(state);
	return NULL;
}
