/* SPDX-License-Identifier: MIT */
/*
 * The firmware's console on CRTP port 0: text in pieces of up to 30 bytes, kept in the queue of all
 * answers until the link is taken, and the text of a start (doc/beyond-dfu.md 7, 10.8, 11).
 */
#include "config.h"

#include "sim/drone.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/model.h"

#define PIECE_BYTES 30
#define QUEUE_MAX 201 /* SPEC: doc/beyond-dfu.md 11.2: 200 queued and one in the sender's hands */

/* SPEC: doc/beyond-dfu.md 11.9: the mark ends in a NUL. */
static const char full_mark[] = "<F>\n";

static void
mark_full(struct console *c)
{
	if (c->length + sizeof(full_mark) > PIECE_BYTES)
		c->length = PIECE_BYTES - sizeof(full_mark);
	memcpy(c->piece + c->length, full_mark, sizeof(full_mark));
	c->length += sizeof(full_mark);
}

static void
send_piece(struct drone *d, uint64_t at_us)
{
	struct console *c = &d->firmware.console;
	uint8_t p[1 + PIECE_BYTES] = { 0x00 };

	if (d->run.count + 1 == QUEUE_MAX)
		mark_full(c);
	memcpy(p + 1, c->piece, c->length);
	/* SPEC: doc/beyond-dfu.md 10.8: the radio link's queue of one takes a start's first. */
	if (d->run.linked || c->radio_has_one)
		run_queue(d, at_us, p, 1 + c->length);
	c->radio_has_one = true;
	c->length = 0;
}

void
console_say(struct drone *d, uint64_t at_us, const char *format, ...)
{
	struct console *c = &d->firmware.console;
	char text[256];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (!d->config.console)
		return;
	for (const char *t = text; *t != '\0'; t++) {
		if (d->run.count >= QUEUE_MAX)
			return; /* what does not fit is lost */
		c->piece[c->length++] = (uint8_t)*t;
		if (*t == '\n' || c->length == PIECE_BYTES)
			send_piece(d, at_us);
	}
}

/* ---- the text of a start ---- */

static void
say_build(struct drone *d, uint64_t at)
{
	const char *version = drone_version(d, at), *plus = strstr(version, " +");
	const struct findings *f = boot_look(d);
	const char *revision = d->config.revision[0] != '\0' ? d->config.revision : f->revision;
	bool modified = d->config.modified >= 0 ? d->config.modified != 0 : f->modified;

	if (plus != NULL)
		console_say(d, at, "SYS: Build %s:%s (%s) %s\n", plus + 2, revision, version,
			    modified ? "MODIFIED" : "CLEAN");
	else
		console_say(d, at, "SYS: Production release %s\n", version);
}

static void
say_identity(struct drone *d, uint64_t at)
{
	const uint8_t *uid = d->config.uid;
	const char *type = d->config.type[0] != '\0' ? d->config.type : boot_type_text(d);

	console_say(d, at, "SYS: ----------------------------\n");
	console_say(d, at, "SYS: %s is up and running!\n", type);
	say_build(d, at);
	console_say(d, at, "SYS: I am 0x%08X%08X%08X and I have %uKB of flash!\n",
		    get_le32(uid + 8), get_le32(uid + 4), get_le32(uid),
		    d->chip->memory[0].size / 1024);
}

static void
say_tests(struct drone *d, uint64_t at)
{
	const struct firmware *f = &d->firmware;

	console_say(d, at, "SYS: About to run tests in system.c.\n");
	for (uint32_t i = 0; i < d->config.console_lines; i++)
		console_say(d, at, "EXTRX: Nothing to say, line %u\n", i);
	console_say(d, at, "EEPROM: I2C connection [OK].\n");
	if (f->store_was_bad) {
		console_say(d, at, "STORAGE: Storage check [FAIL].\n");
		console_say(d, at, "STORAGE: Reformatting storage ...\n");
	}
	console_say(d, at, "STORAGE: Storage check [OK].\n");
	deck_say(d, DECK_TESTED, at);
	if (d->config.selftest[0] != '\0')
		console_say(d, at, "SYS: %s [FAIL]\n", d->config.selftest);
	if (!f->resumed)
		return;
	console_say(d, at, "SYS: The system resumed after a failed assert [WARNING]\n");
	console_crash(d, at);
	console_say(d, at, "SYS: cfAssertNormalStart [FAIL]\n");
}

void
console_crash(struct drone *d, uint64_t at)
{
	if (d->firmware.resumed && strcmp(d->firmware.crash, "hardfault") == 0)
		console_say(d, at,
			    "SYS: Hardfault. r0: %x, r1: %x, r2: %x, r3: %x, r12: %x, lr: %x, "
			    "pc: %x, psr: %x\n",
			    0U, 0x20001234U, 4U, 0xFFFFFFFFU, 0U, 0x080123ABU, 0x08012344U,
			    0x61000000U);
	else if (d->firmware.resumed)
		console_say(d, at, "SYS: Assert failed at %s\n", d->firmware.crash);
	else
		console_say(d, at, "SYS: No assert information found\n");
}

/* SPEC: doc/beyond-dfu.md 7, 11.9: since 2022.01; before or after the end of the self-test. */
static void
say_nrf(struct drone *d, uint64_t at)
{
	char type[5];

	boot_otp_type(d, type);
	if (d->firmware.release >= 202201 && d->config.nrf[0] != '\0')
		console_say(d, at, "SYS: NRF51 version: %s (%s)\n", d->config.nrf, type);
}

void
console_start(struct drone *d, uint64_t at)
{
	uint64_t decks = at + (uint64_t)d->config.decks_ms * 1000;
	uint64_t tests = at + (uint64_t)d->config.selftest_ms * 1000;
	uint64_t nrf = at + (uint64_t)d->config.nrf_ms * 1000;
	bool passes = drone_selftest_us(d) != DRONE_NEVER;

	say_identity(d, at);
	if (d->firmware.block_was != DRONE_EEPROM_BAD_MAGIC)
		console_say(d, at, "CFGBLK: %s\n",
			    d->firmware.block_was == DRONE_EEPROM_BAD_SUM
				? "Verification [FAIL]"
				: "v1, verification [OK]");
	console_say(d, at, "DECK_DISCOVERY: Backend found: onewire\n");
	console_say(d, at, "DECK_DISCOVERY: Backend found: deckctrl\n");
	deck_say(d, DECK_FOUND, decks < tests ? decks : tests);
	console_say(d, tests, "ESTIMATOR: Using Complementary (1) estimator\n");
	console_say(d, tests, "CONTROLLER: Using PID (1) controller\n");
	say_tests(d, tests);
	if (nrf <= tests)
		say_nrf(d, tests);
	if (passes) {
		console_say(d, tests, "SYS: Self test passed!\n");
		console_say(d, tests, "STAB: Wait for sensor calibration...\n");
		console_say(d, tests, "STAB: Starting stabilizer loop\n");
		deck_say(d, DECK_STARTED, tests);
	}
	if (nrf > tests)
		say_nrf(d, nrf);
	if (passes)
		console_say(d, nrf > tests ? nrf : tests, "SYS: Free heap: 14032 bytes\n");
}
