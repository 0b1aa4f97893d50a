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
	e[EEPROM_STORE] = STORE_VERSION;
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
	d->firmware.store_was_bad = e[EEPROM_STORE] != STORE_VERSION;
	if (d->firmware.store_was_bad) {
		memset(e + EEPROM_STORE, 0xFF, EEPROM_BYTES - EEPROM_STORE);
		e[EEPROM_STORE] = STORE_VERSION;
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

/* ---- stored parameters: u16 length of all of it, u8 length of the key, key, value ---- */

#define ITEM_HEAD 3
#define END 0xFFFFU

/* Where the item with this key begins, or the end's place; 0 when there is no end. */
static uint32_t
item_of(const struct drone *d, const char *key)
{
	const uint8_t *e = d->eeprom;
	size_t n = strlen(key);
	uint32_t at = EEPROM_STORE + 1;

	while (at + ITEM_HEAD + n < EEPROM_BYTES - 1 && get_le16(e + at) != END) {
		if (e[at + 2] == n && memcmp(e + at + ITEM_HEAD, key, n) == 0)
			return at;
		if (get_le16(e + at) < ITEM_HEAD)
			return 0;
		at += get_le16(e + at);
	}
	return at + ITEM_HEAD + n < EEPROM_BYTES - 1 ? at : 0;
}

bool
eeprom_stored(const struct drone *d, const char *key, uint8_t value[4])
{
	uint32_t at = item_of(d, key), head = ITEM_HEAD + (uint32_t)strlen(key);
	uint32_t size = at > 0 ? get_le16(d->eeprom + at) : END;

	if (size == END || size < head || size - head > 4)
		return false;
	memcpy(value, d->eeprom + at + head, size - head);
	return true;
}

bool
eeprom_store(struct drone *d, const char *key, const uint8_t *value, size_t length)
{
	uint32_t at = item_of(d, key), n = (uint32_t)strlen(key);
	uint8_t *e = d->eeprom;

	if (at == 0 || at + ITEM_HEAD + n + length + 2 >= EEPROM_BYTES)
		return false;
	if (get_le16(e + at) == END) {
		put_le16(e + at, (uint16_t)(ITEM_HEAD + n + length));
		e[at + 2] = (uint8_t)n;
		memcpy(e + at + ITEM_HEAD, key, n);
	}
	memcpy(e + at + ITEM_HEAD + n, value, length);
	return true;
}

/* SPEC: it becomes a hole: its key's length is 0. */
bool
eeprom_forget(struct drone *d, const char *key)
{
	uint32_t at = item_of(d, key);

	if (at == 0 || get_le16(d->eeprom + at) == END)
		return false;
	d->eeprom[at + 2] = 0;
	return true;
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
