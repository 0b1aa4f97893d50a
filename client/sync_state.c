/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "client/sync_state.h"

#include <stdlib.h>

json_t *
sync_state_read(void)
{
	const char *path = getenv(SYNC_STATE_ENV);
	json_t *state = json_load_file(path != NULL ? path : SYNC_STATE_FILE, 0, NULL);

	if (json_is_object(state))
		return state;
	json_decref(state);
	return NULL;
}
