/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cfdfu/util.h"
#include "core/crtp_internal.h"
#include "core/deck_section.h"
#include "core/radio_block.h"

/* SPEC: doc/beyond-dfu.md 2. */
enum {
	TYPE_EEPROM = 0x00,
	TYPE_ONEWIRE = 0x01,
	TYPE_TESTER = 0x15,
	TYPE_DECKS = 0x19,
	TYPE_POWER = 0x20, /* DeckCtrl's DFU mode, and the way out of it: a power cycle */
	TYPE_DECKCTRL = 0x21,
	NONE = -1,
};

enum { REFUSALS_MAX = 8 }; /* LIMIT: an engine that insists is not asked for ever */

static int
find_memory(const struct crtp *c, unsigned type)
{
	for (int i = 0; i < c->memories.known; i++)
		if (c->memories.type[i] == type)
			return i;
	return NONE;
}

static enum crtp_turn
read_memory(struct crtp *c, uint8_t memory, uint32_t addr, uint8_t length)
{
	uint8_t data[6] = { memory, [5] = length };

	put_le32(data + 1, addr);
	return crtp_put(c, QUESTION_MEMORY_READ, data, sizeof(data));
}

static enum crtp_turn
write_memory(struct crtp *c, uint8_t memory, uint32_t addr, const uint8_t *bytes, uint8_t length)
{
	uint8_t data[5 + MEMORY_BYTES_MAX] = { memory };

	put_le32(data + 1, addr);
	memcpy(data + 5, bytes, length);
	return crtp_put(c, QUESTION_MEMORY_WRITE, data, 5U + length);
}

/* ---- answers -------------------------------------------------------------------------------- */

bool
crtp_memory_count(struct crtp *c, const uint8_t *p, size_t length)
{
	(void)length;
	c->memories.count = p[2];
	return true;
}

bool
crtp_memory_info(struct crtp *c, const uint8_t *p, size_t length)
{
	(void)length;
	c->memories.type[c->memories.known++] = p[3];
	return true;
}

/* "41 memory addr[4] status data[]"; no data when it failed. */
bool
crtp_memory_read(struct crtp *c, const uint8_t *p, size_t length)
{
	struct crtp_memories *m = &c->memories;
	uint8_t wanted = c->question.packet[6];

	m->result = p[6] == 0 ? MEMORY_OK : MEMORY_REFUSED;
	if (m->result == MEMORY_REFUSED)
		return true;
	if (length != 7U + wanted || m->have + wanted > sizeof(m->bytes))
		return false;
	memcpy(m->bytes + m->have, p + 7, wanted);
	m->have = (uint16_t)(m->have + wanted);
	return true;
}

bool
crtp_memory_written(struct crtp *c, const uint8_t *p, size_t length)
{
	(void)length;
	c->memories.result = p[6] == 0 ? MEMORY_OK : MEMORY_REFUSED;
	if (c->topic == CRTP_POWER_CYCLE)
		c->answers.power_requested = p[6] == 0;
	return true;
}

/* ---- which there are ------------------------------------------------------------------------ */

static void
note_memories(const struct crtp *c)
{
	int decks = find_memory(c, TYPE_DECKS), eeprom = find_memory(c, TYPE_EEPROM);
	struct condition *d = c->condition;

	if (d == NULL)
		return;
	d->can_power_cycle = find_memory(c, TYPE_POWER) != NONE;
	d->has_deck_memory = decks != NONE;
	d->deck_memory = (uint8_t)decks;
	d->has_radio_memory = eeprom != NONE;
	d->radio_memory = (uint8_t)eeprom;
}

enum crtp_turn
crtp_memories_next(struct crtp *c)
{
	struct crtp_memories *m = &c->memories;

	if (c->step++ == 0)
		return crtp_put(c, QUESTION_MEMORY_COUNT, (const uint8_t[]){ 0x01 }, 1);
	if (m->known < m->count && m->known < CRTP_MEMORIES_MAX)
		return crtp_put(c, QUESTION_MEMORY_INFO, (const uint8_t[]){ 0x02, m->known }, 2);
	note_memories(c);
	return TURN_DONE;
}

/* ---- the radio's configuration -------------------------------------------------------------- */

enum crtp_turn
crtp_radio_block_next(struct crtp *c)
{
	struct crtp_memories *m = &c->memories;
	int eeprom = find_memory(c, TYPE_EEPROM);

	if (c->condition == NULL || (c->done & BIT(CRTP_MEMORIES)) == 0)
		return TURN_GIVEN_UP;
	if (eeprom == NONE)
		return TURN_DONE;
	if (c->step++ == 0) {
		m->have = 0;
		return read_memory(c, (uint8_t)eeprom, 0, RADIO_BLOCK_BYTES);
	}
	if (m->result != MEMORY_OK)
		return TURN_GIVEN_UP;
	radio_block_decode(&c->condition->radio, m->bytes);
	return TURN_DONE;
}

/* ---- decks ---------------------------------------------------------------------------------- */

/* The next piece of the memory, of bytes in all; DONE: all is there. */
static enum crtp_turn
read_on(struct crtp *c, int memory, unsigned bytes)
{
	unsigned left = bytes - c->memories.have;

	if (left == 0)
		return TURN_DONE;
	if (left > MEMORY_BYTES_MAX)
		left = MEMORY_BYTES_MAX;
	return read_memory(c, (uint8_t)memory, c->memories.have, (uint8_t)left);
}

/* The deck memory's information section. */
static enum crtp_turn
section_next(struct crtp *c)
{
	struct crtp_memories *m = &c->memories;
	int memory = find_memory(c, TYPE_DECKS);

	if (memory == NONE)
		return TURN_DONE;
	if (m->result != MEMORY_OK || (m->have > 0 && m->bytes[0] != DECK_SECTION_VERSION))
		return TURN_GIVEN_UP;
	if (read_on(c, memory, DECK_SECTION_BYTES) == TURN_ASKS)
		return TURN_ASKS;
	m->deck_count = deck_section_decode(m->bytes, m->decks);
	return TURN_DONE;
}

/* A memory that belongs to one deck: its name, and where it has one its version. */
static enum crtp_turn
deck_next(struct crtp *c)
{
	struct crtp_memories *m = &c->memories;
	bool wire = m->type[m->at] == TYPE_ONEWIRE;
	struct deck_label label;
	enum deck_label_found found;

	if (m->result != MEMORY_OK)
		return TURN_GIVEN_UP;
	if (m->have == 0)
		return read_on(c, m->at, MEMORY_BYTES_MAX);
	found = wire ? deck_onewire_decode(m->bytes, m->have, &label)
		     : deck_ctrl_decode(m->bytes, m->have, &label);
	if (found == DECK_LABEL_FURTHER && m->have < DECK_ONEWIRE_BYTES)
		return read_on(c, m->at, DECK_ONEWIRE_BYTES);
	if (found != DECK_LABEL_FOUND)
		return TURN_GIVEN_UP;
	deck_add(m->decks, &m->deck_count, &label);
	return TURN_DONE;
}

static void
begin_memory(struct crtp *c)
{
	c->memories.have = 0;
	c->memories.result = MEMORY_OK;
}

enum crtp_turn
crtp_decks_next(struct crtp *c)
{
	enum { BEGIN, SECTION, OTHERS };
	struct crtp_memories *m = &c->memories;
	enum crtp_turn turn;

	if (c->condition == NULL || (c->done & BIT(CRTP_MEMORIES)) == 0)
		return TURN_GIVEN_UP;
	if (c->step == BEGIN) {
		c->step = SECTION;
		m->at = 0;
		m->deck_count = 0;
		m->unread = m->silent = false;
		begin_memory(c);
	}
	if (c->step == SECTION) {
		turn = section_next(c);
		if (turn == TURN_ASKS)
			return turn;
		m->unread = turn == TURN_GIVEN_UP;
		c->step = OTHERS;
		begin_memory(c);
	}
	for (; m->at < m->known; m->at++, begin_memory(c)) {
		if (m->type[m->at] != TYPE_ONEWIRE && m->type[m->at] != TYPE_DECKCTRL)
			continue;
		turn = deck_next(c);
		if (turn == TURN_ASKS)
			return turn;
		m->unread = m->unread || turn == TURN_GIVEN_UP;
	}
	memcpy(c->condition->decks, m->decks, sizeof(m->decks));
	c->condition->deck_count = m->deck_count;
	c->condition->decks_known = !m->unread;
	return m->silent ? TURN_GIVEN_UP : TURN_DONE;
}

/* ---- power cycle ---------------------------------------------------------------------------- */

enum crtp_turn
crtp_power_cycle_next(struct crtp *c)
{
	/* SPEC: 01 would put every DeckCtrl deck into its boot loader. */
	static const uint8_t firmware_mode = 0x02;
	int power = find_memory(c, TYPE_POWER);

	if (power == NONE || c->step++ > 0)
		return TURN_DONE;
	/* WHY before the answer: it may be gone faster than that. */
	c->answers.power_requested = true;
	return write_memory(c, (uint8_t)power, 3, &firmware_mode, 1);
}

/* ---- an engine's operations ----------------------------------------------------------------- */

/* Nothing that resets the firmware, nor a memory that is not to be changed. */
static bool
is_bearable(const struct crtp *c, const struct memory_op *op)
{
	uint8_t type;

	if (op->memory >= c->memories.known || op->length == 0 || op->length > MEMORY_BYTES_MAX)
		return false;
	type = c->memories.type[op->memory];
	if (type == TYPE_EEPROM || type == TYPE_DECKS)
		return true;
	return op->kind == MEMORY_READ &&
	       (type == TYPE_ONEWIRE || type == TYPE_TESTER || type == TYPE_DECKCTRL);
}

static void
tell(struct crtp *c, uint64_t now_us)
{
	struct crtp_memories *m = &c->memories;
	bool data = m->result == MEMORY_OK && m->op.kind == MEMORY_READ;

	m->op_out = false;
	c->engine->done(c->engine->ctx, m->result, data ? m->bytes : NULL, now_us);
}

enum crtp_turn
crtp_work_next(struct crtp *c, uint64_t now_us, uint64_t *ret_until_us)
{
	struct crtp_memories *m = &c->memories;

	if (m->op_out)
		tell(c, now_us);
	for (unsigned refusals = 0; refusals < REFUSALS_MAX; refusals++) {
		memset(&m->op, 0, sizeof(m->op));
		c->engine->next(c->engine->ctx, now_us, &m->op);
		if (m->op.kind == MEMORY_OVER)
			return TURN_DONE;
		if (m->op.kind == MEMORY_PAUSE) {
			*ret_until_us = m->op.until_us > now_us ? m->op.until_us : now_us + 1;
			return TURN_WAITS;
		}
		m->have = 0;
		m->op_out = true;
		if ((c->done & BIT(CRTP_MEMORIES)) == 0) {
			m->result = MEMORY_SILENT;
			tell(c, now_us);
			return TURN_GIVEN_UP;
		}
		if (is_bearable(c, &m->op)) {
			if (m->op.kind == MEMORY_READ)
				(void)read_memory(c, m->op.memory, m->op.addr, m->op.length);
			else
				(void)write_memory(c, m->op.memory, m->op.addr, m->op.data,
						   m->op.length);
			c->question.patience_ms = m->op.patience_ms;
			return TURN_ASKS;
		}
		m->result = MEMORY_REFUSED;
		tell(c, now_us);
	}
	return TURN_GIVEN_UP;
}

bool
crtp_topic_silent(struct crtp *c)
{
	unsigned kind = c->question.kind;

	if (kind == QUESTION_MEMORY_READ || kind == QUESTION_MEMORY_WRITE) {
		c->memories.result = MEMORY_SILENT;
		c->memories.silent = true;
		return c->topic == CRTP_WORK || c->topic == CRTP_DECKS;
	}
	return kind == QUESTION_BLOCK_SAMPLE; /* the block is deleted all the same */
}
