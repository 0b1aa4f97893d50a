/* SPDX-License-Identifier: MIT */
/* CRTP port 4: the table of memories, reading and writing (doc/beyond-dfu.md 1, 2, 11). */
#include "config.h"

#include "sim/drone.h"

#include <string.h>

#include "sim/model.h"

#define DECKCTRL_RELEASE 202512

void
mem_register(struct drone *d, const struct mem *m)
{
	struct firmware *f = &d->firmware;

	if (f->mems < MEMS_MAX)
		f->mem[f->mems++] = *m;
}

/* ---- the memories of every drone ---- */

static bool
is_within(const struct mem *m, const struct mem_call *c)
{
	return c->addr <= m->size && c->length <= m->size - c->addr;
}

static uint8_t
trajectory_read(struct drone *d, const struct mem *m, struct mem_call *c)
{
	(void)d;
	memset(c->data, 0, c->length);
	return is_within(m, c) ? 0 : MEM_EIO;
}

static uint8_t
trajectory_write(struct drone *d, const struct mem *m, struct mem_call *c)
{
	(void)d;
	return is_within(m, c) ? 0 : MEM_EIO;
}

/* SPEC: reads its own addresses, anywhere; takes anything, and says on the console what was not
 * that. */
static uint8_t
tester_read(struct drone *d, const struct mem *m, struct mem_call *c)
{
	(void)d;
	(void)m;
	for (size_t i = 0; i < c->length; i++)
		c->data[i] = (uint8_t)(c->addr + i);
	return 0;
}

static uint8_t
tester_write(struct drone *d, const struct mem *m, struct mem_call *c)
{
	(void)m;
	for (size_t i = 0; i < c->length; i++)
		if (c->data[i] != (uint8_t)(c->addr + i)) {
			console_say(d, c->now_us,
				    "Verification failed: expected: %u, actual: %u, addr: %u\n",
				    (unsigned)(uint8_t)(c->addr + i), c->data[i],
				    (unsigned)(c->addr + i));
			break;
		}
	return 0;
}

/* SPEC: doc/beyond-dfu.md 2 and 11.8: in this order. */
void
mem_register_all(struct drone *d)
{
	mem_register(d, &(struct mem){ .type = MEM_EEPROM,
				       .size = EEPROM_BYTES - 1,
				       .read = eeprom_read,
				       .write = eeprom_write });
	mem_register(d, &(struct mem){ .type = MEM_TRAJECTORY,
				       .size = 0x1000,
				       .read = trajectory_read,
				       .write = trajectory_write });
	mem_register(d, &(struct mem){ .type = MEM_TESTER,
				       .size = 0x1000,
				       .read = tester_read,
				       .write = tester_write });
	deck_register_one_wire(d);
	mem_register(d, &(struct mem){ .type = MEM_DECK,
				       .size = 0x50000000,
				       .read = deck_memory_read,
				       .write = deck_memory_write });
	if (d->firmware.release >= DECKCTRL_RELEASE)
		mem_register(d, &(struct mem){ .type = MEM_DECKCTRL_DFU,
					       .size = 0x18000,
					       .read = deckctrl_dfu_read,
					       .write = deckctrl_dfu_write });
	deck_register_own(d);
}

/* ---- the port ---- */

/* SPEC: doc/beyond-dfu.md 1: no queue before all decks are initialised; from 2023.03 to 2025.09 no
 * answer before the start, which a failed self-test forbids. */
static bool
is_deaf(const struct drone *d, uint64_t now)
{
	const struct firmware *f = &d->firmware;

	if (now < f->start_us + (uint64_t)d->config.decks_ms * 1000 + f->decks_us)
		return true;
	if (f->release >= DECKCTRL_RELEASE || f->release < 202303)
		return false;
	return !firmware_selftest_passed(d, now);
}

/* NULL, and the firmware dead, when there is no such memory. */
static const struct mem *
mem_of(struct drone *d, uint64_t now, uint8_t id)
{
	if (id < d->firmware.mems)
		return &d->firmware.mem[id];
	firmware_assert(d, now, DRONE_ASSERT_REQUEST, "src/modules/src/mem.c:145");
	return NULL;
}

static void
information(struct drone *d, uint64_t now, const uint8_t *in)
{
	uint8_t p[20] = { 0x40, in[1] };
	const struct mem *m;

	if (in[1] == 1) {
		p[2] = (uint8_t)d->firmware.mems;
		crtp_reply(d, now, p, 3);
		return;
	}
	m = mem_of(d, now, in[2]);
	if (m == NULL)
		return;
	p[2] = in[2];
	p[3] = m->type;
	put_le32(p + 4, m->size);
	memcpy(p + 8, m->serial, sizeof(m->serial));
	crtp_reply(d, now, p, m->serial_bytes > 8 ? 8 + m->serial_bytes : 16);
}

static void
transfer(struct drone *d, uint64_t now, const uint8_t *in, size_t length)
{
	bool reads = (in[0] & 3) == 1;
	uint8_t data[256], p[7 + MEM_ANSWER_BYTES] = { (uint8_t)(in[0] & 0xF3), in[1] };
	struct mem_call c = { .now_us = now,
			      .addr = get_le32(in + 2),
			      .length = reads	     ? in[6]
					: length > 6 ? length - 6
						     : 0,
			      .data = data };
	const struct mem *m = mem_of(d, now, in[1]);
	size_t n = 7;

	if (m == NULL)
		return;
	if (!reads)
		memcpy(data, in + 6, c.length);
	put_le32(p + 2, c.addr);
	p[6] = reads ? m->read(d, m, &c) : m->write(d, m, &c);
	/* SPEC: doc/beyond-dfu.md 10.6: one that fails does not reach the assertion. */
	if (reads && p[6] == 0 && c.length > MEM_ANSWER_BYTES)
		firmware_assert(d, now, DRONE_ASSERT_REQUEST, "src/modules/src/crtp.c:230");
	if (d->firmware.asserted)
		return;
	if (reads && p[6] == 0) {
		memcpy(p + 7, data, c.length);
		n += c.length;
	}
	d->firmware.mem_free_us = now + c.takes_us;
	crtp_reply(d, now + c.takes_us, p, n);
}

void
crtp_memory(struct drone *d, uint64_t now, const uint8_t *packet, size_t length)
{
	uint8_t in[32] = { 0 };

	if (is_deaf(d, now))
		return;
	memcpy(in, packet, length);
	if (d->firmware.mem_free_us > now)
		now = d->firmware.mem_free_us;
	if ((in[0] & 3) == 0 && (in[1] == 1 || in[1] == 2))
		information(d, now, in);
	else if ((in[0] & 3) == 1 || (in[0] & 3) == 2)
		transfer(d, now, in, length);
}
