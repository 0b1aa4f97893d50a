/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "sim/tiny.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfdfu/util.h"
#include "sim/rng.h"

#define VECTOR_COUNT 98
#define DEFAULT_HANDLER 0x240U
#define RESET_HANDLER 0x280U
#define RECORD 44

static void
put_vectors(uint8_t *buf)
{
	put_le32(buf, 0x2001FFFF); /* as the linker script has it */
	for (unsigned i = 1; i < VECTOR_COUNT; i++)
		put_le32(buf + 4 * i, TINY_ADDR + DEFAULT_HANDLER + 1);
	put_le32(buf + 4, TINY_ADDR + RESET_HANDLER + 1);
	for (unsigned i = 16; i < 52; i++)
		put_le32(buf + 4 * i, TINY_ADDR + RESET_HANDLER + 2 * i + 1);
	for (unsigned i = 7; i <= 10; i++)
		put_le32(buf + 4 * i, 0);
	put_le32(buf + 4 * 13, 0);
	memset(buf + 4 * VECTOR_COUNT, 0, 448 - 4 * VECTOR_COUNT);
	put_le16(buf + DEFAULT_HANDLER, 0xE7FE); /* branch to itself */
}

static const char *
name_of(const char *type)
{
	static const char *const names[][2] = {
		{ "CF20", "Crazyflie 2.0" },	       { "CF21", "Crazyflie 2.1" },
		{ "C21B", "Crazyflie 2.1 Brushless" }, { "RZ10", "Crazyflie Bolt" },
		{ "CB10", "Crazyflie Bolt" },	       { "CB11", "Crazyflie Bolt 1.1" },
		{ "RR10", "Roadrunner 1.0" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		if (strncmp(names[i][0], type, 4) == 0)
			return names[i][1];
	return "Something else";
}

/* Ends at end; returns where it begins. */
static size_t
put_records(uint8_t *buf, size_t end, const char *types)
{
	size_t count = (strlen(types) + 1) / 5, at = end - count * RECORD;

	for (size_t i = 0; i < count; i++) {
		uint8_t *p = buf + at + i * RECORD;
		char name[31];

		memset(p, 0, RECORD);
		memcpy(p, types + 5 * i, 4);
		(void)snprintf(name, sizeof(name), "%s", name_of(types + 5 * i));
		memcpy(p + 5, name, strlen(name));
		p[35] = 1;
		put_le32(p + 40, 0x20000400);
	}
	return at;
}

/* u16, two bytes of padding, u32, production flag, modified flag; then tag and revision as text. */
static size_t
put_version(uint8_t *buf, size_t at, const struct tiny *t, uint32_t *ret_tag)
{
	uint64_t revision = strtoull(t->revision, NULL, 16);

	memset(buf + at, 0, 12);
	put_le16(buf + at, (uint16_t)revision);
	put_le32(buf + at + 4, (uint32_t)(revision >> 16));
	buf[at + 9] = (uint8_t)t->modified;
	at += 12;
	buf[at++] = 0;
	*ret_tag = (uint32_t)at;
	memcpy(buf + at, t->tag, strlen(t->tag) + 1);
	at += strlen(t->tag) + 1;
	memcpy(buf + at, t->revision, strlen(t->revision) + 1);
	return at + strlen(t->revision) + 1;
}

void
tiny_make(const struct tiny *t, uint8_t *buf, size_t size)
{
	struct rng r;
	uint32_t tag = 0;

	assert(size % 4 == 0 && size >= TINY_BYTES_MIN);
	rng_init(&r, t->seed);
	for (size_t i = 0; i < size; i++)
		buf[i] = (uint8_t)(rng_next(&r) |
				   1); /* no zero byte: nothing looks like text with an end */
	put_vectors(buf);
	if (t->tag[0] != '\0')
		(void)put_version(buf, 0x400, t, &tag);
	(void)put_records(buf, size - 16, t->types);
	put_le32(buf + size - 16, TINY_ADDR + tag);
	put_le32(buf + size - 12, TINY_ADDR + tag + (uint32_t)strlen(t->tag) + 1);
	put_le32(buf + size - 8, TINY_ADDR + 0x400);
	put_le32(buf + size - 4, 0xAAAAAAAA);
}
