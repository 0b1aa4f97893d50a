/* SPDX-License-Identifier: MIT */
/*
 * Image + memory maps -> ordered operations, for one DFU session.  Refuses to leave the sectors
 * that may be written, reads before it changes anything, writes the first page of the application
 * last and of that the first word (doc/protocol.md 9.3), and reads every written byte back
 * (doc/promises.md 1, promises 2 to 4).
 *
 *   COMPARE     each covered sector is read up to its first difference      [plan_read_back]
 *   then memory by memory, in the order of their alternates, and in each a round of sectors after
 *   the other                                                               [enter_round]:
 *   ERASE       the round; before all others the sector that makes the image bootable
 *   WRITE       the round, all but the first page
 *   VERIFY      all that was written; a wrong sector is erased and written once more, and its
 *               whole memory is verified again before the first page        [sector_is_wrong]
 *   PAGE        the first page without its first word; PAGE_CHECK reads it back [memory_done]
 *   WORD        that word; WORD_CHECK reads it back                          [page_phase_done]
 *   DONE        every byte of the image has been read back equal
 *   FAILED      a sector stayed wrong, or cannot be written: plan_failure()      [settle]
 *
 * INVARIANT: an operation never reaches outside one sector of the image's own coverage.
 * INVARIANT: while anything else of its memory is not verified, the first page is blank (once an
 * erase has begun); its first word, by which the boot loader decides, while anything else is not.
 */
#ifndef CORE_PLAN_H
#define CORE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfdfu/util.h"
#include "core/coverage.h"
#include "core/image.h"
#include "cfdfu/layout.h"
#include "core/pace.h"
#include "cfdfu/device.h"

enum plan_phase {
	PLAN_COMPARE,
	PLAN_ERASE,
	PLAN_WRITE,
	PLAN_VERIFY,
	PLAN_PAGE,
	PLAN_PAGE_CHECK,
	PLAN_WORD,
	PLAN_WORD_CHECK,
	PLAN_DONE,
	PLAN_FAILED,
	PLAN_PHASE_COUNT
};

enum plan_kind { PLAN_OP_READ, PLAN_OP_ERASE, PLAN_OP_PROGRAM };

struct plan_op {
	enum plan_kind kind;
	uint8_t alt;
	uint32_t addr;
	uint32_t length;     /* bytes; of an erase: the sector's size */
	uint32_t lead;	     /* bytes before addr that stay blank, with which a block would begin */
	const uint8_t *data; /* PROGRAM: the image's bytes, good as long as the plan */
};

struct plan_options {
	bool compare;		  /* read back before erasing; false: everything is rewritten */
	bool trust_blank;	  /* a sector that reads blank needs no erase */
	uint32_t block_bytes;	  /* most bytes of one read or program: wTransferSize */
	uint32_t write_protected; /* BIT(n): the n-th sector of alternate 0 cannot be written */
	uint32_t round_bytes;	  /* sectors of so much in all make a round; a larger one alone */
	uint32_t word_bytes;	  /* of the first page, written last of all; 0: the page at once */
};

struct plan;

/*
 * maps[alt] for alt < DEVICE_ALTS_MAX, NULL where the device has no such memory.  -EPERM with
 * ret_why (a static sentence) when the image does not belong there, whole or in part; -E2BIG,
 * -ENOMEM.  Keeps a reference on the image.
 */
int plan_new(struct image *image, const struct device *profile,
	     const struct layout *const maps[DEVICE_ALTS_MAX], const struct plan_options *options,
	     struct plan **ret_plan, const char **ret_why) MUST_CHECK;
void plan_free(struct plan *p); /* NULL is fine */

enum plan_phase plan_phase(const struct plan *p);

/* The next operation; false when the phase is DONE or FAILED.  Says the same until it is reported.
 */
bool plan_next(struct plan *p, struct plan_op *ret_op);

/* The operation plan_next() named is over: data of a read (length bytes, as asked). */
void plan_read_back(struct plan *p, const uint8_t *data, uint32_t length);
void plan_erased(struct plan *p);
void plan_programmed(struct plan *p);

/* DONE without anything erased or written. */
bool plan_unchanged(const struct plan *p);

enum plan_failure {
	PLAN_FAILURE_READ_BACK, /* a sector read back wrong, twice */
	PLAN_FAILURE_UNTOUCHED, /* ... and holds what it held before it was erased */
	PLAN_FAILURE_PROTECTED, /* a sector that has to change cannot; nothing was erased */
};

/* FAILED: how, and the first address that read back wrong. */
enum plan_failure plan_failure(const struct plan *p, uint32_t *ret_addr);

/* Sectors that were erased and written a second time because they read back wrong. */
unsigned plan_repairs(const struct plan *p);

/* Result for one memory: 1 all its bytes are verified, 0 not (yet), -1 the plan has none for it. */
int plan_target_verified(const struct plan *p, uint8_t alt);

/* Reckons with these times what is left and what there was; after each operation, or it is out of
 * date. */
void plan_reckon(struct plan *p, const struct pace *pace);

/* Work that was left then, and all there was, in microseconds; 0 before. */
void plan_estimate(const struct plan *p, uint64_t *ret_left_us, uint64_t *ret_total_us);

#endif
