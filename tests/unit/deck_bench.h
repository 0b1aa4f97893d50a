/* SPDX-License-Identifier: MIT */
/* A simulated drone with decks, and questions to its memories (doc/beyond-dfu.md 2). */
#ifndef DECK_BENCH_H
#define DECK_BENCH_H

#include "test.h"

#include "sim/bitstream.h"
#include "sim_bench.h"

#define SHORT_BYTES 600 /* of bitstreams here */
#define SECTION 0x10000000U
#define COMMANDS 0x1000U
#define ERASE_US 1000000

static struct bench b;

/* ---- a drone with decks, and questions to it ---- */

static inline void
begin(const char *const *words, const char *tag)
{
	struct drone_config c;
	char error[128];

	drone_config_init(&c, 21);
	c.chatter = 0;
	c.bitstream_bytes = SHORT_BYTES;
	for (; words != NULL && words[0] != NULL; words += 2)
		assert_int_equal(drone_config_set(&c, words[0], words[1], error, sizeof(error)), 0);
	drone_free(b.d);
	bench_begin(&b, &c);
	bench_load_tiny(&b, "CF21", tag, 16384);
	drone_plug(b.d, b.now);
}

#define BEGIN(tag, ...) begin((const char *const[]){ __VA_ARGS__, NULL }, tag)

static inline int
teardown(void **state)
{
	(void)state;
	drone_free(b.d);
	memset(&b, 0, sizeof(b));
	return 0;
}

#define TEST_DECK(name) TEST_WITH(name, NULL, teardown)

static inline enum usb_status
bulk(enum usb_xfer_kind kind, const void *data, uint32_t length, uint32_t limit_ms)
{
	struct usb_xfer x = { .kind = kind,
			      .endpoint = kind == USB_BULK_OUT ? 0x01 : 0x81,
			      .data = data,
			      .length = length,
			      .timeout_ms = limit_ms };

	return bench_transfer(&b, &x, limit_ms * UINT64_C(1000));
}

static inline void
wait_for_start(void)
{
	while (drone_personality(b.d) != DRONE_RUNTIME)
		bench_wait(&b, 1000);
	bench_wait(&b, 10000);
	assert_int_equal(bench_control(&b, 0x40, 1, 1, 1, NULL, 0), USB_OK);
}

/* The answer on port 4, past whatever else is said; false when there is none. */
static inline bool
ask_for(const void *packet, uint32_t length, uint32_t limit_ms)
{
	if (bulk(USB_BULK_OUT, packet, length, 100) != USB_OK)
		return false;
	while (bulk(USB_BULK_IN, NULL, 64, limit_ms) == USB_OK)
		if ((b.data[0] & 0xF0) == 0x40)
			return true;
	return false;
}

static inline bool
ask(const void *packet, uint32_t length)
{
	return ask_for(packet, length, 5000);
}

/* How many memories there are, as soon as the port hears the question. */
static inline uint8_t
count_memories(void)
{
	while (!ask_for("\x40\x01", 2, 20))
		continue;
	return b.data[2];
}

/* Status, or 0xFF without an answer; what was read is in b.data + 7. */
static inline uint8_t
mem_read(uint8_t id, uint32_t addr, uint8_t n)
{
	uint8_t p[7] = { 0x41, id };

	put_le32(p + 2, addr);
	p[6] = n;
	if (!ask(p, sizeof(p)))
		return 0xFF;
	assert_int_equal(b.length, b.data[6] == 0 ? 7 + n : 7);
	return b.data[6];
}

static inline uint8_t
mem_write(uint8_t id, uint32_t addr, const void *data, uint8_t n)
{
	uint8_t p[31] = { 0x42, id };

	put_le32(p + 2, addr);
	memcpy(p + 6, data, n);
	return ask(p, 6U + n) ? b.data[6] : 0xFF;
}

static inline uint8_t
mem_of(uint8_t type)
{
	uint8_t p[3] = { 0x40, 2 }, n = count_memories();

	for (uint8_t id = 0; id < n; id++) {
		p[2] = id;
		assert_true(ask(p, 3));
		if (b.data[3] == type)
			return id;
	}
	return 0xFF;
}

/* The types of all memories, in order; the first is the EEPROM's, 0. */
static inline void
types_are(const char *others)
{
	uint8_t p[3] = { 0x40, 2 }, n = (uint8_t)(1 + strlen(others));

	assert_int_equal(count_memories(), n);
	for (; p[2] < n; p[2]++) {
		assert_true(ask(p, 3));
		assert_int_equal(b.data[3], p[2] == 0 ? 0 : (uint8_t)others[p[2] - 1]);
	}
}

/* Record i of deck memory, whole. */
static inline void
read_record(unsigned i, uint8_t record[32])
{
	uint8_t id = mem_of(0x19);

	assert_int_equal(mem_read(id, 1 + 32 * i, 24), 0);
	memcpy(record, b.data + 7, 24);
	assert_int_equal(mem_read(id, 1 + 32 * i + 24, 8), 0);
	memcpy(record + 24, b.data + 7, 8);
}

static inline uint8_t
bits(unsigned i)
{
	uint8_t record[32];

	read_record(i, record);
	return record[0];
}

/* Writes it in order from the section's start on, in pieces of 24 bytes. */
static inline void
write_all(unsigned i, const uint8_t *data, uint32_t length)
{
	uint8_t id = mem_of(0x19);

	for (uint32_t at = 0; at < length; at += 24)
		assert_int_equal(mem_write(id, (i + 1) * SECTION + at, data + at,
					   (uint8_t)(length - at < 24 ? length - at : 24)),
				 0);
}

static inline void
reads_back(unsigned i, const uint8_t *data, uint32_t length)
{
	uint8_t id = mem_of(0x19);

	for (uint32_t at = 0; at < length; at += 24) {
		uint8_t n = (uint8_t)(length - at < 24 ? length - at : 24);

		assert_int_equal(mem_read(id, (i + 1) * SECTION + at, n), 0);
		assert_memory_equal(b.data + 7, data + at, n);
	}
}

static inline void
replug(void)
{
	drone_unplug(b.d, b.now);
	bench_wait(&b, 1000000);
	drone_plug(b.d, b.now);
	wait_for_start();
}

/* The STM32 alone, as wIndex 2 and a leave do it. */
static inline void
bare_reset(void)
{
	struct fate f = { .kind = FATE_RESET_RUNTIME };

	assert_int_equal(drone_arm(b.d, &f), 0);
	assert_int_equal(bulk(USB_BULK_OUT, "\xD1\x01", 2, 100), USB_GONE);
	bench_wait(&b, 100000);
	wait_for_start();
}

static inline void
it_dies(void)
{
	bench_wait(&b, 100000);
	assert_int_equal(drone_personality(b.d), DRONE_OFF);
	assert_int_equal(drone_counters(b.d)->asserts[DRONE_ASSERT_REQUEST], 1);
	drone_counters_reset(b.d);
	replug();
}

static inline void
into_loader(unsigned i)
{
	assert_int_equal(mem_write(mem_of(0x19), COMMANDS + 32 * i + 4, "\x02", 1), 0);
	assert_int_equal(bits(i), 0x1F);
	bench_wait(&b, 100000);
	assert_int_equal(bits(i), 0x5F);
}

#endif
