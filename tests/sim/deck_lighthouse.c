/* SPDX-License-Identifier: MIT */
/* The Lighthouse deck: an FPGA that is in its boot loader unless its bitstream is the right one. */
#include "config.h"

#include "sim/drone.h"

#include <stdlib.h>
#include <string.h>

#include "sim/bitstream.h"
#include "sim/model.h"

#define ERASE_US 500000 /* 64 KiB */
#define WRONG_CRC 0xBADB17ECU

/* ---- what is in it ---- */

/* SPEC: doc/beyond-dfu.md 4.2: another one since 2026.08. */
uint32_t
lighthouse_wants(const struct drone *d, uint32_t *ret_bytes)
{
	bool new = d->firmware.release >= 202608;

	*ret_bytes = new ? BITSTREAM_BYTES : BITSTREAM_BYTES_BEFORE;
	if (d->config.bitstream_bytes > 0)
		*ret_bytes = d->config.bitstream_bytes;
	return new ? BITSTREAM_CRC : BITSTREAM_CRC_BEFORE;
}

/* A right one is right for the first firmware that looks at it. */
static void
look_at_first(struct drone *d, struct deck *k)
{
	uint32_t wanted = lighthouse_wants(d, &k->crc_bytes);

	k->crc = k->as == DRONE_DECK_LIGHTHOUSE ? wanted : WRONG_CRC;
}

uint32_t
lighthouse_crc(struct drone *d, struct deck *k)
{
	uint32_t bytes, wanted = lighthouse_wants(d, &bytes);

	if (k->flash == NULL && k->crc == 0)
		look_at_first(d, k);
	if (k->flash == NULL)
		return k->crc_bytes == bytes ? k->crc : ~wanted;
	if (k->crc == 0 || k->crc_bytes != bytes) {
		k->crc_bytes = bytes;
		k->crc = bitstream_crc(k->flash, bytes);
	}
	return k->crc;
}

/* The memory itself is there only for the ones that are read or written. */
static bool
make_flash(struct drone *d, struct deck *k)
{
	if (k->flash != NULL)
		return true;
	if (k->crc == 0)
		look_at_first(d, k);
	k->flash = malloc(DECK_LH_FLASH);
	if (k->flash == NULL)
		return false;
	memset(k->flash, 0xFF, DECK_LH_FLASH);
	bitstream_make(k->crc, k->flash, k->crc_bytes);
	return true;
}

/* ---- its states ---- */

void
lighthouse_settle(struct drone *d, struct deck *k, uint64_t now)
{
	uint32_t bytes;

	if (k->ready_us == DRONE_NEVER || now < k->ready_us)
		return;
	k->ready_us = DRONE_NEVER;
	k->started = true;
	k->running = lighthouse_crc(d, k) == lighthouse_wants(d, &bytes);
	k->in_loader = !k->running;
}

/* SPEC: doc/beyond-dfu.md 10.1: a running FPGA does not answer, whatever the record says. */
uint8_t
lighthouse_read(struct drone *d, struct deck *k, struct mem_call *c)
{
	if (k->running || !make_flash(d, k))
		return MEM_EIO;
	for (size_t i = 0; i < c->length; i++)
		c->data[i] = c->addr + i < DECK_LH_FLASH ? k->flash[c->addr + i] : 0xFF;
	return 0;
}

uint8_t
lighthouse_write(struct drone *d, struct deck *k, struct mem_call *c)
{
	if (k->running || !make_flash(d, k))
		return MEM_EIO;
	k->crc = 0;
	if (c->addr == 0) {
		memset(k->flash, 0xFF, DECK_LH_FLASH);
		c->takes_us += deck_scaled_us(d, UINT64_C(2) * ERASE_US);
		d->counters.deck_erases++;
	}
	/* SPEC: doc/beyond-dfu.md 10.2: no order, no verification; not erased is and-ed. */
	for (size_t i = 0; i < c->length; i++)
		if (c->addr + i < DECK_LH_FLASH)
			k->flash[c->addr + i] &= c->data[i];
	d->counters.deck_bytes += c->length;
	return 0;
}
