/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "firmware/places.h"

#include "cfdfu/util.h"

/* Ascending.  QUIRK: a file for the nRF51 begins at 0x00000000, where that chip has its flash. */
static const struct place places[] = {
	{ 0x00000000U, 0x000FFFFFU, "the nRF51's flash memory (the STM32 has an alias there)",
	  PLACE_OTHER },
	{ 0x08000000U, 0x080FFFFFU, "the flash memory", PLACE_OTHER },
	{ 0x10000000U, 0x1000FFFFU, "RAM (CCM)", PLACE_RAM },
	{ 0x1FFF0000U, 0x1FFF77FFU, "the chip's own boot loader", PLACE_OTHER },
	{ 0x1FFF7800U, 0x1FFF7A0FU, "the one-time-programmable area", PLACE_SPECIAL },
	{ 0x1FFF7A10U, 0x1FFF7A23U, "the chip's identity", PLACE_OTHER },
	{ 0x1FFFC000U, 0x1FFFC00FU, "the option bytes", PLACE_SPECIAL },
	{ 0x20000000U, 0x2001FFFFU, "RAM", PLACE_RAM },
	{ 0x22000000U, 0x23FFFFFFU, "RAM, bit by bit", PLACE_OTHER },
	{ 0x40000000U, 0x5FFFFFFFU, "registers of the chip's devices", PLACE_OTHER },
	{ 0x60000000U, 0xDFFFFFFFU, "external memory, which a Crazyflie does not have",
	  PLACE_OTHER },
	{ 0xE0000000U, 0xE00FFFFFU, "registers of the processor", PLACE_OTHER },
	{ 0xFFFF0000U, 0xFFFF0003U, "the device feature", PLACE_SPECIAL },
};

const char *
place_words(uint32_t addr)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (addr >= places[i].first && addr <= places[i].last)
			return places[i].words;
	return "nothing";
}

const struct place *
place_touched(enum place_kind kind, uint32_t first, uint32_t last)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (places[i].kind == kind && first <= places[i].last && last >= places[i].first)
			return &places[i];
	return NULL;
}
