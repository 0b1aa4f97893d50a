/* SPDX-License-Identifier: MIT */
/*
 * The core's next request to the outside.  A plain value that is filled from below upwards: a
 * session (dfuse, crtp, maps, flash) names the transfer or the pause, its job adds what is to be
 * recorded or permitted, the fleet adds the slot and its handle.
 *
 * Sessions and jobs are sans-IO: X_next() says what is wanted, X_ended() reports how the transfer
 * went, and time comes in as now_us (microseconds of any monotonic clock).  The X_next() of a
 * session may be called again before anything happened and then says the same.
 */
#ifndef CORE_REQUEST_H
#define CORE_REQUEST_H

#include <stdint.h>

#include "cfdfu/usb_port.h"
#include "core/event.h"
#include "core/sched.h"

struct job_record;

enum request_kind {
	/* These stay inside the core. */
	REQUEST_NOTHING, /* waits for an event */
	REQUEST_PAUSE,	 /* ask again at .until_us */
	REQUEST_PERMIT,	 /* .permit: answer with job_granted() */
	REQUEST_OVER,	 /* finished, one way or the other */
	/* These leave the fleet, to be carried out by the shell. */
	REQUEST_OPEN,
	REQUEST_XFER, /* .xfer; its data stays good until the transfer has ended */
	REQUEST_CLOSE,
	REQUEST_BEGIN,	/* write the attempt's row */
	REQUEST_END,	/* write its ending */
	REQUEST_DIGEST, /* SHA-256 of .data, .length */
	REQUEST_BACKUP, /* keep .data, .length, read from .addr */
	REQUEST_EVENT,	/* tell of .event */
};

/* Pointers are good until the next call into the session, job or fleet that filled it. */
struct request {
	enum request_kind kind;
	uint64_t until_us;  /* PAUSE */
	enum permit permit; /* PERMIT */
	struct usb_xfer xfer;
	const uint8_t *data; /* DIGEST, BACKUP */
	uint32_t length, addr;
	uint32_t app_addr; /* BACKUP: where the application begins, or addr */
	/* by the fleet */
	unsigned slot;
	uint64_t dev; /* OPEN, XFER, CLOSE */
	const char *node;
	const struct job_record *record; /* OPEN (the port), BEGIN, END */
	struct fleet_event event;	 /* EVENT */
};

#endif
