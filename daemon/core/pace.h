/* SPDX-License-Identifier: MIT */
/*
 * When an operation of the flash is expected to be over: data-sheet times to begin with, then what
 * this device showed (doc/promises.md 2; doc/protocol.md 3.4, 3.5, 6).
 *
 * The ROM's bwPollTimeout values are constants: three times too long for a write, twenty times too
 * short for an erase.  A device that is asked too early simply does not answer until it is done
 * (NAK), so asking slightly early costs nothing and measures the operation exactly.  The first
 * operation of a kind is asked after long before its time, for the sake of that measurement.
 */
#ifndef CORE_PACE_H
#define CORE_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_ERASE_KINDS 6 /* LIMIT: different sector sizes of one device that are told apart */

enum pace_op { PACE_COMMAND, PACE_PROGRAM, PACE_ERASE, PACE_OP_COUNT };

struct pace {
	bool obey;	    /* wait for what the device says: configured, or learned the hard way */
	bool stalls_early;  /* QUIRK: this device stalls a status request that comes too early */
	bool says_busy;	    /* this one answers that it is busy, instead of when it is over */
	bool word;	    /* 32-bit parallelism is on */
	bool program_known; /* measured on this device, not taken from the data sheet */
	bool erase_known;
	uint32_t status_us; /* shortest GETSTATUS seen: the cost of one on an idle device */
	uint32_t block_us;  /* one full data stage of UPLOAD, learned */
	uint32_t told_ms[PACE_OP_COUNT]; /* bwPollTimeout as it was last heard */
	uint32_t program_ns_per_byte;
	struct {
		uint32_t bytes;
		uint32_t us;
	} erase[PACE_ERASE_KINDS];
};

void pace_init(struct pace *p, bool obey);

/* 32-bit parallelism was switched on (or off): start again from that column of the data sheet. */
/* The device stalls when it is asked early; false: as far as is known it does not. */
void pace_stalls_early(struct pace *p, bool stalls);
void pace_set_word(struct pace *p, bool word);

/* How long the operation is expected to take, in microseconds.  bytes: data or sector size. */
uint32_t pace_expected_us(const struct pace *p, enum pace_op op, uint32_t bytes);

/* The most it may ever take before the device counts as stuck: data-sheet maximum with margin. */
uint32_t pace_limit_us(enum pace_op op, uint32_t bytes);

/*
 * How long to wait between the answer that started the operation and the next question.  poll_ms is
 * bwPollTimeout of that answer; used only in obey mode, clamped.
 */
uint32_t pace_wait_us(struct pace *p, enum pace_op op, uint32_t bytes, uint32_t poll_ms);

/* How long until it will be known to be over: as expected, or the wait where that is longer. */
uint32_t pace_whole_us(const struct pace *p, enum pace_op op, uint32_t bytes);

/*
 * The question was answered "over".  elapsed_us: since the operation was started; asked_us: how
 * long the question itself took (a long one was held back until the operation was over).
 */
void pace_learn(struct pace *p, enum pace_op op, uint32_t bytes, uint32_t elapsed_us,
		uint32_t asked_us);

/* The device was not done at the expected time (said busy, or stalled). */
void pace_learn_slow(struct pace *p, enum pace_op op, uint32_t bytes);

#endif
