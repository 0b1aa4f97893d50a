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

#include "cfdfu/util.h"

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
check_text(const char *text, size_t size)
{
	assert(memchr(text, '\0', size) != NULL);
	for (; *text != '\0'; text++)
		assert(*text >= 0x20 && *text < 0x7F);
}

static void
check_answers(const struct crtp *c)
{
	check_text(c->answers.version, CRTP_TEXT_MAX);
	check_text(c->answers.type, CRTP_TEXT_MAX);
	if (c->answers.build_known)
		assert(strlen(c->answers.revision) == 12);
	else
		assert(c->answers.revision[0] == '\0');
}

static void
check_condition(const struct condition *d)
{
	check_text(d->failed_module, sizeof(d->failed_module));
	check_text(d->crash, sizeof(d->crash));
	check_text(d->nrf_version, sizeof(d->nrf_version));
	assert(d->deck_count <= DECKS_MAX);
	for (unsigned i = 0; i < d->deck_count; i++) {
		check_text(d->decks[i].name, sizeof(d->decks[i].name));
		check_text(d->decks[i].version, sizeof(d->decks[i].version));
		assert(d->decks[i].section < DECKS_MAX);
	}
}

/* Nothing that the firmware asserts on, as far as a packet alone can tell. */
static void
check_question(const struct usb_xfer *x)
{
	if (x->kind != USB_BULK_OUT)
		return;
	assert(x->length > 0 && x->length <= 31);
	assert(x->data[0] != 0x41 || (x->length == 7 && x->data[6] > 0 && x->data[6] <= 24));
	assert(x->data[0] != 0x42 || (x->length > 6 && x->length <= 6 + 24));
}

/* Sixteen operations, the last of which are more than a drone could bear. */
static void
next_operation(void *ctx, uint64_t now_us, struct memory_op *ret_op)
{
	static const uint8_t bytes[255];
	unsigned *done = ctx;

	(void)now_us;
	if (*done < 16)
		*ret_op = (struct memory_op){ .kind = *done % 2 == 0 ? MEMORY_READ : MEMORY_WRITE,
					      .memory = (uint8_t)(*done / 2),
					      .addr = 3,
					      .length = (uint8_t)(*done * 2),
					      .patience_ms = *done * 10,
					      .data = bytes };
}

static void
operation_done(void *ctx, enum memory_result result, const uint8_t *data, uint64_t now_us)
{
	unsigned *done = ctx;

	(void)now_us;
	assert(data == NULL || result == MEMORY_OK);
	(*done)++;
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
		check_question(&w.xfer);
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
	struct crtp_tocs tocs = { .toc = { { .header = 0x20,
					     .crc = 0x44434241,
					     .count = 3,
					     .id = { 0, 1, 2 },
					     .is = { CRTP_HERE, CRTP_HERE, CRTP_HERE } } } };
	struct condition condition = { .looked = false };
	struct input in = { data, size };
	struct crtp c = { .linked = false };
	unsigned operations = 0;
	const struct memory_engine engine = { &operations, next_operation, operation_done };
	uint8_t mode = take(&in);
	unsigned topics = BIT(CRTP_VERSION) | BIT(CRTP_TYPE);

	topics |= (mode & 1) != 0 ? BIT(CRTP_BUILD) : 0;
	topics |= (mode & 16) != 0 ? CRTP_CHECKUP : 0;
	topics |= (mode & 32) != 0 ? BIT(CRTP_POWER_CYCLE) : 0;
	if ((mode & 0x0C) != 0)
		crtp_show(&c, (mode & 4) != 0 ? CRTP_LIGHT_PASS : CRTP_LIGHT_FAIL, &condition);
	else if ((mode & 64) != 0)
		crtp_work(&c, &engine, &condition);
	else
		crtp_ask(&c, topics, (mode & 2) != 0 ? &tocs : NULL, &condition);
	converse(&c, &in);
	check_answers(&c);
	check_condition(&condition);
	/* The tables of one drone serve the next drone of the build. */
	crtp_ask(&c, topics | BIT(CRTP_BUILD), &tocs, &condition);
	converse(&c, &in);
	check_answers(&c);
	check_condition(&condition);
	return 0;
}
