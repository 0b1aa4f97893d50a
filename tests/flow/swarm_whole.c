/* SPDX-License-Identifier: MIT */
/*
 * The rest of the drones of a fleet: decks, their power, the nRF51, self-tests, batteries, radio
 * addresses, and what an operator wants of them (doc/beyond-dfu.md).
 */
#include "config.h"

#include "flow/swarm.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/deck_update.h"
#include "core/platform.h"
#include "core/policy.h"
#include "sim/bitstream.h"
#include "sim/rng.h"

#define MS 1000ULL
#define BITSTREAM 600 /* short: each piece of 24 bytes is a conversation of its own */
#define LED 4100      /* three pages */
#define ADDRESS 0xE7E7E7E700ULL
#define NRF "2025.12"

/* ---- releases ---------------------------------------------------------------------------- */

static void
add_part(struct image *image, const char *target, const char *version, const uint8_t *bytes,
	 uint32_t length)
{
	struct image_part part = { .type = "fw", .bytes = bytes, .length = length };

	copy_text(part.target, sizeof(part.target), target);
	copy_text(part.version, sizeof(part.version), version);
	part.crc32 = bytes != NULL ? bitstream_crc(bytes, length) : 0;
	if (image_add_part(image, &part) < 0)
		abort();
}

/* SPEC: doc/beyond-dfu.md 4.2: another bitstream since 2026.08. */
void
swarm_add_parts(struct image *image)
{
	bool new = strcmp(image_label(image)->version, "2026.08") >= 0;
	uint8_t bytes[LED];

	bitstream_make(new ? BITSTREAM_CRC : BITSTREAM_CRC_BEFORE, bytes, BITSTREAM);
	add_part(image, "bcLighthouse4", "", bytes, BITSTREAM);
	for (unsigned i = 0; i < LED; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 250);
	add_part(image, "bcColorLedBot:col", "0.1.2", bytes, LED);
	add_part(image, "bcColorLedTop:col", "0.1.2", bytes, LED);
	add_part(image, "nrf51", NRF, NULL, 0);
}

/* ---- drones ------------------------------------------------------------------------------ */

static void
draw_decks(struct drone_config *c, struct rng *r)
{
	c->bitstream_bytes = BITSTREAM;
	c->led_version_stays = rng_chance(r, 30);
	c->decks_ms = RNG_PICK(r, 100, 100, 100, 100, 3000, 30000);
	c->deck[0] = (uint8_t)RNG_PICK(r, DRONE_DECK_NONE, DRONE_DECK_NONE, DRONE_DECK_NONE,
				       DRONE_DECK_LIGHTHOUSE, DRONE_DECK_LIGHTHOUSE_WRONG,
				       DRONE_DECK_LED_OLD, DRONE_DECK_LED_BOTTOM, DRONE_DECK_AI,
				       DRONE_DECK_FLOW);
	if (c->deck[0] != DRONE_DECK_NONE && rng_chance(r, 25))
		c->deck[1] = (uint8_t)RNG_PICK(r, DRONE_DECK_LED_TOP, DRONE_DECK_FLOW,
					       DRONE_DECK_MULTIRANGER, DRONE_DECK_LED_TOP);
}

static void
draw_member(struct member *m, unsigned i, struct rng *r)
{
	struct drone_config *c = &m->config;

	draw_decks(c, r);
	copy_text(c->nrf, sizeof(c->nrf),
		  rng_chance(r, 75)   ? NRF
		  : rng_chance(r, 50) ? "2024.10"
				      : "");
	if (c->nrf[0] == '\0')
		copy_text(c->nrf, sizeof(c->nrf), "2026.08");
	if (rng_chance(r, 6))
		copy_text(c->selftest, sizeof(c->selftest), "bmi088");
	if (rng_chance(r, 6))
		copy_text(c->crash, sizeof(c->crash), rng_chance(r, 50) ? "mem.c:12" : "hardfault");
	c->selftest_ms = RNG_PICK(r, 300, 300, 300, 1500, 5000);
	c->dark_permille = 5;
	c->early_ms = RNG_PICK(r, 0, 0, 0, 0, 0, 0, 0, 50, 50, 3000);
	c->radio_packets = RNG_PICK(r, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 12, 60);
	c->address = ADDRESS + (rng_chance(r, 12) ? 0 : i);
	c->eeprom = (enum drone_eeprom)RNG_PICK(
	    r, DRONE_EEPROM_GOOD, DRONE_EEPROM_GOOD, DRONE_EEPROM_GOOD, DRONE_EEPROM_GOOD,
	    DRONE_EEPROM_GOOD, DRONE_EEPROM_GOOD, DRONE_EEPROM_BAD_SUM, DRONE_EEPROM_BLANK);
	c->battery_mv = rng_chance(r, 10) ? 3410 : 4050;
	c->console_lines = RNG_PICK(r, 0, 0, 0, 0, 40, 220);
	c->supervisor = (uint16_t)RNG_PICK(r, 0x020E, 0x020E, 0x020E, 0x020E, 0x020E, 0x020E,
					   0x020E, 0x020E, 0x020E, 0x0008, 0x021E, 0x000A);
	if (c->supervisor == 0x021E || c->supervisor == 0x000A)
		m->sound = false; /* it is not to be restarted */
}

/* ---- an operator's acts ------------------------------------------------------------------ */

static void
draw_deeds(struct swarm_plan *p, struct rng *r)
{
	unsigned count = rng_chance(r, 40) ? (unsigned)rng_between(r, 1, 1 + p->count) : 0;

	while (count-- > 0 && p->deed_count < SWARM_DEEDS_MAX) {
		struct deed *d = &p->deeds[p->deed_count++];

		*d = (struct deed){
			.kind = (enum deed_kind)RNG_PICK(r, DEED_IDENTIFY, DEED_DECK, DEED_RADIO),
			.at_us = rng_between(r, 0, p->calm_us),
			.who = (unsigned)(rng_next(r) % p->count),
			.arg = (uint32_t)rng_next(r) & 0xFFFF,
		};
	}
}

static void
order_deck(struct station *s, const char *port)
{
	struct policy *policy = fleet_policy(station_fleet(s));
	struct job_setup setup = { .kind = JOB_DECK };
	struct slot_view v;

	if (!station_view(s, port, &v))
		return;
	setup.release = policy_selected(policy, v.platform);
	for (unsigned i = 0; i < v.condition->deck_count; i++) {
		if (!deck_update_can(v.condition->decks[i].name))
			continue;
		copy_text(setup.deck, sizeof(setup.deck), v.condition->decks[i].name);
		(void)station_special(s, port, &setup);
		return;
	}
}

void
swarm_order_whole(struct station *s, const char *port, const struct deed *d)
{
	struct job_setup setup = { .kind = JOB_IDENTIFY };

	if (d->kind == DEED_DECK) {
		order_deck(s, port);
		return;
	}
	if (d->kind == DEED_RADIO) {
		setup.kind = JOB_EEPROM;
		setup.radio = (struct radio_block){ .valid = true,
						    .channel = (uint8_t)(d->arg % 126),
						    .rate = (uint8_t)(d->arg % 3),
						    .address = ADDRESS + 0x40 + d->who };
	}
	(void)station_special(s, port, &setup);
}

/* ---- all of it --------------------------------------------------------------------------- */

static int
by_time(const void *a, const void *b)
{
	const struct deed *x = a, *y = b;

	if (x->at_us != y->at_us)
		return x->at_us < y->at_us ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->who != y->who)
		return x->who < y->who ? -1 : 1;
	return memcmp(&x->fate, &y->fate, sizeof(x->fate));
}

void
swarm_draw_whole(struct swarm_plan *p)
{
	struct job_options *o = &p->options.fleet.job;
	struct rng r;

	rng_init(&r, p->seed * 0xD1B54A32D192ED03ULL + 5);
	p->parts = rng_chance(&r, 70);
	p->wanted = RNG_PICK(&r, 3, 3, 3, 2, 1);
	o->power_cycle = rng_chance(&r, 70);
	o->deck_update = rng_chance(&r, 60);
	o->low_battery_mv = rng_chance(&r, 60) ? 3500 : 0;
	o->link_patience_us = RNG_PICK(&r, 30000, 30000, 0, 60000);
	for (unsigned i = 0; i < p->count; i++)
		if (p->members[i].config.model == DRONE_CRAZYFLIE)
			draw_member(&p->members[i], i, &r);
	draw_deeds(p, &r);
	qsort(p->deeds, p->deed_count, sizeof(p->deeds[0]), by_time);
}

void
swarm_print_whole(const struct swarm_plan *p)
{
	const struct job_options *o = &p->options.fleet.job;

	printf("  wanted %u%s power-cycle %d decks %d low %u patience %u us\n", p->wanted,
	       p->parts ? " with parts" : "", o->power_cycle, o->deck_update, o->low_battery_mv,
	       o->link_patience_us);
	for (unsigned i = 0; i < p->count; i++) {
		const struct drone_config *c = &p->members[i].config;

		printf("  %-6s deck %s %s decks-ms %u nrf %s selftest '%s' %u ms crash '%s' "
		       "early %u radio %u address %llx eeprom %d battery %u supervisor %04x%s\n",
		       p->members[i].port, drone_deck_word((enum drone_deck)c->deck[0]),
		       drone_deck_word((enum drone_deck)c->deck[1]), c->decks_ms, c->nrf,
		       c->selftest, c->selftest_ms, c->crash, c->early_ms, c->radio_packets,
		       (unsigned long long)c->address, (int)c->eeprom, c->battery_mv, c->supervisor,
		       p->members[i].sound ? "" : " unsound");
	}
}
