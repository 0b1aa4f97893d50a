/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/crtp.h"

#include <assert.h>

#include "cfdfu/util.h"
#include "core/crtp_internal.h"

enum {
	ENDPOINT_OUT = 0x01,
	ENDPOINT_IN = 0x81,
	PACKET_MAX = 64,
	TRIES = 3,
	SKIPS = 256,  /* LIMIT: of other packets before one answer; 201 were seen */
	SILENCES = 2, /* topics without an answer, when none ever came: it does not talk at all */
	SEND_TIMEOUT_MS = 300,
	ANSWER_TIMEOUT_MS = 300,
	CONTROL_TIMEOUT_MS = 1000,
	CONVERSATION_US = 15000000, /* LIMIT: a drone that talks longer is taken as it is */
};

static const unsigned next_stages[] = {
#define S(x) BIT(CRTP_STAGE_##x)
	[CRTP_STAGE_LINK] = S(ASKING) | S(OVER),
	[CRTP_STAGE_ASKING] = S(UNLINK) | S(OVER),
	[CRTP_STAGE_UNLINK] = S(OVER),
	[CRTP_STAGE_OVER] = 0,
#undef S
};

/* The only place where the stage changes, but for a new beginning. */
static void
enter(struct crtp *c, enum crtp_stage stage)
{
	assert((next_stages[c->stage] & BIT(stage)) != 0);
	c->stage = stage;
	c->tries_left = TRIES;
}

static void
begin(struct crtp *c, unsigned topics, struct crtp_tocs *tocs, struct condition *condition)
{
	struct console console = c->console;
	bool linked = c->linked;

	memset(c, 0, sizeof(*c)); /* CRTP_STAGE_LINK */
	c->console = console;
	c->linked = linked;
	c->tries_left = TRIES;
	c->topics = topics;
	c->tocs = tocs;
	c->condition = condition;
}

void
crtp_ask(struct crtp *c, unsigned topics, struct crtp_tocs *tocs, struct condition *condition)
{
	unsigned on_memories = BIT(CRTP_RADIO_BLOCK) | BIT(CRTP_DECKS) | BIT(CRTP_POWER_CYCLE);

	if ((topics & on_memories) != 0)
		topics |= BIT(CRTP_MEMORIES);
	begin(c, topics, tocs, condition);
}

void
crtp_show(struct crtp *c, enum crtp_light light, struct condition *condition)
{
	begin(c, BIT(CRTP_LIGHT), NULL, condition);
	c->light = light;
}

void
crtp_work(struct crtp *c, const struct memory_engine *engine, struct condition *condition)
{
	begin(c, BIT(CRTP_MEMORIES) | BIT(CRTP_WORK), NULL, condition);
	c->engine = engine;
}

void
crtp_unlink(struct crtp *c)
{
	begin(c, 0, NULL, NULL);
	c->stage = CRTP_STAGE_UNLINK;
}

void
crtp_appeared(struct crtp *c)
{
	c->linked = false;
	memset(&c->console, 0, sizeof(c->console));
}

/* ---- topics --------------------------------------------------------------------------------- */

static void
topic_over(struct crtp *c, bool done)
{
	if (done)
		c->done |= BIT(c->topic);
	c->topics &= ~BIT(c->topic);
	c->step = 0;
	memset(&c->scan, 0, sizeof(c->scan));
}

/* The next question, and with it the topic; none is left: on to UNLINK.  False: not before
 * ret_until_us. */
static bool
find_question(struct crtp *c, uint64_t now_us, uint64_t *ret_until_us)
{
	while (c->topics != 0 && c->question.kind == QUESTION_NONE) {
		c->topic = CRTP_LIGHT;
		while ((c->topics & BIT(c->topic)) == 0)
			c->topic++;
		switch (crtp_topic_next(c, now_us, ret_until_us)) {
		case TURN_ASKS:
			c->question.tries_left = TRIES;
			c->question.skips_left = SKIPS;
			return true;
		case TURN_WAITS:
			return false;
		case TURN_DONE:
			topic_over(c, true);
			break;
		case TURN_GIVEN_UP:
			topic_over(c, false);
			break;
		}
	}
	if (c->question.kind == QUESTION_NONE)
		enter(c, CRTP_STAGE_UNLINK);
	return true;
}

/* ---- what it requests ----------------------------------------------------------------------- */

static void
want_link(struct crtp *c, bool take, struct request *w)
{
	c->linked = c->linked || take; /* WHY already: it may be, even if the request fails */
	w->kind = REQUEST_XFER;
	w->xfer = (struct usb_xfer){
		.kind = USB_CONTROL,
		/* SPEC: only wIndex is decoded: 1 = CRTP to USB, 0 = to the radio. */
		.setup = { 0x40, 0x01, 0x0001, take ? 1 : 0, 0 },
		.timeout_ms = CONTROL_TIMEOUT_MS,
	};
}

/* The time that is left for the answer. */
static uint32_t
answer_timeout_ms(const struct crtp_question *q, uint64_t now_us)
{
	if (q->patience_ms == 0)
		return ANSWER_TIMEOUT_MS;
	return now_us < q->until_us ? (uint32_t)((q->until_us - now_us + 999) / 1000) : 1;
}

static void
want_question(struct crtp *c, uint64_t now_us, struct request *w)
{
	struct crtp_question *q = &c->question;

	w->kind = REQUEST_XFER;
	if (q->relink)
		want_link(c, true, w);
	else if (q->sent)
		w->xfer = (struct usb_xfer){ .kind = USB_BULK_IN,
					     .endpoint = ENDPOINT_IN,
					     .length = PACKET_MAX,
					     .timeout_ms = answer_timeout_ms(q, now_us) };
	else
		w->xfer = (struct usb_xfer){ .kind = USB_BULK_OUT,
					     .endpoint = ENDPOINT_OUT,
					     .data = q->packet,
					     .length = q->length,
					     .timeout_ms = SEND_TIMEOUT_MS };
}

void
crtp_next(struct crtp *c, uint64_t now_us, struct request *ret_request)
{
	memset(ret_request, 0, sizeof(*ret_request));
	if (c->until_us == 0)
		c->until_us = now_us + CONVERSATION_US;
	if (c->stage == CRTP_STAGE_ASKING && !find_question(c, now_us, &ret_request->until_us)) {
		ret_request->kind = REQUEST_PAUSE;
		return;
	}
	switch (c->stage) {
	case CRTP_STAGE_LINK:
	case CRTP_STAGE_UNLINK:
		want_link(c, c->stage == CRTP_STAGE_LINK, ret_request);
		return;
	case CRTP_STAGE_ASKING:
		want_question(c, now_us, ret_request);
		return;
	case CRTP_STAGE_OVER:
		ret_request->kind = REQUEST_OVER;
		return;
	}
}

/* ---- answers -------------------------------------------------------------------------------- */

/* No answer within the time, or the transfer failed: ask again, or end the topic. */
static void
unanswered(struct crtp *c)
{
	struct crtp_question *q = &c->question;

	/* WHY a write is not: the firmware behind it appends, and does not count. */
	if (q->tries_left > 1 && q->kind != QUESTION_MEMORY_WRITE) {
		q->tries_left--;
		q->skips_left = SKIPS;
		q->sent = false;
		/* WHY: the firmware gives the link back to the radio when its USB was reset or
		 * suspended, and early in its start (doc/faults.md D6). */
		q->relink = true;
		return;
	}
	if (crtp_topic_silent(c)) {
		q->kind = QUESTION_NONE;
		return;
	}
	q->kind = QUESTION_NONE;
	topic_over(c, false);
	if (!c->answers.answered && ++c->silences >= SILENCES)
		enter(c, CRTP_STAGE_UNLINK);
}

static void
on_packet(struct crtp *c, const uint8_t *p, size_t length, uint64_t now_us)
{
	if (length > 0 && (p[0] & CRTP_HEADER_MASK) == CRTP_HEADER_CONSOLE) {
		if (c->condition != NULL)
			console_take(&c->console, p + 1, length - 1, c->condition);
	} else if (crtp_topic_take(c, p, length)) {
		c->answers.answered = true;
		c->question.kind = QUESTION_NONE;
		return;
	}
	if (c->question.skips_left == 0 ||
	    (c->question.patience_ms != 0 && now_us >= c->question.until_us))
		unanswered(c);
	else
		c->question.skips_left--;
}

static void
question_ended(struct crtp *c, enum usb_status status, const uint8_t *data, size_t length,
	       uint64_t now_us)
{
	struct crtp_question *q = &c->question;

	if (now_us >= c->until_us && c->engine == NULL) {
		enter(c, CRTP_STAGE_UNLINK);
	} else if (q->relink) {
		q->relink = false; /* as it may be: the question finds out */
	} else if (status != USB_OK) {
		unanswered(c);
	} else if (!q->sent) {
		q->sent = true;
		q->until_us = now_us + q->patience_ms * 1000ULL;
	} else {
		on_packet(c, data, length, now_us);
	}
}

void
crtp_ended(struct crtp *c, enum usb_status status, const uint8_t *data, size_t length,
	   uint64_t now_us)
{
	if (c->stage == CRTP_STAGE_OVER)
		return;
	c->transfers++;
	if (status == USB_GONE) {
		c->gone = true;
		c->linked = false;
		enter(c, CRTP_STAGE_OVER);
		return;
	}
	switch (c->stage) {
	case CRTP_STAGE_LINK:
	case CRTP_STAGE_UNLINK:
		if (status != USB_OK && --c->tries_left > 0)
			return;
		if (c->stage == CRTP_STAGE_UNLINK && status == USB_OK)
			c->linked = false;
		enter(c, c->stage == CRTP_STAGE_LINK ? CRTP_STAGE_ASKING : CRTP_STAGE_OVER);
		return;
	case CRTP_STAGE_ASKING:
		question_ended(c, status, data, length, now_us);
		return;
	case CRTP_STAGE_OVER:
		return;
	}
}

bool
crtp_over(const struct crtp *c)
{
	return c->stage == CRTP_STAGE_OVER;
}

bool
crtp_gone(const struct crtp *c)
{
	return c->gone;
}

bool
crtp_linked(const struct crtp *c)
{
	return c->linked;
}

bool
crtp_takes_link(const struct crtp *c)
{
	return c->stage == CRTP_STAGE_LINK && !c->gone && c->topics != 0;
}
