/* SPDX-License-Identifier: MIT */
/* Mounting, power, and the firmware's records and commands: common to all decks. */
#include "config.h"

#include "sim/deck.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/model.h"

#define SECTION 0x10000000U /* of deck memory: one for each record, the first for all of them */
#define INFO_BYTES 257
#define RECORD_BYTES 32
#define COMMANDS 0x1000U
#define NULL_POINTER "src/deck/core/deck_memory.c:0"

#define FIND_US 30000	    /* each deck: its 1-wire memory or DeckCtrl is read */
#define I2C_US 750	    /* 24 bytes at 400 kHz */
#define LH_CHECK_US 2400000 /* the bitstream is read that way */
#define AI_RESET_US 1000000
#define AI_ERASE_US 4000000

enum bits {
	VALID = 1,
	STARTED = 2,
	READABLE = 4,
	WRITABLE = 8,
	UPGRADABLE = 16,
	UPGRADE_REQUIRED = 32,
	IN_LOADER = 64,
};
enum resets { TO_FIRMWARE = 1, TO_LOADER = 2 };

static const struct kind {
	const char *name, *id, *second; /* the driver's; what its records are called besides */
	uint8_t pid;
	bool deckctrl, tested;
	uint8_t resets; /* second byte of its records */
	uint32_t init_us;
} kinds[DRONE_DECK_COUNT] = {
	[DRONE_DECK_NONE] = { "", NULL, NULL, 0, false, false, 0, 0 },
	[DRONE_DECK_LIGHTHOUSE] = { "bcLighthouse4", "", NULL, 0x10, false, false, 0, 100000 },
	[DRONE_DECK_LIGHTHOUSE_WRONG] = { "bcLighthouse4", "", NULL, 0x10, false, false, 0,
					  100000 },
	[DRONE_DECK_LED_BOTTOM] = { "bcColorLedBot", ":col", NULL, 0x13, true, true,
				    TO_FIRMWARE | TO_LOADER, 50000 },
	[DRONE_DECK_LED_TOP] = { "bcColorLedTop", ":col", NULL, 0x14, true, true,
				 TO_FIRMWARE | TO_LOADER, 50000 },
	[DRONE_DECK_LED_OLD] = { "bcColorLedBot", ":col", NULL, 0x13, true, true,
				 TO_FIRMWARE | TO_LOADER, 50000 },
	/* SPEC: doc/beyond-dfu.md 2: with an AI deck the nRF51 adds 5 s. */
	[DRONE_DECK_AI] = { "bcAI", ":esp", ":gap8", 0x12, false, true, TO_LOADER, 5000000 },
	[DRONE_DECK_FLOW] = { "bcFlow2", NULL, NULL, 0x0F, false, true, 0, 200000 },
	[DRONE_DECK_MULTIRANGER] = { "bcMultiranger", NULL, NULL, 0x0C, false, true, 0, 600000 },
};

bool
deck_is_lighthouse(const struct deck *k)
{
	return k->as == DRONE_DECK_LIGHTHOUSE || k->as == DRONE_DECK_LIGHTHOUSE_WRONG;
}

bool
deck_is_deckctrl(const struct deck *k)
{
	return kinds[k->as].deckctrl;
}

bool
deck_is_tested(const struct deck *k)
{
	return kinds[k->as].tested;
}

const char *
deck_name(const struct deck *k)
{
	return kinds[k->as].name;
}

uint8_t
deck_pid(const struct deck *k)
{
	return kinds[k->as].pid;
}

uint64_t
deck_scaled_us(const struct drone *d, uint64_t us)
{
	return us * d->config.timing.flash_permille / 1000;
}

/* ---- life ---- */

void
decks_mount(struct drone *d)
{
	for (unsigned i = 0; i < DRONE_DECKS_MAX; i++)
		d->deck[i] = (struct deck){ .as = (enum drone_deck)d->config.deck[i],
					    .ready_us = DRONE_NEVER };
}

void
decks_free(struct drone *d)
{
	for (unsigned i = 0; i < DRONE_DECKS_MAX; i++)
		free(d->deck[i].flash);
}

/* Checks of bitstreams that were due by now have happened. */
static void
settle(struct drone *d, uint64_t now)
{
	for (unsigned i = 0; i < DRONE_DECKS_MAX; i++)
		if (deck_is_lighthouse(&d->deck[i]))
			lighthouse_settle(d, &d->deck[i], now);
}

void
decks_power_off(struct drone *d, uint64_t now)
{
	settle(d, now);
	for (unsigned i = 0; i < DRONE_DECKS_MAX; i++) {
		struct deck *k = &d->deck[i];

		k->running = k->in_loader = k->started = false;
		k->ready_us = DRONE_NEVER;
	}
}

/* How much longer it takes until the memory port hears. */
static uint64_t
init_us(struct drone *d)
{
	struct deck *k;
	uint64_t sum = 0;

	for (unsigned i = 0; (k = decks_at(d, i)) != NULL; i++)
		sum += FIND_US + kinds[k->as].init_us;
	return deck_scaled_us(d, sum);
}

/* The LEDs' processor does not answer: "Deck i test [FAIL].". */
static bool
pass(struct drone *d)
{
	struct deck *k;

	for (unsigned i = 0; (k = decks_at(d, i)) != NULL; i++)
		if (k->torn)
			return false;
	return true;
}

void
decks_start(struct drone *d, uint64_t now)
{
	uint64_t passed_us;

	settle(d, now);
	d->firmware.decks_fail = !pass(d);
	d->firmware.decks_us = init_us(d);
	passed_us = drone_selftest_us(d);
	for (unsigned i = 0; i < DRONE_DECKS_MAX; i++) {
		struct deck *k = &d->deck[i];

		k->announced = 0;
		k->started = !deck_is_lighthouse(k);
		k->in_loader = deck_is_lighthouse(k);
		k->ready_us = DRONE_NEVER;
		/* SPEC: doc/beyond-dfu.md 4: the check waits for a self-test that passes. */
		if (deck_is_lighthouse(k) && !k->running && passed_us != DRONE_NEVER)
			k->ready_us = passed_us + deck_scaled_us(d, LH_CHECK_US);
		/* The firmware resets all DeckCtrls, and with them the power of the LEDs. */
		if (kinds[k->as].deckctrl)
			led_restart(k);
	}
}

/* ---- what the firmware finds ---- */

/* SPEC: doc/beyond-dfu.md 2: DeckCtrls since 2025.12; one in its own boot loader is not found. */
static bool
is_found(const struct drone *d, const struct deck *k)
{
	if (k->as == DRONE_DECK_NONE)
		return false;
	return !kinds[k->as].deckctrl || (d->firmware.release >= 202512 && !d->deckctrl_dfu);
}

struct deck *
decks_at(struct drone *d, unsigned n)
{
	/* 1-wire memories are looked for before DeckCtrls. */
	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < DRONE_DECKS_MAX; i++)
			if (kinds[d->deck[i].as].deckctrl == (pass == 1) &&
			    is_found(d, &d->deck[i]) && n-- == 0)
				return &d->deck[i];
	return NULL;
}

unsigned
decks_found(struct drone *d)
{
	unsigned n = 0;

	while (decks_at(d, n) != NULL)
		n++;
	return n;
}

bool
deck_is_mounted(const struct drone *d, const char *name)
{
	for (unsigned i = 0; i < DRONE_DECKS_MAX; i++)
		if (is_found(d, &d->deck[i]) && strcmp(kinds[d->deck[i].as].name, name) == 0)
			return true;
	return false;
}

/* ---- records ---- */

/* The deck of record i and, in ret_id, which of its programs; NULL: the record is not valid. */
static struct deck *
record_deck(struct drone *d, unsigned i, const char **ret_id)
{
	struct deck *k = decks_at(d, i / 2);

	if (k == NULL)
		return NULL;
	*ret_id = i % 2 == 0 ? kinds[k->as].id : kinds[k->as].second;
	return *ret_id != NULL ? k : NULL;
}

/* SPEC: doc/beyond-dfu.md 10.1 and 10.7: only a Lighthouse says "upgrade required". */
static uint8_t
first_bits(const struct deck *k, uint64_t now)
{
	bool in_loader = k->in_loader && (deck_is_lighthouse(k) || now >= k->ready_us);
	unsigned bits = VALID | WRITABLE | UPGRADABLE;

	bits |= k->started ? STARTED : 0;
	bits |= k->as != DRONE_DECK_AI ? READABLE : 0;
	bits |= in_loader ? IN_LOADER : 0;
	bits |= in_loader && deck_is_lighthouse(k) ? UPGRADE_REQUIRED : 0;
	return (uint8_t)bits;
}

static void
make_info(struct drone *d, uint64_t now, uint8_t info[INFO_BYTES])
{
	memset(info, 0, INFO_BYTES);
	info[0] = 3;
	for (unsigned i = 0; i < 2 * DRONE_DECKS_MAX; i++) {
		uint8_t *r = info + 1 + i * RECORD_BYTES;
		const char *id = NULL;
		struct deck *k = record_deck(d, i, &id);
		uint32_t bytes = 0, hash = 0;
		char name[19];

		if (k == NULL)
			continue;
		if (deck_is_lighthouse(k))
			hash = lighthouse_wants(d, &bytes);
		r[0] = first_bits(k, now);
		r[1] = kinds[k->as].resets;
		put_le32(r + 2, hash);
		put_le32(r + 6, bytes);
		put_le32(r + 10, (i + 1) * SECTION);
		(void)snprintf(name, sizeof(name), "%s%s", kinds[k->as].name, id);
		memcpy(r + 14, name, strlen(name));
	}
}

/*
 * SPEC: doc/beyond-dfu.md 11.4: with one deck mounted a record that is not valid leads to a null
 * pointer.  (For some the firmware answers 05; which, is nothing to rely on.)
 */
static uint8_t
no_such_record(struct drone *d, uint64_t now)
{
	if (decks_found(d) > 0)
		firmware_assert(d, now, DRONE_ASSERT_REQUEST, NULL_POINTER);
	return MEM_EIO;
}

/* ---- AI deck: appended, through the ESP32's boot loader ---- */

static void
ai_command(struct drone *d, struct deck *k, uint8_t bits, uint64_t now)
{
	if (!(bits & TO_LOADER))
		return;
	k->in_loader = true;
	k->ready_us = now + deck_scaled_us(d, AI_RESET_US);
	k->written = 0;
}

/* SPEC: doc/beyond-dfu.md 10.2: only what follows is taken. */
static uint8_t
ai_write(struct drone *d, struct deck *k, struct mem_call *c)
{
	if (!k->in_loader || c->now_us < k->ready_us || k->announced == 0 || c->addr == 0)
		c->takes_us = deck_scaled_us(d, AI_ERASE_US);
	if (!k->in_loader || c->now_us < k->ready_us || k->announced == 0)
		return MEM_EIO; /* the boot loader does not answer */
	if (c->addr == 0)
		k->written = 0;
	if (c->addr != k->written)
		return MEM_EIO;
	k->written += (uint32_t)c->length;
	return 0;
}

/* SPEC: doc/beyond-dfu.md 4.2: GAP8: an ASSERT on any time-out. */
static uint8_t
gap8(struct drone *d, uint64_t now)
{
	firmware_assert(d, now, DRONE_ASSERT_REQUEST, "src/deck/drivers/src/aideck.c:129");
	return MEM_EIO;
}

/* ---- deck memory ---- */

uint8_t
deck_memory_read(struct drone *d, const struct mem *m, struct mem_call *c)
{
	unsigned section = c->addr / SECTION;
	uint8_t info[INFO_BYTES];
	const char *id;
	struct deck *k;

	(void)m;
	settle(d, c->now_us);
	if (section == 0) {
		make_info(d, c->now_us, info);
		for (size_t i = 0; i < c->length; i++)
			c->data[i] = c->addr + i < sizeof(info) ? info[c->addr + i] : 0;
		return 0;
	}
	k = record_deck(d, section - 1, &id);
	if (k == NULL)
		return no_such_record(d, c->now_us);
	c->addr %= SECTION;
	c->takes_us = deck_scaled_us(d, I2C_US);
	if (deck_is_lighthouse(k))
		return lighthouse_read(d, k, c);
	return kinds[k->as].deckctrl ? led_read(d, c) : MEM_EIO;
}

/* One byte of the command records; without a deck it is taken and means nothing. */
static uint8_t
command(struct drone *d, uint32_t at, uint8_t value, struct mem_call *c)
{
	unsigned i = at / RECORD_BYTES, byte = at % RECORD_BYTES;
	const char *id;
	struct deck *k = record_deck(d, i, &id);

	if (k == NULL && i >= 2 * decks_found(d))
		return 0;
	if (k == NULL)
		return no_such_record(d, c->now_us);
	if (byte < 4) {
		k->announced &= ~(0xFFU << 8 * byte);
		k->announced |= (uint32_t)value << 8 * byte;
	} else if (byte == 4 && kinds[k->as].deckctrl) {
		led_command(d, k, value, c);
	} else if (byte == 4 && i % 2 == 1 && (value & TO_LOADER)) {
		return gap8(d, c->now_us);
	} else if (byte == 4 && k->as == DRONE_DECK_AI) {
		ai_command(d, k, value, c->now_us);
	}
	return 0;
}

uint8_t
deck_memory_write(struct drone *d, const struct mem *m, struct mem_call *c)
{
	unsigned section = c->addr / SECTION;
	const char *id;
	struct deck *k;
	uint8_t r = 0;

	(void)m;
	settle(d, c->now_us);
	if (section == 0) {
		for (uint32_t i = 0; i < c->length && r == 0; i++)
			if (c->addr + i >= COMMANDS)
				r = command(d, c->addr + i - COMMANDS, c->data[i], c);
		return r;
	}
	k = record_deck(d, section - 1, &id);
	if (k == NULL)
		return no_such_record(d, c->now_us);
	c->addr %= SECTION;
	c->takes_us = deck_scaled_us(d, I2C_US);
	if (deck_is_lighthouse(k))
		return lighthouse_write(d, k, c);
	if (kinds[k->as].deckctrl)
		return led_write(d, c);
	return section % 2 == 0 ? gap8(d, c->now_us) : ai_write(d, k, c);
}

enum drone_deck_state
drone_deck_state(struct drone *d, uint64_t now_us, unsigned place)
{
	const struct deck *k = &d->deck[place];

	settle(d, now_us);
	if (k->as == DRONE_DECK_NONE)
		return DRONE_DECK_ABSENT;
	if (deck_is_lighthouse(k) && k->running)
		return k->started ? DRONE_DECK_RUNS : DRONE_DECK_DEAD;
	if (deck_is_lighthouse(k) || (kinds[k->as].deckctrl && k->in_loader))
		return DRONE_DECK_IN_LOADER;
	return k->torn ? DRONE_DECK_DEAD : DRONE_DECK_RUNS;
}

void
drone_deck_name(const struct drone *d, unsigned place, char ret_name[24])
{
	const struct kind *k = &kinds[d->deck[place].as];

	(void)snprintf(ret_name, 24, "%s%s", k->id != NULL ? k->name : "",
		       k->id != NULL ? k->id : "");
}

const uint8_t *
drone_deck_flash(const struct drone *d, unsigned place)
{
	return d->deck[place].flash;
}
