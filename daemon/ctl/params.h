/* SPDX-License-Identifier: MIT */
/* Checks a call's parameters against a method's signature. */
#ifndef CTL_PARAMS_H
#define CTL_PARAMS_H

#include <jansson.h>

#include "ctl/station.h"

/*
 * NULL when all is well; else the name of the parameter to refuse: one that is unknown, of another
 * type, too long, or missing.  Members that are null are removed.  The name is good as long as the
 * object and the specs are.
 */
const char *params_check(const struct param_spec *specs, json_t *parameters);

#endif
