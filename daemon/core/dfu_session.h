/* SPDX-License-Identifier: MIT */
/*
 * The work on one drone while it is in DFU mode: probing it, all that has to be there before the
 * first change, the plan, leaving; and the reset of the port that may cure a device that does not
 * answer.  Decides nothing about identity or policy: at DECIDE it waits for its owner.
 *
 *   PROBE --> DIGEST --> DECIDE            reading only                     [dfu_session_next,
 *                                                                            dfu_session_digested]
 *   DECIDE --> PERMIT --> RECORD --> BACKUP_READ --> BACKUP_SAVE --> WORK
 *                                          the first of these that is not there yet
 *                                                                           [after_decision]
 *   WORK --> WRITE_PERMIT --> WORK         before the first erase           [dfu_session_granted]
 *   WORK --> LEAVE_PERMIT --> LEAVE --> OVER                                [dfu_session_granted]
 *   PROBE, DECIDE, PERMIT, WRITE_PERMIT --> LEAVE_PERMIT
 *                                          it is left as it is        [dfu_session_only_leave,
 *                                                                            after_probe]
 *   OVER --> RESET --> PROBE | OVER        the ladder's last rung           [dfu_session_cure,
 *                                                                            reset_ended]
 *   any  --> OVER                          the verdict says how             [give_up]
 *
 * INVARIANT: nothing is erased or written before the attempt's row is durable (RECORD) and
 *            PERMIT_WRITE is granted.
 * INVARIANT: what it needs is allocated before the first erase.
 */
#ifndef CORE_DFU_SESSION_H
#define CORE_DFU_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfdfu/outcome.h"
#include "core/dfu_backup.h"
#include "core/dfu_probe.h"
#include "core/dfu_work.h"
#include "core/dfuse.h"
#include "core/request.h"

enum dfu_step {
	DFU_STEP_PROBE,
	DFU_STEP_DIGEST,
	DFU_STEP_DECIDE,
	DFU_STEP_PERMIT,
	DFU_STEP_RECORD,
	DFU_STEP_BACKUP_READ,
	DFU_STEP_BACKUP_SAVE,
	DFU_STEP_WORK,
	DFU_STEP_WRITE_PERMIT,
	DFU_STEP_LEAVE_PERMIT,
	DFU_STEP_LEAVE,
	DFU_STEP_RESET,
	DFU_STEP_OVER,
	DFU_STEP_COUNT
};

/* How it ended. */
enum dfu_result {
	DFU_UNDER_WAY,
	DFU_LEFT,   /* asked to leave, and on its way */
	DFU_STAYED, /* done; what it is has no run-time mode that we know */
	DFU_FAILED, /* dfu_session_verdict() */
	DFU_LOST,   /* gone when it was reset: it may enumerate anew */
};

struct dfu_session_options {
	struct dfu_probe_options probe;
	struct dfu_work_options work;
	bool leave_loader; /* leave = loader: by way of the boot loader */
	bool obey;	   /* wait as long as the device says: configured, or learned */
	bool stalls_early; /* ... learned: it stalls a status request that comes too early */
};

/* The work done since the last time it was asked. */
struct dfu_account {
	uint64_t bytes_written;
	uint32_t sectors_erased, transfers, repairs;
	bool has_plan; /* .repairs counts */
	bool stalls_early, word_refused;
};

struct dfu_proof {
	bool verified;	/* every byte of the image was read back equal */
	bool unchanged; /* ... without anything having been written */
	bool modified;	/* erased or written, now or before */
};

/* Embedded in its owner; all members are private.  All zero before the first dfu_session_begin().
 */
struct dfu_session {
	struct dfuse dfuse;
	struct dfu_probe probe;
	struct dfu_work work;
	struct dfu_session_options options;
	struct dfu_backup backup;
	struct image *image; /* DECIDE: what to write, borrowed; NULL: nothing */
	enum dfu_step step;
	bool under_way;	   /* an operation has been begun */
	bool asked;	   /* the step's one request is out */
	bool permitted;	   /* it has its place among the active */
	bool recorded;	   /* the attempt's row is durable */
	bool may_write;	   /* PERMIT_WRITE was granted */
	bool only_leave;   /* from now on, whatever is found */
	bool digest_known; /* of the boot loader */
	bool lost;
	struct dfu_proof proof;
	uint8_t resets, leaves;
	struct verdict verdict; /* kind NONE: nothing went wrong */
	struct verdict uncured; /* what the reset of the port was to cure; kind NONE: none */
	const char *why;	/* words beside the verdict, or NULL */
	char why_text[DFUSE_WORDS_MAX];
};

/* A drone is in DFU mode, now or again.  All that was proved and saved before stays known. */
void dfu_session_begin(struct dfu_session *s, const struct dfu_session_options *options);
void dfu_session_free(struct dfu_session *s); /* what it holds */

/* It was asked to leave and is still there: once more, and nothing else; false: that was tried. */
bool dfu_session_leave_again(struct dfu_session *s) MUST_CHECK;

/* The descriptors of the opened device; must come before dfu_session_next(). */
void dfu_session_opened(struct dfu_session *s, const uint8_t *descriptors, size_t length);

/* REQUEST_OVER: dfu_session_result() says how.  REQUEST_NOTHING at DECIDE: it is for its owner. */
void dfu_session_next(struct dfu_session *s, uint64_t now_us, struct request *ret_request);
void dfu_session_ended(struct dfu_session *s, enum usb_status status, const uint8_t *data,
		       size_t length, uint64_t now_us);

/* Answers to its requests; one that was not asked for changes nothing. */
void dfu_session_digested(struct dfu_session *s);
void dfu_session_granted(struct dfu_session *s, enum permit permit);
void dfu_session_recorded(struct dfu_session *s, bool durable); /* false: asks again */
void dfu_session_saved(struct dfu_session *s);

/* DECIDE: image is written, or with NULL nothing; borrowed until the session is over. */
void dfu_session_decided(struct dfu_session *s, struct image *image, bool permitted, bool recorded);
/* Nothing is written any more: it is left as it is.  Not once WORK has its permit to write. */
void dfu_session_only_leave(struct dfu_session *s);
/* DFU_FAILED: can a reset of the port cure that?  Then it is requested next. */
bool dfu_session_cure(struct dfu_session *s) MUST_CHECK;

enum dfu_result dfu_session_result(const struct dfu_session *s);
enum step dfu_session_step(const struct dfu_session *s); /* for the record and the operator */
void dfu_session_take_account(struct dfu_session *s, struct dfu_account *ret_account);
void dfu_session_estimate(const struct dfu_session *s, uint64_t now_us, uint64_t *ret_left_us,
			  uint64_t *ret_total_us);

static inline enum dfu_step
dfu_session_at(const struct dfu_session *s)
{
	return s->step;
}

static inline const struct dfu_probe *
dfu_session_found(const struct dfu_session *s)
{
	return &s->probe;
}

static inline const struct plan *
dfu_session_plan(const struct dfu_session *s)
{
	return s->work.plan;
}

static inline struct dfu_proof
dfu_session_proof(const struct dfu_session *s)
{
	return s->proof;
}

/* The failure that a reset of the port was to cure; kind NONE: none was needed. */
static inline struct verdict
dfu_session_uncured(const struct dfu_session *s)
{
	return s->uncured;
}

/* Does it count by itself how often the host has no memory for a transfer? */
static inline bool
dfu_session_is_patient(const struct dfu_session *s)
{
	return s->step != DFU_STEP_RESET &&
	       (s->step != DFU_STEP_PROBE || s->probe.stage != DFU_PROBE_LAYOUT);
}

/* DECIDE: room for a copy of the first memory.  FAULT_IMAGE: nothing of it is readable. */
MUST_CHECK static inline enum fault
dfu_session_prepare_backup(struct dfu_session *s)
{
	return dfu_backup_prepare(&s->backup, &s->probe.maps.map[0]);
}

/* DFU_FAILED: how.  ret_why: words beside it, or NULL; good as long as the session. */
static inline struct verdict
dfu_session_verdict(const struct dfu_session *s, const char **ret_why)
{
	*ret_why = s->why;
	return s->verdict;
}

#endif
