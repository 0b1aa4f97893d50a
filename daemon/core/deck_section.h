/* SPDX-License-Identifier: MIT */
/*
 * Decks by what a drone's memories say of them: the information section of the deck memory, the
 * 1-wire memory of a deck, the information of a DeckCtrl deck (doc/beyond-dfu.md 4.1).  Bytes to
 * values; no access to the drone.
 */
#ifndef CORE_DECK_SECTION_H
#define CORE_DECK_SECTION_H

#include <stddef.h>
#include <stdint.h>

#include "core/condition.h"

#define DECK_SECTION_VERSION 3 /* SPEC: its first byte; others are not to be touched */
#define DECK_SECTION_BYTES 257 /* SPEC: the version, and DECKS_MAX records */
#define DECK_RECORD_BYTES 32
#define DECK_ONEWIRE_BYTES 112	    /* SPEC: of a 1-wire memory */
#define DECK_SECTION_COMMAND 0x1000 /* SPEC: address of the first record's commands */

enum {
	DECK_BIT_VALID = 0x01,
	DECK_BIT_STARTED = 0x02,
	DECK_BIT_READABLE = 0x04,
	DECK_BIT_WRITABLE = 0x08,
	DECK_BIT_UPGRADABLE = 0x10,
	DECK_BIT_WANTS_UPGRADE = 0x20, /* believed only with STARTED */
	DECK_BIT_BOOT_LOADER = 0x40,   /* believed only with STARTED */
};

/* The record is number section.  DECK_UNKNOWN: it is not valid, and is not to be addressed. */
void deck_record_decode(const uint8_t record[DECK_RECORD_BYTES], uint8_t section,
			struct deck *ret_deck);

/* All that have a valid record; their number. */
unsigned deck_section_decode(const uint8_t bytes[DECK_SECTION_BYTES],
			     struct deck ret_decks[DECKS_MAX]);

struct deck_label {
	char name[DECK_NAME_MAX];
	char version[DECK_VERSION_MAX]; /* "" it has none */
};

enum deck_label_found {
	DECK_LABEL_NONE,    /* these bytes are none of a deck */
	DECK_LABEL_FURTHER, /* its name is further on */
	DECK_LABEL_FOUND,
};

/* From the beginning of a 1-wire memory, of which length bytes were read. */
enum deck_label_found deck_onewire_decode(const uint8_t *bytes, size_t length,
					  struct deck_label *ret_label);
/* From the beginning of a DeckCtrl memory. */
enum deck_label_found deck_ctrl_decode(const uint8_t *bytes, size_t length,
				       struct deck_label *ret_label);

/* One more deck, unless it has records ("name", "name:part") already; then they get its version. */
void deck_add(struct deck decks[DECKS_MAX], unsigned *count, const struct deck_label *label);

#endif
