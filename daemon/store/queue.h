/* SPDX-License-Identifier: MIT */
/*
 * The record writer: records in order, from queueing until both files have them.
 *
 *   queued  -> placed     gets seq and hash                                     [place]
 *   placed  -> in_db      the transaction is committed and synced               [write_database]
 *   in_db   -> in_audit   its line is synced; leaves the queue                  [write_audit]
 *   placed  -> in_audit   the database takes no records: audit file alone  [queue_save_in_audit]
 *
 * INVARIANT: a record leaves the queue only when it is durable in both files.
 *
 * INVARIANT: records get their place on the chain in the order of the queue; those with a place
 * come first.
 */
#ifndef STORE_QUEUE_H
#define STORE_QUEUE_H

#include "store/audit.h"
#include "store/db.h"

struct queue {
	struct record *first, *last;
	size_t count;
	uint64_t ticket_last, ticket_durable; /* as store_queued() and store_durable() */
	int64_t chain_seq;		      /* last place given */
	uint8_t chain_hash[RECORD_HASH_BYTES];
};

/* Copies the body to the end of the queue.  -E2BIG it does not fit a body, -ENOMEM. */
int queue_add(struct queue *q, enum record_kind kind, int64_t ref, struct body *b) MUST_CHECK;

/* Writes all of it once, into both files.  The error is the first one's; what one file has taken is
 * not written there again. */
int queue_write(struct queue *q, struct db *db, struct audit *audit) MUST_CHECK;

/* The database does not take them; what the audit file takes is imported when it does. */
void queue_save_in_audit(struct queue *q, struct audit *audit);

/* After reopening: which queued records are on disk, what is the tail of the chain. */
int queue_reload(struct queue *q, struct db *db) MUST_CHECK;

void queue_free(struct queue *q);

#endif
