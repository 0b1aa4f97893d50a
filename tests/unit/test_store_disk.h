/* SPDX-License-Identifier: MIT */
/*
 * A disk that fails, fills up or loses power at the n-th operation, under both SQLite (a VFS named
 * "unsafe" over the default one) and the store's own files (write, fdatasync and so on are wrapped
 * by the linker).
 */
#ifndef TEST_STORE_DISK_H
#define TEST_STORE_DISK_H

#include <stdbool.h>
#include <stdint.h>

enum disk_fault {
	DISK_FINE,
	DISK_EIO,  /* the operation fails; what a failed sync was to make durable never will be (see
		      lies) */
	DISK_FULL, /* operations that take room fail */
	DISK_READ_ONLY, /* all that change anything fail */
	DISK_KILL,	/* the process dies; what was written stays */
	DISK_POWER_CUT, /* the process dies; what was not synced is lost, in whole or in part (seed)
			 */
};

enum disk_op { DISK_WRITE, DISK_SYNC, DISK_TRUNCATE, DISK_CREATE, DISK_RENAME, DISK_READ };

struct disk {
	enum disk_fault fault;
	unsigned long at;     /* operation number from which on; the first is 1 */
	unsigned long count;  /* how many operations in a row fail; 0: all from there on */
	enum disk_fault then; /* after those: from there on */
	uint64_t seed;	      /* DISK_POWER_CUT: which of the unsynced writes survive; 0 none */
	const char *only;     /* only files whose path has this in it; NULL: all */
	bool reads;	      /* reading fails, too (DISK_EIO) */
	bool writes_only;     /* other operations do not count */
	bool lies; /* after a failed sync the lost bytes can still be read, until power is cut: as
		      Linux does */
	bool ballast_helps; /* DISK_FULL: fine as soon as a file "ballast" was removed */
	unsigned long ops;  /* so far */
	unsigned long hits; /* failed so far */
	unsigned long syncs;
	unsigned long long bytes_read; /* by SQLite and by pread() */
	bool ballast_gone;
};

extern struct disk disk;

void disk_set_up(void);		/* registers the VFS */
void disk_reset(struct disk d); /* ops begin at 0 again, nothing is unsynced */
void disk_lose_unsynced(void);	/* as a power cut does; close what is open before */

#endif
