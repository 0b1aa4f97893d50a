/* SPDX-License-Identifier: MIT */
/*
 * The radio configuration as the EEPROM of a Crazyflie holds it: 21 bytes at address 0
 * (doc/beyond-dfu.md 3).  Bytes to members and back; no access to the drone.
 */
#ifndef CORE_RADIO_BLOCK_H
#define CORE_RADIO_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/condition.h"

#define RADIO_CHANNEL_MAX 125
#define RADIO_RATE_MAX 2 /* 2M */
#define RADIO_ADDRESS_MAX 0xFFFFFFFFFFULL

/*
 * Reads the block out of its bytes: all members are set.  Valid also in version 0, which has no
 * address: it is the default one then, as the firmware takes it.  Not valid where the firmware
 * would replace it with the defaults, or where a value is none that its radio has; the members are
 * the defaults then.
 */
void radio_block_decode(struct radio_block *b, const uint8_t bytes[RADIO_BLOCK_BYTES]);

/* Would one packet by radio reach both?  Of two that are known. */
bool radio_block_collides(const struct radio_block *a, const struct radio_block *b);

/* Are channel, rate and address in their ranges? */
bool radio_block_is_sane(const struct radio_block *b);

/*
 * The block as it is to be, of version 1: channel, rate and address of wanted (sane, asserted),
 * trims of old where that is valid, else none.
 */
void radio_block_encode(const struct radio_block *wanted, const struct radio_block *old,
			struct radio_block *ret_block);

#endif
