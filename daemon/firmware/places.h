/* SPDX-License-Identifier: MIT */
/* The address space of an STM32F405 in words (RM0090 2.3 and 3.4), for sentences about files. */
#ifndef FIRMWARE_PLACES_H
#define FIRMWARE_PLACES_H

#include <stdbool.h>
#include <stdint.h>

struct place {
	uint32_t first, last;
	const char *words; /* "RAM", "the option bytes" */
	bool ram;
};

/* The place at this address. */
const char *place_words(uint32_t addr);

/* The RAM that [first, last] touches; NULL: none. */
const struct place *place_ram(uint32_t first, uint32_t last);

#endif
