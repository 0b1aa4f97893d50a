/* SPDX-License-Identifier: MIT */
/*
 * Invariants of the whole drone, judged from the simulator's own truth and from the bytes on the
 * bus, never from what the fleet has seen (doc/promises.md 1, promise 9; doc/beyond-dfu.md).
 *
 *   W1  whole_view       no drone is sent a request on which a real one asserts
 *   W2  whole_view       ready: its bytes, self-test, decks, nRF51, address and battery are right
 *   W3  whole_xfer       new power only where something needs it, and never DeckCtrls' boot loader
 *   W4  whole_xfer       a drone that flies is not restarted
 *   W5  whole_xfer       a write to a memory is sent once
 *   W6  whole_ending     a deck that passed holds the release's bytes
 *   W7  whole_ending     of the EEPROM only the radio configuration changes
 *   W8  whole_quiet      the link is given back
 *   W9  whole_quarantined  a dark switch is not counted
 */
#include "config.h"

#include "flow/station.h"

#include <stdio.h>

#include "flow/station_parts.h"

#define RADIO_BYTES 21
#define EEPROM_SIZE 8192
#define SUPERVISED 202604 /* SPEC: doc/beyond-dfu.md 5: port 9 since then */
#define DECKCTRLS 202512
#define FLIES 0x10

/* 202608 for "2026.08 +2". */
static unsigned
release_of(struct drone *d, uint64_t now_us)
{
	unsigned year = 0, month = 0;

	if (sscanf(drone_version(d, now_us), "%u.%u", &year, &month) != 2)
		return 0;
	return year * 100 + month;
}

static uint64_t
eeprom_hash(struct drone *d)
{
	const uint8_t *bytes = drone_eeprom(d);
	uint64_t h = 0xCBF29CE484222325ULL, word;

	for (size_t i = RADIO_BYTES + 3; i < EEPROM_SIZE; i += sizeof(word)) {
		memcpy(&word, bytes + i, sizeof(word));
		h = (h ^ word) * 0x100000001B3ULL;
	}
	return h;
}

/* WHY not of one that comes blank: its firmware makes a store there itself. */
void
whole_added(struct seat *seat, struct drone *d)
{
	if (drone_config(d)->eeprom != DRONE_EEPROM_BLANK)
		seat->whole.eeprom_hash = eeprom_hash(d);
}

/* ---- the drone's truth ------------------------------------------------------------------- */

/* The EEPROM holds another radio configuration than the one in force. */
static bool
radio_waits(struct drone *d)
{
	const uint8_t *e = drone_eeprom(d);
	uint8_t channel, rate;
	uint64_t address;

	drone_radio(d, &channel, &rate, &address);
	return memcmp(e, "0xBC", 4) == 0 &&
	       (e[5] != channel || e[6] != rate || e[15] != (uint8_t)(address >> 32) ||
		get_le32(e + 16) != (uint32_t)address);
}

/* The place of a deck that does not run; -1: none. */
static int
bad_deck(struct station *s, struct drone *d)
{
	uint64_t now_us = station_now_us(s);

	for (unsigned i = 0; i < DRONE_DECKS_MAX; i++) {
		enum drone_deck_state state = drone_deck_state(d, now_us, i);
		enum drone_deck kind = (enum drone_deck)drone_config(d)->deck[i];
		bool led = kind == DRONE_DECK_LED_BOTTOM || kind == DRONE_DECK_LED_TOP ||
			   kind == DRONE_DECK_LED_OLD;

		if (led && release_of(d, now_us) < DECKCTRLS)
			continue; /* its firmware does not know of it */
		if (state != DRONE_DECK_ABSENT && state != DRONE_DECK_RUNS)
			return (int)i;
	}
	return -1;
}

/* An old deck, and its release brings newer firmware for it. */
static bool
has_old_deck(struct drone *d, const struct image *release)
{
	char name[24];

	for (unsigned i = 0; i < DRONE_DECKS_MAX; i++) {
		drone_deck_name(d, i, name);
		if (drone_config(d)->deck[i] == DRONE_DECK_LED_OLD &&
		    drone_deck_flash(d, i) == NULL && image_part_for(release, name) != NULL)
			return true;
	}
	return false;
}

static bool
flies(struct station *s, struct drone *d)
{
	uint64_t now_us = station_now_us(s);

	return (drone_config(d)->supervisor & FLIES) != 0 && drone_selftest_passed(d, now_us) &&
	       release_of(d, now_us) >= SUPERVISED;
}

/* ---- ready ------------------------------------------------------------------------------- */

/* Another one that is called ready, too, answers at the same address. */
static const char *
ready_twin(struct station *s, const struct seat *seat, struct drone *d)
{
	uint8_t channel, rate, channel2, rate2;
	uint64_t address, address2;
	struct slot_view v;

	drone_radio(d, &channel, &rate, &address);
	for (unsigned i = 0; i < fleet_slots(s->fleet); i++) {
		struct drone *other;

		if (!fleet_is_used(s->fleet, i) || strcmp(fleet_port(s->fleet, i), seat->port) == 0)
			continue;
		other = world_drone(s->world, fleet_port(s->fleet, i));
		if (other == NULL || drone_personality(other) != DRONE_RUNTIME)
			continue;
		drone_radio(other, &channel2, &rate2, &address2);
		if (channel2 != channel || address2 != address)
			continue;
		fleet_view(s->fleet, i, station_now_us(s), &v);
		if (v.present && v.readiness->ready == READY_YES)
			return fleet_port(s->fleet, i);
	}
	return NULL;
}

static bool
runs_another_nrf51(const struct drone *d, const struct image *release)
{
	const struct image_part *part = image_part_for(release, "nrf51");
	const char *wanted;

	if (part == NULL)
		return false;
	wanted = part->version[0] != '\0' ? part->version : image_label(release)->version;
	return strcmp(wanted, drone_config(d)->nrf) != 0;
}

static void
check_ready(struct station *s, struct seat *seat, struct drone *d, const struct slot_view *v)
{
	const struct station_row *row = disk_row(s, v->attempt);
	const struct image *release = row != NULL ? row->image : NULL;
	uint32_t low = s->options.fleet.job.low_battery_mv;
	const char *twin = ready_twin(s, seat, d);
	int deck = bad_deck(s, d);
	bool sees_all = release_of(d, station_now_us(s)) >= DECKCTRLS;

	if (v->verdict.kind != VERDICT_PASS && v->verdict.kind != VERDICT_UNCHANGED)
		station_break(s, "W2: %s is ready without a verdict", seat->port);
	if (release != NULL && v->verdict.step != STEP_ASKING && !seat->lied &&
	    !check_equal(s, d, release, 0, 0))
		station_break(s, "W2: %s is ready, and does not hold the image", seat->port);
	if (!drone_selftest_passed(d, station_now_us(s)))
		station_break(s, "W2: %s is ready, and its self-test has not passed", seat->port);
	if (deck >= 0)
		station_break(s, "W2: %s is ready, and its deck %d does not run", seat->port, deck);
	if (sees_all && has_old_deck(d, release))
		station_break(s, "W2: %s is ready, and a deck of it is old", seat->port);
	if (runs_another_nrf51(d, release))
		station_break(s, "W2: %s is ready with nRF51 %s", seat->port, drone_config(d)->nrf);
	if (twin != NULL)
		station_break(s, "W2: %s and %s are ready, with one address", seat->port, twin);
	if (radio_waits(d))
		station_break(s, "W2: %s is ready, and its radio configuration is not in force",
			      seat->port);
	if (drone_config(d)->battery_mv < low)
		station_break(s, "W2: %s is ready, and its battery is low", seat->port);
}

static void
check_asserts(struct station *s, const struct seat *seat, const struct drone *d)
{
	if (drone_counters(d)->asserts[DRONE_ASSERT_REQUEST] > 0)
		station_break(s, "W1: %s was sent a request on which it asserts", seat->port);
}

/* WHY the arrival: what the kernel has not told yet cannot be held against the fleet. */
void
whole_view(struct station *s, struct seat *seat, const struct slot_view *v)
{
	struct drone *d = world_drone(s->world, seat->port);
	const struct sighting *here;

	if (d == NULL)
		return;
	check_asserts(s, seat, d);
	if (v->readiness->ready != READY_YES)
		return;
	here = fleet_sighting(s->fleet, (unsigned)fleet_find(s->fleet, seat->port));
	if (here == NULL)
		station_break(s, "W2: %s is ready, and nothing is there", seat->port);
	else if (here->arrival == world_arrival(s->world, seat->port) &&
		 drone_personality(d) == DRONE_RUNTIME)
		check_ready(s, seat, d, v);
}

/* ---- requests ---------------------------------------------------------------------------- */

static void
check_flying(struct station *s, struct seat *seat, struct drone *d)
{
	/* WHY not one with a fault: the question may have been lost. */
	if (!flies(s, d) || seat->fated || drone_config(d)->silent)
		return;
	if (seat->whole.asked_arrival != seat->arrival)
		station_break(s, "W4: %s flies and is restarted unasked", seat->port);
	else if (seat->whole.flew)
		station_break(s, "W4: %s flies and is restarted", seat->port);
}

static void
check_power_cycle(struct station *s, struct seat *seat, struct drone *d, const uint8_t *packet)
{
	const struct drone_counters *n = drone_counters(d);

	if (packet[6] != 2)
		station_break(s, "W3: %s is sent power command %u", seat->port, packet[6]);
	check_flying(s, seat, d);
	if (!s->options.fleet.job.power_cycle)
		station_break(s, "W3: %s gets new power, and the configuration says never",
			      seat->port);
	/* WHY not one with a fault: a start that went wrong by it is none the fleet can tell. */
	if (bad_deck(s, d) < 0 && !radio_waits(d) && !drone_resumed(d) && !seat->fated &&
	    n->deck_bytes == seat->whole.deck_bytes)
		station_break(s, "W3: %s gets new power, and nothing needs it", seat->port);
	seat->whole.deck_bytes = n->deck_bytes;
}

/* SPEC: doc/beyond-dfu.md 2: write = 42 id addr:u32 data. */
static void
check_memory_write(struct station *s, struct seat *seat, struct drone *d, const struct usb_xfer *x)
{
	struct seat_whole *w = &seat->whole;

	if (w->written == x->length && memcmp(w->write, x->data, x->length) == 0)
		station_break(s, "W5: a write to a memory of %s is sent again", seat->port);
	w->written = x->length < sizeof(w->write) ? x->length : sizeof(w->write);
	memcpy(w->write, x->data, w->written);
	if (x->length == 7 && get_le32(x->data + 2) == 3)
		check_power_cycle(s, seat, d, x->data);
}

void
whole_xfer(struct station *s, struct seat *seat, const struct usb_xfer *x)
{
	struct drone *d = world_drone(s->world, seat->port);
	bool link = x->kind == USB_CONTROL && x->setup.request_type == 0x40 &&
		    x->setup.request == 1 && x->setup.value == 1;

	if (link && x->setup.index == 0)
		seat->whole.written = 0;
	if (link && x->setup.index == 2)
		check_flying(s, seat, d);
	if (x->kind != USB_BULK_OUT || x->length < 2)
		return;
	if ((x->data[0] & 0xF3) == 0x90 && x->data[1] == 0x0C) {
		seat->whole.asked_arrival = seat->arrival;
		seat->whole.flew = flies(s, d);
	}
	if ((x->data[0] & 0xF3) == 0x42)
		check_memory_write(s, seat, d, x);
}

/* ---- endings ----------------------------------------------------------------------------- */

/* Does a release that was selected bring this for the deck? */
static bool
is_of_a_release(const struct station *s, const char *target, const uint8_t *flash)
{
	for (size_t i = 0; i < s->image_count; i++) {
		const struct image_part *part = image_part_for(s->images[i], target);

		if (part != NULL && part->bytes != NULL &&
		    memcmp(flash, part->bytes, part->length) == 0)
			return true;
	}
	return false;
}

static void
check_deck(struct station *s, struct seat *seat, struct drone *d, const struct job_record *r)
{
	const char *target = strncmp(r->target, "deck:", 5) == 0 ? r->target + 5 : r->target;
	char name[24];

	for (unsigned i = 0; i < DRONE_DECKS_MAX; i++) {
		const uint8_t *flash = drone_deck_flash(d, i);

		drone_deck_name(d, i, name);
		if (strcmp(name, target) != 0)
			continue;
		if (flash == NULL || !is_of_a_release(s, target, flash))
			station_break(s, "W6: %s of %s passed, and holds something else", target,
				      seat->port);
		return;
	}
	station_break(s, "W6: %s passed, and is not on %s", target, seat->port);
}

void
whole_ending(struct station *s, struct seat *seat, struct drone *d, const struct job_record *r)
{
	char serial[32];

	if (seat->whole.eeprom_hash != 0 && seat->whole.eeprom_hash != eeprom_hash(d))
		station_break(s, "W7: the EEPROM of %s has changed outside its radio configuration",
			      seat->port);
	drone_serial_runtime(drone_config(d)->uid, serial);
	/* WHY the serial: another drone may be there by now. */
	if (r->kind == JOB_DECK && r->verdict.kind == VERDICT_PASS &&
	    strcmp(serial, r->serial) == 0)
		check_deck(s, seat, d, r);
}

void
whole_quarantined(struct station *s, const char *port)
{
	const struct station_row *row = station_last(s, port);

	if (row != NULL && row->verdict_durable && row->verdict.fault == FAULT_DARK)
		station_break(s, "W9: %s is quarantined for a dark switch", port);
}

void
whole_quiet(struct station *s)
{
	for (size_t i = 0; i < s->seat_count; i++) {
		struct drone *d = world_drone(s->world, s->seats[i].port);
		struct drone *was = world_displaced(s->world, s->seats[i].port);

		if (was != NULL)
			check_asserts(s, &s->seats[i], was);
		if (d == NULL)
			continue;
		check_asserts(s, &s->seats[i], d);
		if (drone_personality(d) == DRONE_RUNTIME && drone_is_linked(d) &&
		    !s->seats[i].fated && drone_counters(d)->fates == 0)
			station_break(s, "W8: the link of %s is not given back", s->seats[i].port);
	}
}
