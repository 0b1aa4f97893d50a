/* SPDX-License-Identifier: MIT */
/* Unit tests of core/dfuse: what one conversation asks for, and what each answer means to it. */
#include "config.h"

#include "core/dfuse.h"

#include <string.h>

#include "test.h"

#include "dfuse_table.h"

static const uint8_t page[ROM_TRANSFER] = { 1, 2, 3 };

/* Linked in place of __assert_fail() (-Wl,--wrap): back to the test that provoked it. */
static jmp_buf *provoked;

void __real___assert_fail(const char *text, const char *file, unsigned line, const char *function);
void __wrap___assert_fail(const char *text, const char *file, unsigned line, const char *function);

void
__wrap___assert_fail(const char *text, const char *file, unsigned line, const char *function)
{
	if (provoked != NULL)
		longjmp(*provoked, 1);
	__real___assert_fail(text, file, line, function);
}

/* Does beginning this fail an assertion? */
static bool
is_refused(struct dfuse *d, const struct dfuse_operation *r)
{
	jmp_buf here;
	volatile bool refused = true;

	provoked = &here;
	if (setjmp(here) == 0) {
		dfuse_begin(d, r, 0);
		refused = false;
	}
	provoked = NULL;
	return refused;
}

/* ---- requests ---------------------------------------------------------------------------- */

TEST(every_operation_is_done_at_its_place)
{
	struct table t;
	uint32_t length;

	set_up(&t, false);
	do_well(&t, DFUSE_OP_CLEAN, 0, 0);
	do_well(&t, DFUSE_OP_SELECT, 0, 0);
	do_well(&t, DFUSE_OP_READ, 0x08000010, 64);
	assert_int_equal(t.rom.last_addr, 0x08000010);
	assert_int_equal(dfuse_data(&t.d, &length)[63], 0x5A);
	assert_int_equal(length, 64);
	do_well(&t, DFUSE_OP_ERASE, ROM_WINDOW, 0x4000);
	assert_int_equal(t.rom.erases, 1);
	assert_int_equal(t.rom.last_addr, ROM_WINDOW);
	do_well(&t, DFUSE_OP_PROGRAM, ROM_WINDOW + ROM_TRANSFER, ROM_TRANSFER);
	assert_int_equal(t.rom.last_addr, ROM_WINDOW + ROM_TRANSFER);
	do_well(&t, DFUSE_OP_PROGRAM, ROM_WINDOW + 5 * ROM_TRANSFER, 100);
	assert_int_equal(t.rom.last_addr, ROM_WINDOW + 5 * ROM_TRANSFER);
	assert_int_equal(t.d.counters.erases, 1);
	assert_int_equal(t.d.counters.blocks_written, 2);
	assert_int_equal(t.d.counters.bytes_written, ROM_TRANSFER + 100);
	assert_int_equal(t.d.counters.bytes_read, 64);
	assert_int_equal(t.d.counters.transfers, t.rom.requests);
	do_well(&t, DFUSE_OP_LEAVE, ROM_WINDOW, 0);
	assert_int_equal(t.rom.leaves, 1);
	assert_int_equal(t.rom.pointer, ROM_WINDOW);
}

TEST(blocks_that_follow_one_another_need_one_address)
{
	struct table t;
	unsigned before;

	set_up(&t, false);
	do_well(&t, DFUSE_OP_CLEAN, 0, 0);
	do_well(&t, DFUSE_OP_PROGRAM, ROM_WINDOW, ROM_TRANSFER);
	before = t.rom.requests;
	for (uint32_t i = 1; i < 9; i++)
		do_well(&t, DFUSE_OP_PROGRAM, ROM_WINDOW + i * ROM_TRANSFER, ROM_TRANSFER);
	assert_int_equal(t.rom.requests - before, 8 * 3); /* block, start, question */
	before = t.rom.requests;
	do_well(&t, DFUSE_OP_PROGRAM, ROM_WINDOW + 9 * ROM_TRANSFER + 2, 2);
	assert_int_equal(t.rom.requests - before, 6); /* no block number reaches it */
	do_well(&t, DFUSE_OP_PROGRAM, ROM_WINDOW, 2);
	assert_int_equal(t.rom.last_addr, ROM_WINDOW); /* ... nor what lies before it */
}

TEST(a_block_number_never_wraps)
{
	struct table t;
	uint32_t far = UINT16_MAX - DFUSE_BLOCK_DATA;

	set_up(&t, false);
	do_well(&t, DFUSE_OP_CLEAN, 0, 0);
	do_well(&t, DFUSE_OP_READ, 0, 4);
	do_well(&t, DFUSE_OP_READ, far * ROM_TRANSFER, 4);
	assert_int_equal(t.rom.pointer, 0);
	assert_int_equal(t.rom.last_addr, far * ROM_TRANSFER);
	do_well(&t, DFUSE_OP_READ, (far + 1) * ROM_TRANSFER, 4);
	assert_int_equal(t.rom.pointer, (far + 1) * ROM_TRANSFER);
	assert_int_equal(t.rom.last_addr, (far + 1) * ROM_TRANSFER);
}

TEST(reading_and_writing_by_turns_goes_by_way_of_idle)
{
	struct table t;

	set_up(&t, false);
	do_well(&t, DFUSE_OP_CLEAN, 0, 0);
	for (uint32_t i = 0; i < 4; i++) {
		do_well(&t, DFUSE_OP_PROGRAM, ROM_WINDOW + i * ROM_TRANSFER, 16);
		do_well(&t, DFUSE_OP_READ, ROM_WINDOW + i * ROM_TRANSFER, 16);
		do_well(&t, DFUSE_OP_ERASE, ROM_WINDOW, 0x4000);
		do_well(&t, DFUSE_OP_READ, ROM_WINDOW + 8, 16);
		do_well(&t, DFUSE_OP_READ, ROM_WINDOW + 40000, 16);
	}
	do_well(&t, DFUSE_OP_LEAVE, ROM_WINDOW, 0);
	assert_true(t.rom.aborts > 0);
	assert_int_equal(t.rom.clears, 0);
}

TEST(an_alternate_is_selected_once_and_again_for_another)
{
	struct dfuse_operation there = { DFUSE_OP_READ, 2, 0x1FFF7800, 64, NULL };
	struct table t;

	set_up(&t, false);
	do_well(&t, DFUSE_OP_CLEAN, 0, 0);
	do_well(&t, DFUSE_OP_PROGRAM, ROM_WINDOW, 16);
	for (int i = 0; i < 2; i++) {
		dfuse_begin(&t.d, &there, t.now_us);
		assert_true(rom_talk(&t.rom, &t.d, &t.now_us));
		assert_false(dfuse_failed(&t.d));
		do_well(&t, DFUSE_OP_READ, ROM_WINDOW, 16);
	}
	assert_int_equal(t.d.counters.recoveries, 0);
}

TEST(the_device_feature_needs_a_permission_of_its_own)
{
	struct dfuse_operation word = { DFUSE_OP_FEATURE, 3, ROM_FEATURE, 4, page };
	struct table t;

	set_up(&t, false);
	do_well(&t, DFUSE_OP_CLEAN, 0, 0);
	assert_true(is_refused(&t.d, &word));
	dfuse_allow_feature(&t.d);
	dfuse_begin(&t.d, &word, t.now_us);
	assert_true(rom_talk(&t.rom, &t.d, &t.now_us));
	assert_false(dfuse_failed(&t.d));
	assert_int_equal(t.rom.last_addr, ROM_FEATURE);
	assert_null(t.rom.offence);
}

/* ---- the window -------------------------------------------------------------------------- */

static bool
is_allowed(uint32_t addr, uint32_t length, uint8_t alt)
{
	static const enum dfuse_op ops[] = { DFUSE_OP_ERASE, DFUSE_OP_PROGRAM };
	unsigned allowed = 0;

	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		struct dfuse_operation r = { ops[i], alt, addr, length, page };
		struct table t;

		set_up(&t, false);
		dfuse_allow(&t.d, 0, ROM_WINDOW, 4 * ROM_TRANSFER);
		do_well(&t, DFUSE_OP_CLEAN, 0, 0);
		allowed += !is_refused(&t.d, &r);
	}
	assert_true(allowed == 0 || allowed == 2);
	return allowed == 2;
}

TEST(nothing_is_erased_or_written_outside_the_window)
{
	const uint32_t end = ROM_WINDOW + 4 * ROM_TRANSFER;

	assert_true(is_allowed(ROM_WINDOW, ROM_TRANSFER, 0));
	assert_true(is_allowed(end - 1, 1, 0));
	assert_true(is_allowed(end - ROM_TRANSFER, ROM_TRANSFER, 0));
	assert_false(is_allowed(end - ROM_TRANSFER + 1, ROM_TRANSFER, 0));
	assert_false(is_allowed(end, 1, 0));
	assert_false(is_allowed(ROM_WINDOW - 1, 1, 0));
	assert_false(is_allowed(0, 1, 0));
	assert_false(is_allowed(0x08000000, ROM_TRANSFER, 0));
	assert_false(is_allowed(UINT32_MAX, 1, 0));
	assert_false(is_allowed(ROM_WINDOW, 16, 1));
	assert_false(is_allowed(ROM_WINDOW, 16, 8));
	assert_false(is_allowed(ROM_WINDOW, 16, 255));
}

TEST(invalid_requests_are_refused)
{
	static const struct dfuse_operation requests[] = {
		{ DFUSE_OP_READ, 0, ROM_WINDOW, 0, NULL },
		{ DFUSE_OP_READ, 0, ROM_WINDOW, ROM_TRANSFER + 1, NULL },
		{ DFUSE_OP_PROGRAM, 0, ROM_WINDOW, 0, page },
		{ DFUSE_OP_PROGRAM, 0, ROM_WINDOW, ROM_TRANSFER + 1, page },
	};
	struct dfuse_operation fine = { DFUSE_OP_READ, 0, ROM_WINDOW, 4, NULL };
	struct table t;

	set_up(&t, false);
	do_well(&t, DFUSE_OP_CLEAN, 0, 0);
	for (size_t i = 0; i < ARRAY_LEN(requests); i++)
		assert_true(is_refused(&t.d, &requests[i]));
	dfuse_begin(&t.d, &fine, t.now_us);
	assert_true(is_refused(&t.d, &fine)); /* one at a time */
}

/* ---- a device in another state ----------------------------------------------------------- */

TEST(a_device_met_in_any_state_of_an_operation_is_brought_to_idle)
{
	static const uint8_t met[] = { DFU_STATE_IDLE,	      DFU_STATE_DNLOAD_SYNC,
				       DFU_STATE_DNBUSY,      DFU_STATE_DNLOAD_IDLE,
				       DFU_STATE_UPLOAD_IDLE, DFU_STATE_ERROR };
	struct table t;

	for (size_t i = 0; i < ARRAY_LEN(met); i++) {
		set_up(&t, false);
		t.rom.state = met[i];
		t.rom.code = met[i] == DFU_STATE_ERROR ? DFU_STATUS_ERR_WRITE : DFU_STATUS_OK;
		t.rom.busy_left = 5;
		do_well(&t, DFUSE_OP_CLEAN, 0, 0);
		assert_int_equal(t.rom.state, DFU_STATE_IDLE);
		assert_int_equal(t.rom.clears, met[i] == DFU_STATE_ERROR);
		do_well(&t, DFUSE_OP_ERASE, ROM_WINDOW, 0x4000);
	}
}

TEST(an_error_is_cleared_and_the_operation_done_again)
{
	struct table t;

	for (unsigned times = 1; times <= 3; times++) {
		set_up(&t, false);
		do_well(&t, DFUSE_OP_CLEAN, 0, 0);
		t.rom.refusal = DFU_STATUS_ERR_WRITE;
		t.rom.refusals = times;
		do_well(&t, DFUSE_OP_PROGRAM, ROM_WINDOW, ROM_TRANSFER);
		assert_int_equal(t.rom.clears, times);
		assert_int_equal(t.d.counters.recoveries, times);
		assert_int_equal(t.d.counters.blocks_written, 1);
		assert_int_equal(t.rom.last_addr, ROM_WINDOW);
	}
}

TEST(errors_that_stay_are_not_tried_again)
{
	static const struct {
		uint8_t code;
		enum fault fault;
		unsigned programs;
	} errors[] = {
		{ DFU_STATUS_ERR_VENDOR, FAULT_PROTECTED, 1 },
		{ DFU_STATUS_ERR_TARGET, FAULT_REFUSED, 1 },
		{ DFU_STATUS_ERR_WRITE, FAULT_REFUSED, 1 },
	};
	struct dfuse_operation next = { DFUSE_OP_PROGRAM, 0, ROM_WINDOW, 16, page };
	struct table t;

	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		set_up(&t, false);
		do_well(&t, DFUSE_OP_CLEAN, 0, 0);
		do_well(&t, DFUSE_OP_PROGRAM, ROM_WINDOW, ROM_TRANSFER);
		t.rom.programs = 0;
		t.rom.refusal = errors[i].code;
		t.rom.refusals = ROM_FOREVER;
		assert_int_equal(fault_after(&t, DFUSE_OP_PROGRAM, ROM_WINDOW + ROM_TRANSFER, 16),
				 errors[i].fault);
		assert_int_equal(dfuse_failure(&t.d).dfu_status, errors[i].code);
		assert_int_equal(dfuse_failure(&t.d).addr, ROM_WINDOW + ROM_TRANSFER);
		assert_int_equal(t.rom.programs, errors[i].programs);
		/* A refused optional operation is ignored; its error is cleared first. */
		assert_true(is_refused(&t.d, &next));
		t.rom.refusals = 0;
		dfuse_forgive(&t.d);
		do_well(&t, DFUSE_OP_PROGRAM, ROM_WINDOW, 16);
	}
}

TEST(a_device_that_is_busy_is_asked_again_until_its_allowance_is_used_up)
{
	struct table t;

	for (int obey = 0; obey < 2; obey++) {
		uint64_t began;

		set_up(&t, obey);
		do_well(&t, DFUSE_OP_CLEAN, 0, 0);
		t.rom.busy_answers = 6;
		do_well(&t, DFUSE_OP_ERASE, ROM_WINDOW, 0x4000);
		t.rom.poll_ms = 0;
		do_well(&t, DFUSE_OP_PROGRAM, ROM_WINDOW, 64);
		t.rom.busy_answers = 0;
		t.rom.poll_ms = 0xFFFFFF;
		do_well(&t, DFUSE_OP_PROGRAM, ROM_WINDOW, 64);
		for (uint32_t poll_ms = 0; poll_ms < 20000; poll_ms += 9999) {
			set_up(&t, obey);
			do_well(&t, DFUSE_OP_CLEAN, 0, 0);
			t.rom.busy_answers = ROM_FOREVER;
			t.rom.poll_ms = poll_ms;
			began = t.now_us;
			assert_int_equal(fault_after(&t, DFUSE_OP_ERASE, ROM_WINDOW, 0x4000),
					 FAULT_STUCK);
			assert_in_range(t.now_us - began, 2000000, 60000000);
		}
	}
}

TEST(a_device_that_stalls_early_questions_is_asked_later_from_then_on)
{
	struct table t;

	set_up(&t, false);
	do_well(&t, DFUSE_OP_CLEAN, 0, 0);
	t.rom.busy_stalls = true;
	t.rom.busy_answers = 0;
	do_well(&t, DFUSE_OP_READ, ROM_WINDOW, 4); /* the address is set while it is not so */
	t.rom.busy_answers = 4;
	do_well(&t, DFUSE_OP_ERASE, ROM_WINDOW, 0x4000);
	assert_true(t.d.pace.stalls_early && t.d.pace.obey);
	assert_int_equal(t.d.counters.recoveries, 0);
	assert_int_equal(t.d.counters.erases, 1);
	t.rom.busy_answers = ROM_FOREVER;
	assert_int_equal(fault_after(&t, DFUSE_OP_ERASE, ROM_WINDOW, 0x4000), FAULT_STALL);
}

TEST(only_an_answer_of_the_length_asked_for_is_an_answer)
{
	struct table t;

	for (int length = 0; length < 64; length++) {
		set_up(&t, false);
		do_well(&t, DFUSE_OP_CLEAN, 0, 0);
		do_well(&t, DFUSE_OP_READ, ROM_WINDOW, 32);
		t.rom.twist = (struct twist){ .at = t.rom.requests,
					      .count = 1,
					      .done = true,
					      .state = -1,
					      .code = -1,
					      .poll_ms = -1,
					      .length = length };
		if (length > 32)
			assert_int_equal(fault_after(&t, DFUSE_OP_READ, ROM_WINDOW, 32),
					 FAULT_PROTOCOL);
		else
			do_well(&t, DFUSE_OP_READ, ROM_WINDOW, 32); /* short: asked again */
		set_up(&t, false);
		t.rom.twist = (struct twist){ .count = 1,
					      .done = true,
					      .state = -1,
					      .code = -1,
					      .poll_ms = -1,
					      .length = length };
		assert_int_equal(fault_after(&t, DFUSE_OP_CLEAN, 0, 0),
				 length == DFU_STATUS_BYTES ? FAULT_NONE : FAULT_PROTOCOL);
	}
}

TEST(a_host_short_of_memory_is_waited_for_but_not_for_ever)
{
	struct table t;
	uint64_t began;

	set_up(&t, false);
	do_well(&t, DFUSE_OP_CLEAN, 0, 0);
	t.rom.twist.status = USB_NOMEM;
	t.rom.twist.at = t.rom.requests;
	t.rom.twist.count = 50;
	began = t.now_us;
	do_well(&t, DFUSE_OP_ERASE, ROM_WINDOW, 0x4000);
	assert_true(t.now_us - began >= 5000000);
	assert_int_equal(t.d.counters.recoveries, 0);
	assert_int_equal(t.rom.erases, 1);
	t.rom.twist.at = t.rom.requests;
	t.rom.twist.count = ROM_FOREVER;
	assert_int_equal(fault_after(&t, DFUSE_OP_LEAVE, ROM_WINDOW, 0), FAULT_NO_MEMORY);
	assert_int_equal(t.rom.leaves, 0);
}

TEST(a_finished_operation_makes_no_request_and_ignores_events)
{
	struct table t;
	struct request w;

	set_up(&t, false);
	dfuse_next(&t.d, 0, &w);
	assert_int_equal(w.kind, REQUEST_OVER);
	dfuse_ended(&t.d, USB_GONE, NULL, 0, 0);
	assert_true(dfuse_over(&t.d) && !dfuse_failed(&t.d));
	assert_int_equal(t.d.counters.transfers, 0);
}

TEST(a_request_stays_the_same_until_it_is_answered)
{
	struct dfuse_operation clean = { .op = DFUSE_OP_CLEAN };
	struct table t;
	struct request w, again;

	set_up(&t, false);
	dfuse_begin(&t.d, &clean, 0);
	dfuse_next(&t.d, 0, &w); /* a clock may begin at nought */
	dfuse_next(&t.d, 999, &again);
	assert_memory_equal(&w, &again, sizeof(w));
	assert_int_equal(w.xfer.setup.request, DFU_GETSTATUS);
	assert_true(w.xfer.timeout_ms >= 1000);
}

TEST_MAIN(NULL)
