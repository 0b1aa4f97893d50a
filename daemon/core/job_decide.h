/* SPDX-License-Identifier: MIT */
/*
 * Decisions of a job about its drone, from all that is known of both: is it ours, which image, may
 * that still be written, what does the end prove.  Pure functions.
 */
#ifndef CORE_JOB_DECIDE_H
#define CORE_JOB_DECIDE_H

#include <stdbool.h>

#include "core/dfu_probe.h"
#include "core/job.h"

struct job_write;

/* All of it borrowed. */
struct job_facts {
	const struct job_setup *setup;
	const struct job_record *record;
	const struct drone_history *history;
	const struct crtp_answers *answers; /* of the drone in run-time mode */
	const struct dfu_probe *found;	    /* of the device in DFU mode */
	bool sent_by_us;		    /* into DFU mode */
	bool begun;			    /* the attempt's row was asked for */
	bool touched;			    /* rebooted, erased or written */
	bool modified;			    /* erased or written */
	struct job_write *write;	    /* not only looked at: what a job writes with */
	int backup_error;		    /* negative errno: the copy could not be kept */
};

enum decision_kind {
	DECIDE_GO_ON,	    /* switch to DFU mode; there: write the image, or nothing but a copy */
	DECIDE_UNCHANGED,   /* it says that it has the image */
	DECIDE_IDLE,	    /* nothing to do for it: no attempt */
	DECIDE_FOREIGN,	    /* none of ours: no attempt */
	DECIDE_QUARANTINED, /* its image is quarantined */
	DECIDE_SKIP,
	DECIDE_FAIL,
};

struct decision {
	enum decision_kind kind;
	enum fault fault;
	const char *why;	/* good until the next decision, or NULL */
	struct image *image;	/* to pin, or the one that is quarantined; borrowed, or NULL */
	enum platform platform; /* UNKNOWN: nothing new */
	bool backup;		/* a copy is to be kept first */
};

/* It runs, and has said who it is. */
struct decision job_decide_running(const struct job_facts *k);
/* It has not said what it is, and a Flapper would be taken for another: it is asked again. */
bool job_is_asked_again(const struct job_facts *k);
/* It is in DFU mode, and everything is known that reading could tell. */
struct decision job_decide_in_dfu(const struct job_facts *k);

/* Nothing but its being in DFU mode on an allowed port speaks for it, and that is not enough. */
bool job_is_foreign(const struct job_facts *k);

/* Its image is quarantined and nothing is erased yet: the drone is left as it is. */
bool job_is_barred(const struct job_facts *k);

/* How it ends once it is over without a fault, at step. */
struct verdict job_proven_verdict(enum job_kind kind, struct dfu_proof proof, int backup_error,
				  enum step step);

#endif
