/* SPDX-License-Identifier: MIT */
/*
 * The EEPROM: radio configuration and stored parameters (doc/beyond-dfu.md 3).  It survives
 * everything; what stands in it has its effect from the next start on.
 */
#include "config.h"

#include "sim/drone.h"

#include <string.h>

#include "sim/model.h"

#define BLOCK_BYTES 21
#define STORE 1024 /* parameters, by name */
#define STORE_VERSION 1
#define WRITE_US 5000 /* SPEC: one page */

static uint8_t
sum_of(const uint8_t *p, size_t n)
{
	uint8_t sum = 0;

	while (n-- > 0)
		sum = (uint8_t)(sum + *p++);
	return sum;
}

static void
put_block(uint8_t *e, const struct radio_setup *r)
{
	static const uint8_t head[5] = { 0x30, 0x78, 0x42, 0x43, 1 };

	memset(e, 0, BLOCK_BYTES);
	memcpy(e, head, sizeof(head));
	e[5] = r->channel;
	e[6] = r->rate;
	e[15] = (uint8_t)(r->address >> 32);
	put_le32(e + 16, (uint32_t)r->address);
	e[20] = sum_of(e, 20);
}

void
eeprom_prepare(struct drone *d)
{
	uint8_t *e = d->eeprom;

	memset(e, 0xFF, EEPROM_BYTES);
	if (d->config.eeprom == DRONE_EEPROM_BLANK)
		return;
	put_block(e, &(struct radio_setup){ d->config.channel, d->config.rate, d->config.address });
	e[STORE] = STORE_VERSION;
	if (d->config.eeprom == DRONE_EEPROM_BAD_SUM)
		e[20]++;
	else if (d->config.eeprom == DRONE_EEPROM_BAD_MAGIC)
		e[0] = 0;
}

/* SPEC: bad magic, checksum or version: the defaults are written, silently. */
void
eeprom_start(struct drone *d)
{
	static const struct radio_setup defaults = { 80, 2, 0xE7E7E7E7E7 };
	struct radio_setup *r = &d->firmware.radio;
	uint8_t *e = d->eeprom;

	if (memcmp(e, "0xBC\x01", 5) != 0)
		d->firmware.block_was = DRONE_EEPROM_BAD_MAGIC;
	else if (sum_of(e, 20) != e[20])
		d->firmware.block_was = DRONE_EEPROM_BAD_SUM;
	if (d->firmware.block_was != DRONE_EEPROM_GOOD)
		put_block(e, &defaults);
	/* SPEC: a store that fails its check is formatted. */
	d->firmware.store_was_bad = e[STORE] != STORE_VERSION;
	if (d->firmware.store_was_bad) {
		memset(e + STORE, 0xFF, EEPROM_BYTES - STORE);
		e[STORE] = STORE_VERSION;
	}
	r->channel = e[5];
	r->rate = e[6];
	r->address = (uint64_t)e[15] << 32 | get_le32(e + 16);
}

static bool
is_within(const struct mem *m, const struct mem_call *c)
{
	return c->addr <= m->size && c->length <= m->size - c->addr;
}

uint8_t
eeprom_read(struct drone *d, const struct mem *m, struct mem_call *c)
{
	if (!is_within(m, c))
		return MEM_EIO;
	memcpy(c->data, d->eeprom + c->addr, c->length);
	return 0;
}

uint8_t
eeprom_write(struct drone *d, const struct mem *m, struct mem_call *c)
{
	if (!is_within(m, c))
		return MEM_EIO;
	memcpy(d->eeprom + c->addr, c->data, c->length);
	c->takes_us = WRITE_US;
	return 0;
}

uint8_t *
drone_eeprom(struct drone *d)
{
	return d->eeprom;
}

void
drone_radio(const struct drone *d, uint8_t *ret_channel, uint8_t *ret_rate, uint64_t *ret_address)
{
	*ret_channel = d->firmware.radio.channel;
	*ret_rate = d->firmware.radio.rate;
	*ret_address = d->firmware.radio.address;
}
