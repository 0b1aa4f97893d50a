/* SPDX-License-Identifier: MIT */
/*
 * The signatures of org.cfdfu.Station's methods: what the server checks before a handler sees a
 * call. station.c mirrors include/cfdfu/org.cfdfu.Station.varlink; a test compares the two.
 */
#ifndef CTL_STATION_H
#define CTL_STATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Index into station_signatures and into the handlers given to server_new(). */
enum station_method {
	STATION_GET_STATUS,
	STATION_WATCH,
	STATION_PAUSE,
	STATION_RESUME,
	STATION_RETRY,
	STATION_ADD_FIRMWARE,
	STATION_LIST_FIRMWARE,
	STATION_GET_FIRMWARE,
	STATION_SELECT_FIRMWARE,
	STATION_DESELECT_FIRMWARE,
	STATION_REMOVE_FIRMWARE,
	STATION_SET_PLATFORM_RULE,
	STATION_GET_HISTORY,
	STATION_GET_ATTEMPT,
	STATION_GET_DRONE,
	STATION_RELEASE_PORT,
	STATION_RELEASE_FIRMWARE,
	STATION_RECOVER_LOADER,
	STATION_BACKUP,
	STATION_GET_HEALTH,
	STATION_GET_CONFIG,
	STATION_PLAN,
	STATION_CHECK_RECORDS,
	STATION_METHOD_COUNT
};

enum param_type { PARAM_STRING, PARAM_STRINGS, PARAM_INT, PARAM_BOOL };

#define PARAM_TEXT_MAX 1024   /* LIMIT: bytes of one text parameter */
#define PARAM_STRINGS_MAX 256 /* LIMIT: elements of a list; there are at most 120 slots */
#define PARAMS_MAX 8

/* A parameter that is null counts as missing.  Integers are 0 or more. */
struct param_spec {
	const char *name; /* NULL ends the list */
	enum param_type type;
	bool required;
};

#define METHOD_CHANGES 1U    /* needs peer.may_change */
#define METHOD_STREAMS 2U    /* only with "more"; several replies */
#define METHOD_DESCRIPTOR 4U /* needs exactly one descriptor, call_take_fd() */

struct method_signature {
	const char *name; /* full: "org.cfdfu.Station.Pause" */
	unsigned flags;
	struct param_spec params[PARAMS_MAX + 1];
};

extern const struct method_signature station_signatures[STATION_METHOD_COUNT];

/* The text of org.cfdfu.Station.varlink. */
extern const char station_description[];

#endif
