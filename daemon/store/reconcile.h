/* SPDX-License-Identifier: MIT */
/* The database and the audit file tell one story: the shorter of the two is made as long as the
 * other. */
#ifndef STORE_RECONCILE_H
#define STORE_RECONCILE_H

#include "store/files.h"

/*
 * 0: they are equal.  1: the database lacks lines of the audit file; the files are IMPORTING now.
 * -EUCLEAN: they tell different stories and the audit file is to be believed; other negative errno.
 * stamp names what is put away.
 */
int reconcile_files(struct files *f, const char *stamp) MUST_CHECK;

/* Goes on importing while go_on (may be NULL: to the end) says so, and commits.  1: there is more;
 * 0: all is in the database, which is open again; negative errno: files_fail_stop(), what was
 * committed stays. */
int reconcile_go_on(struct files *f, bool (*go_on)(void *ctx), void *ctx) MUST_CHECK;
unsigned reconcile_percent(const struct files *f); /* of an import */

/* The row of a line's record says what the line says, and the indices have it: 1; 0 not; negative
 * errno. */
int reconcile_is_same(struct db *db, const struct audit_line *l) MUST_CHECK;

#endif
