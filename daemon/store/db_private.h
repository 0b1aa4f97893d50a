/* SPDX-License-Identifier: MIT */
/* What db.c and db_open.c share. */
#ifndef STORE_DB_PRIVATE_H
#define STORE_DB_PRIVATE_H

#include <sqlite3.h>

#include "store/db.h"

struct db {
	sqlite3 *h;
	sqlite3_stmt *query[DB_QUERY_COUNT];
	sqlite3_stmt *apply[RECORD_KIND_COUNT][RECORD_STEPS_MAX];
	sqlite3_stmt *body[RECORD_KIND_COUNT];
};

#endif
