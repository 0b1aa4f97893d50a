/* SPDX-License-Identifier: MIT */
/*
 * The decks on a drone: their nature, what the firmware shows of them, and how they are written
 * (doc/beyond-dfu.md 4, 10, 11).  Private to the files of the simulated drone; model.h includes
 * it.
 *
 * A deck has power of its own: a reset of the STM32 takes nothing from it, only decks_power_off()
 * does.  The firmware's view of a deck begins anew with decks_start().
 *
 *   Lighthouse     power               right bitstream at the check
 *     OFF ---------> BOOT LOADER ---------------------------------> RUNNING
 *      ^               | the check finds another: "upgrade            | a reset of the STM32:
 *      |               | required", can be read and written           | silent, never "started"
 *      +---------------+------------ no power ------------------------+
 */
#ifndef SIM_DECK_H
#define SIM_DECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/drone.h"
#include "sim/firmware.h"

#define DECK_LH_FLASH 0x20000U
#define DECK_LED_FLASH 0x8000U
#define DECK_LED_PAGE 2048U

/* A deck and what is in it.  Members for the one kind mean nothing to the others. */
struct deck {
	enum drone_deck as;
	uint8_t *flash;		 /* owned; NULL: as it came */
	uint32_t crc;		 /* of its bitstream; 0: not looked at since it was written */
	uint32_t crc_bytes;	 /* ... over so many bytes */
	bool running;		 /* Lighthouse: the FPGA left its boot loader and answers no more */
	bool in_loader, started; /* as the firmware says it */
	uint64_t ready_us;  /* when the check, or the way into the boot loader, is over; or never */
	uint32_t announced; /* colour LED, AI: the size written to the command record */
	uint32_t written;   /* ... and how far it is written in order */
	bool torn;	    /* colour LED: its program was erased and is not whole again */
	bool renewed;	    /* ... is whole again */
};

/* ---- deck.c: what they have in common ---- */

/* Mounts the decks of the configuration. */
void decks_mount(struct drone *d);
void decks_free(struct drone *d);
/* VCC goes. */
void decks_power_off(struct drone *d, uint64_t now);
/* The firmware starts: sets in it how long its decks take, and whether their tests fail. */
void decks_start(struct drone *d, uint64_t now);

/* The n-th deck in the firmware's order, without those that it does not know; NULL behind them. */
struct deck *decks_at(struct drone *d, unsigned n);
unsigned decks_found(struct drone *d);
/* The driver's name: "bcLighthouse4". */
const char *deck_name(const struct deck *k);
bool deck_is_lighthouse(const struct deck *k);
/* Managed by a DeckCtrl and not by a 1-wire memory. */
bool deck_is_deckctrl(const struct deck *k);
/* Has its driver a test, "Deck i test [OK]."? */
bool deck_is_tested(const struct deck *k);
uint64_t deck_scaled_us(const struct drone *d, uint64_t us);

/* ---- deck_lighthouse.c ---- */

/* Lets the check happen that was due by now. */
void lighthouse_settle(struct drone *d, struct deck *k, uint64_t now);
/* The CRC-32 that this firmware requires, and over how many bytes. */
uint32_t lighthouse_wants(const struct drone *d, uint32_t *ret_bytes);
/* The CRC-32 as the check finds it. */
uint32_t lighthouse_crc(struct drone *d, struct deck *k);
uint8_t lighthouse_read(struct drone *d, struct deck *k, struct mem_call *c);
uint8_t lighthouse_write(struct drone *d, struct deck *k, struct mem_call *c);

/* ---- deck_led.c ---- */

uint8_t led_read(struct drone *d, struct mem_call *c);
uint8_t led_write(struct drone *d, struct mem_call *c);
void led_command(struct drone *d, struct deck *k, uint8_t bits, struct mem_call *c);
/* Its power comes back with the pin low that leads into the boot loader. */
void led_restart(struct deck *k);

/* ---- deck_memories.c: 1-wire and DeckCtrl memories, Lighthouse's geometry ---- */

uint8_t deck_pid(const struct deck *k);

#endif
