/* SPDX-License-Identifier: MIT */
/*
 * The signatures of org.cfdfu.Station's methods: what the server checks before a handler sees a
 * call.
 *
 * A method is declared in include/cfdfu/org.cfdfu.Station.varlink and nowhere else.  station.awk
 * makes the list STATION_METHODS from it (ctl/station_methods.h): signatures and permissions here,
 * handlers and their table in app/api.h and app/api.c.
 */
#ifndef CTL_STATION_H
#define CTL_STATION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum param_type { PARAM_STRING, PARAM_FILE, PARAM_STRINGS, PARAM_INT, PARAM_BOOL };

#define PARAM_TEXT_MAX 1024   /* LIMIT: bytes of one text parameter */
#define PARAM_FILE_MAX 16384  /* LIMIT: bytes of a file's text (signature, selection) */
#define PARAM_STRINGS_MAX 256 /* LIMIT: targets of one call; more go by their label */
#define PARAMS_MAX 10

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

extern const struct method_signature station_signatures[];
extern const size_t station_method_count;

/*
 * NULL when the parameters are what the specs say; else the name of the one to refuse: unknown, of
 * another type, too long, or missing.  Members that are null are removed.  The name is good as long
 * as the object and the specs are.
 */
const char *params_check(const struct param_spec *specs, json_t *parameters);

/* The text of org.cfdfu.Station.varlink. */
extern const char station_description[];

#endif
