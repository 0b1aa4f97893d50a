/* SPDX-License-Identifier: MIT */
/* Simulated colour LED and AI decks against doc/beyond-dfu.md 4, 10. */
#include "config.h"

#include "deck_bench.h"

/* ---- colour LED ---- */

static void
announce(unsigned i, uint32_t size)
{
	uint8_t p[4];

	put_le32(p, size);
	assert_int_equal(mem_write(mem_of(0x19), COMMANDS + 32 * i, p, sizeof(p)), 0);
}

static uint8_t
led_version(void)
{
	assert_int_equal(mem_read(mem_of(0x21), 0, 24), 0);
	assert_memory_equal(b.data + 7, "\xBC\xDC", 2);
	return b.data[7 + 3];
}

TEST_DECK(a_colour_led_is_written_page_by_page_through_its_loader)
{
	uint8_t image[5000], record[32], id, info[3] = { 0x40, 2 };

	BEGIN("2026.08", "deck", "led-old");
	wait_for_start();
	read_record(0, record);
	assert_int_equal(record[0], 0x1F);
	assert_int_equal(record[1], 3);
	assert_int_equal(get_le32(record + 2), 0);
	assert_int_equal(get_le32(record + 6), 0);
	assert_memory_equal(record + 14, "bcColorLedBot:col\0", 18);
	id = mem_of(0x19);
	info[2] = mem_of(0x21);
	assert_true(ask(info, sizeof(info)));
	assert_int_equal(b.length, 20); /* twelve bytes of serial */
	assert_int_equal(led_version(), 0);
	assert_int_equal(mem_write(id, SECTION, "\x01", 1), 5);
	assert_int_equal(mem_read(id, SECTION, 1), 5);
	into_loader(0);
	assert_int_equal(mem_read(id, SECTION, 24), 0);
	assert_int_equal(mem_read(id, SECTION + 0x8000 - 23, 24), 5);
	bitstream_make(77, image, sizeof(image));
	announce(0, sizeof(image));
	write_all(0, image, sizeof(image));
	assert_int_equal(drone_counters(b.d)->deck_erases, 3);
	reads_back(0, image, sizeof(image));
	assert_int_equal(bits(0), 0x5F);
	replug();
	assert_int_equal(bits(0), 0x1F);
	assert_int_equal(led_version(), 1);
	assert_int_equal(drone_deck_state(b.d, b.now, 0), DRONE_DECK_RUNS);
}

TEST_DECK(a_colour_led_that_was_interrupted_fails_the_self_test_and_is_written_again)
{
	uint8_t image[3000];

	BEGIN("2026.08", "deck", "lighthouse,led-top", "led-version-stays", "yes");
	wait_for_start();
	into_loader(2);
	bitstream_make(78, image, sizeof(image));
	announce(2, sizeof(image));
	write_all(2, image, 2400);
	replug();
	bench_wait(&b, 5000000);
	assert_int_equal(bits(0), 0x7D);
	assert_int_equal(drone_deck_state(b.d, b.now, 1), DRONE_DECK_DEAD);
	into_loader(2);
	announce(2, sizeof(image));
	write_all(2, image, sizeof(image));
	assert_int_equal(mem_write(mem_of(0x19), COMMANDS + 64 + 4, "\x01", 1), 0);
	assert_int_equal(bits(2), 0x1F);
	bare_reset();
	bench_wait(&b, 5000000);
	assert_int_equal(bits(0), 0x1F);
}

/* ---- AI ---- */

TEST_DECK(an_ai_deck_is_late_takes_only_what_follows_and_kills_by_its_second_record)
{
	uint64_t begun;
	uint8_t id, record[32];

	BEGIN("2026.08", "deck", "ai");
	wait_for_start();
	begun = b.now;
	id = mem_of(0x19);
	assert_in_range(b.now - begun, 5000000, 6000000);
	read_record(0, record);
	assert_int_equal(record[0], 0x1B);
	assert_int_equal(record[1], 2);
	assert_memory_equal(record + 14, "bcAI:esp", 9);
	read_record(1, record);
	assert_memory_equal(record + 14, "bcAI:gap8", 10);
	assert_int_equal(get_le32(record + 10), 2 * SECTION);
	assert_int_equal(mem_read(id, SECTION, 1), 5);
	assert_int_equal(mem_write(id, SECTION, "\x01", 1), 5);
	assert_int_equal(mem_write(id, COMMANDS, "\x00\x01\x00\x00\x02", 5), 0);
	bench_wait(&b, 2000000);
	assert_int_equal(bits(0), 0x5B);
	assert_int_equal(mem_write(id, SECTION, "\x01\x02", 2), 0);
	assert_true(b.took_us > 1000000);
	assert_int_equal(mem_write(id, SECTION + 2, "\x01\x02", 2), 0);
	assert_int_equal(mem_write(id, SECTION + 5, "\x01\x02", 2), 5);
	assert_int_equal(mem_write(id, 2 * SECTION, "\x01", 1), 0xFF);
	it_dies();
}

TEST_MAIN(NULL)
