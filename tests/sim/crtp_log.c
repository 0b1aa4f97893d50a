/* SPDX-License-Identifier: MIT */
/* CRTP port 5: blocks of log variables, once or with a period (doc/beyond-dfu.md 5, 11). */
#include "config.h"

#include "sim/drone.h"

#include <string.h>

#include "sim/model.h"

#define SAMPLE_BYTES 26 /* SPEC: of values in one packet */

enum {
	CREATE = 6,
	APPEND = 7,
	DELETE = 2,
	START_OLD = 3, /* period in units of 10 ms, one byte */
	STOP = 4,
	RESET = 5,
	START = 8
};

/* SPEC: doc/beyond-dfu.md 5 */
enum { NOT_THERE = 2, TOO_BIG = 7, NO_COMMAND = 8, NO_ROOM = 12, EXISTS = 17 };

static size_t
size_of(uint8_t type)
{
	static const uint8_t sizes[] = { 0, 1, 2, 4, 1, 2, 4, 4, 2 };

	return (type & 0x0F) < sizeof(sizes) ? sizes[type & 0x0F] : 0;
}

static struct log_block *
block_of(struct drone *d, uint8_t id)
{
	struct firmware *f = &d->firmware;

	for (unsigned i = 0; i < LOG_BLOCKS; i++)
		if (f->log[i].made && f->log[i].id == id)
			return &f->log[i];
	return NULL;
}

static void
sample(struct drone *d, uint64_t at_us, const struct log_block *b)
{
	uint8_t p[PACKET_BYTES + 4] = { 0x52, b->id };
	uint64_t ms = (at_us - d->firmware.start_us) / 1000;
	size_t n = 5;

	put_le16(p + 2, (uint16_t)ms);
	p[4] = (uint8_t)(ms >> 16);
	for (unsigned i = 0; i < b->vars; i++) {
		struct toc_item item;

		if (!toc_item(d, TOC_LOGS, b->var[i], &item))
			continue;
		put_le32(p + n, toc_value(d, at_us, &item));
		n += size_of(b->type[i]);
	}
	run_queue(d, at_us, p, n);
}

/* WHY: the next one when this one was taken: a host that reads nothing is not flooded. */
void
crtp_log_sample(struct drone *d, uint8_t id, uint64_t last_us)
{
	struct log_block *b = block_of(d, id);

	if (b != NULL && b->period_us > 0)
		sample(d, last_us + b->period_us, b);
}

/* ---- commands; each returns its error ---- */

static uint8_t
append(struct drone *d, struct log_block *b, const uint8_t *in, size_t length)
{
	for (size_t at = 3; at + 3 <= length; at += 3) {
		uint16_t id = get_le16(in + at + 1);
		size_t size = size_of(in[at]);
		struct toc_item item;

		if (!toc_item(d, TOC_LOGS, id, &item))
			return NOT_THERE;
		if (b->bytes + size > SAMPLE_BYTES)
			return TOO_BIG;
		if (d->firmware.log_ops == LOG_OPS || b->vars == ARRAY_LEN(b->var))
			return NO_ROOM;
		b->type[b->vars] = in[at];
		b->var[b->vars++] = id;
		b->bytes += (unsigned)size;
		d->firmware.log_ops++;
	}
	return 0;
}

static uint8_t
create(struct drone *d, const uint8_t *in, size_t length)
{
	struct firmware *f = &d->firmware;
	unsigned i = 0;

	if (block_of(d, in[2]) != NULL)
		return EXISTS;
	while (i < LOG_BLOCKS && f->log[i].made)
		i++;
	if (i == LOG_BLOCKS)
		return NO_ROOM;
	f->log[i] = (struct log_block){ .made = true, .id = in[2] };
	return append(d, &f->log[i], in, length);
}

static void delete (struct drone *d, struct log_block *b)
{
	d->firmware.log_ops -= b->vars;
	b->made = false;
}

static void
start(struct drone *d, uint64_t now, struct log_block *b, uint32_t period_us)
{
	bool was_started = b->period_us > 0;

	b->period_us = period_us;
	if (period_us == 0)
		sample(d, now + d->config.timing.crtp_us + 1, b); /* SPEC: exactly one */
	else if (!was_started)
		sample(d, now + d->config.timing.crtp_us + period_us, b);
}

static uint8_t
control(struct drone *d, uint64_t now, uint8_t *in, size_t length)
{
	struct log_block *b = block_of(d, in[2]);

	switch (in[1]) {
	case CREATE:
		return create(d, in, length);
	case RESET:
		for (unsigned i = 0; i < LOG_BLOCKS; i++)
			d->firmware.log[i].made = false;
		d->firmware.log_ops = 0;
		in[2] = 0;
		return 0;
	case APPEND:
		return b != NULL ? append(d, b, in, length) : NOT_THERE;
	case DELETE:
		if (b == NULL)
			return NOT_THERE;
		delete (d, b);
		return 0;
	case STOP:
		if (b == NULL)
			return NOT_THERE;
		b->period_us = 0;
		return 0;
	case START:
	case START_OLD:
		if (b == NULL)
			return NOT_THERE;
		start(d, now, b, in[1] == START ? get_le16(in + 3) * 1000U : in[3] * 10000U);
		return 0;
	default:
		return NO_COMMAND;
	}
}

void
crtp_log(struct drone *d, uint64_t now, const uint8_t *packet, size_t length)
{
	uint8_t in[40] = { 0 }, p[4];

	memcpy(in, packet, length);
	if ((in[0] & 3) == 0) {
		toc_answer(d, now, in, TOC_LOGS);
		return;
	}
	p[3] = control(d, now, in, length);
	memcpy(p, in, 3);
	crtp_reply(d, now, p, sizeof(p));
}
