/* SPDX-License-Identifier: MIT */
/*
 * The nRF51's switch of VCC, which STM32 and decks share, and how the STM32 reaches it: memory type
 * 0x20 (doc/beyond-dfu.md 6).
 */
#include "config.h"

#include "sim/drone.h"

#include <string.h>

#include "sim/model.h"

#define DFU_BASE 0x10000U /* the one DeckCtrl in its boot loader, from here on */
#define DFU_BYTES 0x8000U
#define STATUS 2
#define COMMAND 3
#define NRF_RELEASE 202512 /* SPEC: older ones do not know the command */
#define HEARD_US 10000
#define OFF_US 400000

enum command { TO_LOADER = 1, TO_FIRMWARE = 2 };

static unsigned
deckctrls(struct drone *d)
{
	struct deck *k;
	unsigned n = 0;

	for (unsigned i = 0; (k = decks_at(d, i)) != NULL; i++)
		n += deck_is_deckctrl(k);
	return n;
}

/* One address on the bus for the LEDs' processors and the DeckCtrl alike. */
static bool
loader_answers(struct drone *d, uint64_t now)
{
	struct deck *k;

	for (unsigned i = 0; (k = decks_at(d, i)) != NULL; i++)
		if (deck_is_deckctrl(k) && k->in_loader && now >= k->ready_us)
			return true;
	return d->deckctrl_dfu;
}

static uint8_t
status(struct drone *d, uint64_t now)
{
	if (loader_answers(d, now))
		return 1;
	return deckctrls(d) <= 1 ? 2 : 0;
}

uint8_t
deckctrl_dfu_read(struct drone *d, const struct mem *m, struct mem_call *c)
{
	bool answers = loader_answers(d, c->now_us), in_head = c->addr < DFU_BASE;
	uint8_t head[] = { 1, (uint8_t)deckctrls(d), status(d, c->now_us) };

	if (c->addr >= m->size)
		return MEM_EIO;
	/* The status is found out by reading there. */
	if (!answers && (!in_head || (c->addr <= STATUS && c->length > STATUS - c->addr)))
		console_say(d, c->now_us, "I2C DFU: Error sending read command\n");
	if (!answers && !in_head)
		return MEM_EIO;
	for (size_t i = 0; i < c->length; i++)
		c->data[i] = !in_head ? 0xFF : c->addr + i < sizeof(head) ? head[c->addr + i] : 0;
	return 0;
}

/* VCC goes ten milliseconds after the answer, and comes back: a start as after plugging in. */
static void
power_cycle(struct drone *d, uint64_t now, bool dfu)
{
	const struct drone_timing *t = &d->config.timing;
	uint64_t off = now + t->crtp_us + deck_scaled_us(d, HEARD_US);
	uint64_t on = off + deck_scaled_us(d, OFF_US);
	enum drone_personality next;

	if (firmware_release(d->config.nrf) < NRF_RELEASE)
		return; /* the answer is given, and that is all */
	/* [I] Its pins are quiet then: the dice of a software reset are not thrown. */
	next = boot_decide(d, BOOT_RESET, 0, false);
	d->by_button_next = false;
	drone_leave_bus(d, off, next, on + drone_draw_ms(d, t->boot_min_ms, t->boot_max_ms) * 1000);
	d->vcc_off = true;
	d->counters.vcc_cycles++;
	d->deckctrl_dfu_next = dfu;
}

uint8_t
deckctrl_dfu_write(struct drone *d, const struct mem *m, struct mem_call *c)
{
	uint8_t command = 0;

	if (c->addr >= m->size)
		return MEM_EIO;
	if (c->addr >= DFU_BASE && !loader_answers(d, c->now_us)) {
		console_say(d, c->now_us, "I2C DFU: Error sending erase command\n");
		console_say(d, c->now_us, "I2C DFU: Failed to erase pages\n");
		return MEM_EIO;
	}
	if (c->addr <= COMMAND && c->length > COMMAND - c->addr)
		command = c->data[COMMAND - c->addr] & (TO_LOADER | TO_FIRMWARE);
	if (command == (TO_LOADER | TO_FIRMWARE) || (command == TO_LOADER && deckctrls(d) > 1))
		return MEM_EIO;
	if (command != 0)
		power_cycle(d, c->now_us, command == TO_LOADER);
	return 0;
}

void
power_off(struct drone *d, uint64_t now)
{
	decks_power_off(d, now);
	d->ram_crash[0] = '\0';
	d->mute = false;
	d->deckctrl_dfu = d->deckctrl_dfu_next;
	d->deckctrl_dfu_next = d->vcc_off = d->dark = false;
}

/* SPEC: doc/protocol.md 2.2: cf2loader samples two pins while the nRF51 may be talking. */
bool
power_ends_dark(struct drone *d)
{
	struct fate f;

	d->dark =
	    fate_occasion(d, FATE_DARK, &f) ||
	    (d->config.dark_permille > 0 && rng_next(&d->rng) % 1000 < d->config.dark_permille);
	d->counters.darks += d->dark;
	return d->dark;
}

bool
drone_is_dark(const struct drone *d)
{
	return d->dark;
}
