/* SPDX-License-Identifier: MIT */
/*
 * The condition of one drone beside its STM32's bytes, as it was seen since it came up last: its
 * own test, the nRF51, decks, radio configuration, battery, the crash of its last run.  Filled by
 * the conversations with the running firmware; judged by core/readiness.h.
 *
 * All zero: nothing was seen.  A plain value, about 1 KiB.  Sources: doc/beyond-dfu.md.
 */
#ifndef CORE_CONDITION_H
#define CORE_CONDITION_H

#include <stdbool.h>
#include <stdint.h>

#define DECKS_MAX 8	 /* SPEC: records of the deck memory's information section */
#define DECK_NAME_MAX 19 /* SPEC: 18 characters */
#define DECK_VERSION_MAX 16
#define CONDITION_TEXT_MAX 96 /* LIMIT: of a crash report or a module's name */
#define RADIO_BLOCK_BYTES 21  /* SPEC: the EEPROM's configuration block of version 1 */

/* The answer to asking the drone to switch itself off and on (doc/beyond-dfu.md 6). */
enum power_cycle {
	POWER_CYCLE_NONE, /* not asked, or for something that is over */
	POWER_CYCLE_DONE,
	POWER_CYCLE_IGNORED, /* nothing happened */
	POWER_CYCLE_LOST,    /* it went, and did not come back */
};

enum selftest { SELFTEST_UNKNOWN, SELFTEST_PASS, SELFTEST_FAIL };

/* WHY bits 5 and 6 count only with "started": a healthy Lighthouse deck after a bare reset shows
 * both (doc/beyond-dfu.md 10.1). */
enum deck_state {
	DECK_UNKNOWN,
	DECK_PRESENT, /* seen by its 1-wire memory; says nothing of its own state */
	DECK_STARTED,
	DECK_NOT_STARTED,    /* and not asking for an update: dead until a power cycle */
	DECK_NEEDS_UPDATE,   /* started, and its firmware is not the one that the STM32 wants */
	DECK_IN_BOOT_LOADER, /* started it, or was left there */
};

struct deck {
	char name[DECK_NAME_MAX];	/* "bcLighthouse4", "bcColorLedBot:col" */
	char version[DECK_VERSION_MAX]; /* "" unknown */
	enum deck_state state;
	bool has_section;      /* it has a record in the deck memory: the members below are valid */
	uint8_t section;       /* number of that record: 0..7 */
	uint8_t bits, resets;  /* as read: its bytes 0 and 1 */
	uint32_t hash, length; /* wanted by the STM32's firmware; 0 it wants nothing particular */
	uint32_t base;	       /* address of its bytes in the deck memory */
};

/* The radio configuration of the EEPROM. */
struct radio_block {
	bool read;  /* bytes are valid */
	bool valid; /* magic, version and checksum are right: the members below are valid */
	uint8_t bytes[RADIO_BLOCK_BYTES];
	uint8_t channel;  /* 0..125 */
	uint8_t rate;	  /* 0 250K, 1 1M, 2 2M */
	uint64_t address; /* 40 bits */
};

struct condition {
	bool looked; /* the check-up came to its end since the drone came up */
	enum selftest selftest;
	char failed_module[CONDITION_TEXT_MAX]; /* of the self-test, from the boot text; "" */
	bool crashed_early; /* it reset while it was first asked: its self-test fails until it is
			       restarted (doc/beyond-dfu.md 11.1) */
	char crash
	    [CONDITION_TEXT_MAX]; /* the last run's report, "file:line" or "Hardfault ..."; "" */
	char nrf_version[16];	  /* of the nRF51's firmware, from the boot text; "" not seen */
	bool supervisor_known;
	uint16_t supervisor;  /* bits of doc/beyond-dfu.md 5 and 10.5 */
	uint16_t battery_mv;  /* 0 unknown; 3700 is what is said before it was measured: unknown */
	int8_t battery_state; /* 0 battery, 1 charging, 2 charged, 3 low; -1 unknown */
	bool can_power_cycle; /* it has the memory that asks the nRF51 for it (type 0x20) */
	uint8_t deck_memory, radio_memory; /* numbers; valid with the two below */
	bool has_deck_memory, has_radio_memory;
	bool decks_known; /* all of them were looked at */
	unsigned deck_count;
	struct deck decks[DECKS_MAX];
	struct radio_block radio;
	bool radio_pending;    /* the block was written by this station and is not in force yet */
	bool deck_pending;     /* a deck's firmware was, likewise */
	uint8_t decks_written; /* BIT(section): of which it was read back equal */
	enum power_cycle power_cycle;
};

#endif
