/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as the answers of a running drone.  The first byte chooses the conversation; then each
 * transfer takes a byte, status (3 bits) and length (5 bits), and an IN transfer its data.
 */
#include "config.h"

#include "core/crtp.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	STEP_US = 1000,	       /* each transfer takes a millisecond */
	TRANSFERS_MAX = 20000, /* LIMIT: 15 s of them, and the way out */
	PACKET_MAX = 64,
};

struct input {
	const uint8_t *data;
	size_t left;
};

static uint8_t
take(struct input *in)
{
	if (in->left == 0)
		return 0x40; /* silence: a time-out */
	in->left--;
	return *in->data++;
}

static void
check_text(const char *text)
{
	assert(memchr(text, '\0', CRTP_TEXT_MAX) != NULL);
	for (; *text != '\0'; text++)
		assert(*text >= 0x20 && *text < 0x7F);
}

static void
check_answers(const struct crtp *c)
{
	check_text(c->answers.version);
	check_text(c->answers.type);
	if (c->answers.build_known)
		assert(strlen(c->answers.revision) == 12);
	else
		assert(c->answers.revision[0] == '\0');
	for (size_t i = 0; i < CRTP_PARAM_COUNT; i++)
		assert(!c->toc.has[i] || c->toc.id[i] < c->toc.count || c->toc.known);
}

static void
converse(struct crtp *c, struct input *in)
{
	uint8_t *packet;
	uint64_t now = 1;

	for (unsigned n = 0;; n++, now += STEP_US) {
		uint8_t head;
		size_t length;
		struct request w;

		crtp_next(c, now, &w);
		if (w.kind == REQUEST_OVER)
			return;
		assert(n < TRANSFERS_MAX);
		assert(w.kind == REQUEST_XFER && w.xfer.timeout_ms > 0);
		assert(w.xfer.kind != USB_BULK_OUT || (w.xfer.length > 0 && w.xfer.length <= 32));
		head = take(in);
		length = head & 31;
		length = w.xfer.kind != USB_BULK_IN ? 0 : length < in->left ? length : in->left;
		assert(length <= PACKET_MAX);
		packet = malloc(length > 0 ? length : 1); /* exactly: the sanitizer sees one more */
		if (packet == NULL)
			return;
		memcpy(packet, in->data, length);
		in->data += length;
		in->left -= length;
		/* WHY: its own block, freed at once: the parser may keep no pointer into it. */
		crtp_ended(c, (enum usb_status)((head >> 5) % USB_STATUS_COUNT), packet, length,
			   now);
		free(packet);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct crtp_toc toc = { .known = true, .crc = 0x44434241, .count = 3, .id = { 0, 1, 2 } };
	struct input in = { data, size };
	struct crtp c;
	uint8_t mode = take(&in);

	for (size_t i = 0; i < CRTP_PARAM_COUNT; i++)
		toc.has[i] = true;
	if ((mode & 0x0C) != 0)
		crtp_show(&c, (mode & 4) != 0 ? CRTP_LIGHT_PASS : CRTP_LIGHT_FAIL);
	else
		crtp_ask(&c, (mode & 1) != 0, (mode & 2) != 0 ? &toc : NULL);
	converse(&c, &in);
	check_answers(&c);
	/* The table of one drone serves the next drone of the build. */
	toc = c.toc;
	crtp_ask(&c, true, &toc);
	converse(&c, &in);
	check_answers(&c);
	return 0;
}
