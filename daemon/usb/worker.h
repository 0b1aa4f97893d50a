/* SPDX-License-Identifier: MIT */
/*
 * A few threads for the calls into the kernel that can wait on a device: opening, resetting,
 * closing a node.
 *
 * WHY threads at all: open(2) and close(2) of a usbfs node wait for the device's lock, and close(2)
 * as well as USBDEVFS_DISCARDURB for the host controller to let go of a transfer, which takes
 * seconds when a hub is busy; a port reset takes seconds, and a silent device is asked for its
 * configuration for one.  None of these has an asynchronous form, and one drone's trouble may not
 * stop the others.  The threads share nothing with the loop: a job is handed over whole, and handed
 * back whole.
 */
#ifndef USB_WORKER_H
#define USB_WORKER_H

#include <stdbool.h>
#include <sys/queue.h>

#include "cfdfu/util.h"

struct event_base;
struct worker;

#define WORKER_THREADS_MAX 8 /* LIMIT: so many silent devices can be waited for at once */

/* Embedded in what it works on. */
struct worker_job {
	void (*run)(struct worker_job *job);  /* on a thread; may wait */
	void (*done)(struct worker_job *job); /* from the loop, once for each submit */
	STAILQ_ENTRY(worker_job) link;
};

/* 0 or negative errno.  Threads are made when they are needed, and stay. */
int worker_new(struct event_base *base, struct worker **ret_worker) MUST_CHECK;

/* Waits for all jobs, then calls their done(): for the end of the program only.  NULL is fine. */
void worker_free(struct worker *w);

/* The job is the worker's until done().  0, or -EAGAIN when there is no thread and none can be
 * made. */
int worker_submit(struct worker *w, struct worker_job *job) MUST_CHECK;

#endif
