/* SPDX-License-Identifier: MIT */
/*
 * One device's DfuSe conversation, an operation at a time: the next request, how the last one
 * ended.  DFU 1.1 appendix A; AN2662 section 4; doc/protocol.md 3.
 *
 *   IDLE --> CLEAN <--> CLEAN_FIX      until dfuIDLE                        [after_clean_status]
 *   IDLE, SELECT, UNLOAD, POLL --> the next of these that is needed         [dfuse_next_phase]:
 *     SELECT                           alternate setting                    [after_success]
 *     ADDRESS --> START --> POLL       Set Address, when the pointer is     [after_start,
 *                                      elsewhere                             after_poll]
 *     UNLOAD                           ABORT between download and upload    [after_success]
 *     COMMAND --> START --> POLL       erase or data: request, start it,    [after_start,
 *                                      ask                                   after_poll]
 *     UPLOAD                           one block read                       [after_upload]
 *     LEAVE --> MANIFEST               zero-length download, one status     [after_manifest]
 *   any of these --> IDLE              the operation is over                [finished]
 *   any of these --> RECOVER           stall, time-out, bus error           [trouble]
 *   RECOVER --> CLEAN_FIX, or what is needed: again                         [after_recover_status]
 *   any --> FAILED                     tried too often, or final            [failed]
 *
 * INVARIANT: erase and program never go outside the window of their alternate setting
 *            (dfuse_allow); mass erase and read-unprotect cannot be expressed.
 * INVARIANT: at most one transfer is requested at a time.
 */
#ifndef CORE_DFUSE_H
#define CORE_DFUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfdfu/outcome.h"
#include "core/pace.h"
#include "core/request.h"

#define DFUSE_WORDS_MAX 64

enum dfuse_op {
	DFUSE_OP_NONE,
	DFUSE_OP_CLEAN,	  /* reach dfuIDLE from wherever the device is */
	DFUSE_OP_SELECT,  /* alternate setting .alt */
	DFUSE_OP_READ,	  /* .length <= transfer size bytes at .addr */
	DFUSE_OP_ERASE,	  /* the sector at .addr; .length its size, for the time it takes */
	DFUSE_OP_PROGRAM, /* .data, .length <= transfer size, at .addr */
	DFUSE_OP_FEATURE, /* .data, .length at .addr: the volatile Device Feature word only */
	DFUSE_OP_LEAVE,	  /* start what is at .addr */
};

struct dfuse_operation {
	enum dfuse_op op;
	uint8_t alt;
	uint32_t addr;
	uint32_t length;
	const uint8_t *data; /* borrowed until the operation is over */
};

enum dfuse_phase {
	DFUSE_PHASE_IDLE, /* nothing to do: the last operation is over */
	DFUSE_PHASE_CLEAN,
	DFUSE_PHASE_CLEAN_FIX,
	DFUSE_PHASE_SELECT,
	DFUSE_PHASE_ADDRESS,
	DFUSE_PHASE_COMMAND,
	DFUSE_PHASE_START,
	DFUSE_PHASE_POLL,
	DFUSE_PHASE_UNLOAD,
	DFUSE_PHASE_UPLOAD,
	DFUSE_PHASE_LEAVE,
	DFUSE_PHASE_MANIFEST,
	DFUSE_PHASE_RECOVER,
	DFUSE_PHASE_FAILED,
	DFUSE_PHASE_COUNT
};

struct dfuse_counters {
	uint32_t transfers; /* control transfers, all kinds */
	uint32_t erases;
	uint32_t blocks_written;
	uint64_t bytes_written;
	uint64_t bytes_read;
	uint32_t recoveries; /* rungs of the retry ladder that were climbed */
};

/* The memory and the address that the device works on, as far as is known. */
struct dfuse_place {
	bool alt_known, pointer_known;
	uint8_t alt;
	uint32_t pointer;
};

/* Erase and program are allowed here alone. */
struct dfuse_windows {
	uint32_t addr[8], bytes[8]; /* by alternate setting */
	bool feature;
};

/* Embedded in its owner; all members are private to dfuse.c but counters and pace. */
struct dfuse {
	struct pace pace;
	struct dfuse_counters counters;
	/* private */
	uint32_t transfer_bytes;
	enum dfuse_phase phase;
	struct dfuse_operation req;
	uint8_t state; /* bState as far as is known */
	struct dfuse_place place;
	bool addressing;    /* the command under way is Set Address, not the operation */
	uint32_t budget_us; /* what is left of the operation's allowance; counts down */
	uint64_t pause_until_us;
	uint64_t asked_at_us;	/* when the last transfer was wanted first */
	uint64_t started_at_us; /* when the operation was started on the device */
	uint8_t tries_left;
	uint8_t stalls_left;
	uint8_t nomem_left;
	uint8_t command[5];
	const uint8_t *in; /* of the last read: what dfuse_ended() was given */
	uint32_t in_length;
	enum fault symptom; /* the first trouble of this operation; NONE */
	uint8_t unanswered; /* requests of this operation that got no answer */
	struct verdict failure;
	struct dfuse_windows allowed;
};

/* transfer_bytes: wTransferSize of the functional descriptor, 64..USB_TRANSFER_BYTES_MAX. */
void dfuse_init(struct dfuse *d, uint32_t transfer_bytes, const struct pace *pace);

/*
 * Erase and program are allowed in [addr, addr + bytes) of alternate alt (< 8), and nowhere else;
 * the last call for an alternate counts.  Nothing is allowed at first.
 */
void dfuse_allow(struct dfuse *d, uint8_t alt, uint32_t addr, uint32_t bytes);
void dfuse_allow_feature(struct dfuse *d);

/* Begins an operation; the one before must be over.  Asserts that it is inside the window. */
void dfuse_begin(struct dfuse *d, const struct dfuse_operation *req, uint64_t now_us);

void dfuse_next(struct dfuse *d, uint64_t now_us, struct request *ret_request);
void dfuse_ended(struct dfuse *d, enum usb_status status, const uint8_t *data, size_t length,
		 uint64_t now_us);

bool dfuse_over(const struct dfuse *d);	  /* finished or failed */
bool dfuse_failed(const struct dfuse *d); /* then dfuse_failure() says how */
/* Its fault is the first trouble of the operation, not what came of curing that. */
struct verdict dfuse_failure(const struct dfuse *d);
/* Which request of a silent device's failed operation got no answer, and how often, in half a
 * sentence; false: there is nothing to say. */
bool dfuse_say_unanswered(const struct dfuse *d, char ret_text[DFUSE_WORDS_MAX]);

/* How much of the operation under way is over, as far as pace expects it; 0: none is at work. */
uint64_t dfuse_passed_us(const struct dfuse *d, uint64_t now_us);

/* After a read: what came, in the buffer that dfuse_ended() was given; before that returns to the
 * owner of the buffer. */
const uint8_t *dfuse_data(const struct dfuse *d, uint32_t *ret_length);

/* A failed operation was optional: go on with another one. */
void dfuse_forgive(struct dfuse *d);

#endif
