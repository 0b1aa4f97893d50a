/* SPDX-License-Identifier: MIT */
/* The connection, for db.c and db_open.c. */
#ifndef STORE_DB_INTERNAL_H
#define STORE_DB_INTERNAL_H

#include <sqlite3.h>

#include "store/db.h"

struct db {
	sqlite3 *h;
	sqlite3_stmt *query[DB_QUERY_COUNT];
	sqlite3_stmt *apply[RECORD_KIND_COUNT][RECORD_STEPS_MAX];
	sqlite3_stmt *body[RECORD_KIND_COUNT];
	char damage[DB_DAMAGE_MAX];
};

#endif
