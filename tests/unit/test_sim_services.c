/* SPDX-License-Identifier: MIT */
/*
 * The services of the simulated run-time firmware against doc/beyond-dfu.md: the link, memories,
 * and all that an ASSERT does.
 */
#include "config.h"

#include <errno.h>

#include "test.h"

#include "sim_talk.h"

/* SPEC: doc/beyond-dfu.md 11.3 */
TEST_SET_UP(packets_survive_switches_of_the_link)
{
	assert_int_equal(drone_personality(b.d), DRONE_RUNTIME);
	assert_false(ask("\xD1\x01", 2));
	link_on();
	assert_int_equal(bulk(USB_BULK_IN, NULL, 64, 20), USB_OK); /* asked before */
	answer_is("\xD1\x01"
		  "2025.09.1 +100",
		  16);
	assert_false(bulk(USB_BULK_IN, NULL, 64, 20) == USB_OK);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(bulk(USB_BULK_OUT, "\xD1\x01", 2, 100), USB_OK);
	bench_wait(&b, 10000);
	link_off();
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(bulk(USB_BULK_IN, NULL, 64, 20), USB_OK);
	assert_false(ask("\xD1\x00", 2));
	link_on();
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(bulk(USB_BULK_IN, NULL, 64, 20), USB_OK);
	assert_int_equal(b.data[1], 0x00);
	assert_false(bulk(USB_BULK_IN, NULL, 64, 20) == USB_OK);
}

TEST_SET_UP(sixteen_questions_wait_for_the_link_and_the_host_for_room)
{
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(bulk(USB_BULK_OUT, "\xD1\x01", 2, 100), USB_OK);
	assert_int_equal(bulk(USB_BULK_OUT, "\xD1\x01", 2, 100), USB_TIMEOUT);
	link_on();
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(bulk(USB_BULK_IN, NULL, 64, 20), USB_OK);
	assert_false(bulk(USB_BULK_IN, NULL, 64, 20) == USB_OK);
}

TEST_SET_UP(memories_are_listed_and_read)
{
	link_on();
	assert_true(ask("\x40\x01", 2));
	answer_is("\x40\x01\x04", 3); /* 2025.09: without the DeckCtrl memory */
	assert_true(ask("\x41\x00\x00\x00\x00\x00\x15", 7));
	assert_int_equal(b.length, 28);
	assert_memory_equal(b.data + 7, "0xBC\x01\x50\x02", 7);
	bench_load_tiny(&b, "CF21", "2025.12", 16384);
	drone_power_cycle(b.d, b.now);
	bench_wait(&b, 5000000);
	link_on();
	assert_true(ask("\x40\x01", 2));
	answer_is("\x40\x01\x05", 3);
}

/* The drone resets itself, and is not itself until it is restarted once more. */
static void
it_asserts(enum drone_assert cause)
{
	bench_wait(&b, 5000000);
	assert_int_equal(drone_counters(b.d)->asserts[cause], 1);
	assert_int_equal(drone_personality(b.d), DRONE_RUNTIME);
	link_on();
	assert_true(ask("\x21\x07\x00", 3)); /* system.selftestPassed */
	assert_int_equal(b.data[4], 0);
	drone_power_cycle(b.d, b.now);
	bench_wait(&b, 5000000);
	link_on();
	assert_true(ask("\x21\x07\x00", 3));
	assert_int_equal(b.data[4], 1);
	drone_counters_reset(b.d);
}

TEST_SET_UP(a_request_that_asserts_is_fatal_until_the_restart_after)
{
	static const struct {
		const char *packet;
		size_t length;
	} fatal[] = {
		{ "\x40\x02\x04", 3 },
		{ "\x41\x04\x00\x00\x00\x00\x01", 7 },
		{ "\x42\x7F\x00\x00\x00\x00\x01", 7 },
		{ "\x41\x00\x00\x00\x00\x00\x19", 7 }, /* 25 bytes */
	};

	for (unsigned i = 0; i < ARRAY_LEN(fatal); i++) {
		link_on();
		assert_int_equal(bulk(USB_BULK_OUT, fatal[i].packet, fatal[i].length, 100), USB_OK);
		assert_int_equal(bulk(USB_BULK_IN, NULL, 64, 100), USB_GONE);
		it_asserts(DRONE_ASSERT_REQUEST);
	}
	link_on(); /* too long as well, but it fails before */
	assert_true(ask("\x41\x00\xF0\x1F\x00\x00\x19", 7));
	answer_is("\x41\x00\xF0\x1F\x00\x00\x05", 7);
}

TEST_SET_UP(the_radio_configuration_is_in_force_after_a_restart)
{
	uint8_t channel, rate, block[27] = { 0x42 };
	uint64_t address;

	memcpy(block + 6, drone_eeprom(b.d), 21);
	block[6 + 5] = 90;
	block[6 + 20] += 10;
	link_on();
	assert_true(ask(block, sizeof(block)));
	answer_is("\x42\x00\x00\x00\x00\x00\x00", 7);
	drone_radio(b.d, &channel, &rate, &address);
	assert_int_equal(channel, 80);
	assert_int_equal(rate, 2);
	assert_int_equal(address, 0xE7E7E7E7E7);
	drone_glitch(b.d, b.now, 100);
	bench_wait(&b, 1000000);
	drone_radio(b.d, &channel, &rate, &address);
	assert_int_equal(channel, 80);
	drone_power_cycle(b.d, b.now);
	bench_wait(&b, 5000000);
	drone_radio(b.d, &channel, &rate, &address);
	assert_int_equal(channel, 90);
	drone_eeprom(b.d)[20]++; /* a wrong checksum: the defaults */
	drone_power_cycle(b.d, b.now);
	bench_wait(&b, 5000000);
	drone_radio(b.d, &channel, &rate, &address);
	assert_int_equal(channel, 80);
	assert_int_equal(drone_eeprom(b.d)[5], 80);
}

TEST_SET_UP(the_memory_port_is_deaf_until_decks_are_initialised)
{
	struct drone_config c;
	char error[128];

	drone_config_init(&c, 11);
	c.chatter = 0;
	c.console = false;
	assert_int_equal(drone_config_set(&c, "decks-ms", "3000", error, sizeof(error)), 0);
	assert_int_equal(drone_config_set(&c, "address", "E7E7E7E701", error, sizeof(error)), 0);
	assert_int_equal(drone_config_set(&c, "rate", "1M", error, sizeof(error)), 0);
	assert_int_equal(drone_config_set(&c, "rate", "3M", error, sizeof(error)), -EINVAL);
	assert_int_equal(drone_config_set(&c, "address", "1", error, sizeof(error)), -EINVAL);
	begin_again(&c, "CF21");
	drone_power_cycle(b.d, b.now);
	do
		bench_wait(&b, 1000);
	while (drone_personality(b.d) != DRONE_RUNTIME);
	link_on();
	assert_true(ask("\xD1\x01", 2));
	assert_false(ask("\x40\x01", 2));
	bench_wait(&b, 3000000);
	assert_false(bulk(USB_BULK_IN, NULL, 64, 20) == USB_OK); /* it has vanished */
	assert_true(ask("\x41\x00\x0F\x00\x00\x00\x05", 7));
	answer_is("\x41\x00\x0F\x00\x00\x00\x00\xE7\x01\xE7\xE7\xE7", 12);
}

TEST_SET_UP(a_link_that_is_taken_too_early_is_fatal)
{
	struct drone_config c;

	drone_config_init(&c, 11);
	c.chatter = 0;
	c.console = false;
	c.early_ms = 50;
	begin_again(&c, "CF21");
	drone_power_cycle(b.d, b.now);
	do
		bench_wait(&b, 1000);
	while (drone_personality(b.d) != DRONE_RUNTIME);
	assert_int_equal(bench_control(&b, 0x40, 1, 1, 1, NULL, 0), USB_GONE);
	it_asserts(DRONE_ASSERT_EARLY);
}

TEST_SET_UP(six_radio_packets_while_the_link_is_on_usb_are_fatal)
{
	struct drone_config c;

	drone_config_init(&c, 11);
	c.chatter = 0;
	c.console = false;
	c.radio_packets = 10;
	begin_again(&c, "CF21");
	link_on();
	bench_wait(&b, 500000);
	link_off();
	bench_wait(&b, 500000);
	link_on();
	bench_wait(&b, 500000);
	assert_true(ask("\xD1\x01", 2));
	bench_wait(&b, 100000);
	assert_int_equal(drone_personality(b.d), DRONE_OFF);
	it_asserts(DRONE_ASSERT_RADIO);
}

TEST_MAIN(NULL)
