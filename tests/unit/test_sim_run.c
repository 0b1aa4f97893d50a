/* SPDX-License-Identifier: MIT */
/*
 * The simulated run-time firmware and boot decisions against doc/protocol.md 2, 3.6, 9 and
 * doc/firmware.md 3, 4.
 */
#include "config.h"

#include "test.h"

#include "cfdfu/watch.h"
#include "sim_talk.h"

TEST_SET_UP(reserved_bits_are_echoed)
{
	link_on();
	assert_true(ask("\xDD\x02", 2));
	answer_is("\xDD\x02"
		  "Crazyflie 2.1",
		  15);
	assert_true(ask("\xFD", 1));
	assert_int_equal(b.length, 31);
	assert_memory_equal(b.data,
			    "\xFD"
			    "Bitcraze Crazyflie\0",
			    20);
	assert_true(ask("\xD1\x00", 2));
	answer_is("\xD1\x00\x0A\x00\x00\x00", 6);
	assert_false(ask("\xD1\x07", 2));
}

TEST_SET_UP(packets_over_31_bytes_are_dropped)
{
	uint8_t p[33] = { 0xF0 };

	link_on();
	assert_true(ask(p, 31));
	assert_int_equal(b.length, 31);
	assert_false(ask(p, 32));
}

TEST_SET_UP(parameters_tell_revision_and_chip)
{
	uint8_t expected[8] = { 0x21 };
	unsigned count, seen = 0;

	link_on();
	assert_true(ask("\x20\x03", 2));
	count = get_le16(b.data + 2);
	assert_in_range(count, 40, 100);
	for (unsigned id = 0; id < count; id++) {
		uint8_t item[4] = { 0x20, 0x02, (uint8_t)id, 0 },
			read[3] = { 0x21, (uint8_t)id, 0 };
		char name[64];

		assert_true(ask(item, 4));
		copy_text(name, sizeof(name), (char *)b.data + 5);
		strcat(name, ".");
		strcat(name, (char *)b.data + 6 + strlen((char *)b.data + 5));
		assert_true(ask(read, 3));
		assert_int_equal(b.data[3], 0);
		if (strcmp(name, "firmware.revision0") == 0 && ++seen)
			assert_int_equal(get_le32(b.data + 4), 0x01234567);
		if (strcmp(name, "firmware.revision1") == 0 && ++seen)
			assert_int_equal(get_le16(b.data + 4), 0x89ab);
		if (strcmp(name, "firmware.modified") == 0 && ++seen)
			assert_int_equal(b.data[4], 0);
		if (strcmp(name, "cpu.id0") == 0 && ++seen)
			assert_memory_equal(b.data + 4, drone_config(b.d)->uid, 4);
		if (strcmp(name, "system.selftestPassed") == 0 && ++seen)
			assert_int_equal(b.data[4], 1);
	}
	assert_int_equal(seen, 5);
	expected[1] = 0xE7;
	expected[3] = 2;
	assert_true(ask("\x21\xE7\x00", 3));
	answer_is(expected, 4);
}

TEST_SET_UP(lights_are_counted)
{
	link_on();
	assert_true(ask("\xD0\x03\x01", 3));
	answer_is("\xD0", 1);
	assert_true(ask("\xD0\x03\x00", 3));
	assert_int_equal(drone_counters(b.d)->lights_good, 1);
	assert_int_equal(drone_counters(b.d)->lights_bad, 1);
}

TEST_SET_UP(console_text_arrives_between_answers)
{
	struct drone_config c;
	unsigned console = 0, answers = 0;

	drone_config_init(&c, 11);
	c.chatter = 3;
	c.console = false;
	begin_again(&c, "CF21");
	link_on();
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(bulk(USB_BULK_OUT, "\xD1\x01", 2, 100), USB_OK);
		while (bulk(USB_BULK_IN, NULL, 64, 20) == USB_OK) {
			assert_true(b.length <= 31);
			if ((b.data[0] & 0xF3) == 0xD1)
				answers++;
			else
				console++;
		}
	}
	assert_int_equal(answers, 20);
	assert_in_range(console, 10, 60);
}

TEST_SET_UP(a_log_block_delivers_the_battery)
{
	static const uint8_t create[] = { 0x51, 6, 7, 7, 3, 0, 2, 7, 0, 4, 6, 0 };

	link_on();
	assert_true(ask("\x50\x03", 2));
	assert_int_equal(b.length, 10);
	assert_true(ask(create, sizeof(create)));
	answer_is("\x51\x06\x07\x00", 4);
	assert_true(ask("\x51\x08\x07\x05\x00", 5));
	answer_is("\x51\x08\x07\x00", 4);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(bulk(USB_BULK_IN, NULL, 64, 20), USB_OK);
		assert_int_equal(b.data[0], 0x52);
		assert_int_equal(get_le16(b.data + 9), 4050);
		assert_int_equal(b.data[11], 1);
	}
	assert_int_equal(bulk(USB_BULK_OUT, "\x51\x04\x07", 3, 100), USB_OK);
}

TEST_SET_UP(reboot_has_no_status_stage_and_a_gap)
{
	static const enum usb_status told[] = { USB_IO, USB_STALL, USB_GONE, USB_TIMEOUT, USB_OK };
	struct usb_xfer x = { .kind = USB_CONTROL, .setup = { 0x40, 1, 1, 2, 0 } };

	for (unsigned i = 0; i < DRONE_REBOOT_COUNT; i++) {
		struct drone_config c;
		uint64_t begun;
		struct sighting s;
		char serial[32];

		drone_config_init(&c, 100 + i);
		c.reboot = (enum drone_reboot)i;
		begin_again(&c, "CF21");
		begun = b.now;
		assert_int_equal(bench_transfer(&b, &x, 300000), told[i]);
		while (drone_personality(b.d) != DRONE_ROM)
			bench_wait(&b, 1000);
		assert_in_range(b.now - begun, 500000, 1502000);
		drone_describe(b.d, &s);
		assert_int_equal(s.pid, 0xdf11);
		drone_serial_rom(c.uid, DRONE_SERIAL_PLAIN, serial);
		assert_string_equal(s.serial, serial);
		assert_int_equal(drone_counters(b.d)->reboots, 1);
	}
}

TEST_SET_UP(old_firmware_answers_and_stays)
{
	struct drone_config c;

	drone_config_init(&c, 5);
	c.no_dfu_request = true;
	c.console = false;
	begin_again(&c, "CF21");
	link_on();
	assert_int_equal(bench_control(&b, 0x40, 1, 1, 2, NULL, 0), USB_OK);
	bench_wait(&b, 5000000);
	assert_int_equal(drone_personality(b.d), DRONE_RUNTIME);
	assert_int_equal(b.detached, 0);
	assert_false(ask("\xD1\x01", 2)); /* the link is the radio's now */
}

TEST_SET_UP(vendor_requests_by_the_letter)
{
	struct usb_xfer odd = { .kind = USB_CONTROL, .setup = { 0x40, 2, 1, 2, 0 } };

	assert_int_equal(bench_transfer(&b, &odd, 100000), USB_TIMEOUT);
	assert_int_equal(bench_control(&b, 0x41, 1, 1, 2, NULL, 0), USB_STALL);
	assert_int_equal(bench_control(&b, 0x41, 1, 1, 1, NULL, 0), USB_OK);
	assert_int_equal(bench_control(&b, 0x21, 0x22, 3, 1, NULL, 0), USB_OK);
	assert_int_equal(drone_counters(b.d)->passthrough, 1);
	assert_int_equal(drone_counters(b.d)->reboots, 0);
}

TEST_SET_UP(set_configuration_changes_the_class)
{
	assert_int_equal(bench_control(&b, 0x80, 6, 0x100, 0, NULL, 18), USB_OK);
	assert_int_equal(b.data[4], 0);
	assert_int_equal(bench_control(&b, 0x00, 9, 1, 0, NULL, 0), USB_OK);
	assert_int_equal(bench_control(&b, 0x80, 6, 0x100, 0, NULL, 18), USB_OK);
	assert_int_equal(b.data[4], 2);
	assert_int_equal(bench_control(&b, 0x80, 8, 0, 0, NULL, 1), USB_OK);
	assert_int_equal(b.data[0], 1);
	assert_int_equal(bench_control(&b, 0x80, 6, 0x200, 0, NULL, 255), USB_OK);
	assert_int_equal(b.length, 98);
}

/* Into DFU on the automatic path, then out again with the pointer at addr. */
static void
there_and_back(uint32_t addr)
{
	(void)bench_control(&b, 0x40, 1, 1, 2, NULL, 0);
	bench_wait(&b, 3000000);
	assert_int_equal(drone_personality(b.d), DRONE_ROM);
	assert_int_equal(bench_clrstatus(&b), USB_OK);
	assert_int_equal(bench_do(&b, 0x21, addr), 0);
	assert_int_equal(bench_dnload(&b, 0, NULL, 0), USB_OK);
	assert_int_equal(bench_getstatus(&b), USB_OK);
	assert_int_equal(b.data[4], 7);
	bench_wait(&b, 51000);
	assert_int_equal(drone_personality(b.d), DRONE_OFF);
	bench_wait(&b, 3000000);
}

TEST_SET_UP(leaving_starts_the_application_by_either_address)
{
	there_and_back(0x08004000);
	assert_int_equal(drone_personality(b.d), DRONE_RUNTIME);
	there_and_back(0x08000000);
	assert_int_equal(drone_personality(b.d), DRONE_RUNTIME);
	assert_int_equal(drone_counters(b.d)->leaves, 2);
	assert_int_equal(drone_counters(b.d)->boots, 3);
}

TEST_SET_UP(the_wrong_platform_never_comes_back)
{
	bench_load_tiny(&b, "RZ10,CB10,CB11", "2025.12", 16384);
	there_and_back(0x08004000);
	assert_int_equal(drone_personality(b.d), DRONE_OFF);
	/* The button still gets it into the boot loader; and it needs a power cycle after. */
	bench_enter_dfu(&b);
	assert_int_equal(drone_personality(b.d), DRONE_ROM);
	assert_true(drone_is_button_entered(b.d));
	bench_load_tiny(&b, "CF21", "2025.12", 16384);
	assert_int_equal(bench_do(&b, 0x21, 0x08004000), 0);
	assert_int_equal(bench_dnload(&b, 0, NULL, 0), USB_OK);
	assert_int_equal(bench_getstatus(&b), USB_OK);
	bench_wait(&b, 5000000);
	assert_int_equal(drone_personality(b.d), DRONE_OFF);
	drone_power_cycle(b.d, b.now);
	bench_wait(&b, 5000000);
	assert_int_equal(drone_personality(b.d), DRONE_RUNTIME);
	assert_string_equal(drone_version(b.d, b.now), "2025.12");
}

TEST_SET_UP(a_drone_without_a_bootable_image_stays_off_the_bus)
{
	static const uint8_t blank[4] = { 0xFF, 0xFF, 0xFF, 0xFF };
	static const uint8_t odd_stack[4] = { 0x00, 0x00, 0x00, 0x10 };
	uint8_t first[4];

	drone_peek(b.d, b.now, 0x08004000, first, 4);
	assert_true(drone_would_boot(b.d, b.now));
	assert_int_equal(drone_load(b.d, 0x08004000, blank, 4), 0);
	assert_false(drone_would_boot(b.d, b.now));
	assert_int_equal(drone_load(b.d, 0x08004000, odd_stack, 4), 0);
	assert_false(drone_would_boot(b.d, b.now));
	assert_int_equal(drone_load(b.d, 0x08004000, first, 4), 0);
	assert_true(drone_would_boot(b.d, b.now));
	drone_blank(b.d, 0x08004000 + 14336, 2048); /* the end with the table */
	assert_false(drone_would_boot(b.d, b.now));
	bench_load_tiny(&b, "CF21", "2025.12", 16384);
	drone_blank(b.d, 0x08000000, 16384); /* the loader */
	drone_power_cycle(b.d, b.now);
	bench_wait(&b, 5000000);
	assert_int_equal(drone_personality(b.d), DRONE_OFF);
}

TEST_SET_UP(another_makers_serial_port_counts_wrong_requests)
{
	struct drone_config c;
	struct sighting s;

	drone_config_init(&c, 5);
	c.model = DRONE_OTHER_VCP;
	begin_again(&c, NULL);
	drone_describe(b.d, &s);
	assert_int_equal(s.vid, 0x0483);
	assert_int_equal(s.pid, 0x5740);
	assert_string_not_equal(s.manufacturer, "Bitcraze AB");
	assert_int_equal(bench_control(&b, 0x80, 6, 0x301, 0x409, NULL, 255), USB_OK);
	assert_int_equal(drone_counters(b.d)->beyond_standard, 0);
	assert_int_equal(bench_control(&b, 0x40, 1, 1, 2, NULL, 0), USB_OK);
	assert_int_equal(drone_counters(b.d)->beyond_standard, 1);
	assert_int_equal(drone_counters(b.d)->writing, 1);
	bench_wait(&b, 3000000);
	assert_int_equal(drone_personality(b.d), DRONE_RUNTIME);
}

TEST_SET_UP(an_st_loader_guards_its_own_pages)
{
	struct drone_config c;

	drone_config_init(&c, 5);
	c.model = DRONE_F10X_MEDIUM;
	begin_again(&c, NULL);
	assert_int_equal(drone_personality(b.d), DRONE_ROM);
	assert_int_equal(bench_clrstatus(&b), USB_OK);
	assert_int_equal(bench_do(&b, 0x41, 0x08002C00), 1);
	assert_int_equal(bench_clrstatus(&b), USB_OK);
	assert_int_equal(bench_do(&b, 0x41, 0x08003000), 0);
	assert_int_equal(bench_do(&b, 0x21, 0x08003000), 0);
	assert_int_equal(bench_write(&b, 3, "abcd", 4), 0);
	drone_peek(b.d, b.now, 0x08003400, b.data, 4); /* its blocks are 1 KiB */
	assert_memory_equal(b.data, "abcd", 4);
}

TEST_SET_UP(an_evaluation_board_has_three_memories)
{
	static const uint32_t addrs[] = { 0x08003000, 0x00010000, 0x64020000 };
	struct drone_config c;

	drone_config_init(&c, 5);
	c.model = DRONE_EVAL;
	begin_again(&c, NULL);
	assert_int_equal(bench_clrstatus(&b), USB_OK);
	for (unsigned i = 0; i < ARRAY_LEN(addrs); i++) {
		assert_int_equal(bench_control(&b, 0x01, 11, (uint16_t)i, 0, NULL, 0), USB_OK);
		assert_int_equal(bench_do(&b, 0x41, addrs[i]), 0);
		assert_int_equal(bench_do(&b, 0x21, addrs[i]), 0);
		assert_int_equal(bench_write(&b, 2, "abcd", 4), 0);
		assert_int_equal(bench_abort(&b), USB_OK);
		assert_int_equal(bench_upload(&b, 2, 8), USB_OK);
		assert_memory_equal(b.data, "abcd\xFF\xFF\xFF\xFF", 8);
		assert_int_equal(bench_abort(&b), USB_OK);
	}
	assert_int_equal(bench_control(&b, 0x01, 11, 3, 0, NULL, 0), USB_STALL);
}

TEST_MAIN(NULL)
