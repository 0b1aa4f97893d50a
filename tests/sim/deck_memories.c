/* SPDX-License-Identifier: MIT */
/* Small memories that come with decks, and lines of the boot text (doc/beyond-dfu.md 2, 4.1, 7). */
#include "config.h"

#include "sim/drone.h"

#include <string.h>

#include "sim/bitstream.h"
#include "sim/model.h"

#define ONE_WIRE_BYTES 112
#define DECKCTRL_BYTES 2048
#define CALIBRATION 0x1000U
#define STATIONS 4
#define HEARD_STATIONS 8 /* of a large room */
#define I2C_US 750

/* `EB pins:u32 vid pid crc`, then `00 len {id len text}... crc`; id 1 name, 2 revision. */
static uint8_t
one_wire_read(struct drone *d, const struct mem *m, struct mem_call *c)
{
	static const uint8_t revision[3] = { 2, 1, 'A' };
	const struct deck *k = &d->deck[m->owner];
	size_t length = strlen(deck_name(k));
	uint8_t b[ONE_WIRE_BYTES] = { 0xEB, 0, 0, 0, 0, 0xBC, deck_pid(k) };

	if (c->addr > sizeof(b) || c->length > sizeof(b) - c->addr)
		return MEM_EIO;
	b[7] = (uint8_t)bitstream_crc(b, 7);
	b[9] = (uint8_t)(2 + length + sizeof(revision));
	b[10] = 1;
	b[11] = (uint8_t)length;
	memcpy(b + 12, deck_name(k), length);
	memcpy(b + 12 + length, revision, sizeof(revision));
	b[10 + b[9]] = (uint8_t)bitstream_crc(b + 8, 2 + (size_t)b[9]);
	memcpy(c->data, b + c->addr, c->length);
	return 0;
}

/* SPEC: doc/beyond-dfu.md 10.7: the version is in bytes 2 and 3. */
static uint8_t
deckctrl_read(struct drone *d, const struct mem *m, struct mem_call *c)
{
	const struct deck *k = &d->deck[m->owner];
	bool old = k->as == DRONE_DECK_LED_OLD && (!k->renewed || d->config.led_version_stays);
	uint8_t b[32] = { 0xBC, 0xDC, 0, old ? 0 : 1, 0xBC, deck_pid(k), 'A' }, sum = 0;

	if (c->addr > DECKCTRL_BYTES || c->length > DECKCTRL_BYTES - c->addr)
		return MEM_EIO;
	memcpy(b + 7, deck_name(k), strlen(deck_name(k)));
	b[22] = 25; /* made in November 2025 */
	b[23] = 11;
	b[24] = 3;
	for (unsigned i = 0; i < sizeof(b); i++)
		sum = (uint8_t)(sum + b[i]);
	b[31] = (uint8_t)-sum;
	for (size_t i = 0; i < c->length; i++)
		c->data[i] = c->addr + i < sizeof(b) ? b[c->addr + i] : 0xFF;
	c->takes_us = deck_scaled_us(d, I2C_US);
	return 0;
}

/* Pages of 256 bytes for each base station: 49 of geometry; 61 of calibration from 0x1000 on. */
static uint8_t
geometry_read(struct drone *d, const struct mem *m, struct mem_call *c)
{
	uint32_t of_page = c->addr < CALIBRATION ? 49 : 61;

	(void)d;
	(void)m;
	if (c->addr >= 2 * CALIBRATION || c->addr % CALIBRATION / 0x100 >= STATIONS ||
	    c->addr % 0x100 + c->length > of_page)
		return MEM_EIO;
	memset(c->data, 0, c->length);
	return 0;
}

static uint8_t
not_written(struct drone *d, const struct mem *m, struct mem_call *c)
{
	(void)d;
	(void)m;
	(void)c;
	return MEM_EIO;
}

/* 1-wire memories are found first, then DeckCtrls. */
void
deck_register_one_wire(struct drone *d)
{
	struct deck *k;

	for (unsigned i = 0; (k = decks_at(d, i)) != NULL; i++) {
		bool ctrl = deck_is_deckctrl(k);
		struct mem m = { .type = ctrl ? MEM_DECKCTRL_INFO : MEM_ONE_WIRE,
				 .size = ctrl ? DECKCTRL_BYTES : ONE_WIRE_BYTES,
				 .owner = (unsigned)(k - d->deck),
				 .read = ctrl ? deckctrl_read : one_wire_read,
				 .write = not_written };

		memcpy(m.serial, d->config.uid, sizeof(d->config.uid));
		m.serial[0] = ctrl ? (uint8_t)i : 0x0D; /* the family of a DS28E05 */
		m.serial[6] = (uint8_t)(m.serial[6] + i);
		m.serial_bytes = ctrl ? 12 : 8;
		if (!ctrl)
			m.serial[7] = (uint8_t)bitstream_crc(m.serial, 7);
		mem_register(d, &m);
	}
}

void
deck_register_own(struct drone *d)
{
	struct deck *k;

	for (unsigned i = 0; (k = decks_at(d, i)) != NULL; i++)
		if (deck_is_lighthouse(k))
			mem_register(d, &(struct mem){ .type = MEM_LIGHTHOUSE,
						       .size = CALIBRATION + STATIONS * 61,
						       .read = geometry_read,
						       .write = not_written });
}

/* ---- the boot text ---- */

static void
say_bitstream(struct drone *d, struct deck *k, uint64_t at)
{
	uint32_t bytes, wanted = lighthouse_wants(d, &bytes), crc;

	if (k->running) {
		console_say(d, at,
			    "LHFL: Cannot communicate with lighthouse bootloader, aborting!\n");
		console_say(d, at, "LH: FPGA not booted. Lighthouse disabled!\n");
		return;
	}
	crc = lighthouse_crc(d, k);
	console_say(d, at, "LHFL: Lighthouse bootloader version: 2\n");
	console_say(d, at, "LHFL: Bitstream CRC32: %X %s\n", crc,
		    crc == wanted ? "[PASS]" : "[FAIL]");
	if (crc != wanted) {
		console_say(d, at,
			    "LHFL: The deck bitstream does not match the required bitstream.\n"
			    "LHFL: We require lighthouse bitstream of size %u and CRC32 %X.\n"
			    "LHFL: Leaving the deck in bootloader mode ...\n",
			    bytes, wanted);
		console_say(d, at, "LH: FPGA not booted. Lighthouse disabled!\n");
		return;
	}
	console_say(d, at, "LHFL: Firmware version 6 verified, booting deck!\n");
	for (unsigned i = 1; i <= HEARD_STATIONS; i++)
		console_say(d, at, "LH: Got calibration from %08X on channel %u\n", 0xBC000000U + i,
			    i);
	console_say(d, at, "LH: Warning: not getting data from all sensors\n");
	for (unsigned i = 0; i < 4; i++)
		console_say(d, at, "LH:   %u - OK\n", i);
}

void
deck_say(struct drone *d, enum deck_moment moment, uint64_t at_us)
{
	struct deck *k;

	if (moment == DECK_FOUND)
		console_say(d, at_us, "DECK_CORE: %u deck(s) found\n", decks_found(d));
	for (unsigned i = 0; (k = decks_at(d, i)) != NULL; i++) {
		if (moment == DECK_FOUND)
			console_say(d, at_us, "DECK_CORE: Calling INIT on driver %s for deck %u\n",
				    deck_name(k), i);
		else if (moment == DECK_TESTED && deck_is_tested(k))
			console_say(d, at_us, "DECK_CORE: Deck %u test [%s].\n", i,
				    k->torn ? "FAIL" : "OK");
		else if (moment == DECK_STARTED && deck_is_lighthouse(k))
			say_bitstream(d, k, k->ready_us != DRONE_NEVER ? k->ready_us : at_us);
	}
	if (moment == DECK_TESTED && d->firmware.decks_fail)
		console_say(d, at_us, "SYS: deckTest [FAIL]\n");
}
