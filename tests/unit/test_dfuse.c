/* SPDX-License-Identifier: MIT */
/*
 * Unit tests of core/dfuse: the requests of one conversation, the meaning of each answer, and
 * answers that should never come.
 */
#include "config.h"

#include "core/dfuse.h"

#include "test.h"

#include "dfu_bench.h"

static struct dfu_bench t;
static struct drone_config config;

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
is_refused(const struct dfuse_operation *r)
{
	jmp_buf here;
	volatile bool refused = true;

	provoked = &here;
	if (setjmp(here) == 0) {
		dfuse_begin(&t.d, r, t.b.now);
		refused = false;
	}
	provoked = NULL;
	return refused;
}

/* Before each test. */
static int
set_up(void **state)
{
	(void)state;
	dfu_config_init(&config);
	return 0;
}

/* A drone as config has it, met and brought to dfuIDLE. */
static const struct drone_counters *
clean(bool obey)
{
	dfu_meet(&t, &config, obey);
	dfu_do(&t, DFUSE_OP_CLEAN, 0, 0);
	return drone_counters(t.b.d);
}

static void
expect_read(uint32_t addr, const void *data, uint32_t length)
{
	uint32_t came;

	dfu_do(&t, DFUSE_OP_READ, addr, length);
	assert_memory_equal(dfuse_data(&t.d, &came), data, length);
	assert_int_equal(came, length);
}

static void
expect_written(uint32_t addr, uint32_t length)
{
	dfu_do(&t, DFUSE_OP_PROGRAM, addr, length);
	assert_true(dfu_flash_is(&t, addr, dfu_page, length));
}

/* The next transfer ends like this, whatever the device makes of it. */
static void
end_next(enum usb_status status, size_t length, uint32_t took_us)
{
	static const uint8_t data[DFU_TRANSFER];
	struct request w;

	dfuse_next(&t.d, t.b.now, &w);
	dfuse_ended(&t.d, status, data, length, t.b.now + took_us);
}

#define TEST_SET_UP(name) TEST_WITH(name, set_up, NULL)

/* ---- requests ---------------------------------------------------------------------------- */

TEST_SET_UP(every_operation_is_done_at_its_place)
{
	const struct drone_counters *n = clean(false);
	uint8_t loader[64];

	drone_peek(t.b.d, t.b.now, 0x08000010, loader, sizeof(loader));
	dfu_do(&t, DFUSE_OP_SELECT, 0, 0);
	expect_read(0x08000010, loader, sizeof(loader));
	dfu_do(&t, DFUSE_OP_ERASE, DFU_FLASH, 0x4000);
	assert_int_equal(n->erases, 1);
	assert_int_equal(n->sector_erases[1], 1);
	expect_written(DFU_FLASH + DFU_TRANSFER, DFU_TRANSFER);
	expect_written(DFU_FLASH + 5 * DFU_TRANSFER, 100);
	assert_int_equal(n->bytes_written, DFU_TRANSFER + 100);
	assert_int_equal(t.d.counters.erases, 1);
	assert_int_equal(t.d.counters.blocks_written, 2);
	assert_int_equal(t.d.counters.bytes_written, DFU_TRANSFER + 100);
	assert_int_equal(t.d.counters.bytes_read, 64);
	assert_int_equal(t.d.counters.transfers, t.requests);
	bench_load_tiny(&t.b, "CF21", "2025.12", 16384);
	dfu_do(&t, DFUSE_OP_LEAVE, DFU_FLASH, 0);
	bench_wait(&t.b, 5000000);
	assert_int_equal(n->leaves, 1);
	assert_int_equal(drone_personality(t.b.d), DRONE_RUNTIME); /* started what is there */
}

TEST_SET_UP(blocks_that_follow_one_another_need_one_address)
{
	const struct drone_counters *n = clean(false);
	unsigned before;

	expect_written(DFU_FLASH, DFU_TRANSFER);
	before = t.requests;
	for (uint32_t i = 1; i < 9; i++)
		expect_written(DFU_FLASH + i * DFU_TRANSFER, DFU_TRANSFER);
	assert_int_equal(t.requests - before, 8 * 3); /* block, start, question */
	before = t.requests;
	expect_written(DFU_FLASH + 9 * DFU_TRANSFER + 2, 2);
	assert_int_equal(t.requests - before, 6); /* no block number reaches it */
	assert_int_equal(n->overwrites, 0);
	expect_written(DFU_FLASH, 2);
	assert_int_equal(n->overwrites, 2); /* ... nor what lies before it */
}

/* In a memory so large that block numbers do not reach its end. */
TEST_SET_UP(a_block_number_never_wraps)
{
	const uint32_t nor = 0x64000000, far = UINT16_MAX - DFUSE_BLOCK_DATA;
	const struct drone_counters *n;

	config.model = DRONE_EVAL;
	n = clean(false);
	assert_int_equal(drone_load(t.b.d, nor, "near", 4), 0);
	assert_int_equal(drone_load(t.b.d, nor + far * DFU_TRANSFER, "far.", 4), 0);
	assert_int_equal(drone_load(t.b.d, nor + (far + 1) * DFU_TRANSFER, "more", 4), 0);
	expect_read(nor, "near", 4);
	expect_read(nor + far * DFU_TRANSFER, "far.", 4);
	assert_int_equal(n->set_addresses, 1);
	expect_read(nor + (far + 1) * DFU_TRANSFER, "more", 4);
	assert_int_equal(n->set_addresses, 2);
}

TEST_SET_UP(reading_and_writing_by_turns_goes_by_way_of_idle)
{
	const struct drone_counters *n = clean(false);
	uint64_t clears = n->dfu[DFU_CLRSTATUS];

	for (uint32_t i = 0; i < 4; i++) {
		expect_written(DFU_FLASH + i * DFU_TRANSFER, 16);
		expect_read(DFU_FLASH + i * DFU_TRANSFER, dfu_page, 16);
		dfu_do(&t, DFUSE_OP_ERASE, DFU_FLASH, 0x4000);
		dfu_do(&t, DFUSE_OP_READ, DFU_FLASH + 8, 16);
		dfu_do(&t, DFUSE_OP_READ, DFU_FLASH + 40000, 16);
	}
	dfu_do(&t, DFUSE_OP_LEAVE, DFU_FLASH, 0);
	assert_true(n->dfu[DFU_ABORT] > 0);
	assert_int_equal(n->dfu[DFU_CLRSTATUS], clears);
	assert_int_equal(n->stalls, 0);
}

TEST_SET_UP(an_alternate_is_selected_once_and_again_for_another)
{
	const struct dfuse_operation there = { DFUSE_OP_READ, 2, 0x1FFF7800, 64, NULL };
	const struct drone_counters *n = clean(false);
	uint64_t before = n->standard;

	dfu_do(&t, DFUSE_OP_PROGRAM, DFU_FLASH, 16);
	for (int i = 0; i < 2; i++) {
		assert_true(dfu_try(&t, &there) && !dfuse_failed(&t.d));
		expect_read(DFU_FLASH, dfu_page, 16);
	}
	assert_int_equal(n->standard - before, 5);
	assert_int_equal(t.d.counters.recoveries, 0);
}

TEST_SET_UP(the_device_feature_needs_a_permission_of_its_own)
{
	const struct dfuse_operation word = { DFUSE_OP_FEATURE, 3, DFU_FEATURE, 4, dfu_page };
	const struct drone_counters *n = clean(false);

	assert_true(is_refused(&word));
	dfuse_allow_feature(&t.d);
	dfu_do(&t, DFUSE_OP_FEATURE, DFU_FEATURE, 4);
	assert_int_equal(n->feature_writes, 1);
}

/* ---- the window -------------------------------------------------------------------------- */

static bool
is_allowed(uint32_t addr, uint32_t length, uint8_t alt)
{
	unsigned allowed = 0;

	for (int write = 0; write < 2; write++) {
		struct dfuse_operation r = { write ? DFUSE_OP_PROGRAM : DFUSE_OP_ERASE, alt, addr,
					     length, dfu_page };

		clean(false);
		dfuse_allow(&t.d, 0, DFU_FLASH, 4 * DFU_TRANSFER);
		allowed += !is_refused(&r);
	}
	assert_true(allowed == 0 || allowed == 2);
	return allowed == 2;
}

TEST_SET_UP(nothing_is_erased_or_written_outside_the_window)
{
	const uint32_t end = DFU_FLASH + 4 * DFU_TRANSFER;

	assert_true(is_allowed(DFU_FLASH, DFU_TRANSFER, 0));
	assert_true(is_allowed(end - 1, 1, 0));
	assert_true(is_allowed(end - DFU_TRANSFER, DFU_TRANSFER, 0));
	assert_false(is_allowed(end - DFU_TRANSFER + 1, DFU_TRANSFER, 0));
	assert_false(is_allowed(end, 1, 0));
	assert_false(is_allowed(DFU_FLASH - 1, 1, 0));
	assert_false(is_allowed(0, 1, 0));
	assert_false(is_allowed(0x08000000, DFU_TRANSFER, 0));
	assert_false(is_allowed(UINT32_MAX, 1, 0));
	assert_false(is_allowed(DFU_FLASH, 16, 1));
	assert_false(is_allowed(DFU_FLASH, 16, 8));
	assert_false(is_allowed(DFU_FLASH, 16, 255));
}

TEST_SET_UP(invalid_requests_are_refused)
{
	static const struct dfuse_operation requests[] = {
		{ DFUSE_OP_READ, 0, DFU_FLASH, 0, NULL },
		{ DFUSE_OP_READ, 0, DFU_FLASH, DFU_TRANSFER + 1, NULL },
		{ DFUSE_OP_PROGRAM, 0, DFU_FLASH, 0, dfu_page },
		{ DFUSE_OP_PROGRAM, 0, DFU_FLASH, DFU_TRANSFER + 1, dfu_page },
	};
	const struct dfuse_operation fine = { DFUSE_OP_READ, 0, DFU_FLASH, 4, NULL };

	clean(false);
	for (size_t i = 0; i < ARRAY_LEN(requests); i++)
		assert_true(is_refused(&requests[i]));
	assert_false(is_refused(&fine));
	assert_true(is_refused(&fine)); /* one at a time */
}

/* ---- a device in another state ----------------------------------------------------------- */

TEST_SET_UP(a_device_met_in_any_state_of_an_operation_is_brought_to_idle)
{
	static const uint8_t met[] = { DFU_STATE_IDLE,	      DFU_STATE_DNLOAD_SYNC,
				       DFU_STATE_DNBUSY,      DFU_STATE_DNLOAD_IDLE,
				       DFU_STATE_UPLOAD_IDLE, DFU_STATE_ERROR };

	config.kind = DRONE_KIND_DNBUSY;
	for (size_t i = 0; i < ARRAY_LEN(met); i++) {
		const struct drone_counters *n;
		uint64_t clears;

		dfu_meet(&t, &config, false);
		dfu_leave_in(&t, met[i]);
		n = drone_counters(t.b.d);
		clears = n->dfu[DFU_CLRSTATUS];
		dfu_do(&t, DFUSE_OP_CLEAN, 0, 0);
		assert_int_equal(drone_dfu_state(t.b.d), DFU_STATE_IDLE);
		assert_int_equal(n->dfu[DFU_CLRSTATUS] - clears, met[i] == DFU_STATE_ERROR);
		dfu_do(&t, DFUSE_OP_ERASE, DFU_FLASH, 0x4000);
	}
}

/* Of each try's questions, the one that starts the block: after two for the address and one that
 * finds the error cleared. */
TEST_SET_UP(an_error_is_cleared_and_the_operation_done_again)
{
	for (unsigned times = 1; times <= 3; times++) {
		const struct drone_counters *n = clean(false);

		for (unsigned i = 0; i < times; i++)
			dfu_arm(&t, "err-write on=getstatus at=%u", 3 + 4 * i);
		expect_written(DFU_FLASH, DFU_TRANSFER);
		assert_int_equal(n->dfu[DFU_CLRSTATUS], 1 + times);
		assert_int_equal(t.d.counters.recoveries, times);
		assert_int_equal(t.d.counters.blocks_written, 1);
	}
}

TEST_SET_UP(errors_that_stay_are_not_tried_again)
{
	static const struct {
		uint8_t code;
		enum fault fault;
		unsigned downloads; /* the block; the address again for each further try */
	} errors[] = {
		{ DFU_STATUS_ERR_VENDOR, FAULT_PROTECTED, 1 },
		{ DFU_STATUS_ERR_TARGET, FAULT_REFUSED, 1 },
		{ DFU_STATUS_ERR_WRITE, FAULT_REFUSED, 4 },
	};
	const struct dfuse_operation next = { DFUSE_OP_PROGRAM, 0, DFU_FLASH, 16, dfu_page };
	const uint32_t addr = DFU_FLASH + DFU_TRANSFER;

	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		const struct drone_counters *n = clean(false);
		uint64_t before;

		dfu_do(&t, DFUSE_OP_PROGRAM, DFU_FLASH, DFU_TRANSFER);
		before = n->dfu[DFU_DNLOAD];
		for (unsigned at = 1; at <= 7; at += 2) /* between them it is found idle */
			dfu_arm(&t, "status value=%u on=getstatus at=%u", errors[i].code, at);
		assert_int_equal(dfu_fault(&t, DFUSE_OP_PROGRAM, addr, 16), errors[i].fault);
		assert_int_equal(dfuse_failure(&t.d).dfu_status, errors[i].code);
		assert_int_equal(dfuse_failure(&t.d).addr, addr);
		assert_int_equal(n->dfu[DFU_DNLOAD] - before, errors[i].downloads);
		assert_int_equal(n->blocks_written, 1);
		/* A refused optional operation is ignored; its error is cleared first. */
		assert_true(is_refused(&next));
		drone_disarm(t.b.d);
		dfuse_forgive(&t.d);
		expect_written(DFU_FLASH, 16);
	}
}

TEST_SET_UP(a_device_that_is_busy_is_asked_again_until_its_allowance_is_used_up)
{
	config.kind = DRONE_KIND_DNBUSY;
	config.timing.flash_permille = 3000;
	for (int obey = 0; obey < 2; obey++) {
		unsigned before;

		config.poll_erase_ms = config.poll_busy_ms = 100;
		clean(obey);
		before = t.questions;
		dfu_do(&t, DFUSE_OP_ERASE, DFU_FLASH, 0x4000);
		assert_true(t.questions - before > 3);
		dfu_arm(&t, "poll-zero count=2 on=getstatus");
		expect_written(DFU_FLASH, 64);
		dfu_arm(&t, "poll-huge count=2 on=getstatus");
		expect_written(DFU_FLASH + 64, 64);
		for (uint32_t poll_ms = 0; poll_ms < 20000; poll_ms += 9999) {
			uint64_t began;

			config.poll_erase_ms = config.poll_busy_ms = poll_ms;
			clean(obey);
			dfu_arm(&t, "busy-forever on=command");
			began = t.b.now;
			assert_int_equal(dfu_fault(&t, DFUSE_OP_ERASE, DFU_FLASH, 0x4000),
					 FAULT_STUCK);
			assert_in_range(t.b.now - began, 2000000, 60000000);
		}
	}
}

TEST_SET_UP(a_device_that_stalls_early_questions_is_asked_later_from_then_on)
{
	const struct drone_counters *n;

	config.kind = DRONE_KIND_STALL_EARLY;
	config.timing.flash_permille = 1500;
	n = clean(false);
	dfu_do(&t, DFUSE_OP_ERASE, DFU_FLASH, 0x4000);
	assert_true(n->stalls > 0 && t.d.pace.stalls_early && t.d.pace.obey);
	assert_int_equal(t.d.counters.recoveries, 0);
	assert_int_equal(n->erases, 1);
	assert_int_equal(t.d.counters.erases, 1);
	dfu_arm(&t, "busy-forever on=command");
	assert_int_equal(dfu_fault(&t, DFUSE_OP_ERASE, DFU_FLASH, 0x4000), FAULT_STALL);
}

/* More than was asked for comes of no device: a bus calls that an overflow. */
TEST_SET_UP(only_an_answer_of_the_length_asked_for_is_an_answer)
{
	const struct dfuse_operation read = { DFUSE_OP_READ, 0, DFU_FLASH, 32, NULL };
	const struct dfuse_operation clean_up = { .op = DFUSE_OP_CLEAN };

	for (unsigned length = 0; length < 64; length++) {
		clean(false);
		dfu_do(&t, DFUSE_OP_READ, DFU_FLASH, 32);
		if (length <= 32) {
			dfu_arm(&t, "short on=upload value=%u", length);
			dfu_do(&t, DFUSE_OP_READ, DFU_FLASH, 32); /* asked again */
			assert_int_equal(t.d.counters.recoveries, length < 32);
		} else {
			dfuse_begin(&t.d, &read, t.b.now);
			end_next(USB_OK, length, 400);
			assert_int_equal(dfuse_failure(&t.d).fault, FAULT_PROTOCOL);
		}
		dfu_meet(&t, &config, false);
		if (length <= DFU_STATUS_BYTES) {
			dfu_arm(&t, "short on=getstatus value=%u", length);
			assert_int_equal(dfu_fault(&t, DFUSE_OP_CLEAN, 0, 0),
					 length == DFU_STATUS_BYTES ? FAULT_NONE : FAULT_PROTOCOL);
		} else {
			dfuse_begin(&t.d, &clean_up, t.b.now);
			end_next(USB_OK, length, 400);
			assert_int_equal(dfuse_failure(&t.d).fault, FAULT_PROTOCOL);
		}
	}
}

TEST_SET_UP(a_host_short_of_memory_is_waited_for_but_not_for_ever)
{
	const struct drone_counters *n = clean(false);
	uint64_t began = t.b.now;

	dfu_arm(&t, "nomem count=50");
	dfu_do(&t, DFUSE_OP_ERASE, DFU_FLASH, 0x4000);
	assert_true(t.b.now - began >= 5000000);
	assert_int_equal(t.d.counters.recoveries, 0);
	assert_int_equal(n->erases, 1);
	dfu_arm(&t, "nomem count=forever");
	assert_int_equal(dfu_fault(&t, DFUSE_OP_LEAVE, DFU_FLASH, 0), FAULT_NO_MEMORY);
	assert_int_equal(n->leaves, 0);
}

TEST_SET_UP(a_finished_operation_makes_no_request_and_ignores_events)
{
	struct request w;

	dfu_meet(&t, &config, false);
	dfuse_next(&t.d, 0, &w);
	assert_int_equal(w.kind, REQUEST_OVER);
	dfuse_ended(&t.d, USB_GONE, NULL, 0, 0);
	assert_true(dfuse_over(&t.d) && !dfuse_failed(&t.d));
	assert_int_equal(t.d.counters.transfers, 0);
}

TEST_SET_UP(a_request_stays_the_same_until_it_is_answered)
{
	const struct dfuse_operation clean_up = { .op = DFUSE_OP_CLEAN };
	struct request w, again;

	dfu_meet(&t, &config, false);
	dfuse_begin(&t.d, &clean_up, 0);
	dfuse_next(&t.d, 0, &w); /* a clock may begin at nought */
	dfuse_next(&t.d, 999, &again);
	assert_memory_equal(&w, &again, sizeof(w));
	assert_int_equal(w.xfer.setup.request, DFU_GETSTATUS);
	assert_true(w.xfer.timeout_ms >= 1000);
}

/* ---- impossible answers ------------------------------------------------------------------ */

/* INVARIANT of the C kind: an enum holds what memory holds. */
TEST_SET_UP(invalid_phases_and_operations_make_no_request)
{
	const struct dfuse_operation none = { (enum dfuse_op)99, 0, DFU_FLASH, 2, dfu_page };
	struct request w;

	for (int phase = DFUSE_PHASE_COUNT; phase <= 99; phase += 99 - DFUSE_PHASE_COUNT) {
		dfu_meet(&t, &config, false);
		t.d.phase = (enum dfuse_phase)phase;
		dfuse_next(&t.d, t.b.now, &w);
		assert_int_not_equal(w.kind, REQUEST_XFER);
		dfuse_ended(&t.d, USB_OK, NULL, 0, t.b.now);
		assert_int_equal(t.d.phase, phase);
	}
	clean(false);
	assert_true(dfu_try(&t, &none) && !dfuse_failed(&t.d));
}

TEST_SET_UP(a_transfer_that_ends_in_an_unheard_of_way_is_the_buses_fault)
{
	const struct dfuse_operation erase = { DFUSE_OP_ERASE, 0, DFU_FLASH, 0x4000, NULL };

	clean(false);
	dfuse_begin(&t.d, &erase, t.b.now);
	for (unsigned i = 0; i < 10 && !dfuse_over(&t.d); i++)
		end_next((enum usb_status)99, 0, 400);
	assert_int_equal(dfuse_failure(&t.d).fault, FAULT_BUS);
}

TEST_SET_UP(how_long_a_block_takes_is_learned_but_not_from_a_hiccup)
{
	for (int slow = 0; slow < 2; slow++) {
		uint32_t before;

		clean(false);
		dfu_do(&t, DFUSE_OP_READ, DFU_FLASH, DFU_TRANSFER);
		before = t.d.pace.block_us;
		if (slow)
			dfu_arm(&t, "late on=upload value=1500");
		dfu_do(&t, DFUSE_OP_READ, DFU_FLASH, DFU_TRANSFER);
		assert_int_equal(t.d.counters.recoveries, 0);
		assert_int_equal(t.d.pace.block_us == before, slow);
	}
}

TEST_SET_UP(a_short_answer_to_the_last_question_is_no_refusal_to_leave)
{
	for (unsigned at = 1; at <= 7; at++) {
		enum fault fault;

		clean(false);
		dfu_arm(&t, "short value=3 at=%u", at);
		fault = dfu_fault(&t, DFUSE_OP_LEAVE, DFU_FLASH, 0);
		assert_true(fault == FAULT_NONE || fault == FAULT_PROTOCOL);
	}
}

TEST_MAIN(NULL)
