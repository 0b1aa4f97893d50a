/* SPDX-License-Identifier: MIT */
/* Times as people write them. */
#ifndef CLIENT_WHEN_H
#define CLIENT_WHEN_H

#include <stdbool.h>
#include <time.h>

#include "cfdfu/util.h"

#define WHEN_TEXT_MAX 32

/*
 * "90s", "1h30m", "2h", "3d", "1w" (that long ago), "today", "yesterday", "now", "12:34" (today),
 * "2026-01-31", "2026-01-31 12:34[:56]" (local, with a blank or a T), and the same with Z (UTC).
 * Writes UTC, ISO 8601 with milliseconds.
 */
bool when_parse(const char *text, time_t now, char ret_iso[WHEN_TEXT_MAX]) MUST_CHECK;

/* "90s", "5m", "1h30m", "2d", "1w"; a number alone counts seconds. */
bool when_duration(const char *text, int64_t *ret_seconds) MUST_CHECK;

/* Milliseconds of the monotonic clock. */
int64_t when_ms(void);

#endif
