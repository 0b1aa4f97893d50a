/* SPDX-License-Identifier: MIT */
/* The station and its slots as JSON: types Station and Slot of org.cfdfu.Station. */
#ifndef APP_STATUS_H
#define APP_STATUS_H

#include <jansson.h>
#include <stdbool.h>

#include "store/store.h"

struct services;

/* known: an answer of before, since when no record has become durable, or NULL.  It spares reading
 * the settings again. */
json_t *status_station(const struct services *sv, const json_t *known);
json_t *status_slot(const struct services *sv, unsigned slot);
/* Members of the station, for those who change them. */
json_t *status_selected(const struct services *sv); /* a list of type Selection */
json_t *status_own(const struct services *sv);	    /* a list of type OwnSelection */
json_t *status_rules(const struct services *sv);    /* a list of type PlatformRule */
/* Why this image is quarantined; NULL: it is not. */
const char *status_quarantined(const struct services *sv, const char *sha256_text);
/* The records can be written; else this is why a drone waits. */
bool status_may_begin(const struct services *sv);
extern const char status_may_not_begin[];
/* "degraded" or "ok", and why. */
const char *status_health(const struct services *sv, char ret_why[STORE_WHY_MAX]);

#endif
