/* SPDX-License-Identifier: MIT */
/*
 * Writing through a running drone, all the way: the conversation carries out what the engines of
 * core/deck_update and core/radio_write name, on a simulated drone with decks.
 */
#include "config.h"

#include "core/deck_update.h"
#include "core/radio_write.h"
#include "core/runtime_session.h"

#include "deck_bench.h"

#define LED_BYTES 4100

static struct runtime_session session;
static struct condition seen;
static uint8_t firmware[DECK_SECTION_BYTES + LED_BYTES];

/* Carries the task under way out to its end. */
static enum runtime_result
converse(void)
{
	enum runtime_result result = RUNTIME_UNDER_WAY;

	for (unsigned n = 0; result == RUNTIME_UNDER_WAY; n++) {
		struct request w;
		enum usb_status status;

		assert_true(n < 100000);
		runtime_session_next(&session, b.now, &w);
		if (w.kind == REQUEST_PAUSE) {
			bench_wait(&b, w.until_us > b.now ? w.until_us - b.now : 1);
			continue;
		}
		assert_int_equal(w.kind, REQUEST_XFER);
		status = bench_transfer(&b, &w.xfer, w.xfer.timeout_ms * UINT64_C(1000));
		result = runtime_session_ended(&session, status, b.data,
					       status == USB_OK ? b.length : 0, b.now);
	}
	return result;
}

/* Everything that the drone says of itself. */
static void
look(void)
{
	memset(&seen, 0, sizeof(seen));
	memset(&session, 0, sizeof(session));
	runtime_session_init(&session, NULL, &seen);
	while (drone_personality(b.d) != DRONE_RUNTIME)
		bench_wait(&b, 1000);
	bench_wait(&b, 10000);
	runtime_session_check(&session);
	assert_int_equal(converse(), RUNTIME_ANSWERED);
}

static const struct deck *
deck(const char *name)
{
	for (unsigned i = 0; i < seen.deck_count; i++)
		if (strcmp(seen.decks[i].name, name) == 0)
			return &seen.decks[i];
	fail_msg("there is no %s", name);
	return NULL;
}

static void
no_asserts(void)
{
	for (unsigned i = 0; i < DRONE_ASSERT_COUNT; i++)
		assert_int_equal(drone_counters(b.d)->asserts[i], 0);
}

static struct image_part
part_of(uint32_t length, uint32_t crc)
{
	struct image_part part = {
		.type = "fw", .bytes = firmware, .length = length, .crc32 = crc
	};

	copy_text(part.version, sizeof(part.version), "9.9.9");
	if (crc == BITSTREAM_CRC)
		bitstream_make(crc, firmware, length);
	else
		for (uint32_t i = 0; i < length; i++)
			firmware[i] = (uint8_t)(i * 13 + i / 200);
	return part;
}

static struct verdict
update(const char *name, const struct image_part *part, enum runtime_result *ret_result)
{
	struct deck_update_setup setup = { .memory = seen.deck_memory,
					   .decks = seen.decks,
					   .count = seen.deck_count,
					   .at = (unsigned)(deck(name) - seen.decks),
					   .part = part };
	static struct deck_update d;
	struct memory_engine engine;
	const char *why;

	deck_update_init(&d, &setup);
	engine = deck_update_engine(&d);
	runtime_session_memory(&session, &engine);
	*ret_result = converse();
	return deck_update_verdict(&d, &why);
}

TEST_DECK(a_lighthouse_with_another_bitstream_is_updated_and_started)
{
	struct image_part part = part_of(SHORT_BYTES, BITSTREAM_CRC);
	enum runtime_result result;

	BEGIN("2026.08", "deck", "lighthouse-wrong");
	look();
	assert_int_equal(deck("bcLighthouse4")->state, DECK_NEEDS_UPDATE);
	assert_true(deck_update_is_due(deck("bcLighthouse4"), &part));
	assert_int_equal(update("bcLighthouse4", &part, &result).kind, VERDICT_PASS);
	assert_int_equal(result, RUNTIME_ANSWERED);
	assert_false(runtime_session_linked(&session));
	runtime_session_power_cycle(&session);
	assert_int_equal(converse(), RUNTIME_REQUESTED);
	while (drone_personality(b.d) == DRONE_RUNTIME)
		bench_wait(&b, 1000);
	look();
	assert_int_equal(deck("bcLighthouse4")->state, DECK_STARTED);
	assert_false(deck_update_is_due(deck("bcLighthouse4"), &part));
	assert_int_equal(update("bcLighthouse4", &part, &result).kind, VERDICT_UNCHANGED);
	no_asserts();
}

TEST_DECK(a_healthy_lighthouse_after_a_bare_reset_is_left_alone)
{
	struct image_part part = part_of(SHORT_BYTES, BITSTREAM_CRC);
	enum runtime_result result;

	BEGIN("2026.08", "deck", "lighthouse");
	wait_for_start();
	bench_wait(&b, 4000000);
	bare_reset();
	look();
	assert_int_equal(deck("bcLighthouse4")->state, DECK_NOT_STARTED);
	assert_false(deck_update_is_due(deck("bcLighthouse4"), &part));
	assert_int_equal(update("bcLighthouse4", &part, &result).kind, VERDICT_SKIPPED);
	assert_int_equal(drone_counters(b.d)->deck_erases, 0);
	no_asserts();
}

TEST_DECK(an_old_colour_led_deck_is_updated_also_after_an_interruption)
{
	struct image_part part = part_of(LED_BYTES, 0);
	struct fate cut = {
		.kind = FATE_DISCONNECT, .on = FATE_ON_BULK_OUT, .at = 120, .back_ms = 500
	};
	enum runtime_result result;

	BEGIN("2026.08", "deck", "led-old,led-top");
	look();
	assert_true(deck_update_is_due(deck("bcColorLedBot:col"), &part));
	assert_int_equal(drone_arm(b.d, &cut), 0);
	assert_int_equal(update("bcColorLedBot:col", &part, &result).kind, VERDICT_NONE);
	assert_int_equal(result, RUNTIME_GONE);
	look();
	assert_int_equal(deck("bcColorLedBot:col")->state, DECK_IN_BOOT_LOADER);
	assert_int_equal(update("bcColorLedTop:col", &part, &result).kind, VERDICT_SKIPPED);
	assert_int_equal(update("bcColorLedBot:col", &part, &result).kind, VERDICT_PASS);
	runtime_session_power_cycle(&session);
	assert_int_equal(converse(), RUNTIME_REQUESTED);
	while (drone_personality(b.d) == DRONE_RUNTIME)
		bench_wait(&b, 1000);
	look();
	assert_int_equal(deck("bcColorLedBot:col")->state, DECK_STARTED);
	assert_int_equal(drone_deck_state(b.d, b.now, 0), DRONE_DECK_RUNS);
	no_asserts();
}

TEST_DECK(the_ai_deck_is_looked_at_and_never_written)
{
	struct image_part part = part_of(600, 0);
	enum runtime_result result;

	BEGIN("2026.08", "deck", "ai");
	look();
	assert_false(deck_update_is_due(deck("bcAI:esp"), &part));
	assert_int_equal(update("bcAI:esp", &part, &result).kind, VERDICT_SKIPPED);
	assert_int_equal(drone_counters(b.d)->deck_bytes, 0);
	no_asserts();
}

TEST_DECK(a_radio_configuration_is_written_and_in_force_after_the_power_cycle)
{
	struct radio_write_setup setup = {
		.wanted = { .channel = 42, .rate = 0, .address = 0xE7E7E7E702ULL }
	};
	struct memory_engine engine;
	uint8_t channel, rate, before[8192];
	struct radio_write w;
	const char *why;
	uint64_t address;

	BEGIN("2026.08", "deck", "none");
	look();
	assert_true(seen.has_radio_memory && seen.radio.valid);
	setup.memory = seen.radio_memory;
	setup.seen = seen.radio;
	memcpy(before, drone_eeprom(b.d), sizeof(before));
	radio_write_init(&w, &setup);
	engine = radio_write_engine(&w);
	runtime_session_memory(&session, &engine);
	assert_int_equal(converse(), RUNTIME_ANSWERED);
	assert_int_equal(radio_write_verdict(&w, &why).kind, VERDICT_PASS);
	assert_memory_equal(drone_eeprom(b.d) + 21, before + 21, sizeof(before) - 21);
	assert_memory_equal(w.before.bytes, before, 21);
	drone_radio(b.d, &channel, &rate, &address);
	assert_int_equal(channel, 80);
	runtime_session_power_cycle(&session);
	assert_int_equal(converse(), RUNTIME_REQUESTED);
	while (drone_personality(b.d) == DRONE_RUNTIME)
		bench_wait(&b, 1000);
	look();
	drone_radio(b.d, &channel, &rate, &address);
	assert_int_equal(channel, 42);
	assert_int_equal(rate, 0);
	assert_true(address == 0xE7E7E7E702ULL);
	assert_int_equal(seen.radio.channel, 42);
	no_asserts();
}

/* Each fault once at each transfer: the end is true, and nothing was asked on which the drone
 * resets itself. */
TEST_DECK(every_fault_at_every_transfer_of_an_update_ends_truly)
{
	static const enum fate_kind kinds[] = { FATE_EPROTO,   FATE_LOST_ACK,  FATE_NO_ANSWER,
						FATE_GARBAGE,  FATE_SHORT,     FATE_FLIP_READ,
						FATE_OVERFLOW, FATE_DISCONNECT };
	struct image_part part = part_of(SHORT_BYTES, BITSTREAM_CRC);
	unsigned passed = 0;

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
		for (uint32_t at = 1; at < 260; at += k < 3 ? 3 : 7) {
			struct fate f = { .kind = kinds[k], .at = at, .back_ms = 500 };
			enum runtime_result result;
			struct verdict v;

			BEGIN("2026.08", "deck", "lighthouse-wrong");
			look();
			assert_int_equal(drone_arm(b.d, &f), 0);
			v = update("bcLighthouse4", &part, &result);
			passed += v.kind == VERDICT_PASS;
			if (v.kind == VERDICT_PASS) {
				replug();
				bench_wait(&b, 5000000);
				assert_int_equal(drone_deck_state(b.d, b.now, 0), DRONE_DECK_RUNS);
			}
			if (v.kind == VERDICT_FAIL)
				assert_int_not_equal(v.fault, FAULT_NONE);
			if (v.kind == VERDICT_NONE)
				assert_int_equal(result, RUNTIME_GONE);
			no_asserts();
		}
	assert_true(passed > 150);
}

TEST_MAIN(NULL)
