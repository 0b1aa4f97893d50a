/* SPDX-License-Identifier: MIT */
/* Unit tests of core/crtp: a drone that answers, one that does not, and one that never stops. */
#include "config.h"

#include "core/crtp.h"

#include <string.h>

#include "test.h"

#include "cfdfu/util.h"
#include "core/crtp_internal.h"

#define NEVER 1000000U
#define NAMES (BIT(CRTP_VERSION) | BIT(CRTP_TYPE))

/* A drone's side of the conversation: its answers, its table of parameters, its bad manners. */
struct peer {
	const char *version, *type;
	const char *const *names; /* "group.name", NULL behind the last */
	uint16_t toc_count;	  /* as it says */
	uint32_t toc_crc;
	uint32_t values[3];	    /* of revision0, revision1, modified */
	unsigned chatter;	    /* packets of its own before each answer */
	bool deaf;		    /* takes everything, answers nothing */
	uint8_t mute;		    /* ... to packets with this header */
	unsigned bad_at, bad_count; /* these transfers end with bad */
	enum usb_status bad;
	/* what happened */
	unsigned transfers, links, unlinks, lights, good_lights, items;
	uint8_t question[32];
	size_t question_length;
	unsigned chatted;
};

static const char *const names[] = { "a.revision0", "firmware.revision0",
				     "firmware.x",  "firmware.revision1",
				     "b.c",	    "firmware.modified",
				     "z.z",	    NULL };

static void
peer_init(struct peer *p)
{
	*p = (struct peer){ .version = "2025.12",
			    .type = "Crazyflie 2.1",
			    .names = names,
			    .toc_count = 7,
			    .toc_crc = 0x12345678,
			    .values = { 0x0123abcd, 0x4567, 0 },
			    .bad_at = NEVER };
}

static size_t
answer_table(struct peer *p, uint8_t *out)
{
	uint16_t item;
	const char *dot;

	out[0] = 0x20;
	out[1] = p->question[1];
	if (p->question[1] == 0x03) {
		put_le16(out + 2, p->toc_count);
		put_le32(out + 4, p->toc_crc);
		return 8;
	}
	item = get_le16(p->question + 2);
	put_le16(out + 2, item);
	out[4] = 0x08;
	p->items++;
	if (item >= 7)
		return 5; /* no such thing */
	dot = strchr(p->names[item], '.');
	memcpy(out + 5, p->names[item], (size_t)(dot - p->names[item]));
	out[5 + (dot - p->names[item])] = '\0';
	memcpy(out + 5 + (dot - p->names[item]) + 1, dot + 1, strlen(dot));
	return 5 + strlen(p->names[item]) + 1;
}

static size_t
answer_value(const struct peer *p, uint8_t *out)
{
	uint16_t id = get_le16(p->question + 1);

	out[0] = 0x21;
	put_le16(out + 1, id);
	out[3] = 0;
	put_le32(out + 4, p->values[id == 1 ? 0 : id == 3 ? 1 : 2]);
	return 8;
}

/* The answer to the question at hand; its length. */
static size_t
answer(struct peer *p, uint8_t *out)
{
	const char *text;

	memset(out, 0, 64);
	switch (p->question[0]) {
	case 0xD1:
		text = p->question[1] == 1 ? p->version : p->type;
		out[0] = 0xDD; /* the reserved bits, echoed at will */
		out[1] = p->question[1];
		memcpy(out + 2, text, strlen(text));
		return 2 + strlen(text);
	case 0x20:
		return answer_table(p, out);
	case 0x21:
		return answer_value(p, out);
	default:
		out[0] = 0xD0;
		return 1;
	}
}

static enum usb_status
bulk_in(struct peer *p, uint8_t *out, size_t *ret_length)
{
	static const uint8_t console[] = "\x00hello";

	if (p->deaf || (p->mute != 0 && p->question[0] == p->mute))
		return USB_TIMEOUT;
	if (p->chatted < p->chatter) {
		p->chatted++;
		memcpy(out, console, 6);
		*ret_length = p->chatted % 7; /* nothing at all, too */
		return USB_OK;
	}
	p->chatted = 0;
	*ret_length = answer(p, out);
	return USB_OK;
}

static enum usb_status
serve(struct peer *p, const struct usb_xfer *x, uint8_t *out, size_t *ret_length)
{
	unsigned n = p->transfers++;

	*ret_length = 0;
	if (n >= p->bad_at && n - p->bad_at < p->bad_count)
		return p->bad;
	switch (x->kind) {
	case USB_CONTROL:
		assert_int_equal(x->setup.request_type, 0x40);
		if (x->setup.index == 1)
			p->links++;
		else
			p->unlinks++;
		assert_true(x->setup.index < 2);
		return USB_OK;
	case USB_BULK_OUT:
		assert_int_equal(x->endpoint, 0x01);
		assert_in_range(x->length, 1, sizeof(p->question));
		memcpy(p->question, x->data, x->length);
		p->question_length = x->length;
		p->lights += x->data[0] == 0xD0;
		p->good_lights += x->data[0] == 0xD0 && x->data[2] == 1;
		return USB_OK;
	case USB_BULK_IN:
		assert_int_equal(x->endpoint, 0x81);
		return bulk_in(p, out, ret_length);
	case USB_RESET:
		break;
	}
	fail_msg("it resets the port");
	return USB_OK;
}

static void
ask_build(struct crtp *c, struct crtp_tocs *tocs)
{
	crtp_ask(c, NAMES | BIT(CRTP_BUILD), tocs, NULL);
}

/* Talks until it is over; each transfer takes step_us. */
static void
converse(struct crtp *c, struct peer *p, uint64_t step_us)
{
	uint64_t now_us = 5;
	struct request w;

	for (unsigned n = 0; n < 200000; n++) {
		uint8_t in[64] = { 0 };
		enum usb_status status;
		size_t length;

		crtp_next(c, now_us, &w);
		if (w.kind == REQUEST_OVER)
			return;
		assert_int_equal(w.kind, REQUEST_XFER);
		assert_true(w.xfer.timeout_ms > 0);
		status = serve(p, &w.xfer, in, &length);
		now_us += step_us;
		crtp_ended(c, status, in, length, now_us);
	}
	fail_msg("the conversation does not end");
}

TEST(version_type_and_build_are_asked_for)
{
	struct peer p;
	struct crtp c = { .linked = false };
	struct crtp_tocs tocs = { .next = 0 };

	peer_init(&p);
	p.chatter = 9;
	ask_build(&c, &tocs);
	converse(&c, &p, 500);
	assert_true(c.answers.answered);
	assert_string_equal(c.answers.version, "2025.12");
	assert_string_equal(c.answers.type, "Crazyflie 2.1");
	assert_true(c.answers.build_known);
	assert_string_equal(c.answers.revision, "0123abcd4567");
	assert_false(c.answers.modified);
	assert_int_equal(p.links, 1);
	assert_int_equal(p.unlinks, 1);
	assert_int_equal(p.items, 6); /* no further than needed */
	assert_int_equal(c.transfers, p.transfers);
	assert_false(crtp_gone(&c));

	/* A table that is known is not read again; another one is, from the same places on. */
	peer_init(&p);
	p.values[2] = 1;
	ask_build(&c, &tocs);
	converse(&c, &p, 500);
	assert_true(c.answers.build_known && c.answers.modified);
	assert_int_equal(p.items, 0);
	peer_init(&p);
	p.toc_crc++;
	ask_build(&c, &tocs);
	converse(&c, &p, 500);
	assert_true(c.answers.build_known);
	assert_int_equal(p.items, 3);
	peer_init(&p); /* both are remembered */
	ask_build(&c, &tocs);
	converse(&c, &p, 500);
	assert_true(c.answers.build_known);
	assert_int_equal(p.items, 0);
}

TEST(without_a_reason_the_build_is_not_asked_for)
{
	struct peer p;
	struct crtp c = { .linked = false };

	peer_init(&p);
	crtp_ask(&c, NAMES, NULL, NULL);
	converse(&c, &p, 500);
	assert_string_equal(c.answers.type, "Crazyflie 2.1");
	assert_false(c.answers.build_known);
	assert_int_equal(p.transfers, 6);
}

TEST(a_light_is_shown_and_nothing_asked)
{
	struct peer p;
	struct crtp c = { .linked = false };

	for (enum crtp_light light = CRTP_LIGHT_PASS; light <= CRTP_LIGHT_FAIL; light++) {
		peer_init(&p);
		crtp_show(&c, light, NULL);
		converse(&c, &p, 500);
		assert_int_equal(p.lights, 1);
		assert_int_equal(p.good_lights, light == CRTP_LIGHT_PASS);
		assert_int_equal(p.unlinks, 1);
	}
}

TEST(tables_of_every_shape_are_survived)
{
	static const char *const without[] = {
		"a.b", "firmware.revision0", "firmware.revision1", "a.b", "a.b", "a.b", "a.b", NULL
	};
	struct peer p;
	struct crtp c = { .linked = false };
	struct crtp_tocs tocs = { .next = 0 };

	peer_init(&p); /* ours are not in it */
	p.names = without;
	ask_build(&c, &tocs);
	converse(&c, &p, 500);
	assert_false(c.answers.build_known);
	assert_int_equal(tocs.toc[0].is[CRTP_MODIFIED], CRTP_ABSENT);
	assert_int_equal(tocs.toc[0].is[CRTP_REVISION1], CRTP_HERE);
	assert_in_range(p.items, 7, 14); /* from the place of each outwards */
	peer_init(&p);			 /* known not to be there: not looked for again */
	ask_build(&c, &tocs);
	converse(&c, &p, 500);
	assert_false(c.answers.build_known);
	assert_int_equal(p.items, 0);
	peer_init(&p); /* empty */
	p.toc_count = 0;
	p.toc_crc++;
	ask_build(&c, &tocs);
	converse(&c, &p, 500);
	assert_false(c.answers.build_known);
	assert_int_equal(p.items, 0);
	peer_init(&p); /* larger than any: cut, and what does not exist is not answered */
	p.toc_count = 0xFFFF;
	p.names = without;
	p.toc_crc += 2;
	ask_build(&c, &tocs);
	converse(&c, &p, 500);
	assert_false(c.answers.build_known);
	assert_in_range(p.items, 1, 3 * 258); /* none of its packets is an answer */
}

TEST(a_drone_that_does_not_answer_is_asked_a_few_times)
{
	static const uint8_t mutes[] = { 0x20, 0x21, 0xD1, 0xD0 };
	struct peer p;
	struct crtp c = { .linked = false };

	for (size_t i = 0; i < ARRAY_LEN(mutes); i++) {
		peer_init(&p);
		p.mute = mutes[i];
		if (mutes[i] == 0xD0)
			crtp_show(&c, CRTP_LIGHT_FAIL, NULL);
		else
			ask_build(&c, NULL);
		converse(&c, &p, 300000);
		assert_false(c.answers.build_known);
		assert_int_equal(p.unlinks, 1);
		assert_int_equal(c.answers.answered, mutes[i] < 0xD0);
	}
	peer_init(&p);
	p.deaf = true;
	ask_build(&c, NULL);
	converse(&c, &p, 300000);
	assert_false(c.answers.answered);
	assert_string_equal(c.answers.version, "");
	assert_int_equal(p.transfers, 1 + 2 * (3 * 2 + 2) + 1);
}

TEST(a_drone_that_talks_for_ever_is_not_listened_to_for_ever)
{
	struct peer p;
	struct crtp c = { .linked = false };

	peer_init(&p);
	p.chatter = NEVER;
	ask_build(&c, NULL);
	converse(&c, &p, 0); /* bounded by the number of packets, */
	assert_in_range(p.transfers, 400, 2000);
	peer_init(&p);
	p.chatter = 190;
	ask_build(&c, NULL);
	converse(&c, &p, 100000); /* and by time */
	assert_in_range(p.transfers, 100, 160);
	assert_int_equal(p.unlinks, 1);
}

TEST(any_transfer_may_end_badly_at_any_time)
{
	struct peer p;
	struct crtp c = { .linked = false };
	unsigned whole;

	peer_init(&p);
	ask_build(&c, NULL);
	converse(&c, &p, 500);
	whole = p.transfers;
	for (enum usb_status bad = USB_STALL; bad < USB_STATUS_COUNT; bad++)
		for (unsigned at = 0; at < whole; at++)
			for (unsigned count = 1; count <= NEVER; count += NEVER - 1) {
				peer_init(&p);
				p.bad = bad;
				p.bad_at = at;
				p.bad_count = count;
				ask_build(&c, NULL);
				converse(&c, &p, 500);
				assert_int_equal(crtp_gone(&c), bad == USB_GONE);
				if (count == 1 && bad != USB_GONE)
					assert_string_equal(c.answers.revision, "0123abcd4567");
				else if (bad == USB_GONE)
					assert_int_equal(p.transfers, at + 1);
				else
					assert_in_range(p.transfers, at, at + 60);
			}
}

/* ---- answers are checked ----------------------------------------------------------------- */

/* The question hears one packet as the answer; is it taken? */
static bool
takes(const uint8_t *question, const uint8_t *packet, size_t length)
{
	struct condition condition = { .looked = false };
	struct crtp c = { .stage = CRTP_STAGE_ASKING, .condition = &condition };

	c.until_us = UINT64_MAX;
	c.topic = CRTP_BUILD;
	c.topics = BIT(CRTP_BUILD);
	c.scan.toc.header = 0x20;
	c.scan.toc.id[0] = 0x0304;
	(void)crtp_put(&c, question[0], question + 2, question[1]);
	c.question.sent = true;
	c.question.skips_left = 1;
	crtp_ended(&c, USB_OK, packet, length, 0);
	return c.answers.answered;
}

static const struct {
	uint8_t question[34]; /* kind, length, bytes */
	uint8_t packet[12];
	size_t shortest;
	size_t checked; /* bytes of which each has to be right */
	size_t longest;
} answers[] = {
	{ { QUESTION_VERSION, 1, 1 }, { 0xD1, 1, 'x' }, 2, 2, 12 },
	{ { QUESTION_TYPE, 1, 2 }, { 0xD1, 2, 'x' }, 2, 2, 12 },
	{ { QUESTION_PROTOCOL, 1, 0 }, { 0xD1, 0, 12 }, 6, 2, 12 },
	{ { QUESTION_TOC, 1, 3 }, { 0x20, 3, 5, 0, 1, 2, 3, 4 }, 8, 2, 12 },
	{ { QUESTION_ITEM, 3, 2, 2, 1 }, { 0x20, 2, 2, 1, 8, 'a', 0, 'b', 0 }, 6, 4, 12 },
	{ { QUESTION_PARAM, 2, 4, 3 }, { 0x21, 4, 3, 0, 1, 2, 3, 4 }, 8, 4, 12 },
	{ { QUESTION_LIGHT, 2, 3, 1 }, { 0xD0 }, 1, 1, 1 },
	{ { QUESTION_LIGHT, 2, 3, 1 }, { 0xD0, 3, 1 }, 1, 2, 12 },
	{ { QUESTION_SUPERVISOR, 1, 0x0C }, { 0x90, 0x8C, 0x0E, 2 }, 4, 2, 12 },
	{ { QUESTION_BLOCK_CREATE, 2, 6, 7 }, { 0x51, 6, 7, 0 }, 4, 3, 12 },
	{ { QUESTION_BLOCK_SAMPLE, 2, 8, 0xCF }, { 0x52, 0xCF, 1, 2, 3, 4, 5 }, 7, 2, 12 },
	{ { QUESTION_BLOCK_SAMPLE, 2, 8, 0xCF }, { 0x51, 8, 0xCF, 2 }, 4, 3, 12 },
	{ { QUESTION_BLOCK_DELETE, 2, 2, 7 }, { 0x51, 2, 7, 0 }, 4, 3, 12 },
	{ { QUESTION_MEMORY_COUNT, 1, 1 }, { 0x40, 1, 5 }, 3, 2, 12 },
	{ { QUESTION_MEMORY_INFO, 2, 2, 3 }, { 0x40, 2, 3, 0x19 }, 8, 3, 12 },
	{ { QUESTION_MEMORY_READ, 6, 2, 3, 4, 5, 6, 2 },
	  { 0x41, 2, 3, 4, 5, 6, 0, 8, 9 },
	  9,
	  6,
	  9 },
	{ { QUESTION_MEMORY_READ, 6, 2, 3, 4, 5, 6, 2 }, { 0x41, 2, 3, 4, 5, 6, 5 }, 7, 6, 12 },
	{ { QUESTION_MEMORY_WRITE, 6, 2, 3, 4, 5, 6, 9 }, { 0x42, 2, 3, 4, 5, 6, 0 }, 7, 6, 12 },
};

TEST(only_the_answer_to_the_question_is_taken)
{
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		for (size_t length = 0; length <= sizeof(answers[i].packet); length++)
			assert_int_equal(takes(answers[i].question, answers[i].packet, length),
					 length >= answers[i].shortest &&
					     length <= answers[i].longest);
		for (size_t at = 0; at < answers[i].checked; at++) {
			uint8_t packet[12];

			memcpy(packet, answers[i].packet, sizeof(packet));
			packet[at] ^= 0x40;
			assert_false(takes(answers[i].question, packet, answers[i].longest));
		}
		/* Reserved bits of a header are echoed at will. */
		if (answers[i].question[0] != QUESTION_NONE) {
			uint8_t packet[12];

			memcpy(packet, answers[i].packet, sizeof(packet));
			packet[0] |= 0x0C;
			assert_true(takes(answers[i].question, packet, answers[i].shortest));
		}
	}
}

TEST(texts_are_cut_and_printable)
{
	char longest[] = "0123456789012345678901234567890123456789";
	struct peer p;
	struct crtp c = { .linked = false };

	peer_init(&p);
	p.version = longest;
	p.type = "Crazy\x1B[31mflie";
	crtp_ask(&c, NAMES, NULL, NULL);
	converse(&c, &p, 500);
	assert_int_equal(strlen(c.answers.version), CRTP_TEXT_MAX - 1);
	assert_string_equal(c.answers.type, "Crazy");
	p.version = "\x7F";
	p.type = "";
	crtp_ask(&c, NAMES, NULL, NULL);
	converse(&c, &p, 500);
	assert_string_equal(c.answers.version, "");
	assert_true(c.answers.answered);
}

TEST(a_truncated_parameter_name_does_not_match)
{
	static const uint8_t item[] = "\x20\x02\x00\x00\x08"
				      "firmware\0revision0";

	for (size_t length = 6; length <= sizeof(item); length++) {
		struct crtp c = { .stage = CRTP_STAGE_ASKING };

		c.scan.toc.header = 0x20;
		c.scan.toc.count = 2;
		assert_true(crtp_toc_item(&c, item, length));
		assert_int_equal(c.scan.toc.is[CRTP_REVISION0] == CRTP_HERE,
				 length == sizeof(item));
	}
}

TEST(a_finished_session_ignores_events)
{
	struct peer p;
	struct crtp c = { .linked = false };
	struct request w;

	peer_init(&p);
	crtp_show(&c, CRTP_LIGHT_PASS, NULL);
	converse(&c, &p, 500);
	crtp_ended(&c, USB_GONE, NULL, 0, 0);
	assert_false(crtp_gone(&c));
	crtp_next(&c, 0, &w);
	assert_int_equal(w.kind, REQUEST_OVER);
}

TEST_MAIN(NULL)
