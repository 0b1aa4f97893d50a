/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "core/crtp.h"

#include <assert.h>

#include "cfdfu/util.h"

enum {
	ENDPOINT_OUT = 0x01,
	ENDPOINT_IN = 0x81,
	PACKET_MAX = 64,
	TRIES = 3,
	SKIPS = 200, /* LIMIT: console packets that may come before one answer */
	SEND_TIMEOUT_MS = 300,
	ANSWER_TIMEOUT_MS = 300,
	CONTROL_TIMEOUT_MS = 1000,
	CONVERSATION_US = 15000000, /* LIMIT: a drone that talks longer is taken as it is */
	ITEMS_MAX = 2000,	    /* LIMIT: parameters of a firmware; about 300 today */
};

/* SPEC: port 13 channel 1 "version", port 2 channel 0 "toc", 1 "read", port 13 channel 0
 * "platform". */
enum {
	HEADER_VERSION = 0xD1,
	HEADER_PLATFORM = 0xD0,
	HEADER_TOC = 0x20,
	HEADER_PARAM = 0x21,
	HEADER_MASK = 0xF3, /* the two reserved bits are echoed at will */
};

static const struct {
	const char *group, *name;
	uint8_t bytes;
} params[CRTP_PARAM_COUNT] = {
	[CRTP_PARAM_REVISION0] = { "firmware", "revision0", 4 },
	[CRTP_PARAM_REVISION1] = { "firmware", "revision1", 2 },
	[CRTP_PARAM_MODIFIED] = { "firmware", "modified", 1 },
};

static const unsigned next_stages[CRTP_STAGE_COUNT] = {
#define S(x) BIT(CRTP_STAGE_##x)
	[CRTP_STAGE_LINK] = S(VERSION) | S(LIGHT) | S(OVER),
	[CRTP_STAGE_VERSION] = S(TYPE) | S(UNLINK) | S(OVER),
	[CRTP_STAGE_TYPE] = S(TOC) | S(UNLINK) | S(OVER),
	[CRTP_STAGE_TOC] = S(ITEM) | S(PARAM) | S(UNLINK) | S(OVER),
	[CRTP_STAGE_ITEM] = S(ITEM) | S(PARAM) | S(UNLINK) | S(OVER),
	[CRTP_STAGE_PARAM] = S(PARAM) | S(UNLINK) | S(OVER),
	[CRTP_STAGE_LIGHT] = S(UNLINK) | S(OVER),
	[CRTP_STAGE_UNLINK] = S(OVER),
#undef S
};

static void
ask(struct crtp *c)
{
	c->sent = false;
	c->tries_left = TRIES;
	c->skips_left = SKIPS;
}

/* The only place where the stage changes, but for a new beginning. */
static void
enter(struct crtp *c, enum crtp_stage stage)
{
	assert((next_stages[c->stage] & BIT(stage)) != 0);
	c->stage = stage;
	ask(c);
}

static void
begin(struct crtp *c)
{
	memset(c, 0, sizeof(*c)); /* CRTP_STAGE_LINK */
	ask(c);
}

void
crtp_ask(struct crtp *c, bool build, const struct crtp_toc *toc)
{
	begin(c);
	c->want_version = true;
	c->want_build = build;
	if (toc != NULL)
		c->toc = *toc;
}

void
crtp_show(struct crtp *c, enum crtp_light light)
{
	begin(c);
	c->light = light;
}

static bool
toc_complete(const struct crtp *c)
{
	for (size_t i = 0; i < CRTP_PARAM_COUNT; i++)
		if (!c->toc.has[i])
			return false;
	return true;
}

/* The stage after this one has been answered, or given up. */
static enum crtp_stage
following(struct crtp *c)
{
	switch (c->stage) {
	case CRTP_STAGE_LINK:
		return c->want_version ? CRTP_STAGE_VERSION : CRTP_STAGE_LIGHT;
	case CRTP_STAGE_VERSION:
		return CRTP_STAGE_TYPE;
	case CRTP_STAGE_TYPE:
		return c->want_build && c->answers.answered ? CRTP_STAGE_TOC : CRTP_STAGE_UNLINK;
	case CRTP_STAGE_TOC:
		if (!c->toc.known)
			return c->toc.count > 0 ? CRTP_STAGE_ITEM : CRTP_STAGE_UNLINK;
		return toc_complete(c) ? CRTP_STAGE_PARAM : CRTP_STAGE_UNLINK;
	case CRTP_STAGE_ITEM:
		c->toc.known = true;
		return toc_complete(c) ? CRTP_STAGE_PARAM : CRTP_STAGE_UNLINK;
	case CRTP_STAGE_PARAM:
	case CRTP_STAGE_LIGHT:
		return CRTP_STAGE_UNLINK;
	case CRTP_STAGE_UNLINK:
	case CRTP_STAGE_OVER:
	case CRTP_STAGE_COUNT:
		break;
	}
	return CRTP_STAGE_OVER;
}

/* ---- questions ------------------------------------------------------------------------------ */

static void
put_question(struct crtp *c, uint8_t header, const uint8_t *data, uint32_t length)
{
	c->packet[0] = header;
	memcpy(c->packet + 1, data, length);
	c->packet_length = length + 1;
}

static void
build_question(struct crtp *c)
{
	uint8_t item[3] = { 0x02, (uint8_t)c->item, (uint8_t)(c->item >> 8) };
	uint16_t id = c->toc.id[c->param];
	uint8_t param[2] = { (uint8_t)id, (uint8_t)(id >> 8) };

	switch (c->stage) {
	case CRTP_STAGE_VERSION:
		put_question(c, HEADER_VERSION, (const uint8_t[]){ 0x01 }, 1);
		return;
	case CRTP_STAGE_TYPE:
		put_question(c, HEADER_VERSION, (const uint8_t[]){ 0x02 }, 1);
		return;
	case CRTP_STAGE_TOC:
		put_question(c, HEADER_TOC, (const uint8_t[]){ 0x03 }, 1);
		return;
	case CRTP_STAGE_ITEM:
		put_question(c, HEADER_TOC, item, sizeof(item));
		return;
	case CRTP_STAGE_PARAM:
		put_question(c, HEADER_PARAM, param, sizeof(param));
		return;
	case CRTP_STAGE_LIGHT:
		put_question(c, HEADER_PLATFORM,
			     (const uint8_t[]){ 0x03, c->light == CRTP_LIGHT_PASS ? 1 : 0 }, 2);
		return;
	case CRTP_STAGE_LINK:
	case CRTP_STAGE_UNLINK:
	case CRTP_STAGE_OVER:
	case CRTP_STAGE_COUNT:
		return;
	}
}

static void
want_link(const struct crtp *c, struct request *w)
{
	w->kind = REQUEST_XFER;
	w->xfer = (struct usb_xfer){
		.kind = USB_CONTROL,
		/* SPEC: only wIndex is decoded: 1 = CRTP to USB, 0 = to the radio. */
		.setup = { 0x40, 0x01, 0x0001, c->stage == CRTP_STAGE_LINK ? 1 : 0, 0 },
		.timeout_ms = CONTROL_TIMEOUT_MS,
	};
}

void
crtp_next(struct crtp *c, uint64_t now_us, struct request *ret_request)
{
	memset(ret_request, 0, sizeof(*ret_request));
	if (c->until_us == 0)
		c->until_us = now_us + CONVERSATION_US;
	if (c->stage == CRTP_STAGE_OVER) {
		ret_request->kind = REQUEST_OVER;
		return;
	}
	if (c->stage == CRTP_STAGE_LINK || c->stage == CRTP_STAGE_UNLINK) {
		want_link(c, ret_request);
		return;
	}
	ret_request->kind = REQUEST_XFER;
	if (c->sent) {
		ret_request->xfer = (struct usb_xfer){ .kind = USB_BULK_IN,
						       .endpoint = ENDPOINT_IN,
						       .length = PACKET_MAX,
						       .timeout_ms = ANSWER_TIMEOUT_MS };
		return;
	}
	build_question(c);
	ret_request->xfer = (struct usb_xfer){ .kind = USB_BULK_OUT,
					       .endpoint = ENDPOINT_OUT,
					       .data = c->packet,
					       .length = c->packet_length,
					       .timeout_ms = SEND_TIMEOUT_MS };
}

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

/* An item of the table: "20 02 id id type group\0name\0".  Remembers it when it is one of ours. */
static bool
take_item(struct crtp *c, const uint8_t *p, size_t length)
{
	const char *group = (const char *)p + 5;
	size_t room = length - 5;
	size_t n = strnlen(group, room);

	if (get_le16(p + 2) != c->item)
		return false;
	if (n + 1 >= room || strnlen(group + n + 1, room - n - 1) == room - n - 1)
		return true; /* not terminated: a name that was cut is not one of ours */
	for (size_t i = 0; i < CRTP_PARAM_COUNT; i++) {
		if (strcmp(group, params[i].group) != 0 ||
		    strcmp(group + n + 1, params[i].name) != 0)
			continue;
		c->toc.id[i] = c->item;
		c->toc.has[i] = true;
	}
	return true;
}

static bool
take_toc(struct crtp *c, const uint8_t *p, size_t length)
{
	uint32_t crc = get_le32(p + 4);

	(void)length;
	if (c->toc.known && c->toc.crc == crc)
		return true;
	memset(&c->toc, 0, sizeof(c->toc));
	c->toc.crc = crc;
	c->toc.count = get_le16(p + 2);
	if (c->toc.count > ITEMS_MAX)
		c->toc.count = ITEMS_MAX;
	return true;
}

static bool
take_param(struct crtp *c, const uint8_t *p, size_t length)
{
	uint8_t value[4] = { 0 };
	uint8_t bytes = params[c->param].bytes;

	if (length < 4U + bytes || get_le16(p + 1) != c->toc.id[c->param] || p[3] != 0)
		return false;
	memcpy(value, p + 4, bytes);
	c->value[c->param] = get_le32(value);
	if (c->param + 1 < CRTP_PARAM_COUNT)
		return true;
	(void)snprintf(c->answers.revision, sizeof(c->answers.revision), "%08x%04x",
		       (unsigned)c->value[CRTP_PARAM_REVISION0],
		       (unsigned)c->value[CRTP_PARAM_REVISION1]);
	c->answers.modified = c->value[CRTP_PARAM_MODIFIED] != 0;
	c->answers.build_known = true;
	return true;
}

/* The answer to each stage's question; 0 bytes: none is expected. */
static const struct {
	uint8_t header;
	uint8_t command; /* its first byte; 0: any */
	uint8_t bytes;	 /* at least so many, header and command among them */
	bool (*take)(struct crtp *c, const uint8_t *p, size_t length); /* NULL: says nothing */
} expected[CRTP_STAGE_COUNT] = {
	[CRTP_STAGE_VERSION] = { HEADER_VERSION, 0x01, 2, take_version },
	[CRTP_STAGE_TYPE] = { HEADER_VERSION, 0x02, 2, take_type },
	[CRTP_STAGE_TOC] = { HEADER_TOC, 0x03, 8, take_toc },
	[CRTP_STAGE_ITEM] = { HEADER_TOC, 0x02, 6, take_item },
	[CRTP_STAGE_PARAM] = { HEADER_PARAM, 0, 4, take_param },
	[CRTP_STAGE_LIGHT] = { HEADER_PLATFORM, 0, 1, NULL },
};

/* Is this packet the answer to our question?  If so it is taken in. */
static bool
take_answer(struct crtp *c, const uint8_t *p, size_t length)
{
	uint8_t command = expected[c->stage].command;

	if (expected[c->stage].bytes == 0 || length < expected[c->stage].bytes ||
	    (p[0] & HEADER_MASK) != expected[c->stage].header || (command != 0 && p[1] != command))
		return false;
	return expected[c->stage].take == NULL || expected[c->stage].take(c, p, length);
}

/* A question that comes in rounds: is there another round? */
static bool
next_round(struct crtp *c)
{
	if (c->stage == CRTP_STAGE_ITEM && !toc_complete(c) && c->item + 1 < c->toc.count) {
		c->item++;
		enter(c, CRTP_STAGE_ITEM);
		return true;
	}
	if (c->stage == CRTP_STAGE_PARAM && c->param + 1 < CRTP_PARAM_COUNT) {
		c->param++;
		enter(c, CRTP_STAGE_PARAM);
		return true;
	}
	return false;
}

/* No answer within the time, or the transfer failed: ask again, or leave the question out. */
static void
unanswered(struct crtp *c)
{
	if (c->tries_left > 1) {
		c->tries_left--;
		c->sent = false;
		return;
	}
	/* WHY: half a table is no table; what depends on it is left out with it. */
	if (c->stage == CRTP_STAGE_TOC || c->stage == CRTP_STAGE_ITEM ||
	    c->stage == CRTP_STAGE_PARAM)
		enter(c, CRTP_STAGE_UNLINK);
	else
		enter(c, following(c));
}

static void
on_packet(struct crtp *c, const uint8_t *data, size_t length)
{
	if (take_answer(c, data, length)) {
		c->answers.answered = true;
		if (!next_round(c))
			enter(c, following(c));
		return;
	}
	if (c->skips_left == 0)
		unanswered(c);
	else
		c->skips_left--;
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
		enter(c, CRTP_STAGE_OVER);
		return;
	}
	if (c->stage == CRTP_STAGE_LINK || c->stage == CRTP_STAGE_UNLINK) {
		if (status == USB_OK || c->tries_left <= 1)
			enter(c, following(c));
		else
			c->tries_left--;
		return;
	}
	if (now_us >= c->until_us)
		enter(c, CRTP_STAGE_UNLINK);
	else if (status != USB_OK)
		unanswered(c);
	else if (!c->sent)
		c->sent = true;
	else
		on_packet(c, data, length);
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
