/* SPDX-License-Identifier: MIT */
/* A conversation with the device of dfuse_rom.h, an operation at a time; included after cmocka. */
#ifndef TESTS_DFUSE_TABLE_H
#define TESTS_DFUSE_TABLE_H

#include "dfuse_rom.h"

/* A device met in dfuIDLE, the conversation with it, and a clock. */
struct table {
	struct rom rom;
	struct dfuse d;
	uint64_t now_us;
};

static inline void
set_up(struct table *t, bool obey)
{
	struct pace pace;

	pace_init(&pace, obey);
	rom_init(&t->rom);
	dfuse_init(&t->d, ROM_TRANSFER, &pace);
	dfuse_allow(&t->d, 0, ROM_WINDOW, ROM_WINDOW_BYTES);
	t->now_us = 1000000;
}

static inline bool
begin(struct table *t, enum dfuse_op op, uint32_t addr, uint32_t length)
{
	static const uint8_t page[ROM_TRANSFER] = { 1, 2, 3 };
	struct dfuse_operation req = { op, 0, addr, length, page };

	dfuse_begin(&t->d, &req, t->now_us);
	return rom_talk(&t->rom, &t->d, &t->now_us);
}

/* Carries it out; it has to end well. */
static inline void
do_well(struct table *t, enum dfuse_op op, uint32_t addr, uint32_t length)
{
	assert_true(begin(t, op, addr, length));
	if (dfuse_failed(&t->d))
		fail_msg("operation %d failed with fault %d", op, dfuse_failure(&t->d).fault);
	assert_null(t->rom.offence);
}

static inline enum fault
fault_after(struct table *t, enum dfuse_op op, uint32_t addr, uint32_t length)
{
	assert_true(begin(t, op, addr, length));
	assert_null(t->rom.offence);
	return dfuse_failure(&t->d).fault;
}

#endif
