/* SPDX-License-Identifier: MIT */
/* Colour LED decks: an STM32C0 each, written through its ROM's I2C boot loader, page by page. */
#include "config.h"

#include "sim/drone.h"

#include <stdlib.h>
#include <string.h>

#include "sim/bitstream.h"
#include "sim/model.h"

#define RESET_US 20000	/* the answer comes when its power is back ... */
#define LOADER_US 60000 /* ... and the boot loader answers some time later [I] */
#define ERASE_US 32000	/* one page, and until it is asked about */
#define DELIVERED_CRC 0x1ED
#define DELIVERED_BYTES 12000

enum resets { TO_FIRMWARE = 1, TO_LOADER = 2 };

static bool
make_flash(struct deck *k)
{
	if (k->flash != NULL)
		return true;
	k->flash = malloc(DECK_LED_FLASH);
	if (k->flash == NULL)
		return false;
	memset(k->flash, 0xFF, DECK_LED_FLASH);
	bitstream_make(DELIVERED_CRC, k->flash, DELIVERED_BYTES);
	return true;
}

void
led_restart(struct deck *k)
{
	k->in_loader = false;
	k->ready_us = DRONE_NEVER;
}

void
led_command(struct drone *d, struct deck *k, uint8_t bits, struct mem_call *c)
{
	if (bits & (TO_FIRMWARE | TO_LOADER))
		c->takes_us = deck_scaled_us(d, RESET_US);
	if (bits & TO_FIRMWARE)
		led_restart(k);
	if (!(bits & TO_LOADER))
		return;
	k->in_loader = true;
	k->ready_us = c->now_us + deck_scaled_us(d, LOADER_US);
}

/* All of them in their boot loader have one address on the bus; the n-th. */
static struct deck *
in_loader(struct drone *d, uint64_t now, unsigned n)
{
	struct deck *k;

	for (unsigned i = 0; (k = decks_at(d, i)) != NULL; i++)
		if (deck_is_deckctrl(k) && k->in_loader && now >= k->ready_us && n-- == 0)
			return k;
	return NULL;
}

static bool
is_outside(const struct mem_call *c)
{
	return c->length == 0 || c->addr >= DECK_LED_FLASH || c->length > DECK_LED_FLASH - c->addr;
}

uint8_t
led_read(struct drone *d, struct mem_call *c)
{
	struct deck *k = in_loader(d, c->now_us, 0);

	if (k == NULL || is_outside(c) || !make_flash(k))
		return MEM_EIO;
	memcpy(c->data, k->flash + c->addr, c->length);
	return 0;
}

/* SPEC: doc/beyond-dfu.md 4.2: the page in which a write ends is erased when it begins or crosses
 * it. */
static void
program(struct drone *d, struct deck *k, struct mem_call *c)
{
	uint32_t end = (uint32_t)(c->addr + c->length - 1) / DECK_LED_PAGE * DECK_LED_PAGE;

	if (c->addr % DECK_LED_PAGE == 0 || c->addr < end) {
		memset(k->flash + end, 0xFF, DECK_LED_PAGE);
		c->takes_us += deck_scaled_us(d, ERASE_US);
		d->counters.deck_erases++;
		k->torn = true;
		k->renewed = false;
	}
	for (size_t i = 0; i < c->length; i++)
		k->flash[c->addr + i] &= c->data[i];
	d->counters.deck_bytes += c->length;
	if (c->addr == 0)
		k->written = 0;
	if (c->addr == k->written)
		k->written += (uint32_t)c->length;
	/* Its program is whole when all that was announced has been written in order. */
	if (k->announced > 0 && k->written >= k->announced) {
		k->torn = false;
		k->renewed = true;
	}
}

uint8_t
led_write(struct drone *d, struct mem_call *c)
{
	struct deck *k = in_loader(d, c->now_us, 0);

	if (k == NULL || is_outside(c))
		return MEM_EIO;
	for (unsigned n = 0; (k = in_loader(d, c->now_us, n)) != NULL; n++) {
		if (!make_flash(k))
			return MEM_EIO;
		program(d, k, c);
	}
	return 0;
}
