/* SPDX-License-Identifier: MIT */
/*
 * The central database: PostgreSQL, by libpq.  No wait is longer than the connection string allows:
 * connect_timeout (default 10 s) for connecting, tcp_user_timeout (60 s) for each answer.
 */
#ifndef CLIENT_SYNC_CENTRE_H
#define CLIENT_SYNC_CENTRE_H

#include "cfdfu/util.h"

enum centre_status {
	CENTRE_OK = 0,
	CENTRE_LATER = 1,   /* not now: it is down, slow, full, read-only */
	CENTRE_USAGE = 2,   /* the connection string */
	CENTRE_REFUSES = 4, /* the schema or the rights are not such that it would be taken */
	CENTRE_MOVED = 5,   /* another run was faster */
};

struct centre;

/* Also when it fails there is one, unless memory has run out: for centre_why(). */
enum centre_status centre_open(const char *conninfo, struct centre **ret_centre) MUST_CHECK;
void centre_close(struct centre *c); /* NULL is fine */

/* A statement with values ($1 and so on; NULL), or several statements without one. */
enum centre_status centre_run(struct centre *c, const char *sql, const char *const *values,
			      int count) MUST_CHECK;
/* Of the rows of the last one; good until the next.  NULL is NULL. */
int centre_rows(const struct centre *c);
const char *centre_value(const struct centre *c, int row, int column);

const char *centre_why(const struct centre *c); /* a sentence: why the last call failed */

#endif
