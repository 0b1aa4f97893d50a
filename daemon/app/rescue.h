/* SPDX-License-Identifier: MIT */
/*
 * Jobs that an operator asks for by name: loader recovery, the reading of a drone's flash, decks,
 * radio configuration; and the copies that are kept of drones from before their first update.
 */
#ifndef APP_RESCUE_H
#define APP_RESCUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/fleet.h"

struct rescue;
struct services;

struct rescue_request {
	void *owner; /* is told of the end; not NULL */
	struct job_setup setup;
	int fd;		/* of a backup: where its bytes go, taken; else -1 */
	bool whole;	/* of a backup: boot loader and all of the flash */
	json_t *answer; /* shared by the requests of one owner: kept until they have ended; NULL */
};

/* How a request ended.  Of a backup: what was written to fd; sha256 "" nothing was. */
struct rescue_result {
	enum job_kind kind; /* that was asked for */
	const struct job_record *record;
	const char *trouble; /* it came to nothing before there was anything to record: why; NULL */
	uint64_t bytes;
	uint32_t addr, length; /* of what the file holds */
	char sha256[65];
	int error; /* of writing to fd: negative errno */
	bool last; /* no other request of this owner is under way */
	json_t *answer;
	const struct services *sv;
};

/* ended: a request has, of this owner. */
int rescue_new(const struct services *sv,
	       void (*ended)(void *owner, const struct rescue_result *result),
	       struct rescue **ret_rescue) MUST_CHECK; /* -ENOMEM */
void rescue_free(struct rescue *rs);		       /* NULL is fine */

/* 0 it begins; -EBUSY the slot is at work, -EAGAIN the station is paused (of those that wait for
 * their turn), -ENODEV nothing is there, -EINVAL it is not a Crazyflie, or another errno.
 * take_request->fd is closed in every case. */
int rescue_begin(struct rescue *rs, unsigned slot,
		 const struct rescue_request *take_request) MUST_CHECK;
void rescue_forget(struct rescue *rs, void *owner); /* it is not told; the work goes on */

/* REQUEST_BACKUP: keeps the bytes.  -errno. */
int rescue_backup(void *ctx, const struct request *c);
/* A listener (app/dispatch.h). */
void rescue_tell(void *ctx, const struct fleet_event *event);

#endif
