/* SPDX-License-Identifier: MIT */
/* Getting storage up: lock, audit file, database, and both made equal. */
#ifndef STORE_RECOVER_H
#define STORE_RECOVER_H

#include "store/files.h"

#define LOOP_WAIT_MS 20 /* LIMIT: how long a lock of another program may hold up the event loop */

struct recovery {
	bool in_loop; /* the event loop waits: no long wait for locks */
	bool rebuild; /* the database is put away and made again from the audit file */
};

/* DOWN -> UP.  0, or negative errno and down_why: then parts of it may be open, for
 * files_fail_stop().  ret_long (may be NULL) is set when it came to reading all of the database. */
int recover_files(struct files *f, const struct store_time *now, const struct recovery *how,
		  bool *ret_long) MUST_CHECK;

#endif
