/* SPDX-License-Identifier: MIT */
/* Decks, as the running firmware shows them: here a drone without any (doc/beyond-dfu.md 4). */
#include "config.h"

#include "sim/drone.h"

#include <string.h>

#include "sim/model.h"

#define DECK_SECTIONS 0x10000000U /* the first deck's bytes */
#define DECKCTRL_END 0x10000U
#define DECKCTRL_COMMAND 3
#define DECKCTRL_POWER_CYCLE 2

void
deck_say(struct drone *d, enum deck_moment moment, uint64_t at_us)
{
	if (moment == DECK_FOUND)
		console_say(d, at_us, "DECK_CORE: 0 deck(s) found\n");
}

bool
deck_is_mounted(const struct drone *d, const char *name)
{
	(void)d;
	(void)name;
	return false;
}

void
deck_register_one_wire(struct drone *d)
{
	(void)d;
}

void
deck_register_own(struct drone *d)
{
	(void)d;
}

uint8_t
deck_memory_read(struct drone *d, const struct mem *m, struct mem_call *c)
{
	(void)d;
	(void)m;
	if (c->addr >= DECK_SECTIONS)
		return MEM_EIO;
	memset(c->data, 0, c->length);
	if (c->addr == 0 && c->length > 0)
		c->data[0] = 3; /* version of the information section */
	return 0;
}

uint8_t
deck_memory_write(struct drone *d, const struct mem *m, struct mem_call *c)
{
	(void)d;
	(void)m;
	(void)c;
	return MEM_EIO;
}

/* Version 1, no DeckCtrl decks, "can be enabled". */
uint8_t
deckctrl_dfu_read(struct drone *d, const struct mem *m, struct mem_call *c)
{
	static const uint8_t head[3] = { 1, 0, 2 };

	(void)m;
	if (c->addr >= DECKCTRL_END) {
		console_say(d, c->now_us, "I2C DFU: Error sending read command\n");
		return MEM_EIO;
	}
	for (size_t i = 0; i < c->length; i++)
		c->data[i] = c->addr + i < sizeof(head) ? head[c->addr + i] : 0;
	return 0;
}

uint8_t
deckctrl_dfu_write(struct drone *d, const struct mem *m, struct mem_call *c)
{
	(void)m;
	if (c->addr >= DECKCTRL_END) {
		console_say(d, c->now_us, "I2C DFU: Error sending erase command\n");
		console_say(d, c->now_us, "I2C DFU: Failed to erase pages\n");
		return MEM_EIO;
	}
	if (c->addr == DECKCTRL_COMMAND && c->length > 0 && c->data[0] > DECKCTRL_POWER_CYCLE)
		return MEM_EIO;
	return 0;
}
