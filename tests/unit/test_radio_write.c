/* SPDX-License-Identifier: MIT */
/*
 * Unit tests of core/radio_block and core/radio_write, on an EEPROM written from
 * doc/beyond-dfu.md 3: 8 KiB of which the last byte cannot be reached, a page write in one packet.
 */
#include "config.h"

#include "core/radio_write.h"

#include <string.h>

#include "test.h"

#include "cfdfu/util.h"

enum {
	EEPROM_BYTES = 0x1FFF,
	MEMORY = 3,
	FREE_FROM = 21, /* what must never be written */
	OPERATIONS = 3, /* read, write, check */
	TURNS_MAX = 50,
};

enum trouble {
	TROUBLE_NONE,
	TROUBLE_SILENT, /* the request is lost */
	TROUBLE_DEAF,	/* it is carried out, and the answer is lost */
	TROUBLE_REFUSED,
	TROUBLE_WRONG, /* a bit of what is written, another of what is read */
	TROUBLE_COUNT
};

struct eeprom {
	uint8_t bytes[EEPROM_BYTES], at_first[EEPROM_BYTES];
	enum trouble trouble;
	unsigned from, to; /* the operations that are troubled, from 1 on */
	unsigned operations, writes;
	uint64_t now_us, busy_until_us; /* a page write takes 5 ms; it refuses meanwhile */
};

/* SPEC: "0xBC", version, channel, rate, two trims, address: one byte, then four, low one first. */
static const uint8_t factory[RADIO_BLOCK_BYTES] = { 0x30, 0x78, 0x42, 0x43, 0x01, 80,	2,
						    0,	  0,	0,    0,    0,	  0,	0,
						    0,	  0xE7, 0xE7, 0xE7, 0xE7, 0xE7, 0x03 };
static const uint8_t seven[RADIO_BLOCK_BYTES] = { 0x30, 0x78, 0x42, 0x43, 0x01, 100,  1,
						  0x9A, 0x99, 0x99, 0x3F, 0,	0,    0xC0,
						  0xBF, 0xE7, 0x07, 0xE7, 0xE7, 0xE7, 0xC0 };

static uint8_t
sum(const uint8_t *bytes, unsigned n)
{
	uint8_t s = 0;

	while (n-- > 0)
		s = (uint8_t)(s + *bytes++);
	return s;
}

static void
fill(struct eeprom *e, const uint8_t *block)
{
	memset(e, 0, sizeof(*e));
	for (unsigned i = 0; i < EEPROM_BYTES; i++)
		e->bytes[i] = (uint8_t)(i * 7 + 1);
	memcpy(e->bytes, block, RADIO_BLOCK_BYTES);
	memcpy(e->at_first, e->bytes, sizeof(e->bytes));
}

static enum memory_result
operate(struct eeprom *e, const struct memory_op *op, uint8_t *data)
{
	enum trouble trouble = TROUBLE_NONE;

	assert_int_equal(op->memory, MEMORY);
	assert_in_range(op->length, 1, MEMORY_BYTES_MAX);
	assert_true(op->addr + op->length <= FREE_FROM);
	e->operations++;
	if (e->operations >= e->from && e->operations <= e->to)
		trouble = e->trouble;
	if (trouble == TROUBLE_SILENT)
		return MEMORY_SILENT;
	if (trouble == TROUBLE_REFUSED || e->now_us < e->busy_until_us)
		return MEMORY_REFUSED;
	if (op->kind == MEMORY_WRITE) {
		assert_int_equal(++e->writes, 1);
		memcpy(e->bytes + op->addr, op->data, op->length);
		if (trouble == TROUBLE_WRONG)
			e->bytes[op->addr + 5] ^= 4;
		e->busy_until_us = e->now_us + 5000;
	} else {
		memcpy(data, e->bytes + op->addr, op->length);
		if (trouble == TROUBLE_WRONG)
			data[6] ^= 4;
	}
	return trouble == TROUBLE_DEAF ? MEMORY_SILENT : MEMORY_OK;
}

static struct verdict
run(struct eeprom *e, struct radio_write *w, const struct radio_write_setup *setup)
{
	struct memory_engine engine;
	struct memory_op op;
	const char *why;

	radio_write_init(w, setup);
	engine = radio_write_engine(w);
	for (unsigned turn = 0;; turn++) {
		uint8_t data[MEMORY_BYTES_MAX];
		enum memory_result result;

		assert_true(turn < TURNS_MAX);
		engine.next(engine.ctx, e->now_us, &op);
		if (op.kind == MEMORY_OVER)
			break;
		assert_int_equal(radio_write_verdict(w, &why).kind, VERDICT_NONE);
		if (op.kind == MEMORY_PAUSE) {
			assert_true(op.until_us > e->now_us);
			e->now_us = op.until_us;
			continue;
		}
		result = operate(e, &op, data);
		e->now_us += 1000;
		engine.done(engine.ctx, result, data, e->now_us);
	}
	assert_memory_equal(e->bytes + FREE_FROM, e->at_first + FREE_FROM,
			    EEPROM_BYTES - FREE_FROM);
	return radio_write_verdict(w, &why);
}

static struct radio_write_setup
to_seven(void)
{
	return (struct radio_write_setup){
		.memory = MEMORY,
		.wanted = { .channel = 100, .rate = 1, .address = 0xE7E7E7E707ULL },
	};
}

/* ---- the block ------------------------------------------------------------------------------ */

TEST(a_block_is_read_as_the_firmware_reads_it)
{
	struct radio_block b;

	radio_block_decode(&b, factory);
	assert_true(b.read && b.valid);
	assert_int_equal(b.channel, 80);
	assert_int_equal(b.rate, 2);
	assert_true(b.address == 0xE7E7E7E7E7ULL);
	radio_block_decode(&b, seven);
	assert_true(b.valid);
	assert_int_equal(b.channel, 100);
	assert_int_equal(b.rate, 1);
	assert_true(b.address == 0xE7E7E7E707ULL);
}

TEST(a_block_of_version_0_has_no_address_and_ends_sooner)
{
	uint8_t bytes[RADIO_BLOCK_BYTES];
	struct radio_block b;

	memcpy(bytes, seven, sizeof(bytes));
	bytes[4] = 0;
	bytes[15] = sum(bytes, 15);
	radio_block_decode(&b, bytes);
	assert_true(b.valid);
	assert_int_equal(b.channel, 100);
	assert_true(b.address == 0xE7E7E7E7E7ULL);
	bytes[15]++;
	radio_block_decode(&b, bytes);
	assert_false(b.valid);
}

TEST(any_bit_that_is_wrong_makes_a_block_invalid)
{
	for (unsigned bit = 0; bit < RADIO_BLOCK_BYTES * 8; bit++) {
		uint8_t bytes[RADIO_BLOCK_BYTES];
		struct radio_block b;

		memcpy(bytes, seven, sizeof(bytes));
		bytes[bit / 8] ^= (uint8_t)BIT(bit % 8);
		radio_block_decode(&b, bytes);
		assert_true(b.read);
		assert_false(b.valid);
		assert_int_equal(b.channel, 80);
		assert_true(b.address == 0xE7E7E7E7E7ULL);
		assert_memory_equal(b.bytes, bytes, sizeof(bytes));
	}
}

TEST(a_newer_version_and_values_that_no_radio_has_are_invalid)
{
	static const struct {
		uint8_t at, value, valid;
	} cases[] = { { 4, 2, 0 }, { 4, 255, 0 }, { 5, 125, 1 }, { 5, 126, 0 }, { 6, 3, 0 } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t bytes[RADIO_BLOCK_BYTES];
		struct radio_block b;

		memcpy(bytes, factory, sizeof(bytes));
		bytes[cases[i].at] = cases[i].value;
		bytes[20] = sum(bytes, 20);
		radio_block_decode(&b, bytes);
		assert_int_equal(b.valid, cases[i].valid);
	}
}

TEST(a_new_block_keeps_the_trims_of_a_valid_one)
{
	struct radio_block wanted = { .channel = 100, .rate = 1, .address = 0xE7E7E7E707ULL };
	struct radio_block old, made;

	radio_block_decode(&old, seven);
	radio_block_encode(&wanted, &old, &made);
	assert_memory_equal(made.bytes, seven, sizeof(seven));
	assert_true(made.valid);
	old.valid = false;
	radio_block_encode(&wanted, &old, &made);
	for (unsigned i = 7; i < 15; i++)
		assert_int_equal(made.bytes[i], 0);
	assert_true(made.valid);
}

/* ---- writing -------------------------------------------------------------------------------- */

TEST(a_configuration_is_written_in_one_packet_and_read_back)
{
	struct radio_write_setup setup = to_seven();
	struct radio_write w;
	struct eeprom e;

	fill(&e, factory);
	radio_block_decode(&setup.seen, factory);
	assert_int_equal(run(&e, &w, &setup).kind, VERDICT_PASS);
	assert_int_equal(e.operations, OPERATIONS);
	assert_int_equal(e.bytes[5], 100);
	assert_int_equal(e.bytes[16], 0x07);
	assert_memory_equal(w.before.bytes, factory, sizeof(factory));
	assert_true(w.sent);
}

TEST(one_that_is_there_already_is_not_written)
{
	struct radio_write_setup setup = to_seven();
	struct radio_write w;
	struct eeprom e;

	fill(&e, seven);
	assert_int_equal(run(&e, &w, &setup).kind, VERDICT_UNCHANGED);
	assert_int_equal(e.writes, 0);
	assert_false(w.sent);
}

TEST(an_old_block_is_put_back_byte_for_byte)
{
	struct radio_write_setup setup = { .memory = MEMORY };
	struct radio_write w;
	struct eeprom e;

	fill(&e, factory);
	radio_block_decode(&setup.wanted, seven);
	assert_int_equal(run(&e, &w, &setup).kind, VERDICT_PASS);
	assert_memory_equal(e.bytes, seven, sizeof(seven));
}

TEST(a_damaged_block_is_replaced_only_by_force_and_another_one_never)
{
	uint8_t damaged[RADIO_BLOCK_BYTES];

	memcpy(damaged, factory, sizeof(damaged));
	damaged[20]++;
	for (unsigned i = 0; i < 4; i++) {
		struct radio_write_setup setup = to_seven();
		bool passes = i == 1;
		struct verdict v;
		struct radio_write w;
		struct eeprom e;

		setup.force = i % 2 != 0;
		fill(&e, i < 2 ? damaged : factory);
		radio_block_decode(&setup.seen, i < 2 ? damaged : seven);
		v = run(&e, &w, &setup);
		assert_int_equal(v.kind, passes ? VERDICT_PASS : VERDICT_FAIL);
		assert_int_equal(v.fault, passes ? FAULT_NONE : FAULT_IMAGE);
		assert_int_equal(e.writes, passes);
		assert_true(w.before.read);
	}
}

TEST(what_no_radio_can_be_set_to_is_refused)
{
	struct radio_block bad[] = {
		{ .channel = 126, .rate = 2 },
		{ .rate = 3 },
		{ .address = 0x10000000000ULL },
		{ .read = true },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct radio_write_setup setup = { .memory = MEMORY, .wanted = bad[i] };
		struct radio_write w;
		struct eeprom e;

		setup.force = true;
		fill(&e, factory);
		assert_int_equal(run(&e, &w, &setup).fault, FAULT_IMAGE);
		assert_int_equal(e.writes, 0);
	}
}

/* One write at most, and never a PASS that is not true. */
TEST(every_trouble_at_every_operation_ends_truly)
{
	for (int trouble = TROUBLE_SILENT; trouble < TROUBLE_COUNT; trouble++)
		for (unsigned from = 1; from <= OPERATIONS + 2; from++)
			for (unsigned to = from; to <= from + 3; to++) {
				struct radio_write_setup setup = to_seven();
				struct radio_write w;
				struct verdict v;
				struct eeprom e;
				bool there;

				fill(&e, factory);
				e.trouble = (enum trouble)trouble;
				e.from = from;
				e.to = to;
				v = run(&e, &w, &setup);
				there = e.bytes[5] == 100 && sum(e.bytes, 20) == e.bytes[20];
				if (v.kind == VERDICT_PASS)
					assert_true(there);
				else
					assert_int_equal(v.kind, VERDICT_FAIL);
				if (v.kind == VERDICT_FAIL)
					assert_true(v.fault != FAULT_NONE && v.step != STEP_NONE);
				if (!w.sent)
					assert_memory_equal(e.bytes, e.at_first, sizeof(e.bytes));
			}
}

TEST(a_lost_answer_to_the_write_is_made_up_for_by_reading_back)
{
	struct radio_write_setup setup = to_seven();
	struct radio_write w;
	struct eeprom e;

	fill(&e, factory);
	e.trouble = TROUBLE_DEAF;
	e.from = e.to = 2;
	assert_int_equal(run(&e, &w, &setup).kind, VERDICT_PASS);
	fill(&e, factory);
	e.trouble = TROUBLE_SILENT;
	e.from = e.to = 2;
	assert_int_equal(run(&e, &w, &setup).fault, FAULT_SILENT);
	fill(&e, factory);
	e.trouble = TROUBLE_WRONG;
	e.from = e.to = 2;
	assert_int_equal(run(&e, &w, &setup).fault, FAULT_VERIFY);
}

TEST_MAIN(NULL)
