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

/* ---- what it says of itself ---- */

static char said[16384];

/* The console's text since it was heard last; NULs as '@'. */
static const char *
hear(void)
{
	size_t n = 0;

	link_on();
	while (bulk(USB_BULK_IN, NULL, 64, 600) == USB_OK) {
		assert_true(n + b.length < sizeof(said));
		for (size_t i = 1; b.data[0] == 0x00 && i < b.length; i++)
			said[n++] = b.data[i] != 0 ? (char)b.data[i] : '@';
	}
	said[n] = '\0';
	link_off();
	return said;
}

/* A drone of this version in which one key is set otherwise, just switched on. */
static void
begin_with(const char *version, const char *key, const char *value)
{
	struct drone_config c;
	char error[128];

	drone_config_init(&c, 11);
	c.chatter = 0;
	assert_int_equal(drone_config_set(&c, "version", version, error, sizeof(error)), 0);
	if (key != NULL)
		assert_int_equal(drone_config_set(&c, key, value, error, sizeof(error)), 0);
	drone_free(b.d);
	bench_begin(&b, &c);
	bench_load_tiny(&b, "CF21", "2025.12", 16384);
	drone_plug(b.d, b.now);
	while (drone_personality(b.d) != DRONE_RUNTIME)
		bench_wait(&b, 1000);
}

static void
restart(void)
{
	drone_power_cycle(b.d, b.now);
	bench_wait(&b, 5000000);
}

static void
says(const char *text)
{
	if (strstr(said, text) == NULL)
		fail_msg("'%s' is not in:\n%s", text, said);
}

static void
does_not_say(const char *text)
{
	if (strstr(said, text) != NULL)
		fail_msg("'%s' is in:\n%s", text, said);
}

TEST_SET_UP(a_start_is_told_once_with_the_drones_own_facts)
{
	begin_with("2025.12", "nrf", "2025.02");
	(void)hear();
	assert_string_equal(strstr(said, "SYS: Production"), strstr(said, "SYS: Production release "
									  "2025.12\n"));
	says("CFGBLK: v1, verification [OK]\n");
	says("DECK_CORE: 0 deck(s) found\n");
	says("STORAGE: Storage check [OK].\nSYS: Self test passed!\n");
	says("SYS: NRF51 version: 2025.02 (CF21)\n");
	assert_true(strstr(said, "NRF51") > strstr(said, "Self test passed"));
	assert_string_equal(hear(), "");
	drone_glitch(b.d, b.now, 100);
	bench_wait(&b, 1000000);
	assert_string_equal(hear(), "");
	begin_with("2026.08", "nrf-ms", "100");
	(void)hear();
	assert_true(strstr(said, "NRF51") < strstr(said, "Self test passed"));
	begin_with("2021.06", NULL, NULL);
	(void)hear();
	does_not_say("NRF51");
}

TEST_SET_UP(a_bad_configuration_block_is_told_unless_it_has_no_magic)
{
	begin_with("2026.08", "eeprom", "bad-sum");
	(void)hear();
	says("CFGBLK: Verification [FAIL]\n");
	does_not_say("Reformatting");
	begin_with("2026.08", "eeprom", "bad-magic");
	(void)hear();
	does_not_say("CFGBLK");
	restart();
	(void)hear();
	says("CFGBLK: v1, verification [OK]\n");
	begin_with("2026.08", "eeprom", "blank");
	(void)hear();
	does_not_say("CFGBLK");
	says("STORAGE: Storage check [FAIL].\nSTORAGE: Reformatting storage ...\n");
}

TEST_SET_UP(a_failing_self_test_names_the_module_every_time)
{
	begin_with("2026.08", "selftest", "stabilizer");
	for (unsigned i = 0; i < 2; i++) {
		(void)hear();
		says("SYS: stabilizer [FAIL]\n");
		does_not_say("Self test passed");
		says("NRF51 version");
		link_on();
		assert_true(ask("\x21\x07\x00", 3));
		assert_int_equal(b.data[4], 0);
		assert_true(ask("\x90\x0C", 2));
		answer_is("\x90\x8C\x00\x00", 4);
		assert_true(ask("\x40\x01", 2)); /* SPEC: since 2025.12 all the same */
		link_off();
		restart();
	}
}

TEST_SET_UP(an_assert_is_reported_by_the_next_start_alone)
{
	begin_with("2026.08", NULL, NULL);
	(void)hear();
	link_on();
	assert_int_equal(bulk(USB_BULK_OUT, "\x40\x02\x09", 3, 100), USB_OK);
	bench_wait(&b, 5000000);
	(void)hear();
	says("SYS: The system resumed after a failed assert [WARNING]\n"
	     "SYS: Assert failed at src/modules/src/mem.c:145\n"
	     "SYS: cfAssertNormalStart [FAIL]\n");
	link_on(); /* system.assertInfo */
	assert_int_equal(bulk(USB_BULK_OUT, "\x23\x00system\0assertInfo\0\x08\x01", 22, 100),
			 USB_OK);
	(void)hear();
	says("SYS: Assert failed at src/modules/src/mem.c:145\n");
	restart();
	(void)hear();
	says("Self test passed!");
	does_not_say("assert");
}

TEST_SET_UP(a_crash_of_the_last_flight_is_reported_by_the_first_start)
{
	begin_with("2026.08", "crash", "hardfault");
	(void)hear();
	says("SYS: Hardfault. r0: 0, r1: 20001234, ");
	says("SYS: cfAssertNormalStart [FAIL]\n");
	restart();
	(void)hear();
	says("Self test passed!");
}

TEST_SET_UP(a_drone_can_be_changed_while_it_lives)
{
	char error[128];

	link_on();
	assert_int_equal(drone_set(b.d, "selftest", "storage", error, sizeof(error)), 0);
	assert_int_equal(drone_set(b.d, "model", "eval", error, sizeof(error)), -EINVAL);
	restart();
	link_on();
	assert_true(ask("\x21\x07\x00", 3));
	assert_int_equal(b.data[4], 0);
}

TEST_SET_UP(a_console_that_overflows_says_so_and_holds_a_nul)
{
	begin_with("2026.08", "console-lines", "300");
	(void)hear();
	says("<F>\n@");
	does_not_say("Self test passed");
	assert_string_equal(said + strlen(said) - 5, "<F>\n@");
}

TEST_SET_UP(the_self_test_takes_its_time_and_the_battery_one_second_more)
{
	static const uint8_t create[] = { 0x51, 6, 7, 2, 7, 0, 4, 6, 0 };

	begin_with("2026.08", "selftest-ms", "2000");
	bench_wait(&b, 200000);
	link_on();
	while (bulk(USB_BULK_IN, NULL, 64, 20) == USB_OK)
		continue;
	for (unsigned i = 0; i < 3; i++) {
		static const uint16_t expected[] = { 3700, 3700, 4050 };

		assert_true(ask("\x21\x07\x00", 3));
		assert_int_equal(b.data[4], i > 0);
		assert_true(ask(create, sizeof(create)));
		assert_true(ask("\x51\x08\x07\x00\x00", 5));
		assert_int_equal(bulk(USB_BULK_IN, NULL, 64, 20), USB_OK);
		assert_int_equal(b.data[0], 0x52);
		assert_int_equal(get_le16(b.data + 5), expected[i]);
		assert_int_equal(b.data[7], i > 1);
		assert_true(ask("\x51\x02\x07", 3));
		bench_wait(&b, i == 0 ? 2000000 : 1000000);
		while (bulk(USB_BULK_IN, NULL, 64, 500) == USB_OK)
			continue;
	}
}

/* SPEC: doc/beyond-dfu.md 1, 2, 5: by release. */
TEST_SET_UP(old_firmware_lacks_the_services_of_the_new)
{
	static const struct {
		const char *version;
		bool supervisor, memory_when_failed;
		unsigned memories;
	} table[] = {
		{ "2022.03", false, true, 4 },	{ "2023.03", false, false, 4 },
		{ "2025.02", false, false, 4 }, { "2025.12", false, true, 5 },
		{ "2026.04", true, true, 5 },
	};

	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		begin_with(table[i].version, NULL, NULL);
		(void)hear();
		link_on();
		assert_int_equal(ask("\x90\x0C", 2), table[i].supervisor);
		assert_true(ask("\x40\x01", 2));
		assert_int_equal(b.data[2], table[i].memories);
		begin_with(table[i].version, "selftest", "stabilizer");
		(void)hear();
		link_on();
		assert_int_equal(ask("\x40\x01", 2), table[i].memory_when_failed);
		assert_true(ask("\xD1\x01", 2));
	}
	/* An old firmware does not understand a new nRF51's measurement. */
	begin_with("2022.09", "nrf", "2025.12");
	bench_wait(&b, 5000000);
	(void)hear();
	link_on();
	assert_true(ask("\x51\x06\x07\x02\x07\x00", 6));
	assert_true(ask("\x51\x08\x07\x00\x00", 5));
	assert_int_equal(bulk(USB_BULK_IN, NULL, 64, 20), USB_OK);
	assert_int_equal(get_le16(b.data + 5), 3700);
}

TEST_SET_UP(a_stored_parameter_is_in_force_after_a_restart)
{
	struct drone_config c;

	drone_config_init(&c, 11);
	c.chatter = 0;
	c.console = false;
	c.tables = DRONE_TABLES_REAL;
	begin_again(&c, "CF21");
	link_on();
	assert_true(ask("\x22\x11\x00\x00\x00\x80\x3F", 7));
	assert_true(ask("\x23\x03\x11\x00", 4));
	answer_is("\x23\x03\x11\x00\x00", 5);
	restart();
	link_on();
	assert_true(ask("\x21\x11\x00", 3));
	answer_is("\x21\x11\x00\x00\x00\x00\x80\x3F", 8);
	assert_true(ask("\x23\x05\x11\x00", 4));
	assert_true(ask("\x23\x05\x11\x00", 4));
	answer_is("\x23\x05\x11\x00\x02", 5);
	restart();
	link_on();
	assert_true(ask("\x21\x11\x00", 3));
	answer_is("\x21\x11\x00\x00\x00\x00\x34\x44", 8);
}

TEST_MAIN(NULL)
