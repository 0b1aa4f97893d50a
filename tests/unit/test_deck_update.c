/* SPDX-License-Identifier: MIT */
/*
 * Unit tests of core/deck_update, on a deck memory written from doc/beyond-dfu.md 4, 10 and 11: an
 * information section of eight records, a Lighthouse deck and two colour LED decks behind them.  It
 * fails the test where a drone would reset itself.
 */
#include "config.h"

#include "core/deck_update.h"

#include <string.h>

#include "test.h"

#include "cfdfu/util.h"

enum {
	MEMORY = 4,
	FLASH_BYTES = 0x4000,
	PAGE_BYTES = 2048, /* of a colour LED's STM32C0 */
	LIGHTHOUSE = 2,	   /* sections */
	LED_BOTTOM = 4,
	LED_TOP = 6,
	ECHO = 5, /* valid, and never to be touched */
	HASH = 0x112BC794,
	TURNS_MAX = 20000,
};

enum trouble {
	TROUBLE_NONE,
	TROUBLE_SILENT, /* the request is lost */
	TROUBLE_DEAF,	/* it is carried out, and the answer is lost */
	TROUBLE_REFUSED,
	TROUBLE_WRONG, /* a bit of what is written, another of what is read */
	TROUBLE_RESET, /* the drone starts again; its decks keep their power */
	TROUBLE_COUNT
};

/* SPEC: byte 0 of a record: 1 valid, 2 started, 4 readable, 8 writable, 16 upgradable, 32 upgrade
 * required, 64 boot loader active. */
struct fake_deck {
	const char *name;
	uint8_t bits, resets;
	uint32_t hash, length;
	uint64_t active_from_us; /* in its boot loader from then on */
	bool led;
	uint8_t flash[FLASH_BYTES];
	uint32_t size_told;
};

struct drone {
	struct fake_deck decks[DECKS_MAX];
	uint8_t version;
	enum trouble trouble;
	unsigned from, to; /* the operations that are troubled, from 1 on */
	unsigned operations, writes, commands;
	uint64_t now_us, enter_us; /* what entering the boot loader takes */
	uint32_t patience_ms;	   /* of the first write */
};

static uint8_t firmware[FLASH_BYTES];
static struct image_part part;
static struct deck seen[3];

/* ---- the drone ------------------------------------------------------------------------------ */

static void
plug(struct drone *drone, uint32_t bytes)
{
	struct fake_deck *d = drone->decks;

	memset(drone, 0, sizeof(*drone));
	drone->version = 3;
	drone->now_us = 5000000;
	d[LIGHTHOUSE] = (struct fake_deck){ "bcLighthouse4", 0x7F, .hash = HASH, .length = bytes };
	d[LED_BOTTOM] = (struct fake_deck){ "bcColorLedBot:col", 0x1F, 3, .led = true };
	d[LED_TOP] = (struct fake_deck){ "bcColorLedTop:col", 0x1F, 3, .led = true };
	d[ECHO] = (struct fake_deck){ "bcAI:esp", 0x1F, 3 };
	for (uint32_t i = 0; i < FLASH_BYTES; i++) {
		firmware[i] = (uint8_t)(i * 31 + i / 256 + 5);
		for (unsigned k = 0; k < DECKS_MAX; k++)
			d[k].flash[i] = (uint8_t)(i + k);
	}
	part = (struct image_part){ .target = "x",
				    .type = "fw",
				    .version = "0.1.2",
				    .bytes = firmware,
				    .length = bytes,
				    .crc32 = HASH };
	seen[0] = (struct deck){ .name = "bcLighthouse4",
				 .state = DECK_NEEDS_UPDATE,
				 .has_section = true,
				 .section = LIGHTHOUSE,
				 .bits = 0x7F };
	seen[1] = (struct deck){ .name = "bcColorLedBot:col",
				 .version = "0.1",
				 .state = DECK_STARTED,
				 .has_section = true,
				 .section = LED_BOTTOM,
				 .bits = 0x1F,
				 .resets = 3 };
	seen[2] = seen[1];
	copy_text(seen[2].name, sizeof(seen[2].name), "bcColorLedTop:col");
	seen[2].section = LED_TOP;
}

static void
put_record(const struct drone *drone, unsigned i, uint8_t *r)
{
	const struct fake_deck *d = &drone->decks[i];

	if (d->name == NULL)
		return;
	r[0] = d->bits;
	r[1] = d->resets;
	if (d->active_from_us != 0 && drone->now_us >= d->active_from_us)
		r[0] |= 64;
	put_le32(r + 2, d->hash);
	put_le32(r + 6, d->length);
	put_le32(r + 10, (i + 1) * 0x10000000U);
	memcpy(r + 14, d->name, strlen(d->name));
}

static bool
is_active(const struct drone *drone, const struct fake_deck *d)
{
	return (d->bits & 64) != 0 ||
	       (d->active_from_us != 0 && drone->now_us >= d->active_from_us);
}

static struct fake_deck *
deck_at(struct drone *drone, uint32_t addr)
{
	unsigned i = addr / 0x10000000U - 1;

	/* A real drone dies here. */
	assert_true(addr >= 0x10000000U && i < DECKS_MAX && (drone->decks[i].bits & 1) != 0);
	assert_true(i != ECHO);
	return &drone->decks[i];
}

static enum memory_result
read_bytes(struct drone *drone, const struct memory_op *op, uint8_t *data)
{
	uint8_t info[257] = { drone->version };
	const struct fake_deck *d;

	if (op->addr < 0x1000) {
		assert_true(op->addr + op->length <= sizeof(info));
		for (unsigned i = 0; i < DECKS_MAX; i++)
			put_record(drone, i, info + 1 + 32 * (size_t)i);
		memcpy(data, info + op->addr, op->length);
		return MEMORY_OK;
	}
	d = deck_at(drone, op->addr);
	if (!is_active(drone, d))
		return MEMORY_REFUSED;
	memcpy(data, d->flash + op->addr % 0x10000000U, op->length);
	return MEMORY_OK;
}

static void
command(struct drone *drone, const struct memory_op *op)
{
	unsigned i = (op->addr - 0x1000) / 32;

	drone->commands++;
	assert_true(i < DECKS_MAX && (drone->decks[i].bits & 1) != 0 && i != ECHO);
	assert_true((op->addr - 0x1000) % 32 + op->length <= 5);
	if (op->addr % 32 == 0) {
		assert_int_equal(op->length, 4);
		drone->decks[i].size_told = get_le32(op->data);
	} else {
		assert_int_equal(op->addr % 32, 4);
		assert_int_equal(op->data[0], 2);
		assert_true((drone->decks[i].resets & 2) != 0);
		drone->decks[i].active_from_us = drone->now_us + drone->enter_us;
	}
}

/* SPEC: a Lighthouse erases all of it when its first byte is written; a colour LED deck the page
 * that a write begins or enters.  Bytes that are not erased only lose bits. */
static enum memory_result
write_bytes(struct drone *drone, const struct memory_op *op)
{
	struct fake_deck *d;
	uint32_t at = op->addr % 0x10000000U;
	uint32_t last = at + op->length - 1;

	if (op->addr < 0x10000000U) {
		command(drone, op);
		return MEMORY_OK;
	}
	d = deck_at(drone, op->addr);
	if (!is_active(drone, d) || (d->led && d->size_told != part.length))
		return MEMORY_REFUSED;
	assert_true(at + op->length <= part.length);
	if (drone->writes++ == 0)
		drone->patience_ms = op->patience_ms;
	if (!d->led && at == 0) {
		memset(d->flash, 0xFF, sizeof(d->flash));
		drone->now_us += 1000000;
	}
	if (d->led && (at % PAGE_BYTES == 0 || at / PAGE_BYTES != last / PAGE_BYTES))
		memset(d->flash + last / PAGE_BYTES * PAGE_BYTES, 0xFF, PAGE_BYTES);
	for (unsigned i = 0; i < op->length; i++)
		d->flash[at + i] &= op->data[i];
	return MEMORY_OK;
}

static enum memory_result
operate(struct drone *drone, const struct memory_op *op, uint8_t *data)
{
	enum trouble trouble = TROUBLE_NONE;
	enum memory_result r;

	assert_int_equal(op->memory, MEMORY);
	assert_in_range(op->length, 1, MEMORY_BYTES_MAX);
	drone->now_us += 2000;
	drone->operations++;
	if (drone->operations >= drone->from && drone->operations <= drone->to)
		trouble = drone->trouble;
	if (trouble == TROUBLE_RESET)
		for (unsigned i = 0; i < DECKS_MAX; i++)
			drone->decks[i].active_from_us = 0;
	if (trouble == TROUBLE_SILENT || trouble == TROUBLE_RESET) {
		drone->now_us += 20000000;
		return MEMORY_SILENT;
	}
	if (trouble == TROUBLE_REFUSED)
		return MEMORY_REFUSED;
	r = op->kind == MEMORY_WRITE ? write_bytes(drone, op) : read_bytes(drone, op, data);
	if (trouble == TROUBLE_WRONG && op->addr >= 0x10000000U && op->kind == MEMORY_WRITE)
		deck_at(drone, op->addr)->flash[op->addr % 0x10000000U] ^= 2;
	if (trouble == TROUBLE_WRONG && op->kind == MEMORY_READ)
		data[0] ^= 4;
	return trouble == TROUBLE_DEAF ? MEMORY_SILENT : r;
}

static const char *run_why;

static struct verdict
run(struct drone *drone, struct deck_update *d, unsigned at, bool force)
{
	struct deck_update_setup setup = { MEMORY, seen, ARRAY_LEN(seen), at, &part, force };
	struct memory_engine engine;
	struct memory_op op;

	deck_update_init(d, &setup);
	engine = deck_update_engine(d);
	for (unsigned turn = 0;; turn++) {
		uint8_t data[MEMORY_BYTES_MAX];
		enum memory_result result;

		assert_true(turn < TURNS_MAX);
		engine.next(engine.ctx, drone->now_us, &op);
		if (op.kind == MEMORY_OVER)
			break;
		assert_int_equal(deck_update_verdict(d, &run_why).kind, VERDICT_NONE);
		if (op.kind == MEMORY_PAUSE) {
			assert_true(op.until_us > drone->now_us);
			drone->now_us = op.until_us;
			continue;
		}
		result = operate(drone, &op, data);
		engine.done(engine.ctx, result, data, drone->now_us);
	}
	return deck_update_verdict(d, &run_why);
}

static bool
is_written(const struct drone *drone, unsigned section)
{
	return memcmp(drone->decks[section].flash, firmware, part.length) == 0;
}

/* ---- what is done --------------------------------------------------------------------------- */

TEST(a_lighthouse_that_wants_an_update_is_written_and_read_back)
{
	struct deck_update d;
	struct drone drone;

	plug(&drone, 5003);
	assert_int_equal(run(&drone, &d, 0, false).kind, VERDICT_PASS);
	assert_true(is_written(&drone, LIGHTHOUSE));
	assert_int_equal(drone.commands, 0);
	assert_int_equal(drone.writes, (5003 + 23) / 24);
	assert_int_equal(drone.patience_ms, 20000);
	assert_int_equal(d.written_bytes, 5003);
}

TEST(a_colour_led_deck_enters_its_boot_loader_and_is_written)
{
	static const uint64_t enter_us[] = { 0, 50000, 3000000 };

	for (size_t i = 0; i < ARRAY_LEN(enter_us); i++) {
		struct deck_update d;
		struct drone drone;

		plug(&drone, 5004);
		copy_text(seen[1].version, sizeof(seen[1].version), "0.0");
		drone.enter_us = enter_us[i];
		assert_int_equal(run(&drone, &d, 1, false).kind, VERDICT_PASS);
		assert_true(is_written(&drone, LED_BOTTOM));
		assert_int_equal(drone.decks[LED_BOTTOM].size_told, 5004);
		assert_int_equal(drone.commands, 2);
		assert_int_equal(drone.decks[LED_TOP].flash[9], 9 + LED_TOP);
	}
}

TEST(a_deck_left_in_its_boot_loader_is_begun_again_without_the_command)
{
	struct deck_update d;
	struct drone drone;

	plug(&drone, 3000);
	drone.decks[LED_TOP].bits |= 64;
	seen[2].bits |= 64;
	memcpy(drone.decks[LED_TOP].flash, firmware, 1000);
	assert_int_equal(run(&drone, &d, 2, false).kind, VERDICT_PASS);
	assert_true(is_written(&drone, LED_TOP));
	assert_int_equal(drone.commands, 1);
}

TEST(what_is_up_to_date_is_left_alone_unless_forced)
{
	struct deck_update d;
	struct drone drone;

	plug(&drone, 3000);
	drone.decks[LIGHTHOUSE].bits = 0x1F;
	assert_int_equal(run(&drone, &d, 0, true).kind, VERDICT_UNCHANGED);
	assert_int_equal(run(&drone, &d, 1, false).kind, VERDICT_UNCHANGED);
	assert_int_equal(drone.writes + drone.commands, 0);
	assert_int_equal(run(&drone, &d, 1, true).kind, VERDICT_PASS);
}

TEST(what_is_due_is_told_by_the_record_or_by_the_version)
{
	static const struct {
		const char *have, *wanted;
		bool due;
	} cases[] = {
		{ "0.0", "0.1.2", true },  { "0.1", "0.1.2", false },  { "0.1.1", "0.1.2", true },
		{ "0.2", "0.1.2", false }, { "0.9", "0.10", true },    { "", "0.1.2", false },
		{ "0.0", "", false },	   { "beta", "0.1.2", false }, { "1.0", "0.9", false },
	};
	struct drone drone;

	plug(&drone, 100);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		copy_text(seen[1].version, sizeof(seen[1].version), cases[i].have);
		copy_text(part.version, sizeof(part.version), cases[i].wanted);
		assert_int_equal(deck_update_is_due(&seen[1], &part), cases[i].due);
	}
	assert_true(deck_update_is_due(&seen[0], &part));
	assert_false(deck_update_is_due(&seen[0], NULL));
	seen[0].state = DECK_NOT_STARTED;
	assert_false(deck_update_is_due(&seen[0], &part));
	seen[1].state = DECK_IN_BOOT_LOADER;
	assert_true(deck_update_is_due(&seen[1], &part));
	copy_text(seen[1].name, sizeof(seen[1].name), "bcAI:esp");
	assert_false(deck_update_is_due(&seen[1], &part));
	assert_false(deck_update_can("bcAI:gap8") || deck_update_can("bcCam:qcc"));
	assert_true(deck_update_can("bcLighthouse4"));
}

/* ---- what is not begun ---------------------------------------------------------------------- */

static void
not_begun(struct drone *drone, unsigned at, enum verdict_kind kind, enum fault fault)
{
	struct deck_update d;
	struct verdict v = run(drone, &d, at, true);

	assert_int_equal(v.kind, kind);
	assert_int_equal(v.fault, fault);
	assert_non_null(run_why);
	assert_int_equal(drone->writes, 0);
}

TEST(a_lighthouse_takes_only_the_bytes_that_its_drone_wants)
{
	struct drone drone;

	plug(&drone, 3000);
	drone.decks[LIGHTHOUSE].length++;
	not_begun(&drone, 0, VERDICT_FAIL, FAULT_IMAGE);
	plug(&drone, 3000);
	drone.decks[LIGHTHOUSE].hash++;
	not_begun(&drone, 0, VERDICT_FAIL, FAULT_IMAGE);
}

/* After a bare reset a healthy Lighthouse shows "upgrade required" and "boot loader active". */
TEST(a_deck_that_has_not_started_is_never_written)
{
	struct drone drone;

	plug(&drone, 3000);
	drone.decks[LIGHTHOUSE].bits = 0x7D;
	not_begun(&drone, 0, VERDICT_SKIPPED, FAULT_NONE);
	assert_in_range(drone.now_us, 5000000 + 4000000, 5000000 + 4500000);
}

TEST(what_this_station_does_not_know_is_left_alone)
{
	struct drone drone;

	plug(&drone, 3000);
	drone.version = 2;
	not_begun(&drone, 0, VERDICT_SKIPPED, FAULT_NONE);
	plug(&drone, 3000);
	drone.decks[LIGHTHOUSE].bits &= (uint8_t)~1;
	not_begun(&drone, 0, VERDICT_SKIPPED, FAULT_NONE);
	plug(&drone, 3000);
	drone.decks[LIGHTHOUSE].name = "bcLighthouse5";
	not_begun(&drone, 0, VERDICT_SKIPPED, FAULT_NONE);
	plug(&drone, 3000);
	drone.decks[LIGHTHOUSE].bits &= (uint8_t)~4; /* cannot be read back */
	not_begun(&drone, 0, VERDICT_SKIPPED, FAULT_NONE);
	plug(&drone, 3000);
	drone.decks[LED_BOTTOM].resets = 1;
	not_begun(&drone, 1, VERDICT_SKIPPED, FAULT_NONE);
	plug(&drone, 3000);
	drone.enter_us = 60000000;
	not_begun(&drone, 1, VERDICT_SKIPPED, FAULT_NONE);
	plug(&drone, 3000);
	copy_text(seen[0].name, sizeof(seen[0].name), "bcAI:esp");
	not_begun(&drone, 0, VERDICT_SKIPPED, FAULT_NONE);
	assert_int_equal(drone.operations, 0);
	plug(&drone, 3000);
	seen[0].section = DECKS_MAX;
	not_begun(&drone, 0, VERDICT_SKIPPED, FAULT_NONE);
	assert_int_equal(drone.operations, 0);
}

TEST(firmware_that_cannot_fit_is_refused)
{
	struct drone drone;

	plug(&drone, 3000);
	part.bytes = NULL;
	not_begun(&drone, 0, VERDICT_FAIL, FAULT_IMAGE);
	plug(&drone, 0);
	not_begun(&drone, 0, VERDICT_FAIL, FAULT_IMAGE);
	plug(&drone, 32769);
	not_begun(&drone, 1, VERDICT_FAIL, FAULT_IMAGE);
}

TEST(two_colour_led_decks_are_never_in_their_boot_loaders_together)
{
	struct drone drone;

	plug(&drone, 3000);
	seen[2].bits |= 64;
	not_begun(&drone, 1, VERDICT_SKIPPED, FAULT_NONE);
	assert_int_equal(drone.operations, 0);
}

/* ---- trouble -------------------------------------------------------------------------------- */

static void
sweep(unsigned at, unsigned section, uint32_t bytes, unsigned operations)
{
	static const unsigned lasting[] = { 1, 2, 100, TURNS_MAX };

	for (int trouble = TROUBLE_SILENT; trouble < TROUBLE_COUNT; trouble++)
		for (unsigned from = 1; from <= operations; from++)
			for (size_t i = 0; i < ARRAY_LEN(lasting); i++) {
				struct deck_update d;
				struct drone drone;
				struct verdict v;

				plug(&drone, bytes);
				copy_text(seen[1].version, sizeof(seen[1].version), "0.0");
				drone.trouble = (enum trouble)trouble;
				drone.from = from;
				drone.to = from + lasting[i] - 1;
				v = run(&drone, &d, at, false);
				if (v.kind == VERDICT_PASS || v.kind == VERDICT_UNCHANGED)
					assert_true(is_written(&drone, section) ||
						    trouble == TROUBLE_WRONG);
				if (v.kind == VERDICT_PASS)
					assert_true(is_written(&drone, section));
				if (v.kind == VERDICT_FAIL)
					assert_true(v.fault != FAULT_NONE && run_why != NULL);
				if (v.kind == VERDICT_SKIPPED)
					assert_int_equal(drone.writes, 0);
				/* Once is borne; for good it is not. */
				if (i == 0 && trouble != TROUBLE_WRONG)
					assert_int_equal(v.kind, VERDICT_PASS);
				if (lasting[i] == TURNS_MAX)
					assert_int_not_equal(v.kind, VERDICT_PASS);
				assert_true(drone.writes <= 3 * ((bytes + 23) / 24));
			}
}

TEST(every_trouble_at_every_operation_of_a_lighthouse_ends_truly)
{
	sweep(0, LIGHTHOUSE, 500, 3 + 2 * 21);
}

TEST(every_trouble_at_every_operation_of_a_colour_led_deck_ends_truly)
{
	sweep(1, LED_BOTTOM, 2300, 3 + 1 + 3 + 1 + 2 * 96);
}

TEST(a_failure_names_the_first_trouble_and_its_place)
{
	struct deck_update d;
	struct drone drone;
	struct verdict v;

	plug(&drone, 500);
	drone.trouble = TROUBLE_REFUSED;
	drone.from = 3 + 6;
	drone.to = TURNS_MAX;
	v = run(&drone, &d, 0, false);
	assert_int_equal(v.kind, VERDICT_FAIL);
	assert_int_equal(v.fault, FAULT_REFUSED);
	assert_int_equal(v.step, STEP_WRITING);
	assert_true(v.has_addr);
	assert_int_equal(v.addr, 5 * 24);
}

/* ---- how far it is -------------------------------------------------------------------------- */

TEST(what_is_left_gets_less_and_is_right_from_what_was_measured)
{
	struct deck_update_setup setup;
	uint64_t left, total, began, before = UINT64_MAX, said_at_half = 0, half_us = 0;
	struct memory_engine engine;
	enum memory_result result;
	struct deck_update d;
	struct memory_op op;
	struct drone drone;

	memset(&d, 0, sizeof(d));
	deck_update_estimate(&d, 1, &left, &total);
	assert_true(left == 0 && total == 0);
	plug(&drone, 12000);
	setup = (struct deck_update_setup){ MEMORY, seen, 3, 0, &part, false };
	deck_update_init(&d, &setup);
	engine = deck_update_engine(&d);
	deck_update_estimate(&d, drone.now_us, &left, &total);
	assert_true(left == 0 && total == 0);
	began = drone.now_us;
	for (unsigned n = 0;; n++) {
		uint8_t data[MEMORY_BYTES_MAX];

		engine.next(engine.ctx, drone.now_us, &op);
		if (op.kind == MEMORY_OVER)
			break;
		result = operate(&drone, &op, data);
		engine.done(engine.ctx, result, data, drone.now_us);
		deck_update_estimate(&d, drone.now_us, &left, &total);
		assert_true(left <= total);
		if (n > 100)
			assert_true(left <= before);
		before = n > 99 ? left : before;
		if (n == 503) {
			said_at_half = left;
			half_us = drone.now_us;
		}
	}
	assert_true(drone.now_us > began);
	assert_in_range(drone.now_us - half_us, said_at_half * 6 / 10, said_at_half * 14 / 10);
}

TEST_MAIN(NULL)
