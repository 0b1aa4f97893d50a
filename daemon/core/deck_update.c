/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/deck_update.h"

#include <stdlib.h>
#include <string.h>

#include "cfdfu/util.h"
#include "core/deck_section.h"

/* SPEC: doc/beyond-dfu.md 4.1. */
enum {
	RESETS_TO_BOOT_LOADER = 2, /* in a record's byte 1, and as a command */
	COMMAND_RESET = 4,	   /* behind four bytes of size */
	SECTION = 0x10000000,
};

enum {
	TROUBLES = 3,		   /* LIMIT: tries in all */
	PATIENCE_MS = 20000,	   /* a write that erases is answered late */
	WAIT_US = 100000,	   /* between two looks */
	GIVE_UP_US = 4000000,	   /* for it to have started, to be in its boot loader */
	COMMAND_BYTES_MAX = 32768, /* of an STM32C0's flash */
	OPERATION_US = 2300,	   /* until it is measured: one answered operation [inferred] */
	MEASURED = 50,		   /* operations from which on it is */
};

static const struct {
	const char *name;
	bool by_command;
} known[] = {
	{ "bcLighthouse4", false },
	{ "bcColorLedBot:col", true },
	{ "bcColorLedTop:col", true },
};

static size_t
find(const char *name)
{
	size_t i = 0;

	while (i < ARRAY_LEN(known) && strcmp(known[i].name, name) != 0)
		i++;
	return i;
}

bool
deck_update_can(const char *name)
{
	return find(name) < ARRAY_LEN(known);
}

/* ---- versions ------------------------------------------------------------------------------- */

/* WHY only as many numbers as both have: a deck says two, its release three (inferred: that they
 * are of one kind; what cannot be told apart is left alone). */
static bool
is_older(const char *have, const char *wanted)
{
	while (*have != '\0' && *wanted != '\0') {
		char *have_end, *wanted_end;
		unsigned long h = strtoul(have, &have_end, 10);
		unsigned long w = strtoul(wanted, &wanted_end, 10);

		if (have_end == have || wanted_end == wanted)
			return false;
		if (h != w)
			return h < w;
		have = *have_end == '.' ? have_end + 1 : have_end;
		wanted = *wanted_end == '.' ? wanted_end + 1 : wanted_end;
	}
	return false;
}

bool
deck_update_is_due(const struct deck *deck, const struct image_part *part)
{
	size_t i = find(deck->name);

	if (part == NULL || i == ARRAY_LEN(known) || !deck->has_section)
		return false;
	if (!known[i].by_command)
		return deck->state == DECK_NEEDS_UPDATE;
	return deck->state == DECK_IN_BOOT_LOADER || is_older(deck->version, part->version);
}

/* ---- endings -------------------------------------------------------------------------------- */

static void
end(struct deck_update *d, enum verdict_kind kind, enum fault fault, const char *why)
{
	d->phase = DECK_UPDATE_OVER;
	d->why = why;
	/* WHY the first trouble stays: what follows from it says less. */
	if (d->verdict.fault != FAULT_NONE && kind != VERDICT_PASS) {
		d->verdict.kind = VERDICT_FAIL;
		return;
	}
	d->verdict = (struct verdict){ .kind = kind, .fault = fault, .step = STEP_NONE };
	if (kind == VERDICT_FAIL)
		d->verdict.step = STEP_PROBING;
}

static void
skip(struct deck_update *d, const char *why)
{
	end(d, VERDICT_SKIPPED, FAULT_NONE, why);
}

static void
look(struct deck_update *d)
{
	d->phase = DECK_UPDATE_LOOK;
	d->looked_bytes = 0;
	memset(&d->now, 0, sizeof(d->now));
}

static void
wait_until(struct deck_update *d, uint64_t until_us)
{
	d->phase = DECK_UPDATE_WAIT;
	d->wait_until_us = until_us;
}

/* Its answer did not come, was an error, or is another one than was written: from the beginning. */
static void
trouble(struct deck_update *d, enum fault fault, uint32_t addr, uint64_t now_us)
{
	if (d->verdict.fault == FAULT_NONE)
		d->verdict = (struct verdict){
			.fault = fault,
			.step = deck_update_step(d),
			.addr = addr,
			.has_addr = d->phase == DECK_UPDATE_WRITE || d->phase == DECK_UPDATE_CHECK,
		};
	d->give_up_us = 0;
	d->entered = false;
	if (++d->troubles < TROUBLES)
		wait_until(d, now_us + WAIT_US);
	else
		end(d, VERDICT_FAIL, fault, "tried three times from the beginning");
}

/* ---- the record ----------------------------------------------------------------------------- */

/* By its record: why it cannot be written at all; NULL: it can. */
static const char *
obstacle(const struct deck_update *d)
{
	unsigned needed = DECK_BIT_READABLE | DECK_BIT_WRITABLE | DECK_BIT_UPGRADABLE;

	if (d->record[0] != DECK_SECTION_VERSION)
		return "its firmware describes decks in a way that this station does not know";
	if (strcmp(d->now.name, d->deck.name) != 0)
		return "the deck is not there any more";
	if ((d->now.bits & needed) != needed || !d->now.has_section)
		return "the deck cannot be updated in the way that this station knows";
	return NULL;
}

static void
wait_for(struct deck_update *d, const char *why, uint64_t now_us)
{
	if (d->give_up_us == 0)
		d->give_up_us = now_us + GIVE_UP_US;
	if (now_us < d->give_up_us)
		wait_until(d, now_us + WAIT_US);
	else
		skip(d, why);
}

static void
begin(struct deck_update *d, uint64_t now_us)
{
	d->pos = 0;
	d->moving_since_us = now_us;
	d->phase = d->by_command ? DECK_UPDATE_SIZE : DECK_UPDATE_WRITE;
}

static void
looked_by_command(struct deck_update *d, uint64_t now_us)
{
	if ((d->now.bits & DECK_BIT_BOOT_LOADER) != 0)
		begin(d, now_us);
	else if (d->entered)
		wait_for(d, "the deck did not enter its boot loader", now_us);
	else if (!d->force && !is_older(d->deck.version, d->part->version))
		end(d, VERDICT_UNCHANGED, FAULT_NONE, NULL);
	else if ((d->now.resets & RESETS_TO_BOOT_LOADER) == 0)
		skip(d, "the deck has no command to enter its boot loader");
	else
		d->phase = DECK_UPDATE_ENTER;
}

/* WHY "started" first: until then a healthy deck shows the other two bits (doc/beyond-dfu.md
 * 10.1). */
static void
looked_standing(struct deck_update *d, uint64_t now_us)
{
	if ((d->now.bits & DECK_BIT_WANTS_UPGRADE) == 0)
		end(d, VERDICT_UNCHANGED, FAULT_NONE, NULL);
	else if ((d->now.bits & DECK_BIT_BOOT_LOADER) == 0)
		wait_for(d, "the deck is not in its boot loader", now_us);
	else if (d->now.length != d->part->length || d->now.hash != d->part->crc32)
		end(d, VERDICT_FAIL, FAULT_IMAGE,
		    "the release's firmware for this deck is not the one that the drone's own "
		    "firmware wants");
	else
		begin(d, now_us);
}

static void
looked(struct deck_update *d, uint64_t now_us)
{
	const char *why = obstacle(d);

	if (why != NULL)
		skip(d, why);
	else if ((d->now.bits & DECK_BIT_STARTED) == 0)
		wait_for(d, "the deck has not started; it needs a power cycle", now_us);
	else if (d->by_command)
		looked_by_command(d, now_us);
	else
		looked_standing(d, now_us);
}

/* ---- operations ----------------------------------------------------------------------------- */

static uint32_t
commands(const struct deck_update *d)
{
	return DECK_SECTION_COMMAND + d->deck.section * (uint32_t)DECK_RECORD_BYTES;
}

static uint8_t
at_most(uint32_t bytes)
{
	return bytes < MEMORY_BYTES_MAX ? (uint8_t)bytes : MEMORY_BYTES_MAX;
}

/* The version of the section by itself, then the record. */
static struct memory_op
look_op(const struct deck_update *d)
{
	uint32_t record = 1 + d->deck.section * (uint32_t)DECK_RECORD_BYTES;

	if (d->looked_bytes == 0)
		return (struct memory_op){ .kind = MEMORY_READ, .length = 1 };
	return (struct memory_op){ .kind = MEMORY_READ,
				   .addr = record + d->looked_bytes - 1U,
				   .length = at_most(sizeof(d->record) - d->looked_bytes) };
}

static struct memory_op
op_of(struct deck_update *d)
{
	static const uint8_t reset[] = { RESETS_TO_BOOT_LOADER };
	struct memory_op op = { .kind = MEMORY_OVER };

	switch (d->phase) {
	case DECK_UPDATE_LOOK:
		return look_op(d);
	case DECK_UPDATE_WAIT:
		return (struct memory_op){ .kind = MEMORY_PAUSE, .until_us = d->wait_until_us };
	case DECK_UPDATE_ENTER:
		return (struct memory_op){ .kind = MEMORY_WRITE,
					   .addr = commands(d) + COMMAND_RESET,
					   .length = sizeof(reset),
					   .data = reset,
					   .patience_ms = PATIENCE_MS };
	case DECK_UPDATE_SIZE:
		put_le32(d->size, d->part->length);
		return (struct memory_op){ .kind = MEMORY_WRITE,
					   .addr = commands(d),
					   .length = sizeof(d->size),
					   .data = d->size,
					   .patience_ms = PATIENCE_MS };
	case DECK_UPDATE_WRITE:
	case DECK_UPDATE_CHECK:
		op.kind = d->phase == DECK_UPDATE_WRITE ? MEMORY_WRITE : MEMORY_READ;
		op.addr = (d->deck.section + 1U) * SECTION + d->pos;
		op.length = at_most(d->part->length - d->pos);
		op.data = d->phase == DECK_UPDATE_WRITE ? d->part->bytes + d->pos : NULL;
		op.patience_ms = PATIENCE_MS;
		return op;
	case DECK_UPDATE_OVER:
		break;
	}
	return op;
}

/* Held against the record as it was read last; none, and no bit is set. */
static bool
is_legal(const struct deck_update *d, const struct memory_op *op)
{
	bool reads = op->kind == MEMORY_READ;
	unsigned needed =
	    DECK_BIT_VALID | DECK_BIT_BOOT_LOADER | (reads ? DECK_BIT_READABLE : DECK_BIT_WRITABLE);

	if (op->kind == MEMORY_OVER || op->kind == MEMORY_PAUSE)
		return true;
	if (op->length == 0 || op->length > MEMORY_BYTES_MAX)
		return false;
	if (op->addr < DECK_SECTION_BYTES)
		return reads && op->addr + op->length <= DECK_SECTION_BYTES;
	if (!d->now.has_section)
		return false;
	if (op->addr < SECTION)
		return !reads && op->addr >= commands(d) &&
		       op->addr + op->length <= commands(d) + COMMAND_RESET + 1;
	return (d->now.bits & needed) == needed && op->addr >= d->now.base &&
	       op->addr - d->now.base < d->part->length &&
	       op->length <= d->part->length - (op->addr - d->now.base);
}

static void
next(void *ctx, uint64_t now_us, struct memory_op *ret_op)
{
	struct deck_update *d = ctx;

	if (d->phase == DECK_UPDATE_WAIT && now_us >= d->wait_until_us)
		look(d);
	*ret_op = op_of(d);
	if (!is_legal(d, ret_op)) { /* NEVER: a bug of this file harms no drone */
		end(d, VERDICT_FAIL, FAULT_IMAGE, "an operation that the drone cannot bear");
		*ret_op = (struct memory_op){ .kind = MEMORY_OVER };
	}
	ret_op->memory = d->memory;
}

/* Bytes were written, or read back. */
static void
moved(struct deck_update *d, const uint8_t *data, uint64_t now_us)
{
	uint32_t length = at_most(d->part->length - d->pos);

	if (d->phase == DECK_UPDATE_CHECK && memcmp(data, d->part->bytes + d->pos, length) != 0) {
		trouble(d, FAULT_VERIFY, d->pos, now_us);
		return;
	}
	if (d->phase == DECK_UPDATE_WRITE)
		d->written_bytes += length;
	if (d->pos == 0 && d->phase == DECK_UPDATE_WRITE)
		d->moving_since_us = now_us; /* WHY only now: the first write erases, too */
	d->pos += length;
	if (d->pos < d->part->length)
		return;
	d->pos = 0;
	if (d->phase == DECK_UPDATE_WRITE)
		d->phase = DECK_UPDATE_CHECK;
	else
		end(d, VERDICT_PASS, FAULT_NONE, NULL);
}

static void
done(void *ctx, enum memory_result result, const uint8_t *data, uint64_t now_us)
{
	struct deck_update *d = ctx;
	struct memory_op op = op_of(d);

	if (result != MEMORY_OK) {
		trouble(d, result == MEMORY_REFUSED ? FAULT_REFUSED : FAULT_SILENT, d->pos, now_us);
		return;
	}
	switch (d->phase) {
	case DECK_UPDATE_LOOK:
		memcpy(d->record + d->looked_bytes, data, op.length);
		d->looked_bytes += op.length;
		if (d->looked_bytes < sizeof(d->record))
			return;
		if (d->record[0] == DECK_SECTION_VERSION)
			deck_record_decode(d->record + 1, d->deck.section, &d->now);
		looked(d, now_us);
		return;
	case DECK_UPDATE_ENTER:
		d->entered = true;
		d->give_up_us = 0;
		wait_until(d, now_us + WAIT_US);
		return;
	case DECK_UPDATE_SIZE:
		d->phase = DECK_UPDATE_WRITE;
		return;
	case DECK_UPDATE_WRITE:
	case DECK_UPDATE_CHECK:
		moved(d, data, now_us);
		return;
	case DECK_UPDATE_WAIT:
	case DECK_UPDATE_OVER:
		return;
	}
}

/* ---- beginning, questions ------------------------------------------------------------------- */

/* WHY: two colour LED decks have one address while they are in their boot loaders. */
static bool
another_is_in_its_boot_loader(const struct deck_update_setup *s)
{
	for (unsigned i = 0; i < s->count; i++) {
		size_t k = find(s->decks[i].name);

		if (i != s->at && k < ARRAY_LEN(known) && known[k].by_command &&
		    s->decks[i].has_section && (s->decks[i].bits & DECK_BIT_BOOT_LOADER) != 0)
			return true;
	}
	return false;
}

void
deck_update_init(struct deck_update *d, const struct deck_update_setup *setup)
{
	const struct deck *deck = &setup->decks[setup->at];
	size_t i = find(deck->name);

	memset(d, 0, sizeof(*d));
	d->part = setup->part;
	d->memory = setup->memory;
	d->force = setup->force;
	d->deck = *deck;
	if (i == ARRAY_LEN(known)) {
		skip(d, "this station does not write decks of this kind");
		return;
	}
	d->by_command = known[i].by_command;
	if (!deck->has_section || deck->section >= DECKS_MAX)
		skip(d, "the deck has no memory that can be written");
	else if (d->part->bytes == NULL || d->part->length == 0 || d->part->length >= SECTION ||
		 (d->by_command && d->part->length > COMMAND_BYTES_MAX))
		end(d, VERDICT_FAIL, FAULT_IMAGE, "the deck's firmware does not fit it");
	else if (d->by_command && another_is_in_its_boot_loader(setup))
		skip(d, "another deck of its kind is in its boot loader; switch the drone off and "
			"on first");
}

struct memory_engine
deck_update_engine(struct deck_update *d)
{
	return (struct memory_engine){ .ctx = d, .next = next, .done = done };
}

struct verdict
deck_update_verdict(const struct deck_update *d, const char **ret_why)
{
	*ret_why = d->why;
	return d->phase == DECK_UPDATE_OVER ? d->verdict : (struct verdict){ 0 };
}

enum step
deck_update_step(const struct deck_update *d)
{
	if (d->phase == DECK_UPDATE_WRITE || d->phase == DECK_UPDATE_SIZE)
		return STEP_WRITING;
	return d->phase == DECK_UPDATE_CHECK ? STEP_VERIFYING : STEP_PROBING;
}

void
deck_update_estimate(const struct deck_update *d, uint64_t now_us, uint64_t *ret_left_us,
		     uint64_t *ret_total_us)
{
	uint64_t passed = now_us - d->moving_since_us, one_us = OPERATION_US;
	uint64_t over = d->pos / MEMORY_BYTES_MAX, each;

	*ret_left_us = *ret_total_us = 0;
	if (d->phase != DECK_UPDATE_WRITE && d->phase != DECK_UPDATE_CHECK)
		return;
	each = (d->part->length + MEMORY_BYTES_MAX - 1) / MEMORY_BYTES_MAX;
	if (d->phase == DECK_UPDATE_CHECK)
		over += each;
	if (over >= MEASURED)
		one_us = passed / over;
	*ret_left_us = (2 * each - over) * one_us;
	*ret_total_us = passed + *ret_left_us;
}
