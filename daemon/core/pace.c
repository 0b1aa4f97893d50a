/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/pace.h"

#include "cfdfu/util.h"

/* Data sheet DS8626, flash programming, typical (doc/protocol.md 6). */
static const struct {
	uint32_t bytes, byte_us, word_us;
} erase_typical[] = {
	{ 16 * 1024, 400000, 250000 },
	{ 64 * 1024, 1200000, 550000 },
	{ 128 * 1024, 2000000, 1000000 },
};

enum {
	PROGRAM_UNIT_NS = 16000,    /* one programming operation, whatever its width */
	POLL_CLAMP_ERASE_MS = 5000, /* doc/faults.md P8 */
	POLL_CLAMP_WRITE_MS = 1000,
	TOLD_ERASE_MS = 100, /* SPEC: the ROM's constants (doc/protocol.md 3.4, 3.5) */
	TOLD_WRITE_MS = 104,
	STATUS_US = 350,
	BLOCK_US = 2800,
	FIRST_PART = 2,		  /* the first of a kind is asked after in half its time */
	FIRST_MOST = 4,		  /* ... and believed up to so many times what was expected */
	PROGRAM_BYTES_MIN = 1024, /* shorter blocks measure overhead rather than flash */
	EARLY_PROGRAM_PART = 8, /* so much of its time before its end an operation is asked after */
	EARLY_ERASE_PART = 32,
	EARLY_MIN_US = 4000, /* ... and so much at least: how late a busy host is */
	SLOWER_PART = 256,   /* what one measurement may add */
	CLOSER_PART =
	    32, /* what one answer that came at once takes away, of a device that says busy */
};

void
pace_init(struct pace *p, bool obey)
{
	memset(p, 0, sizeof(*p));
	p->obey = obey;
	p->told_ms[PACE_ERASE] = TOLD_ERASE_MS;
	p->told_ms[PACE_PROGRAM] = TOLD_WRITE_MS;
	p->status_us = STATUS_US;
	p->block_us = BLOCK_US;
	pace_set_word(p, false);
}

void
pace_set_word(struct pace *p, bool word)
{
	p->word = word;
	p->program_known = p->erase_known = false;
	p->program_ns_per_byte = word ? PROGRAM_UNIT_NS / 4 : PROGRAM_UNIT_NS;
	memset(p->erase, 0, sizeof(p->erase));
	for (size_t i = 0; i < ARRAY_LEN(erase_typical); i++) {
		p->erase[i].bytes = erase_typical[i].bytes;
		p->erase[i].us = word ? erase_typical[i].word_us : erase_typical[i].byte_us;
	}
}

void
pace_stalls_early(struct pace *p, bool stalls)
{
	p->stalls_early = stalls;
	/* WHY: the ROM's constants are not its own; until it tells, what is expected holds. */
	if (stalls)
		memset(p->told_ms, 0, sizeof(p->told_ms));
}

/* The entry for this sector size, a new one while there is room; NULL when there is none. */
static uint32_t *
erase_entry(struct pace *p, uint32_t bytes)
{
	for (size_t i = 0; i < ARRAY_LEN(p->erase); i++) {
		if (p->erase[i].bytes == bytes)
			return &p->erase[i].us;
		if (p->erase[i].bytes == 0) {
			p->erase[i].us = pace_expected_us(p, PACE_ERASE, bytes);
			p->erase[i].bytes = bytes;
			return &p->erase[i].us;
		}
	}
	return NULL;
}

static uint32_t
erase_expected_us(const struct pace *p, uint32_t bytes)
{
	for (size_t i = 0; i < ARRAY_LEN(p->erase); i++)
		if (p->erase[i].bytes == bytes)
			return p->erase[i].us;
	/* WHY: other families are described by their map only; the F405's rate is a fair start. */
	return bytes / 1024 < 10000 ? bytes / 1024 * 16000 + 20000 : UINT32_MAX / 4;
}

uint32_t
pace_expected_us(const struct pace *p, enum pace_op op, uint32_t bytes)
{
	switch (op) {
	case PACE_COMMAND:
		return 0;
	case PACE_PROGRAM:
		return (uint32_t)((uint64_t)bytes * p->program_ns_per_byte / 1000);
	case PACE_ERASE:
		return erase_expected_us(p, bytes);
	case PACE_OP_COUNT:
		break;
	}
	return 0;
}

uint32_t
pace_limit_us(enum pace_op op, uint32_t bytes)
{
	switch (op) {
	case PACE_COMMAND:
		return 1000000;
	case PACE_PROGRAM:
		return 5000000;
	case PACE_ERASE:
		/* SPEC: 4 s at most for 128 KiB (doc/protocol.md 3.5: 10 s is safe); larger sectors
		 * in proportion. */
		return bytes <= 128 * 1024 ? 10000000 : 40000000;
	case PACE_OP_COUNT:
		break;
	}
	return 0;
}

static bool
is_known(const struct pace *p, enum pace_op op)
{
	return op == PACE_PROGRAM ? p->program_known : op == PACE_ERASE ? p->erase_known : true;
}

/*
 * WHY early: held back, the answer measures the operation; asked late, it measures us.  A busy host
 * or hub is late by milliseconds, and what was learned from that would make it later still.
 */
static uint32_t
early_us(const struct pace *p, enum pace_op op, uint32_t expected)
{
	uint32_t early;

	if (!is_known(p, op))
		return expected - expected / FIRST_PART;
	if (p->says_busy)
		return 0; /* each question too early would cost another one */
	early = expected / (op == PACE_ERASE ? EARLY_ERASE_PART : EARLY_PROGRAM_PART);
	if (early < EARLY_MIN_US)
		early = EARLY_MIN_US;
	return early < expected / 2 ? early : expected / 2;
}

static uint32_t
wait_us(const struct pace *p, enum pace_op op, uint32_t bytes)
{
	uint32_t expected = pace_expected_us(p, op, bytes);
	uint32_t clamp = op == PACE_ERASE ? POLL_CLAMP_ERASE_MS : POLL_CLAMP_WRITE_MS;
	uint32_t told = (p->told_ms[op] < clamp ? p->told_ms[op] : clamp) * 1000;

	if (!p->obey) {
		expected -= early_us(p, op, expected);
		return expected > p->status_us ? expected - p->status_us : 0;
	}
	if (p->stalls_early && told < expected)
		return expected + expected / 8; /* its own poll values are constants, too */
	return told > 1000 ? told : 1000;
}

uint32_t
pace_wait_us(struct pace *p, enum pace_op op, uint32_t bytes, uint32_t poll_ms)
{
	p->told_ms[op] = poll_ms;
	return wait_us(p, op, bytes);
}

uint32_t
pace_whole_us(const struct pace *p, enum pace_op op, uint32_t bytes)
{
	uint32_t expected = pace_expected_us(p, op, bytes), wait = wait_us(p, op, bytes);

	return wait > expected ? wait : expected;
}

static void
set_expected(struct pace *p, enum pace_op op, uint32_t bytes, uint32_t us)
{
	uint32_t limit = pace_limit_us(op, bytes);
	uint32_t *entry;

	if (us > limit)
		us = limit;
	switch (op) {
	case PACE_COMMAND:
		return;
	case PACE_PROGRAM:
		if (bytes >= PROGRAM_BYTES_MIN)
			p->program_ns_per_byte = (uint32_t)((uint64_t)us * 1000 / bytes);
		return;
	case PACE_ERASE:
		entry = erase_entry(p, bytes);
		if (entry != NULL)
			*entry = us;
		return;
	case PACE_OP_COUNT:
		return;
	}
}

/*
 * The first answer of a kind: held back it is exact; at once, the operation took that long at most.
 * WHY not believed whole: perhaps it was the host that stood still.  The next is asked after early
 * again, so a slow device is known after a few of them, and a pause of the host is forgotten.
 */
static void
learn_first(struct pace *p, enum pace_op op, uint32_t bytes, uint32_t took_us, bool held)
{
	uint32_t expected = pace_expected_us(p, op, bytes);

	if (op == PACE_PROGRAM && bytes < PROGRAM_BYTES_MIN)
		return;
	if (expected > 0 && took_us / FIRST_MOST > expected) {
		took_us = expected * FIRST_MOST;
		held = false;
	}
	if (op == PACE_PROGRAM)
		p->program_known = held;
	else
		p->erase_known = held;
	/* WHY: the causes of slow or fast sectors (voltage, parallelism) affect all of them. */
	for (size_t i = 0; op == PACE_ERASE && expected > 0 && i < ARRAY_LEN(p->erase); i++)
		p->erase[i].us = (uint32_t)((uint64_t)p->erase[i].us * took_us / expected);
	set_expected(p, op, bytes, took_us);
}

void
pace_learn(struct pace *p, enum pace_op op, uint32_t bytes, uint32_t elapsed_us, uint32_t asked_us)
{
	uint32_t expected = pace_expected_us(p, op, bytes);
	uint32_t took, most;
	bool held;

	if (asked_us < p->status_us && asked_us > 0)
		p->status_us = asked_us;
	if (p->obey || op == PACE_COMMAND)
		return;
	took = elapsed_us > p->status_us ? elapsed_us - p->status_us : elapsed_us;
	held = asked_us > p->status_us + p->status_us / 2;
	if (!is_known(p, op)) {
		learn_first(p, op, bytes, took, held);
		return;
	}
	if (p->says_busy) {
		/* Was over already, since an unknown time: come closer. */
		set_expected(p, op, bytes, expected - expected / CLOSER_PART);
		return;
	}
	/* WHY: it took that long at most.  Longer than expected is perhaps only our being late. */
	most = expected + expected / SLOWER_PART;
	set_expected(p, op, bytes, took < most ? took : most);
}

void
pace_learn_slow(struct pace *p, enum pace_op op, uint32_t bytes)
{
	uint32_t expected = pace_expected_us(p, op, bytes);

	p->says_busy = true;
	if (!p->obey && !is_known(p, op)) {
		/* Asked long before its time, and told so: from now on it is asked in time. */
		p->program_known = p->program_known || op == PACE_PROGRAM;
		p->erase_known = p->erase_known || op == PACE_ERASE;
		return;
	}
	set_expected(p, op, bytes, expected + expected / 16 + 1);
}
