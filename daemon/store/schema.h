/* SPDX-License-Identifier: MIT */
/* The database's shape, as ordered migration steps: step n leads from user_version n to n + 1. */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include <stddef.h>

#define SCHEMA_APPLICATION_ID 0x43464446 /* "CFDF" */

extern const char *const schema_steps[]; /* each runs in one transaction of its own */
extern const size_t schema_step_count;	 /* the user_version of this program */

/* An attempt's name in other databases, from the chain hash (SQL) of its beginning: a UUID of
 * version 8 (RFC 9562, 5.8).  NULL where that is. */
#define SCHEMA_UUID(hash)                                                                          \
	"lower(substr(hex(" hash "), 1, 8) || '-' || substr(hex(" hash "), 9, 4) || '-8' ||"       \
	" substr(hex(" hash "), 13, 3) || '-8' || substr(hex(" hash "), 16, 3) || '-' ||"          \
	" substr(hex(" hash "), 19, 12))"

#endif
