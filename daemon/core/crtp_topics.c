/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cfdfu/util.h"
#include "core/crtp_internal.h"
#include "core/release.h"

enum {
	LOG_BLOCK = 0xCF,	      /* our own number; other clients count from 0 */
	BLOCK_EXISTS = 17,	      /* SPEC: EEXIST */
	PROTOCOL_SUPERVISOR = 12,     /* SPEC: of 2026.04 */
	BATTERY_UNMEASURED_MV = 3700, /* SPEC: before the nRF51 was asked */
	LOG_U16 = 2,
	LOG_I8 = 4,
};

#define PUT(c, kind, ...)                                                                          \
	crtp_put(c, kind, (const uint8_t[]){ __VA_ARGS__ },                                        \
		 sizeof((const uint8_t[]){ __VA_ARGS__ }))

/* ---- answers -------------------------------------------------------------------------------- */

static void
copy_printable(char out[CRTP_TEXT_MAX], const uint8_t *text, size_t length)
{
	size_t n = 0;

	while (n < length && n < CRTP_TEXT_MAX - 1 && text[n] >= 0x20 && text[n] < 0x7F) {
		out[n] = (char)text[n];
		n++;
	}
	out[n] = '\0';
}

/* SPEC: the echo of any command of its port, in place: only a light's own is empty, or whole. */
static bool
take_light(struct crtp *c, const uint8_t *p, size_t length)
{
	(void)c;
	return length == 1 || p[1] == 0x03;
}

static bool
take_protocol(struct crtp *c, const uint8_t *p, size_t length)
{
	(void)length;
	c->value[0] = get_le32(p + 2);
	return true;
}

static bool
take_version(struct crtp *c, const uint8_t *p, size_t length)
{
	copy_printable(c->answers.version, p + 2, length - 2);
	return true;
}

static bool
take_type(struct crtp *c, const uint8_t *p, size_t length)
{
	copy_printable(c->answers.type, p + 2, length - 2);
	return true;
}

static bool
take_param(struct crtp *c, const uint8_t *p, size_t length)
{
	enum crtp_variable v = c->scan.variable;
	uint8_t value[4] = { 0 };
	uint8_t bytes = crtp_variable_bytes(v);

	if (length < 4U + bytes || p[3] != 0)
		return false;
	memcpy(value, p + 4, bytes);
	c->value[v] = get_le32(value);
	return true;
}

static bool
take_supervisor(struct crtp *c, const uint8_t *p, size_t length)
{
	(void)length;
	if (p[1] != 0x8C) /* SPEC: the command with bit 7 set */
		return false;
	c->condition->supervisor = get_le16(p + 2);
	c->condition->supervisor_known = true;
	return true;
}

/* "51 command block error". */
static bool
take_block(struct crtp *c, const uint8_t *p, size_t length)
{
	(void)length;
	c->value[0] = p[3];
	return true;
}

/* "52 block time[3] values", behind the answer to the question itself; without it when that failed.
 */
static bool
take_sample(struct crtp *c, const uint8_t *p, size_t length)
{
	bool state = c->scan.toc.is[CRTP_PM_STATE] == CRTP_HERE;
	struct condition *d = c->condition;
	uint16_t mv;

	if ((p[0] & CRTP_HEADER_MASK) == CRTP_HEADER_LOG)
		return p[1] == 0x08 && p[2] == LOG_BLOCK && p[3] != 0;
	if ((p[0] & CRTP_HEADER_MASK) != CRTP_HEADER_LOG_DATA || p[1] != LOG_BLOCK ||
	    length < (state ? 8U : 7U))
		return false;
	mv = get_le16(p + 5);
	d->battery_mv = mv == BATTERY_UNMEASURED_MV ? 0 : mv;
	d->battery_state = state && d->battery_mv != 0 ? (int8_t)p[7] : -1;
	return true;
}

/* Every question and its answer.  The header of an answer is the question's, and its first bytes
 * are echoed. */
static const struct {
	uint8_t echoes; /* bytes behind the header that answer and question share */
	uint8_t bytes;	/* at least so many, the header among them */
	bool any_header;
	bool (*take)(struct crtp *c, const uint8_t *p, size_t length);
} answers[QUESTION_COUNT] = {
	[QUESTION_LIGHT] = { 0, 1, false, take_light },
	[QUESTION_PROTOCOL] = { 1, 6, false, take_protocol },
	[QUESTION_VERSION] = { 1, 2, false, take_version },
	[QUESTION_TYPE] = { 1, 2, false, take_type },
	[QUESTION_TOC] = { 1, 8, false, crtp_toc_head },
	[QUESTION_ITEM] = { 3, 6, false, crtp_toc_item },
	[QUESTION_PARAM] = { 2, 4, false, take_param },
	[QUESTION_SUPERVISOR] = { 0, 4, false, take_supervisor },
	[QUESTION_BLOCK_CREATE] = { 2, 4, false, take_block },
	[QUESTION_BLOCK_SAMPLE] = { 0, 4, true, take_sample },
	[QUESTION_BLOCK_DELETE] = { 2, 4, false, take_block },
	[QUESTION_MEMORY_COUNT] = { 1, 3, false, crtp_memory_count },
	[QUESTION_MEMORY_INFO] = { 2, 8, false, crtp_memory_info },
	[QUESTION_MEMORY_READ] = { 5, 7, false, crtp_memory_read },
	[QUESTION_MEMORY_WRITE] = { 5, 7, false, crtp_memory_written },
};

bool
crtp_topic_take(struct crtp *c, const uint8_t *packet, size_t length)
{
	const struct crtp_question *q = &c->question;
	uint8_t kind = q->kind;

	if (length < answers[kind].bytes)
		return false;
	if (!answers[kind].any_header && (packet[0] & CRTP_HEADER_MASK) != q->packet[0])
		return false;
	if (memcmp(packet + 1, q->packet + 1, answers[kind].echoes) != 0)
		return false;
	return answers[kind].take(c, packet, length);
}

/* ---- topics --------------------------------------------------------------------------------- */

static enum crtp_turn
next_light(struct crtp *c)
{
	if (c->step++ > 0)
		return TURN_DONE;
	return PUT(c, QUESTION_LIGHT, 0x03, c->light == CRTP_LIGHT_PASS ? 1 : 0);
}

static enum crtp_turn
next_version(struct crtp *c)
{
	return c->step++ > 0 ? TURN_DONE : PUT(c, QUESTION_VERSION, 0x01);
}

static enum crtp_turn
next_type(struct crtp *c)
{
	return c->step++ > 0 ? TURN_DONE : PUT(c, QUESTION_TYPE, 0x02);
}

/* Reads the parameters of the set, one after another, when their table was looked through. */
static enum crtp_turn
next_params(struct crtp *c, unsigned variables)
{
	enum crtp_turn turn = crtp_toc_next(c, variables);
	enum crtp_variable v = c->step;

	if (turn != TURN_DONE)
		return turn;
	while (v < CRTP_VARIABLE_COUNT && (variables & BIT(v)) == 0)
		v++;
	if (v == CRTP_VARIABLE_COUNT)
		return TURN_DONE;
	if (c->scan.toc.is[v] != CRTP_HERE)
		return TURN_GIVEN_UP;
	c->scan.variable = v;
	c->step = (uint8_t)(v + 1);
	return PUT(c, QUESTION_PARAM, (uint8_t)c->scan.toc.id[v],
		   (uint8_t)(c->scan.toc.id[v] >> 8));
}

static enum crtp_turn
next_build(struct crtp *c)
{
	enum crtp_turn turn =
	    next_params(c, BIT(CRTP_REVISION0) | BIT(CRTP_REVISION1) | BIT(CRTP_MODIFIED));

	if (turn != TURN_DONE)
		return turn;
	(void)snprintf(c->answers.revision, sizeof(c->answers.revision), "%08x%04x",
		       (unsigned)c->value[CRTP_REVISION0],
		       (unsigned)c->value[CRTP_REVISION1] & 0xFFFF);
	c->answers.modified = c->value[CRTP_MODIFIED] != 0;
	c->answers.build_known = true;
	return TURN_DONE;
}

static enum crtp_turn
next_supervisor(struct crtp *c)
{
	enum { BEGIN, PROTOCOL_ASKED, ASKED };
	enum release_age age = release_age(c->answers.version, 2026, 4);

	/* WHY: an older one does not answer, and that takes its time. */
	if (c->condition == NULL || c->answers.version[0] == '\0' || age == RELEASE_OLDER)
		return TURN_DONE;
	if (c->step == BEGIN && age == RELEASE_UNKNOWN) {
		c->step = PROTOCOL_ASKED;
		return PUT(c, QUESTION_PROTOCOL, 0x00);
	}
	if (c->step == ASKED || (c->step == PROTOCOL_ASKED && c->value[0] < PROTOCOL_SUPERVISOR))
		return TURN_DONE;
	c->step = ASKED;
	return PUT(c, QUESTION_SUPERVISOR, 0x0C);
}

static enum crtp_turn
next_selftest(struct crtp *c)
{
	enum crtp_turn turn = next_params(c, BIT(CRTP_SELFTEST_PASSED));

	if (turn == TURN_ASKS)
		return turn;
	if (turn == TURN_GIVEN_UP) /* it has no such parameter: that is an answer */
		return TURN_DONE;
	c->answers.selftest_read = true;
	c->answers.selftest_value = c->value[CRTP_SELFTEST_PASSED] != 0;
	if (c->answers.selftest_value && c->condition != NULL)
		c->condition->selftest = SELFTEST_PASS;
	return TURN_DONE;
}

static enum crtp_turn
create_block(struct crtp *c)
{
	const struct crtp_toc *t = &c->scan.toc;
	uint16_t mv = t->id[CRTP_VBAT_MV], state = t->id[CRTP_PM_STATE];
	const uint8_t create[] = { 0x06,
				   LOG_BLOCK,
				   LOG_U16,
				   (uint8_t)mv,
				   (uint8_t)(mv >> 8),
				   LOG_I8,
				   (uint8_t)state,
				   (uint8_t)(state >> 8) };

	return crtp_put(c, QUESTION_BLOCK_CREATE, create,
			t->is[CRTP_PM_STATE] == CRTP_HERE ? sizeof(create) : sizeof(create) - 3);
}

/* A block of two variables for one sample. */
static enum crtp_turn
next_battery(struct crtp *c)
{
	enum { LOOK, CREATE, CREATED, CREATE_ANEW, CREATED_ANEW, SAMPLED, DELETED };
	enum crtp_turn turn;

	if (c->condition == NULL)
		return TURN_DONE;
	if (c->step == LOOK) {
		turn = crtp_toc_next(c, BIT(CRTP_VBAT_MV) | BIT(CRTP_PM_STATE));
		if (turn != TURN_DONE)
			return turn;
		if (c->scan.toc.is[CRTP_VBAT_MV] != CRTP_HERE)
			return TURN_DONE;
		c->step = CREATE;
	}
	switch (c->step) {
	case CREATE:
	case CREATE_ANEW:
		c->step++; /* to its answer */
		return create_block(c);
	case CREATED:
	case CREATED_ANEW:
		/* WHY: of a daemon that died, or of our own question, the answer to which was
		 * lost; what it holds is not known. */
		if (c->step == CREATED && c->value[0] == BLOCK_EXISTS) {
			c->step = CREATE_ANEW;
			return PUT(c, QUESTION_BLOCK_DELETE, 0x02, LOG_BLOCK);
		}
		if (c->value[0] != 0)
			return TURN_GIVEN_UP;
		c->step = SAMPLED;
		return PUT(c, QUESTION_BLOCK_SAMPLE, 0x08, LOG_BLOCK, 0, 0);
	case SAMPLED:
		c->step = DELETED;
		return PUT(c, QUESTION_BLOCK_DELETE, 0x02, LOG_BLOCK);
	default:
		return TURN_DONE;
	}
}

enum crtp_turn
crtp_topic_next(struct crtp *c, uint64_t now_us, uint64_t *ret_until_us)
{
	static enum crtp_turn (*const nexts[CRTP_TOPIC_COUNT])(struct crtp * c) = {
		[CRTP_LIGHT] = next_light,
		[CRTP_VERSION] = next_version,
		[CRTP_TYPE] = next_type,
		[CRTP_BUILD] = next_build,
		[CRTP_SUPERVISOR] = next_supervisor,
		[CRTP_SELFTEST] = next_selftest,
		[CRTP_BATTERY] = next_battery,
		[CRTP_MEMORIES] = crtp_memories_next,
		[CRTP_RADIO_BLOCK] = crtp_radio_block_next,
		[CRTP_DECKS] = crtp_decks_next,
		[CRTP_POWER_CYCLE] = crtp_power_cycle_next,
	};

	if (c->topic == CRTP_WORK)
		return crtp_work_next(c, now_us, ret_until_us);
	return nexts[c->topic](c);
}
