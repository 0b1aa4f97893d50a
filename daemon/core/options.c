/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/options.h"

#include "cfdfu/util.h"

enum {
	RDP = 1, /* offset of the read protection's byte */
	RDP_LEVEL_0 = 0xAA,
	NWRP = 8, /* offset of 16 bits, of which the lower 12 are a sector each; 0 protects */
	SECTORS_MASK = 0xFFF,
};

uint32_t
options_write_protected(const uint8_t bytes[OPTIONS_BYTES])
{
	if (bytes[RDP] != RDP_LEVEL_0)
		return 0;
	return ~(uint32_t)get_le16(bytes + NWRP) & SECTORS_MASK;
}
