/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "firmware/places.h"

#include <stddef.h>

#include "cfdfu/util.h"

/* Ascending.  QUIRK: a file for the nRF51 begins at 0x00000000, where that chip has its flash. */
static const struct place places[] = {
	{ 0x00000000U, 0x000FFFFFU, "the nRF51's flash memory (the STM32 has an alias there)",
	  false },
	{ 0x08000000U, 0x080FFFFFU, "the flash memory", false },
	{ 0x10000000U, 0x1000FFFFU, "RAM (CCM)", true },
	{ 0x1FFF0000U, 0x1FFF77FFU, "the chip's own boot loader", false },
	{ 0x1FFF7800U, 0x1FFF7A0FU, "the one-time-programmable area", false },
	{ 0x1FFF7A10U, 0x1FFF7A23U, "the chip's identity", false },
	{ 0x1FFFC000U, 0x1FFFC00FU, "the option bytes", false },
	{ 0x20000000U, 0x2001FFFFU, "RAM", true },
	{ 0x22000000U, 0x23FFFFFFU, "RAM, bit by bit", false },
	{ 0x40000000U, 0x5FFFFFFFU, "registers of the chip's devices", false },
	{ 0x60000000U, 0xDFFFFFFFU, "external memory, which a Crazyflie does not have", false },
	{ 0xE0000000U, 0xE00FFFFFU, "registers of the processor", false },
	{ 0xFFFF0000U, 0xFFFF0003U, "the device feature", false },
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
place_ram(uint32_t first, uint32_t last)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (places[i].ram && first <= places[i].last && last >= places[i].first)
			return &places[i];
	return NULL;
}
