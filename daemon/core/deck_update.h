/* SPDX-License-Identifier: MIT */
/*
 * Writing a deck's firmware through the running drone, and reading it back (doc/beyond-dfu.md 4).
 * A memory engine of core/memory_op.h.
 *
 *   LOOK --> ENTER --> WAIT --> LOOK          into its boot loader         [looked, done]
 *   LOOK --> WAIT --> LOOK                    not there yet                [wait_for]
 *   LOOK --> SIZE --> WRITE --> CHECK --> OVER   in order, without gaps    [looked, moved]
 *   LOOK --> WRITE                            a Lighthouse wants no size   [looked]
 *   LOOK --> OVER                             nothing to do, or may not    [looked]
 *   any of these --> WAIT --> LOOK            all from the beginning, a few times; then OVER
 *                                             with the first trouble       [trouble]
 *
 * A deck that an interruption left in its boot loader is begun again in the same way.  The new
 * firmware runs after the drone's next power cycle.
 *
 * INVARIANT: no operation reaches outside the deck memory's information section, the deck's own
 *            record of commands and its own section, and the latter two only while its record is
 *            valid [is_legal]: the firmware resets itself otherwise.
 * INVARIANT: a write whose fate is not known is never repeated by itself; the record is read, and
 *            all begins again at the first byte.
 */
#ifndef CORE_DECK_UPDATE_H
#define CORE_DECK_UPDATE_H

#include <stdbool.h>
#include <stdint.h>

#include "cfdfu/outcome.h"
#include "core/condition.h"
#include "core/deck_section.h"
#include "core/image.h"
#include "core/memory_op.h"

/* Does this station write the firmware of decks with this name?  AI and camera decks are only
 * looked at: a time-out of theirs makes the drone reset itself. */
bool deck_update_can(const char *name);

/*
 * Should it be written without anyone asking?  A deck says so, or has been left in its boot loader,
 * or says a version older than the part's.  Part: NULL: false.
 */
bool deck_update_is_due(const struct deck *deck, const struct image_part *part);

struct deck_update_setup {
	uint8_t memory;		       /* number of the deck memory on this drone */
	const struct deck *decks;      /* all of them, as they were seen; copied what is needed */
	unsigned count, at;	       /* which of them */
	const struct image_part *part; /* borrowed, with its bytes, for the engine's life */
	bool force;		       /* also when it says that it is up to date */
};

enum deck_update_phase {
	DECK_UPDATE_LOOK,
	DECK_UPDATE_WAIT,
	DECK_UPDATE_ENTER,
	DECK_UPDATE_SIZE,
	DECK_UPDATE_WRITE,
	DECK_UPDATE_CHECK,
	DECK_UPDATE_OVER
};

/* Embedded in its owner, all zero before it is initialised; all members are private but
 * written_bytes. */
struct deck_update {
	uint64_t written_bytes; /* that the deck has acknowledged, all tries together */
	/* private */
	const struct image_part *part;
	enum deck_update_phase phase;
	bool by_command; /* else it is in its boot loader when it wants an update */
	bool force;
	bool entered; /* the command was sent, in this try */
	uint8_t memory;
	struct deck deck;
	struct deck now; /* by its record as it was read last; all zero: not read */
	uint8_t record[1 + DECK_RECORD_BYTES]; /* version of the section, the deck's record */
	uint8_t looked_bytes;
	uint8_t troubles;
	uint8_t size[4];
	uint32_t pos;
	uint64_t wait_until_us, give_up_us, moving_since_us;
	struct verdict verdict; /* the first trouble's until it is over */
	const char *why;
};

void deck_update_init(struct deck_update *d, const struct deck_update_setup *setup);

/* Borrows d. */
struct memory_engine deck_update_engine(struct deck_update *d);

/*
 * Kind NONE: it is not over.  PASS: all was read back equal.  UNCHANGED.  SKIPPED: it cannot be
 * done now, nothing was written.  FAIL (verify, refused, silent, image), with an address in the
 * deck's memory where there is one.  ret_why: static words beside it, or NULL.
 */
struct verdict deck_update_verdict(const struct deck_update *d, const char **ret_why);

enum step deck_update_step(const struct deck_update *d);
/* Work left and in all of this try; 0, 0: not known yet, or not initialised. */
void deck_update_estimate(const struct deck_update *d, uint64_t now_us, uint64_t *ret_left_us,
			  uint64_t *ret_total_us);

#endif
