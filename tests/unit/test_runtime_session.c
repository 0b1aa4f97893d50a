/* SPDX-License-Identifier: MIT */
/* The conversations of core/runtime_session with the simulated drone, whole. */
#include "config.h"

#include "core/runtime_session.h"

#include "test.h"

#include "cfdfu/util.h"
#include "sim_talk.h"

static struct runtime_session s;
static struct crtp_tocs tocs;
static struct condition seen;
static unsigned writes, unlinks, links, pauses;
static uint64_t held_us, longest_us;
static unsigned bad_at; /* this transfer ends with bad; 0 none */
static enum usb_status bad;
static unsigned transfers;

/* A drone that comes up now. */
static void
appear(struct drone_config *c, const char *version)
{
	memset(&s, 0, sizeof(s));
	memset(&tocs, 0, sizeof(tocs));
	memset(&seen, 0, sizeof(seen));
	copy_text(c->version, sizeof(c->version), version);
	bench_begin(&b, c);
	bench_load_tiny(&b, "CF20,CF21", "2026.08 +2", 16384);
	drone_plug(b.d, b.now);
	while (b.attached == 0)
		bench_wait(&b, 1000);
	runtime_session_init(&s, &tocs, &seen);
	runtime_session_appeared(&s, 0, b.now);
}

static void
wait_for_it(void)
{
	b.attached = 0;
	while (b.attached == 0)
		bench_wait(&b, 1000);
}

static void
new_config(struct drone_config *c)
{
	drone_config_init(c, 11);
	c->chatter = 0;
}

static void
note(const struct usb_xfer *x)
{
	static uint64_t since_us;

	writes += x->kind == USB_BULK_OUT && (x->data[0] & 0xF3) == 0x42;
	if (x->kind != USB_CONTROL || x->setup.request_type != 0x40)
		return;
	if (x->setup.index == 1) {
		links++;
		since_us = b.now;
		return;
	}
	unlinks++;
	held_us = b.now - since_us;
	longest_us = held_us > longest_us ? held_us : longest_us;
}

/* Until the task is over, or until it has requested so many transfers. */
static enum runtime_result
run(unsigned most)
{
	enum runtime_result result = RUNTIME_UNDER_WAY;

	writes = unlinks = links = pauses = transfers = 0;
	longest_us = 0;
	for (unsigned n = 0; result == RUNTIME_UNDER_WAY && n < most; n++) {
		struct request r;
		enum usb_status status;

		runtime_session_next(&s, b.now, &r);
		if (r.kind == REQUEST_PAUSE) {
			assert_true(r.until_us > b.now);
			pauses++;
			bench_wait(&b, r.until_us - b.now);
			continue;
		}
		assert_int_equal(r.kind, REQUEST_XFER);
		note(&r.xfer);
		if (++transfers == bad_at) {
			bench_wait(&b, bad == USB_TIMEOUT ? r.xfer.timeout_ms * 1000ULL : 500);
			result = runtime_session_ended(&s, bad, NULL, 0, b.now);
			continue;
		}
		status = bench_transfer(&b, &r.xfer, r.xfer.timeout_ms * 1000ULL);
		result = runtime_session_ended(&s, status, b.data, b.length, b.now);
	}
	return result;
}

static void
nothing_asserted(void)
{
	for (unsigned i = 0; i < DRONE_ASSERT_COUNT; i++)
		assert_int_equal(drone_counters(b.d)->asserts[i], 0);
}

TEST(a_bare_drone_is_seen_whole_in_one_check_up)
{
	struct drone_config c;

	for (enum drone_tables t = DRONE_TABLES_SMALL; t <= DRONE_TABLES_REAL; t++) {
		new_config(&c);
		c.tables = t;
		appear(&c, "2026.08 +2");
		runtime_session_check(&s);
		assert_int_equal(run(20000), RUNTIME_ANSWERED);
		assert_true(seen.looked);
		assert_int_equal(seen.selftest, SELFTEST_PASS);
		assert_string_equal(seen.failed_module, "");
		assert_string_equal(seen.nrf_version, c.nrf);
		assert_true(seen.supervisor_known);
		assert_true(supervisor_allows_reboot(&seen));
		assert_int_equal(seen.battery_mv, c.battery_mv);
		assert_int_equal(seen.battery_state, c.battery_state);
		assert_true(seen.can_power_cycle);
		assert_true(seen.has_radio_memory && seen.has_deck_memory);
		assert_true(seen.radio.read && seen.radio.valid);
		assert_int_equal(seen.radio.channel, 80);
		assert_int_equal(seen.radio.address, 0xE7E7E7E7E7);
		assert_true(seen.decks_known);
		assert_int_equal(seen.deck_count, 0);
		assert_string_equal(runtime_session_answers(&s)->version, "2026.08 +2");
		assert_true(links >= unlinks); /* once more with each repeated question */
		assert_true(pauses > 0);       /* its self-test takes a second */
		assert_in_range(longest_us, 1, 1500000);
		assert_false(runtime_session_linked(&s));
		assert_int_equal(writes, 0);
		nothing_asserted();
		drone_free(b.d);
	}
}

TEST(a_self_test_that_fails_is_said_to_when_its_time_is_over)
{
	struct drone_config c;
	uint64_t begun;

	for (unsigned silent = 0; silent < 2; silent++) {
		new_config(&c);
		copy_text(c.selftest, sizeof(c.selftest), "deck");
		c.console = silent == 0;
		appear(&c, "2026.08 +2");
		begun = b.now;
		runtime_session_check(&s);
		assert_int_equal(run(20000), RUNTIME_ANSWERED);
		assert_int_equal(seen.selftest, SELFTEST_FAIL);
		assert_string_equal(seen.failed_module, silent != 0 ? "" : "deck");
		assert_in_range(b.now - begun, silent != 0 ? 10000000 : 0,
				silent != 0 ? 11000000 : 5000000);
		assert_true(seen.looked);
		nothing_asserted();
		drone_free(b.d);
	}
}

/* All that may be plugged in, and what is seen of it. */
static const struct {
	enum drone_deck deck;
	const char *name, *version;
	enum deck_state state;
} decks[] = {
	{ DRONE_DECK_LIGHTHOUSE, "bcLighthouse4", "", DECK_STARTED },
	{ DRONE_DECK_LIGHTHOUSE_WRONG, "bcLighthouse4", "", DECK_NEEDS_UPDATE },
	{ DRONE_DECK_LED_BOTTOM, "bcColorLedBot:col", NULL, DECK_STARTED },
	{ DRONE_DECK_LED_OLD, "bcColorLedBot:col", NULL, DECK_STARTED },
	{ DRONE_DECK_AI, "bcAI:esp", "", DECK_STARTED },
	{ DRONE_DECK_FLOW, "bcFlow2", "", DECK_PRESENT },
	{ DRONE_DECK_MULTIRANGER, "bcMultiranger", "", DECK_PRESENT },
};

TEST(decks_are_seen_when_they_have_started)
{
	struct drone_config c;

	for (size_t i = 0; i < ARRAY_LEN(decks); i++) {
		new_config(&c);
		c.deck[0] = (uint8_t)decks[i].deck;
		appear(&c, "2026.08 +2");
		runtime_session_check(&s);
		assert_int_equal(run(20000), RUNTIME_ANSWERED);
		assert_true(seen.decks_known);
		assert_int_equal(seen.selftest, SELFTEST_PASS);
		assert_int_equal(seen.deck_count, decks[i].deck == DRONE_DECK_AI ? 2 : 1);
		assert_string_equal(seen.decks[0].name, decks[i].name);
		assert_int_equal(seen.decks[0].state, decks[i].state);
		if (decks[i].version != NULL)
			assert_string_equal(seen.decks[0].version, decks[i].version);
		else
			assert_in_range(strlen(seen.decks[0].version), 3, 7);
		assert_int_equal(seen.decks[0].has_section, decks[i].state != DECK_PRESENT);
		nothing_asserted();
		drone_free(b.d);
	}
}

TEST(a_lighthouse_is_dead_after_a_bare_reset_until_a_power_cycle)
{
	struct fate f = { .kind = FATE_RESET_RUNTIME };
	struct drone_config c;

	new_config(&c);
	c.deck[0] = DRONE_DECK_LIGHTHOUSE;
	appear(&c, "2026.08 +2");
	bench_wait(&b, 8000000);
	assert_int_equal(drone_arm(b.d, &f), 0);
	runtime_session_ask(&s, false); /* ... in the middle of a conversation */
	assert_int_equal(run(20000), RUNTIME_GONE);
	wait_for_it();
	for (unsigned cycled = 0; cycled < 2; cycled++) {
		runtime_session_appeared(&s, 0, b.now);
		runtime_session_check(&s);
		assert_int_equal(run(20000), RUNTIME_ANSWERED);
		assert_int_equal(seen.deck_count, 1);
		assert_int_equal(seen.decks[0].state,
				 cycled == 0 ? DECK_NOT_STARTED : DECK_STARTED);
		assert_int_equal(seen.selftest, SELFTEST_PASS);
		if (cycled > 0)
			continue;
		runtime_session_power_cycle(&s);
		assert_int_equal(run(20000), RUNTIME_REQUESTED);
		wait_for_it();
	}
	nothing_asserted();
	drone_free(b.d);
}

TEST(older_firmware_is_looked_at_as_far_as_it_goes_and_not_for_long)
{
	static const char *const versions[] = { "2025.12", "2023.11", "2020.09" };
	struct drone_config c;

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		uint64_t begun;

		new_config(&c);
		appear(&c, versions[i]);
		begun = b.now;
		runtime_session_check(&s);
		assert_int_equal(run(20000), RUNTIME_ANSWERED);
		assert_in_range(b.now - begun, 1, 6000000);
		assert_int_equal(seen.selftest, SELFTEST_PASS);
		assert_false(seen.supervisor_known);
		assert_int_equal(seen.can_power_cycle, i == 0);
		assert_true(seen.radio.valid);
		nothing_asserted();
		drone_free(b.d);
	}
}

TEST(a_firmware_that_is_asked_too_early_crashes_and_that_is_told)
{
	struct drone_config c;

	for (unsigned patient = 0; patient < 2; patient++) {
		new_config(&c);
		c.early_ms = 50;
		appear(&c, "2026.08 +2");
		runtime_session_appeared(&s, patient != 0 ? 60000 : 30000, b.now);
		runtime_session_ask(&s, false);
		assert_int_equal(run(20000), patient != 0 ? RUNTIME_ANSWERED : RUNTIME_GONE);
		assert_int_equal(runtime_session_crashed(&s), patient == 0);
		assert_int_equal(drone_counters(b.d)->asserts[DRONE_ASSERT_EARLY], patient == 0);
		assert_false(runtime_session_linked(&s));
		if (patient == 0) { /* it restarts, and says what happened to it */
			wait_for_it();
			runtime_session_appeared(&s, 500000, b.now);
			runtime_session_check(&s);
			assert_int_equal(run(20000), RUNTIME_ANSWERED);
			assert_int_equal(seen.selftest, SELFTEST_FAIL);
			assert_string_equal(seen.failed_module, "cfAssertNormalStart");
			assert_true(strlen(seen.crash) > 0);
		}
		drone_free(b.d);
	}
}

TEST(a_check_up_survives_the_loss_of_any_transfer)
{
	static const enum usb_status bads[] = { USB_TIMEOUT, USB_STALL, USB_IO };
	struct drone_config c;

	for (unsigned at = 1, whole = 0; at == 1 || at <= whole; at++) {
		new_config(&c);
		appear(&c, "2026.08 +2");
		bench_wait(&b, 3000000);
		bad_at = at;
		bad = bads[at % ARRAY_LEN(bads)];
		runtime_session_check(&s);
		assert_int_equal(run(20000), RUNTIME_ANSWERED);
		whole = transfers;
		assert_true(seen.looked && seen.supervisor_known && seen.decks_known);
		assert_int_equal(seen.selftest, SELFTEST_PASS);
		assert_true(seen.radio.valid && seen.can_power_cycle);
		assert_int_equal(seen.battery_mv, c.battery_mv);
		assert_false(runtime_session_crashed(&s));
		assert_false(runtime_session_linked(&s) && at < whole - 1);
		nothing_asserted();
		drone_free(b.d);
	}
	bad_at = 0;
}

TEST(a_block_of_a_daemon_that_died_is_taken_over)
{
	struct drone_config c;

	new_config(&c);
	appear(&c, "2026.08 +2");
	bench_wait(&b, 3000000);
	link_on();
	assert_int_equal(bulk(USB_BULK_OUT, "\x51\x06\xCF", 3, 100), USB_OK); /* an empty one */
	runtime_session_ask(&s, false);
	assert_int_equal(run(20000), RUNTIME_ANSWERED);
	assert_int_equal(seen.battery_mv, c.battery_mv);
	drone_free(b.d);
}

TEST(a_power_cycle_is_one_write_and_the_bus_decides)
{
	struct drone_config c;

	for (unsigned lost = 0; lost < 2; lost++) {
		new_config(&c);
		appear(&c, "2026.08 +2");
		bench_wait(&b, 3000000);
		runtime_session_power_cycle(&s);
		while (writes == 0)
			assert_int_equal(run(1), RUNTIME_UNDER_WAY);
		bad_at = lost; /* the answer to it */
		bad = USB_TIMEOUT;
		assert_int_equal(run(20000), RUNTIME_REQUESTED);
		assert_int_equal(writes, 0); /* no second one */
		bad_at = 0;
		nothing_asserted();
		drone_free(b.d);
	}
}

TEST(a_firmware_without_the_memory_for_it_is_asked_for_no_power_cycle)
{
	struct drone_config c;

	new_config(&c);
	appear(&c, "2026.08 +2");
	copy_text(c.version, sizeof(c.version), "2023.11");
	begin_again(&c, "CF20,CF21");
	runtime_session_power_cycle(&s);
	assert_int_equal(run(20000), RUNTIME_ANSWERED);
	assert_int_equal(writes, 0);
	runtime_session_ask(&s, false); /* nor for its supervisor */
	assert_int_equal(run(20000), RUNTIME_ANSWERED);
	assert_false(seen.supervisor_known);
	assert_int_equal(links, 1);
	drone_free(b.d);
}

struct script {
	struct memory_op ops[4];
	unsigned at, count;
	enum memory_result results[4];
	uint8_t bytes[24];
};

static void
script_next(void *ctx, uint64_t now_us, struct memory_op *ret_op)
{
	struct script *t = ctx;

	(void)now_us;
	if (t->at < t->count)
		*ret_op = t->ops[t->at];
}

static void
script_done(void *ctx, enum memory_result result, const uint8_t *data, uint64_t now_us)
{
	struct script *t = ctx;

	(void)now_us;
	if (data != NULL)
		memcpy(t->bytes, data, t->ops[t->at].length);
	t->results[t->at++] = result;
}

TEST(an_engines_operations_are_done_and_none_that_a_drone_could_not_bear)
{
	static const uint8_t two = 2;
	struct script t = { .count = 4,
			    .ops = { { .kind = MEMORY_READ, .memory = 0, .length = 21 },
				     { .kind = MEMORY_READ, .memory = 0, .length = 25 },
				     { .kind = MEMORY_READ, .memory = 9, .length = 1 },
				     { .kind = MEMORY_WRITE,
				       .memory = 4, /* the one of the power cycle */
				       .addr = 3,
				       .length = 1,
				       .data = &two } } };
	struct memory_engine engine = { &t, script_next, script_done };
	struct drone_config c;

	new_config(&c);
	appear(&c, "2026.08 +2");
	bench_wait(&b, 3000000);
	runtime_session_memory(&s, &engine);
	assert_int_equal(run(20000), RUNTIME_ANSWERED);
	assert_int_equal(t.at, 4);
	assert_int_equal(t.results[0], MEMORY_OK);
	assert_memory_equal(t.bytes, drone_eeprom(b.d), 21);
	for (unsigned i = 1; i < 4; i++)
		assert_int_equal(t.results[i], MEMORY_REFUSED);
	assert_int_equal(writes, 0);
	assert_int_equal(unlinks, 1);
	nothing_asserted();
	drone_free(b.d);
}

TEST(a_write_is_not_repeated_and_its_answer_is_waited_for)
{
	static const uint8_t byte = 0x5A;
	struct drone_config c;

	for (unsigned at = 0; at < 3; at++) {
		struct script t = { .count = 1,
				    .ops = { { .kind = MEMORY_WRITE,
					       .addr = 100,
					       .length = 1,
					       .data = &byte,
					       .patience_ms = 20000 } } };
		struct memory_engine engine = { &t, script_next, script_done };
		uint64_t begun;

		new_config(&c);
		appear(&c, "2026.08 +2");
		bench_wait(&b, 3000000);
		runtime_session_memory(&s, &engine);
		while (writes == 0)
			assert_int_equal(run(1), RUNTIME_UNDER_WAY);
		begun = b.now;
		bad_at = at; /* 1: its answer is lost */
		bad = USB_TIMEOUT;
		assert_int_equal(run(20000), RUNTIME_ANSWERED);
		bad_at = 0;
		assert_int_equal(writes, 0);
		assert_int_equal(t.results[0], at == 1 ? MEMORY_SILENT : MEMORY_OK);
		assert_int_equal(b.now - begun >= 20000000, at == 1);
		assert_int_equal(drone_eeprom(b.d)[100], 0x5A);
		drone_free(b.d);
	}
}

TEST(the_link_is_given_back_after_a_conversation_that_was_cut_off)
{
	struct drone_config c;

	new_config(&c);
	appear(&c, "2026.08 +2");
	runtime_session_ask(&s, true);
	assert_int_equal(run(3), RUNTIME_UNDER_WAY);
	assert_true(runtime_session_linked(&s));
	runtime_session_unlink(&s);
	assert_int_equal(run(10), RUNTIME_ANSWERED);
	assert_int_equal(unlinks, 1);
	assert_int_equal(links, 0);
	assert_false(runtime_session_linked(&s));
	drone_free(b.d);
}

TEST(a_drone_that_flies_or_is_armed_by_hand_is_not_to_be_rebooted)
{
	static const struct {
		uint16_t bits;
		bool allowed;
	} table[] = { { 0x020E, true }, { 0x0000, true },  { 0x0001, true }, { 0x0002, false },
		      { 0x0006, true }, { 0x001E, false }, { 0x0010, false } };

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct condition c = { .supervisor_known = true, .supervisor = table[i].bits };

		assert_int_equal(supervisor_allows_reboot(&c), table[i].allowed);
		c.supervisor_known = false;
		assert_true(supervisor_allows_reboot(&c));
	}
}

TEST_MAIN(NULL)
