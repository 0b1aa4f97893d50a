/* SPDX-License-Identifier: MIT */
/*
 * The world: order of events, time limits, opening and closing, swaps, and a whole flash by a
 * simple host.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "test.h"

#include "sim/tiny.h"
#include "sim/world.h"

#define EVENTS_MAX 64
#define IMAGE_BYTES 16384U

/* A host that writes down what it hears, and can flash a drone the minimal way. */
struct heard {
	char what; /* s, g, o, e, c */
	uint64_t id;
	int status;
};

struct flasher {
	uint64_t id;
	unsigned step;
};

struct host {
	struct world *w;
	unsigned count;
	struct heard heard[EVENTS_MAX];
	struct sighting last;
	bool flashing;
	struct flasher flasher[512];
	unsigned done;
	uint8_t image[IMAGE_BYTES];
};

static struct host h;

static void
note(char what, uint64_t id, int status)
{
	if (h.count < EVENTS_MAX)
		h.heard[h.count++] = (struct heard){ what, id, status };
}

static void
submit(uint64_t id, uint8_t type, uint8_t request, uint16_t value, const uint8_t *data,
       uint16_t length)
{
	struct usb_xfer x = { .kind = USB_CONTROL,
			      .setup = { type, request, value, 0, length },
			      .data = data,
			      .length = length,
			      .timeout_ms = 10000 };

	assert_int_equal(world_submit(h.w, id, &x), 0);
}

/* CLRSTATUS, erase, set address, blocks, leave: three transfers an operation. */
static void
next_request(struct flasher *f)
{
	static const unsigned blocks = IMAGE_BYTES / 2048;
	uint8_t command[5] = { f->step < 4 ? 0x41 : 0x21 };
	unsigned block;

	put_le32(command + 1, TINY_ADDR);
	if (f->step == 0)
		submit(f->id, 0x21, 4, 0, NULL, 0);
	else if (f->step % 3 != 1)
		submit(f->id, 0xA1, 3, 0, NULL, 6);
	else if (f->step < 7)
		submit(f->id, 0x21, 1, 0, command, 5);
	else if ((block = (f->step - 7) / 3) < blocks)
		submit(f->id, 0x21, 1, (uint16_t)(block + 2), h.image + 2048 * block, 2048);
	else
		submit(f->id, 0x21, 1, 0, NULL, 0);
	f->step++;
}

static void
on_sighted(void *ctx, const struct sighting *s)
{
	(void)ctx;
	note('s', s->arrival, s->pid);
	h.last = *s;
	if (!h.flashing)
		return;
	if (s->pid == 0x5740 && drone_counters(world_drone(h.w, s->port))->leaves > 0) {
		h.done++;
		return;
	}
	if (s->pid == 0xdf11)
		h.flasher[s->arrival % 512] = (struct flasher){ .id = s->arrival };
	assert_int_equal(world_open(h.w, s->arrival, s->arrival), 0);
}

static void
on_gone(void *ctx, const char *port, uint64_t arrival)
{
	(void)ctx;
	(void)port;
	note('g', arrival, 0);
	if (h.flashing)
		world_close(h.w, arrival);
}

static void
on_opened(void *ctx, uint64_t id, int error, const uint8_t *descriptors, size_t length)
{
	(void)ctx;
	(void)length;
	note('o', id, error);
	if (!h.flashing || error != 0)
		return;
	if (descriptors[10] == 0x40) {
		struct usb_xfer x = { .kind = USB_CONTROL,
				      .setup = { 0x40, 1, 1, 2, 0 },
				      .timeout_ms = 1000 };

		assert_int_equal(world_submit(h.w, id, &x), 0);
	} else {
		next_request(&h.flasher[id % 512]);
	}
}

static void
on_ended(void *ctx, uint64_t id, enum usb_xfer_kind kind, enum usb_status status,
	 const uint8_t *data, size_t length)
{
	struct flasher *f = &h.flasher[id % 512];

	(void)ctx;
	(void)kind;
	note('e', id, (int)status);
	if (!h.flashing || status != USB_OK || f->id != id)
		return;
	if (length == 6 && data[4] == 7)
		return; /* leaving */
	next_request(f);
}

static void
on_closed(void *ctx, uint64_t id)
{
	(void)ctx;
	note('c', id, 0);
}

static const struct world_callbacks callbacks = {
	.sighted = on_sighted,
	.gone = on_gone,
	.opened = on_opened,
	.ended = on_ended,
	.closed = on_closed,
};

static int
setup(void **state)
{
	(void)state;
	memset(&h, 0, sizeof(h));
	return world_new(1, &callbacks, NULL, &h.w);
}

static int
teardown(void **state)
{
	(void)state;
	world_free(h.w);
	return 0;
}

static void
run_for(uint64_t us)
{
	uint64_t until = world_now_us(h.w) + us;

	while (world_next_us(h.w) <= until)
		assert_true(world_run_one(h.w));
	world_advance(h.w, until);
}

static void
add(const char *port, uint64_t seed, bool fast)
{
	struct tiny t = { "CF20,CF21", "2025.02", "0123456789ab", 0, 3 };
	struct drone_config c;
	uint8_t image[IMAGE_BYTES];

	drone_config_init(&c, seed);
	if (fast)
		drone_timing_fast(&c.timing);
	assert_int_equal(world_add(h.w, port, NULL, NULL, &c), 0);
	tiny_make(&t, image, sizeof(image));
	assert_int_equal(drone_load(world_drone(h.w, port), TINY_ADDR, image, sizeof(image)), 0);
}

static uint64_t
open_port(const char *port, uint64_t id)
{
	assert_int_equal(world_open(h.w, id, world_arrival(h.w, port)), 0);
	run_for(1000);
	assert_int_equal(h.heard[h.count - 1].what, 'o');
	return id;
}

#define TEST_SET_UP(name) TEST_WITH(name, setup, teardown)

TEST_SET_UP(plugging_is_seen_with_its_place_and_name)
{
	add("3-2.1", 1, false);
	assert_int_equal(world_plug(h.w, "3-2.1"), 0);
	assert_int_equal(world_arrival(h.w, "3-2.1"), 0);
	run_for(3000000);
	assert_int_equal(h.count, 1);
	assert_string_equal(h.last.port, "3-2.1");
	assert_string_equal(h.last.controller, "usb3");
	assert_string_equal(h.last.translator, "3-2");
	assert_string_equal(h.last.manufacturer, "Bitcraze AB");
	assert_int_equal(strlen(h.last.serial), 24);
	assert_int_equal(world_node_arrival(h.last.node), 1);
	assert_int_equal(world_node_arrival("/dev/bus/usb/001/002"), 0);
	assert_int_equal(world_plug(h.w, "9-9"), -ENOENT);
	assert_int_equal(world_unplug(h.w, "3-2.1"), 0);
	run_for(1000);
	assert_int_equal(h.heard[1].what, 'g');
	assert_int_equal(world_plug(h.w, "3-2.1"), 0);
	run_for(3000000);
	assert_int_equal(h.heard[2].id, 2);
}

TEST_SET_UP(time_limits_of_the_host_end_a_transfer)
{
	struct usb_xfer in = {
		.kind = USB_BULK_IN, .endpoint = 0x81, .length = 64, .timeout_ms = 20
	};
	uint64_t begun;

	add("1-1", 1, false);
	(void)world_plug(h.w, "1-1");
	run_for(3000000);
	open_port("1-1", 77);
	begun = world_now_us(h.w);
	assert_int_equal(world_submit(h.w, 77, &in), 0);
	assert_int_equal(world_submit(h.w, 77, &in), -EBUSY);
	assert_true(world_run_one(h.w));
	assert_int_equal(world_now_us(h.w) - begun, 20000);
	assert_int_equal(h.heard[h.count - 1].what, 'e');
	assert_int_equal(h.heard[h.count - 1].status, USB_TIMEOUT);
}

TEST_SET_UP(closing_swallows_what_is_in_flight)
{
	struct usb_xfer in = {
		.kind = USB_BULK_IN, .endpoint = 0x81, .length = 64, .timeout_ms = 20
	};

	add("1-1", 1, false);
	(void)world_plug(h.w, "1-1");
	run_for(3000000);
	open_port("1-1", 77);
	assert_int_equal(world_open(h.w, 78, world_arrival(h.w, "1-1")), 0);
	run_for(1000);
	assert_int_equal(h.heard[h.count - 1].status, -EBUSY);
	assert_int_equal(world_submit(h.w, 77, &in), 0);
	h.count = 0;
	world_close(h.w, 77);
	assert_int_equal(world_submit(h.w, 77, &in), -ENODEV);
	world_close(h.w, 77);
	world_close(h.w, 99);
	run_for(1000000);
	assert_int_equal(h.count, 1);
	assert_int_equal(h.heard[0].what, 'c');
	assert_int_equal(world_open(h.w, 77, 1234), 0);
	run_for(1000);
	assert_int_equal(h.heard[h.count - 1].status, -ENODEV);
}

TEST_SET_UP(unplugging_ends_transfers_and_order_depends_on_the_seed)
{
	unsigned gone_first = 0, ended_first = 0;

	for (uint64_t seed = 0; seed < 40; seed++) {
		struct usb_xfer in = {
			.kind = USB_BULK_IN, .endpoint = 0x81, .length = 64, .timeout_ms = 2000
		};

		world_free(h.w);
		memset(&h, 0, sizeof(h));
		assert_int_equal(world_new(seed, &callbacks, NULL, &h.w), 0);
		add("1-1", seed, true);
		(void)world_plug(h.w, "1-1");
		run_for(3000000);
		open_port("1-1", 77);
		assert_int_equal(world_submit(h.w, 77, &in), 0);
		h.count = 0;
		(void)world_unplug(h.w, "1-1");
		run_for(1000);
		assert_int_equal(h.count, 2);
		if (h.heard[0].what == 'g')
			gone_first++;
		else
			ended_first++;
		assert_int_equal(h.heard[h.heard[0].what == 'g'].status, USB_GONE);
	}
	assert_true(gone_first > 5 && ended_first > 5);
}

TEST_SET_UP(a_killed_host_finds_everything_again)
{
	add("1-1", 1, true);
	add("1-2", 2, true);
	(void)world_plug(h.w, "1-1");
	(void)world_plug(h.w, "1-2");
	run_for(3000000);
	open_port("1-1", 5);
	world_host_dies(h.w);
	h.count = 0;
	(void)world_unplug(h.w, "1-2");
	run_for(1000000);
	assert_int_equal(h.count, 0);
	world_cold_plug(h.w);
	run_for(1000000);
	assert_int_equal(h.count, 1);
	assert_int_equal(h.heard[0].what, 's');
	open_port("1-1", 5);
	assert_int_equal(h.heard[h.count - 1].status, 0);
}

TEST_SET_UP(another_drone_can_take_the_place)
{
	struct usb_xfer reboot = { .kind = USB_CONTROL,
				   .setup = { 0x40, 1, 1, 2, 0 },
				   .timeout_ms = 1000 };
	struct fate swap = { .kind = FATE_SWAP };
	char right[32];

	add("1-1", 1, true);
	(void)world_plug(h.w, "1-1");
	run_for(3000000);
	assert_int_equal(world_arm(h.w, "1-1", &swap), 0);
	open_port("1-1", 5);
	drone_serial_rom(drone_config(world_drone(h.w, "1-1"))->uid, DRONE_SERIAL_PLAIN, right);
	assert_int_equal(world_submit(h.w, 5, &reboot), 0);
	run_for(3000000);
	assert_int_equal(h.last.pid, 0xdf11);
	assert_string_not_equal(h.last.serial, right);
	assert_non_null(world_displaced(h.w, "1-1"));
	assert_int_equal(drone_counters(world_displaced(h.w, "1-1"))->reboots, 1);
}

TEST_SET_UP(drones_move_between_ports)
{
	char serial[SERIAL_TEXT_MAX];

	add("1-1", 1, true);
	(void)world_plug(h.w, "1-1");
	run_for(3000000);
	copy_text(serial, sizeof(serial), h.last.serial);
	assert_int_equal(world_move(h.w, "1-1", "2-7"), 0);
	assert_int_equal(h.heard[h.count - 1].what, 'g');
	assert_int_equal(world_plug(h.w, "1-1"), -ENOENT);
	assert_int_equal(world_plug(h.w, "2-7"), 0);
	run_for(3000000);
	assert_string_equal(h.last.port, "2-7");
	assert_string_equal(h.last.serial, serial);
}

static void
count_up(void *ctx, uint64_t arg)
{
	*(uint64_t *)ctx = *(uint64_t *)ctx * 10 + arg;
}

TEST_SET_UP(timers_run_among_the_other_events)
{
	uint64_t seen = 0;

	assert_int_equal(world_call_at(h.w, 2000, count_up, &seen, 2), 0);
	assert_int_equal(world_call_at(h.w, 1000, count_up, &seen, 1), 0);
	world_advance(h.w, 5000);
	assert_int_equal(world_now_us(h.w), 1000);
	run_for(5000);
	assert_int_equal(seen, 12);
	for (unsigned i = 0; i < WORLD_TIMERS_MAX; i++)
		assert_int_equal(world_call_at(h.w, 9000, count_up, &seen, 0), 0);
	assert_int_equal(world_call_at(h.w, 9000, count_up, &seen, 0), -ENOSPC);
}

TEST_SET_UP(limits_are_reached_and_hold)
{
	struct drone_config c;
	char port[16];

	drone_config_init(&c, 1);
	for (unsigned i = 0; i < WORLD_PORTS_MAX; i++) {
		(void)snprintf(port, sizeof(port), "1-%u", i + 1);
		assert_int_equal(world_add(h.w, port, NULL, NULL, &c), 0);
	}
	assert_int_equal(world_add(h.w, "2-1", NULL, NULL, &c), -ENOSPC);
	assert_int_equal(world_add(h.w, "1-1", NULL, NULL, &c), -EEXIST);
	assert_int_equal(world_add(h.w, "", NULL, NULL, &c), -EINVAL);
	for (unsigned i = 0; i < WORLD_HANDLES_MAX; i++)
		assert_int_equal(world_open(h.w, i + 1, 0), 0);
	assert_int_equal(world_open(h.w, 9999, 0), -EMFILE);
	assert_int_equal(world_open(h.w, 1, 0), -EEXIST);
}

/* Plugs n drones, each is rebooted into DFU, flashed, left, and comes back; the trace of it all. */
static uint64_t
flash_rack(unsigned n, uint64_t seed, bool fast)
{
	struct tiny t = { "CF20,CF21", "2025.12", "ba9876543210", 0, 9 };
	char port[16];

	memset(&h, 0, sizeof(h));
	assert_int_equal(world_new(seed, &callbacks, NULL, &h.w), 0);
	tiny_make(&t, h.image, sizeof(h.image));
	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(port, sizeof(port), "%u-%u", i / 15 + 1, i % 15 + 1);
		add(port, seed * 1000 + i, fast);
		(void)world_plug(h.w, port);
	}
	h.flashing = true;
	while (h.done < n)
		assert_true(world_run_one(h.w));
	for (unsigned i = 0; i < n; i++) {
		uint8_t flash[IMAGE_BYTES];

		drone_peek(world_drone(h.w, world_port(h.w, i)), world_now_us(h.w), TINY_ADDR,
			   flash, sizeof(flash));
		assert_memory_equal(flash, h.image, sizeof(flash));
	}
	return world_trace(h.w);
}

TEST_SET_UP(a_whole_flash_is_bit_exact_and_repeatable)
{
	uint64_t first, second;

	world_free(h.w);
	first = flash_rack(1, 7, false);
	assert_string_equal(drone_version(world_drone(h.w, "1-1"), world_now_us(h.w)), "2025.12");
	assert_int_equal(drone_counters(world_drone(h.w, "1-1"))->blocks_written,
			 IMAGE_BYTES / 2048);
	assert_int_equal(drone_counters(world_drone(h.w, "1-1"))->outside_writes, 0);
	assert_int_equal(drone_counters(world_drone(h.w, "1-1"))->erases, 1);
	world_free(h.w);
	second = flash_rack(1, 7, false);
	assert_true(first == second);
	world_free(h.w);
	assert_true(first != flash_rack(1, 8, false));
}

TEST_SET_UP(a_rack_of_120_is_flashed_at_once)
{
	world_free(h.w);
	(void)flash_rack(120, 3, false);
	assert_in_range(world_now_us(h.w), 2000000, 8000000);
}

TEST_SET_UP(thousands_of_flashes_a_second)
{
	struct timespec a, z;
	double seconds;
	unsigned n = 0;

	world_free(h.w);
	h.w = NULL;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	for (; n < 200; n++) {
		world_free(h.w);
		(void)flash_rack(1, n, true);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &z);
	seconds = (double)(z.tv_sec - a.tv_sec) + (double)(z.tv_nsec - a.tv_nsec) / 1e9;
	print_message("%.0f simulated flashes of 16 KiB a second\n", n / seconds);
	assert_true(n / seconds > 50); /* also under sanitizers on a busy machine */
}

TEST_MAIN(NULL)
