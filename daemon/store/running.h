/* SPDX-License-Identifier: MIT */
/* The attempts that are running: their ids, and those that a daemon before this one left behind. */
#ifndef STORE_RUNNING_H
#define STORE_RUNNING_H

#include "store/files.h"

struct running {
	int64_t next_id;
	int64_t ids[STORE_OPEN_MAX];
	size_t count;
	int64_t left_ids[STORE_OPEN_MAX]; /* running when the previous daemon ended */
	size_t left_count;
	bool left_queued;    /* their endings are */
	bool interrupt_done; /* store_interrupt_running() finished */
	bool unclean;	     /* the previous daemon did not stop as it should */
};

/* From the two files: the next id, and, the first time of a daemon's life, what is running. */
int running_load(struct running *r, struct files *f, bool first) MUST_CHECK;

/* The attempts running now were left by the daemon before. */
void running_leave(struct running *r, bool unclean);

#endif
