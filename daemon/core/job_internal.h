/* SPDX-License-Identifier: MIT */
/* The parts of a job.  For the job's own two files alone. */
#ifndef CORE_JOB_INTERNAL_H
#define CORE_JOB_INTERNAL_H

#include "core/handle.h"
#include "core/job.h"
#include "core/job_write.h"
#include "core/runtime_session.h"

struct job {
	struct job_setup setup;
	struct job_options options; /* as they were when it began: setup.options points here */
	struct drone_history history;
	struct attempt attempt;
	struct handle handle;
	struct runtime_session runtime;
	struct dfu_session dfu;
	struct job_write write;
	bool unlinking, unlinked; /* the link is given back after an end from outside; so far as it
				     can be */
	bool present;		  /* something is plugged in and is ours */
	int backup_error;	  /* negative errno: it could not be kept */
};

#endif
