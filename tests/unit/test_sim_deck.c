/* SPDX-License-Identifier: MIT */
/* Simulated decks: their records, the Lighthouse deck and the boot text, against
 * doc/beyond-dfu.md 4, 7, 10, 11. */
#include "config.h"

#include "deck_bench.h"

/* ---- what is there ---- */

TEST_DECK(a_bare_drone_has_no_valid_record_and_bears_questions_about_them)
{
	uint8_t id;

	begin(NULL, "2026.08");
	wait_for_start();
	types_are("\x12\x15\x19\x20");
	id = mem_of(0x19);
	assert_int_equal(mem_read(id, 0, 24), 0);
	assert_int_equal(b.data[7], 3);
	for (uint8_t i = 1; i < 24; i++)
		assert_int_equal(b.data[7 + i], 0);
	assert_int_equal(mem_read(id, 0x101, 24), 0);
	assert_int_equal(mem_read(id, SECTION, 24), 5);
	assert_int_equal(mem_read(id, 9 * SECTION, 24), 5);
	assert_int_equal(mem_write(id, SECTION, "\xFF", 1), 5);
	assert_int_equal(mem_write(id, COMMANDS + 4, "\x02", 1), 0);
}

/* SPEC: doc/beyond-dfu.md 11.8 and 4.1. */
TEST_DECK(a_deck_adds_its_memories_and_its_record)
{
	uint8_t id, record[32], one_wire[112];

	BEGIN("2026.08", "deck", "lighthouse", "bitstream-bytes", "0");
	wait_for_start();
	types_are("\x12\x15\x01\x19\x20\x14");
	read_record(0, record);
	assert_int_equal(record[1], 0);
	assert_int_equal(get_le32(record + 2), 0x563A0D3E);
	assert_int_equal(get_le32(record + 6), 104092);
	assert_int_equal(get_le32(record + 10), SECTION);
	assert_memory_equal(record + 14, "bcLighthouse4\0\0\0\0\0", 18);
	assert_int_equal(bits(1), 0);
	assert_int_equal(bits(2), 0);
	id = mem_of(0x01);
	for (uint8_t at = 0; at < sizeof(one_wire); at += 16) {
		assert_int_equal(mem_read(id, at, 16), 0);
		memcpy(one_wire + at, b.data + 7, 16);
	}
	assert_int_equal(mem_read(id, 100, 13), 5);
	assert_int_equal(one_wire[0], 0xEB);
	assert_memory_equal(one_wire + 5, "\xBC\x10", 2);
	assert_int_equal(one_wire[7], (uint8_t)bitstream_crc(one_wire, 7));
	assert_memory_equal(one_wire + 8, "\x00\x12\x01\x0D", 4);
	assert_memory_equal(one_wire + 12, "bcLighthouse4\x02\x01", 15);
	assert_int_equal(one_wire[28], (uint8_t)bitstream_crc(one_wire + 8, 20));
	assert_int_equal(mem_read(mem_of(0x14), 0x1000, 24), 0);
	BEGIN("2025.09", "deck", "lighthouse,flow", "bitstream-bytes", "0");
	wait_for_start();
	types_are("\x12\x15\x01\x01\x19\x14");
	read_record(0, record);
	assert_int_equal(get_le32(record + 2), 0x112BC794);
	assert_int_equal(get_le32(record + 6), 104093);
	assert_int_equal(bits(2), 0); /* flow has no memory of its own */
	BEGIN("2026.08", "deck", "led-top,multiranger,led-bottom");
	wait_for_start();
	types_are("\x12\x15\x01\x21\x21\x19\x20");
	assert_int_equal(bits(0), 0); /* 1-wire first */
	read_record(4, record);
	assert_memory_equal(record + 14, "bcColorLedBot:col\0", 18);
	BEGIN("2025.09", "deck", "led-top"); /* before DeckCtrls were known */
	wait_for_start();
	types_are("\x12\x15\x19");
}

TEST_DECK(a_record_that_is_not_valid_kills_once_a_deck_is_mounted)
{
	static const struct {
		uint32_t addr;
		bool writes;
	} fatal[] = {
		{ 2 * SECTION, false },
		{ 2 * SECTION, true },
		{ 3 * SECTION, false },
		{ COMMANDS + 32 + 4, true },
	};

	BEGIN("2026.08", "deck", "lighthouse-wrong");
	wait_for_start();
	for (unsigned i = 0; i < ARRAY_LEN(fatal); i++) {
		uint8_t id = mem_of(0x19);

		if (fatal[i].writes)
			assert_int_equal(mem_write(id, fatal[i].addr, "\x02", 1), 0xFF);
		else
			assert_int_equal(mem_read(id, fatal[i].addr, 1), 0xFF);
		it_dies();
	}
}

/* ---- Lighthouse ---- */

TEST_DECK(a_lighthouse_starts_after_the_self_test_when_its_bitstream_is_right)
{
	BEGIN("2026.08", "deck", "lighthouse");
	wait_for_start();
	assert_int_equal(bits(0), 0x7D);
	bench_wait(&b, 4000000);
	assert_int_equal(bits(0), 0x1F);
	assert_int_equal(mem_read(mem_of(0x19), SECTION, 24), 5);
	assert_int_equal(drone_deck_state(b.d, b.now, 0), DRONE_DECK_RUNS);
	replug();
	assert_int_equal(bits(0), 0x7D);
	bench_wait(&b, 4000000);
	assert_int_equal(bits(0), 0x1F);
}

TEST_DECK(a_lighthouse_whose_drone_failed_its_self_test_never_starts)
{
	BEGIN("2026.08", "deck", "lighthouse", "selftest", "imu6");
	wait_for_start();
	bench_wait(&b, 20000000);
	assert_int_equal(bits(0), 0x7D);
	assert_int_equal(drone_deck_state(b.d, b.now, 0), DRONE_DECK_IN_LOADER);
}

/* SPEC: doc/beyond-dfu.md 10.1: it looks like one that wants to be written. */
TEST_DECK(a_lighthouse_is_dead_after_a_reset_of_the_stm32_alone)
{
	BEGIN("2026.08", "deck", "lighthouse");
	wait_for_start();
	bench_wait(&b, 4000000);
	for (unsigned i = 0; i < 2; i++) {
		bare_reset();
		bench_wait(&b, 10000000);
		assert_int_equal(bits(0), 0x7D);
		assert_int_equal(mem_write(mem_of(0x19), SECTION, "\x01", 1), 5);
		assert_int_equal(mem_read(mem_of(0x19), SECTION, 1), 5);
		assert_int_equal(drone_deck_state(b.d, b.now, 0), DRONE_DECK_DEAD);
	}
	assert_int_equal(drone_counters(b.d)->deck_erases, 0);
	replug();
	bench_wait(&b, 4000000);
	assert_int_equal(bits(0), 0x1F);
	assert_int_equal(drone_deck_state(b.d, b.now, 0), DRONE_DECK_RUNS);
}

TEST_DECK(a_wrong_bitstream_is_replaced)
{
	uint8_t image[SHORT_BYTES], id;

	BEGIN("2026.08", "deck", "lighthouse-wrong");
	wait_for_start();
	bench_wait(&b, 4000000);
	assert_int_equal(bits(0), 0x7F);
	id = mem_of(0x19);
	bitstream_make(BITSTREAM_CRC, image, sizeof(image));
	assert_int_equal(mem_write(id, SECTION, image, 24), 0);
	assert_in_range(b.took_us, ERASE_US, ERASE_US + 10000);
	assert_int_equal(mem_write(id, SECTION + 24, image + 24, 24), 0);
	assert_in_range(b.took_us, 0, 5000);
	write_all(0, image, sizeof(image));
	reads_back(0, image, sizeof(image));
	assert_int_equal(bits(0), 0x7F); /* it is not looked at again before the next start */
	replug();
	bench_wait(&b, 4000000);
	assert_int_equal(bits(0), 0x1F);
}

/* SPEC: doc/beyond-dfu.md 10.2. */
TEST_DECK(a_gap_in_a_bitstream_is_accepted_and_stays_blank)
{
	uint8_t image[SHORT_BYTES], id;

	BEGIN("2026.08", "deck", "lighthouse-wrong");
	wait_for_start();
	bench_wait(&b, 4000000);
	id = mem_of(0x19);
	bitstream_make(BITSTREAM_CRC, image, sizeof(image));
	for (uint32_t at = 0; at < sizeof(image); at += 24)
		if (at != 240)
			assert_int_equal(mem_write(id, SECTION + at, image + at, 24), 0);
	assert_int_equal(mem_read(id, SECTION + 240, 24), 0);
	for (unsigned i = 0; i < 24; i++)
		assert_int_equal(b.data[7 + i], 0xFF);
	replug();
	bench_wait(&b, 4000000);
	assert_int_equal(bits(0), 0x7F);
	write_all(0, image, sizeof(image));
	reads_back(0, image, sizeof(image));
	replug();
	bench_wait(&b, 4000000);
	assert_int_equal(bits(0), 0x1F);
}

TEST_DECK(an_interrupted_bitstream_can_be_written_again)
{
	uint8_t image[SHORT_BYTES];

	BEGIN("2026.08", "deck", "lighthouse-wrong");
	wait_for_start();
	bench_wait(&b, 4000000);
	bitstream_make(BITSTREAM_CRC, image, sizeof(image));
	write_all(0, image, 240);
	replug();
	bench_wait(&b, 4000000);
	assert_int_equal(bits(0), 0x7F);
	write_all(0, image, sizeof(image));
	replug();
	bench_wait(&b, 4000000);
	assert_int_equal(bits(0), 0x1F);
}

TEST_DECK(a_new_firmware_may_require_another_bitstream)
{
	BEGIN("2025.12", "deck", "lighthouse");
	wait_for_start();
	bench_wait(&b, 4000000);
	assert_int_equal(bits(0), 0x1F);
	bench_load_tiny(&b, "CF21", "2026.08", 16384);
	replug();
	bench_wait(&b, 4000000);
	assert_int_equal(bits(0), 0x7F);
}

TEST_DECK(bitstreams_have_the_crc_that_is_wanted)
{
	static uint8_t image[BITSTREAM_BYTES_BEFORE];

	assert_int_equal(bitstream_crc((const uint8_t *)"123456789", 9), 0xCBF43926);
	bitstream_make(BITSTREAM_CRC, image, BITSTREAM_BYTES);
	assert_int_equal(bitstream_crc(image, BITSTREAM_BYTES), 0x563A0D3E);
	bitstream_make(BITSTREAM_CRC_BEFORE, image, BITSTREAM_BYTES_BEFORE);
	assert_int_equal(bitstream_crc(image, BITSTREAM_BYTES_BEFORE), 0x112BC794);
}

/* ---- the boot text (doc/beyond-dfu.md 7, 11.9) ---- */

static bool
text_has(const char *wanted, unsigned *ret_packets)
{
	char text[8192] = "";
	size_t n = 0;

	*ret_packets = 0;
	while (bulk(USB_BULK_IN, NULL, 64, 20) == USB_OK) {
		if (b.data[0] != 0 || n + b.length > sizeof(text))
			continue;
		memcpy(text + n, b.data + 1, b.length - 1);
		n += b.length - 1;
		text[n] = '\0';
		++*ret_packets;
	}
	return strstr(text, wanted) != NULL;
}

TEST_DECK(decks_speak_in_the_boot_text)
{
	static const struct {
		const char *deck, *selftest, *wanted;
	} rows[] = {
		{ "lighthouse", "", "DECK_CORE: 1 deck(s) found\n" },
		{ "lighthouse", "",
		  "DECK_CORE: Calling INIT on driver bcLighthouse4 for deck 0\n" },
		{ "lighthouse", "", "LHFL: Bitstream CRC32: 563A0D3E [PASS]\n" },
		{ "lighthouse-wrong", "", "LHFL: Bitstream CRC32: BADB17EC [FAIL]\n" },
		{ "lighthouse-wrong", "", "LH: FPGA not booted. Lighthouse disabled!\n" },
		{ "flow,multiranger", "", "DECK_CORE: Deck 1 test [OK].\n" },
		{ "led-top", "", "DECK_CORE: Deck 0 test [OK].\n" },
	};
	unsigned packets;

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		BEGIN("2026.08", "deck", rows[i].deck, "selftest", rows[i].selftest);
		bench_wait(&b, 10000000);
		wait_for_start();
		assert_true(text_has(rows[i].wanted, &packets));
		if (strcmp(rows[i].deck, "lighthouse") == 0)
			assert_in_range(packets, 60, 70);
	}
	BEGIN("2026.08", "deck", "lighthouse");
	bench_wait(&b, 10000000);
	wait_for_start();
	bare_reset();
	bench_wait(&b, 10000000);
	assert_true(text_has("LHFL: Cannot communicate with lighthouse bootloader", &packets));
	BEGIN("2026.08", "deck", "lighthouse", "selftest", "imu6");
	bench_wait(&b, 10000000);
	wait_for_start();
	assert_false(text_has("LHFL", &packets));
}

TEST_MAIN(NULL)
