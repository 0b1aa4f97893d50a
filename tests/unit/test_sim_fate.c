/* SPDX-License-Identifier: MIT */
/* Named faults: as text, and what each does to a conversation. */
#include "config.h"

#include <errno.h>

#include "test.h"

#include "cfdfu/watch.h"
#include "sim/rng.h"
#include "sim_bench.h"

static struct bench b;

static int
setup(void **state)
{
	struct drone_config c;

	(void)state;
	drone_config_init(&c, 42);
	bench_begin(&b, &c);
	bench_load_tiny(&b, "CF21", "2025.12", 16384);
	bench_enter_dfu(&b);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	drone_free(b.d);
	return 0;
}

static void
arm(const char *text)
{
	char error[128];
	struct fate f;

	assert_int_equal(fate_parse(text, &f, error, sizeof(error)), 0);
	assert_int_equal(drone_arm(b.d, &f), 0);
}

TEST(every_fate_survives_being_printed_and_read)
{
	struct fate f = { .at = 7,
			  .count = 3,
			  .mode = FATE_MODE_DFU,
			  .value = 12,
			  .has_value = true,
			  .back_ms = 800 };
	char text[128], again[128], error[128];
	struct fate read;

	for (unsigned kind = 0; kind < FATE_COUNT; kind++)
		for (unsigned on = 0; on < FATE_ON_COUNT; on++) {
			f.kind = (enum fate_kind)kind;
			f.on = (enum fate_request)on;
			assert_non_null(fate_name(f.kind));
			fate_print(&f, text, sizeof(text));
			assert_int_equal(fate_parse(text, &read, error, sizeof(error)), 0);
			fate_print(&read, again, sizeof(again));
			assert_string_equal(text, again);
		}
	assert_int_equal(fate_parse("stall at=7", &read, error, sizeof(error)), 0);
	assert_int_equal(read.count, 1);
	assert_int_equal(fate_parse("err-vendor", &read, error, sizeof(error)), 0);
	assert_int_equal(read.value, 11);
	assert_null(fate_name(FATE_COUNT));
}

TEST(invalid_fates_are_refused_with_a_sentence)
{
	static const char *const bad[] = { "",
					   "rain",
					   "stall at",
					   "stall at=x",
					   "stall on=now",
					   "stall in=water",
					   "stall at=-1",
					   "stall why=1" };
	char error[128];
	struct fate f;

	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		error[0] = '\0';
		assert_int_equal(fate_parse(bad[i], &f, error, sizeof(error)), -EINVAL);
		assert_true(strlen(error) > 10);
	}
}

#define TEST_SET_UP(name) TEST_WITH(name, setup, teardown)

TEST_SET_UP(the_nth_matching_request_is_struck_and_no_other)
{
	arm("stall at=3 on=getstatus count=2");
	for (unsigned i = 1; i <= 6; i++) {
		assert_int_equal(bench_getstatus(&b), i == 3 || i == 4 ? USB_STALL : USB_OK);
		assert_int_equal(bench_upload(&b, 2, 16), USB_OK);
		assert_int_equal(bench_abort(&b), USB_OK);
	}
	assert_int_equal(drone_counters(b.d)->fates, 2);
}

TEST_SET_UP(answers_are_refused_lost_or_never_come)
{
	arm("eproto");
	assert_int_equal(bench_getstatus(&b), USB_IO);
	arm("overflow");
	assert_int_equal(bench_getstatus(&b), USB_OVERFLOW);
	arm("nomem");
	assert_int_equal(bench_getstatus(&b), USB_NOMEM);
	arm("no-answer");
	assert_int_equal(bench_getstatus(&b), USB_TIMEOUT);
	assert_int_equal(bench_getstatus(&b), USB_OK);
	arm("lost-ack on=upload");
	assert_int_equal(bench_upload(&b, 2, 16), USB_IO);
	assert_int_equal(drone_dfu_state(b.d), 9); /* it was done */
	arm("silent");
	assert_int_equal(bench_getstatus(&b), USB_TIMEOUT);
	assert_int_equal(bench_getstatus(&b), USB_TIMEOUT);
	drone_disarm(b.d);
	assert_int_equal(bench_getstatus(&b), USB_OK);
}

TEST_SET_UP(late_is_done_at_once_and_slow_is_just_in_time)
{
	struct usb_xfer x = { .kind = USB_CONTROL,
			      .setup = { 0x21, 6, 0, 0, 0 },
			      .timeout_ms = 1000 };

	assert_int_equal(bench_upload(&b, 2, 16), USB_OK);
	arm("late value=5000");
	assert_int_equal(bench_transfer(&b, &x, 1000000), USB_TIMEOUT);
	assert_int_equal(drone_dfu_state(b.d), 2);
	arm("slow");
	assert_int_equal(bench_transfer(&b, &x, 1000000), USB_OK);
	assert_int_equal(b.took_us, 995000);
	assert_int_equal(bench_transfer(&b, &x, 1000000), USB_OK);
	assert_int_equal(b.took_us, 995000);
}

TEST_SET_UP(status_and_state_are_twisted)
{
	arm("status value=7");
	assert_int_equal(bench_getstatus(&b), USB_OK);
	assert_int_equal(b.data[0], 7);
	assert_int_equal(b.data[4], 10);
	assert_int_equal(bench_clrstatus(&b), USB_OK);
	arm("wrong-state value=9");
	assert_int_equal(bench_getstatus(&b), USB_OK);
	assert_int_equal(b.data[0], 0);
	assert_int_equal(b.data[4], 9);
	assert_int_equal(drone_dfu_state(b.d), 2);
	arm("wrong-state value=0x305");
	assert_int_equal(bench_getstatus(&b), USB_OK);
	assert_int_equal(b.data[0], 3);
	assert_int_equal(b.data[4], 5);
	assert_int_equal(bench_getstatus(&b), USB_OK);
	assert_int_equal(b.data[0], 0);
	assert_int_equal(drone_dfu_state(b.d), 2);
	arm("poll-huge");
	assert_int_equal(bench_getstatus(&b), USB_OK);
	assert_int_equal(bench_poll_ms(&b), 0xFFFFFF);
	arm("status value=11 on=upload");
	assert_int_equal(bench_upload(&b, 2, 16), USB_STALL);
	assert_int_equal(bench_getstatus(&b), USB_OK);
	assert_int_equal(b.data[0], 11);
}

TEST_SET_UP(bits_flip_on_the_way_in_and_out)
{
	uint8_t zeros[16] = { 0 }, back[16];

	assert_int_equal(bench_do(&b, 0x41, 0x08010000), 0);
	assert_int_equal(bench_do(&b, 0x21, 0x08010000), 0);
	arm("flip-write on=data value=9");
	assert_int_equal(bench_write(&b, 2, zeros, 16), 0);
	drone_peek(b.d, b.now, 0x08010000, back, 16);
	assert_int_equal(back[1], 0x02);
	assert_int_equal(bench_abort(&b), USB_OK);
	arm("flip-read on=upload value=0");
	assert_int_equal(bench_upload(&b, 2, 16), USB_OK);
	assert_int_equal(b.data[0], 0x01);
	arm("short on=upload");
	assert_int_equal(bench_upload(&b, 2, 16), USB_OK);
	assert_int_equal(b.length, 8);
	arm("garbage on=upload");
	assert_int_equal(bench_upload(&b, 2, 16), USB_OK);
	assert_int_equal(b.length, 16);
}

TEST_SET_UP(an_operation_can_last_for_ever)
{
	arm("busy-forever on=command");
	assert_int_equal(bench_command(&b, 0x41, 0x08004000), USB_OK);
	assert_int_equal(bench_getstatus(&b), USB_OK);
	assert_int_equal(b.data[4], 4);
	assert_int_equal(bench_getstatus(&b), USB_TIMEOUT);
	assert_int_equal(bench_abort(&b), USB_TIMEOUT);
}

TEST_SET_UP(devices_vanish_and_return)
{
	arm("disconnect back=200");
	assert_int_equal(bench_getstatus(&b), USB_GONE);
	bench_wait(&b, 300000);
	assert_int_equal(drone_personality(b.d), DRONE_ROM);
	assert_int_equal(drone_dfu_state(b.d), 10);
	arm("reset-runtime");
	assert_int_equal(bench_getstatus(&b), USB_GONE);
	bench_wait(&b, 3000000);
	assert_int_equal(drone_personality(b.d), DRONE_RUNTIME);
	arm("power-loss on=vendor");
	assert_int_equal(bench_control(&b, 0x40, 1, 1, 1, NULL, 0), USB_GONE);
	bench_wait(&b, 3000000);
	assert_int_equal(drone_personality(b.d), DRONE_OFF);
	drone_plug(b.d, b.now);
	bench_wait(&b, 3000000);
	assert_int_equal(drone_personality(b.d), DRONE_RUNTIME);
	arm("no-switch");
	(void)bench_control(&b, 0x40, 1, 1, 2, NULL, 0);
	bench_wait(&b, 3000000);
	assert_int_equal(drone_personality(b.d), DRONE_RUNTIME);
	arm("switch-lost");
	(void)bench_control(&b, 0x40, 1, 1, 2, NULL, 0);
	bench_wait(&b, 9000000);
	assert_int_equal(drone_personality(b.d), DRONE_OFF);
}

static void
leave(void)
{
	assert_int_equal(bench_do(&b, 0x21, 0x08004000), 0);
	assert_int_equal(bench_dnload(&b, 0, NULL, 0), USB_OK);
	assert_int_equal(bench_getstatus(&b), USB_OK);
	bench_wait(&b, 3000000);
}

TEST_SET_UP(leaving_goes_where_fate_wants)
{
	arm("leave-dfu");
	leave();
	assert_int_equal(drone_personality(b.d), DRONE_ROM);
	assert_int_equal(bench_clrstatus(&b), USB_OK);
	arm("no-leave");
	leave();
	assert_int_equal(drone_personality(b.d), DRONE_ROM);
	assert_int_equal(drone_dfu_state(b.d), 7);
	bench_enter_dfu(&b);
	arm("leave-runtime");
	leave();
	assert_int_equal(drone_personality(b.d), DRONE_RUNTIME);
	bench_enter_dfu(&b);
	arm("leave-nothing");
	leave();
	assert_int_equal(drone_personality(b.d), DRONE_OFF);
}

TEST_SET_UP(a_liar_echoes_and_keeps_its_flash)
{
	uint8_t before[64], after[64];

	drone_peek(b.d, b.now, 0x08004000, before, 64);
	arm("liar");
	assert_int_equal(bench_do(&b, 0x41, 0x08004000), 0);
	assert_int_equal(bench_do(&b, 0x21, 0x08004000), 0);
	assert_int_equal(bench_write(&b, 2, "abcd", 4), 0);
	assert_int_equal(bench_abort(&b), USB_OK);
	assert_int_equal(bench_upload(&b, 2, 6), USB_OK);
	assert_memory_equal(b.data, "abcd\xFF\xFF", 6);
	drone_peek(b.d, b.now, 0x08004000, after, 64);
	assert_memory_equal(before, after, 64);
}

TEST_SET_UP(strings_can_be_missing_cut_or_hostile)
{
	struct sighting s;

	arm("no-serial");
	bench_enter_dfu(&b);
	drone_describe(b.d, &s);
	assert_string_equal(s.serial, "");
	arm("cut-strings");
	bench_enter_dfu(&b);
	drone_describe(b.d, &s);
	assert_true(strlen(s.serial) < 12);
	arm("hostile-strings");
	bench_enter_dfu(&b);
	drone_describe(b.d, &s);
	assert_non_null(strchr(s.serial, '\x1b'));
	arm("dup-serial");
	bench_enter_dfu(&b);
	drone_describe(b.d, &s);
	assert_string_equal(s.serial, "FFFFFFFEFFFF");
	bench_enter_dfu(&b);
	drone_describe(b.d, &s);
	assert_int_equal(strlen(s.serial), 12);
}

TEST_SET_UP(opening_can_fail_for_a_while)
{
	arm("open-busy count=2");
	arm("open-access");
	assert_int_equal(drone_open_error(b.d), -EBUSY);
	assert_int_equal(drone_open_error(b.d), -EBUSY);
	assert_int_equal(drone_open_error(b.d), -EACCES);
	assert_int_equal(drone_open_error(b.d), 0);
}

TEST_SET_UP(fates_are_limited)
{
	struct fate f = { .kind = FATE_STALL, .at = 100000 };

	for (unsigned i = 0; i < DRONE_FATES_MAX; i++)
		assert_int_equal(drone_arm(b.d, &f), 0);
	assert_int_equal(drone_arm(b.d, &f), -ENOSPC);
}

/* A transfer that a careless, broken or hostile host might send. */
static void
draw_transfer(struct rng *r, struct usb_xfer *x, uint8_t *data)
{
	static const uint8_t types[] = {
		0x21, 0xA1, 0xA1, 0x21, 0x80, 0x81, 0x40, 0x00, 0x01, 0xC1
	};
	static const uint32_t addrs[] = { 0x08004000, 0x08000000, 0x080E0000,
					  0x08100000, 0x1FFF7800, 0xFFFF0000,
					  0x1FFFC000, 0x64000000, 0x00000000 };
	unsigned kind = (unsigned)rng_between(r, 0, 9);

	memset(x, 0, sizeof(*x));
	for (unsigned i = 0; i < 16; i++)
		data[i] = (uint8_t)rng_next(r);
	x->data = data;
	x->timeout_ms = 100;
	x->kind = kind == 0   ? USB_BULK_IN
		  : kind == 1 ? USB_BULK_OUT
		  : kind == 2 ? USB_RESET
			      : USB_CONTROL;
	x->endpoint = x->kind == USB_BULK_IN ? 0x81 : 0x01;
	x->length = (uint32_t)rng_between(r, 0, kind % 2 ? 8 : 2100);
	if (x->kind != USB_CONTROL)
		return;
	x->setup.request_type = types[rng_between(r, 0, ARRAY_LEN(types) - 1)];
	x->setup.request = (uint8_t)rng_between(r, 0, 12);
	x->setup.value = (uint16_t)rng_between(r, 0, kind == 9 ? 0xFFFF : 3);
	x->setup.index = (uint16_t)rng_between(r, 0, 2);
	if (kind > 5) { /* likely ones: a command, a status */
		x->setup.request_type = kind > 7 ? 0x21 : 0xA1;
		x->setup.request = kind > 7 ? 1 : 3;
		x->setup.value = 0;
		x->length = kind > 7 ? (uint32_t[]){ 5, 1, 0, 5 }[rng_next(r) % 4] : 6;
		data[0] = (uint8_t[]){ 0x21, 0x41, 0x92, 0x21 }[rng_next(r) % 4];
		put_le32(data + 1, addrs[rng_next(r) % ARRAY_LEN(addrs)]);
	}
	x->setup.length = (uint16_t)x->length;
}

TEST_SET_UP(no_host_and_no_fate_breaks_the_model)
{
	static uint8_t data[4096];
	struct rng r;

	rng_init(&r, 2024);
	for (unsigned life = 0; life < 150; life++) {
		struct drone_config c;

		drone_config_init(&c, life);
		drone_timing_fast(&c.timing);
		c.model = (enum drone_model)rng_between(&r, 0, DRONE_MODEL_COUNT - 1);
		c.kind = (enum drone_kind)rng_between(&r, 0, DRONE_KIND_COUNT - 1);
		c.reboot = (enum drone_reboot)rng_between(&r, 0, DRONE_REBOOT_COUNT - 1);
		drone_free(b.d);
		bench_begin(&b, &c);
		for (unsigned i = 0; i < 120; i++) {
			struct fate f = { .kind =
					      (enum fate_kind)rng_between(&r, 0, FATE_COUNT - 1),
					  .at = (uint32_t)rng_between(&r, 0, 4),
					  .back_ms = (uint32_t)rng_between(&r, 0, 30) };
			struct usb_xfer x;

			if (i % 8 == 0)
				(void)!drone_arm(b.d, &f);
			if (drone_personality(b.d) == DRONE_OFF && rng_next(&r) % 2)
				drone_plug(b.d, b.now);
			else if (drone_personality(b.d) == DRONE_OFF)
				drone_button(b.d, b.now);
			if (rng_next(&r) % 64 == 0)
				drone_unplug(b.d, b.now);
			bench_wait(&b, rng_between(&r, 0, 40000));
			draw_transfer(&r, &x, data);
			(void)bench_transfer(&b, &x, 200000);
			assert_false(drone_in_flight(b.d, drone_channel_of(&x)));
		}
	}
}

TEST_MAIN(NULL)
