/* SPDX-License-Identifier: MIT */
/* The address space of an STM32F405 in words (RM0090 2.3 and 3.4), for sentences about files. */
#ifndef FIRMWARE_PLACES_H
#define FIRMWARE_PLACES_H

#include <stdint.h>

enum place_kind {
	PLACE_OTHER,
	PLACE_RAM,
	PLACE_SPECIAL, /* can be written for ever: never by this station */
};

struct place {
	uint32_t first, last;
	const char *words; /* "RAM", "the option bytes" */
	enum place_kind kind;
};

/* The place at this address. */
const char *place_words(uint32_t addr);

/* The first place of this kind that [first, last] touches; NULL: none. */
const struct place *place_touched(enum place_kind kind, uint32_t first, uint32_t last);

#endif
