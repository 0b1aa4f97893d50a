/* SPDX-License-Identifier: MIT */
/*
 * One attempt on one drone: its stage, its record, how it ends, and how far that is on its way to
 * the disk.  The job decides what happens; here it is written down, once, and timed.
 *
 *   ROW_NONE --> ROW_ASKED --> ROW_THERE --> ROW_ENDING --> ROW_PUBLISHED     [attempt_begin,
 *      ^             |             ^             |          attempt_end, attempt_recorded]
 *      +-------------+             +-------------+          the disk did not take it
 *
 * The stages are drawn in core/job.h; each change is made by [attempt_enter].
 *
 * INVARIANT: no verdict is published before it is on disk; one row, one ending, the first one.
 */
#ifndef CORE_ATTEMPT_H
#define CORE_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "cfdfu/outcome.h"
#include "cfdfu/platform.h"
#include "cfdfu/watch.h"
#include "core/condition.h"
#include "core/crtp.h"
#include "core/dfu_session.h"
#include "core/image.h"
#include "core/platform.h"
#include "core/readiness.h"
#include "core/request.h"

#define JOB_MESSAGE_MAX 1024 /* LIMIT: the store's STORE_MESSAGE_MAX */

enum job_kind {
	JOB_UPDATE,
	JOB_RECOVER_LOADER,
	JOB_BACKUP,
	JOB_CHECKUP,  /* looks at the whole drone; no attempt, changes nothing but its power */
	JOB_DECK,     /* a deck's firmware */
	JOB_EEPROM,   /* the radio configuration */
	JOB_IDENTIFY, /* its light; no attempt */
	JOB_KIND_COUNT
};

/* The record of the attempt, for the store and for status, log and messages. */
struct job_record {
	int64_t id; /* 0 until the row exists */
	enum job_kind kind;
	char port[PORT_TEXT_MAX];
	char serial[SERIAL_TEXT_MAX];
	char dfu_serial[SERIAL_TEXT_MAX];
	enum platform platform;
	char type[CRTP_TEXT_MAX];   /* as the firmware calls the drone */
	char board[BOARD_TYPE_MAX]; /* as the OTP calls it; "" not read or blank */
	char version_before[CRTP_TEXT_MAX], version_after[CRTP_TEXT_MAX];
	struct image *image; /* a reference of the job's; NULL until decided */
	struct verdict verdict;
	char message[JOB_MESSAGE_MAX];
	uint64_t bytes_written;
	uint32_t sectors_erased, transfers, repairs;
	uint64_t stage_us[STEP_COUNT];
	bool adopted;	 /* began in DFU mode */
	bool retry;	 /* asked for by the operator */
	bool no_serial;	 /* DFU serial missing or constant */
	bool dup_serial; /* another slot shows the same serial */
	bool obey;	 /* learned: wants its poll values obeyed */
	bool common;	 /* it ended with others, of one cause: neither its fault nor its port's */
	bool word_refused;
	bool loader_read, loader_blank, loader_changed;
	bool loader_recognised; /* sector 0 looks like cf2loader */
	char loader_sha256[65];
	uint16_t low_battery_mv;	/* before it was rebooted, where that was low; else 0 */
	char target[DECK_NAME_MAX + 8]; /* "stm32", "deck:NAME", "eeprom" */
	struct condition condition;	/* of the whole drone, as seen by this job and before it */
	struct readiness readiness;
};

enum job_stage {
	JOB_ASK,
	JOB_SWITCH,
	JOB_REQUEST,
	JOB_AWAIT_DFU,
	JOB_FLASH,
	JOB_AWAIT_RUNTIME,
	JOB_CONFIRM,
	JOB_CHECK,
	JOB_WRITE,
	JOB_SHOW,
	JOB_RESTART,
	JOB_AWAIT_RESTART,
	JOB_ENDING,
	JOB_LIGHT,
	JOB_OVER,
	JOB_STAGE_COUNT
};

enum row { ROW_NONE, ROW_ASKED, ROW_THERE, ROW_ENDING, ROW_PUBLISHED };

/* Embedded in its owner, who fills the record and the flags; the rest is changed here only. */
struct attempt {
	struct job_record record;
	struct dfu_session *dfu; /* borrowed: it is asked for what it did, and where it is */
	enum job_stage stage;
	bool sent_to_dfu_by_us; /* not found there */
	bool rebooted;		/* the drone was asked to, whatever came of it */
	bool vanished;		/* it left the bus, as it should, and is waited for */
	bool cut_short;		/* ended from outside, with the drone still there */
	uint8_t crashes;	/* at the first question after a start, in this job */
	bool permitted;		/* has its place among the active (PERMIT_START) */
	/* private */
	enum row row;
	bool foreign;
	bool waiting_permit;
	uint8_t nomem_tries; /* in this stage */
	uint8_t asks;	     /* conversations before the reboot, the first one left out */
	enum step last_step;
	struct verdict parting; /* kind != NONE: how it ends once the drone runs again */
	const char *parting_why;
	uint64_t step_since_us;
	uint64_t pause_until_us, deadline_us, whole_deadline_us, permit_asked_us;
	uint64_t contention_us; /* of deadline_us: for others that are on their way */
};

/* Jobs of these kinds have a row, and end with a verdict. */
bool job_kind_is_recorded(enum job_kind kind);

/* The only place where the stage changes: accounts the time, forgets pause and deadline. */
void attempt_enter(struct attempt *a, enum job_stage stage, uint64_t now_us);
/* ... and for so long; vanished: it has left the bus already. */
void attempt_await(struct attempt *a, enum job_stage stage, bool vanished, uint32_t within_us,
		   uint64_t now_us);
/* A transfer said that the drone is gone: the bus confirms it soon. */
void attempt_await_gone(struct attempt *a, uint64_t now_us);
/* It has left the bus while it is waited for. */
void attempt_has_vanished(struct attempt *a, uint32_t within_us, uint64_t now_us);
/* So many other drones on the same controller are on their way, too: it is late only after more. */
void attempt_allow_contention(struct attempt *a, unsigned others);

/* Endings; words beside the verdict are static, or NULL. */
void attempt_finish(struct attempt *a, struct verdict v, const char *why, uint64_t now_us);
void attempt_fail(struct attempt *a, enum fault fault, enum step step, uint64_t now_us);
/* Over without an attempt: there is nothing to do for this drone now, or it is none of ours. */
void attempt_end_idle(struct attempt *a, const char *reason, uint64_t now_us);
void attempt_end_foreign(struct attempt *a, const char *reason, uint64_t now_us);
/* From outside, in whatever stage it is; FAULT_GONE: by being unplugged. */
void attempt_stop(struct attempt *a, enum verdict_kind kind, enum fault fault, uint64_t now_us);
/* Skipped.  starts_again: in DFU mode the drone starts its firmware first, then attempt_part(). */
void attempt_skip(struct attempt *a, bool starts_again, enum fault fault, const char *why,
		  uint64_t now_us);
/* Has it a verdict that waits for the drone to run again?  Then it ends with that. */
bool attempt_part(struct attempt *a, uint64_t now_us);
bool attempt_is_parting(const struct attempt *a);
void attempt_part_staying(struct attempt *a, uint64_t now_us); /* ... although it would not leave */

/* The row, and its ending; false: that was asked for, or it is not its time. */
bool attempt_begin(struct attempt *a, struct request *ret_request);
bool attempt_end(struct attempt *a, struct request *ret_request);
/* The disk's answer; a deadline of whole_us begins with the row.  False: nothing was asked for, or
 * the disk did not take it: it is asked again. */
bool attempt_recorded(struct attempt *a, int error, int64_t id, uint64_t whole_us, uint64_t now_us);

/* JOB_SWITCH: a place among the active, the row on disk, then a permit to switch. */
void attempt_switch_next(struct attempt *a, struct request *ret_request);

/* A permit is asked for once; false: it is waited for. */
bool attempt_ask_permit(struct attempt *a, uint64_t now_us);
void attempt_granted(struct attempt *a, uint64_t now_us);

/* From its next appearing to the first question; longer after each crash. */
uint32_t attempt_longer_patience_us(unsigned crashes); /* 0: none */
uint32_t attempt_patience_us(const struct attempt *a, uint32_t usual_us);
void attempt_pause(struct attempt *a, uint64_t until_us);
/* The host had no memory for a transfer.  True: there is a pause, then it is requested again. */
bool attempt_waits_for_memory(struct attempt *a, uint64_t now_us);
bool attempt_is_paused(const struct attempt *a, uint64_t now_us, struct request *ret_request);
bool attempt_is_late(struct attempt *a, uint64_t now_us); /* once a deadline */
bool attempt_is_out_of_time(const struct attempt *a, uint64_t now_us);
uint64_t attempt_deadline_us(const struct attempt *a); /* UINT64_MAX: none */

/* Time that has passed belongs to the step named last; what DFU mode did, to the record. */
void attempt_account_step(struct attempt *a, uint64_t now_us);
void attempt_account_dfu(struct attempt *a);
/* The boot loader was read; known: its digest of before, or "". */
void attempt_note_loader(struct attempt *a, const char *sha256_hex, bool recognised,
			 const char *known);
/* Pins the image; the first one stays (doc/promises.md 3).  NULL changes nothing. */
void attempt_pin(struct attempt *a, struct image *image);

enum step attempt_step(const struct attempt *a);
bool attempt_is_begun(const struct attempt *a);	  /* its row was asked for */
bool attempt_is_touched(const struct attempt *a); /* the drone was rebooted or changed */
/* Of what coming back usually takes. */
uint64_t attempt_boot_left_us(const struct attempt *a, uint64_t now_us, uint64_t boot_us);

#endif
