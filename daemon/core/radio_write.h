/* SPDX-License-Identifier: MIT */
/*
 * Writing the radio configuration into a running drone's EEPROM: the operations, one after another,
 * and how it ended.  A memory engine of core/memory_op.h.
 *
 *   READ --> WRITE --> PAUSE --> CHECK --> OVER     one packet, read back    [wrote, checked]
 *   READ --> OVER                                   it is so already, or may not be [was_read]
 *   CHECK --> PAUSE                                 not readable yet         [checked]
 *
 * What it wrote is in force at the drone's next start (doc/beyond-dfu.md 3).
 *
 * INVARIANT: one write, of RADIO_BLOCK_BYTES bytes at address 0, at most: it cannot be torn, and
 *            what follows in the EEPROM is never touched.
 */
#ifndef CORE_RADIO_WRITE_H
#define CORE_RADIO_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "cfdfu/outcome.h"
#include "core/memory_op.h"
#include "core/radio_block.h"

struct radio_write_setup {
	uint8_t memory;		   /* number of the EEPROM's memory on this drone */
	struct radio_block seen;   /* as the caller saw it when it decided; not read: no matter */
	struct radio_block wanted; /* channel, rate, address; read: its bytes, put back as they are
				    */
	bool force;		   /* also over a block that is not valid */
};

enum radio_write_phase {
	RADIO_WRITE_READ,
	RADIO_WRITE_WRITE,
	RADIO_WRITE_PAUSE,
	RADIO_WRITE_CHECK,
	RADIO_WRITE_OVER
};

/* Embedded in its owner; the first three members may be read once it is over. */
struct radio_write {
	struct radio_block before; /* not read: it could not be */
	struct radio_block block;  /* what was to be written; not read: it never came to that */
	bool sent;		   /* the write was sent, whatever came of it */
	/* private */
	struct radio_write_setup setup;
	enum radio_write_phase phase;
	uint8_t checks;
	uint64_t pause_until_us;
	enum memory_result wrote;
	struct verdict verdict;
	const char *why;
};

void radio_write_init(struct radio_write *w, const struct radio_write_setup *setup);

/* Borrows w. */
struct memory_engine radio_write_engine(struct radio_write *w);

/*
 * Kind NONE: it is not over.  PASS, UNCHANGED or FAIL (verify, refused, silent, image).  ret_why:
 * static words beside it, or NULL.
 */
struct verdict radio_write_verdict(const struct radio_write *w, const char **ret_why);

#endif
