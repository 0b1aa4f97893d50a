/* SPDX-License-Identifier: MIT */
/* The slow walk's place, and what the next start has to know of it. */
#ifndef STORE_WALK_H
#define STORE_WALK_H

#include "store/files.h"

#define WALK_SUSPECT "cfdfud.db-suspect" /* the database is to be rebuilt at the next start */
#define WALK_PLACE "cfdfud.db-walked"	 /* where the walk was when it was cut off */
#define WALK_REBUILT "cfdfud.db-rebuilt" /* the difference it was rebuilt for last */

struct walk {
	off_t offset;	 /* of the next line; 0: at the beginning */
	int64_t seq;	 /* compared last */
	int64_t last_id; /* of the last attempt met */
	int64_t compared;
	unsigned long differences, unreadable;
	int64_t first_seq; /* of the first difference */
	char first[128];   /* that, in words */
	bool ended;
	int64_t kept_ms; /* mono; its place was kept for the next start */
	/* of the last one that came to the end */
	int64_t whole_ms;
	unsigned long whole_differences, told_unreadable;
	int64_t told_seq; /* the first difference that was an alarm */
	char whole_first[128];
};

void walk_begin(struct walk *w); /* from the beginning */
/* From where the last one of this database was cut off, if it had found nothing by then. */
void walk_resume(struct walk *w, const struct files *f);

struct store;

/* store_walk(), of a store that is not IMPORTING. */
int walk_go_on(struct store *s, const struct store_time *now, bool (*go_on)(void *ctx),
	       void *ctx) MUST_CHECK;

/* A walk before the start found differences: the database is to be rebuilt now; it was rebuilt. */
bool walk_wants_rebuild(const struct files *f);
void walk_was_rebuilt(const struct files *f);

#endif
