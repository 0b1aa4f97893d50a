/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "dfu_bench.h"

#include <stdio.h>

#include "test.h"

const uint8_t dfu_page[DFU_TRANSFER] = { 1, 2, 3 };

void
dfu_config_init(struct drone_config *c)
{
	drone_config_init(c, 7);
	c->transfer_size = DFU_TRANSFER;
	c->count_standard = true;
	c->button_boots = true;
}

void
dfu_meet(struct dfu_bench *t, const struct drone_config *c, bool obey)
{
	struct pace pace;

	drone_free(t->b.d);
	t->requests = t->questions = 0;
	bench_begin(&t->b, c);
	drone_button(t->b.d, 0);
	bench_wait(&t->b, 5000000);
	assert_int_equal(drone_dfu_state(t->b.d), DFU_STATE_ERROR);
	pace_init(&pace, obey);
	dfuse_init(&t->d, DFU_TRANSFER, &pace);
	dfuse_allow(&t->d, 0, DFU_FLASH, DFU_FLASH_BYTES);
}

void
dfu_leave_in(struct dfu_bench *t, uint8_t state)
{
	static const uint8_t erase[] = { DFUSE_ERASE, 0x00, 0x00, 0x01, 0x08 }; /* sector 4 */

	if (state != DFU_STATE_ERROR && drone_dfu_state(t->b.d) == DFU_STATE_ERROR)
		(void)bench_clrstatus(&t->b);
	if (state == DFU_STATE_UPLOAD_IDLE)
		(void)bench_upload(&t->b, DFUSE_BLOCK_DATA, 16);
	else if (state != DFU_STATE_IDLE && state != DFU_STATE_ERROR)
		(void)bench_dnload(&t->b, DFUSE_BLOCK_COMMAND, erase, sizeof(erase));
	if (state == DFU_STATE_DNBUSY || state == DFU_STATE_DNLOAD_IDLE)
		(void)bench_getstatus(&t->b);
	if (state == DFU_STATE_DNLOAD_IDLE) {
		bench_wait(&t->b, 10000000);
		(void)bench_getstatus(&t->b);
	}
	assert_int_equal(drone_dfu_state(t->b.d), state);
}

void
dfu_arm(struct dfu_bench *t, const char *format, ...)
{
	char text[128], error[128];
	struct fate fate;
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (fate_parse(text, &fate, error, sizeof(error)) < 0)
		fail_msg("%s: %s", text, error);
	assert_int_equal(drone_arm(t->b.d, &fate), 0);
}

bool
dfu_talk(struct dfu_bench *t)
{
	for (unsigned n = 0; n < 20000; n++) {
		enum usb_status status;
		struct request w;

		dfuse_next(&t->d, t->b.now, &w);
		if (w.kind == REQUEST_OVER)
			return true;
		if (w.kind == REQUEST_PAUSE) {
			bench_wait(&t->b, w.until_us - t->b.now);
			continue;
		}
		t->requests++;
		t->questions += w.xfer.setup.request_type == DFU_REQUEST_IN &&
				w.xfer.setup.request == DFU_GETSTATUS;
		t->b.length = 0;
		status = bench_transfer(&t->b, &w.xfer, w.xfer.timeout_ms * 1000ULL);
		dfuse_ended(&t->d, status, t->b.data, t->b.length, t->b.now);
	}
	return false;
}

bool
dfu_try(struct dfu_bench *t, const struct dfuse_operation *req)
{
	dfuse_begin(&t->d, req, t->b.now);
	return dfu_talk(t);
}

enum fault
dfu_fault(struct dfu_bench *t, enum dfuse_op op, uint32_t addr, uint32_t length)
{
	uint8_t alt = op == DFUSE_OP_FEATURE ? 3 : 0;
	struct dfuse_operation req = { op, alt, addr, length, dfu_page };

	assert_true(dfu_try(t, &req));
	if (dfu_offence(t) != NULL)
		fail_msg("%s", dfu_offence(t));
	assert_int_equal(dfuse_failed(&t->d), dfuse_failure(&t->d).fault != FAULT_NONE);
	return dfuse_failure(&t->d).fault;
}

void
dfu_do(struct dfu_bench *t, enum dfuse_op op, uint32_t addr, uint32_t length)
{
	enum fault fault = dfu_fault(t, op, addr, length);

	if (fault != FAULT_NONE)
		fail_msg("operation %d failed with fault %d", op, fault);
}

const char *
dfu_offence(const struct dfu_bench *t)
{
	const struct drone_counters *n = drone_counters(t->b.d);

	if (n->mass_erases + n->unprotects > 0)
		return "a command that is neither Set Address nor Erase";
	if (n->outside_erases > 0)
		return "an erase outside the window";
	if (n->outside_writes + n->option_writes + n->otp_writes > 0)
		return "a block outside the window";
	return NULL;
}

bool
dfu_flash_is(struct dfu_bench *t, uint32_t addr, const void *data, size_t length)
{
	uint8_t now[DFU_TRANSFER];

	drone_peek(t->b.d, t->b.now, addr, now, length);
	return memcmp(now, data, length) == 0;
}
