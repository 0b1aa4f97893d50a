/* SPDX-License-Identifier: MIT */
/* The database's shape, as ordered migration steps: step n leads from user_version n to n + 1. */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include <stddef.h>

#define SCHEMA_APPLICATION_ID 0x43464446 /* "CFDF" */

extern const char *const schema_steps[]; /* each runs in one transaction of its own */
extern const size_t schema_step_count;	 /* the user_version of this program */

#endif
