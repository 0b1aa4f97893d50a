/* SPDX-License-Identifier: MIT */
/* Rows P and H: what devices do, and what some only pretend. */
#include "config.h"

#include "flow/scenes.h"

#define PORT "1-4"

static void
flash_it(struct scene *x)
{
	add(x, PORT);
	plug(x, PORT);
	settle(x);
}

SCENE(a_device_that_says_busy_far_beyond_its_own_poll_time_is_waited_for)
{
	struct scene *x = *state;

	x->config.kind = DRONE_KIND_DNBUSY;
	x->config.poll_erase_ms = x->config.poll_write_ms = x->config.poll_busy_ms = 0;
	x->config.timing.flash_permille = 2000; /* the data sheet's maximum */
	flash_it(x);
	expect_good(x, PORT);
}

SCENE(a_device_that_says_busy_for_ever_is_stuck)
{
	struct scene *x = *state;

	x->config.kind = DRONE_KIND_DNBUSY;
	x->config.poll_busy_ms = 0;
	add(x, PORT);
	arm(x, PORT, "busy-forever at=2 on=command in=dfu count=100");
	plug(x, PORT);
	settle(x);
	expect_fault(x, PORT, FAULT_STUCK);
}

SCENE(a_device_that_stalls_early_questions_is_flashed)
{
	struct scene *x = *state;

	x->config.kind = DRONE_KIND_STALL_EARLY;
	flash_it(x);
	expect_good(x, PORT);
	assert_true(last(x, PORT)->record.obey);
}

SCENE(poll_times_of_nothing_and_of_hours_are_clamped)
{
	struct scene *x = *state;

	x->options.fleet.job.obey = true;
	x->config.poll_erase_ms = 0xFFFFFF;
	x->config.poll_write_ms = 0;
	flash_it(x);
	expect_good(x, PORT);
	assert_true(world_now_us(station_world(x->s)) < 180 * SECOND);
}

SCENE(a_read_protected_drone_is_told_so_and_never_unprotected)
{
	struct scene *x = *state;

	x->config.read_protected = true;
	flash_it(x);
	expect_fault(x, PORT, FAULT_PROTECTED);
	assert_int_equal(drone_counters(drone_at(x, PORT))->unprotects, 0);
	assert_int_equal(drone_counters(drone_at(x, PORT))->mass_erases, 0);
}

/* With option bytes that can be read it is known before the first erase, without them after it. */
SCENE(a_write_protected_sector_is_called_that)
{
	struct scene *x = *state;
	static const char *const ports[] = { "1-1", "1-2", "1-3", "1-4" };

	for (unsigned i = 0; i < ARRAY_LEN(ports); i++) {
		x->config.options_readable = i % 2 == 0;
		/* The first sector of the application, then another one. */
		x->config.write_protected = (uint16_t)(1U << (i < 2 ? 1 : 2));
		add(x, ports[i]);
		plug(x, ports[i]);
	}
	settle(x);
	for (unsigned i = 0; i < ARRAY_LEN(ports); i++) {
		const struct drone_counters *n = drone_counters(drone_at(x, ports[i]));

		expect_fault(x, ports[i], FAULT_PROTECTED);
		assert_true(last(x, ports[i])->verdict.has_addr);
		assert_in_range(last(x, ports[i])->verdict.addr, i < 2 ? 0x08004000 : 0x08008000,
				i < 2 ? 0x08007FFF : 0x0800BFFF);
		if (i % 2 == 0)
			assert_int_equal(n->erases, 0);
		assert_true(
		    drone_would_boot(drone_at(x, ports[i]), world_now_us(station_world(x->s))) ==
		    (i % 2 == 0 || i < 2));
	}
}

SCENE(a_bit_that_differs_once_is_repaired_and_counted)
{
	struct scene *x = *state;

	add(x, PORT);
	arm(x, PORT, "flip-write at=5 on=data in=dfu value=77");
	plug(x, PORT);
	settle(x);
	expect_good(x, PORT);
	assert_int_equal(last(x, PORT)->record.repairs, 1);
}

SCENE(another_memory_map_is_never_written)
{
	struct scene *x = *state;

	copy_text(x->config.layout[0], sizeof(x->config.layout[0]),
		  "@Internal Flash  /0x08000000/04*016Kg,01*064Kg,03*128Kg");
	add(x, PORT);
	plug(x, PORT);
	settle(x);
	expect_fault(x, PORT, FAULT_WRONG_CHIP);
	assert_int_equal(drone_counters(drone_at(x, PORT))->erases, 0);
}

SCENE(invalid_descriptors_end_the_attempt_before_a_write)
{
	struct scene *x = *state;
	static const enum drone_descriptors kinds[] = { DRONE_DESCRIPTORS_CUT,
							DRONE_DESCRIPTORS_COMPOSITE,
							DRONE_DESCRIPTORS_CROWDED };
	static const char *const ports[] = { "1-1", "1-2", "1-3" };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		x->config.descriptors = kinds[i];
		add(x, ports[i]);
		plug(x, ports[i]);
	}
	settle(x);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		expect_fault(x, ports[i], FAULT_DESCRIPTOR);
		assert_int_equal(drone_counters(drone_at(x, ports[i]))->erases, 0);
	}
}

static void
note_length(void *ctx, const struct request *c)
{
	uint32_t *longest = ctx;

	if ((c->xfer.setup.request_type & 0x60) == 0x20 && c->xfer.setup.length > *longest)
		*longest = c->xfer.setup.length;
}

SCENE(a_transfer_size_that_cannot_be_worked_with_is_refused_untouched)
{
	struct scene *x = *state;
	uint32_t longest = 0;
	static const uint32_t sizes[] = {
		DRONE_TRANSFER_SIZE_ZERO, 1, 7, 62, 65535, 65534, 16384, 8192, 4098, 4096, 1024, 64
	};
	static const char *const ports[] = { "1-1", "1-2", "1-3", "1-4",  "1-5",  "1-6",
					     "1-7", "1-8", "1-9", "1-10", "1-11", "1-12" };
	size_t refused = 9; /* of them, from the front; a device takes what it announces */

	begin(x);
	station_watch(x->s, note_length, &longest);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		x->config.transfer_size = sizes[i];
		add(x, ports[i]);
		plug(x, ports[i]);
	}
	settle(x);
	for (size_t i = 0; i < refused; i++) {
		expect_fault(x, ports[i], FAULT_DESCRIPTOR);
		assert_int_equal(drone_counters(drone_at(x, ports[i]))->erases, 0);
		assert_int_equal(drone_counters(drone_at(x, ports[i]))->blocks_written, 0);
	}
	for (size_t i = refused; i < ARRAY_LEN(sizes); i++)
		expect_good(x, ports[i]);
	assert_int_equal(longest, USB_TRANSFER_BYTES_MAX);
}

SCENE(a_device_that_describes_itself_otherwise_than_before_is_not_erased)
{
	struct scene *x = *state;
	uint32_t longest = 0;

	/* Read again it says 64 bytes, and goes on to work with 2048. */
	x->config.descriptors = DRONE_DESCRIPTORS_CHANGING;
	add(x, PORT);
	arm(x, PORT, "stall at=20 in=dfu count=1000");
	plug(x, PORT);
	settle(x);
	expect_fault(x, PORT, FAULT_STALL);
	drone_disarm(drone_at(x, PORT));
	station_watch(x->s, note_length, &longest);
	assert_int_equal(station_retry(x->s, PORT, false), 0);
	settle(x);
	assert_int_equal(longest, 64);
	expect_fault(x, PORT, FAULT_REFUSED);
	assert_int_equal(drone_counters(drone_at(x, PORT))->erases, 0);
}

SCENE(a_foreign_device_in_dfu_mode_is_only_read)
{
	struct scene *x = *state;

	x->config.model = DRONE_OTHER_DFU;
	begin(x);
	station_add(x->s, PORT, &x->config, NULL);
	plug(x, PORT);
	settle(x);
	assert_int_equal(view(x, PORT).state, SLOT_FOREIGN);
	assert_int_equal(station_rows(x->s), 0);
	assert_int_equal(drone_counters(drone_at(x, PORT))->erases, 0);
	assert_int_equal(drone_counters(drone_at(x, PORT))->blocks_written, 0);
}

SCENE(another_makers_serial_port_gets_no_request)
{
	struct scene *x = *state;

	x->config.model = DRONE_OTHER_VCP;
	begin(x);
	station_add(x->s, PORT, &x->config, NULL);
	plug(x, PORT);
	settle(x);
	assert_int_equal(drone_counters(drone_at(x, PORT))->beyond_standard, 0);
	assert_int_equal(station_rows(x->s), 0);
}

SCENE(hostile_texts_of_a_drone_that_comes_back_do_not_keep_it_from_passing)
{
	struct scene *x = *state;

	add(x, PORT);
	arm(x, PORT, "hostile-strings at=3"); /* when it comes back */
	plug(x, PORT);
	settle(x);
	assert_int_equal(drone_counters(drone_at(x, PORT))->enumerations, 3);
	expect_good(x, PORT);
}

SCENE(a_device_that_answers_just_in_time_ends_at_the_deadline)
{
	struct scene *x = *state;

	add(x, PORT);
	arm(x, PORT, "slow at=1 in=dfu value=1");
	plug(x, PORT);
	settle(x);
	expect_fault(x, PORT, FAULT_DEADLINE);
	assert_in_range(last(x, PORT)->ended_us - last(x, PORT)->begun_us, 179 * SECOND,
			200 * SECOND);
}

SCENE(a_drone_that_kept_its_old_image_is_found_by_its_version)
{
	struct scene *x = *state;

	add(x, PORT);
	arm(x, PORT, "liar"); /* it reads back what it was told, and boots what it had */
	plug(x, PORT);
	settle(x);
	expect_fault(x, PORT, FAULT_WRONG_VERSION);
}

SCENE(one_drones_trouble_delays_no_other)
{
	struct scene *x = *state;

	add(x, "1-1");
	add(x, "1-2");
	arm(x, "1-1", "slow at=1 in=dfu value=1");
	plug(x, "1-1");
	plug(x, "1-2");
	settle(x);
	expect_fault(x, "1-1", FAULT_DEADLINE);
	expect_good(x, "1-2");
	assert_true(last(x, "1-2")->ended_us < 15 * SECOND);
}
