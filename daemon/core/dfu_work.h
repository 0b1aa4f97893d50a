/* SPDX-License-Identifier: MIT */
/*
 * Carrying out an image's plan on a device that has been probed: which operation is next, what it
 * means that one is over.  The session carries the operations out.
 *
 *   FEATURE --> CHECK_FEATURE --> PLAN        32-bit parallelism is asked for   [dfu_work_took]
 *   PLAN                                      until plan_next() has no more     [dfu_work_next]
 *
 * INVARIANT: erase and program are allowed in the windows of dfu_work_allow(), and nowhere else.
 */
#ifndef CORE_DFU_WORK_H
#define CORE_DFU_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "cfdfu/outcome.h"
#include "core/dfu_probe.h"
#include "core/dfuse.h"
#include "core/image.h"
#include "core/plan.h"

enum dfu_work_stage { DFU_WORK_FEATURE, DFU_WORK_CHECK_FEATURE, DFU_WORK_PLAN };

struct dfu_work_options {
	bool word;	  /* ask for 32-bit parallelism */
	bool compare;	  /* skip = readback: look before erasing */
	bool trust_blank; /* the last attempt on this drone ended well */
	bool loader_only; /* write the boot loader's sector, and nothing else */
};

/* Embedded in its owner; all members are private but the first two, which may be read. */
struct dfu_work {
	struct plan *plan; /* NULL: none is made */
	bool word_refused; /* asked for word parallelism, did not take */
	/* private */
	enum dfu_work_stage stage;
	uint8_t *padded; /* a block, for what is written with 0xFF before or behind it; or NULL */
};

/* -EPERM, -E2BIG with ret_why (static); -ENOMEM.  Its plan keeps a reference on the image. */
int dfu_work_begin(struct dfu_work *w, const struct dfu_probe *probe, struct image *image,
		   const struct dfu_work_options *options, const char **ret_why) MUST_CHECK;
void dfu_work_end(struct dfu_work *w); /* frees the plan; fine without one */

/* Opens the windows in which the plan may write. */
void dfu_work_allow(const struct dfu_work *w, const struct dfu_probe *probe, bool loader_only,
		    struct dfuse *d);

/* The next operation; false: the plan is done, or has failed. */
bool dfu_work_next(struct dfu_work *w, struct dfuse_operation *ret_operation);

/* That operation is over: data and length of what was read. */
void dfu_work_took(struct dfu_work *w, struct dfuse *d);

/* It failed.  True: it is optional, and left out. */
bool dfu_work_forgives(struct dfu_work *w, enum fault fault) MUST_CHECK;

/* How it failed; kind NONE: it has not.  ret_why: static, or NULL. */
struct verdict dfu_work_verdict(const struct dfu_work *w, const char **ret_why);

enum step dfu_work_step(const struct dfu_work *w); /* for the record and the operator */

#endif
