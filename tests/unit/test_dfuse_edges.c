/* SPDX-License-Identifier: MIT */
/* Unit tests of core/dfuse: what should never come, and comes all the same. */
#include "config.h"

#include "core/dfuse.h"

#include <string.h>

#include "test.h"

#include "dfuse_table.h"

static const uint8_t page[ROM_TRANSFER] = { 1, 2, 3 };

/* INVARIANT of the C kind: an enum holds what memory holds. */
TEST(invalid_phases_and_operations_make_no_request)
{
	struct dfuse_operation none = { .op = (enum dfuse_op)99, .addr = ROM_WINDOW, .data = page };
	struct table t;
	struct request w;

	for (int phase = DFUSE_PHASE_COUNT; phase <= 99; phase += 99 - DFUSE_PHASE_COUNT) {
		set_up(&t, false);
		t.d.phase = (enum dfuse_phase)phase;
		dfuse_next(&t.d, t.now_us, &w);
		assert_int_not_equal(w.kind, REQUEST_XFER);
		dfuse_ended(&t.d, USB_OK, NULL, 0, t.now_us);
		assert_int_equal(t.d.phase, phase);
	}
	set_up(&t, false);
	do_well(&t, DFUSE_OP_CLEAN, 0, 0);
	none.length = 2;
	dfuse_begin(&t.d, &none, t.now_us);
	assert_true(rom_talk(&t.rom, &t.d, &t.now_us));
	assert_false(dfuse_failed(&t.d));
}

TEST(a_transfer_that_ends_in_an_unheard_of_way_is_the_buses_fault)
{
	struct table t;

	set_up(&t, false);
	do_well(&t, DFUSE_OP_CLEAN, 0, 0);
	t.rom.twist.status = (enum usb_status)99;
	t.rom.twist.at = t.rom.requests;
	t.rom.twist.count = ROM_FOREVER;
	assert_int_equal(fault_after(&t, DFUSE_OP_ERASE, ROM_WINDOW, 0x4000), FAULT_BUS);
}

TEST(how_long_a_block_takes_is_learned_but_not_from_a_hiccup)
{
	struct dfuse_operation read = { DFUSE_OP_READ, 0, ROM_WINDOW, ROM_TRANSFER, NULL };
	static const uint8_t data[ROM_TRANSFER];
	struct table t;
	struct request w;

	for (int slow = 0; slow < 2; slow++) {
		uint32_t before;

		set_up(&t, false);
		do_well(&t, DFUSE_OP_CLEAN, 0, 0);
		do_well(&t, DFUSE_OP_READ, ROM_WINDOW, ROM_TRANSFER);
		before = t.d.pace.block_us;
		dfuse_begin(&t.d, &read, t.now_us);
		dfuse_next(&t.d, t.now_us, &w);
		dfuse_ended(&t.d, USB_OK, data, sizeof(data), t.now_us + (slow ? 1500000 : 100));
		assert_true(dfuse_over(&t.d) && !dfuse_failed(&t.d));
		assert_int_equal(t.d.pace.block_us == before, slow);
	}
}

TEST(a_short_answer_to_the_last_question_is_no_refusal_to_leave)
{
	struct table t;

	for (unsigned at = 0; at < 7; at++) {
		set_up(&t, false);
		do_well(&t, DFUSE_OP_CLEAN, 0, 0);
		t.rom.twist = (struct twist){ .at = t.rom.requests + at,
					      .count = 1,
					      .done = true,
					      .state = -1,
					      .code = -1,
					      .poll_ms = -1,
					      .length = 3 };
		assert_true(begin(&t, DFUSE_OP_LEAVE, ROM_WINDOW, 0));
		assert_true(!dfuse_failed(&t.d) || dfuse_failure(&t.d).fault == FAULT_PROTOCOL);
		assert_null(t.rom.offence);
	}
}

TEST_MAIN(NULL)
