/* SPDX-License-Identifier: MIT */
/*
 * SQLite's files in plain memory: one database with its logs, one connection at a time. Files that
 * were kept can be put back, even under a connection that has nothing open: it reads them anew, as
 * after another program's commit.
 */
#ifndef FLOW_MEMORY_VFS_H
#define FLOW_MEMORY_VFS_H

#include <stddef.h>

struct memory_vfs_hooks {
	/* Before each write, truncation and sync: SQLITE_OK, or the error it ends with. */
	int (*fails)(void);
	void (*log_synced)(void); /* before the sync of a log */
};

/* Once; the name is for struct store_options.  hooks are borrowed. */
void memory_vfs_register(const char *name, const struct memory_vfs_hooks *hooks);
void memory_vfs_keep(void);
/* Without memory_vfs_keep() before: no files. */
void memory_vfs_put_back(void);
size_t memory_vfs_room(void); /* bytes of memory that all files take */
void memory_vfs_remove(void); /* all files, as if they were renamed; no connection is open */

#endif
