/* SPDX-License-Identifier: MIT */
/* Counters as one line of JSON, every member under its own name. */
#ifndef SIM_COUNTERS_H
#define SIM_COUNTERS_H

#include <stdio.h>

#include "sim/drone.h"

void counters_print(const struct drone_counters *c, FILE *out);

#endif
