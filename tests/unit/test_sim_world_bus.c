/* SPDX-License-Identifier: MIT */
/*
 * The kernel's hub workers, the controller's lock and the translators of the simulated world,
 * against times computed by hand from doc/rack.md 1 to 3.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "test.h"

#include "sim/bound.h"
#include "sim/tiny.h"
#include "sim/world.h"

#define MS 1000
#define BOOT_US (1000 * MS)
#define NOTICE_US 100 /* from a change to the pass that finds it */
#define HEARD_MAX 64
#define BLOCK 2048
#define IMAGE_BYTES 16384U

struct heard {
	char what; /* s, g, e */
	char port[PORT_TEXT_MAX];
	uint64_t at_us, arrival;
};

static struct world *w;
static struct heard heard[HEARD_MAX];
static unsigned heard_count;

static void
note(char what, const char *port, uint64_t arrival)
{
	struct heard *h = &heard[heard_count];

	if (heard_count == HEARD_MAX)
		return;
	heard_count++;
	h->what = what;
	h->at_us = world_now_us(w);
	h->arrival = arrival;
	copy_text(h->port, sizeof(h->port), port);
}

static void
on_sighted(void *ctx, const struct sighting *s)
{
	(void)ctx;
	note('s', s->port, s->arrival);
}

static void
on_gone(void *ctx, const char *port, uint64_t arrival)
{
	(void)ctx;
	note('g', port, arrival);
}

static void
on_ended(void *ctx, uint64_t id, enum usb_xfer_kind kind, enum usb_status status,
	 const uint8_t *data, size_t length)
{
	(void)ctx;
	(void)kind;
	(void)data;
	(void)length;
	assert_int_equal(status, USB_OK);
	note('e', "", id);
}

static const struct world_callbacks callbacks = { .sighted = on_sighted,
						  .gone = on_gone,
						  .ended = on_ended };

static int
setup(void **state)
{
	(void)state;
	heard_count = 0;
	return world_new(1, &callbacks, NULL, &w);
}

static int
teardown(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

#define TEST_SET_UP(name) TEST_WITH(name, setup, teardown)

static void
kernel(bool told_each, bool fast)
{
	struct world_kernel k;

	world_kernel_init(&k, fast);
	k.told_each = told_each;
	world_set_kernel(w, &k);
}

static void
run_until(uint64_t us)
{
	while (world_next_us(w) <= us)
		assert_true(world_run_one(w));
	world_advance(w, us);
}

static void
add(const char *port)
{
	static uint64_t seed;
	struct tiny t = { "CF20,CF21", "2025.02", "0123456789ab", 0, 3 };
	struct drone_config c;
	uint8_t image[IMAGE_BYTES];

	drone_config_init(&c, ++seed);
	c.timing.boot_min_ms = c.timing.boot_max_ms = BOOT_US / MS;
	assert_int_equal(world_add(w, port, NULL, NULL, &c), 0);
	tiny_make(&t, image, sizeof(image));
	assert_int_equal(drone_load(world_drone(w, port), TINY_ADDR, image, sizeof(image)), 0);
}

/* The drone is on the bus BOOT_US later. */
static void
put(const char *port)
{
	add(port);
	assert_int_equal(world_plug(w, port), 0);
}

/* The order within one instant is drawn. */
static void
expect(char what, const char *port, uint64_t at_us)
{
	for (unsigned i = 0; i < heard_count; i++)
		if (heard[i].what == what && strcmp(heard[i].port, port) == 0 &&
		    heard[i].at_us == at_us)
			return;
	for (unsigned i = 0; i < heard_count; i++)
		print_message("heard: %c %s at %llu\n", heard[i].what, heard[i].port,
			      (unsigned long long)heard[i].at_us);
	fail_msg("not heard: %c %s at %llu", what, port, (unsigned long long)at_us);
}

/* ---- hub workers ---- */

TEST_SET_UP(devices_of_a_root_hub_come_in_the_order_of_its_ports_one_after_the_other)
{
	kernel(true, false);
	put("1-10");
	put("1-2");
	put("1-1");
	run_until(5000 * MS);
	assert_int_equal(heard_count, 3);
	expect('s', "1-1", BOOT_US + NOTICE_US + 430 * MS);
	expect('s', "1-2", BOOT_US + NOTICE_US + 860 * MS);
	expect('s', "1-10", BOOT_US + NOTICE_US + 1290 * MS);
}

TEST_SET_UP(fast_enum_takes_a_tenth_of_a_second_less_for_each)
{
	kernel(true, true);
	put("1-1");
	put("1-2");
	put("2-1.1");
	run_until(5000 * MS);
	expect('s', "2-1.1", BOOT_US + NOTICE_US + 180 * MS);
	expect('s', "1-1", BOOT_US + NOTICE_US + 330 * MS);
	expect('s', "1-2", BOOT_US + NOTICE_US + 660 * MS);
}

TEST_SET_UP(without_the_seat_line_all_are_told_when_the_pass_is_over)
{
	kernel(false, false);
	put("1-1");
	put("1-2");
	put("1-3");
	run_until(5000 * MS);
	assert_int_equal(heard_count, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(heard[i].at_us, BOOT_US + NOTICE_US + 1290 * MS);
}

/* Port 1 is enumerated first; it leaves while port 2 is, and waits for the end of the pass. */
TEST_SET_UP(a_lone_disconnect_waits_for_the_next_pass_and_keeps_the_worker)
{
	kernel(true, false);
	put("1-1");
	put("1-2");
	put("1-3");
	run_until(BOOT_US + 500 * MS);
	assert_int_equal(world_unplug(w, "1-1"), 0);
	run_until(BOOT_US + 1200 * MS);
	put("1-4"); /* on the bus when the worker has long been idle */
	run_until(5000 * MS);
	assert_int_equal(heard_count, 5);
	expect('s', "1-1", BOOT_US + NOTICE_US + 430 * MS);
	expect('s', "1-2", BOOT_US + NOTICE_US + 860 * MS);
	expect('s', "1-3", BOOT_US + NOTICE_US + 1290 * MS);
	expect('g', "1-1", BOOT_US + NOTICE_US + 1290 * MS);
	expect('s', "1-4", 2 * BOOT_US + 1200 * MS + NOTICE_US + 430 * MS);
}

TEST_SET_UP(a_port_that_changes_behind_a_disconnect_is_delayed_by_it)
{
	kernel(true, false);
	put("1-1");
	run_until(3000 * MS);
	put("1-2"); /* on the bus at 4 s */
	run_until(4000 * MS - 50 * MS);
	assert_int_equal(world_unplug(w, "1-1"), 0);
	run_until(6000 * MS);
	expect('g', "1-1", 3950 * MS + NOTICE_US);
	expect('s', "1-2", 3950 * MS + NOTICE_US + 140 * MS + 430 * MS);
}

/* Port 1 leaves and comes again while the worker has ports 2 and 3 to do. */
TEST_SET_UP(a_disconnect_and_a_new_arrival_found_together_cost_one_enumeration)
{
	kernel(true, false);
	put("1-1");
	put("1-2");
	put("1-3");
	run_until(BOOT_US + 440 * MS);
	assert_int_equal(world_glitch(w, "1-1", 200), 0);
	run_until(5000 * MS);
	assert_int_equal(heard_count, 5);
	expect('g', "1-1", BOOT_US + NOTICE_US + 1290 * MS);
	expect('s', "1-1", BOOT_US + NOTICE_US + 1720 * MS);
	assert_int_equal(heard[4].arrival, 4);
}

/* Port 3 changes while port 2 is at work, and is taken in the same pass: before port 1. */
TEST_SET_UP(a_pass_takes_what_changes_before_it)
{
	kernel(true, false);
	put("1-1");
	put("1-2");
	run_until(500 * MS);
	put("1-3"); /* on the bus at 1.5 s */
	run_until(BOOT_US + 440 * MS);
	assert_int_equal(world_glitch(w, "1-1", 50), 0); /* ... at 1.49 s */
	run_until(5000 * MS);
	assert_int_equal(heard_count, 5);
	expect('s', "1-2", BOOT_US + NOTICE_US + 860 * MS);
	expect('s', "1-3", BOOT_US + NOTICE_US + 1290 * MS);
	expect('g', "1-1", BOOT_US + NOTICE_US + 1290 * MS);
	expect('s', "1-1", BOOT_US + NOTICE_US + 1720 * MS);
}

TEST_SET_UP(a_device_that_leaves_before_it_is_told_is_not_heard_of)
{
	kernel(true, false);
	put("1-1");
	put("1-2");
	run_until(BOOT_US + 500 * MS);
	assert_int_equal(world_unplug(w, "1-2"), 0);
	run_until(5000 * MS);
	assert_int_equal(heard_count, 1);
	expect('s', "1-1", BOOT_US + NOTICE_US + 430 * MS);
}

/* ---- the controller's lock ---- */

/* Debounce 130 ms beside each other, address 150 ms one after the other. */
TEST_SET_UP(hubs_of_one_controller_take_turns_with_the_address_only)
{
	kernel(true, false);
	put("1-1.1");
	put("1-2.1");
	put("1-3.1");
	put("2-1.1");
	run_until(5000 * MS);
	assert_int_equal(heard_count, 4);
	for (unsigned i = 0, n = 0; i < 4; i++) {
		if (heard[i].port[0] == '2')
			assert_int_equal(heard[i].at_us, BOOT_US + NOTICE_US + 280 * MS);
		else
			assert_int_equal(heard[i].at_us,
					 BOOT_US + NOTICE_US + (280 + 150 * (uint64_t)n++) * MS);
	}
}

/* 130 + 7 x 150 for each hub's first, and so on: the lock is never free. */
TEST_SET_UP(seven_hubs_of_seven_are_limited_by_the_lock)
{
	char port[16];

	kernel(true, false);
	for (unsigned i = 0; i < 49; i++) {
		(void)snprintf(port, sizeof(port), "1-%u.%u", i / 7 + 1, i % 7 + 1);
		put(port);
	}
	run_until(20000 * MS);
	assert_int_equal(heard_count, 49);
	assert_int_equal(heard[48].at_us, BOOT_US + NOTICE_US + (130 + 49 * 150) * MS);
}

TEST_SET_UP(without_the_lock_hubs_do_not_know_of_each_other)
{
	struct world_kernel k;

	world_kernel_init(&k, false);
	k.address_us = 0;
	world_set_kernel(w, &k);
	put("1-1.1");
	put("1-1.2");
	put("1-2.1");
	run_until(5000 * MS);
	assert_int_equal(heard[0].at_us, BOOT_US + NOTICE_US + 280 * MS);
	assert_int_equal(heard[1].at_us, BOOT_US + NOTICE_US + 280 * MS);
	assert_int_equal(heard[2].at_us, BOOT_US + NOTICE_US + 560 * MS);
}

/* ---- a host that is started again ---- */

TEST_SET_UP(a_restarted_host_hears_of_what_is_enumerated_and_then_of_the_rest)
{
	kernel(true, false);
	put("1-1");
	put("1-2");
	run_until(BOOT_US + 600 * MS);
	world_host_dies(w);
	heard_count = 0;
	world_cold_plug(w);
	run_until(5000 * MS);
	assert_int_equal(heard_count, 2);
	assert_string_equal(heard[0].port, "1-1");
	assert_in_range(heard[0].at_us, BOOT_US + 600 * MS, BOOT_US + 605 * MS);
	expect('s', "1-2", BOOT_US + NOTICE_US + 860 * MS);
}

/* ---- translators ---- */

static void
translators(enum world_translating kind)
{
	struct world_translators t;

	world_translators_init(&t, kind);
	assert_int_equal(world_set_translators(w, &t), 0);
}

/* n drones in DFU mode are opened as 1.., and each is sent one block at the same instant. */
static uint64_t
send_blocks(const char *const *ports, unsigned n)
{
	static uint8_t block[BLOCK];
	struct usb_xfer clear = { .kind = USB_CONTROL,
				  .setup = { 0x21, 4, 0, 0, 0 },
				  .timeout_ms = 1000 };
	struct usb_xfer send = { .kind = USB_CONTROL,
				 .setup = { 0x21, 1, 2, 0, BLOCK },
				 .data = block,
				 .length = BLOCK,
				 .timeout_ms = 1000 };
	uint64_t begun;

	for (unsigned i = 0; i < n; i++) {
		add(ports[i]);
		assert_int_equal(world_button_entry(w, ports[i]), 0);
	}
	run_until(4000 * MS);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(world_open(w, i + 1, world_arrival(w, ports[i])), 0);
	run_until(4010 * MS);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(world_submit(w, i + 1, &clear), 0);
	run_until(4100 * MS);
	heard_count = 0;
	begun = world_now_us(w);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(world_submit(w, i + 1, &send), 0);
	run_until(5000 * MS);
	assert_int_equal(heard_count, n);
	return begun;
}

TEST_SET_UP(a_block_without_a_translator_takes_what_it_always_took)
{
	static const char *const ports[] = { "1-1", "1-2" };
	uint64_t begun;

	translators(WORLD_WIRE_LIMITED);
	begun = send_blocks(ports, 2);
	assert_int_equal(heard[0].at_us - begun, 350 + 2457);
	assert_int_equal(heard[1].at_us - begun, 350 + 2457);
	assert_int_equal(world_translator_busy_us(w, "1-1"), 0);
}

TEST_SET_UP(a_wire_limited_translator_overlaps_blocks)
{
	static const char *const ports[] = { "1-1.1", "1-1.2", "1-1.3", "1-2.1" };
	uint64_t begun;

	translators(WORLD_WIRE_LIMITED);
	begun = send_blocks(ports, 4);
	assert_int_equal(heard[0].at_us - begun, 5000);
	assert_int_equal(heard[1].at_us - begun, 5000); /* the other hub's */
	assert_int_equal(heard[2].at_us - begun, 5000 + 1750);
	assert_int_equal(heard[3].at_us - begun, 5000 + 2 * 1750);
	assert_int_equal(world_translator_busy_us(w, "1-1.1"), 3 * 1750);
}

TEST_SET_UP(a_serial_translator_takes_one_block_after_the_other)
{
	static const char *const ports[] = { "1-1.1", "1-1.2", "1-1.3" };
	uint64_t begun;

	translators(WORLD_SERIAL);
	begun = send_blocks(ports, 3);
	assert_int_equal(heard[0].at_us - begun, 5000);
	assert_int_equal(heard[1].at_us - begun, 5000 + 4200);
	assert_int_equal(heard[2].at_us - begun, 5000 + 2 * 4200);
}

/* With two in flight all is well; the third costs every block half as much again. */
TEST_SET_UP(a_crowd_makes_a_thrashing_translator_slow)
{
	static const char *const ports[] = { "1-1.1", "1-1.2", "1-1.3" };
	struct world_translators t;
	uint64_t begun;

	world_translators_init(&t, WORLD_THRASHING);
	t.crowd = 2;
	t.crowd_permille = 500;
	assert_int_equal(world_set_translators(w, &t), 0);
	begun = send_blocks(ports, 3);
	assert_int_equal(heard[0].at_us - begun, 6300);
	assert_int_equal(heard[1].at_us - begun, 2 * 6300);
	assert_int_equal(heard[2].at_us - begun, 3 * 6300);
}

TEST_SET_UP(what_a_translator_holds_can_be_cancelled_and_times_out)
{
	static const char *const ports[] = { "1-1.1", "1-1.2" };
	struct usb_xfer ask = {
		.kind = USB_CONTROL, .setup = { 0xA1, 5, 0, 0, 1 }, .length = 1, .timeout_ms = 1000
	};

	translators(WORLD_SERIAL);
	(void)send_blocks(ports, 2);
	heard_count = 0;
	assert_int_equal(world_submit(w, 1, &ask), 0);
	run_until(world_now_us(w) + 351); /* the device has ended it, the host has not heard */
	assert_true(world_in_flight(w, 1));
	assert_true(world_cancel(w, 1, DRONE_CONTROL));
	run_until(world_now_us(w) + 1000 * MS);
	assert_int_equal(heard_count, 0);
	assert_int_equal(world_submit(w, 1, &ask), 0);
	world_close(w, 1);
	run_until(world_now_us(w) + 1000 * MS);
	assert_int_equal(heard_count, 0);
}

/* ---- bounds ---- */

/* Drones of one second's boot and gap, an image of 2 KiB in sector 1. */
static void
bound(unsigned hubs, unsigned per_hub, const struct world_translators *t, struct bound *ret)
{
	struct bound_hub hub[8];
	struct drone_config c;
	struct world_kernel k;
	struct bound_rack rack = { .drone = &c,
				   .image = { 0x08004000, BLOCK },
				   .kernel = &k,
				   .translators = t,
				   .hubs = hub,
				   .hub_count = hubs };

	drone_config_init(&c, 1);
	c.timing.boot_min_ms = c.timing.gap_min_ms = BOOT_US / MS;
	world_kernel_init(&k, false);
	for (unsigned i = 0; i < hubs; i++)
		hub[i] = (struct bound_hub){ 0, false, per_hub };
	bound_of(&rack, ret);
}

TEST(the_bound_of_a_hub_is_that_of_its_last_drone)
{
	static const struct world_translators none;
	struct bound b;

	bound(1, 7, &none, &b);
	/* SPEC: erase 400 ms (16 KiB), 16 us a byte, 1.2 us a byte each way (doc/protocol.md 6). */
	assert_int_equal(b.dfu_us, 400 * MS + BLOCK * 16 + 2 * 2457);
	assert_int_equal(b.life_us, b.dfu_us + (1280 + 1280 + 1280) * MS);
	assert_int_equal(b.last_us, b.dfu_us + (1000 + 7 * 280 + 1280 + 1280) * MS);
	assert_int_equal(b.hub_us, (1000 + 3 * 7 * 280) * MS);
	assert_int_equal(b.controller_us, (1000 + 3 * 7 * 150) * MS);
	assert_int_equal(b.twice_us, b.dfu_us + (1000 + 2 * 7 * 280 + 1280) * MS);
	assert_int_equal(b.all_us, b.hub_us);
}

TEST(the_lock_bounds_seven_hubs)
{
	static const struct world_translators none;
	struct bound b;

	bound(7, 7, &none, &b);
	assert_int_equal(b.last_us, b.dfu_us + (1000 + 130 + 49 * 150 + 1280 + 1280) * MS);
	assert_int_equal(b.twice_us, b.dfu_us + (1000 + 130 + 2 * 49 * 150 + 1280) * MS);
	assert_int_equal(b.controller_us, (1000 + 3 * 49 * 150) * MS);
	assert_int_equal(b.all_us, b.controller_us);
}

TEST(a_translator_bounds_by_the_blocks_of_all_its_drones)
{
	struct world_translators t;
	struct bound b;

	world_translators_init(&t, WORLD_SERIAL);
	bound(1, 7, &t, &b);
	assert_int_equal(b.dfu_us, 400 * MS + BLOCK * 16 + 2 * (5000 - 350));
	assert_int_equal(b.translator_us, (3 * 1280) * MS + 7 * 2 * 4200);
}

TEST_MAIN(NULL)
