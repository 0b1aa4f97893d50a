/* SPDX-License-Identifier: MIT */
/* The simulated boot loader against doc/protocol.md 1, 3, 5 and 6. */
#include "config.h"

#include <errno.h>

#include "test.h"

#include "cfdfu/watch.h"
#include "sim_bench.h"

#define STATE(b) ((b)->data[4])

static struct bench b;

static int
dfu_setup(void **state)
{
	struct drone_config c;

	(void)state;
	drone_config_init(&c, 42);
	bench_begin(&b, &c);
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
begin_again(const struct drone_config *c)
{
	drone_free(b.d);
	bench_begin(&b, c);
	bench_enter_dfu(&b);
}

#define TEST_SET_UP(name) TEST_WITH(name, dfu_setup, teardown)

TEST_SET_UP(descriptors_are_the_published_bytes)
{
	static const uint8_t expected[] = {
		0x12, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00, 0x40, 0x83, 0x04, 0x11, 0xDF,
		0x00, 0x22, 0x01, 0x02, 0x03, 0x01, 0x09, 0x02, 0x36, 0x00, 0x01, 0x01,
		0x00, 0xC0, 0x32, 0x09, 0x04, 0x00, 0x00, 0x00, 0xFE, 0x01, 0x02, 0x04,
		0x09, 0x04, 0x00, 0x01, 0x00, 0xFE, 0x01, 0x02, 0x05, 0x09, 0x04, 0x00,
		0x02, 0x00, 0xFE, 0x01, 0x02, 0x06, 0x09, 0x04, 0x00, 0x03, 0x00, 0xFE,
		0x01, 0x02, 0x07, 0x09, 0x21, 0x0B, 0xFF, 0x00, 0x00, 0x08, 0x1A, 0x01,
	};
	uint8_t buf[256];

	assert_int_equal(drone_descriptors(b.d, buf, sizeof(buf)), sizeof(expected));
	assert_memory_equal(buf, expected, sizeof(expected));
	assert_int_equal(bench_control(&b, 0x80, 6, 0x0200, 0, NULL, 9), USB_OK);
	assert_int_equal(b.length, 9);
	assert_memory_equal(b.data, expected + 18, 9);
	assert_int_equal(bench_control(&b, 0x81, 6, 0x2100, 0, NULL, 9), USB_OK);
	assert_memory_equal(b.data, expected + sizeof(expected) - 9, 9);
	assert_int_equal(bench_control(&b, 0x80, 6, 0x0600, 0, NULL, 10), USB_STALL);
}

static void
string_is(unsigned index, const char *text)
{
	assert_int_equal(bench_control(&b, 0x80, 6, (uint16_t)(0x300 | index), 0x409, NULL, 255),
			 USB_OK);
	assert_int_equal(b.data[0], 2 + 2 * strlen(text));
	assert_int_equal(b.length, b.data[0]);
	for (size_t i = 0; i < strlen(text); i++)
		assert_int_equal(get_le16(b.data + 2 + 2 * i), text[i]);
}

TEST_SET_UP(strings_are_exact_to_the_blank)
{
	string_is(1, "STMicroelectronics");
	string_is(2, "STM32  BOOTLOADER");
	string_is(4, "@Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg");
	string_is(5, "@Option Bytes  /0x1FFFC000/01*016 e");
	string_is(6, "@OTP Memory /0x1FFF7800/01*512 e,01*016 e");
	string_is(7, "@Device Feature/0xFFFF0000/01*004 e");
	assert_int_equal(bench_control(&b, 0x80, 6, 0x308, 0x409, NULL, 255), USB_STALL);
}

TEST_SET_UP(serials_follow_the_published_pairs)
{
	static const struct {
		const char *uid, *rom;
		enum drone_serial rule;
	} pairs[] = {
		{ "30002D000B51343333353132", "325E35633334", DRONE_SERIAL_PLAIN },
		{ "51004F000551343036333233", "338133873034", DRONE_SERIAL_PLAIN },
		{ "1C0043001951353530393937", "377C394C3535", DRONE_SERIAL_PLAIN },
		{ "1F0023000951373531373736", "365A375A3537", DRONE_SERIAL_PLUS_A },
	};
	uint8_t uid[12];
	char text[32];

	for (unsigned i = 0; i < ARRAY_LEN(pairs); i++) {
		assert_int_equal(drone_uid_parse(pairs[i].uid, uid), 0);
		drone_serial_runtime(uid, text);
		assert_string_equal(text, pairs[i].uid);
		drone_serial_rom(uid, pairs[i].rule, text);
		assert_string_equal(text, pairs[i].rom);
	}
	assert_int_equal(drone_uid_parse("FF0000000000000001000000", uid), 0);
	drone_serial_rom(uid, DRONE_SERIAL_PLAIN, text);
	assert_string_equal(text, "000001000000");
	drone_serial_rom(uid, DRONE_SERIAL_NO_CARRY, text);
	assert_string_equal(text, "000000000000");
	assert_int_equal(drone_uid_parse("FF00", uid), -EINVAL);
}

TEST_SET_UP(first_status_is_the_error_that_is_none)
{
	drone_button(b.d, b.now);
	bench_wait(&b, 5000000);
	assert_int_equal(bench_getstatus(&b), USB_OK);
	assert_int_equal(b.data[0], 10);
	assert_int_equal(STATE(&b), 10);
	assert_int_equal(bench_dnload(&b, 2, "abcd", 4), USB_STALL);
	assert_int_equal(bench_abort(&b), USB_STALL);
	assert_int_equal(bench_clrstatus(&b), USB_OK);
	assert_int_equal(bench_getstatus(&b), USB_OK);
	assert_int_equal(b.data[0], 0);
	assert_int_equal(STATE(&b), 2);
}

TEST_SET_UP(commands_take_two_status_requests)
{
	assert_int_equal(bench_command(&b, 0x21, 0x08004000), USB_OK);
	assert_int_equal(bench_dnload(&b, 2, "abcd", 4), USB_STALL);
	assert_int_equal(bench_getstatus(&b), USB_OK);
	assert_int_equal(STATE(&b), 4);
	assert_int_equal(bench_poll_ms(&b), 104);
	assert_int_equal(bench_getstatus(&b), USB_OK);
	assert_int_equal(STATE(&b), 5);
	assert_int_equal(bench_poll_ms(&b), 0);
	assert_int_equal(bench_upload(&b, 2, 4), USB_STALL); /* needs an ABORT in between */
	assert_int_equal(bench_abort(&b), USB_OK);
	assert_int_equal(bench_upload(&b, 2, 4), USB_OK);
	assert_int_equal(bench_dnload(&b, 2, "abcd", 4), USB_STALL);
	assert_int_equal(bench_abort(&b), USB_OK);
	assert_int_equal(bench_getstatus(&b), USB_OK);
	assert_int_equal(STATE(&b), 2);
}

TEST_SET_UP(get_commands_and_reserved_blocks)
{
	static const uint8_t commands[4] = { 0x00, 0x21, 0x41, 0x92 };

	assert_int_equal(bench_upload(&b, 0, 64), USB_OK);
	assert_int_equal(b.length, 4);
	assert_memory_equal(b.data, commands, 4);
	assert_int_equal(drone_dfu_state(b.d), 2);
	assert_int_equal(bench_upload(&b, 1, 64), USB_STALL);
	assert_int_equal(bench_dnload(&b, 1, "abcd", 4), USB_STALL);
	assert_int_equal(bench_upload(&b, 2, 2049), USB_STALL);
}

TEST_SET_UP(erase_is_nakked_for_the_data_sheets_time)
{
	static const struct {
		uint32_t addr;
		uint64_t ms;
	} sectors[] = {
		{ 0x08004000, 400 }, { 0x0800FFFF, 400 }, { 0x08010000, 1200 }, { 0x080E0004, 2000 }
	};

	for (unsigned i = 0; i < ARRAY_LEN(sectors); i++) {
		assert_int_equal(bench_command(&b, 0x41, sectors[i].addr), USB_OK);
		assert_int_equal(bench_getstatus(&b), USB_OK);
		assert_int_equal(bench_poll_ms(&b), 100);
		assert_true(b.took_us < 1000);
		assert_int_equal(bench_getstatus(&b), USB_OK);
		assert_int_equal(STATE(&b), 5);
		assert_in_range(b.took_us, sectors[i].ms * 1000, sectors[i].ms * 1000 + 1000);
	}
	assert_int_equal(drone_counters(b.d)->erases, 4);
	assert_int_equal(drone_counters(b.d)->sector_erases[11], 1);
	assert_int_equal(drone_counters(b.d)->outside_erases, 0);
}

TEST_SET_UP(a_block_takes_16_us_a_byte_and_its_address_from_its_number)
{
	uint8_t block[2048], back[2048];

	memset(block, 0x5A, sizeof(block));
	assert_int_equal(bench_do(&b, 0x21, 0x08004000), 0);
	assert_int_equal(bench_dnload(&b, 5, block, 2048), USB_OK);
	assert_in_range(b.took_us, 350 + 2457, 350 + 2458);
	assert_int_equal(bench_getstatus(&b), USB_OK);
	assert_int_equal(bench_poll_ms(&b), 104);
	assert_int_equal(bench_getstatus(&b), USB_OK);
	assert_in_range(b.took_us, 32768, 32768 + 400);
	drone_peek(b.d, b.now, 0x08004000 + 3 * 2048, back, sizeof(back));
	assert_memory_equal(back, block, sizeof(back));
	drone_peek(b.d, b.now, 0x08004000, back, sizeof(back));
	for (unsigned i = 0; i < sizeof(back); i++)
		assert_int_equal(back[i], 0xFF);
	/* The pointer survives, and the multiplier is the descriptor's 2048 whatever the length. */
	assert_int_equal(bench_write(&b, 3, "1234", 4), 0);
	drone_peek(b.d, b.now, 0x08004800, back, 4);
	assert_memory_equal(back, "1234", 4);
}

TEST_SET_UP(programming_only_clears_bits)
{
	static const uint8_t first[4] = { 0xF0, 0xFF, 0x0F, 0xAA },
			     second[4] = { 0x3C, 0x12, 0xFF, 0x55 };
	static const uint8_t both[4] = { 0x30, 0x12, 0x0F, 0x00 };
	uint8_t back[4];

	assert_int_equal(bench_do(&b, 0x21, 0x08008000), 0);
	assert_int_equal(bench_write(&b, 2, first, 4), 0);
	assert_int_equal(bench_write(&b, 2, second, 4), 0);
	drone_peek(b.d, b.now, 0x08008000, back, 4);
	assert_memory_equal(back, both, 4);
	assert_int_equal(drone_counters(b.d)->overwrites, 3);
	assert_int_equal(bench_do(&b, 0x41, 0x0800BFFF), 0);
	drone_peek(b.d, b.now, 0x08008000, back, 4);
	assert_memory_equal(back, "\xFF\xFF\xFF\xFF", 4);
}

TEST_SET_UP(bad_addresses_end_in_err_target_after_the_busy_step)
{
	assert_int_equal(bench_do(&b, 0x21, 0x08100000), 1);
	assert_int_equal(STATE(&b), 10);
	assert_int_equal(bench_clrstatus(&b), USB_OK);
	assert_int_equal(bench_do(&b, 0x41, 0x1FFF7800), 1);
	assert_int_equal(bench_clrstatus(&b), USB_OK);
	assert_int_equal(bench_do(&b, 0x77, 0x08004000), 15);
	assert_int_equal(bench_clrstatus(&b), USB_OK);
	assert_int_equal(bench_do(&b, 0x21, 0x080FFFFE), 0);
	assert_int_equal(bench_write(&b, 2, "abcd", 4), 1);
}

TEST_SET_UP(clrstatus_without_an_error_makes_one)
{
	assert_int_equal(bench_clrstatus(&b), USB_OK);
	assert_int_equal(bench_getstatus(&b), USB_OK);
	assert_int_equal(b.data[0], 14);
	assert_int_equal(STATE(&b), 10);
	assert_int_equal(bench_clrstatus(&b), USB_OK);
	assert_int_equal(drone_dfu_state(b.d), 2);
}

TEST_SET_UP(otp_tells_the_platform_and_ends_after_528_bytes)
{
	assert_int_equal(bench_do(&b, 0x21, 0x1FFF7800), 0);
	assert_int_equal(bench_abort(&b), USB_OK);
	assert_int_equal(bench_upload(&b, 2, 528), USB_OK);
	assert_int_equal(b.length, 528);
	assert_memory_equal(b.data, "0;CF21\xFF", 7);
	assert_int_equal(b.data[512], 0xFF);
	assert_int_equal(drone_counters(b.d)->writing, 0); /* reading changes nothing */
	/* Beyond the end the ROM hangs for good. */
	assert_int_equal(bench_upload(&b, 2, 600), USB_TIMEOUT);
	assert_int_equal(bench_getstatus(&b), USB_TIMEOUT);
}

TEST_SET_UP(device_feature_selects_words)
{
	uint8_t block[2048] = { 0 };

	assert_int_equal(bench_do(&b, 0x21, 0xFFFF0000), 0);
	assert_int_equal(bench_write(&b, 2, "\x03\x00\x00\x00", 4), 0);
	assert_int_equal(bench_abort(&b), USB_OK);
	assert_int_equal(bench_upload(&b, 2, 4), USB_OK);
	assert_int_equal(b.data[0], 3);
	assert_int_equal(bench_abort(&b), USB_OK);
	assert_int_equal(bench_do(&b, 0x41, 0x08004000), 0);
	assert_in_range(b.took_us, 250000, 251000);
	assert_int_equal(bench_do(&b, 0x21, 0x08004000), 0);
	assert_int_equal(bench_write(&b, 2, block, 2048), 0);
	assert_in_range(b.took_us, 8192, 8192 + 400);
	assert_int_equal(drone_counters(b.d)->feature_writes, 1);
	assert_int_equal(drone_counters(b.d)->outside_writes, 0);
}

TEST_SET_UP(read_protection_answers_err_vendor)
{
	struct drone_config c;

	drone_config_init(&c, 1);
	c.read_protected = true;
	begin_again(&c);
	assert_int_equal(bench_upload(&b, 2, 64), USB_STALL);
	assert_int_equal(bench_getstatus(&b), USB_OK);
	assert_int_equal(b.data[0], 11);
	assert_int_equal(bench_clrstatus(&b), USB_OK);
	assert_int_equal(bench_do(&b, 0x21, 0x08004000), 0);
	assert_int_equal(bench_do(&b, 0x41, 0x08004000), 11);
	assert_int_equal(bench_clrstatus(&b), USB_OK);
	assert_int_equal(bench_dnload(&b, 0, "\x92", 1), USB_OK);
	assert_int_equal(bench_getstatus(&b), USB_OK);
	assert_int_equal(drone_counters(b.d)->unprotects, 1);
}

TEST_SET_UP(write_protected_sectors_swallow_silently)
{
	struct drone_config c;
	uint8_t back[4];

	drone_config_init(&c, 1);
	c.write_protected = 1U << 2;
	begin_again(&c);
	assert_int_equal(bench_do(&b, 0x21, 0x08008000), 0);
	assert_int_equal(bench_write(&b, 2, "abcd", 4), 0);
	drone_peek(b.d, b.now, 0x08008000, back, 4);
	assert_memory_equal(back, "\xFF\xFF\xFF\xFF", 4);
}

TEST_SET_UP(one_kind_says_busy_again_and_again)
{
	struct drone_config c;
	unsigned asked = 0;

	drone_config_init(&c, 1);
	c.kind = DRONE_KIND_DNBUSY;
	c.poll_busy_ms = 7;
	begin_again(&c);
	assert_int_equal(bench_command(&b, 0x41, 0x08004000), USB_OK);
	do {
		assert_int_equal(bench_getstatus(&b), USB_OK);
		if (asked++ > 0 && STATE(&b) == 4)
			assert_int_equal(bench_poll_ms(&b), 7);
		bench_wait(&b, 10000);
	} while (STATE(&b) == 4);
	assert_int_equal(STATE(&b), 5);
	assert_in_range(asked, 38, 42);
}

TEST_SET_UP(one_kind_stalls_when_asked_early_and_is_honest)
{
	struct drone_config c;

	drone_config_init(&c, 1);
	c.kind = DRONE_KIND_STALL_EARLY;
	begin_again(&c);
	assert_int_equal(bench_command(&b, 0x41, 0x08004000), USB_OK);
	assert_int_equal(bench_getstatus(&b), USB_OK);
	assert_int_equal(bench_poll_ms(&b), 401);
	assert_int_equal(bench_getstatus(&b), USB_STALL);
	bench_wait(&b, 401000);
	assert_int_equal(bench_getstatus(&b), USB_OK);
	assert_int_equal(STATE(&b), 5);
}

TEST_SET_UP(a_timed_out_status_loses_nothing)
{
	struct usb_xfer x = { .kind = USB_CONTROL, .setup = { 0xA1, 3, 0, 0, 6 }, .length = 6 };

	assert_int_equal(bench_command(&b, 0x41, 0x08010000), USB_OK);
	assert_int_equal(bench_getstatus(&b), USB_OK);
	assert_int_equal(bench_transfer(&b, &x, 500000), USB_TIMEOUT);
	assert_int_equal(drone_dfu_state(b.d), 4);
	assert_int_equal(bench_getstatus(&b), USB_OK);
	assert_int_equal(STATE(&b), 5);
	assert_in_range(b.took_us, 690000, 701000);
}

TEST_SET_UP(power_cut_in_an_erase_leaves_a_spoiled_sector)
{
	uint8_t before[64], half[16384], last[64];

	bench_load_tiny(&b, "CF20,CF21", "2025.12", 16384);
	drone_peek(b.d, b.now, 0x08004000 + 16320, before, sizeof(before));
	assert_int_equal(bench_command(&b, 0x41, 0x08004000), USB_OK);
	assert_int_equal(bench_getstatus(&b), USB_OK);
	bench_wait(&b, 200000);
	drone_unplug(b.d, b.now);
	bench_wait(&b, 1000);
	drone_peek(b.d, b.now, 0x08004000, half, sizeof(half));
	assert_int_equal(half[0], 0xFF);
	memcpy(last, half + 16320, sizeof(last));
	assert_memory_not_equal(last, before, sizeof(last));
	for (unsigned i = 0; i < sizeof(last); i++)
		assert_int_equal(last[i] & before[i], before[i]); /* bits only come up */
	assert_false(drone_would_boot(b.d, b.now));
}

TEST_SET_UP(configuration_words_are_known_and_checked)
{
	struct drone_config c;
	char error[128];

	drone_config_init(&c, 3);
	assert_int_equal(drone_config_set(&c, "platform", "CB11", error, sizeof(error)), 0);
	assert_string_equal(c.otp, "0;CB11");
	assert_int_equal(drone_config_set(&c, "kind", "stall-early", error, sizeof(error)), 0);
	assert_int_equal(c.kind, DRONE_KIND_STALL_EARLY);
	assert_int_equal(drone_config_set(&c, "gap", "100-200", error, sizeof(error)), 0);
	assert_int_equal(c.timing.gap_max_ms, 200);
	assert_int_equal(drone_config_set(&c, "gap", "200-100", error, sizeof(error)), -EINVAL);
	assert_int_equal(drone_config_set(&c, "no-type", "yes", error, sizeof(error)), 0);
	assert_true(c.no_type);
	assert_int_equal(drone_config_set(&c, "wings", "4", error, sizeof(error)), -EINVAL);
	assert_string_equal(error, "a drone has no 'wings'");
	for (size_t i = 0; drone_config_key(i) != NULL; i++) {
		char word[64] = " ";

		strcat(strcat(word, drone_config_key(i)), " ");
		assert_int_equal(
		    drone_config_set(&c, drone_config_key(i), "\x01?", error, sizeof(error)) == 0,
		    strstr(" otp serial-text layout0 layout1 layout2 layout3 product "
			   "manufacturer version revision type crash selftest nrf ",
			   word) != NULL);
	}
}

TEST_SET_UP(descriptors_can_be_wrong_in_named_ways)
{
	static const size_t lengths[] = { 72, 58, 81, 1836, 72 };
	uint8_t buf[4096];

	for (unsigned i = 0; i < DRONE_DESCRIPTORS_COUNT; i++) {
		struct drone_config c;

		drone_config_init(&c, 1);
		c.descriptors = (enum drone_descriptors)i;
		begin_again(&c);
		assert_int_equal(drone_descriptors(b.d, buf, sizeof(buf)), lengths[i]);
	}
	assert_int_equal(get_le16(buf + 18 + 50), 2048);
	assert_int_equal(bench_control(&b, 0x80, 6, 0x200, 0, NULL, 54), USB_OK);
	assert_int_equal(get_le16(b.data + 50), 64);
}

TEST_SET_UP(the_floor_is_the_protocol_notes_arithmetic)
{
	static const struct drone_segment image = { 0x08004000, 243176 };
	struct drone_config c;
	struct drone_floor f;

	drone_config_init(&c, 1);
	drone_floor(&c, &image, 1, 1, &f);
	assert_int_equal(f.erase_us, 4400000);
	assert_int_equal(f.program_us, 243176 * 16);
	assert_int_equal(f.send_us, 291811);
	drone_floor(&c, &image, 1, 4, &f);
	assert_int_equal(f.erase_us, 2300000);
	assert_int_equal(f.program_us, 243176 / 4 * 16);
}

TEST_MAIN(NULL)
