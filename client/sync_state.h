/* SPDX-License-Identifier: MIT */
/*
 * The file that cfdfu-sync(8) leaves at the end of each run: a JSON object, readable by all, with
 * the members at, success_at (ISO 8601; null never), ok, error, warning (sentences, or null),
 * station_id, epoch, seq, endings (that the central database has of this chain), sent (by the run).
 */
#ifndef CLIENT_SYNC_STATE_H
#define CLIENT_SYNC_STATE_H

#include <jansson.h>

#include "client/command.h"

#define SYNC_STATE_ENV "CFDFU_SYNC_STATE"
#define SYNC_STATE_FILE "/var/lib/cfdfu-sync/state.json"

/* NULL: this station's records go to no central database, or the file cannot be read.  The
 * caller's. */
json_t *sync_state_read(void);

/* Adds the member behind: endings of the station's that the central database does not have.  0 or
 * an exit status. */
int sync_state_ask(const struct session *s, json_t *state) MUST_CHECK;

#endif
