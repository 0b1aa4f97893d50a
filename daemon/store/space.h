/* SPDX-License-Identifier: MIT */
/*
 * Free space, and the ballast: a file that reserves room, deleted when the disk is full so that
 * the endings of running attempts can still be recorded (doc/faults.md A7.2, item 6).
 */
#ifndef STORE_SPACE_H
#define STORE_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#define BALLAST_FILE "ballast"

struct space {
	int dirfd; /* borrowed */
	uint64_t floor_bytes, ballast_bytes;
	bool low;	  /* less than floor_bytes are free */
	bool ballast_out; /* given up, or it could not be made */
};

void space_check(struct space *s); /* one statvfs(2) */
void space_ballast_restore(struct space *s);
bool space_ballast_release(struct space *s); /* false when there was none to release */

#endif
