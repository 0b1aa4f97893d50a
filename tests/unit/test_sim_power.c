/* SPDX-License-Identifier: MIT */
/* The simulated nRF51's switch of all power, and dark mode switches, against doc/beyond-dfu.md 6
 * and doc/protocol.md 2.2. */
#include "config.h"

#include "deck_bench.h"

/* ---- power (doc/beyond-dfu.md 6, doc/protocol.md 2.2) ---- */

static uint8_t
power_command(uint8_t command)
{
	return mem_write(mem_of(0x20), 3, &command, 1);
}

TEST_DECK(the_nrf51_switches_all_power_off_and_on_at_the_stm32s_word)
{
	const struct drone_counters *n;
	uint8_t block[27] = { 0x42 }, channel, rate;
	uint64_t answered, address;

	BEGIN("2026.08", "deck", "lighthouse", "dark-permille", "1000");
	n = drone_counters(b.d);
	wait_for_start();
	bench_wait(&b, 4000000);
	bare_reset();
	assert_int_equal(bits(0), 0x7D);
	memcpy(block + 6, drone_eeprom(b.d), 21);
	block[6 + 5] = 90;
	block[6 + 20] += 10;
	assert_true(ask(block, sizeof(block)));
	assert_int_equal(power_command(2), 0);
	answered = b.now;
	while (drone_personality(b.d) != DRONE_OFF)
		bench_wait(&b, 1000);
	assert_in_range(b.now - answered, 5000, 20000);
	wait_for_start();
	assert_in_range(b.now - answered, 1000000, 3000000);
	drone_radio(b.d, &channel, &rate, &address);
	assert_int_equal(channel, 90);
	assert_int_equal(n->vcc_cycles, 1);
	assert_int_equal(n->darks, 0); /* it is not that kind of reset */
	bench_wait(&b, 4000000);
	assert_int_equal(bits(0), 0x1F);
}

TEST_DECK(an_old_nrf51_does_not_hear_the_word)
{
	BEGIN("2026.08", "nrf", "2022.09");
	wait_for_start();
	assert_int_equal(power_command(2), 0);
	bench_wait(&b, 10000000);
	assert_int_equal(drone_personality(b.d), DRONE_RUNTIME);
	assert_int_equal(drone_counters(b.d)->boots, 1);
	assert_int_equal(power_command(3), 5);
	assert_int_equal(power_command(0), 0);
}

TEST_DECK(the_deckctrl_memory_says_and_does_what_the_firmware_does)
{
	uint8_t id;

	BEGIN("2026.08", "deck", "led-top,led-bottom");
	wait_for_start();
	id = mem_of(0x20);
	assert_int_equal(mem_read(id, 0, 4), 0);
	assert_memory_equal(b.data + 7, "\x01\x02\x00\x00", 4);
	assert_int_equal(power_command(1), 5); /* for one deck only */
	into_loader(0);
	assert_int_equal(mem_read(id, 0, 4), 0);
	assert_memory_equal(b.data + 7, "\x01\x02\x01\x00", 4);
	BEGIN("2026.08", "deck", "led-top");
	wait_for_start();
	assert_int_equal(mem_read(mem_of(0x20), 0, 4), 0);
	assert_memory_equal(b.data + 7, "\x01\x01\x02\x00", 4);
	assert_int_equal(power_command(1), 0);
	bench_wait(&b, 100000);
	wait_for_start();
	types_are("\x12\x15\x19\x20"); /* in its boot loader: not found */
	assert_int_equal(mem_read(mem_of(0x20), 0, 4), 0);
	assert_memory_equal(b.data + 7, "\x01\x00\x01\x00", 4);
	assert_int_equal(power_command(2), 0);
	bench_wait(&b, 100000);
	wait_for_start();
	types_are("\x12\x15\x21\x19\x20");
}

static void
switch_mode(void)
{
	(void)bench_control(&b, 0x40, 1, 1, 2, NULL, 0);
	bench_wait(&b, 10000000);
}

TEST_DECK(a_switch_may_end_dark_until_the_power_goes)
{
	struct fate f = { .kind = FATE_DARK };

	begin(NULL, "2026.08");
	wait_for_start();
	assert_int_equal(drone_arm(b.d, &f), 0);
	switch_mode();
	assert_int_equal(drone_personality(b.d), DRONE_OFF);
	assert_true(drone_is_dark(b.d));
	drone_plug(b.d, b.now); /* it is plugged in */
	bench_wait(&b, 10000000);
	assert_int_equal(drone_personality(b.d), DRONE_OFF);
	replug();
	assert_false(drone_is_dark(b.d));
	switch_mode();
	assert_int_equal(drone_personality(b.d), DRONE_ROM);
	BEGIN("2026.08", "dark-permille", "1000");
	wait_for_start();
	switch_mode();
	assert_int_equal(drone_personality(b.d), DRONE_OFF);
	assert_int_equal(drone_counters(b.d)->darks, 1);
	drone_button(b.d, b.now);
	bench_wait(&b, 10000000);
	assert_int_equal(drone_personality(b.d), DRONE_ROM);
	assert_false(drone_is_dark(b.d));
}

TEST_MAIN(NULL)
